//! The configuration, read anew when somebody asks for it. It is read aside,
//! for a disk may be slow, and followed only if all of it can be.

use std::sync::Arc;

use tokio::sync::watch as signals;
use tokio::task::JoinHandle;

use super::secrets::Secrets;
use super::{confirm, heartbeat};
use crate::config::Checked;
use crate::model::{Heartbeat, Timestamp, WatchId};
use crate::record::{Record, Reread};
use crate::watch::{Fleet, Heard};

/// What reading gives: one for each file, or every error in words; `None`
/// where there is no file to be read.
pub type Read = Result<Option<Vec<Checked>>, Vec<String>>;

/// Waits for requests to read, and reads.
pub struct Reload {
    requests: signals::Receiver<u32>,
    read: Arc<dyn Fn() -> Read + Send + Sync>,
    reading: Option<JoinHandle<Read>>,
}

/// What has come about.
pub enum Step {
    /// A request came; it is being read.
    Begun,
    /// It has been read.
    Done(Read),
}

impl Reload {
    /// Reads by `read` whenever one more request is counted.
    pub fn new(
        requests: signals::Receiver<u32>,
        read: impl Fn() -> Read + Send + Sync + 'static,
    ) -> Reload {
        Reload { requests, read: Arc::new(read), reading: None }
    }

    /// Until something comes about. May be dropped at any time: nothing is lost.
    pub async fn next(&mut self) -> Step {
        if let Some(reading) = &mut self.reading {
            let read = reading.await.unwrap_or_else(|error| Err(vec![error.to_string()]));
            self.reading = None;
            return Step::Done(read);
        }
        if self.requests.changed().await.is_err() {
            return std::future::pending().await; // nobody is left who could ask
        }
        let read = self.read.clone();
        self.reading = Some(tokio::task::spawn_blocking(move || read()));
        Step::Begun
    }
}

/// What a process goes by besides its watches' plans.
pub struct Beside {
    /// The literal values of the configuration.
    pub secrets: Secrets,
    /// Who is called while all is well.
    pub heartbeats: Vec<Heartbeat>,
    /// By which names people reach it to confirm a test alert.
    pub names: Vec<String>,
}

/// What the watches of a fleet are to hear of a reading, and what holds besides
/// from then on. All of it is followed or nothing.
pub fn dispatch(
    fleet: &Fleet,
    before: &Secrets,
    read: Read,
    now: Timestamp,
) -> (Vec<(WatchId, Heard)>, Option<Beside>) {
    let done = fleet.done();
    let open: Vec<&WatchId> = fleet.ids().filter(|id| !done.contains(id)).collect();
    let all = match read {
        Ok(Some(all)) => all,
        Ok(None) => {
            tracing::warn!("nothing to read anew: the watch was started without a file");
            return (Vec::new(), None);
        }
        Err(errors) => return (refused(&open, &errors), None),
    };
    for warning in all.iter().flat_map(|one| &one.warnings) {
        tracing::warn!("{warning}");
    }
    let heard = match followed(fleet, before, &open, &all, now) {
        Ok(heard) => heard,
        Err(errors) => return (refused(&open, &errors), None),
    };
    let (heartbeats, names) = (heartbeat::of(&all), confirm::names(&all));
    let mut secrets = Secrets::default();
    all.into_iter().for_each(|one| secrets.extend(one.secrets));
    (heard, Some(Beside { secrets, heartbeats, names }))
}

/// What each open watch is to follow, if all of them can.
fn followed(
    fleet: &Fleet,
    before: &Secrets,
    open: &[&WatchId],
    all: &[Checked],
    now: Timestamp,
) -> Result<Vec<(WatchId, Heard)>, Vec<String>> {
    let (mut heard, mut errors) = (Vec::new(), strangers(fleet, open, all));
    for id in open {
        let record = fleet.record(id).expect("an id of the fleet's own");
        let read = match file_of(id, record, all) {
            Ok(one) => Reread {
                plan: one.plan.clone(),
                renewed: Secrets::new(one.secrets.clone()).renewed_since(before),
            },
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        match record.adopt(read.clone(), now) {
            Err(all) => errors.extend(all),
            Ok(None) => tracing::info!(watch = %id, "configuration read: nothing has changed"),
            Ok(Some(_)) => heard.push(((*id).clone(), Heard::Reloaded(Ok(Box::new(read))))),
        }
    }
    if errors.is_empty() { Ok(heard) } else { Err(errors) }
}

fn refused(open: &[&WatchId], errors: &[String]) -> Vec<(WatchId, Heard)> {
    let heard = |id: &&WatchId| ((*id).clone(), Heard::Reloaded(Err(errors.to_vec())));
    open.iter().map(heard).collect()
}

fn file_of<'a>(id: &WatchId, record: &Record, all: &'a [Checked]) -> Result<&'a Checked, String> {
    let service = &record.release.service;
    all.iter().find(|one| one.plan.service == *service).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| one.plan.service.as_str()).collect();
        format!(
            "service: {id} is watched, and no file is about {:?} (there is: {}); a service is \
             renamed or left out with the next release",
            service.as_str(),
            names.join(", ")
        )
    })
}

/// Services of which no watch is open: one opens with a release.
fn strangers(fleet: &Fleet, open: &[&WatchId], all: &[Checked]) -> Vec<String> {
    let watched = |one: &&Checked| {
        let services = open.iter().filter_map(|id| Some(&fleet.record(id)?.release.service));
        !services.into_iter().any(|service| *service == one.plan.service)
    };
    let words = |one: &Checked| {
        format!(
            "service: {:?} is not watched; start it with its release",
            one.plan.service.as_str()
        )
    };
    all.iter().filter(watched).map(words).collect()
}
