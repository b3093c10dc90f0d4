//! What is tried: the checklist's smoke tests, changed and added to. Requests
//! are read in `request`, what steps hand on to each other in `captures`.

mod captures;
mod request;

use std::collections::BTreeMap;

use super::secret::{Vault, is_token};
use super::service::{Service, claim, free_name};
use super::walk::{Table, Value};
use super::{checks, outside};
use crate::check::{Assertion, HALT_IF, Places, Retry, Step, checklist};
use crate::model::{Method, Name, Request, SECOND, Span};
use crate::record::RUN_HEADER;

/// A real question may take as long as a model thinks.
const TIMEOUT: Span = Span::from_secs(30);

/// A connection, a handshake and a name take no longer where all is well.
const ASK_TIMEOUT: Span = Span::from_secs(10);

/// Of whatever changes nothing: a replica that restarts gets a second chance.
const RETRY: Retry = Retry { deadline: Span::from_secs(10), interval: Span::from_secs(2) };

/// Of whatever may cost money or leave something behind: one more try.
const RETRY_SPARINGLY: Retry =
    Retry { deadline: Span::from_secs(10), interval: Span::from_secs(8) };

/// Longer suites hold up the pipeline for nothing.
const DEADLINE_MAX: Span = Span::from_secs(3600);

/// The suite in its order: the checklist's steps, those of the same name
/// replaced, then the file's, and what cleans up at the end. With it, where
/// each line of it stands, and which steps nobody asked for.
pub(super) fn read(
    top: &Table,
    service: &Service,
    vault: &Vault,
) -> (Vec<Step>, Places, Vec<Name>) {
    let mut suite = built_in(service);
    let tables = top.get("smoke").map_or_else(Vec::new, |value| value.tables("smoke"));
    let mut taken = BTreeMap::new();
    let mut places = Places::default();
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
        note_places(table, &name.into(), &mut places);
        match (step(table, name, service, vault), place) {
            (Some(step), Some(place)) => suite[place] = step,
            (Some(step), None) => suite.push(step),
            (None, _) => {}
        }
    }
    suite.sort_by_key(|step| step.cleanup); // keeps the order otherwise
    captures::hide(&mut suite);
    captures::check(&tables, &suite);
    let is_said = |step: &&Step| !taken.contains_key(step.name.as_str());
    let guessed = suite.iter().filter(is_said).filter(|step| match step.name.as_str() {
        "is healthy" => service.guesses.contains(&"health".into()),
        "is ready" => service.guesses.contains(&"ready".into()),
        _ => true,
    });
    let guessed = guessed.map(|step| step.name.clone()).collect();
    (suite, places, guessed)
}

/// Where a step and its assertions stand, under the names that misses have.
fn note_places(table: &Table, name: &Name, places: &mut Places) {
    places.add_step(name, table.sink.place(table.at));
    for (key, prefix) in [("expect", ""), ("halt-if", HALT_IF)] {
        let Some(list) = table.get(key).filter(|value| value.is_list()) else { continue };
        for member in list.list().unwrap_or_default() {
            let line = format!("{prefix}{}", member.as_text().unwrap_or_default());
            places.add_line(name, &line, member.sink.place(member.at));
        }
    }
    let captures = table.get("capture").filter(|value| value.is_table());
    for (capture, value) in captures.and_then(Value::entries).unwrap_or_default() {
        let line = format!("capture {capture} = {}", value.as_text().unwrap_or_default().trim());
        places.add_line(name, &line, value.sink.place(value.at));
    }
}

/// The header that names the suite's run in each of its requests.
pub(super) fn run_header(top: &Table) -> Option<String> {
    let Some(value) = top.get("run-header") else { return Some(RUN_HEADER.to_owned()) };
    if value.as_flag() == Some(false) {
        return None;
    }
    let Some(name) = value.as_text() else {
        value.error(format!("expected a header's name such as {RUN_HEADER:?}, or false"));
        return None;
    };
    if !is_token(name) {
        value.error("no header has such a name; write letters, digits and `-`");
    }
    Some(name.to_owned())
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
        request::at_home(&mut step.request, service);
    }
    steps
}

fn step(table: &Table, name: &str, service: &Service, vault: &Vault) -> Option<Step> {
    if checks::asks(table) {
        return beyond(table, name);
    }
    let request = match table.get("request") {
        Some(value) => request::read(&value.table("smoke.request")?, service, vault),
        None => {
            table.need("request", "request = { path = \"/\" }");
            None
        }
    };
    let expect = table.need("expect", "expect = [\"status == 200\"]").and_then(assertions);
    let changes = request.as_ref().is_some_and(|request| {
        !matches!(request.method, Method::Get | Method::Head | Method::Options)
    });
    let default = if changes { RETRY_SPARINGLY } else { RETRY };
    let retry = table.get("retry").and_then(|value| retry(&value.table("smoke.retry")?, default));
    let retry = retry.unwrap_or(default);
    let (capture, redact) = captures::read(table);
    let halt_if = table.get("halt-if").map_or(Some(Vec::new()), assertions);
    let cleanup = table.flag("cleanup").unwrap_or(false);
    for (key, why) in [("must", "judges nothing"), ("halt-if", "is at the end of the suite")] {
        if let (Some(value), true) = (table.get(key), cleanup) {
            value.error(format!("a step that cleans up {why}; leave `{key}` out"));
        }
    }
    let must = table.flag("must").unwrap_or(!cleanup);
    let step = Step::new(name.into(), request?, expect?, retry);
    Some(Step { must, capture, redact, halt_if: halt_if?, cleanup, ..step })
}

/// A step that asks besides HTTP: `tcp`, `tls`, `dns` or `grpc`.
fn beyond(table: &Table, name: &str) -> Option<Step> {
    let ask = checks::asked(table);
    if let Some(value) = table.get("request") {
        value.error("a step either sends a request or asks besides HTTP; leave one out");
    }
    for key in ["capture", "redact"] {
        if let Some(value) = table.get(key) {
            value.error("only answers of HTTP are captured from; leave this out");
        }
    }
    let expect = table.get("expect").map_or(Some(Vec::new()), assertions);
    let retry = table.get("retry").and_then(|value| retry(&value.table("smoke.retry")?, RETRY));
    let timeout = match table.get("timeout") {
        Some(value) => value.some_span(),
        None => Some(ASK_TIMEOUT),
    };
    let halt_if = table.get("halt-if").map_or(Some(Vec::new()), assertions);
    if let (Some(value), true) = (table.get("cleanup"), table.flag("cleanup") == Some(true)) {
        value.error("a question besides HTTP cleans nothing up; leave this out");
    }
    let must = table.flag("must").unwrap_or(true);
    let request = Request { timeout: timeout?, ..Request::default() };
    let step = Step::new(name.into(), request, expect?, retry.unwrap_or(RETRY));
    Some(Step { must, ask: Some(ask?), halt_if: halt_if?, ..step })
}

fn assertions(value: &Value) -> Option<Vec<Assertion>> {
    let members = value.list()?;
    if members.is_empty() {
        value.error(
            "asserts nothing, and would pass whatever comes; \
                     write for example [\"status == 200\"]",
        );
    }
    Some(outside::assertions(value))
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
