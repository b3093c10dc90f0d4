//! What the last healthy release of a service measured, for the rules of the
//! next that ask for it, and the same in words.

use super::course::Sum;
use crate::judge::Rule;
use crate::metrics::{Shape, Signal, Unit, health, show};
use crate::model::{MINUTE, Name, Number, Span, Timestamp, Verdict};
use crate::record::{Baseline, Level, NO_EARLIER, Plan, Record};

/// Further back nobody remembers what the service was like; and each is read whole.
const EARLIER_MAX: usize = 20;

/// An hour of readings over five minutes each; of fewer a median is chance.
const READINGS_MIN: usize = 12;

/// For a signal that no plan describes.
const RANGE: Span = Span::from_millis(5 * MINUTE.millis());

/// What the rules of `plan` go by; `None`: none asks for it. `earlier`: the
/// records of the service, the latest first.
pub fn baseline(earlier: impl IntoIterator<Item = Record>, plan: &Plan) -> Option<Baseline> {
    let mut asked = plan.rules.iter().filter(|rule| rule.of_baseline.is_some()).peekable();
    asked.peek()?;
    let mut passed_over = Vec::new();
    for record in earlier.into_iter().take(EARLIER_MAX) {
        let verdict = came_to(&record);
        if verdict == Some(Verdict::Healthy) {
            let levels = asked.map(|rule| level(&record, rule)).collect();
            return Some(Baseline { from: Some(record.release), levels, ..Baseline::default() });
        }
        let verdict = verdict.map_or("not judged".to_owned(), |verdict| verdict.to_string());
        passed_over.push(format!("{} {verdict}", record.release.version));
    }
    let why = match passed_over.len() {
        0 => NO_EARLIER.to_owned(),
        _ => format!("no earlier release was healthy ({})", passed_over.join(", ")),
    };
    Some(Baseline { why, ..Baseline::default() })
}

/// What its windows came to, the worst of them; of one that is still open, or
/// was superseded, what can be said of it so far.
fn came_to(record: &Record) -> Option<Verdict> {
    let mut all: Vec<(&Name, Verdict)> = Vec::new();
    for (name, closed) in &record.windows {
        let summary = &closed.summary;
        all.push((name, summary.superseded.as_ref().map_or(summary.verdict, |by| by.so_far)));
    }
    let open = record.plan.windows.iter().find(|w| !record.windows.contains_key(&w.name));
    if let Some(window) = open.filter(|_| record.ended.is_none()) {
        let to = record.observed_to();
        all.push((&window.name, super::build(record, window, to, to).verdict));
    }
    // Before there were requests nothing was measured that others could go by.
    let has_begun = record.observed_to() > record.release.at + record.plan.idle();
    let is_idle = |name: &Name| record.plan.windows.iter().any(|w| w.name == *name && !w.traffic);
    all.retain(|(name, verdict)| *verdict != Verdict::Healthy || (has_begun && !is_idle(name)));
    let order = [Verdict::Failed, Verdict::Degraded, Verdict::Inconclusive, Verdict::Healthy];
    order.into_iter().find(|wanted| all.iter().any(|(_, verdict)| verdict == wanted))
}

fn level(record: &Record, rule: &Rule) -> Level {
    let matched = record.matched.iter().flat_map(|matched| &matched.signals);
    let mut signals = record.plan.signals.iter().chain(matched);
    let signal = signals.find(|signal| signal.name == rule.signal);
    let sums = sums(record, rule, signal);
    let unit = signal.map(|signal| signal.unit).or_else(|| health::unit(&rule.signal));
    level_of(rule, unit.unwrap_or_default(), &sums)
}

/// What a rule goes by, of readings over its range each.
pub(super) fn level_of(rule: &Rule, unit: Unit, sums: &[Sum]) -> Level {
    let mut values: Vec<f64> = sums.iter().filter_map(|sum| reading(sum, rule)).collect();
    values.sort_by(f64::total_cmp);
    let buckets = sums.last().map_or_else(Vec::new, Sum::finite_bounds);
    let mut level = Level {
        rule: rule.name.clone(),
        unit,
        value: None,
        readings: u32::try_from(values.len()).unwrap_or(u32::MAX),
        why: String::new(),
        buckets,
    };
    match says_nothing(&values, rule, &level) {
        Some(why) => level.why = why,
        None => level.value = Some(Number(median(&values))),
    }
    level
}

