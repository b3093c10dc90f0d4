//! Checks beyond HTTP, one file each. What an answer amounts to is judged in
//! `check`; here a question is asked, and its answer brought back as it is.

mod dns;
mod grpc;
mod tcp;
mod tls;

use std::time::Instant;

use super::http::Http;
use super::secrets::Secrets;
use crate::check::Step;
use crate::model::{Ask, Beyond, Exchange, Failure, Request, Span};

/// Asks one question.
///
/// # Errors
/// Why no answer came within `timeout`.
pub async fn ask(ask: &Ask, timeout: Span) -> Result<Exchange, Failure> {
    let started = Instant::now();
    let whole = async {
        match ask {
            Ask::Tcp { address } => tcp::connect(address).await.map(|_| None),
            Ask::Tls { address, ca_file } => {
                let tls = tls::look(address, ca_file.as_deref(), &[]).await?;
                Ok(Some(Beyond { tls: Some(tls), ..Beyond::default() }))
            }
            Ask::Dns { name, of, server, .. } => {
                let dns = dns::records(name, *of, *server, timeout).await?;
                Ok(Some(Beyond { dns: Some(dns), ..Beyond::default() }))
            }
            Ask::Grpc { address, service, tls, ca_file } => {
                let secured = tls.then_some(ca_file.as_deref());
                let serving = grpc::serving(address, service, secured).await?;
                Ok(Some(Beyond { serving: Some(serving), ..Beyond::default() }))
            }
        }
    };
    let beyond = match tokio::time::timeout(timeout.to_std(), whole).await {
        Ok(answer) => answer?,
        Err(_) => return Err(Failure::Timeout(timeout)),
    };
    let elapsed = started.elapsed().into();
    Ok(Exchange { elapsed, beyond: beyond.map(Box::new), ..Exchange::default() })
}

/// Tries a step of the smoke suite, whatever it asks.
///
/// # Errors
/// Why no whole answer came.
pub async fn try_step(step: &Step, http: &Http, secrets: &Secrets) -> Result<Exchange, Failure> {
    match &step.ask {
        Some(asked) => ask(asked, step.request.timeout).await,
        None if step.looks_at_tls() => exchange(http, secrets, &step.request).await,
        None => http.exchange(&step.request, secrets).await,
    }
}

/// One exchange, and a look at the TLS session of the same host.
///
/// # Errors
/// Why no whole answer, or no session, came about.
pub async fn exchange(
    http: &Http,
    secrets: &Secrets,
    request: &Request,
) -> Result<Exchange, Failure> {
    let exchange = http.exchange(request, secrets).await?;
    let beyond = session_of(request).await?.map(Box::new);
    Ok(Exchange { beyond, ..exchange })
}

/// Looks at the TLS session of the host that a request went to, by a handshake
/// of its own: the HTTP library shows no more than the server's certificate.
/// `None` where the request's scheme is not https.
///
/// # Errors
/// Why no session came about within the request's time-out.
async fn session_of(request: &Request) -> Result<Option<Beyond>, Failure> {
    let Ok(url) = reqwest::Url::parse(&request.url) else { return Ok(None) };
    if url.scheme() != "https" {
        return Ok(None);
    }
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Ok(None);
    };
    let address = format!("{host}:{port}");
    let looking = tls::look(&address, None, &["h2", "http/1.1"]);
    match tokio::time::timeout(request.timeout.to_std(), looking).await {
        Ok(tls) => Ok(Some(Beyond { tls: Some(tls?), ..Beyond::default() })),
        Err(_) => Err(Failure::Timeout(request.timeout)),
    }
}

/// The host in `host:port`, an IPv6 address without its brackets.
fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}
