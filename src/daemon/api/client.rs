//! Asks the holder of a state directory through its socket.

use std::path::Path;
use std::time::Duration;

use reqwest::redirect::Policy;
use serde_json::Value;

use super::listen::SOCKET;

/// Longer than any answer takes.
const TIMEOUT: Duration = Duration::from_secs(150);

/// An answer: its status, and JSON as text.
#[derive(Debug)]
pub struct Answered {
    /// As HTTP has it.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Posts a form to the holder of this directory.
///
/// # Errors
/// Nobody answers there; why, in words.
pub async fn ask(dir: &Path, path: &str, form: &[(&str, String)]) -> Result<Answered, String> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    post(dir, path, "application/x-www-form-urlencoded", body).await
}

/// Gives the holder of this directory an order.
///
/// # Errors
/// As `ask`.
pub async fn order(dir: &Path, path: &str, order: &Value) -> Result<Answered, String> {
    post(dir, path, "application/json", order.to_string()).await
}

async fn post(dir: &Path, path: &str, kind: &str, body: String) -> Result<Answered, String> {
    let socket = dir.join(SOCKET);
    let at = |error: reqwest::Error| {
        let mut deepest: &dyn std::error::Error = &error;
        while let Some(next) = deepest.source() {
            deepest = next;
        }
        format!("{}: {deepest}", socket.display())
    };
    // There is no TLS here, but no client can be built without its provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .unix_socket(socket.as_path())
        .no_proxy()
        .redirect(Policy::none())
        .tls_certs_only([])
        .timeout(TIMEOUT)
        .build()
        .map_err(at)?;
    let request =
        client.post(format!("http://localhost{path}")).header("content-type", kind).body(body);
    let response = request.send().await.map_err(at)?;
    let status = response.status().as_u16();
    Ok(Answered { status, body: response.text().await.map_err(at)? })
}
