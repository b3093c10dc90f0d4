//! Series made of a watch's record: what signals measured, how targets and
//! checks answered, its alerts.

use std::collections::BTreeMap;

use super::course::{Course, lately};
use super::read::{ALERTS, QUANTILES};
use crate::judge::Rule;
use crate::metrics::promql::histogram::quantile_of_mended;
use crate::metrics::promql::one_line;
use crate::metrics::{Excerpt, Measured, Shape};
use crate::model::{Labels, MILLISECOND, Measurement, Name, Number, Timestamp};
use crate::record::{AlertKey, AlertRecord, Block, Record, Tally};

/// Whether it is an expression of Prometheus's rules, which is no measurement.
pub(super) fn is_expression(record: &Record, signal: &Name) -> bool {
    let found = record.plan.signals.iter().find(|one| one.name == *signal);
    found.is_some_and(|one| matches!(one.shape, Shape::Alert { .. }))
}

/// What a signal read at the last look.
#[derive(Clone, Copy)]
pub(super) struct Looked<'m> {
    /// Since when somebody has looked without a gap, or the last block ended.
    pub since: Timestamp,
    pub at: Timestamp,
    pub last: &'m Measured,
}

/// What a signal measured, block by block, and what it read at the last look.
pub(super) fn tell_signal(
    record: &Record,
    signal: &Name,
    looked: Option<Looked<'_>>,
    own: &Labels,
    excerpt: &mut Excerpt,
) -> Result<(), String> {
    let live = looked.as_ref().and_then(|looked| match looked.last {
        Measured::One(measurement) => Some(measurement.clone()),
        // As in a report: of several, the largest.
        Measured::Each(all) => {
            all.iter().map(|(_, value)| *value).reduce(f64::max).map(Measurement::gauge)
        }
        Measured::None(_) | Measured::Split { .. } => None,
    });
    let latest = record.blocks.iter().rev().find_map(|block| measured(block, signal));
    let Some(latest) = live.as_ref().or(latest) else {
        if excerpt.names(signal.as_str()) {
            excerpt.remark(unmeasured(record, signal));
        }
        return Ok(());
    };
    let reads = excerpt.reads();
    let mut tell = |labels: &Labels, read: &dyn Fn(&Measurement) -> Option<f64>| {
        let make = || {
            let mut course = Course::new(reads);
            for block in lately(&record.blocks, reads) {
                course.add(block.from, block.to, measured(block, signal).and_then(read));
            }
            if let Some(Looked { since, at, .. }) = looked {
                let from = course.end(at).max(since);
                course.add(from, at, live.as_ref().and_then(read));
            }
            course.points
        };
        excerpt.tell(signal.as_str(), labels, own, make)
    };
    if !matches!(latest, Measurement::Buckets { .. }) {
        return tell(&Labels::default(), &level);
    }
    for (text, q) in QUANTILES {
        tell(&Labels::from_pairs([("quantile", text)]), &|one| quantile(one, q))?;
    }
    Ok(())
}

fn measured<'b>(block: &'b Block, signal: &Name) -> Option<&'b Measurement> {
    block.rows.iter().find(|row| row.signal == *signal)?.measured.as_ref()
}

/// What is said of a signal of which nothing is recorded.
fn unmeasured(record: &Record, signal: &Name) -> String {
    let matched = record.matched.iter().flat_map(|matched| &matched.signals);
    let found = record.plan.signals.iter().chain(matched).find(|one| one.name == *signal);
    let query = match found.map(|one| &one.shape) {
        Some(Shape::Gauge { query } | Shape::Buckets { query, .. }) => {
            format!("; its query is {}", one_line(query))
        }
        _ => String::new(),
    };
    format!(
        "nothing is recorded of the signal {:?}: it has had no data, or it has several values and \
         no rule reads them{query}",
        signal.as_str()
    )
}

/// The one number of a ratio or a gauge.
fn level(measurement: &Measurement) -> Option<f64> {
    match measurement {
        Measurement::Ratio { num, den } => (den.0 > 0.0).then(|| num.0 / den.0),
        Measurement::Gauge { mean, .. } => (!mean.0.is_nan()).then_some(mean.0),
        Measurement::Buckets { .. } => None,
    }
}

