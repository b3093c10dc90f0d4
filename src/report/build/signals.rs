//! Each signal over the window: its course, its whole, and what was not seen.

use std::collections::BTreeMap;

use super::HEALTH;
use super::course::Sum;
use super::coverage::Sight;
use crate::judge::{Bound, Rule};
use crate::metrics::promql::one_line;
use crate::metrics::{Shape, Signal, Unit, health, presets};
use crate::model::{MINUTE, Measurement, Name, Number, Span, Timestamp, Why};
use crate::record::{BoundLine, Record, Row, SAW_TOOTH, SignalSummary};
use crate::report::show;

/// A chart is some 800 points wide; more would be drawn over each other.
const POINTS_MAX: i64 = 300;

/// Quantiles that are told of every histogram, whether or not a rule reads them.
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// For a signal that no plan describes.
const RANGE: Span = Span::from_secs(5 * 60);

/// What is read in a measurement.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Read {
    Ratio,
    Gauge,
    Quantile(f64),
}

/// A signal with all its rows in the window, each with its block's index.
struct Seen<'a> {
    name: Name,
    known: Option<&'a Signal>,
    required: bool,
    rows: Vec<(usize, &'a Row)>,
    /// From when on there should be something to see.
    due: Timestamp,
}

/// All signals: health first, then the others that a verdict needs, then the
/// rest. `requests`: from when on there should be some; `None`: not in this time.
pub(super) fn summaries(
    record: &Record,
    sight: &Sight<'_>,
    requests: Option<Timestamp>,
) -> Vec<SignalSummary> {
    let mut all = signals(record, sight, requests);
    all.sort_by_key(|seen| (seen.name != HEALTH, !seen.required)); // stable within
    all.iter()
        .flat_map(|seen| {
            let all = reads(record, seen);
            let added = Added::of(sight, seen, step(sight, seen, all[0])); // all have the same
            let summary = |read| summary(record, sight, seen, &added, read);
            all.into_iter().map(summary).collect::<Vec<_>>()
        })
        .collect()
}

fn signals<'a>(
    record: &'a Record,
    sight: &Sight<'a>,
    requests: Option<Timestamp>,
) -> Vec<Seen<'a>> {
    let mut rows: BTreeMap<&Name, Vec<(usize, &Row)>> = BTreeMap::new();
    for (index, block) in sight.blocks.iter().enumerate() {
        for row in &block.rows {
            rows.entry(&row.signal).or_default().push((index, row));
        }
    }
    let mut found: Vec<Seen<'a>> = Vec::new();
    let mut add = |name: &Name, known: Option<&'a Signal>, required: bool| {
        let is_of_requests = presets::is_of_requests(name);
        let required = required && (requests.is_some() || !is_of_requests);
        if let Some(seen) = found.iter_mut().find(|seen| seen.name == *name) {
            seen.required |= required;
            return;
        }
        let rows = rows.remove(name).unwrap_or_default();
        let due = requests.filter(|_| is_of_requests).unwrap_or(sight.from);
        found.push(Seen { name: name.clone(), known, required, rows, due });
    };
    for matched in record.matched.iter().flat_map(|matched| &matched.signals) {
        // What the plan calls so is measured in the place of what a preset does.
        let own = record.plan.signals.iter().find(|own| own.name == matched.name);
        add(&matched.name, own.or(Some(matched)), true);
    }
    record.plan.signals.iter().for_each(|signal| add(&signal.name, Some(signal), false));
    record.plan.require.iter().for_each(|name| add(name, None, true));
    add(&Name::from(HEALTH), None, true);
    for (name, rows) in rows {
        let name = name.clone();
        found.push(Seen { name, known: None, required: false, rows, due: sight.from });
    }
    found
}

fn reads(record: &Record, seen: &Seen<'_>) -> Vec<Read> {
    let measured = seen.rows.iter().find_map(|(_, row)| row.measured.as_ref());
    let is_histogram = match (seen.known.map(|signal| &signal.shape), measured) {
        (Some(Shape::Buckets { .. }), _) | (None, Some(Measurement::Buckets { .. })) => true,
        (Some(Shape::Ratio { .. }), _) | (None, Some(Measurement::Ratio { .. })) => {
            return vec![Read::Ratio];
        }
        (Some(Shape::Gauge { .. } | Shape::Alert { .. }), _)
        | (None, Some(Measurement::Gauge { .. }) | None) => false,
    };
    if !is_histogram {
        return vec![Read::Gauge];
    }
    let wanted = record.plan.rules.iter().filter(|rule| rule.signal == seen.name);
    let mut quantiles: Vec<f64> = QUANTILES.to_vec();
    quantiles.extend(wanted.filter_map(|rule| rule.quantile));
    quantiles.retain(|q| (0.0..=1.0).contains(q));
    quantiles.sort_by(f64::total_cmp);
    quantiles.dedup();
    quantiles.into_iter().map(Read::Quantile).collect()
}

