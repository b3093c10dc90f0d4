//! What a smoke step sends.

use super::TIMEOUT;
use crate::check::template;
use crate::config::address;
use crate::config::complaint::instead;
use crate::config::secret::Vault;
use crate::config::service::{Service, is_path};
use crate::config::walk::{Table, Value};
use crate::model::{HeaderValue, Method, Request};

/// Who sends a visitor on more often sends him in circles.
const FOLLOW_MAX: u64 = 10;

/// Reads `request`.
pub(super) fn read(table: &Table, service: &Service, vault: &Vault) -> Option<Request> {
    let url = match (table.get("path"), table.get("url")) {
        (Some(path), Some(_)) => {
            path.error("either `path` or `url` says where to send it; leave one out");
            return None;
        }
        (None, Some(value)) => {
            let text = value.text()?;
            let url = address::web(text).map_err(|what| value.error(what)).ok();
            // The library would encode the braces of a hole.
            let has_holes = !template::holes(text).is_empty();
            url.map(|url| if has_holes { text.to_owned() } else { String::from(url) })
        }
        (Some(value), None) => {
            let text = value.text()?;
            is_path(text)
                .map_err(|what| value.error(what))
                .ok()
                .map(|()| format!("{}{text}", service.url))
        }
        (None, None) => Some(format!("{}/", service.url)),
    };
    let mut headers = table.get("headers").map_or_else(Vec::new, |value| vault.step_headers(value));
    let (body, is_json) = body(table);
    if is_json && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        let json = HeaderValue::Plain("application/json".to_owned());
        headers.push(("content-type".to_owned(), json));
    }
    let method = match table.get("method") {
        Some(value) => method(value)?,
        None if body.is_some() => Method::Post,
        None => Method::Get,
    };
    if method == Method::Head && body.is_some() {
        table.error("a HEAD request has no body");
    }
    let timeout = match table.get("timeout") {
        Some(value) => value.some_span()?,
        None => TIMEOUT,
    };
    let follow = match table.get("follow") {
        Some(value) => u8::try_from(value.whole(0, FOLLOW_MAX)?).unwrap_or(u8::MAX),
        None => 0,
    };
    let is_elsewhere = table.get("url").is_some();
    let mut request =
        Request { method, url: url?, headers, body, timeout, follow, transport: None };
    if !is_elsewhere {
        at_home(&mut request, service);
    }
    Some(request)
}

/// What goes to the service's own address goes the targets' way, with their
/// credentials, unless it says who it is itself.
pub(super) fn at_home(request: &mut Request, service: &Service) {
    let is_said = |request: &Request, name: &str| {
        request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    for (name, value) in &service.home.auth {
        if !is_said(request, name) {
            request.headers.push((name.clone(), value.clone()));
        }
    }
    request.transport = service.home.transport.clone();
}

/// The body, and whether it is JSON.
fn body(table: &Table) -> (Option<String>, bool) {
    match (table.get("json"), table.get("body")) {
        (Some(json), Some(_)) => {
            json.error("either `json` or `body` is sent; leave one out");
            (None, false)
        }
        (Some(value), None) => (value.json().map(|json| json.to_string()), true),
        (None, Some(value)) => (value.text().map(str::to_owned), false),
        (None, None) => (None, false),
    }
}

fn method(value: &Value) -> Option<Method> {
    let text = value.text()?;
    let upper = text.to_ascii_uppercase();
    let known = Method::ALL.into_iter().find(|method| method.as_str() == upper);
    if known.is_none() {
        let names: Vec<&str> = Method::ALL.iter().map(|method| method.as_str()).collect();
        value.error(format!("unknown method {text:?}; {}", instead(&upper, &names)));
    }
    known
}
