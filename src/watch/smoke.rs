//! The smoke suite's place in a watch: after the settle grace, once, in order.

use std::sync::Arc;

use super::flight::{Asked, Due};
use super::{Question, Watch};
use crate::check::{self, Advance, Progress, Running};
use crate::model::{Exchange, Failure, Timestamp};
use crate::record::Fact;

/// The step that is being tried, if any. Steps that have ended are facts.
#[derive(Default)]
pub(super) struct Smoke {
    running: Option<Running>,
}

impl Watch {
    /// Ends the settle grace: something answers, or it has lasted long enough.
    pub(super) fn settle(&mut self, now: Timestamp) {
        if self.record.settled.is_some() {
            return;
        }
        let answered = self.look.has_anything_answered();
        let over = now.since(self.record.opened_at) >= self.record.plan.settle;
        if answered || over {
            self.note(now, Fact::Settled { answered });
        }
    }

    pub(super) fn ask_smoke(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        if self.record.settled.is_none() || self.record.is_smoke_done() {
            return;
        }
        let step = self.record.smoke.len();
        let running = self.smoke.running.get_or_insert_with(|| check::begin(step, now));
        if running.next_at <= now && !self.flight.has(&Asked::Smoke) {
            let request = Arc::new(self.record.plan.smoke[step].request.clone());
            let timeout = request.timeout;
            due.push(Due {
                asked: Asked::Smoke,
                question: Question::Smoke { step, request },
                timeout,
            });
        }
    }

    pub(super) fn next_smoke(&self) -> Option<Timestamp> {
        if self.record.settled.is_none() {
            return Some(self.record.opened_at + self.record.plan.settle);
        }
        let waiting = !self.record.is_smoke_done() && !self.flight.has(&Asked::Smoke);
        waiting.then(|| self.smoke.running.as_ref().map_or(self.record.at, |r| r.next_at))
    }

    pub(super) fn hear_smoke(&mut self, now: Timestamp, reply: &Result<Exchange, Failure>) {
        let Some(running) = self.smoke.running.take() else { return };
        let index = self.record.smoke.len();
        if self.drop_guess(now, index, reply) {
            return;
        }
        match check::heard(&self.record.plan.smoke[index], running, reply, now) {
            Progress::Again(running) => self.smoke.running = Some(running),
            Progress::Done(result) => {
                let next = check::advance(&self.record.plan.smoke, index, &result, now);
                self.note(now, Fact::Smoked(result));
                self.expect_counted(now, index);
                match next {
                    Advance::Next(running) => self.smoke.running = Some(running),
                    Advance::Over(skipped) => {
                        for result in skipped {
                            self.note(now, Fact::Smoked(result));
                        }
                    }
                }
            }
        }
    }
}