fn quantile(measurement: &Measurement, q: f64) -> Option<f64> {
    let Measurement::Buckets { bounds, counts } = measurement else { return None };
    let number = |number: &Number| number.0;
    let pairs: Vec<(f64, f64)> = bounds.iter().map(number).zip(counts.iter().map(number)).collect();
    let value = quantile_of_mended(q, &pairs);
    (!value.is_nan()).then_some(value)
}

/// What is counted in a tally.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Share {
    Probes,
    Scrapes,
    Checks,
}

impl Share {
    fn tallies(self, block: &Block) -> &[(Name, Tally)] {
        match self {
            Share::Probes | Share::Scrapes => &block.tallies,
            Share::Checks => &block.checks,
        }
    }

    /// Which share of the answers was good; `None`: there was none.
    fn of(self, tally: &Tally) -> Option<f64> {
        let (good, bad) = match self {
            Share::Probes | Share::Checks => (tally.ok, tally.failed),
            Share::Scrapes => (tally.scraped, tally.unscraped),
        };
        (good + bad > 0).then(|| f64::from(good) / f64::from(good + bad))
    }
}

/// Which share of the answers was good, by who gave them.
pub(super) fn tell_shares(
    record: &Record,
    (name, label, share): (&str, &str, Share),
    own: &Labels,
    excerpt: &mut Excerpt,
) -> Result<(), String> {
    let reads = excerpt.reads();
    // Whoever is not in a block has a gap there.
    let mut courses: BTreeMap<&Name, Course> = BTreeMap::new();
    for block in lately(&record.blocks, reads) {
        for (who, tally) in share.tallies(block) {
            let course = courses.entry(who).or_insert_with(|| Course::new(reads));
            course.add(block.from, block.to, share.of(tally));
        }
    }
    for (who, course) in courses.into_iter().filter(|(_, course)| !course.points.is_empty()) {
        let labels = Labels::from_pairs([(label, who.as_str())]);
        excerpt.tell(name, &labels, own, || course.points.clone())?;
    }
    Ok(())
}

/// When an alert was pending, and when it fired.
pub(super) fn tell_alert(
    record: &Record,
    (key, alert): (&AlertKey, &AlertRecord),
    now: Timestamp,
    own: &Labels,
    excerpt: &mut Excerpt,
) -> Result<(), String> {
    let rule = record.rule(&key.rule);
    let labels = record.alert_news(rule, key, alert.value).all_labels();
    let reads = excerpt.reads();
    let firing = alert.episodes.iter().map(|one| (one.fired_at, one.ended_at));
    let pending = alert.episodes.iter().map(|one| (one.since, Some(one.fired_at)));
    let pends = alert.pending_since().map(|since| (since, None));
    let pending = pending.filter(|(from, to)| Some(*from) < *to).chain(pends);
    let states = [("firing", firing.collect::<Vec<_>>()), ("pending", pending.collect())];
    for (state, stretches) in states.into_iter().filter(|(_, stretches)| !stretches.is_empty()) {
        let make = || {
            let mut course = Course::new(reads);
            for (from, to) in &stretches {
                // It stands from the first instant on, and to the last.
                course.add(*from - MILLISECOND, to.map_or(now, |to| to - MILLISECOND), Some(1.0));
                if let Some(to) = to {
                    course.end_at(*to);
                }
            }
            course.points
        };
        excerpt.tell(ALERTS, &labels_of_alert(rule, &labels, state), own, make)?;
    }
    Ok(())
}

/// As Prometheus labels an alert that it shows as a series.
fn labels_of_alert(rule: &Rule, labels: &Labels, state: &str) -> Labels {
    let severity = rule.severity.as_str();
    let ours = [("alertname", rule.name.as_str()), ("alertstate", state), ("severity", severity)];
    let ours = ours.map(|(name, value)| (name.into(), value.into()));
    Labels::from_pairs(ours.into_iter().chain(labels.shared().iter().cloned()))
}
