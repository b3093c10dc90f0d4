//! Drives a suite over real HTTP, outside of any watch.

use crate::check::{self, Memory, Next, Progress, Step, StepResult, StepState};
use crate::daemon::check::try_step;
use crate::daemon::clock::Clock;
use crate::daemon::http::Http;
use crate::daemon::secrets::Secrets;
use crate::daemon::turn::Stops;
use crate::model::Span;

/// How a suite ended.
pub struct Ended {
    /// A result for every step; fewer after a second request to stop.
    pub results: Vec<StepResult>,
    /// Whether somebody asked to stop.
    pub is_interrupted: bool,
}

/// What it takes.
pub struct Drive<'a> {
    pub http: &'a Http,
    pub secrets: &'a Secrets,
    pub clock: &'a Clock,
    pub stops: &'a mut Stops,
}

impl Drive<'_> {
    /// Tries every step in order. After a request to stop, cleanup alone is
    /// tried; after a second one nothing.
    pub async fn suite(&mut self, steps: &[Step], mut memory: Memory) -> Ended {
        let mut results = Vec::new();
        loop {
            match check::next(steps, &results, &memory) {
                Next::Over => break,
                Next::Skip(result) => results.push(*result),
                Next::Try(step) => {
                    let index = results.len();
                    match self.step(*step, steps, index, &mut memory).await {
                        Some(result) => results.push(result),
                        None if self.stop_count() > 1 => break,
                        None => {} // it is skipped in the next turn
                    }
                }
            }
        }
        Ended { results, is_interrupted: memory.is_interrupted }
    }

    fn stop_count(&self) -> u32 {
        *self.stops.borrow()
    }

    /// Tries one step to its end. `None`: given up before any of its tries ended.
    async fn step(
        &mut self,
        mut step: Step,
        steps: &[Step],
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
                None if steps.iter().any(|step| step.cleanup) => {
                    self.stopped(memory, &mut asking).await?
                }
                None => return None,
            };
            if memory.is_interrupted {
                step.retry.deadline = Span::ZERO;
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
