//! What is tried: the checklist's smoke tests, changed and added to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::secret::Vault;
use super::service::{Service, claim, free_name, is_path};
use super::walk::{Table, Value};
use super::{address, outside};
use crate::check::{Assertion, Retry, Step, checklist};
use crate::model::{HeaderValue, Method, Request, SECOND, Span, Transport};

/// A real question may take as long as a model thinks.
const TIMEOUT: Span = Span::from_secs(30);

/// Of whatever changes nothing: a replica that restarts gets a second chance.
const RETRY: Retry = Retry { deadline: Span::from_secs(10), interval: Span::from_secs(2) };

/// Of whatever may cost money or leave something behind: one more try.
const RETRY_SPARINGLY: Retry =
    Retry { deadline: Span::from_secs(10), interval: Span::from_secs(8) };

/// Longer suites hold up the pipeline for nothing.
const DEADLINE_MAX: Span = Span::from_secs(3600);

/// The suite in its order: the checklist's steps, those of the same name
/// replaced, then the file's.
pub(super) fn read(top: &Table, service: &Service, vault: &Vault) -> Vec<Step> {
    let mut suite = built_in(service);
    let tables = top.get("smoke").map_or_else(Vec::new, |value| value.tables("smoke"));
    let mut taken = BTreeMap::new();
    for table in &tables {
        let Some(value) = table.need("name", "name = \"answers a question\"") else { continue };
        let Some(name) = value.text() else { continue };
        if let Err(what) = free_name(name) {
            value.error(what);
            continue;
        }
        if !claim(&mut taken, name, value, top.sink) {
            continue;
        }
        let place = suite.iter().position(|step| step.name == name);
        if table.flag("off") == Some(true) {
            match place {
                Some(place) => drop(suite.remove(place)),
                None => value.error(format!(
                    "only steps of the checklist can be switched off; {}",
                    super::complaint::instead(name, &names(&suite))
                )),
            }
            continue;
        }
        match (step(table, name, service, vault), place) {
            (Some(step), Some(place)) => suite[place] = step,
            (Some(step), None) => suite.push(step),
            (None, _) => {}
        }
    }
    suite
}

fn names(suite: &[Step]) -> Vec<&str> {
    suite.iter().map(|step| step.name.as_str()).collect()
}

/// The checklist's steps, at this service's paths.
fn built_in(service: &Service) -> Vec<Step> {
    let mut steps = checklist(&service.url, TIMEOUT);
    steps.retain_mut(|step| {
        let path = match step.name.as_str() {
            "is healthy" => &service.health,
            "is ready" => &service.ready,
            _ => return true,
        };
        let Some(path) = path else { return false };
        step.request.url = format!("{}{path}", service.url);
        true
    });
    for step in &mut steps {
        at_home(&mut step.request, service);
    }
    steps
}

fn step(table: &Table, name: &str, service: &Service, vault: &Vault) -> Option<Step> {
    let request = match table.get("request") {
        Some(value) => request(&value.table("smoke.request")?, service, vault),
        None => {
            table.need("request", "request = { path = \"/\" }");
            None
        }
    };
    let expect = assertions(table);
    let must = table.flag("must").unwrap_or(true);
    let changes = request.as_ref().is_some_and(|request| {
        !matches!(request.method, Method::Get | Method::Head | Method::Options)
    });
    let default = if changes { RETRY_SPARINGLY } else { RETRY };
    let retry = table.get("retry").and_then(|value| retry(&value.table("smoke.retry")?, default));
    let retry = retry.unwrap_or(default);
    Some(Step { name: name.into(), must, request: request?, expect: expect?, retry })
}

fn assertions(table: &Table) -> Option<Vec<Assertion>> {
    let value = table.need("expect", "expect = [\"status == 200\"]")?;
    let members = value.list()?;
    if members.is_empty() {
        value.error(
            "asserts nothing, and would pass whatever comes; \
                     write for example [\"status == 200\"]",
        );
    }
    let parse =
        |member: &Value| outside::assertion(member.text()?).map_err(|what| member.error(what)).ok();
    Some(members.iter().filter_map(parse).collect())
}

fn retry(table: &Table, default: Retry) -> Option<Retry> {
    let deadline = table.span("deadline").unwrap_or(default.deadline);
    let interval = table.span("interval").unwrap_or(default.interval);
    if let (Some(value), true) = (table.get("deadline"), deadline > DEADLINE_MAX) {
        value.error(format!("{deadline} holds up the pipeline; write at most \"{DEADLINE_MAX}\""));
        return None;
    }
    if let (Some(value), true) = (table.get("interval"), interval < SECOND) {
        value.error("a failing service is not asked more than once a second; write \"1s\"");
        return None;
    }
    Some(Retry { deadline, interval })
}

fn request(table: &Table, service: &Service, vault: &Vault) -> Option<Request> {
    let url = match (table.get("path"), table.get("url")) {
        (Some(path), Some(_)) => {
            path.error("either `path` or `url` says where to send it; leave one out");
            return None;
        }
        (None, Some(value)) => {
            let url = address::web(value.text()?).map_err(|what| value.error(what)).ok();
            url.map(String::from)
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
    let mut headers = table.get("headers").map_or_else(Vec::new, |value| vault.headers(value));
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
    let is_elsewhere = table.get("url").is_some();
    let mut request = Request { method, url: url?, headers, body, timeout, transport: None };
    if !is_elsewhere {
        at_home(&mut request, service);
    }
    Some(request)
}

/// What goes to the service's own address goes the targets' way, with their
/// credentials, unless it says who it is itself. The name in the certificate
/// is the address's own, not a replica's.
fn at_home(request: &mut Request, service: &Service) {
    let is_said = |request: &Request, name: &str| {
        request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    for (name, value) in &service.reach.auth {
        if !is_said(request, name) {
            request.headers.push((name.clone(), value.clone()));
        }
    }
    let own = service.reach.transport.as_deref();
    let own = own.map(|own| Transport { server_name: None, ..own.clone() });
    request.transport = own.filter(|own| !own.is_plain()).map(Arc::new);
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
        value.error(format!(
            "unknown method {text:?}; {}",
            super::complaint::instead(&upper, &names)
        ));
    }
    known
}
