//! `smoke`: the smoke suite alone, for a pipeline's step.

mod counted;
mod drive;

use std::path::PathBuf;

use clap::Args;

use super::exit::{self, Exit};
use super::output;
use super::{load, out};
use crate::check::{Memory, Origin, Passed};
use crate::config::{Checked, Given};
use crate::daemon::clock::{self, Clock};
use crate::daemon::http::Http;
use crate::daemon::secrets::Secrets;
use crate::daemon::signal;
use crate::model::{Name, Span, Timestamp, Verdict, stable_hash};
use crate::report::smoke::SmokeRun;
use drive::Drive;

/// Options of `smoke`.
#[derive(Args)]
pub struct Smoke {
    /// The service's address; with it no file is needed
    url: Option<String>,
    /// A configuration file, or a directory with one service a file
    #[arg(short, long)]
    config: Option<PathBuf>,
    /// What fills `{{release}}`, and names the suite in its outputs
    #[arg(long)]
    release: Option<String>,
    #[command(flatten)]
    output: output::Given,
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
    let Some(all) = load::told(given.config.as_deref(), &from) else { return Ok(Exit::Usage) };
    let outputs = match given.output.read() {
        Ok(outputs) => outputs,
        Err(complaint) => {
            out::complain(complaint);
            return Ok(Exit::Usage);
        }
    };
    let http = Http::new()?;
    let mut stops = signal::stops()?;
    let clock = Clock::real(Timestamp::default(), Span::ZERO);
    let (mut runs, mut is_interrupted) = (Vec::new(), false);
    for mut checked in all {
        let origin = origin(&checked, given);
        let run_id = origin.run_id.clone();
        let secrets = Secrets::new(std::mem::take(&mut checked.secrets));
        let (http, secrets, clock) = (&http, &secrets, &clock);
        let mut drive = Drive { http, secrets, clock, stops: &mut stops, dropped: Vec::new() };
        let ended = drive.all(&mut checked.plan, Memory::new(origin)).await;
        let verdict = verdict(&ended.passed);
        runs.push(SmokeRun {
            service: checked.plan.service,
            release: given.release.as_deref().map(Name::from),
            run_id,
            verdict,
            places: checked.places,
            results: ended.results,
        });
        is_interrupted |= ended.is_interrupted;
        if is_interrupted {
            break;
        }
    }
    output::write_all(&outputs, &runs)?;
    if is_interrupted {
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::of(exit::worst(runs.iter().map(|run| run.verdict)), given.strict))
}

/// Two runs of the same suite are two, also when they run at the same time.
fn origin(checked: &Checked, given: &Smoke) -> Origin {
    let service = checked.plan.service.to_string();
    let (at, process) = (clock::wall().millis().to_string(), std::process::id().to_string());
    let run_id = format!("{:016x}", stable_hash(&["smoke", &service, &at, &process]));
    let header = checked.plan.run_header.clone();
    Origin { run_id, header, service, release: given.release.clone() }
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