fn summary(
    record: &Record,
    sight: &Sight<'_>,
    seen: &Seen<'_>,
    added: &Added,
    read: Read,
) -> SignalSummary {
    let bounds = bounds(record, &seen.name, read);
    let is_low_bad = match bounds.iter().max_by_key(|line| line.severity) {
        Some(line) => !line.above,
        None => seen.name == HEALTH,
    };
    let whole = &added.whole;
    let readings = readings(sight, added, read, is_low_bad);
    let looks = seen.rows.iter().map(|(index, row)| (*index, row.seen));
    let values = || readings.iter().map(|(_, value)| *value);
    let (min, max) = match read {
        Read::Gauge => (whole.gauges().min(), whole.gauges().max()),
        Read::Ratio | Read::Quantile(_) => {
            (values().reduce(f64::min).map(Number), values().reduce(f64::max).map(Number))
        }
    };
    SignalSummary {
        name: name(&seen.name, read),
        unit: known_unit(seen),
        required: seen.required,
        query: query(seen),
        evidence_ratio: Number(sight.share_since(seen.due, looks)),
        missing: readings.is_empty().then(|| missing(record, seen)),
        overall: match read {
            Read::Ratio => whole.ratio().map(Number),
            Read::Gauge => whole.gauges().mean(),
            Read::Quantile(q) => whole.quantile(q).map(Number),
        },
        min,
        max,
        events: whole.events().map(Number),
        top: if read == Read::Gauge { None } else { whole.top().map(Number) },
        bounds,
        points: points(sight, seen, &readings, is_low_bad),
    }
}

fn name(signal: &Name, read: Read) -> Name {
    match read {
        Read::Ratio | Read::Gauge => signal.clone(),
        // p50, p99, p99.9: two decimals of a percentage are as fine as anybody asks.
        Read::Quantile(q) => {
            let percent = (q * 10_000.0).round() / 100.0;
            Name::from(format!("{signal}_p{percent}"))
        }
    }
}

fn query(seen: &Seen<'_>) -> String {
    let Some(signal) = seen.known else {
        let is_health = seen.name == HEALTH;
        return if is_health { "health probes that found a target up" } else { "" }.to_owned();
    };
    let text = match &signal.shape {
        Shape::Ratio { num, den } => format!("{num} / {den}"),
        Shape::Buckets { query, .. } | Shape::Gauge { query } => query.clone(),
        Shape::Alert { query, .. } => one_line(query),
    };
    text.replace("$range", &show::length(signal.range).replace(' ', ""))
}

/// The rules that read exactly this. A rule on a histogram that names no
/// quantile means the median.
fn bounds(record: &Record, signal: &Name, read: Read) -> Vec<BoundLine> {
    let reads_this = |rule: &&Rule| {
        rule.signal == *signal
            && match read {
                Read::Ratio | Read::Gauge => true,
                Read::Quantile(q) => rule.quantile.unwrap_or(0.5) == q,
            }
    };
    let rules = record.plan.rules.iter().filter(reads_this);
    rules
        .flat_map(|rule| {
            let all = rule.by_window.iter().map(|(_, bound)| *bound);
            let mut all: Vec<Bound> = all.chain([rule.bound]).collect();
            all.dedup();
            all.retain(|bound| *bound != Bound::Expression);
            let held = all.into_iter().filter_map(|bound| record.bound_of(rule, bound));
            held.map(|bound| BoundLine {
                rule: rule.name.clone(),
                severity: rule.severity,
                value: Number(bound.value()),
                above: matches!(bound, Bound::Above(_)),
            })
        })
        .collect()
}

/// Why there was nothing in all the window.
fn missing(record: &Record, seen: &Seen<'_>) -> Why {
    let mut rules = record.plan.rules.iter().filter(|rule| rule.signal == seen.name);
    let is_of_signal = |why: &Why| *why != Why::NoBaseline;
    let told =
        rules.find_map(|rule| record.quiet.get(&rule.name).filter(|(why, _)| is_of_signal(why)));
    let was_measured = seen.rows.iter().any(|(_, row)| row.measured.is_some());
    match told {
        Some((why, _)) => *why,
        None if was_measured => Why::NoTraffic, // measured, and there was no event in it
        None if record.limits.keys().any(|(what, _)| *what == *SAW_TOOTH) => Why::SawTooth,
        // What the presets matched was there at the first scrape.
        None if record.matched.as_ref().is_some_and(|m| is_among(&m.signals, &seen.name)) => {
            Why::Stale
        }
        None => Why::Absent,
    }
}

fn is_among(signals: &[Signal], name: &Name) -> bool {
    signals.iter().any(|signal| signal.name == *name)
}

