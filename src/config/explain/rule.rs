//! One rule's plan: what it judges, how empty is read, and what is kept of the
//! pages because of it.

use std::collections::BTreeMap;

use super::{Row, query, section};
use crate::config::complaint::nearest;
use crate::config::rules::bounds_shown;
use crate::config::{Checked, outside};
use crate::judge::{Bound, Rule};
use crate::metrics::promql::{Query, Top, one_line, split};
use crate::metrics::{Meter, Recording, Shape, Signal, Unit};
use crate::model::Span;

/// The plan of a rule, as plain aligned text for a terminal.
///
/// # Errors
/// There is no such rule; with the nearest that there is.
pub fn explain_rule(checked: &Checked, name: &str) -> Result<String, String> {
    explain_with(checked, name, &[])
}

/// The same with the signals that presets gave.
pub(in crate::config) fn explain_with(
    checked: &Checked,
    name: &str,
    matched: &[Signal],
) -> Result<String, String> {
    let plan = &checked.plan;
    let Some(rule) = plan.rules.iter().find(|rule| rule.name == *name) else {
        let names = plan.rules.iter().map(|rule| rule.name.as_str());
        let hint = match nearest(name, names) {
            Some(near) => format!("did you mean {near:?}?"),
            None => "`check` without --explain lists all".to_owned(),
        };
        return Err(format!("there is no rule {name:?}; {hint}"));
    };
    let health = outside::health_signals();
    let mut known = health.iter().chain(&plan.signals).chain(matched);
    let signal = known.find(|signal| signal.name == rule.signal);
    let mut text = format!("{}  {}", rule.name, rule.severity);
    if let Some(imported) = &rule.imported {
        text.push_str(&format!(", of {}, group {}", imported.file, imported.group));
    }
    text.push('\n');
    section(&mut text, "Judges", judges(rule, signal));
    section(&mut text, "Fires", fires(rule));
    let kept = signal.map(|signal| kept(signal, &plan.recordings)).unwrap_or_default();
    section(&mut text, "Kept of the pages because of it", kept);
    Ok(text)
}

fn row(what: &str, how: impl Into<String>) -> Row {
    vec![what.to_owned(), how.into()]
}

fn judges(rule: &Rule, signal: Option<&Signal>) -> Vec<Row> {
    let mut rows = vec![row("signal", rule.signal.to_string())];
    let Some(signal) = signal else {
        let how = "by the preset that the first scrapes match; see `check --live`";
        rows.push(row("query", how));
        rows.push(row("broken", bounds_shown(rule, unit(rule))));
        return rows;
    };
    rows.push(row("query", query(signal).trim().to_owned()));
    if let Some(source) = &signal.source {
        rows.push(row("asked", format!("of {source}")));
    }
    match &signal.shape {
        Shape::Alert { query, all, offset } => {
            let empty = match (all, split(query)) {
                (Some(all), _) => {
                    rows.push(row("broken", "what comes out of it"));
                    rows.push(row("calm", format!("what is in {all}, and does not come out")));
                    "where neither is anything there is no data: nothing resolves".to_owned()
                }
                (None, top) => {
                    let what = match top {
                        Top::Whole(word) => word,
                        Top::Compared { .. } => "this".to_owned(),
                    };
                    rows.push(row("broken", "what comes out of it"));
                    format!(
                        "{what} at its top cannot be split: what comes out no more is calm, \
                         while some series that it reads is there"
                    )
                }
            };
            rows.push(row("empty", empty));
            if *offset > Span::ZERO {
                rows.push(row("looks", format!("{offset} into the past")));
            }
        }
        Shape::Buckets { .. } => {
            rows.push(row("broken", bounds_shown(rule, signal.unit)));
            rows.push(row("buckets", buckets(rule)));
        }
        Shape::Ratio { .. } | Shape::Gauge { .. } => {
            rows.push(row("broken", bounds_shown(rule, signal.unit)));
            rows.push(row("empty", "no data: nothing resolves"));
        }
    }
    rows
}

/// Which buckets of a histogram decide.
fn buckets(rule: &Rule) -> String {
    let Bound::Above(bound) = rule.bound else {
        return "those on both sides of the bound".to_owned();
    };
    let share = 1.0 - rule.quantile.unwrap_or(0.5);
    let percent = (share * 1e6).round() / 1e4;
    format!(
        "broken where more than {percent}% of events lie above {bound}s: told by the bucket \
         le=\"{bound}\", or between those beside it; beyond the last finite one nothing is known"
    )
}

fn unit(rule: &Rule) -> Unit {
    let preset = outside::preset_signals().iter().find(|(name, _)| rule.signal == *name);
    preset.map_or(Unit::Count, |(_, unit)| *unit)
}

fn fires(rule: &Rule) -> Vec<Row> {
    let times = |count: u32| match count {
        0 | 1 => String::new(),
        count => format!(", and {count} readings in a row"),
    };
    let mut rows = vec![
        row("after", format!("{} broken{}", rule.hold, times(rule.breaches_min))),
        row("until", format!("{} calm{}", rule.recover, times(rule.calms_min))),
        row("at most", format!("{} alerts at a time", rule.alerts_max())),
    ];
    if rule.evidence_min > 0.0 {
        rows.push(row("from", format!("{} events in its range", rule.evidence_min)));
    }
    rows
}

/// Families, with how long their samples are kept, and who records them.
fn kept(signal: &Signal, recordings: &[Recording]) -> Vec<Row> {
    let Ok(meter) = Meter::compile(signal) else { return Vec::new() };
    let row = |(name, back): (String, Span)| {
        let recording = recordings.iter().find(|one| one.name == *name.as_str());
        let how = recording.map(|one| format!("recorded: {}", one_line(&one.query)));
        vec![name, format!("for {back}"), how.unwrap_or_default()]
    };
    read_by(meter.needs(), recordings).into_iter().map(row).collect()
}

/// All sample names that are read in the end, each with how far back: what is
/// recorded, and what that is made of.
pub(in crate::config) fn read_by(
    needs: Vec<(String, Span)>,
    recordings: &[Recording],
) -> BTreeMap<String, Span> {
    let mut found: BTreeMap<String, Span> = BTreeMap::new();
    let mut next = needs;
    while let Some((name, back)) = next.pop() {
        if found.get(&name).is_some_and(|known| *known >= back) {
            continue;
        }
        for recording in recordings.iter().filter(|one| one.name == *name.as_str()) {
            if found.contains_key(&name) {
                continue; // a recording is evaluated at the present, whoever reads it
            }
            let needs = Query::compile(&recording.query).map(|query| query.needs());
            let deeper = needs.unwrap_or_default().into_iter();
            next.extend(deeper.map(|(name, back)| (name, back + recording.offset)));
        }
        found.insert(name, back);
    }
    found
}
