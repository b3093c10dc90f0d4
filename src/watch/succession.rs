//! One release after another: the watch of the one before ends with a short
//! summary, and what burns goes on under the next.

use std::collections::BTreeSet;

use super::Watch;
use crate::check::{Step, StepResult};
use crate::model::{Name, Silence, Timestamp};
use crate::notify::Untold;
use crate::record::{Ending, Fact, Handed, Plan};
use crate::report;

/// What the watches of earlier releases still have to tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Left {
    /// Channels that have a letter coming: the end of an incident is not told
    /// before its beginning.
    pub letters_to: BTreeSet<Name>,
    /// Criticals that burn here now, and that a channel has not heard of yet.
    pub untold: Vec<Untold>,
}

impl Watch {
    /// A newer release takes this one's place. Nothing is observed from here
    /// on; a suite that was cut short still cleans up, and then the watch ends.
    pub(super) fn supersede(&mut self, now: Timestamp, by: Name, heir: Option<&Plan>) {
        if self.record.ended.is_some() || self.record.succession.by.is_some() {
            return;
        }
        if self.is_observing() {
            // A window's end may have passed while nobody was there to see it.
            self.close_windows(now);
            if self.record.ended.is_some() {
                return;
            }
            self.flush(now, now);
        }
        let is_in_suite = self.is_observing();
        let handed = heir.map_or_else(Vec::new, |heir| self.record.to_hand_on(heir));
        self.note(now, Fact::Superseded { by, handed });
        if is_in_suite {
            self.interrupt_smoke(now);
        }
    }

    /// A step that might yet have passed has not failed because another
    /// release came.
    pub(super) fn unless_cut_short(&self, step: &Step, result: StepResult) -> StepResult {
        let Some((by, _)) = self.record.succession.by.as_ref().filter(|_| !step.cleanup) else {
            return result;
        };
        if !result.has_failed() {
            return result;
        }
        let tries = result.attempts;
        let why = format!("superseded by {by} while it was tried again ({tries} failed)");
        StepResult { misses: result.misses, ..StepResult::skipped(step, why) }
    }

    pub(super) fn left(&self) -> &Left {
        &self.left
    }

    /// What those before it still have to tell is another matter now.
    pub(super) fn wait_for(&mut self, left: Left) {
        self.left = left;
        self.tell.look_again();
        self.steps.look_again();
    }

    /// Another release has come, and this watch has not yet ended.
    pub(super) fn is_leaving(&self) -> bool {
        self.record.succession.by.is_some() && self.record.ended.is_none()
    }

    /// One short summary takes the place of those of all windows that are open.
    pub(super) fn close_short(&mut self, now: Timestamp) {
        let Some((by, _)) = self.record.succession.by.clone() else { return };
        if let Some(summary) = report::closing(&self.record, now) {
            let (window, summary) = (summary.window.clone(), Box::new(summary));
            self.note(now, Fact::WindowClosed { window, summary });
        }
        self.note(now, Fact::Ended { reason: Ending::Superseded { by } });
    }

    /// What the watch of an earlier release handed on burns here, once.
    pub(super) fn inherit(
        &mut self,
        now: Timestamp,
        from: Name,
        alerts: Vec<Handed>,
        silences: Vec<Silence>,
    ) {
        let is_known = self.record.succession.before.contains(&from);
        if !is_known && self.record.ended.is_none() {
            self.note(now, Fact::Inherited { from, alerts, silences });
        }
    }
}
