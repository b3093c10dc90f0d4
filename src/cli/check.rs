//! `check`: is the configuration right, and what would be watched?

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::{acquaint, load, out};
use crate::config::live::{self, Standing};
use crate::config::{self, Checked, Given, Source, trial};
use crate::daemon::http::Http;
use crate::daemon::secrets::Secrets;
use crate::daemon::signal;
use crate::daemon::{clock, files};

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
    /// Shows the plan of this rule alone: what it judges, how empty is read, what
    /// is kept of the pages because of it; with --live what it selects and reads now
    #[arg(long, value_name = "RULE", conflicts_with = "json")]
    explain: Option<String>,
    /// Runs unit tests of rules, files as `promtool test rules` takes them;
    /// exits 1 where something is not as expected
    #[arg(
        long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["url", "config", "live"]
    )]
    pub(super) test: Vec<PathBuf>,
}

/// Runs it, without asking anybody.
///
/// # Errors
/// The output cannot be written.
pub fn run(given: &Check) -> Result<Exit, String> {
    let Some(all) = checked(given) else { return Ok(Exit::Usage) };
    if let Some(rule) = &given.explain {
        return explain(&all, rule);
    }
    for checked in &all {
        out::print(&config::explain(checked))?;
        out::print(&config::upcoming(&checked.plan, clock::wall()))?;
    }
    Ok(Exit::Good)
}

/// One rule's plan, of each service that has the rule.
fn explain(all: &[Checked], rule: &str) -> Result<Exit, String> {
    let mut missing = Vec::new();
    for checked in all {
        match config::explain_rule(checked, rule) {
            Ok(text) => out::print(&text)?,
            Err(what) => missing.push(what),
        }
    }
    if missing.len() < all.len() {
        return Ok(Exit::Good);
    }
    missing.iter().for_each(out::complain);
    Ok(Exit::Usage)
}

/// Runs unit tests of rules.
///
/// # Errors
/// The output cannot be written.
pub fn test(given: &Check) -> Result<Exit, String> {
    let mut exit = Exit::Good;
    for path in &given.test {
        let file = path.display().to_string();
        let text = match files::text_of(path) {
            Ok(text) => text,
            Err(error) => {
                out::complain(format_args!("{file}: {error}"));
                exit = Exit::Usage;
                continue;
            }
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let named = |pattern: &str| load::sources(&folder.join(pattern));
        let outcome = trial::run(&Source { file, text }, &named);
        let warnings = outcome.warnings.iter();
        warnings.for_each(|warning| out::complain(format_args!("warning: {warning}")));
        if outcome.wrong.is_empty() {
            out::print(&trial::show(&outcome))?;
        }
        outcome.wrong.iter().for_each(out::complain);
        exit = match (outcome.wrong.is_empty(), outcome.failures.is_empty(), exit) {
            (false, _, _) | (_, _, Exit::Usage) => Exit::Usage,
            (true, false, _) => Exit::Failed,
            (true, true, before) => before,
        };
    }
    Ok(exit)
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
        let asking = async {
            let sought = acquaint::find(&mut checked.plan, &http, &secrets).await;
            (sought, acquaint::ask(&mut checked.plan, &http, &secrets).await)
        };
        let (sought, answered) = tokio::select! {
            asked = asking => asked,
            _ = stops.changed() => return Ok(Exit::Interrupted),
        };
        let sourced = tokio::select! {
            asked = acquaint::ask_sources(&checked.plan, &http, &secrets, clock::wall()) => asked,
            _ = stops.changed() => return Ok(Exit::Interrupted),
        };
        if let Some(rule) = &given.explain {
            match live::explain(&checked, &answered, &sourced, rule, clock::wall()) {
                Ok(text) => out::print(&text)?,
                Err(what) => {
                    out::complain(what);
                    exit = Exit::Usage;
                }
            }
            continue;
        }
        let live = live::live(&checked, sought, &answered, &sourced, clock::wall());
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
    load::told(given.config.as_deref(), &from)
}
