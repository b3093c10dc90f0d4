//! The course of an alert's signal around its incident: stretches of time with
//! the worst of each, to be drawn and to be read as a table.
//!
//! Read from blocks that were known when the letter's news came: those never
//! change, so that a letter composed again shows the same.

mod draw;

use std::sync::Arc;

use crate::judge::Bound;
use crate::metrics::promql::histogram::quantile_of_mended;
use crate::metrics::{Unit, show};
use crate::model::{Measurement, Span, Timestamp};
use crate::record::{AlertNews, Block};

use super::words;

/// Shown before the first breach.
const BEFORE: Span = Span::from_secs(30 * 60);

/// Stretches at most: as many as a person reads in a table.
const STRETCHES_MAX: usize = 24;

/// A course with less to see is none.
const STRETCHES_MIN: usize = 3;

/// A signal around an incident.
#[derive(Clone, PartialEq, Debug)]
pub struct Chart {
    /// `error_ratio`, or `latency p99`.
    pub signal: String,
    /// Of values and bound.
    pub unit: Unit,
    /// In order, without gaps.
    pub stretches: Vec<Stretch>,
    /// What must not be broken, where that is a number.
    pub bound: Option<f64>,
    /// The alert burned from here …
    pub fired_at: Timestamp,
    /// … to here; `None`: it burns.
    pub ended_at: Option<Timestamp>,
}

/// A stretch of time and the worst of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stretch {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// `None`: nothing was measured.
    pub value: Option<f64>,
}

impl Chart {
    /// The chart of an alert; `None` where there is no course to see, or it is
    /// not this alert's alone: what is measured is the whole service.
    pub fn of(news: &AlertNews, blocks: &[Arc<Block>]) -> Option<Chart> {
        if !news.labels.is_empty() {
            return None;
        }
        let end = news.ended_at.unwrap_or(news.fired_at);
        let start = news.since - BEFORE;
        let mut all: Vec<Stretch> = Vec::new();
        for block in blocks.iter().filter(|block| block.to > start && block.to <= end) {
            if let Some(last) = all.last().map(|last| last.to).filter(|last| *last < block.from) {
                all.push(Stretch { from: last, to: block.from, value: None });
            }
            let row = block.rows.iter().find(|row| row.signal == news.signal);
            let measured = row.and_then(|row| row.measured.as_ref());
            let value = measured.and_then(|one| reading(one, news));
            all.push(Stretch { from: block.from, to: block.to, value });
        }
        let last = all.last()?.to;
        if last < end {
            let value = Some(news.value.0).filter(|value| value.is_finite());
            all.push(Stretch { from: last, to: end, value });
        }
        let stretches = merged(&all, news.bound);
        let seen = stretches.iter().filter(|one| one.value.is_some()).count();
        (seen >= STRETCHES_MIN).then(|| Chart {
            signal: words::signal(news),
            unit: news.unit,
            stretches,
            bound: (news.bound != Bound::Expression).then(|| news.bound.value()),
            fired_at: news.fired_at,
            ended_at: news.ended_at,
        })
    }

    /// What it shows, in a sentence: its text where no picture is shown.
    pub fn about(&self, side: &str) -> String {
        let (first, last) = (self.stretches[0].from, self.stretches[self.stretches.len() - 1].to);
        let bound = match self.bound {
            Some(bound) => format!("; limit: {side} {}", show(self.unit, bound)),
            None => String::new(),
        };
        let (from, to) = (minute(first), minute(last));
        format!("{} from {from} to {to} UTC, the worst of each stretch{bound}", self.signal)
    }

    /// Each stretch as a row of a table.
    pub fn rows(&self) -> Vec<(String, String)> {
        let is_short = self.stretches[self.stretches.len() - 1].to.since(self.stretches[0].from)
            < Span::from_secs(24 * 3600);
        let clock = |at: Timestamp, digits: usize| {
            let from = if is_short { 11 } else { 5 };
            at.for_people().chars().take(digits).skip(from).collect::<String>()
        };
        let value = |one: &Stretch| match one.value {
            Some(value) => show(self.unit, value),
            None => "no data".to_owned(),
        };
        let row = |one: &Stretch| {
            // To the minute, where that tells its ends apart.
            let digits = if minute(one.from) == minute(one.to) { SECONDS } else { MINUTES };
            let (from, to) = (clock(one.from, digits), clock(one.to, digits));
            (format!("{from}\u{2013}{to}"), value(one))
        };
        self.stretches.iter().map(row).collect()
    }

    /// As a picture, in PNG: the same bytes for the same numbers, everywhere.
    pub fn png(&self) -> Vec<u8> {
        draw::png(self)
    }
}

/// How much of a time is shown: `2026-11-25 01:23`, or with `:45`.
const MINUTES: usize = 16;
const SECONDS: usize = 19;

fn minute(at: Timestamp) -> String {
    at.for_people().chars().take(MINUTES).collect()
}

/// The worst that a measurement shows, as the rule reads it.
fn reading(measured: &Measurement, news: &AlertNews) -> Option<f64> {
    let value = match measured {
        Measurement::Ratio { num, den } => (den.0 > 0.0).then(|| num.0 / den.0)?,
        Measurement::Gauge { min, max, .. } => match news.bound {
            Bound::Below(_) => min.0,
            Bound::Above(_) | Bound::Expression => max.0,
        },
        Measurement::Buckets { bounds, counts } => {
            let pairs: Vec<(f64, f64)> =
                bounds.iter().zip(counts).map(|(bound, count)| (bound.0, count.0)).collect();
            quantile_of_mended(news.quantile.unwrap_or(0.5), &pairs)
        }
    };
    value.is_finite().then_some(value)
}

/// As few as can be read, each with the worst of what it was made of.
fn merged(all: &[Stretch], bound: Bound) -> Vec<Stretch> {
    let worse = |a: f64, b: f64| match bound {
        Bound::Below(_) => a.min(b),
        Bound::Above(_) | Bound::Expression => a.max(b),
    };
    let size = all.len().div_ceil(STRETCHES_MAX).max(1);
    let one = |group: &[Stretch]| Stretch {
        from: group[0].from,
        to: group[group.len() - 1].to,
        value: group.iter().filter_map(|one| one.value).reduce(worse),
    };
    all.chunks(size).map(one).collect()
}

#[cfg(test)]
mod tests;
