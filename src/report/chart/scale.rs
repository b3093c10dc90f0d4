//! Axes: how far they reach, and where their few readable ticks stand.

use crate::metrics::Unit;
use crate::model::{DAY, HOUR, MINUTE, Span, Timestamp};
use crate::record::BoundLine;
use crate::report::show;

/// A bound is drawn when it is at most this many times the largest value;
/// beyond that it would press the course flat, and is told in words.
const STRETCH_MAX: f64 = 4.0;

/// The value axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Values {
    /// Its lower end.
    pub low: f64,
    /// Its upper end, greater than `low`.
    pub high: f64,
    /// Ticks within, rising.
    pub ticks: Vec<f64>,
}

impl Values {
    /// For these values and bounds. Zero is always on it: a course that is cut
    /// off below looks like more than it is.
    pub fn of(unit: Unit, values: impl Iterator<Item = f64>, bounds: &[BoundLine]) -> Values {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for value in values.filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        let lines = || bounds.iter().map(|line| line.value.0).filter(|value| value.is_finite());
        if low == 0.0 && high == 0.0 {
            // All is zero, so the nearest bound gives the measure.
            high = lines().filter(|value| *value > 0.0).reduce(f64::min).unwrap_or(1.0);
        }
        let (least, most) = (low, high);
        for line in lines() {
            if (0.0..=most * STRETCH_MAX).contains(&line) {
                high = high.max(line);
            } else if line < 0.0 && line >= least * STRETCH_MAX {
                low = low.min(line);
            }
        }
        let step = step(unit, high - low);
        let first = (low / step).floor();
        let last = (high * 1.04 / step).ceil().max(first + 1.0);
        let count = (last - first).min(20.0) as i64;
        let ticks = (0..=count).map(|index| (first + index as f64) * step).collect();
        Values { low: first * step, high: last * step, ticks }
    }

    /// Whether a value has a place on it.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// A round step that makes three to five of them.
fn step(unit: Unit, range: f64) -> f64 {
    let mut base = 1.0;
    if unit == Unit::Bytes {
        while range / base >= 1024.0 {
            base *= 1024.0;
        }
    }
    let rough = (range / base / 4.0).max(f64::MIN_POSITIVE * 1e20);
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let nice = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|nice| nice * power >= rough * 0.999);
    let step = nice.unwrap_or(10.0) * power * base;
    if unit == Unit::Count && step < 1.0 { 1.0 } else { step }
}

/// Steps of the time axis, each a divisor of a day or whole days.
const STEPS: [Span; 11] = [
    MINUTE,
    Span::from_secs(5 * 60),
    Span::from_secs(10 * 60),
    Span::from_secs(30 * 60),
    HOUR,
    Span::from_secs(2 * 3600),
    Span::from_secs(4 * 3600),
    Span::from_secs(6 * 3600),
    Span::from_secs(12 * 3600),
    DAY,
    Span::from_secs(7 * 86_400),
];

/// Ticks of the time axis with their labels: hours, and the date at midnight.
pub fn times(from: Timestamp, to: Timestamp) -> Vec<(Timestamp, String)> {
    let whole = to.since(from);
    let fits = |step: &&Span| whole.millis() / step.millis() <= 8;
    let step = STEPS.iter().find(fits).copied().unwrap_or(whole / 6);
    let mut at = (from - Span::from_millis(1)).next_on_grid(Timestamp::default(), step);
    let mut ticks = Vec::new();
    while at <= to && ticks.len() <= 10 {
        let is_midnight = at.millis().rem_euclid(DAY.millis()) == 0;
        let form = if step >= DAY || is_midnight { "%-d %b" } else { "%H:%M" };
        ticks.push((at, show::strftime(at, form)));
        let next = at + step;
        if next <= at {
            break; // at the end of what a timestamp holds
        }
        at = next;
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    fn line(value: f64) -> BoundLine {
        BoundLine {
            rule: "R".into(),
            severity: Severity::Critical,
            value: value.into(),
            above: true,
        }
    }

    fn reach(unit: Unit, values: &[f64], bounds: &[f64]) -> (f64, f64) {
        let lines: Vec<BoundLine> = bounds.iter().map(|bound| line(*bound)).collect();
        let axis = Values::of(unit, values.iter().copied(), &lines);
        (axis.low, axis.high)
    }

    #[test]
    fn takes_in_a_bound_that_is_near_and_leaves_out_one_that_is_far() {
        assert_eq!(reach(Unit::Ratio, &[0.02], &[0.05]).1, 0.06);
        assert_eq!(reach(Unit::Seconds, &[1.0], &[5.0]).1, 1.25);
    }

    #[test]
    fn measures_a_course_of_zeros_by_its_nearest_bound() {
        assert!(reach(Unit::Ratio, &[0.0, 0.0], &[0.05, 0.01]).1 < 0.02);
        assert!(reach(Unit::Ratio, &[], &[]).1 > 0.0);
    }

    #[test]
    fn stands_ticks_on_round_values_in_the_units_own_steps() {
        let gib = 1024.0 * 1024.0 * 1024.0;
        let axis = Values::of(Unit::Bytes, [1.7 * gib].into_iter(), &[]);
        assert_eq!(axis.ticks, [0.0, 0.5 * gib, gib, 1.5 * gib, 2.0 * gib]);
        let axis = Values::of(Unit::Count, [2.0].into_iter(), &[]);
        assert_eq!(axis.ticks, [0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn names_the_day_at_midnight_and_the_hour_elsewhere() {
        let from: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
        let labels = |span| {
            let ticks = times(from, from + span);
            ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(labels(DAY), "12:00 16:00 20:00 25 Nov 04:00 08:00");
        assert_eq!(labels(7 * DAY), "25 Nov 26 Nov 27 Nov 28 Nov 29 Nov 30 Nov 1 Dec");
        assert_eq!(labels(30 * MINUTE), "09:00 09:05 09:10 09:15 09:20 09:25 09:30");
    }
}
