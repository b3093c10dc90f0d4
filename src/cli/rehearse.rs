//! `rehearse`: a test alert through every channel, before one matters.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use futures_util::future::join_all;

use super::exit::Exit;
use super::{load, out, place};
use crate::config::{Checked, Given};
use crate::daemon::carry::Carrier;
use crate::daemon::http::Http;
use crate::daemon::rehearse::rehearse;
use crate::daemon::secrets::Secrets;
use crate::daemon::store;
use crate::record::Rehearsal;

/// Options of `rehearse`.
#[derive(Args)]
pub struct Rehearse {
    /// A configuration file, or a directory with one service a file
    #[arg(short, long)]
    config: PathBuf,
    /// Where facts are kept: the next watch's reports tell what came of it
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// There is no state directory, or it cannot be written.
pub async fn run(given: &Rehearse) -> Result<Exit, String> {
    let all = match load::load(Some(&given.config), &Given::default()) {
        Ok(all) => all,
        Err(complaints) => {
            complaints.iter().for_each(out::complain);
            return Ok(Exit::Usage);
        }
    };
    for warning in all.iter().flat_map(|one| &one.warnings) {
        out::complain(format_args!("warning: {warning}"));
    }
    let dir = place::state_dir(given.state_dir.clone())?;
    match play(&all, &dir).await? {
        true => Ok(Exit::Good),
        false => Ok(Exit::Unreachable),
    }
}

/// Rehearses each service, keeps what came of it, and prints it. Whether every
/// channel took all of it.
///
/// # Errors
/// It cannot be kept, or printed.
pub async fn play(all: &[Checked], dir: &Path) -> Result<bool, String> {
    let mut secrets = Secrets::default();
    all.iter().for_each(|one| secrets.extend(one.secrets.clone()));
    let (http, report_dir) = (Http::new()?, dir.join("reports"));
    let carrier = Carrier { http, secrets, deferred: Arc::default(), report_dir };
    let mut is_received = true;
    let rehearsals = join_all(all.iter().map(|one| rehearse(&carrier, &one.plan))).await;
    for (Checked { plan, .. }, done) in all.iter().zip(rehearsals) {
        store::keep_rehearsal(dir, &plan.service, &done)?;
        is_received &= done.is_received() && !done.letters.is_empty();
        out::print(&shown(plan.service.as_str(), &done))?;
    }
    Ok(is_received)
}

/// The same before a watch, which begins whatever comes of it.
pub async fn first(all: &[Checked], dir: &Path) {
    match play(all, dir).await {
        Ok(true) => {}
        Ok(false) => out::complain("warning: a channel did not take its test alert"),
        Err(why) => out::complain(format_args!("warning: the rehearsal: {why}")),
    }
}

fn shown(service: &str, rehearsal: &Rehearsal) -> String {
    if rehearsal.letters.is_empty() {
        return format!("{service}: there is no [[channel]], so that nobody is told of alerts\n");
    }
    let mut rows = vec![["channel", "told", "tries", "receipt"].map(str::to_owned).to_vec()];
    rows.extend(rehearsal.letters.iter().map(|letter| {
        let state = if letter.is_taken { "taken" } else { "not taken" };
        vec![
            letter.channel.to_string(),
            letter.stage.as_str().to_owned(),
            letter.tries.to_string(),
            format!("{state}: {}", letter.answer),
        ]
    }));
    let channels = rehearsal.by_channel();
    let took = channels.iter().filter(|(_, missed)| missed.is_none()).count();
    let all = channels.len();
    out::aligned(&rows)
        + &format!("{service}: the test alert was received by {took} of {all} channel(s)\n")
}
