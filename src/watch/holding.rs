//! Alerts that nobody is told of: held back when they fire, told when the
//! reason ends, and what comes and goes told once.

use super::Watch;
use crate::judge::Phase;
use crate::model::{Span, Timestamp};
use crate::record::{AlertKey, AlertRecord, Fact};

/// A parent's children end later than it does, by as many looks.
const GRACE_INTERVALS: i64 = 2;

/// What need not be looked at again.
#[derive(Default)]
pub(super) struct Holding {
    /// The record's last fact at the last look.
    seq: u64,
    /// When a reason may end without one.
    due: Option<Timestamp>,
}

impl Holding {
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }
}

impl Watch {
    /// Before an alert's turn is noted: whether it comes and goes, or is to be held
    /// back.
    pub(super) fn hold_back(&mut self, now: Timestamp, key: &AlertKey, next: Phase) {
        let known = self.record.alerts.get(key);
        let was_firing = known.is_some_and(|alert| alert.phase.is_firing());
        let is_told = known.is_some_and(|alert| alert.told);
        let AlertKey { rule, labels } = key.clone();
        if was_firing || !next.is_firing() {
            return;
        }
        if known.is_some_and(|alert| alert.would_flap(now)) {
            let (rule, labels) = (rule.clone(), labels.clone());
            self.note(now, Fact::Flapping { rule, labels, on: true });
        }
        if !is_told {
            let parents = self.record.parents(now, self.grace(now));
            if let Some(why) = self.record.why_held(key, &parents, now) {
                self.note(now, Fact::Held { rule, labels, why });
            }
        }
    }

    /// Tells what is held back by nothing any more, and what is steady again.
    pub(super) fn mind_holds(&mut self, now: Timestamp) {
        let is_due = self.holding.due.is_some_and(|at| at <= now);
        if self.holding.seq == self.record.seq && !is_due {
            return;
        }
        let steady = |alert: &AlertRecord| alert.steady_at().is_some_and(|at| at <= now);
        for AlertKey { rule, labels } in self.alerts_with(steady) {
            self.note(now, Fact::Flapping { rule, labels, on: false });
        }
        let held = self.alerts_with(|alert| alert.held.is_some());
        if held.is_empty() {
            self.holding = Holding { seq: self.record.seq, due: self.next_review(now) };
            return;
        }
        let parents = self.record.parents(now, self.grace(now));
        let mut is_any_in_doubt = false;
        for key in held {
            // One after another: of two that explain each other one is told.
            let why = self.record.why_held(&key, &parents, now);
            let is_same = self.record.alerts[&key].held == why;
            // Calm by now: it is told if it breaks again, and not for its last minutes.
            // After a restart nobody has looked yet whether it still burns.
            let is_in_doubt = self.is_recovering(&key) || !self.look.is_acquainted();
            if is_same || why.is_none() && is_in_doubt {
                is_any_in_doubt |= !is_same;
                continue;
            }
            let AlertKey { rule, labels } = key;
            match why {
                Some(why) => self.note(now, Fact::Held { rule, labels, why }),
                None => self.note(now, Fact::Freed { rule, labels }),
            }
        }
        // A doubt may end without a fact.
        let seq = if is_any_in_doubt { 0 } else { self.record.seq };
        self.holding = Holding { seq, due: self.next_review(now) };
    }

    fn is_recovering(&self, key: &AlertKey) -> bool {
        let known = self.record.alerts.get(key);
        known.is_some_and(|alert| matches!(alert.phase, Phase::Recovering { .. }))
    }

    fn alerts_with(&self, is_it: impl Fn(&AlertRecord) -> bool) -> Vec<AlertKey> {
        let found = self.record.alerts.iter().filter(|(_, alert)| is_it(alert));
        found.map(|(key, _)| key.clone()).collect()
    }

    fn next_review(&self, now: Timestamp) -> Option<Timestamp> {
        let grace = self.grace(now);
        let alerts = self.record.alerts.values();
        let ends = alerts.flat_map(|alert| {
            let held = self.record.held_until(alert, now, grace);
            held.into_iter().chain(alert.steady_at())
        });
        ends.filter(|at| *at > now).min()
    }

    fn grace(&self, now: Timestamp) -> Span {
        GRACE_INTERVALS * self.interval(now)
    }
}
