//! Targets at an address that answers in the form of Prometheus's `http_sd`.

use super::{BYTES_MAX, TIMEOUT};
use crate::config::found::{self, Form};
use crate::daemon::http::Http;
use crate::daemon::secrets::Secrets;
use crate::model::{Found, HeaderValue, Request, Source, Way};

pub(super) async fn look(source: &Source, http: &Http, secrets: &Secrets) -> Result<Found, String> {
    let Way::Http { url, headers, transport } = &source.way else {
        return Err("is asked by HTTP and is no address".to_owned());
    };
    let seconds = (source.every.millis() / 1000).max(1).to_string();
    let mut headers = headers.clone();
    // What Prometheus sends, and some servers go by.
    for (name, value) in [
        ("accept", "application/json".to_owned()),
        ("x-prometheus-refresh-interval-seconds", seconds),
    ] {
        headers.push((name.to_owned(), HeaderValue::Plain(value)));
    }
    let request = Request {
        method: Default::default(),
        url: url.clone(),
        headers,
        body: None,
        timeout: TIMEOUT,
        transport: transport.clone(),
        follow: 0,
    };
    let text = http.text(&request, secrets, BYTES_MAX).await.map_err(|error| error.to_string())?;
    // A list may be long, and the loop is not to wait for it.
    let paths = source.paths.clone();
    let read = move || found::found(&text, Form::Json, &paths);
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(error.to_string()))
}
