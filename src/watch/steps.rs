//! What time alone makes due of alerts that fire: reminders, escalation, and
//! another channel in place of one that cannot be reached.

use super::Watch;
use crate::model::Timestamp;
use crate::notify;

/// When to look again, as long as nothing is noted before.
#[derive(Default)]
pub(super) struct StepClock {
    /// The record's last fact at the last look; 0: there was none.
    looked_at: u64,
    next: Option<Timestamp>,
}

impl Watch {
    /// Notes what is due. What is told of it goes with this turn's letters.
    pub(super) fn take_steps(&mut self, now: Timestamp) {
        if !self.is_observing() {
            return;
        }
        let is_ripe = self.steps.next.is_some_and(|next| next <= now);
        if self.steps.looked_at == self.record.seq && !is_ripe {
            return;
        }
        let steps = notify::steps(&self.record, now);
        let is_any = !steps.due.is_empty();
        for fact in steps.due {
            self.note(now, fact);
        }
        // What is noted may begin another clock.
        let next = if is_any { notify::steps(&self.record, now).next } else { steps.next };
        self.steps = StepClock { looked_at: self.record.seq, next };
    }

    pub(super) fn next_step(&self) -> Option<Timestamp> {
        self.steps.next
    }
}
