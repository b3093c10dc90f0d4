//! `run`: stands watch over a release, from smoke to the last window.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::account::{Account, Telling, Until};
use super::exit::Exit;
use super::{doors, load, log, out, output, place, rehearse};
use crate::config::{self, Checked, Given};
use crate::daemon::carry::Carrier;
use crate::daemon::clock::{self, Clock};
use crate::daemon::confirm;
use crate::daemon::heartbeat::{self, Heartbeats};
use crate::daemon::http::Http;
use crate::daemon::lean;
use crate::daemon::lock::Lock;
use crate::daemon::pulse::Pulse;
use crate::daemon::reload::Reload;
use crate::daemon::secrets::Secrets;
use crate::daemon::signal;
use crate::daemon::store::{Facts, Reader, Store};
use crate::daemon::turn::{End, Turns};
use crate::model::{Name, Release, Span, Timestamp, WatchId};
use crate::record::{Baseline, Ending, Plan, Record, Reread};
use crate::report;
use crate::watch::Fleet;

/// A holder that is asked to end tells what it owes for up to 20 s.
const HANDOVER: Duration = Duration::from_secs(40);

/// Options of `run`.
#[derive(Args)]
pub struct Run {
    /// The service's address; with it no file is needed
    url: Option<String>,
    /// A configuration file, or a directory with one service a file
    #[arg(short, long)]
    config: Option<PathBuf>,
    /// What the pipeline calls this release: a tag, a build number, a commit
    #[arg(long)]
    release: String,
    /// When it was out, for example 2026-11-25T01:23:46Z; now without
    #[arg(long, value_name = "TIME")]
    released_at: Option<Timestamp>,
    /// Ends here: smoke, a length such as 30m, or a window's name; the watch
    /// stays open and is taken up again by the next run
    #[arg(long)]
    until: Option<String>,
    /// Where facts are kept [default: $STATE_DIRECTORY, else
    /// $XDG_STATE_HOME/bakewatch, else ~/.local/state/bakewatch]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Where reports are written [default: reports in the state directory]
    #[arg(long, value_name = "DIR")]
    report_dir: Option<PathBuf>,
    /// Where another process holds the state directory: asks it to end, waits
    /// until it has told what it owes, and takes its place
    #[arg(long)]
    take_over: bool,
    /// Sends a test alert through every channel first; the reports tell what
    /// came of it
    #[arg(long)]
    rehearse: bool,
    /// Degraded is not good enough (exit code 5)
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    output: output::Given,
    /// How log lines are written [default: human on a terminal, else json]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<log::Format>,
}

/// Runs it.
///
/// # Errors
/// What keeps the watch from beginning.
pub async fn run(given: Run) -> Result<Exit, String> {
    log::start(given.log_format)?;
    let reloads = signal::reloads()?;
    let from = Given { url: given.url.clone(), until: given.until.clone(), ..Given::default() };
    let Some(all) = load::told(given.config.as_deref(), &from) else { return Ok(Exit::Usage) };
    let telling = match telling(&given.output, &all) {
        Ok(telling) => telling,
        Err(complaint) => {
            out::complain(complaint);
            return Ok(Exit::Usage);
        }
    };
    let (address, names) = (doors::address(&all)?, confirm::names(&all));
    let heartbeats = Heartbeats::new(heartbeat::of(&all));
    let dir = place::state_dir(given.state_dir.clone())?;
    if given.rehearse {
        // Before anybody's place is taken: the release is watched meanwhile.
        rehearse::first(&all, &dir).await;
    }
    let lock = match given.take_over {
        true => Lock::take_over(&dir, HANDOVER).await?,
        false => Lock::take(&dir)?,
    };
    let store = Store::open(&dir)?;
    // The same words mean the same for each file.
    let until = until(all.first().and_then(|one| one.until.clone()));
    let opened = open(&given, all, &Reader::open(&dir)?)?;
    for record in &opened.over {
        let id = record.release.watch();
        out::print(&format!("{id}: its watch is over; `report` prints its summaries\n"))?;
    }
    let mut account = Account::new(until, opened.ours, opened.over, telling);
    let http = clients()?;
    let report_dir = given.report_dir.unwrap_or_else(|| dir.join("reports"));
    let carrier = Carrier { http, secrets: opened.secrets, deferred: Arc::default(), report_dir };
    let mut turns = Turns::new(opened.fleet, opened.clock, store, carrier)
        .with_pulse(Pulse::new(lock)?)
        .with_heartbeats(heartbeats);
    let file = given.config;
    turns = turns.with_reload(Reload::new(reloads, move || match &file {
        Some(file) => doors::unmoved(load::load(Some(file), &from).map(Some), address),
        None => Ok(None),
    }));
    // Closed before the lock is let go: the next holder opens its own.
    let (mut turns, _socket) = doors::open(&dir, address, names, turns).await?;
    for (old, by) in opened.superseded {
        turns.supersede(&old, &by);
    }
    tokio::spawn(lean::stay_lean());
    let end = turns.run(&mut account, signal::stops()?).await;
    Ok(ended(end, account, turns.fleet(), given.strict))
}

