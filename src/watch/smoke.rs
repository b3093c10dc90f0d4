//! The smoke suite's place in a watch: after the settle grace, once, in order.

use std::sync::Arc;

use super::flight::{Asked, Due};
use super::{Question, Watch};
use crate::check::{self, Memory, Next, Origin, Progress, Running, Step};
use crate::model::{Exchange, Failure, SECOND, Span, Timestamp, stable_hash};
use crate::record::{Fact, Record};

/// The step that is being tried, if any, and what was captured. Steps that
/// have ended are facts.
pub(super) struct Smoke {
    running: Option<(Running, Box<Step>)>,
    memory: Memory,
}

/// Of a try while a stop is waited for; the loop waits little longer.
const CLEANUP_TIMEOUT_MAX: Span = Span::from_secs(8);

impl Smoke {
    pub fn new(record: &Record) -> Smoke {
        let release = &record.release;
        let origin = Origin {
            run_id: run_id(record),
            header: record.plan.run_header.clone(),
            service: release.service.to_string(),
            release: Some(release.version.to_string()),
        };
        let mut memory = Memory::new(origin);
        // A crash between the two: what can be cleaned up still is.
        memory.is_interrupted = record.succession.by.is_some() && is_cut_short(record);
        Smoke { running: None, memory }
    }
}

/// Names the suite's one run of this watch, the same after a restart: what a
/// test left behind can be found by it.
pub fn run_id(record: &Record) -> String {
    let opened_at = record.opened_at.to_string();
    let watch = record.release.watch().to_string();
    format!("{:016x}", stable_hash(&["smoke", &watch, &opened_at]))
}

/// Some of the suite was tried, some was not, and it cleans up.
fn is_cut_short(record: &Record) -> bool {
    let has_begun = record.settled.is_some() && !record.smoke.is_empty();
    has_begun && !record.is_smoke_done() && record.plan.smoke.iter().any(|step| step.cleanup)
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

    /// Whether the end has to wait for the suite's cleanup: some of the suite
    /// was tried, and what it left behind is to go.
    pub(super) fn is_cleaning(&self) -> bool {
        (self.stopping || self.is_leaving())
            && self.smoke.memory.is_interrupted
            && self.record.ended.is_none()
            && self.record.poisoned.is_none()
            && !self.record.is_smoke_done()
    }

    /// The process is to stop, or another release has come, in the middle of a
    /// suite that cleans up: the question that is out is still heard, for what
    /// it made must be known; then only cleanup is tried. The suite is over
    /// with that.
    pub(super) fn interrupt_smoke(&mut self, now: Timestamp) {
        let begun = self.smoke.running.is_some() || !self.record.smoke.is_empty();
        let cleans = self.record.plan.smoke.iter().any(|step| step.cleanup);
        if !begun || !cleans || self.record.settled.is_none() || self.record.is_smoke_done() {
            return;
        }
        self.smoke.memory.is_interrupted = true;
        if let Some((_, step)) = &mut self.smoke.running {
            step.retry.deadline = Span::ZERO;
        }
        if !self.flight.has(&Asked::Smoke)
            && let Some((running, step)) = self.smoke.running.take()
            && let Some(result) = check::given_up(&step, running, now)
        {
            let result = self.unless_cut_short(&step, result);
            self.note(now, Fact::Smoked(result));
        }
    }

    /// Takes up the next step that can be tried; those that cannot are facts.
    pub(super) fn go_on_with_smoke(&mut self, now: Timestamp) {
        if self.record.settled.is_none() || self.smoke.running.is_some() {
            return;
        }
        loop {
            let steps = &self.record.plan.smoke;
            match check::next(steps, &self.record.smoke, &self.smoke.memory) {
                Next::Try(step) => {
                    let running = check::begin(self.record.smoke.len(), now);
                    self.smoke.running = Some((running, step));
                    return;
                }
                Next::Skip(result) => self.note(now, Fact::Smoked(*result)),
                Next::Over => return,
            }
        }
    }

    pub(super) fn ask_smoke(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        let Some((running, step)) = &self.smoke.running else { return };
        if running.next_at > now || self.flight.has(&Asked::Smoke) {
            return;
        }
        let mut request = step.request.clone();
        if self.smoke.memory.is_interrupted {
            request.timeout = request.timeout.min(CLEANUP_TIMEOUT_MAX).max(SECOND);
        }
        let timeout = request.timeout;
        let question = match &step.ask {
            Some(ask) => {
                Question::Check { name: step.name.clone(), ask: Arc::new(ask.clone()), timeout }
            }
            None => {
                let (tls, request) = (step.looks_at_tls(), Arc::new(request));
                Question::Smoke { step: running.step, request, tls }
            }
        };
        due.push(Due { asked: Asked::Smoke, question, timeout });
    }

    pub(super) fn next_smoke(&self) -> Option<Timestamp> {
        if self.record.settled.is_none() {
            return Some(self.record.opened_at + self.record.plan.settle);
        }
        let (running, _) = self.smoke.running.as_ref()?;
        (!self.flight.has(&Asked::Smoke)).then_some(running.next_at)
    }

    pub(super) fn hear_smoke(&mut self, now: Timestamp, reply: &Result<Exchange, Failure>) {
        let Some((running, step)) = self.smoke.running.take() else { return };
        let place = self.record.plan.smoke.iter().position(|known| known.name == step.name);
        if place.is_some_and(|place| self.drop_guess(now, place, reply)) {
            self.go_on_with_smoke(now);
            return;
        }
        match check::heard(&step, running, reply, now) {
            Progress::Again(running) => self.smoke.running = Some((running, step)),
            Progress::Done(result) => {
                if let (check::StepState::Passed, Ok(exchange)) = (result.state, reply) {
                    self.smoke.memory.learn(&step, exchange);
                }
                let index = self.record.smoke.len();
                let result = self.unless_cut_short(&step, result);
                self.note(now, Fact::Smoked(result));
                self.expect_counted(now, index);
                self.go_on_with_smoke(now);
            }
        }
    }
}
