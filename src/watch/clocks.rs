//! Clocks that differ. All is judged by ours; where a target's shows another
//! time that is told once, since its logs and its samples' own times are off.

use super::Watch;
use crate::check::Shown;
use crate::metrics::{AHEAD_MAX, LOOKBACK, Page};
use crate::model::{Exchange, SECOND, Span, Timestamp};

/// An answer may have been under way for some seconds, and a health that is
/// kept for ten says an older time.
const APART_MAX: Span = Span::from_millis(30 * SECOND.millis());

const CLOCK: &str = "clock";

impl Watch {
    /// By the `Date` of an answer, or by the time that a health tells and that
    /// moves. What a cache gives out is of an earlier time, and says so.
    pub(super) fn compare_clocks(
        &mut self,
        now: Timestamp,
        target: usize,
        exchange: &Exchange,
        shown: &Shown,
    ) {
        if exchange.header("age").is_some() {
            return;
        }
        let told = || {
            let theirs: Timestamp = shown.pulses[0].as_deref()?.trim_matches('"').parse().ok()?;
            // One that stands still, or is set back, is no clock.
            let before = self.look.targets[target].vitals.time()?;
            (before < theirs).then_some(theirs)
        };
        let date = exchange.header("date").and_then(Timestamp::from_http_date);
        let Some(theirs) = date.or_else(told) else { return };
        let ahead = theirs.since(now);
        let (apart, side) = match ahead < Span::ZERO {
            true => (now.since(theirs), "behind"),
            false => (ahead, "ahead of"),
        };
        if apart > APART_MAX + exchange.elapsed {
            // In whole seconds: a date has no more.
            let apart = Span::from_secs(apart.millis() / 1000);
            let detail = format!("its clock is {apart} {side} ours; all is judged by ours");
            self.limit(now, Some(self.target_name(target)), CLOCK, &detail);
        }
    }

    /// Samples that bear a time of their own which is far from now.
    pub(super) fn compare_stamps(&mut self, now: Timestamp, target: usize, page: &Page) {
        for (what, detail) in far(page, now) {
            self.limit(now, Some(self.target_name(target)), what, &detail);
        }
    }
}

fn far(page: &Page, now: Timestamp) -> Vec<(&'static str, String)> {
    let stamps = || page.stamped.iter().map(|(_, stamp)| *stamp);
    let ahead = stamps().filter(|stamp| stamp.since(now) > AHEAD_MAX).count();
    let old = stamps().filter(|stamp| now.since(*stamp) >= LOOKBACK).count();
    let mut told = Vec::new();
    if ahead > 0 {
        let what =
            format!("{ahead} samples bear a time more than {AHEAD_MAX} ahead; such are dropped");
        told.push(("samples-ahead", what));
    }
    if old > 0 {
        let what = format!(
            "{old} samples are {LOOKBACK} old or more by their own time; such do not stand for now"
        );
        told.push(("samples-old", what));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_of_samples_that_are_far_from_now_by_their_own_time() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let told = |apart: &[i64]| -> Vec<String> {
            let stamp = |secs: &i64| (0, now + Span::from_secs(*secs));
            let stamped = apart.iter().map(stamp).collect();
            let told = far(&Page { stamped, ..Page::default() }, now);
            told.into_iter().map(|(what, detail)| format!("{what}: {detail}")).collect()
        };
        assert_eq!(told(&[0, 600, -299]), [""; 0]);
        assert_eq!(
            told(&[601, -300, -9000]),
            [
                "samples-ahead: 1 samples bear a time more than 10m ahead; such are dropped",
                "samples-old: 2 samples are 5m old or more by their own time; \
                 such do not stand for now",
            ]
        );
    }
}
