//! Presets of the user's own: what a stack that we do not know calls its
//! requests, errors, latency and other signals. One with the name of a known
//! preset replaces it.

use std::collections::BTreeMap;

use super::complaint::{instead, nearest};
use super::outside;
use super::service::{claim, file_name};
use super::signals;
use super::walk::{Table, Value};
use crate::metrics::presets::{Errors, Gauge, Latency, LatencyUnit, Preset};
use crate::record::PresetChoice::{self, Auto, Pinned};

/// `presets`: `"auto"`, or a list of names, of known ones or of the user's own.
pub(super) fn choice(top: &Table, own: &[Preset]) -> PresetChoice {
    let Some(value) = top.get("presets") else { return Auto };
    if value.as_text() == Some("auto") {
        return Auto;
    }
    let own = own.iter().map(|preset| preset.name.as_str());
    let names: Vec<&str> = own.chain(outside::preset_names()).collect();
    if !value.is_list() {
        let near = value.as_text().and_then(|text| nearest(text, names));
        let example = near.unwrap_or("fastapi-instrumentator");
        value.error(format!("expected \"auto\" or a list; write for example [\"{example}\"]"));
        return Auto;
    }
    let members = value.list().unwrap_or_default();
    let preset = |member: &Value| {
        let text = member.text()?;
        if !names.contains(&text) {
            member.error(format!("unknown preset `{text}`; {}", instead(text, &names)));
        }
        Some(text.into())
    };
    Pinned(members.iter().filter_map(preset).collect())
}

/// Reads every `[[preset]]`.
pub(super) fn read(top: &Table) -> Vec<Preset> {
    let tables = top.get("preset").map_or_else(Vec::new, |value| value.tables("preset"));
    let mut taken = BTreeMap::new();
    let mut presets = Vec::new();
    for table in &tables {
        let Some(value) = table.need("name", "name = \"my-stack\"") else { continue };
        let Some(name) = value.text() else { continue };
        if let Err(what) = file_name(name) {
            value.error(what);
            continue;
        }
        if claim(&mut taken, name, value, top.sink) {
            presets.push(preset(table, name));
        }
    }
    presets
}

fn preset(table: &Table, name: &str) -> Preset {
    let names = |key: &str| table.get(key).map_or_else(Vec::new, texts);
    let made = Preset {
        name: name.to_owned(),
        signs: names("signs"),
        requests: names("requests"),
        errors: table.get("errors").and_then(errors),
        latency: table.get("latency").map_or_else(Vec::new, latencies),
        route: names("route"),
        only: table.get("only").map_or_else(Vec::new, matchers),
        gauges: gauges(table),
    };
    if let (Some(value), true) = (table.get("errors"), made.requests.is_empty()) {
        value.error("errors of which requests? write for example requests = [\"x_total\"]");
    }
    if made.requests.is_empty() && made.latency.is_empty() && made.gauges.is_empty() {
        table.error("gives no signal; write `requests`, `latency` or [[preset.signal]]");
    }
    made
}

/// A list of texts.
fn texts(value: &Value) -> Vec<String> {
    let members = value.list().unwrap_or_default();
    members.iter().filter_map(|member| member.text().map(str::to_owned)).collect()
}

/// A list of matchers such as `code=~"5.."`.
fn matchers(value: &Value) -> Vec<String> {
    let members = value.list().unwrap_or_default();
    members.iter().filter_map(matcher).collect()
}

fn matcher(value: &Value) -> Option<String> {
    let text = value.text()?;
    match outside::query(&format!("x{{{text}}}")) {
        Ok(()) => Some(text.to_owned()),
        Err(_) => {
            value.error(format!("{text:?} is no matcher; write for example 'code=~\"5..\"'"));
            None
        }
    }
}

fn errors(value: &Value) -> Option<Errors> {
    let table = value.table("preset.errors")?;
    match (table.get("matcher"), table.get("matchers"), table.get("counters")) {
        (Some(value), None, None) => matcher(value).map(Errors::Matcher),
        (None, Some(value), None) => some(value, matchers(value)).map(Errors::Matchers),
        (None, None, Some(value)) => some(value, texts(value)).map(Errors::Counters),
        _ => {
            table.error(
                "errors are told in one way: { matcher = 'code=~\"5..\"' }, or \
                 { counters = [\"errors_total\"] } where they are counted apart",
            );
            None
        }
    }
}

/// What is left of a list in which there has to be something.
fn some(value: &Value, members: Vec<String>) -> Option<Vec<String>> {
    if members.is_empty() && value.list().is_some_and(|list| list.is_empty()) {
        value.error("lists nothing; write at least one, or leave `errors` out");
    }
    (!members.is_empty()).then_some(members)
}

fn latencies(value: &Value) -> Vec<Latency> {
    let members = value.list().unwrap_or_default();
    members.iter().filter_map(latency).collect()
}

fn latency(value: &Value) -> Option<Latency> {
    let table = value.table("preset.latency")?;
    let name = table.need("name", "name = \"x_seconds\", unit = \"s\"")?;
    let text = name.text()?;
    if let Some(base) = text.strip_suffix("_bucket") {
        name.error(format!("is the histogram's name without its end; write \"{base}\""));
        return None;
    }
    let unit = table.need("unit", "unit = \"s\"")?;
    let unit = match unit.text()? {
        "s" => LatencyUnit::Seconds,
        "ms" => LatencyUnit::Milliseconds,
        other => {
            unit.error(format!("unknown unit {other:?}; write \"s\" or \"ms\""));
            return None;
        }
    };
    Some(Latency { name: text.to_owned(), unit })
}

fn gauges(table: &Table) -> Vec<Gauge> {
    let tables = table.get("signal").map_or_else(Vec::new, |value| value.tables("preset.signal"));
    tables.iter().filter_map(gauge).collect()
}

fn gauge(table: &Table) -> Option<Gauge> {
    let value = table.need("name", "name = \"token_rate\"")?;
    let name = value.text()?;
    let known: Vec<&str> = outside::preset_signals()[3..].iter().map(|(name, _)| *name).collect();
    if !known.contains(&name) {
        value.error(format!(
            "{name:?} is no signal that a preset gives by a query; {}; for one of your own \
             write [[signal]]",
            instead(name, &known)
        ));
        return None;
    }
    let query = signals::query(table.need("query", "query = 'sum(rate(x_total[$range]))'")?)?;
    let needs = table.need("needs", "needs = [\"x_total\"]")?;
    let names = texts(needs);
    if names.is_empty() {
        needs.error("lists nothing; name the metrics that the query reads");
        return None;
    }
    Some(Gauge { name: name.to_owned(), needs: names, query })
}
