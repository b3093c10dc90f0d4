//! `smoke`: the smoke suite alone, for a pipeline's step.

use std::path::PathBuf;

use clap::Args;

use super::exit::{self, Exit};
use super::{load, out};
use crate::check::{self, Advance, Passed, Progress, Step, StepResult};
use crate::config::Given;
use crate::daemon::clock::Clock;
use crate::daemon::http::Http;
use crate::daemon::secrets::Secrets;
use crate::daemon::signal;
use crate::model::{Timestamp, Verdict};

/// Options of `smoke`.
#[derive(Args)]
pub struct Smoke {
    /// The service's address; with it no file is needed
    url: Option<String>,
    /// A configuration file, or a directory with one service a file
    #[arg(short, long)]
    config: Option<PathBuf>,
    /// A failed `should` fails the command too (exit code 5)
    #[arg(long)]
    strict: bool,
}

/// Runs it.
///
/// # Errors
/// No HTTP client, or the output cannot be written.
pub async fn run(given: &Smoke) -> Result<Exit, String> {
    let from = Given { url: given.url.clone(), ..Given::default() };
    let all = match load::load(given.config.as_deref(), &from) {
        Ok(all) => all,
        Err(complaints) => {
            complaints.iter().for_each(out::complain);
            return Ok(Exit::Usage);
        }
    };
    let http = Http::new()?;
    let mut stops = signal::stops()?;
    let mut verdicts = Vec::new();
    for checked in all {
        let secrets = Secrets::new(checked.secrets);
        let steps = &checked.plan.smoke;
        let results = tokio::select! {
            results = suite(steps, &http, &secrets) => results,
            _ = stops.changed() => return Ok(Exit::Interrupted),
        };
        out::print(&check::show(&results))?;
        verdicts.push(verdict(&check::passed(&results, steps)));
    }
    Ok(Exit::of(exit::worst(verdicts), given.strict))
}

/// What a suite alone amounts to.
pub fn verdict(passed: &Passed) -> Verdict {
    match (passed.musts, passed.shoulds) {
        (Some(false), _) => Verdict::Failed,
        (_, Some(false)) => Verdict::Degraded,
        (None, None) => Verdict::Inconclusive, // nothing was tried
        (Some(true), _) | (None, Some(true)) => Verdict::Healthy,
    }
}

/// Drives the suite over real HTTP.
async fn suite(steps: &[Step], http: &Http, secrets: &Secrets) -> Vec<StepResult> {
    let clock = Clock::real(Timestamp::default());
    let mut results = Vec::new();
    if steps.is_empty() {
        return results;
    }
    let mut running = check::begin(0, clock.now());
    loop {
        tokio::time::sleep(running.next_at.since(clock.now()).to_std()).await;
        let step = &steps[running.step];
        let reply = http.exchange(&step.request, secrets).await;
        match check::heard(step, running, &reply, clock.now()) {
            Progress::Again(again) => running = again,
            Progress::Done(result) => {
                let next = check::advance(steps, running.step, &result, clock.now());
                results.push(result);
                match next {
                    Advance::Next(next) => running = next,
                    Advance::Over(skipped) => {
                        results.extend(skipped);
                        return results;
                    }
                }
            }
        }
    }
}