/// Measurements, put together over as long a time as the rule reads.
fn sums(record: &Record, rule: &Rule, signal: Option<&Signal>) -> Vec<Sum> {
    let is_single = |shape: &Shape| matches!(shape, Shape::Gauge { .. } | Shape::Alert { .. });
    let is_usual = signal.is_some_and(|signal| !is_single(&signal.shape));
    let own = signal.map_or(RANGE, |signal| signal.range);
    let range = record.plan.range.filter(|_| is_usual).unwrap_or(own);
    let mut sums: Vec<Sum> = Vec::new();
    let mut open: Option<(Timestamp, Sum)> = None;
    for block in &record.blocks {
        let rows = block.rows.iter().filter(|row| row.signal == rule.signal);
        for measured in rows.filter_map(|row| row.measured.as_ref()) {
            let (from, mut sum) = open.take().unwrap_or((block.from, Sum::default()));
            sum.add(measured);
            if block.to.since(from) >= range {
                sums.push(sum);
            } else {
                open = Some((from, sum));
            }
        }
    }
    sums
}

fn reading(sum: &Sum, rule: &Rule) -> Option<f64> {
    if sum.events().is_some_and(|events| events < rule.evidence_min) {
        return None;
    }
    let quantile = || sum.quantile(rule.quantile.unwrap_or(0.5));
    sum.ratio().or_else(quantile).or_else(|| sum.gauges().mean().map(|mean| mean.0))
}

/// Why no bound can be made of these.
fn says_nothing(values: &[f64], rule: &Rule, level: &Level) -> Option<String> {
    if values.len() < READINGS_MIN {
        let readings = format!("{} readings of {}", values.len(), rule.signal);
        return Some(format!("there are {readings}, {READINGS_MIN} are needed"));
    }
    let median = median(values);
    if level.buckets.last().is_some_and(|top| median >= top.0) {
        return Some("it lies beyond the last bucket of its histogram".to_owned());
    }
    let floor = rule.of_baseline.and_then(|of| of.at_least);
    (median <= 0.0 && floor.is_none())
        .then(|| format!("{} was 0; `at-least` says what is borne in any case", rule.signal))
}

fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => sorted[half - 1].midpoint(sorted[half]),
        _ => sorted[half],
    }
}

/// A line for each rule that goes by a baseline: its bound, and where that is from.
pub fn baseline_lines(record: &Record) -> Vec<String> {
    let rules = record.plan.rules.iter().filter(|rule| rule.of_baseline.is_some());
    rules.map(|rule| line(record, rule)).collect()
}

fn line(record: &Record, rule: &Rule) -> String {
    let name = &rule.name;
    let Some(baseline) = &record.baseline else { return format!("{name}: no baseline") };
    let version = match (&baseline.from, &baseline.past) {
        (Some(from), _) => from.version.to_string(),
        (None, Some(past)) => {
            let (from, to) = (past.from.for_people(), past.to.for_people());
            format!("{} of {from} to {to}", past.source)
        }
        (None, None) => return format!("{name}: no baseline: {}", baseline.why),
    };
    let Some(level) = baseline.levels.iter().find(|level| level.rule == *name) else {
        return format!("{name}: no baseline");
    };
    let Some(value) = level.value else {
        return format!("{name}: no baseline from {version}: {}", level.why);
    };
    let windows = rule.by_window.iter();
    let each = windows.map(|(window, bound)| (format!(" in {window}"), *bound));
    let mut each: Vec<(String, crate::judge::Bound)> = each.collect();
    if each.is_empty() {
        each.push((String::new(), rule.bound));
    }
    let bounds = each.iter().filter_map(|(place, bound)| {
        let side = if matches!(bound, crate::judge::Bound::Above(_)) { "above" } else { "below" };
        let factor = bound.value();
        let bound = record.bound_of(rule, *bound)?.value();
        Some(format!("{side} {}{place} ({factor}x)", show(level.unit, bound)))
    });
    let (value, readings) = (show(level.unit, value.0), level.readings);
    let bounds = bounds.collect::<Vec<_>>().join(", ");
    format!("{name}: {bounds}; {version} had {value}, the median of {readings} readings")
}

#[cfg(test)]
mod tests;
