//! What time alone makes due of alerts that fire: reminders, escalation, and
//! another channel in place of one that cannot be reached.

use super::Watch;
use crate::model::Timestamp;
use crate::notify::{self, Untold};

/// When to look again, as long as nothing is noted before.
#[derive(Default)]
pub(super) struct StepClock {
    /// The record's last fact at the last look; 0: there was none.
    looked_at: u64,
    next: Option<Timestamp>,
}

impl StepClock {
    /// Other things may be due.
    pub fn look_again(&mut self) {
        self.looked_at = 0;
    }
}

impl Watch {
    /// Notes what is due. What is told of it goes with this turn's letters.
    pub(super) fn take_steps(&mut self, now: Timestamp) {
        if self.stopping {
            return;
        }
        let is_ripe = self.steps.next.is_some_and(|next| next <= now);
        if self.steps.looked_at == self.record.seq && !is_ripe {
            return;
        }
        let steps = notify::steps(&self.record, &self.left.untold, now);
        let is_any = !steps.due.is_empty();
        for fact in steps.due {
            self.note(now, fact);
        }
        // What is noted may begin another clock.
        self.steps.next = match is_any {
            true => notify::steps(&self.record, &self.left.untold, now).next,
            false => steps.next,
        };
        self.steps.looked_at = self.record.seq;
    }

    pub(super) fn next_step(&self) -> Option<Timestamp> {
        self.steps.next.filter(|_| !self.stopping)
    }

    /// Also for whoever takes this up again after a stop.
    pub(super) fn has_steps_to_come(&self) -> bool {
        self.steps.next.is_some()
    }

    /// What this watch, and those before it, still have to tell of what it
    /// handed on.
    pub(super) fn untold(&self) -> Vec<Untold> {
        let channels = self.record.plan.channels.iter().filter(|channel| self.may_owe(channel));
        let own = channels.flat_map(|channel| notify::untold(&self.record, channel));
        own.chain(self.left.untold.iter().cloned()).collect()
    }

    /// Whether some of this, which earlier releases' watches left untold, may yet
    /// make a channel be told here in place of another.
    pub(super) fn waits_for(&self, untold: &[Untold]) -> bool {
        let is_open = !self.is_done() || self.is_dead();
        is_open && untold.iter().any(|one| notify::may_fall_back(&self.record, one))
    }
}
