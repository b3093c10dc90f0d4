//! A smoke run, step after step: when to try again, when to go on, when to
//! stop. Who sends the requests and knows the time is somebody else.

use super::judged::{HALT_IF, is_unasked};
use super::{Judged, Memory, Miss, Step, StepResult, StepState, judge};
use crate::model::{Exchange, Failure, MILLISECOND, Name, Span, Timestamp};

/// A step under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Running {
    /// Its place in the suite.
    pub step: usize,
    /// Tries that have ended.
    pub attempts: u32,
    /// When the first try was due; the retry deadline counts from here.
    pub started: Timestamp,
    /// When the next try is due.
    pub next_at: Timestamp,
    /// What did not hold in the last try.
    pub misses: Vec<Miss>,
}

/// What an answer leads to.
#[derive(Clone, PartialEq, Debug)]
pub enum Progress {
    /// Try again, at its `next_at`.
    Again(Running),
    /// The step has ended.
    Done(StepResult),
}

/// What is to be done next in a suite.
#[derive(Clone, PartialEq, Debug)]
pub enum Next {
    /// Try this step, the one after those that have a result.
    Try(Box<Step>),
    /// It is not tried; this is its result.
    Skip(Box<StepResult>),
    /// Every step has a result.
    Over,
}

/// Starts a step: its first try is due now.
pub fn begin(step: usize, now: Timestamp) -> Running {
    Running { step, attempts: 0, started: now, next_at: now, misses: Vec::new() }
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
        Some(next_at) if !judged.is_pass() && !judged.halts => {
            Progress::Again(Running { next_at, misses: judged.misses, ..running })
        }
        _ => Progress::Done(result(step, running, reply, judged, now)),
    }
}

/// When a failed step is tried again; `None`: not any more.
fn next_try(step: &Step, running: &Running, now: Timestamp) -> Option<Timestamp> {
    if !step.asserts() || step.retry.deadline <= Span::ZERO {
        return None; // what asserts nothing cannot pass later either
    }
    // At least the clock's unit: a run must not stand still in one instant.
    let next_at = now + step.retry.interval.max(MILLISECOND);
    (next_at <= running.started + step.retry.deadline).then_some(next_at)
}

fn result(
    step: &Step,
    running: Running,
    reply: &Result<Exchange, Failure>,
    judged: Judged,
    now: Timestamp,
) -> StepResult {
    let elapsed = match reply {
        Ok(exchange) => exchange.elapsed,
        Err(_) => now.since(running.next_at).max(Span::ZERO),
    };
    let is_pass = judged.is_pass();
    StepResult {
        step: step.name.clone(),
        // What halts the suite fails the release, whatever the step was.
        must: step.must || judged.halts,
        state: if is_pass { StepState::Passed } else { StepState::Failed },
        attempts: running.attempts,
        elapsed,
        misses: judged.misses,
        earlier: if is_pass { running.misses } else { Vec::new() },
        why: String::new(),
        cleanup: step.cleanup,
    }
}

/// A step whose next try does not come any more: the run was asked to stop.
/// `None`: it was never tried.
pub fn given_up(step: &Step, running: Running, now: Timestamp) -> Option<StepResult> {
    if running.attempts == 0 {
        return None;
    }
    let result = StepResult::skipped(step, String::new());
    let elapsed = now.since(running.started).max(Span::ZERO);
    let (attempts, misses) = (running.attempts, running.misses);
    Some(StepResult { state: StepState::Failed, attempts, elapsed, misses, ..result })
}

/// What comes after these results. A `must` that failed ends the suite, and so
/// does an interruption; cleanup steps, which stand at its end, are tried all
/// the same. A step that needs a value which nobody captured is skipped.
pub fn next(steps: &[Step], results: &[StepResult], memory: &Memory) -> Next {
    let Some(step) = steps.get(results.len()) else { return Next::Over };
    let skip = |why: String| Next::Skip(Box::new(StepResult::skipped(step, why)));
    let ended = results.iter().find(|result| result.must && result.has_failed());
    match ended {
        Some(by) if !step.cleanup => return skip(why_ended(by)),
        _ if !step.cleanup && memory.is_interrupted => return skip(INTERRUPTED.to_owned()),
        _ => {}
    }
    if let Some(name) = memory.missing(step) {
        return skip(why_missing(&name, steps, results));
    }
    match memory.ready(step) {
        Ok(ready) => Next::Try(Box::new(ready)),
        Err(why) => skip(why),
    }
}

const INTERRUPTED: &str = "interrupted";

/// Empty for a `must` that failed, which is what a skip means by itself.
fn why_ended(by: &StepResult) -> String {
    let halted = by.misses.first().is_some_and(|miss| miss.assertion.starts_with(HALT_IF));
    if halted { format!("halted by {:?}", by.step.as_str()) } else { String::new() }
}

fn why_missing(name: &Name, steps: &[Step], results: &[StepResult]) -> String {
    if name.as_str() == "release" {
        return "`release` is not known here; give --release".to_owned();
    }
    let source = steps.iter().zip(results).rev().find(|(step, _)| step.capture.contains_key(name));
    let Some((step, result)) = source else { return format!("`{name}` was not captured") };
    let why = match result.state {
        StepState::Passed => "before a restart, which it did not outlive",
        StepState::Failed => "which failed",
        StepState::Skipped => "which was skipped",
    };
    format!("`{name}` comes of {:?}, {why}", step.name.as_str())
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
    let any_should = steps.iter().any(|step| !step.must && !step.cleanup);
    Passed {
        tried,
        musts: if tried == 0 { None } else { all_passed(results, steps, true) },
        shoulds: if any_should { all_passed(results, steps, false) } else { None },
    }
}

fn all_passed(results: &[StepResult], steps: &[Step], must: bool) -> Option<bool> {
    let of_kind = || results.iter().filter(|result| result.must == must && !result.cleanup);
    if of_kind().any(|result| result.state == StepState::Failed && is_evidence(result)) {
        return Some(false);
    }
    let passed = of_kind().filter(|result| result.state == StepState::Passed).count();
    let wanted = steps.iter().filter(|step| step.must == must && !step.cleanup).count();
    (passed == wanted).then_some(true)
}

/// Whether a result says something about the service.
fn is_evidence(result: &StepResult) -> bool {
    result.state != StepState::Skipped && !result.cleanup && !is_unasked(&result.misses)
}

#[cfg(test)]
mod tests;
