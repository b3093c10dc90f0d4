//! `rehearse`: a test alert through every channel, before one matters.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use std::time::Duration;

use axum::Router;
use clap::Args;
use futures_util::future::join_all;

use super::exit::Exit;
use super::{doors, load, log, out, place};
use crate::config::{Checked, Given};
use crate::daemon::api::listen;
use crate::daemon::carry::Carrier;
use crate::daemon::http::Http;
use crate::daemon::rehearse::rehearse;
use crate::daemon::secrets::Secrets;
use crate::daemon::store::{self, Reader};
use crate::daemon::{clock, confirm};
use crate::model::{Name, Span, Timestamp};
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
    /// Waits so long, for example 5m, until a person has followed a link of each
    /// mail and chat; needs `rehearse.confirm`
    #[arg(long, value_name = "LENGTH")]
    wait: Option<Span>,
}

/// How often it is looked whether somebody followed a link.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Runs it.
///
/// # Errors
/// There is no state directory, or it cannot be written.
pub async fn run(given: &Rehearse) -> Result<Exit, String> {
    let Some(all) = load::told(Some(&given.config), &Given::default()) else {
        return Ok(Exit::Usage);
    };
    let dir = place::state_dir(given.state_dir.clone())?;
    if given.wait.is_some() && confirm::names(&all).is_empty() {
        out::complain(
            "--wait: no letter asks a person for anything; write for example confirm = \
             \"https://bakewatch.example.com\" in [rehearse]",
        );
        return Ok(Exit::Usage);
    }
    let is_received = play(&all, &dir).await?;
    let is_seen = match given.wait {
        Some(long) => seen(&all, &dir, long).await?,
        None => true,
    };
    Ok(match (is_received, is_seen) {
        (true, true) => Exit::Good,
        (true, false) => Exit::Inconclusive,
        (false, _) => Exit::Unreachable,
    })
}

/// Waits until a person has followed a link of each channel that asks, and tells
/// who has. Whether all have.
async fn seen(all: &[Checked], dir: &Path, long: Span) -> Result<bool, String> {
    // A watch that runs answers; else this does, for as long as it waits.
    if let Some(address) = doors::address(all)? {
        let (_, names) = tokio::sync::watch::channel(confirm::names(all));
        let public = doors::public(dir, names, None);
        if let Err(why) = listen::open_with(address, Router::new(), Some(public)).await {
            out::complain(format_args!("links are left to whoever answers there: {why}"));
        }
    }
    let until = tokio::time::Instant::now() + long.to_std();
    let read = || -> Result<Vec<(String, Rehearsal)>, String> {
        let reader = Reader::open(dir)?;
        let of = |one: &Checked| -> Result<Option<(String, Rehearsal)>, String> {
            let kept = reader.rehearsal(&one.plan.service);
            Ok(kept?.map(|kept| (one.plan.service.to_string(), kept)))
        };
        all.iter().filter_map(|one| of(one).transpose()).collect()
    };
    loop {
        let kept = read()?;
        let is_seen = kept.iter().flat_map(|(_, kept)| kept.seen()).all(|(_, at)| at.is_some());
        if is_seen || tokio::time::Instant::now() >= until {
            let lines = kept.iter().flat_map(|(service, kept)| sights(service, kept));
            out::print(&lines.collect::<String>())?;
            return Ok(is_seen);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Who has seen it, a line each.
fn sights(service: &str, rehearsal: &Rehearsal) -> Vec<String> {
    let line = |(channel, at): (&Name, Option<Timestamp>)| match at {
        Some(at) => format!("{service}: {channel}: seen by a person, {}\n", at.for_people()),
        None => format!("{service}: {channel}: not confirmed by a person\n"),
    };
    rehearsal.seen().into_iter().map(line).collect()
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
    let at = clock::wall();
    let mut asked = Vec::new();
    for Checked { plan, confirm, .. } in all {
        let links = confirm.as_ref().map(|base| confirm::links(plan, base));
        let links = links.transpose()?.unwrap_or_default();
        store::expect_confirmations(dir, &plan.service, at, &links)?;
        asked.push(links);
    }
    let played = all.iter().zip(&asked);
    let played = played.map(|(one, links)| rehearse(&carrier, &one.plan, links, at));
    let rehearsals = join_all(played).await;
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
        Ok(false) => log::warn("a channel did not take its test alert"),
        Err(why) => log::warn(format_args!("the rehearsal: {why}")),
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
    let mut text = out::aligned(&rows)
        + &format!("{service}: the test alert was received by {took} of {all} channel(s)\n");
    let asked: Vec<&str> = rehearsal.seen().iter().map(|(channel, _)| channel.as_str()).collect();
    if !asked.is_empty() {
        let asked = asked.join(", ");
        text += &format!("{service}: a link in it asks a person to confirm it: {asked}\n");
    }
    text
}
