//! A fleet of watches from the first day: `run` is a fleet of one. A panic in
//! one watch is caught, told, and poisons that watch alone.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Heard, Job, Noted, Watch};
use crate::model::{Release, Timestamp, WatchId};
use crate::record::{Fact, Plan, Record};

/// Watches, driven together.
#[derive(Default)]
pub struct Fleet {
    watches: BTreeMap<WatchId, Watch>,
    last_job: u64,
}

impl Fleet {
    /// No watch yet.
    pub fn new() -> Fleet {
        Fleet::default()
    }

    /// Opens a watch over a release. An error when there is one already.
    pub fn open(
        &mut self,
        release: Release,
        plan: Plan,
        now: Timestamp,
    ) -> Result<WatchId, String> {
        let id = release.watch();
        if self.watches.contains_key(&id) {
            return Err(format!("{id} is being watched already"));
        }
        self.watches.insert(id.clone(), Watch::open(release, plan, now));
        Ok(id)
    }

    /// Takes a watch up again from its facts.
    pub fn resume(
        &mut self,
        facts: Vec<(Timestamp, Fact)>,
        now: Timestamp,
    ) -> Result<WatchId, String> {
        let watch = Watch::resume(facts, now)?;
        let id = watch.id().clone();
        self.watches.insert(id.clone(), watch);
        Ok(id)
    }

    /// The questions due now, of all watches. Only after what the last `hear`
    /// gave has been stored.
    pub fn ask(&mut self, now: Timestamp) -> Vec<Job> {
        let mut jobs = Vec::new();
        for watch in self.watches.values_mut().filter(|watch| !watch.is_dead()) {
            let last_job = &mut self.last_job;
            match catch_unwind(AssertUnwindSafe(|| watch.ask(now, last_job))) {
                // Nearly always the first: a fleet of one, or one of many is due.
                Ok(asked) if jobs.is_empty() => jobs = asked,
                Ok(asked) => jobs.extend(asked),
                // What it was about to ask is answered by its deadlines.
                Err(panic) => watch.poison(now, &words(&*panic)),
            }
        }
        jobs
    }

    /// Takes in what came for each watch, then a tick for every one.
    pub fn hear(&mut self, now: Timestamp, heard: Vec<(WatchId, Heard)>) -> Vec<Noted> {
        let mut by_watch: BTreeMap<WatchId, Vec<Heard>> = BTreeMap::new();
        for (id, one) in heard {
            by_watch.entry(id).or_default().push(one);
        }
        let mut noted = Vec::new();
        for (id, watch) in self.watches.iter_mut().filter(|(_, watch)| !watch.is_dead()) {
            let heard = by_watch.remove(id).unwrap_or_default();
            let done = catch_unwind(AssertUnwindSafe(|| watch.hear(now, heard)));
            noted.extend(done.unwrap_or_else(|panic| {
                watch.poison(now, &words(&*panic));
                std::mem::take(&mut watch.noted)
            }));
        }
        noted
    }

    /// The next instant worth waking for.
    pub fn wake(&self) -> Option<Timestamp> {
        self.watches.values().filter_map(Watch::wake).min()
    }

    /// What is known of a watch.
    pub fn record(&self, id: &WatchId) -> Option<&Record> {
        self.watches.get(id).map(Watch::record)
    }

    /// All watches, by id.
    pub fn ids(&self) -> impl Iterator<Item = &WatchId> {
        self.watches.keys()
    }

    /// The watches of which nothing is left to observe, to write or to tell.
    /// One that failed even at telling is not among them: the next process
    /// may do better with what it owes.
    pub fn done(&self) -> Vec<WatchId> {
        let is_done = |watch: &Watch| watch.is_done() && !watch.is_dead();
        let done = self.watches.iter().filter(|(_, watch)| is_done(watch));
        done.map(|(id, _)| id.clone()).collect()
    }

    /// Nothing is left to observe, to write or to tell.
    pub fn is_done(&self) -> bool {
        self.watches.values().all(Watch::is_done)
    }

    /// Asked to stop, and no letter is out or due any more.
    pub fn is_drained(&self) -> bool {
        self.watches.values().all(|watch| watch.is_drained() || watch.is_done())
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
