//! `check`: is the configuration right, and what would be watched?

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::{acquaint, load, out};
use crate::config::live::{self, Standing};
use crate::config::{self, Checked, Given};
use crate::daemon::clock;
use crate::daemon::http::Http;
use crate::daemon::secrets::Secrets;
use crate::daemon::signal;

/// Options of `check`.
#[derive(Args)]
pub struct Check {
    /// The service's address; with it no file is needed
    url: Option<String>,
    /// A configuration file, or a directory with one service a file
    #[arg(short, long)]
    config: Option<PathBuf>,
    /// Asks the service, and shows what matched, what did not, and which rules
    /// can never fire. Exits 3 where something that was asked for cannot be
    /// watched (a `require`, a rule of the file, a page), 4 where some target
    /// does not answer
    #[arg(long)]
    pub(super) live: bool,
    /// Prints what --live found as JSON, one object a line and service
    #[arg(long, requires = "live")]
    json: bool,
}

/// Runs it, without asking anybody.
///
/// # Errors
/// The output cannot be written.
pub fn run(given: &Check) -> Result<Exit, String> {
    let Some(all) = checked(given) else { return Ok(Exit::Usage) };
    for checked in &all {
        out::print(&config::explain(checked))?;
        out::print(&config::upcoming(&checked.plan, clock::wall()))?;
    }
    Ok(Exit::Good)
}

/// Runs it, and asks each service once.
///
/// # Errors
/// No HTTP client, or the output cannot be written.
pub async fn live(given: &Check) -> Result<Exit, String> {
    let Some(all) = checked(given) else { return Ok(Exit::Usage) };
    let http = Http::new()?;
    let mut stops = signal::stops()?;
    let mut exit = Exit::Good;
    for (index, mut checked) in all.into_iter().enumerate() {
        let secrets = Secrets::new(std::mem::take(&mut checked.secrets));
        let answered = tokio::select! {
            answered = acquaint::ask(&mut checked.plan, &http, &secrets) => answered,
            _ = stops.changed() => return Ok(Exit::Interrupted),
        };
        let live = live::live(&checked, &answered, clock::wall());
        let text = match (given.json, index) {
            (true, _) => serde_json::to_string(&live).map_err(|error| error.to_string())? + "\n",
            (false, 0) => live::show(&live),
            (false, _) => format!("\n{}", live::show(&live)),
        };
        out::print(&text)?;
        exit = match (live.standing, exit) {
            (Standing::Unreachable, _) | (_, Exit::Unreachable) => Exit::Unreachable,
            (Standing::Blind, _) => Exit::Inconclusive,
            (Standing::Observable, before) => before,
        };
    }
    Ok(exit)
}

/// The configuration; `None`: it is wrong, and that has been told.
fn checked(given: &Check) -> Option<Vec<Checked>> {
    let from = Given { url: given.url.clone(), ..Given::default() };
    match load::load(given.config.as_deref(), &from) {
        Ok(all) => {
            for warning in all.iter().flat_map(|checked| &checked.warnings) {
                out::complain(format_args!("warning: {warning}"));
            }
            Some(all)
        }
        Err(complaints) => {
            complaints.iter().for_each(out::complain);
            None
        }
    }
}
