//! How often the world is asked: as often as the fastest open window wants,
//! and for a while more often, where that is worth it: right after the
//! release, while an alert is pending, and when failures rise.

use super::Watch;
use crate::judge::{Phase, Strain};
use crate::model::{MINUTE, SECOND, Span, Timestamp};

/// Right after the opening, when most releases that fail do fail.
const EAGER_FIRST: Span = Span::from_millis(MINUTE.millis());

/// However long something is pending or rises, nobody is asked more often for
/// longer than this at a stretch: a service in trouble needs no more load.
const EAGER_MAX: Span = Span::from_millis(5 * MINUTE.millis());

/// How much more often.
const EAGER_TIMES: i64 = 3;

/// Nobody is asked more often than this because of eagerness alone.
const EAGER_LEAST: Span = SECOND;

/// Failures are worth a closer look from this share of what a rule allows ...
const STRAIN_MIN: f64 = 0.5;

/// ... when it has grown by this much since the last look ...
const STRAIN_STEP: f64 = 0.25;

/// ... and by so many times what chance moves it by: a service that always has
/// some wavers by less, however few they are.
const NOISE_TIMES: f64 = 3.0;

/// For so many intervals one sign of trouble keeps us eager.
const EAGER_INTERVALS: i64 = 4;

/// A stretch of eagerness.
#[derive(Clone, Copy, Default)]
pub(super) struct Pace {
    stretch: Option<(Timestamp, Timestamp)>,
}

/// Whether failures rise, by how much of what a rule allows they used up at
/// the last look and at this one. Beyond the bound itself an alert is pending.
pub(super) fn is_rising(before: f64, after: Strain) -> bool {
    let step = STRAIN_STEP.max(NOISE_TIMES * after.noise);
    (STRAIN_MIN..1.0).contains(&after.used) && after.used - before >= step
}

impl Watch {
    /// How often targets are asked by the plan: as often as the fastest open
    /// window wants. The grid of measurements goes by it.
    pub(super) fn interval(&self, now: Timestamp) -> Span {
        let age = now.since(self.record.release.at);
        let windows = &self.record.plan.windows;
        let open = windows.iter().filter(|window| age < window.length);
        let last = windows.last().expect("a plan has a window").every;
        open.map(|window| window.every).min().unwrap_or(last)
    }

    /// How often targets are asked now.
    pub(super) fn pace(&self, now: Timestamp) -> Span {
        let interval = self.interval(now);
        let is_new = now.since(self.record.opened_at) < EAGER_FIRST;
        let is_eager = self.pace.stretch.is_some_and(|(_, until)| now < until);
        if !is_new && !is_eager {
            return interval;
        }
        (interval / EAGER_TIMES).max(EAGER_LEAST).min(interval)
    }

    /// Whether alerts that are pending, or failures that rise, ask for a closer
    /// look.
    pub(super) fn mind(&mut self, now: Timestamp, is_rising: bool) {
        let is_pending = self.record.alerts.values().any(
            |alert| matches!(alert.phase, Phase::Pending { since } if now.since(since) < EAGER_MAX),
        );
        if !is_pending && !is_rising {
            return;
        }
        let until = now + EAGER_INTERVALS * self.interval(now);
        match &mut self.pace.stretch {
            Some((since, known)) if now < *known => {
                *known = until.min(*since + EAGER_MAX).max(*known);
            }
            stretch => {
                *stretch = Some((now, until));
                self.hurry(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of this many requests so many failed, where a hundredth may.
    fn strain(failed: f64, all: f64) -> Strain {
        Strain { used: failed / all / 0.01, noise: failed.sqrt() / all / 0.01 }
    }

    #[test]
    fn failures_rise_when_more_than_chance_moves_them() {
        let rows = [
            // before, failed, of, is rising
            (0.0, 30.0, 6000.0, true),
            (0.4, 45.0, 6000.0, true),
            (0.6, 45.0, 6000.0, false), // by too little
            (0.0, 10.0, 6000.0, false), // far from the bound
            (0.0, 61.0, 6000.0, false), // beyond it: something is pending
            (0.0, 2.0, 500.0, false),   // two of five hundred may be chance
            (0.0, 80.0, 10_000.0, true),
        ];
        for (before, failed, all, expected) in rows {
            assert_eq!(is_rising(before, strain(failed, all)), expected, "{before} {failed}/{all}");
        }
    }
}
