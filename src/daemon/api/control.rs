//! Orders over the socket: JSON in, and out what was done, when it is on disk;
//! or what is wrong, and what would be right.

use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::answer::{Beside, Problem, Told, success};
use super::form;
use crate::daemon::desk::{Desk, Obeyed};
use crate::model::{DEPLOY_SILENCE_MAX, Labels, Matchers};
use crate::watch::{Done, Meant, Order, Until};

/// Characters of a comment, and of a name of whoever gives an order.
const COMMENT_CHARS_MAX: usize = 600;
const NAME_CHARS_MAX: usize = 100;

/// What a silence for a deployment is for, if nobody says otherwise.
const ANY_ALERT: &str = "alertname=~\".+\"";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Silencing {
    service: Option<String>,
    #[serde(default)]
    matchers: Vec<String>,
    #[serde(rename = "for")]
    length: Option<String>,
    until: Option<String>,
    #[serde(default)]
    deploy: bool,
    by: String,
    #[serde(default)]
    comment: String,
}

/// Nothing new of some alerts for a while.
pub(super) async fn silence(State(desk): State<Desk>, body: Bytes) -> Told {
    let given: Silencing = read(&body)?;
    let until = match (&given.length, &given.until) {
        (Some(text), None) => Until::For(form::span(text).map_err(|what| wrong("for", what))?),
        (None, Some(text)) => Until::At(form::time(text).map_err(|what| wrong("until", what))?),
        (None, None) if given.deploy => Until::For(DEPLOY_SILENCE_MAX),
        (None, None) => return Err(wrong("for", "is missing; write for example \"30m\"")),
        (Some(_), Some(_)) => return Err(wrong("until", "goes without `for`; write one of both")),
    };
    let all = [ANY_ALERT.to_owned()];
    let is_all = given.deploy && given.matchers.is_empty();
    let matchers = Matchers::parse(if is_all { &all } else { &given.matchers });
    let matchers = matchers.map_err(|what| wrong("matchers", what))?;
    let (by, comment) = (person(&given.by)?, line("comment", &given.comment)?);
    let order = Order::Silence { matchers, until, deploy: given.deploy, by, comment };
    give(&desk, given.service, order).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unsilencing {
    service: Option<String>,
    id: String,
    by: String,
}

/// An end to that, before its time.
pub(super) async fn unsilence(State(desk): State<Desk>, body: Bytes) -> Told {
    let given: Unsilencing = read(&body)?;
    let by = person(&given.by)?;
    give(&desk, given.service, Order::Unsilence { id: given.id.into(), by }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledging {
    service: Option<String>,
    incident: Option<String>,
    rule: Option<String>,
    #[serde(default)]
    labels: Labels,
    by: String,
    #[serde(default)]
    comment: String,
}

/// Somebody is at it.
pub(super) async fn acknowledge(State(desk): State<Desk>, body: Bytes) -> Told {
    let given: Acknowledging = read(&body)?;
    let alert = match (given.incident, given.rule) {
        (Some(incident), None) if given.labels.is_empty() => Meant::Incident(incident),
        (None, Some(rule)) => Meant::Alert { rule: rule.into(), labels: given.labels },
        _ => return Err(wrong("incident", "write either it, or `rule` and `labels`")),
    };
    let (by, comment) = (person(&given.by)?, line("comment", &given.comment)?);
    give(&desk, given.service, Order::Acknowledge { alert, by, comment }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replaying {
    service: Option<String>,
    key: String,
    by: String,
}

/// A letter leaves once more.
pub(super) async fn replay(State(desk): State<Desk>, body: Bytes) -> Told {
    let given: Replaying = read(&body)?;
    let (key, by) = (line("key", &given.key)?, person(&given.by)?);
    give(&desk, given.service, Order::Replay { key, by }).await
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::BadData(format!("the order: {error}")))
}

fn wrong(key: &str, what: impl AsRef<str>) -> Problem {
    Problem::BadData(format!("{key}: {}", what.as_ref()))
}

fn person(text: &str) -> Result<String, Problem> {
    if text.trim().is_empty() {
        return Err(wrong("by", "is empty; say who wants it"));
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(wrong("by", format!("has more than {NAME_CHARS_MAX} characters")));
    }
    line("by", text)
}

/// Something that people read in one line.
fn line(key: &str, text: &str) -> Result<String, Problem> {
    if text.chars().any(char::is_control) {
        return Err(wrong(key, "has a control character in it; write one line"));
    }
    if text.chars().count() > COMMENT_CHARS_MAX {
        return Err(wrong(key, format!("has more than {COMMENT_CHARS_MAX} characters")));
    }
    Ok(text.trim().to_owned())
}

async fn give(desk: &Desk, service: Option<String>, order: Order) -> Told {
    let Obeyed { done, is_stored } =
        desk.order(service, order).await.map_err(Problem::Unavailable)?;
    let done = done.map_err(Problem::BadData)?;
    let first = |one: &dyn Fn(&Done) -> Option<String>| done.iter().find_map(one);
    let data = json!({
        "id": first(&|one| one.id.as_ref().map(ToString::to_string)),
        "until": first(&|one| one.until.map(|at| at.rfc3339())),
        "watches": done.iter().map(|one| one.watch.to_string()).collect::<Vec<_>>(),
        "incidents": done.iter().flat_map(|one| &one.incidents).collect::<Vec<_>>(),
    });
    let unstored = "it holds, but the disk has not taken it: it is lost when this process ends";
    let warnings = if is_stored { Vec::new() } else { vec![unstored.to_owned()] };
    success(data, Beside { warnings, ..Beside::default() })
}
