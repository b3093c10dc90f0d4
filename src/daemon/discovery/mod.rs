//! Where targets are looked for. Each way is a file; what their answers mean
//! is read in `config`.

mod dns;
mod file;
mod http;

use super::http::Http;
use super::secrets::Secrets;
use crate::model::{Found, Source, Span, Way};

/// A list of targets beyond this is at fault.
const BYTES_MAX: u64 = 16 << 20;

/// Less than the watch gives us, so that the answer says what was slow.
const TIMEOUT: Span = Span::from_secs(8);

/// Asks a source for its targets.
///
/// # Errors
/// Why there is no answer. An empty list is one.
pub async fn look(source: &Source, http: &Http, secrets: &Secrets) -> Result<Found, String> {
    match &source.way {
        Way::File { path } => file::look(path, &source.paths).await,
        Way::Http { .. } => http::look(source, http, secrets).await,
        Way::Dns { .. } => dns::look(&source.way, &source.paths).await,
    }
}
