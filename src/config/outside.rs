//! What other rooms know and a configuration has to be held against:
//! assertions, queries and presets. Everything of theirs is asked here.

use serde_json_path::JsonPath;

use super::walk::Value;
use crate::check::{Assertion, Capture};
use crate::metrics::promql::Query;
use crate::metrics::{LOOKBACK, Shape, Signal, Unit, health, presets};
use crate::model::{MINUTE, Span};

/// An assertion in the user's words.
pub(super) fn assertion(text: &str) -> Result<Assertion, String> {
    Assertion::parse(text).map_err(|complaint| in_text(text, complaint.column, &complaint.what))
}

/// A list of assertions in the user's words.
pub(super) fn assertions(value: &Value) -> Vec<Assertion> {
    let members = value.list().unwrap_or_default();
    let parse = |member: &Value| assertion(member.text()?).map_err(|what| member.error(what)).ok();
    members.iter().filter_map(parse).collect()
}

/// A path into JSON that leads to one place.
pub(super) fn path(value: &Value) -> Option<JsonPath> {
    let text = value.text()?;
    let path = JsonPath::parse(text);
    if path.is_err() {
        value.error(format!("{text:?} is no JSON path; write for example \"$.version\""));
    }
    path.ok()
}

/// What a step takes out of its answer, in the user's words.
pub(super) fn capture(text: &str) -> Result<Capture, String> {
    Capture::parse(text).map_err(|complaint| in_text(text, complaint.column, &complaint.what))
}

/// Whether a query can be evaluated; `$range` may stand in it.
pub(super) fn query(text: &str) -> Result<(), String> {
    let compiled = Query::compile_ranged(text, MINUTE); // any range does
    compiled.map(|_| ()).map_err(|complaint| in_text(text, complaint.column, &complaint.what))
}

/// Whether an expression of Prometheus's rules can be evaluated.
pub(super) fn expression(text: &str) -> Result<(), String> {
    let compiled = Query::compile(text);
    compiled.map(|_| ()).map_err(|complaint| in_text(text, complaint.column, &complaint.what))
}

/// A column is only worth telling in a text that has many.
fn in_text(text: &str, column: usize, what: &str) -> String {
    if column > 1 && text.chars().count() > 1 {
        format!("{what} (at its character {column})")
    } else {
        what.to_owned()
    }
}

/// The shortest range that a signal's queries read, `None` for instant values.
pub(super) fn shortest_range(signal: &Signal) -> Option<Span> {
    let texts = match &signal.shape {
        Shape::Ratio { num, den } => vec![num, den],
        Shape::Buckets { query, .. } | Shape::Gauge { query } | Shape::Alert { query, .. } => {
            vec![query]
        }
    };
    let queries =
        texts.into_iter().filter_map(|text| Query::compile_ranged(text, signal.range).ok());
    let needs = queries.flat_map(|query| query.needs());
    needs.map(|(_, back)| back - LOOKBACK).filter(|range| *range > Span::ZERO).min()
}

/// The presets there are.
pub(super) fn preset_names() -> Vec<&'static str> {
    presets::names()
}

/// The signals that presets can give, with their units.
pub(super) fn preset_signals() -> &'static [(&'static str, Unit)] {
    &presets::SIGNALS
}

/// The one signal of the presets that is a histogram.
pub(super) const HISTOGRAM: &str = "latency";

/// The signals that come of our own checks.
pub(super) fn health_signals() -> Vec<Signal> {
    health::signals()
}
