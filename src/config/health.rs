//! `[health]`: what the health of each replica has to show.

use std::collections::BTreeMap;

use super::demands::one_of;
use super::outside;
use super::service::free_name;
use super::walk::{Table, Value};
use crate::check::health::version::{STRIP, VersionSource, VersionWanted};
use crate::check::{Dialect, Expected, HealthState};
use crate::model::Name;

/// Reads it.
pub(super) fn read(top: &Table) -> Expected {
    let table = top.get("health").and_then(|value| value.table("health"));
    let Some(table) = table else { return Expected::default() };
    let expected = Expected {
        dialect: table.get("dialect").and_then(dialect).unwrap_or_default(),
        words: table.get("words").map_or_else(BTreeMap::new, words),
        require: table.get("require").map_or_else(Vec::new, names),
        allow: table.get("allow").map_or_else(BTreeMap::new, allow),
        expect: table.get("expect").map_or_else(Vec::new, outside::assertions),
        version: table.get("version").map(|value| {
            let read = value.table("health.version").and_then(|table| version(&table));
            read.unwrap_or_else(broken_version)
        }),
    };
    let is_of_body = matches!(
        expected.version,
        Some(VersionWanted { source: VersionSource::Body(_) | VersionSource::Header(_), .. })
    );
    let is_asked = top
        .get("targets")
        .filter(|value| value.is_table())
        .and_then(Value::entries)
        .is_none_or(|entries| {
            !entries.iter().any(|(name, value)| *name == "health" && value.as_flag() == Some(false))
        });
    if !is_asked && (expected.wants_something() || is_of_body) {
        table.error("`targets.health` is false, so health is not asked; leave one of them out");
    }
    expected
}

fn dialect(value: &Value) -> Option<Dialect> {
    one_of(value, "dialect", &Dialect::ALL)
}

/// The states, as words of the configuration.
const STATES: [(&str, HealthState); 4] = [
    ("healthy", HealthState::Healthy),
    ("degraded", HealthState::Degraded),
    ("unhealthy", HealthState::Unhealthy),
    ("unknown", HealthState::Unknown),
];

fn state(value: &Value) -> Option<HealthState> {
    one_of(value, "state", &STATES)
}

fn words(value: &Value) -> BTreeMap<String, HealthState> {
    let entries = value.entries().unwrap_or_default();
    let meant = |(word, value): (&str, Value)| Some((Expected::folded(word), state(&value)?));
    entries.into_iter().filter_map(meant).collect()
}

fn names(value: &Value) -> Vec<Name> {
    let members = value.list().unwrap_or_default();
    let name = |member: &Value| {
        let text = member.text()?;
        free_name(text).map_err(|what| member.error(what)).ok()?;
        Some(Name::from(text))
    };
    let mut names: Vec<Name> = Vec::new();
    for name in members.iter().filter_map(name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn allow(value: &Value) -> BTreeMap<Name, Vec<HealthState>> {
    let entries = value.entries().unwrap_or_default();
    let states = |(name, value): (&str, Value)| {
        let members = value.list()?;
        if members.is_empty() {
            value.error("allows no state at all; write for example [\"healthy\", \"degraded\"]");
        }
        Some((Name::from(name), members.iter().filter_map(state).collect()))
    };
    entries.into_iter().filter_map(states).collect()
}

/// For what was complained about, so that what rests on it is not told besides.
fn broken_version() -> VersionWanted {
    VersionWanted { source: VersionSource::Header("x-version".to_owned()), strip: String::new() }
}

fn version(table: &Table) -> Option<VersionWanted> {
    let strip = match table.get("strip") {
        Some(value) if value.as_text() == Some("") => String::new(), // compared as they are
        Some(value) => value.text().unwrap_or_default().to_owned(),
        None => STRIP.to_owned(),
    };
    let source = match (table.get("body"), table.get("header"), table.get("metric")) {
        (Some(value), None, None) => VersionSource::Body(outside::path(value)?),
        (None, Some(value), None) => VersionSource::Header(header(value)?),
        (None, None, Some(value)) => metric(value)?,
        (None, None, None) => {
            table.error("says not where to read it; write for example body = \"$.version\"");
            return None;
        }
        _ => {
            table.error("is read in one place: `body`, `header` or `metric`");
            return None;
        }
    };
    Some(VersionWanted { source, strip })
}

fn header(value: &Value) -> Option<String> {
    let text = value.text()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !text.chars().all(fits) {
        value.error(format!("{text:?} is no name of a header; write for example \"x-version\""));
        return None;
    }
    Some(text.to_ascii_lowercase())
}

/// `target_info{service_version}`.
fn metric(value: &Value) -> Option<VersionSource> {
    let text = value.text()?;
    let fits = |text: &str| {
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        starts && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let parts = text.strip_suffix('}').and_then(|text| text.split_once('{'));
    match parts {
        Some((name, label)) if fits(name) && fits(label) => {
            Some(VersionSource::Metric { name: name.to_owned(), label: label.to_owned() })
        }
        _ => {
            value.error(format!(
                "{text:?} is no metric with a label; write \"target_info{{service_version}}\""
            ));
            None
        }
    }
}

/// What it amounts to, a row a thing; nothing where nothing is asked for.
pub(super) fn explained(expected: &Expected) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |what: &str, text: String| rows.push(vec![what.to_owned(), text]);
    if expected.dialect != Dialect::Auto {
        row("speaks", expected.dialect.as_str().to_owned());
    }
    for (word, state) in &expected.words {
        row("means", format!("{word} is {state}"));
    }
    for name in &expected.require {
        row("requires", name.to_string());
    }
    for (name, states) in &expected.allow {
        let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        row("allows", format!("{name} {}", states.join(" or ")));
    }
    for assertion in &expected.expect {
        row("expects", assertion.to_string());
    }
    if let Some(VersionWanted { source, strip }) = &expected.version {
        let place = match source {
            VersionSource::Body(path) => format!("{path} of the body"),
            VersionSource::Header(name) => format!("the header {name}"),
            VersionSource::Metric { name, label } => format!("{name}{{{label}}}"),
        };
        let but = match strip.as_str() {
            "" => String::new(),
            strip => format!(", without {strip:?} at its start"),
        };
        row("version", format!("{place}{but}"));
    }
    rows
}
