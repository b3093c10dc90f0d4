//! Alerts that nobody is told of: `[[maintenance]]` and `[[inhibit]]`.

use std::collections::BTreeMap;

use super::digests::calendar;
use super::explain::Row;
use super::service::{claim, free_name};
use super::walk::{Said, Table, Value};
use crate::model::{DAY, Inhibit, Maintenance, Matcher, Matchers, Name, SILENCE_MAX};
use crate::record::Plan;

/// Reads every `[[maintenance]]`.
pub(super) fn maintenance(top: &Table) -> Vec<Maintenance> {
    let mut taken = BTreeMap::new();
    let mut windows = Vec::new();
    for table in tables(top, "maintenance") {
        let name = name(&table, &mut taken);
        let matchers = Said::of(table.get("matchers"), matchers).or(Matchers::default());
        let schedule = calendar(&table, "schedule", "schedule = \"0 2 * * sun\"");
        let length = table.need("for", "for = \"2h\"").and_then(|value| {
            let length = value.some_span()?;
            if length > SILENCE_MAX {
                value.error(format!("is longer than {SILENCE_MAX}, which no watch outlasts"));
                return None;
            }
            Some(length)
        });
        // All of it is read, so that each complaint is made.
        let (Some((name, is_new)), Some(matchers)) = (name, matchers) else { continue };
        let (Some((schedule, times)), Some(length)) = (schedule, length) else { continue };
        let window = Maintenance { name, schedule, length, matchers };
        let end = times.first().and_then(|first| Some(window.ends(*first)?.since(*first)));
        match (end, table.get("schedule")) {
            (Some(open), Some(value)) if open > length + DAY => value.error(format!(
                "the next window begins before this one is over, for more than a day on end: \
                 nothing would ever be told; write a `for` shorter than {length}"
            )),
            _ if is_new => windows.push(window),
            _ => {}
        }
    }
    windows
}

/// Reads every `[[inhibit]]`.
pub(super) fn inhibits(top: &Table) -> Vec<Inhibit> {
    let read = |table: &Table| {
        let such = |key: &str| match key {
            "source" => "source = [\"alertname=DatabaseDown\"]",
            _ => "target = [\"severity=warning\"]",
        };
        let [source, target] =
            ["source", "target"].map(|key| table.need(key, such(key)).and_then(matchers));
        let equal = Said::of(table.get("equal"), names).or(Vec::new());
        Some(Inhibit { source: source?, target: target?, equal: equal? })
    };
    tables(top, "inhibit").iter().filter_map(read).collect()
}

/// A row a window and an inhibition, for people.
pub(super) fn explained(plan: &Plan) -> Vec<Row> {
    let all = |matchers: &Matchers| match matchers.is_empty() {
        true => "all alerts".to_owned(),
        false => matchers.to_string(),
    };
    let window = |one: &Maintenance| {
        let when = format!("{}, for {}", one.schedule, one.length);
        vec![one.name.to_string(), when, all(&one.matchers)]
    };
    let inhibit = |one: &Inhibit| {
        let equal: Vec<&str> = one.equal.iter().map(Name::as_str).collect();
        let alike = match equal.is_empty() {
            true => String::new(),
            false => format!(", with the same {}", equal.join(", ")),
        };
        vec![one.target.to_string(), format!("behind {}{alike}", one.source), String::new()]
    };
    let windows = plan.maintenance.iter().map(window);
    windows.chain(plan.inhibits.iter().map(inhibit)).collect()
}

fn tables<'t>(top: &Table<'t>, kind: &str) -> Vec<Table<'t>> {
    top.get(kind).map_or_else(Vec::new, |value| value.tables(kind))
}

fn name<'t>(table: &Table<'t>, taken: &mut BTreeMap<&'t str, usize>) -> Option<(Name, bool)> {
    let value = table.need("name", "name = \"patch night\"")?;
    let text = value.text()?;
    free_name(text).map_err(|what| value.error(what)).ok()?;
    let is_new = claim(taken, text, value, table.sink);
    Some((text.into(), is_new))
}

/// A list of matchers, at least one.
pub(super) fn matchers(value: &Value) -> Option<Matchers> {
    let members = value.list()?;
    if members.is_empty() {
        value.error("lists no matcher; write for example [\"severity=warning\"]");
        return None;
    }
    let one =
        |member: &Value| Matcher::parse(member.text()?).map_err(|what| member.error(what)).ok();
    // All of them are read, so that each complaint is made.
    let all: Vec<Option<Matcher>> = members.iter().map(one).collect();
    all.into_iter().collect::<Option<Vec<Matcher>>>().map(Matchers::from)
}

fn names(value: &Value) -> Option<Vec<Name>> {
    let members = value.list()?;
    let all: Vec<Option<Name>> =
        members.iter().map(|member| member.text().map(Name::from)).collect();
    all.into_iter().collect()
}
