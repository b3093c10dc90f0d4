//! Functions of a range of samples: what one series' samples amount to.

use super::number::{Mean, Spread, Sum, greatest, least, quantile};
use super::plan::Over;
use crate::metrics::Run;
use crate::model::{Span, Timestamp};

/// The range that is looked at, `(from, to]`, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
    /// When the query is evaluated (not moved by `offset`).
    pub at: Timestamp,
    /// It is known that no sample in it is less than the one before.
    pub rises: bool,
}

impl Window {
    fn length(self) -> Span {
        self.to.since(self.from)
    }
}

/// Applies a function to a series' samples (no markers among them), oldest
/// first. `None`: too few of them for an answer.
pub(super) fn apply(func: Over, points: Run<'_>, window: Window, param: f64) -> Option<f64> {
    match func {
        // The usual ones, which read few of the samples.
        Over::Rate => {
            return Some(extrapolated(points, window, true)? / window.length().seconds_f64());
        }
        Over::Increase => return extrapolated(points, window, true),
        _ => {}
    }
    let (first, last) = (points.first()?, points.last()?);
    let values = points.values();
    Some(match func {
        Over::Rate | Over::Increase => unreachable!("answered above"),
        Over::Delta => extrapolated(points, window, false)?,
        Over::Irate => instant(points, true)?,
        Over::Idelta => instant(points, false)?,
        Over::Changes => count_pairs(points, |a, b| a != b && !(a.is_nan() && b.is_nan())),
        Over::Resets => count_pairs(points, |a, b| b < a),
        Over::Avg => {
            let mut mean = Mean::default();
            values.for_each(|value| mean.add(value));
            mean.value()
        }
        Over::Min => values.fold(first.value, least),
        Over::Max => values.fold(first.value, greatest),
        Over::Sum => values.fold(Sum::default(), Sum::add).total(),
        Over::Count => points.len() as f64,
        Over::Last => last.value,
        Over::First => first.value,
        Over::Present | Over::Absent => 1.0,
        Over::Quantile => quantile(param, &mut values.collect::<Vec<f64>>()),
        Over::Stddev => spread(points).sqrt(),
        Over::Stdvar => spread(points),
        Over::Deriv if points.len() < 2 => return None,
        Over::Deriv => line(points, first.at).0,
        Over::PredictLinear if points.len() < 2 => return None,
        Over::PredictLinear => {
            let (slope, intercept) = line(points, window.at);
            slope * param + intercept
        }
    })
}

fn spread(points: Run<'_>) -> f64 {
    let mut spread = Spread::default();
    points.values().for_each(|value| spread.add(value));
    spread.variance()
}

fn count_pairs(points: Run<'_>, counts: impl Fn(f64, f64) -> bool) -> f64 {
    if points.is_level() {
        return 0.0; // nothing changes, and nothing falls
    }
    let mut values = points.values();
    let Some(mut before) = values.next() else { return 0.0 };
    let pairs = values.filter(|value| counts(std::mem::replace(&mut before, *value), *value));
    pairs.count() as f64
}

/// Growth from `start` over the samples; a fall is a counter that began
/// again from nothing. `rises`: it is known that there is none.
pub(super) fn growth(start: f64, points: Run<'_>, rises: bool) -> f64 {
    let Some(last) = points.last() else { return 0.0 };
    let mut grown = last.value - start;
    if rises {
        return grown;
    }
    let mut before = start;
    for value in points.values() {
        if value < before {
            grown += before;
        }
        before = value;
    }
    grown
}

/// The growth that the samples show, stretched to the range's ends where a
/// sample is near them (Prometheus 3, `extrapolatedRate`).
fn extrapolated(points: Run<'_>, window: Window, counter: bool) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let rest = points.from(1);
    if rest.is_empty() {
        return None;
    }
    let grown =
        if counter { growth(first.value, rest, window.rises) } else { last.value - first.value };
    let sampled = last.at.since(first.at).seconds_f64();
    let between = sampled / rest.len() as f64;
    // An end is near when the next sample would have been due at about it.
    let near = between * 1.1;
    let mut to_start = first.at.since(window.from).seconds_f64();
    let mut to_end = window.to.since(last.at).seconds_f64();
    if to_start >= near {
        to_start = between / 2.0;
    }
    if counter && grown > 0.0 && first.value >= 0.0 {
        // A counter cannot have been below zero: no further back than that.
        to_start = to_start.min(sampled * (first.value / grown));
    }
    if to_end >= near {
        to_end = between / 2.0;
    }
    Some(grown * ((sampled + to_start + to_end) / sampled))
}

/// `irate` and `idelta`: the last two samples alone.
fn instant(points: Run<'_>, rate: bool) -> Option<f64> {
    let last = points.last()?;
    let before = points.point(points.len().checked_sub(2)?);
    let reset = rate && last.value < before.value;
    let grown = if reset { last.value } else { last.value - before.value };
    let passed = last.at.since(before.at).seconds_f64();
    Some(if rate { grown / passed } else { grown })
}

/// The line of least squares: slope a second, and its value at `zero`.
fn line(points: Run<'_>, zero: Timestamp) -> (f64, f64) {
    let level = points.point(0).value;
    if points.values().all(|value| value == level) {
        return if level.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, level) };
    }
    let n = points.len() as f64;
    let (mut x, mut y, mut xy, mut xx) =
        (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for point in points.iter() {
        let at = point.at.since(zero).seconds_f64();
        x = x.add(at);
        y = y.add(point.value);
        xy = xy.add(at * point.value);
        xx = xx.add(at * at);
    }
    let full = |sum: Sum| sum.value + sum.lost;
    let (x, y, xy, xx) = (full(x), full(y), full(xy), full(xx));
    let slope = (xy - x * y / n) / (xx - x * x / n);
    (slope, y / n - slope * x / n)
}
