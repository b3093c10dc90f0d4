//! A smoke run, step after step: when to try again, when to go on, when to
//! stop. Who sends the requests and knows the time is somebody else.

use super::judged::is_unasked;
use super::{Judged, Step, StepResult, StepState, judge};
use crate::model::{Exchange, Failure, MILLISECOND, Span, Timestamp};

/// A step under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Running {
    /// Its place in the suite.
    pub step: usize,
    /// Tries that have ended.
    pub attempts: u32,
    /// When the first try was due; the retry deadline counts from here.
    pub started: Timestamp,
    /// When the next try is due.
    pub next_at: Timestamp,
}

/// What an answer leads to.
#[derive(Clone, PartialEq, Debug)]
pub enum Progress {
    /// Try again, at its `next_at`.
    Again(Running),
    /// The step has ended.
    Done(StepResult),
}

/// What the end of a step leads to.
#[derive(Clone, PartialEq, Debug)]
pub enum Advance {
    /// The next step is due.
    Next(Running),
    /// The suite has ended; these steps were skipped.
    Over(Vec<StepResult>),
}

/// Starts a step: its first try is due now.
pub fn begin(step: usize, now: Timestamp) -> Running {
    Running { step, attempts: 0, started: now, next_at: now }
}

/// Takes the answer to a try. A failed try is repeated as long as the next one
/// can start within the retry deadline.
pub fn heard(
    step: &Step,
    running: Running,
    reply: &Result<Exchange, Failure>,
    now: Timestamp,
) -> Progress {
    let judged = judge(step, reply);
    let attempts = running.attempts + 1;
    let running = Running { attempts, ..running };
    match next_try(step, &running, now) {
        Some(next_at) if !judged.is_pass() => Progress::Again(Running { next_at, ..running }),
        _ => Progress::Done(result(step, &running, reply, judged, now)),
    }
}

/// When a failed step is tried again; `None`: not any more.
fn next_try(step: &Step, running: &Running, now: Timestamp) -> Option<Timestamp> {
    if step.expect.is_empty() || step.retry.deadline <= Span::ZERO {
        return None; // what asserts nothing cannot pass later either
    }
    // At least the clock's unit: a run must not stand still in one instant.
    let next_at = now + step.retry.interval.max(MILLISECOND);
    (next_at <= running.started + step.retry.deadline).then_some(next_at)
}

fn result(
    step: &Step,
    running: &Running,
    reply: &Result<Exchange, Failure>,
    judged: Judged,
    now: Timestamp,
) -> StepResult {
    let elapsed = match reply {
        Ok(exchange) => exchange.elapsed,
        Err(_) => now.since(running.next_at).max(Span::ZERO),
    };
    StepResult {
        step: step.name.clone(),
        must: step.must,
        state: if judged.is_pass() { StepState::Passed } else { StepState::Failed },
        attempts: running.attempts,
        elapsed,
        misses: judged.misses,
    }
}

/// What comes after step `index` of `steps` has ended as `result`: a `must`
/// that did not pass skips the rest, a `should` goes on.
pub fn advance(steps: &[Step], index: usize, result: &StepResult, now: Timestamp) -> Advance {
    let rest = steps.get(index + 1..).unwrap_or_default();
    let goes_on = !result.must || result.state == StepState::Passed;
    if goes_on && !rest.is_empty() {
        return Advance::Next(begin(index + 1, now));
    }
    Advance::Over(skipped(rest))
}

/// The results of steps that are not tried, since a `must` before them failed.
pub fn skipped(rest: &[Step]) -> Vec<StepResult> {
    rest.iter()
        .map(|step| StepResult {
            step: step.name.clone(),
            must: step.must,
            state: StepState::Skipped,
            attempts: 0,
            elapsed: Span::ZERO,
            misses: Vec::new(),
        })
        .collect()
}

/// What a suite amounts to. Each answer is `None` where there is no evidence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passed {
    /// Steps that were really tried.
    pub tried: u32,
    /// Whether every `must` passed; `None`: nothing was tried, or one of them
    /// has no result, or could not be asked by our own fault.
    pub musts: Option<bool>,
    /// The same of every `should`; also `None` when there is none.
    pub shoulds: Option<bool>,
}

/// Sums a suite up. A `must` failure is a failure however little else is known.
pub fn passed(results: &[StepResult], steps: &[Step]) -> Passed {
    let tried = results.iter().filter(|result| is_evidence(result)).count() as u32;
    let any_should = steps.iter().any(|step| !step.must);
    Passed {
        tried,
        musts: if tried == 0 { None } else { all_passed(results, steps, true) },
        shoulds: if any_should { all_passed(results, steps, false) } else { None },
    }
}

fn all_passed(results: &[StepResult], steps: &[Step], must: bool) -> Option<bool> {
    let of_kind = || results.iter().filter(|result| result.must == must);
    if of_kind().any(|result| result.state == StepState::Failed && is_evidence(result)) {
        return Some(false);
    }
    let passed = of_kind().filter(|result| result.state == StepState::Passed).count();
    (passed == steps.iter().filter(|step| step.must == must).count()).then_some(true)
}

/// Whether a result says something about the service.
fn is_evidence(result: &StepResult) -> bool {
    result.state != StepState::Skipped && !is_unasked(&result.misses)
}

#[cfg(test)]
mod tests;
