//! When a channel is told, and of which alerts: the keys that all types have.

use std::collections::BTreeMap;

use super::complaint::instead;
use super::digests::zone;
use super::severities::Severities;
use super::walk::{Said, Table, Value};
use crate::model::quiet::{Written, minutes, weekday};
use crate::model::{
    Channel, HOUR, MINUTE, Matcher, Matchers, Name, Quiet, Routing, Severity, Span,
};

/// Longer, and what is told is history.
const WAIT_MAX: Span = HOUR;

/// More often, and reminders are what on-call has to be protected from.
const REMINDER_MIN: Span = MINUTE;

/// The word for none.
const NONE: &str = "none";

/// Reads what a channel says of it; `None` where something is wrong.
pub(super) fn read(table: &Table, words: &Severities) -> Option<Routing> {
    let matchers = Said::of(table.get("matchers"), matchers);
    let group_wait = Said::of(table.get("group-wait"), |value| by_severity(value, words, wait));
    let group_interval =
        Said::of(table.get("group-interval"), |value| by_severity(value, words, wait));
    let reminders = Said::of(table.get("reminders"), |value| by_severity(value, words, reminders));
    let after = Said::of(table.get("after"), |value| value.some_span().map(Some));
    let quiet = Said::of(table.get("quiet"), quiet);
    let fallback = Said::of(table.get("fallback"), |value| value.text().map(Name::from).map(Some));
    let limit = Said::of(table.get("limit"), |value| {
        value.whole(1, 1000).map(|number| u32::try_from(number).ok())
    });
    let none = BTreeMap::new;
    Some(Routing {
        matchers: matchers.or(Matchers::default())?,
        group_wait: group_wait.or(none())?,
        group_interval: group_interval.or(none())?,
        reminders: reminders.or(BTreeMap::new())?,
        after: after.or(None)?,
        quiet: quiet.or(Vec::new())?,
        fallback: fallback.or(None)?,
        limit: limit.or(None)?,
    })
}

/// What can be said of channels only when all are known.
pub(super) fn hold_against(tables: &[Table], channels: &[Channel]) {
    let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    for table in tables {
        let own = table.get("name").and_then(Value::as_text).unwrap_or_default();
        let Some(value) = table.get("fallback") else { continue };
        let Some(text) = value.as_text().filter(|text| !text.trim().is_empty()) else { continue };
        if text == own {
            value.error("names the channel itself; name another, or leave it out");
        } else if !names.contains(&text) {
            let others: Vec<&str> = names.iter().copied().filter(|name| *name != own).collect();
            value.error(format!("unknown channel {text:?}; {}", instead(text, &others)));
        }
    }
}

fn matchers(value: &Value) -> Option<Matchers> {
    let members = value.list()?;
    if members.is_empty() {
        value.error("has no matcher; leave it out for all alerts");
        return None;
    }
    let matcher = |member: &Value| {
        let text = member.text()?;
        Matcher::parse(text).map_err(|what| member.error(what)).ok()
    };
    let all: Option<Vec<Matcher>> = whole(members.iter().map(matcher));
    all.map(Matchers::from)
}

/// All of them, once each had its say of what is wrong with it.
fn whole<T>(read: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    read.collect::<Vec<_>>().into_iter().collect()
}

/// One value for all severities, or a table with one for some of them.
fn by_severity<T: Clone>(
    value: &Value,
    words: &Severities,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<BTreeMap<Severity, T>> {
    if !value.is_table() {
        let one = read(value)?;
        return Some(Severity::ALL.map(|severity| (severity, one.clone())).into());
    }
    let mut all = BTreeMap::new();
    let mut is_whole = true;
    for (word, value) in value.entries()? {
        let severity = words.named(word);
        if severity.is_none() {
            let known: Vec<&str> = words.words().collect();
            value.error(format!("unknown severity {word:?}; {}", instead(word, &known)));
        }
        match (severity, read(&value)) {
            (Some(severity), Some(one)) => drop(all.insert(severity, one)),
            _ => is_whole = false,
        }
    }
    is_whole.then_some(all)
}

fn wait(value: &Value) -> Option<Span> {
    let wait = value.span()?;
    if wait > WAIT_MAX {
        value.error(format!("{wait} is long after it happened; write at most \"{WAIT_MAX}\""));
        return None;
    }
    Some(wait)
}

fn reminders(value: &Value) -> Option<Vec<Span>> {
    if let Some(text) = value.as_text() {
        if text != NONE {
            value.error(format!(
                "expected a list of waits or \"{NONE}\", found {text:?}; write for example \
                 [\"30m\", \"1h\", \"4h\"], of which the last is repeated"
            ));
            return None;
        }
        return Some(Vec::new());
    }
    let members = value.list()?;
    if members.is_empty() {
        value.error(format!("lists no wait; write \"{NONE}\" for no reminders"));
        return None;
    }
    let wait = |member: &Value| {
        let wait = member.some_span()?;
        if wait < REMINDER_MIN {
            member.error(format!("{wait} is too often; write at least \"{REMINDER_MIN}\""));
            return None;
        }
        Some(wait)
    };
    whole(members.iter().map(wait))
}

/// One stretch, or several.
fn quiet(value: &Value) -> Option<Vec<Quiet>> {
    if value.is_list() {
        let members = value.list()?;
        return whole(members.iter().map(stretch));
    }
    Some(vec![stretch(value)?])
}

fn stretch(value: &Value) -> Option<Quiet> {
    let table = value.table("channel.quiet")?;
    let time = |name: &str, such_as: &str| {
        let value = table.need(name, such_as)?;
        let text = value.text()?;
        minutes(text).map_err(|what| value.error(what)).ok()?;
        Some(text.to_owned())
    };
    let (from, to) = (time("from", "from = \"22:00\""), time("to", "to = \"07:00\""));
    let zone = Said::of(table.get("zone"), |value| zone(value).map(str::to_owned));
    let days = Said::of(table.get("days"), days);
    let (from, to) = (from?, to?);
    let (zone, days) = (zone.or("UTC".to_owned())?, days.or(Vec::new())?);
    let written = Written { from, to, zone, days };
    Quiet::try_from(written).map_err(|what| table.error(&what)).ok()
}

fn days(value: &Value) -> Option<Vec<String>> {
    let members = value.list()?;
    if members.is_empty() {
        value.error("names no day; leave it out for every day");
        return None;
    }
    let day = |member: &Value| {
        let text = member.text()?;
        weekday(text).map_err(|what| member.error(what)).ok()?;
        Some(text.to_owned())
    };
    whole(members.iter().map(day))
}