/// What is left to be said, and how to end.
fn ended(end: End, mut account: Account, fleet: &Fleet, strict: bool) -> Exit {
    if let Some(bar) = log::bar() {
        bar.finish_and_clear();
    }
    account.write_smoke(fleet);
    if let Some(error) = account.broken.take() {
        out::complain(error);
    }
    match end {
        End::Stopped | End::Interrupted => Exit::Interrupted,
        End::Done | End::Reached => Exit::of(account.worst(fleet), strict),
    }
}

fn clients() -> Result<Http, String> {
    let http = Http::new()?;
    if let Some(why) = http.no_roots() {
        tracing::warn!("https cannot be verified on this machine: {why}");
    }
    Ok(http)
}

fn telling(given: &output::Given, all: &[Checked]) -> Result<Telling, String> {
    let places = all.iter().map(|one| (one.plan.service.clone(), one.places.clone()));
    Ok(Telling::new(given.read_beside_a_log()?, places.collect()))
}

fn until(given: Option<config::Until>) -> Until {
    match given {
        None => Until::End,
        Some(config::Until::Smoke) => Until::Smoke,
        Some(config::Until::Window(name)) => Until::Window(name),
    }
}

/// A watch that is taken up has the windows it was opened with.
///
/// # Errors
/// What is waited for would never come.
fn must_have(record: &Record, until: Option<&config::Until>) -> Result<(), String> {
    let Some(config::Until::Window(name)) = until else { return Ok(()) };
    let windows = &record.plan.windows;
    if windows.iter().any(|window| window.name == *name) {
        return Ok(());
    }
    let known: Vec<&str> = windows.iter().map(|window| window.name.as_str()).collect();
    Err(format!(
        "--until: {} was opened without a window {name}; its windows are {}",
        record.release.watch(),
        known.join(", ")
    ))
}

struct Opened {
    fleet: Fleet,
    clock: Clock,
    secrets: Secrets,
    ours: Vec<WatchId>,
    /// Watches of this release that are over already.
    over: Vec<Record>,
    superseded: Vec<(WatchId, WatchId)>,
}

/// Opens a watch for each service, or takes up the one that is open; another
/// open release of the same service is superseded. Watches of other services
/// in the same directory are left as they are.
fn open(given: &Run, all: Vec<Checked>, reader: &Reader) -> Result<Opened, String> {
    let version = Name::from(given.release.as_str());
    let mut known: Vec<(WatchId, Record, Facts)> = Vec::new();
    for (id, facts) in reader.load_open()? {
        let record = Record::replay(facts.iter().cloned())?;
        if all.iter().any(|one| one.plan.service == record.release.service) {
            known.push((id, record, facts));
        }
    }
    let latest = known.iter().map(|(_, record, _)| record.at).max().unwrap_or_default();
    let clock = Clock::real(latest, stepped(&known, &all, &version));
    let now = clock.now();
    let at = given.released_at.unwrap_or(now);
    if at > clock::wall() + Span::from_secs(60) {
        return Err(format!("--released-at {at} is in the future; it is {now}"));
    }
    let mut opened = Opened {
        fleet: Fleet::new(),
        clock,
        secrets: Secrets::default(),
        ours: Vec::new(),
        over: Vec::new(),
        superseded: Vec::new(),
    };
    let mut heirs: BTreeMap<Name, WatchId> = BTreeMap::new();
    for checked in all {
        let service = checked.plan.service.clone();
        opened.secrets.extend(checked.secrets);
        let (release, past) = place(reader, &known, &service, &version, at)?;
        opened.ours.push(release.watch());
        heirs.insert(service.clone(), release.watch());
        match past {
            // Taken up below, with the plan it was opened with.
            Past::Open(record) => {
                must_have(record, checked.until.as_ref())?;
                remark(record, checked.plan, now);
            }
            Past::None => {
                let baseline = baseline(reader, &checked.plan)?;
                let rehearsal = reader.rehearsal(&service)?;
                let id = opened.fleet.open_against(release, checked.plan, baseline, now)?;
                if let Some(rehearsal) = rehearsal {
                    opened.fleet.rehearsed(&id, rehearsal, now);
                }
            }
            // Its watch is over: nothing is asked any more, and its verdict stands.
            Past::Over(record) => {
                must_have(&record, checked.until.as_ref())?;
                opened.over.push(*record);
            }
        }
    }
    for (id, record, facts) in known {
        opened.fleet.resume(facts, now)?;
        if let (true, Some(rehearsal)) =
            (given.rehearse, reader.rehearsal(&record.release.service)?)
        {
            opened.fleet.rehearsed(&id, rehearsal, now);
        }
        if !opened.ours.contains(&id) {
            opened.superseded.push((id, heirs[&record.release.service].clone()));
        }
    }
    Ok(opened)
}

