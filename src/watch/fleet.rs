//! A fleet of watches from the first day: `run` is a fleet of one. A turn
//! touches only the watches that hear something or are due. A panic in one
//! watch is caught, told, and poisons that watch alone.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::succession::Left;
use super::{Done, Heard, Job, Noted, Order, Watch};
use crate::model::{Release, Timestamp, WatchId};
use crate::record::{Baseline, Fact, Plan, Record, Rehearsal};

/// Watches, driven together.
#[derive(Default)]
pub struct Fleet {
    /// Each with its place, which it keeps: its number in the lists below.
    ids: BTreeMap<WatchId, usize>,
    watches: Vec<Watch>,
    /// When each wants to be woken, the first first; those that sleep until
    /// an answer comes are not in it.
    wakes: BTreeSet<(Timestamp, usize)>,
    /// The same by place.
    wake_of: Vec<Option<Timestamp>>,
    /// Those that heard something since they were last asked.
    stirred: BTreeSet<usize>,
    /// Those of which nothing is left to observe, to write or to tell.
    over: BTreeSet<usize>,
    /// Those whose release was superseded, and which of them hear of it next,
    /// each with the watch that takes its place.
    before: BTreeSet<usize>,
    superseding: BTreeMap<usize, usize>,
    /// Somebody has come who does not know yet what others left to it.
    is_fresh: bool,
    /// Who has something to do in this turn; its memory is used again.
    due: Vec<usize>,
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
        self.open_against(release, plan, None, now)
    }

    /// The same, with what an earlier release measured.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_against(
        &mut self,
        release: Release,
        plan: Plan,
        baseline: Option<Baseline>,
        now: Timestamp,
    ) -> Result<WatchId, String> {
        let id = release.watch();
        if self.ids.contains_key(&id) {
            return Err(format!("{id} is being watched already"));
        }
        Ok(self.add(Watch::open(release, plan, baseline, now)))
    }

    /// How the channels of a watch that has just been opened were tested before.
    pub fn rehearsed(&mut self, id: &WatchId, rehearsal: Rehearsal, now: Timestamp) {
        if let Some(place) = self.ids.get(id) {
            self.watches[*place].note(now, Fact::Rehearsed(rehearsal));
        }
    }

    /// Takes a watch up again from its facts.
    pub fn resume(
        &mut self,
        facts: Vec<(Timestamp, Fact)>,
        now: Timestamp,
    ) -> Result<WatchId, String> {
        Ok(self.add(Watch::resume(facts, now)?))
    }

    fn add(&mut self, watch: Watch) -> WatchId {
        let id = watch.id().clone();
        let place = *self.ids.entry(id.clone()).or_insert(self.watches.len());
        match self.watches.get_mut(place) {
            Some(before) => *before = watch,
            None => {
                self.watches.push(watch);
                self.wake_of.push(None);
            }
        }
        if self.watches[place].record().succession.by.is_some() {
            self.before.insert(place);
        }
        self.is_fresh = true;
        self.settle(place);
        // Its first facts wait to be taken.
        self.stirred.insert(place);
        id
    }

    /// The release of watch `by` takes the place of that of `old`, with the
    /// next `hear`. Alerts go on under it, as the same incidents.
    pub fn supersede(&mut self, old: &WatchId, by: &WatchId) {
        if let (Some(old), Some(by)) = (self.ids.get(old), self.ids.get(by)) {
            self.superseding.insert(*old, *by);
            self.stirred.insert(*old);
        }
    }

    /// The questions due now, of all watches. Only after the decisions of the last
    /// `hear` have been stored.
    pub fn ask(&mut self, now: Timestamp) -> Vec<Job> {
        let mut jobs = Vec::new();
        self.find_due(now);
        for index in 0..self.due.len() {
            let place = self.due[index];
            let (watch, last_job) = (&mut self.watches[place], &mut self.last_job);
            if !watch.is_dead() {
                match catch_unwind(AssertUnwindSafe(|| watch.ask(now, last_job))) {
                    // Nearly always the first: a fleet of one, or one of many is due.
                    Ok(asked) if jobs.is_empty() => jobs = asked,
                    Ok(asked) => jobs.extend(asked),
                    // What it was about to ask is answered by its deadlines.
                    Err(panic) => watch.poison(now, &words(&*panic)),
                }
            }
            self.settle(place);
        }
        jobs
    }

    /// Takes in what came for each watch, and gives a tick to every one that
    /// is due.
    pub fn hear(&mut self, now: Timestamp, heard: Vec<(WatchId, Heard)>) -> Vec<Noted> {
        let mut by_place: BTreeMap<usize, Vec<Heard>> = BTreeMap::new();
        for (id, one) in heard {
            if let Some(place) = self.ids.get(&id) {
                by_place.entry(*place).or_default().push(one);
            }
        }
        self.stirred.extend(by_place.keys());
        if std::mem::take(&mut self.is_fresh) {
            // Before anybody writes a letter: after a crash one may be due at once.
            for (place, left) in self.left() {
                self.watches[place].wait_for(left);
            }
        }
        let mut noted = Vec::new();
        self.find_due(now);
        self.stirred.extend(&self.due);
        for index in 0..self.due.len() {
            let place = self.due[index];
            let mut heard = by_place.remove(&place).unwrap_or_default();
            if let Some(heir) = self.superseding.remove(&place) {
                heard.push(self.superseded_by(heir));
                self.before.insert(place);
            }
            noted.extend(self.hear_one(now, place, heard));
        }
        // Twice where one hands on to another that hands on itself.
        while let Some((place, heard)) = self.handed_on() {
            noted.extend(self.hear_one(now, place, heard));
        }
        noted
    }

    /// Somebody is on one incident, not on all that are called the same.
    fn is_one_meant(&self, order: &Order, meant: &[WatchId]) -> Result<(), String> {
        let Order::Acknowledge { alert, .. } = order else { return Ok(()) };
        let fits = |id: &&WatchId| self.record(id).is_some_and(|one| one.firing(alert).is_ok());
        let several: Vec<&str> = meant.iter().filter(fits).map(|id| id.0.as_str()).collect();
        match several.len() {
            0 | 1 => Ok(()),
            _ => Err(format!("it fires in {}; say which service", several.join(", "))),
        }
    }

    /// Gives an order to the open watches of a service, or to all: the facts
    /// that it led to, and what each of them did. It fails where none of them
    /// could do it.
    ///
    /// # Errors
    /// Why.
    pub fn obey(
        &mut self,
        now: Timestamp,
        service: Option<&str>,
        order: &Order,
    ) -> (Vec<Noted>, Result<Vec<Done>, String>) {
        let is_open = |id: &WatchId| {
            let is_dead = self.watch(id).is_none_or(Watch::is_dead);
            let record = self.record(id).filter(|_| !is_dead);
            record.is_some_and(|record| record.ended.is_none() && record.succession.by.is_none())
        };
        let meant = match self.meant(service) {
            Ok(meant) => meant.into_iter().filter(|id| is_open(id)).cloned(),
            Err(why) => return (Vec::new(), Err(why)),
        };
        let meant: Vec<WatchId> = meant.collect();
        if let Err(why) = self.is_one_meant(order, &meant) {
            return (Vec::new(), Err(why));
        }
        let places: Vec<usize> = meant.into_iter().map(|id: WatchId| self.ids[&id]).collect();
        let (mut noted, mut done, mut refused) = (Vec::new(), Vec::new(), None);
        for place in places {
            noted.extend(self.hear_one(now, place, vec![Heard::Ordered(Box::new(order.clone()))]));
            match self.watches[place].done.take() {
                Some(Ok(one)) => done.push(one),
                Some(Err(why)) => drop(refused.get_or_insert(why)),
                None => drop(refused.get_or_insert("bakewatch itself failed at it".to_owned())),
            }
        }
        let refused = refused.unwrap_or_else(|| "no watch is open any more".to_owned());
        let done = if done.is_empty() { Err(refused) } else { Ok(done) };
        (noted, done)
    }

    fn hear_one(&mut self, now: Timestamp, place: usize, heard: Vec<Heard>) -> Vec<Noted> {
        let watch = &mut self.watches[place];
        if watch.is_dead() {
            return Vec::new();
        }
        let done = catch_unwind(AssertUnwindSafe(|| watch.hear(now, heard)));
        let noted = done.unwrap_or_else(|panic| {
            watch.poison(now, &words(&*panic));
            std::mem::take(&mut watch.noted)
        });
        if watch.is_dead() {
            self.settle(place);
        } else {
            self.stirred.insert(place);
        }
        noted
    }

    fn superseded_by(&self, heir: usize) -> Heard {
        let record = self.watches[heir].record();
        let by = record.release.version.clone();
        Heard::Superseded { by, heir: Some(Arc::new(record.plan.clone())) }
    }

    /// The first watch that does not know yet what another left to it: alerts
    /// that burn, or letters that have to arrive before its own. Found by what
    /// the records say, so that it is so after a crash, too.
    fn handed_on(&mut self) -> Option<(usize, Vec<Heard>)> {
        for (old, place) in self.heirs() {
            let (record, heir) = (old.record(), &self.watches[place]);
            let Some((_, at)) = record.succession.by.as_ref() else { continue };
            let (from, alerts) = (&record.release.version, &record.succession.handed);
            if heir.record().ended.is_none() && !heir.record().succession.before.contains(from) {
                let (from, alerts) = (from.clone(), alerts.clone());
                let silences = record.silences_at(*at).filter(|silence| !silence.deploy);
                let silences = silences.cloned().collect();
                return Some((place, vec![Heard::Inherits { from, alerts, silences }]));
            }
        }
        let is_news = |(place, left): &(usize, Left)| *self.watches[*place].left() != *left;
        let (place, left) = self.left().into_iter().find(is_news)?;
        self.watches[place].wait_for(left);
        Some((place, Vec::new()))
    }

    /// Watches that were superseded, each with the place of the one that took its
    /// own.
    fn heirs(&self) -> impl Iterator<Item = (&Watch, usize)> {
        self.before.iter().filter_map(|old| {
            let heir = self.heir_of(*old).filter(|heir| !self.watches[*heir].is_dead())?;
            Some((&self.watches[*old], heir))
        })
    }

    /// The place of the watch that took this one's.
    fn heir_of(&self, old: usize) -> Option<usize> {
        let record = self.watches[old].record();
        let (by, _) = record.succession.by.as_ref()?;
        let by = Release { version: by.clone(), ..record.release.clone() }.watch();
        self.ids.get(&by).copied()
    }

    /// What those who came before still have to tell, by the place of the heir.
    fn left(&self) -> BTreeMap<usize, Left> {
        let mut left: BTreeMap<usize, Left> = BTreeMap::new();
        for (old, place) in self.heirs() {
            let known = left.entry(place).or_default();
            known.letters_to.extend(old.owing_to(&self.watches[place].record().plan));
            known.untold.extend(old.untold());
        }
        left
    }

    /// Finds those that have something to do at `now`, in order of their places.
    fn find_due(&mut self, now: Timestamp) {
        self.due.clear();
        let woken = self.wakes.iter().take_while(|(at, _)| *at <= now).map(|(_, place)| *place);
        self.due.extend(woken.chain(self.stirred.iter().copied()));
        self.due.sort_unstable();
        self.due.dedup();
    }

    /// Asked and heard: what it wants now is found out once.
    fn settle(&mut self, place: usize) {
        let watch = &self.watches[place];
        let wake = watch.wake();
        self.stirred.remove(&place);
        let before = std::mem::replace(&mut self.wake_of[place], wake);
        if before != wake {
            if let Some(at) = before {
                self.wakes.remove(&(at, place));
            }
            self.wakes.extend(wake.map(|at| (at, place)));
        }
        match watch.is_done() {
            true => self.over.insert(place),
            false => self.over.remove(&place),
        };
    }

    /// The next instant worth waking for; between `hear` and `ask` that is now.
    pub fn wake(&self) -> Option<Timestamp> {
        let stirred = self.stirred.iter().map(|place| self.watches[*place].record.at);
        let first = self.wakes.first().map(|(at, _)| *at);
        stirred.chain(first).min()
    }

    /// What is known of a watch.
    pub fn record(&self, id: &WatchId) -> Option<&Record> {
        self.ids.get(id).map(|place| self.watches[*place].record())
    }

    /// A watch.
    pub(super) fn watch(&self, id: &WatchId) -> Option<&Watch> {
        self.ids.get(id).map(|place| &self.watches[*place])
    }

    /// All watches, by id.
    pub fn ids(&self) -> impl Iterator<Item = &WatchId> {
        self.ids.keys()
    }

    /// The watches of which nothing is left to observe, to write or to tell.
    /// One that failed even at telling is not among them: the next process
    /// may do better with what it owes.
    pub fn done(&self) -> Vec<WatchId> {
        let watches = self.over.iter().map(|place| &self.watches[*place]);
        watches.filter(|watch| !watch.is_dead()).map(|watch| watch.id().clone()).collect()
    }

    /// The watches that need not be taken up at the next start: of those of which
    /// nothing is left, all but such as could not tell a channel what now burns
    /// under a later release. That one goes by it, until another is told instead.
    pub fn closed(&self) -> Vec<WatchId> {
        let is_needed = |id: &WatchId| self.ids.get(id).is_some_and(|place| self.is_needed(*place));
        self.done().into_iter().filter(|id| !is_needed(id)).collect()
    }

    /// Whether one of those that came after still goes by what this one left untold.
    fn is_needed(&self, place: usize) -> bool {
        let Some(mut heir) = self.heir_of(place) else { return false };
        let untold = self.watches[place].untold();
        for _ in 0..self.watches.len() {
            if self.watches[heir].waits_for(&untold) {
                return true;
            }
            match self.heir_of(heir) {
                Some(next) => heir = next,
                None => return false,
            }
        }
        false
    }

    /// Nothing is left to observe, to write or to tell.
    pub fn is_done(&self) -> bool {
        self.over.len() == self.watches.len()
    }

    /// Asked to stop, and no letter is out or due any more.
    pub fn is_drained(&self) -> bool {
        self.watches.iter().all(|watch| watch.is_drained() || watch.is_done())
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