/// What was measured of a signal, added up once for all that is read in it.
struct Added {
    whole: Sum,
    step: Span,
    /// By the number of the step.
    steps: Vec<(i64, Sum)>,
}

impl Added {
    /// Over as long a time as a rule reads, in order. A block's own few events
    /// would make a quantile of one request.
    fn of(sight: &Sight<'_>, seen: &Seen<'_>, step: Span) -> Added {
        let (mut whole, mut steps): (Sum, Vec<(i64, Sum)>) = (Sum::default(), Vec::new());
        for (index, row) in &seen.rows {
            let Some(measured) = &row.measured else { continue };
            whole.add(measured);
            let at = middle(sight, *index).since(sight.from).millis() / step.millis();
            if steps.last().is_none_or(|(last, _)| *last != at) {
                steps.push((at, Sum::default()));
            }
            let (_, sum) = steps.last_mut().expect("there is one now");
            sum.add(measured);
        }
        Added { whole, step, steps }
    }
}

/// A reading for each step that has one, in order.
fn readings(
    sight: &Sight<'_>,
    added: &Added,
    read: Read,
    is_low_bad: bool,
) -> Vec<(Timestamp, f64)> {
    let value = |sum: &Sum| match read {
        Read::Ratio => sum.ratio(),
        Read::Quantile(q) => sum.quantile(q),
        Read::Gauge if is_low_bad => sum.gauges().min().map(|value| value.0),
        Read::Gauge => sum.gauges().max().map(|value| value.0),
    };
    let half = added.step / 2;
    let place = |at: i64| (sight.from + at * added.step + half).min(sight.to);
    added.steps.iter().filter_map(|(at, sum)| value(sum).map(|value| (place(*at), value))).collect()
}

/// What one reading is taken over: a rule's range, or less in a short window.
fn step(sight: &Sight<'_>, seen: &Seen<'_>, read: Read) -> Span {
    let mut lengths: Vec<Span> = sight.blocks.iter().map(|b| b.to.since(b.from)).collect();
    lengths.sort_unstable();
    let block = lengths.get(lengths.len() / 2).copied().unwrap_or(MINUTE);
    let range = seen.known.map_or(RANGE, |signal| signal.range);
    let range = if range > Span::ZERO { range } else { RANGE };
    let step = match read {
        Read::Gauge => block,
        Read::Ratio | Read::Quantile(_) => range.min(sight.whole() / 30).max(block),
    };
    step.max(Span::from_millis(1))
}

fn middle(sight: &Sight<'_>, index: usize) -> Timestamp {
    let block = sight.blocks[index];
    let (start, end) = (block.from.max(sight.from), block.to.min(sight.to));
    start + end.since(start) / 2
}

/// The worst reading of each bin; `None` where there is none.
fn points(
    sight: &Sight<'_>,
    seen: &Seen<'_>,
    readings: &[(Timestamp, f64)],
    is_low_bad: bool,
) -> Vec<(Timestamp, Option<Number>)> {
    let whole = sight.whole().millis();
    if whole <= 0 || readings.is_empty() {
        return Vec::new();
    }
    let finest = (whole + POINTS_MAX - 1) / POINTS_MAX;
    let apart = readings.windows(2).map(|pair| pair[1].0.since(pair[0].0).millis()).min();
    let bin = finest.max(apart.unwrap_or(finest)).max(1);
    let mut worst: Vec<Option<f64>> = vec![None; ((whole + bin - 1) / bin) as usize];
    let last = worst.len() - 1;
    let place = |at: Timestamp| {
        let index = at.since(sight.from).millis().max(0) / bin;
        (index as usize).min(last)
    };
    for (at, value) in readings {
        let slot = &mut worst[place(*at)];
        *slot = Some(match *slot {
            Some(known) if is_low_bad => known.min(*value),
            Some(known) => known.max(*value),
            None => *value,
        });
    }
    // A reading speaks for all the time of its blocks, not only for its middle.
    for (index, _) in seen.rows.iter().filter(|(_, row)| row.measured.is_some()) {
        let block = sight.blocks[*index];
        let value = worst[place(middle(sight, *index))];
        let first = place(block.from.max(sight.from) + Span::from_millis(1));
        for slot in &mut worst[first..=place(block.to.min(sight.to))] {
            *slot = slot.or(value);
        }
    }
    let at = |index: usize| {
        let start = sight.from + Span::from_millis(index as i64 * bin);
        (start + Span::from_millis(bin / 2)).min(sight.to)
    };
    worst.iter().enumerate().map(|(index, value)| (at(index), value.map(Number))).collect()
}

/// A signal's own unit; that of our own checks is known without a plan.
fn known_unit(seen: &Seen<'_>) -> Unit {
    let own = seen.known.map(|signal| signal.unit);
    own.or_else(|| health::unit(&seen.name)).unwrap_or_default()
}