/// What the last healthy release of the service measured, for rules that ask.
fn baseline(reader: &Reader, plan: &Plan) -> Result<Option<Baseline>, String> {
    let mut failed = None;
    let ids = reader.of_service(&plan.service)?;
    let read = |id: &WatchId| reader.facts(id).and_then(Record::replay);
    let earlier = ids.iter().map_while(|id| read(id).map_err(|error| failed = Some(error)).ok());
    let baseline = report::baseline(earlier, plan);
    failed.map_or(Ok(baseline), Err)
}

/// A watch goes on with the plan that it followed last: whoever has changed the
/// file meanwhile is told so.
fn remark(record: &Record, plan: Plan, now: Timestamp) {
    let changes = match record.adopt(Reread { plan, renewed: Vec::new() }, now) {
        Ok(None) => return,
        Ok(Some(adopted)) => adopted.changes,
        Err(errors) => errors,
    };
    tracing::warn!(
        watch = %record.release.watch(),
        "the configuration is another than the plan that goes on, SIGHUP takes it up: {}",
        changes.join("; ")
    );
}

/// How far the wall clock was set in the life of the watches that are taken up:
/// their time goes on by what has elapsed. A watch that opens goes by the wall.
fn stepped(known: &[(WatchId, Record, Facts)], all: &[Checked], version: &Name) -> Span {
    let again = format!("{version}#");
    let is_taken_up = |record: &&Record| {
        let own = &record.release.version;
        record.ended.is_none() && (own == version || own.as_str().starts_with(&again))
    };
    let taken_up: Vec<&Record> =
        known.iter().map(|(_, record, _)| record).filter(is_taken_up).collect();
    let is_open =
        |one: &Checked| taken_up.iter().any(|record| record.release.service == one.plan.service);
    if !all.iter().all(is_open) {
        return Span::ZERO;
    }
    let latest = taken_up.iter().max_by_key(|record| record.at);
    latest.map_or(Span::ZERO, |record| record.stepped)
}

fn is_superseded(record: &Record) -> bool {
    matches!(record.ended, Some(Ending::Superseded { .. }))
}

/// What there is of a release already.
enum Past<'a> {
    None,
    Open(&'a Record),
    Over(Box<Record>),
}

/// The release to be watched. One that comes back after another took its place
/// (a rollback) is a release anew, `v1.2.2#2`: the verdict of its first watch
/// says nothing of now.
fn place<'a>(
    reader: &Reader,
    known: &'a [(WatchId, Record, Facts)],
    service: &Name,
    version: &Name,
    at: Timestamp,
) -> Result<(Release, Past<'a>), String> {
    for number in 1u32.. {
        let version = match number {
            1 => version.clone(),
            _ => Name::from(format!("{version}#{number}")),
        };
        let release = Release { service: service.clone(), version, at };
        let id = release.watch();
        // It may have ended without having been marked so: its letters may be owed.
        if let Some((_, record, _)) = known.iter().find(|(open, _, _)| *open == id) {
            if is_superseded(record) {
                continue;
            }
            return Ok((release, Past::Open(record)));
        }
        let facts = reader.facts(&id)?;
        if facts.is_empty() {
            return Ok((release, Past::None));
        }
        let record = Record::replay(facts)?;
        if !is_superseded(&record) {
            return Ok((release, Past::Over(Box::new(record))));
        }
    }
    unreachable!("a number is free long before they end")
}
