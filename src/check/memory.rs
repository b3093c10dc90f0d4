//! What one run of a suite knows besides its results: the values that steps
//! captured for those after them. It lives as long as the run; after a crash
//! the values are gone, and what needs them is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::template::{self, Hole};
use super::{Assertion, Step};
use crate::model::{Ask, Exchange, HeaderValue, Hidden, Name, Request};

/// Who runs the suite, for whom.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// Names this run in every request, and fills `{{run_id}}`.
    pub run_id: String,
    /// The header that carries it; `None`: none.
    pub header: Option<String>,
    /// The service.
    pub service: String,
    /// The release, where one is known.
    pub release: Option<String>,
}

/// The values of one run.
#[derive(Clone, Default)]
pub struct Memory {
    origin: Origin,
    values: BTreeMap<Name, Value>,
    secret: BTreeSet<Name>,
    /// Whether the run was asked to stop: only cleanup is still done.
    pub is_interrupted: bool,
}

impl Memory {
    /// At the start of a run.
    pub fn new(origin: Origin) -> Memory {
        Memory { origin, ..Memory::default() }
    }

    /// Keeps what a step that passed captured.
    pub fn learn(&mut self, step: &Step, exchange: &Exchange) {
        for (name, capture) in &step.capture {
            if let Ok(value) = capture.take(exchange) {
                self.values.insert(name.clone(), value);
                if step.redact.contains(name) {
                    self.secret.insert(name.clone());
                }
            }
        }
    }

    /// The first name that a step needs and that has no value.
    pub(super) fn missing(&self, step: &Step) -> Option<Name> {
        needs(step).into_iter().find(|name| self.value(name).is_none()).map(Name::from)
    }

    /// The step as it is tried: its holes filled, the run's header added.
    ///
    /// # Errors
    /// Why it cannot be tried with what was captured.
    pub(super) fn ready(&self, step: &Step) -> Result<Step, String> {
        let mut ready = step.clone();
        ready.request = self.request(&step.request)?;
        for text in ready.ask.iter_mut().flat_map(Ask::texts_mut) {
            *text = template::fill(text, |hole| self.text(hole))?;
        }
        let assertions = |all: &[Assertion]| -> Result<Vec<Assertion>, String> {
            all.iter().map(|one| self.assertion(one)).collect()
        };
        (ready.expect, ready.halt_if) = (assertions(&step.expect)?, assertions(&step.halt_if)?);
        let secret = self.secret.iter().filter_map(|name| self.values.get(name)).map(plain);
        ready.hidden = Hidden(secret.collect());
        if self.is_interrupted {
            ready.retry.deadline = crate::model::Span::ZERO;
        }
        Ok(ready)
    }

    fn value(&self, name: &str) -> Option<Value> {
        match name {
            "run_id" => Some(Value::from(self.origin.run_id.as_str())),
            "service" => Some(Value::from(self.origin.service.as_str())),
            "release" => self.origin.release.as_deref().map(Value::from),
            name => self.values.get(name).cloned(),
        }
    }

    fn text(&self, hole: &Hole<'_>) -> Result<String, String> {
        let value = self.value(hole.name).ok_or_else(|| format!("`{}` is not known", hole.name))?;
        Ok(plain(&value))
    }

    fn request(&self, request: &Request) -> Result<Request, String> {
        let mut filled = request.clone();
        filled.url =
            template::fill(&request.url, |hole| Ok(template::percent_encoded(&self.text(hole)?)))
                .map_err(|why: String| why)?;
        for (name, value) in &mut filled.headers {
            let HeaderValue::Plain(text) = value else { continue };
            *text = template::fill(text, |hole| self.text(hole))?;
            if !text.chars().all(|c| c == '\t' || (' '..='~').contains(&c)) {
                return Err(format!("what was captured fits into no header: {name}"));
            }
        }
        let is_json = request.headers.iter().any(|(name, value)| {
            let HeaderValue::Plain(value) = value else { return false };
            name.eq_ignore_ascii_case("content-type") && value.contains("json")
        });
        if let Some(body) = &request.body {
            let escaped = |hole: &Hole<'_>| {
                let text = self.text(hole)?;
                Ok::<_, String>(if is_json { template::json_escaped(&text) } else { text })
            };
            filled.body = Some(template::fill(body, escaped)?);
        }
        let run = self.origin.header.as_ref();
        let is_there = |name: &String| {
            request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if let Some(name) = run.filter(|name| !is_there(name)) {
            let id = HeaderValue::Plain(self.origin.run_id.clone());
            filled.headers.push((name.clone(), id));
        }
        Ok(filled)
    }

    fn assertion(&self, assertion: &Assertion) -> Result<Assertion, String> {
        let text = assertion.as_str();
        assertion.filled(|hole, is_typed| {
            let value = self.value(hole.name);
            let value = value.ok_or_else(|| format!("`{}` is not known", hole.name))?;
            Ok(match surroundings(text, hole) {
                Around::Quotes => template::json_escaped(&plain(&value)),
                Around::Slashes => regex::escape(&plain(&value)).replace('/', "\\/"),
                Around::Space if is_typed => value.to_string(),
                Around::Space | Around::Text => plain(&value),
            })
        })
    }
}

/// What stands around a hole in an assertion, and so how a value is written there.
enum Around {
    /// `"…"`
    Quotes,
    /// `/…/`
    Slashes,
    /// It is a value by itself.
    Space,
    /// Part of a longer word, or of `'…'`.
    Text,
}

fn surroundings(text: &str, hole: &Hole<'_>) -> Around {
    let (before, after) = (&text[..hole.at.start], &text[hole.at.end..]);
    let (mut open, mut is_escaped) = (None, false);
    for (at, c) in before.char_indices() {
        match open {
            Some(_) if is_escaped => is_escaped = false,
            Some('"' | '/') if c == '\\' => is_escaped = true,
            Some(quote) if c == quote => open = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => open = Some(c),
            None if c == '/' && begins_pattern(&before[..at]) => open = Some('/'),
            None => {}
        }
    }
    let is_edge = |c: char| c.is_whitespace() || matches!(c, '=' | '<' | '>');
    match open {
        Some('"') => Around::Quotes,
        Some('/') => Around::Slashes,
        Some(_) => Around::Text,
        None if before.ends_with(is_edge) && (after.is_empty() || after.starts_with(' ')) => {
            Around::Space
        }
        None => Around::Text,
    }
}

fn begins_pattern(before: &str) -> bool {
    matches!(before.split_whitespace().next_back(), Some("matches" | "regex"))
}

/// The value as text: a text without its quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The names that a step's holes want, in the order in which they stand there.
pub fn needs(step: &Step) -> Vec<&str> {
    let request = &step.request;
    let headers = request.headers.iter().filter_map(|(_, value)| match value {
        HeaderValue::Plain(text) => Some(text.as_str()),
        HeaderValue::Secret(_) | HeaderValue::Bearer { .. } | HeaderValue::Basic { .. } => None,
    });
    let texts = [Some(request.url.as_str()), request.body.as_deref()].into_iter().flatten();
    let asserted = step.expect.iter().chain(&step.halt_if).map(Assertion::as_str);
    let asked = step.ask.iter().flat_map(Ask::texts);
    let all = texts.chain(headers).chain(asked).chain(asserted);
    all.flat_map(template::holes).map(|hole| hole.name).collect()
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} values redacted)", self.values.len())
    }
}

#[cfg(test)]
mod tests;
