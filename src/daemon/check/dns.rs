//! What does a name stand for?

use std::net::SocketAddr;

use crate::daemon::dns::lookup;
use crate::model::{DnsRecord, DnsType, Failure, Span};

/// The records of one type, in an order of their own: servers turn the list
/// with each answer, and nobody should read that as a change.
///
/// # Errors
/// The server says no, or nobody answers.
pub(super) async fn records(
    name: &str,
    of: DnsType,
    server: Option<SocketAddr>,
    timeout: Span,
) -> Result<Vec<DnsRecord>, Failure> {
    let mut records = lookup(name, of, server, timeout).await?;
    records.sort_by(|a, b| a.data.cmp(&b.data));
    Ok(records)
}
