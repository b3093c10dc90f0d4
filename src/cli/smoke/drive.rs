//! Drives a suite over real HTTP, outside of any watch.

use super::counted::Counted;
use crate::check::paths::guessed_wrong;
use crate::check::{self, Memory, Next, Passed, Progress, Step, StepResult, StepState};
use crate::cli::acquaint;
use crate::daemon::check::try_step;
use crate::daemon::clock::Clock;
use crate::daemon::http::Http;
use crate::daemon::secrets::Secrets;
use crate::daemon::turn::Stops;
use crate::model::{Name, Span};
use crate::record::Plan;

/// How a suite ended.
pub struct Ended {
    /// A result for every step; fewer after a second request to stop.
    pub results: Vec<StepResult>,
    /// What they amount to.
    pub passed: Passed,
    /// Whether somebody asked to stop.
    pub is_interrupted: bool,
}

/// What it takes.
pub struct Drive<'a> {
    pub http: &'a Http,
    pub secrets: &'a Secrets,
    pub clock: &'a Clock,
    pub stops: &'a mut Stops,
    /// Steps that nobody asked for, and that the service does not have.
    pub dropped: Vec<Name>,
}

impl Drive<'_> {
    /// The whole suite of a plan. Where nobody said where health is told, that
    /// is found first; where metrics are, they have to count a real request.
    pub async fn all(&mut self, plan: &mut Plan, mut memory: Memory) -> Ended {
        let (http, secrets) = (self.http, self.secrets);
        let is_guessed = |step: &Step| {
            ["is healthy", "is ready"].contains(&step.name.as_str())
                && plan.is_guess(step.name.as_str())
        };
        let is_sought = plan.smoke.iter().any(is_guessed);
        let opening = async {
            if is_sought {
                acquaint::seek(plan, http, secrets).await;
            }
            Counted::before(plan, http, secrets).await
        };
        let counted = self.stopped(&mut memory, opening).await.flatten();
        let mut results = self.suite(plan, &mut memory).await;
        // What the service does not have counts neither way.
        let is_there = |result: &&StepResult| !self.dropped.contains(&result.step);
        let there: Vec<StepResult> = results.iter().filter(is_there).cloned().collect();
        plan.smoke.retain(|step| !self.dropped.contains(&step.name));
        let mut passed = check::passed(&there, &plan.smoke);
        if let Some(counted) = counted.filter(|counted| counted.is_wanted(&results)) {
            let looking = counted.after(self.clock, http, secrets);
            if let Some(result) = self.stopped(&mut memory, looking).await {
                let has_failed = result.state == StepState::Failed;
                passed.shoulds = if has_failed { Some(false) } else { passed.shoulds };
                results.push(result);
            }
        }
        Ended { results, passed, is_interrupted: memory.is_interrupted }
    }

    /// Tries every step in order. After a request to stop, cleanup alone is
    /// tried; after a second one nothing.
    async fn suite(&mut self, plan: &Plan, memory: &mut Memory) -> Vec<StepResult> {
        let (steps, mut results) = (&plan.smoke, Vec::new());
        loop {
            match check::next(steps, &results, memory) {
                Next::Over => break,
                Next::Skip(result) => results.push(*result),
                Next::Try(step) => {
                    let index = results.len();
                    match self.step(*step, plan, index, memory).await {
                        Some(result) => results.push(result),
                        None if self.stop_count() > 1 => break,
                        None => {} // it is skipped in the next turn
                    }
                }
            }
        }
        results
    }

    fn stop_count(&self) -> u32 {
        *self.stops.borrow()
    }

    /// Tries one step to its end. `None`: given up before any of its tries ended.
    async fn step(
        &mut self,
        mut step: Step,
        plan: &Plan,
        index: usize,
        memory: &mut Memory,
    ) -> Option<StepResult> {
        let mut running = check::begin(index, self.clock.now());
        loop {
            let wait = running.next_at.since(self.clock.now()).max(Span::ZERO).to_std();
            if self.stopped(memory, tokio::time::sleep(wait)).await.is_none() {
                return check::given_up(&step, running, self.clock.now());
            }
            let tried = step.clone();
            let asking = try_step(&tried, self.http, self.secrets);
            tokio::pin!(asking);
            let reply = match self.stopped(memory, &mut asking).await {
                Some(reply) => reply,
                // What it made on the other side must be known to be cleaned up.
                None if plan.smoke.iter().any(|step| step.cleanup) => {
                    self.stopped(memory, &mut asking).await?
                }
                None => return None,
            };
            if memory.is_interrupted {
                step.retry.deadline = Span::ZERO;
            }
            if plan.is_guess(step.name.as_str())
                && let Some(why) = guessed_wrong(&step, &reply)
            {
                self.dropped.push(step.name.clone());
                return Some(StepResult::skipped(&step, why));
            }
            match check::heard(&step, running, &reply, self.clock.now()) {
                Progress::Again(again) => running = again,
                Progress::Done(result) => {
                    if let (StepState::Passed, Ok(exchange)) = (result.state, &reply) {
                        memory.learn(&step, exchange);
                    }
                    return Some(result);
                }
            }
        }
    }

    /// What `work` comes to; `None` when a request to stop comes first.
    async fn stopped<T>(
        &mut self,
        memory: &mut Memory,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = asked(self.stops) => {
                memory.is_interrupted = true;
                None
            }
        }
    }
}

/// Until a stop is asked for. Where nobody holds the sender, that is never.
async fn asked(stops: &mut Stops) {
    if stops.changed().await.is_err() {
        std::future::pending().await
    }
}
