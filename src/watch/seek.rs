//! Where health is asked, when nobody said: the checklist's path first, and
//! while that has never worked, the paths of other customs. A service that is
//! asked in the wrong place is not down.

use super::Watch;
use super::flight::Asked;
use crate::check::paths::{KNOWN, guessed_wrong, is_elsewhere};
use crate::model::{Exchange, Failure, Timestamp};
use crate::record::{Fact, Found, Record};

/// The search, and where it stands.
pub(super) struct Seek {
    is_over: bool,
    /// Which of the known customs is being tried.
    row: usize,
    /// Who is asked: the target that first said that it has no such path.
    target: Option<usize>,
}

impl Seek {
    pub fn new(record: &Record) -> Seek {
        let was_up = record.targets.values().any(|target| target.health.is_up() == Some(true));
        let is_over = was_up || record.found.is_some() || !record.plan.is_guess("health");
        Seek { is_over, row: 0, target: None }
    }
}

impl Watch {
    /// Takes a probe's answer, if it only says that health is told elsewhere:
    /// then it is no sample, and the next path is asked.
    pub(super) fn seek(
        &mut self,
        now: Timestamp,
        target: usize,
        reply: &Result<Exchange, Failure>,
    ) -> bool {
        let Ok(Exchange { status, .. }) = reply else { return false };
        if self.seek.is_over {
            return false;
        }
        let elsewhere = is_elsewhere(*status);
        if !elsewhere && self.seek.row == 0 {
            // A path that works is no guess any more; a 503 may be a proxy's.
            self.seek.is_over = (200..300).contains(status);
            return false;
        }
        if *self.seek.target.get_or_insert(target) != target {
            self.look.ask_again(target, now);
            return elsewhere; // another's search is under way
        }
        if !elsewhere {
            self.follow(now, Found::of(&KNOWN[self.seek.row]));
            return false; // and this answer counts
        }
        if self.seek.row + 1 < KNOWN.len() {
            self.seek.row += 1;
            self.look.ask_at(target, KNOWN[self.seek.row].health, now);
            return true;
        }
        self.seek.row = 0;
        self.look.ask_at(target, KNOWN[0].health, now);
        if self.look.targets[target].has_shown {
            // What answers a scrape is there all the same.
            let metrics = Some(KNOWN[0].metrics.to_owned());
            self.follow(now, Found { metrics, ..Found::default() });
            return true;
        }
        if self.flight.has(&Asked::Scrape { target }) {
            self.look.ask_again(target, now);
            return true;
        }
        false
    }

    fn follow(&mut self, now: Timestamp, found: Found) {
        self.seek.is_over = true;
        self.note(now, Fact::Found(found));
        self.look.follow(&self.record);
    }

    /// Leaves out a step that nobody asked for, when the service says that it
    /// has no such endpoint: that is no failure of the release.
    pub(super) fn drop_guess(
        &mut self,
        now: Timestamp,
        index: usize,
        reply: &Result<Exchange, Failure>,
    ) -> bool {
        let step = &self.record.plan.smoke[index];
        if !self.record.plan.is_guess(step.name.as_str()) {
            return false;
        }
        let Some(reason) = guessed_wrong(step, reply) else { return false };
        let step = step.name.clone();
        self.note(now, Fact::Dropped { step, reason });
        true
    }
}
