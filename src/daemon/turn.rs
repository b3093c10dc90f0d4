//! The loop: hear, store, ask, carry, wait. One turn at a time; what is asked
//! runs in tasks of its own, and nothing leaves that rests on a decision which
//! is not on disk.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch as signals;
use tokio::time::Instant;

use super::carry::{self, Carrier, Landed};
use super::clock::Clock;
use super::desk::{Call, Errand, Obeyed, Readers};
use super::heartbeat::{self, Heartbeats};
use super::journal;
use super::pulse::Pulse;
use super::reload::{self, Reload, Step};
use super::store::{Store, Writing};
use crate::model::{Span, Timestamp, WatchId};
use crate::record::Fact;
use crate::watch::{Done, Fleet, Heard, Noted};

/// After a request to stop letters may still leave for this long; the rest
/// stays on disk and leaves at the next start.
const DRAIN: Duration = Duration::from_secs(20);

/// How often a failing store is tried again when nothing else happens.
const STORE_RETRY: Span = Span::from_secs(5);

/// For so long a turn waits for the disk. Facts that are not on it by then
/// count as not stored; the loop goes on, and looks again.
const STORE_PATIENCE: Duration = Duration::from_secs(3);

/// The same while it is known to be failing.
const STORE_GLANCE: Duration = Duration::from_millis(100);

/// The wall clock is compared with elapsed time at least this often.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What the watches did of an order, or why none could.
type Answer = Result<Vec<Done>, String>;

/// How often somebody asked the process to stop.
pub type Stops = signals::Receiver<u32>;

/// Why the loop ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Nothing is left to observe, to write or to tell.
    Done,
    /// The observer has seen what it waited for.
    Reached,
    /// It was asked to stop; what could be told was told.
    Stopped,
    /// It was asked twice.
    Interrupted,
}

/// Sees each fact after it was stored (or could not be).
pub trait Observer {
    /// A fact became true; `fleet` knows it already.
    fn fact(&mut self, watch: &WatchId, at: Timestamp, fact: &Fact, fleet: &Fleet);

    /// A turn is over. `true`: all that was waited for has happened.
    fn turn(&mut self, now: Timestamp, fleet: &Fleet) -> bool;

    /// A line on where it stands, for a service manager.
    fn progress(&self, _now: Timestamp, _fleet: &Fleet) -> String {
        String::new()
    }
}

/// Drives a fleet through the world.
pub struct Turns {
    fleet: Fleet,
    clock: Clock,
    store: Store,
    carrier: Arc<Carrier>,
    home: UnboundedSender<Landed>,
    arrivals: UnboundedReceiver<Landed>,
    in_flight: usize,
    heard: Vec<(WatchId, Heard)>,
    unstored: Vec<Noted>,
    /// What is being written, and how many of `unstored` that is.
    writing: Option<(Writing, usize)>,
    is_store_failing: bool,
    /// A failing store is not tried again before this, by either clock.
    store_at: (Timestamp, Instant),
    /// Since when nothing was left but facts that cannot be stored.
    stuck_since: Option<Instant>,
    finished: BTreeSet<WatchId>,
    reload: Option<Reload>,
    /// Those who ask what is known, each between two turns.
    readers: Option<Readers>,
    /// Orders that the next turn carries out.
    errands: Vec<Errand>,
    /// A reading of the configuration that the next turn takes in.
    reread: Option<reload::Read>,
    /// Who is called as long as all is well.
    heartbeats: Heartbeats,
    /// Where the names are shown by which people reach us.
    names: Option<signals::Sender<Vec<String>>>,
    /// The last to be dropped: the store closes while the lock is held.
    pulse: Pulse,
}

impl Turns {
    /// A loop over `fleet`, whose watches may be new or taken up again.
    pub fn new(fleet: Fleet, clock: Clock, store: Store, carrier: Carrier) -> Turns {
        let (home, arrivals) = unbounded_channel();
        Turns {
            fleet,
            clock,
            store,
            carrier: Arc::new(carrier),
            home,
            arrivals,
            in_flight: 0,
            heard: Vec::new(),
            unstored: Vec::new(),
            writing: None,
            is_store_failing: false,
            store_at: (Timestamp::default(), Instant::now()),
            stuck_since: None,
            finished: BTreeSet::new(),
            reload: None,
            readers: None,
            errands: Vec::new(),
            reread: None,
            heartbeats: Heartbeats::default(),
            names: None,
            pulse: Pulse::default(),
        }
    }

    /// Shows its life to those who watch it.
    pub fn with_pulse(self, pulse: Pulse) -> Turns {
        Turns { pulse, ..self }
    }

    /// Reads the configuration anew on request.
    pub fn with_reload(self, reload: Reload) -> Turns {
        Turns { reload: Some(reload), ..self }
    }

    /// Lets readers look at what is known.
    pub fn with_readers(self, readers: Readers) -> Turns {
        Turns { readers: Some(readers), ..self }
    }

    /// Calls somebody as long as all is well.
    pub fn with_heartbeats(self, heartbeats: Heartbeats) -> Turns {
        Turns { heartbeats, ..self }
    }

    /// Shows the names by which people reach us, whenever they are others.
    pub fn with_names(self, names: signals::Sender<Vec<String>>) -> Turns {
        Turns { names: Some(names), ..self }
    }

    /// What is known.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The release of watch `by` takes the place of this watch's.
    pub fn supersede(&mut self, watch: &WatchId, by: &WatchId) {
        self.fleet.supersede(watch, by);
    }

    /// Runs until nothing is left, the observer is content, or a stop.
    pub async fn run(&mut self, observer: &mut dyn Observer, mut stops: Stops) -> End {
        let mut drain_until: Option<Instant> = None;
        let mut reached = false;
        loop {
            match *stops.borrow_and_update() {
                0 => {}
                1 if drain_until.is_none() => {
                    self.all_hear(|| Heard::Stop);
                    self.pulse.stopping(DRAIN);
                    self.heartbeats.stop();
                    drain_until = Some(Instant::now() + DRAIN);
                }
                1 => {}
                _ => return End::Interrupted,
            }
            let is_reached = self.turn(observer).await;
            if is_reached && drain_until.is_none() && !self.fleet.is_done() {
                // What has come about is still to be told.
                reached = true;
                self.all_hear(|| Heard::Stop);
                self.heartbeats.stop();
                drain_until = Some(Instant::now() + DRAIN);
                continue;
            }
            match self.end(drain_until) {
                Some(End::Stopped) if reached => return End::Reached,
                Some(end) => return end,
                None => {}
            }
            self.wait(&mut stops, drain_until).await;
        }
    }

    /// Whether this was the last turn. What is not stored keeps the loop going
    /// for a while.
    fn end(&mut self, drain_until: Option<Instant>) -> Option<End> {
        if let Some(until) = drain_until {
            let is_over = Instant::now() >= until;
            let is_drained = self.fleet.is_drained() && self.unstored.is_empty();
            return (is_over || is_drained).then_some(End::Stopped);
        }
        if !self.fleet.is_done() {
            return None;
        }
        if !self.unstored.is_empty() {
            let since = *self.stuck_since.get_or_insert_with(Instant::now);
            if since.elapsed() < DRAIN {
                return None;
            }
            tracing::error!("{} facts could never be stored", self.unstored.len());
        }
        Some(End::Done)
    }

    /// One turn: hear, store, ask, carry.
    async fn turn(&mut self, observer: &mut dyn Observer) -> bool {
        if let Some(by) = self.clock.step() {
            self.all_hear(|| Heard::ClockStepped { by });
        }
        while let Ok(landed) = self.arrivals.try_recv() {
            self.land(landed);
        }
        let now = self.clock.now();
        if let Some(read) = self.reread.take() {
            self.take_configuration(read, now);
        }
        let (mut noted, obeyed) = self.obey(now);
        let heard = std::mem::take(&mut self.heard);
        noted.extend(self.fleet.hear(now, heard));
        let mut facts = noted.clone();
        if let Some(news) = self.keep(&mut noted).await {
            // The watches learn it before anything else leaves: letters of
            // this turn say that they are not stored.
            self.all_hear(|| Heard::Store(news.clone()));
            let heard = std::mem::take(&mut self.heard);
            let more = self.fleet.hear(now, heard);
            facts.extend(more.iter().cloned());
            self.unstored.extend(more);
        }
        for (errand, done) in obeyed {
            errand.answer(Obeyed { done, is_stored: self.unstored.is_empty() });
        }
        for one in &facts {
            self.say(one, observer);
        }
        let wall_s = self.clock.wall_s();
        for job in self.fleet.ask(now) {
            let limit = job.deadline.since(now).to_std();
            self.in_flight += 1;
            carry::spawn(&self.carrier, job, limit, wall_s, self.home.clone());
        }
        self.finish().await;
        self.pulse.turned(Instant::now(), || observer.progress(now, &self.fleet));
        let is_stored = self.unstored.is_empty();
        let trouble = || heartbeat::trouble(&self.fleet, now, is_stored);
        self.heartbeats.turned(Instant::now(), &self.carrier, trouble);
        observer.turn(now, &self.fleet)
    }

    /// Carries out what people want. They hear of it when it is stored.
    fn obey(&mut self, now: Timestamp) -> (Vec<Noted>, Vec<(Errand, Answer)>) {
        let (mut noted, mut obeyed) = (Vec::new(), Vec::new());
        for errand in std::mem::take(&mut self.errands) {
            let (facts, done) = self.fleet.obey(now, errand.service.as_deref(), &errand.order);
            noted.extend(facts);
            obeyed.push((errand, done));
        }
        (noted, obeyed)
    }

    /// Whoever wants to know something is told at once; what is wanted of the
    /// watches is done by the next turn.
    fn attend(&mut self, call: Call) {
        match call {
            Call::Look(look) => look.at(&self.fleet, self.clock.now()),
            Call::Errand(errand) => self.errands.push(errand),
        }
    }

    /// Watches hear of another plan with this turn, and jobs of this turn know
    /// the secrets of it; those that are out end with what they left with.
    fn take_configuration(&mut self, read: reload::Read, now: Timestamp) {
        let (heard, beside) = reload::dispatch(&self.fleet, &self.carrier.secrets, read, now);
        self.heard.extend(heard);
        if let Some(beside) = beside {
            self.carrier = Arc::new(self.carrier.with_secrets(beside.secrets));
            self.heartbeats.follow(beside.heartbeats);
            if let Some(names) = &self.names {
                names.send_replace(beside.names);
            }
        }
        self.pulse.reloaded();
    }

    /// Stores what is new after what could not be stored before. Gives what
    /// the watches should hear of it: that it fails, and that it does no more,
    /// once each.
    async fn keep(&mut self, noted: &mut Vec<Noted>) -> Option<Option<String>> {
        self.unstored.append(noted);
        loop {
            let was_begun = self.writing.is_some();
            let (mut writing, count) = self.begun()?;
            let patience = match (self.is_store_failing, was_begun) {
                (false, _) => STORE_PATIENCE,
                (true, false) => STORE_GLANCE,
                (true, true) => Duration::ZERO, // a turn is not the time to wait again
            };
            match tokio::time::timeout(patience, writing.done()).await {
                Ok(Ok(())) => {
                    self.store_at = (Timestamp::default(), Instant::now());
                    self.unstored.drain(..count);
                    if self.unstored.is_empty() {
                        return std::mem::take(&mut self.is_store_failing).then_some(None);
                    } // else on to what came since
                }
                Ok(Err(error)) => return self.store_failed(error),
                Err(_) => {
                    self.writing = Some((writing, count));
                    return self.store_failed(format!("not written within {STORE_PATIENCE:?}"));
                }
            }
        }
    }

    /// What is being written, begun now if need be. Of what is held in memory
    /// meanwhile, a week of a watch is a few MiB.
    fn begun(&mut self) -> Option<(Writing, usize)> {
        if let Some(begun) = self.writing.take() {
            return Some(begun); // one at a time: they must arrive in order
        }
        let (at, instant) = self.store_at;
        let is_early = self.clock.now() < at && Instant::now() < instant;
        if self.unstored.is_empty() || (self.is_store_failing && is_early) {
            return None;
        }
        Some((self.store.begin_append(self.unstored.clone()), self.unstored.len()))
    }

    fn store_failed(&mut self, error: String) -> Option<Option<String>> {
        self.store_at = (self.clock.now() + STORE_RETRY, Instant::now() + STORE_RETRY.to_std());
        let is_first = !std::mem::replace(&mut self.is_store_failing, true);
        is_first.then_some(Some(error))
    }

    fn say(&self, one: &Noted, observer: &mut dyn Observer) {
        let fact = one.fact.decode().expect("what was just encoded can be read");
        if let Some(record) = self.fleet.record(&one.watch) {
            journal::say(&one.watch, one.at, &fact, record);
        }
        observer.fact(&one.watch, one.at, &fact, &self.fleet);
    }

    /// Watches that are over, and by whose knowledge no other goes, are not taken up
    /// at the next start.
    async fn finish(&mut self) {
        if !self.unstored.is_empty() || Instant::now() < self.store_at.1 {
            return;
        }
        for watch in self.fleet.closed() {
            if self.finished.contains(&watch) {
                continue;
            }
            let late = |_| Err(format!("not written within {STORE_PATIENCE:?}"));
            let finish = self.store.finish(watch.clone());
            match tokio::time::timeout(STORE_PATIENCE, finish).await.unwrap_or_else(late) {
                Ok(()) => {
                    self.finished.insert(watch);
                }
                // Tried again in a while; at worst it is taken up again and
                // found to be over.
                Err(error) => {
                    tracing::warn!(%watch, "not marked as over: {error}");
                    self.store_at.1 = Instant::now() + STORE_RETRY.to_std();
                    return;
                }
            }
        }
    }

    fn land(&mut self, ((watch, job), reply): Landed) {
        self.in_flight -= 1;
        if let Some(reply) = reply {
            self.heard.push((watch, Heard::Answer { job, reply }));
        }
    }

    fn all_hear(&mut self, heard: impl Fn() -> Heard) {
        // One that is over has nothing to say any more, not even of a full disk.
        let over = self.fleet.done();
        let ids: Vec<WatchId> = self.fleet.ids().filter(|id| !over.contains(id)).cloned().collect();
        self.heard.extend(ids.into_iter().map(|id| (id, heard())));
    }

    /// Until an answer, an instant worth waking for, or a signal.
    async fn wait(&mut self, stops: &mut Stops, drain_until: Option<Instant>) {
        let wake = self.fleet.wake();
        if !self.fleet.is_done() && self.jump(wake) {
            if let Some(call) = self.readers.as_mut().and_then(Readers::waiting) {
                self.attend(call);
            }
            tokio::task::yield_now().await;
            return;
        }
        let mut until = Instant::now() + self.patience(wake);
        if !self.unstored.is_empty() {
            until = until.min(Instant::now() + STORE_RETRY.to_std());
        }
        let others = drain_until.into_iter().chain(self.pulse.due()).chain(self.heartbeats.due());
        let until = others.fold(until, Instant::min);
        tokio::select! {
            landed = self.arrivals.recv() => {
                self.land(landed.expect("we hold a sender ourselves"));
            }
            () = tokio::time::sleep_until(until) => {}
            () = written(&mut self.writing) => {}
            () = asked(stops) => {}
            call = reader(&mut self.readers) => self.attend(call),
            step = reread(&mut self.reload) => match step {
                Step::Begun => self.pulse.reloading(),
                Step::Done(read) => self.reread = Some(read),
            },
        }
    }

    fn patience(&self, wake: Option<Timestamp>) -> Duration {
        match (&self.clock, wake) {
            (Clock::Real(_), Some(wake)) => wake.since(self.clock.now()).to_std().min(WAIT_MAX),
            (Clock::Real(_) | Clock::Compressed(_), _) => WAIT_MAX,
        }
    }

    /// The demo's clock: it jumps when nothing is out.
    fn jump(&self, wake: Option<Timestamp>) -> bool {
        let (Clock::Compressed(clock), Some(wake)) = (&self.clock, wake) else { return false };
        if self.in_flight > 0 {
            return false;
        }
        clock.fetch_max(wake.millis(), Ordering::SeqCst);
        true
    }
}

/// Until the disk has answered; the answer is taken in by the next turn.
async fn written(writing: &mut Option<(Writing, usize)>) {
    match writing {
        // Whatever it says: it says it again.
        Some((writing, _)) => drop(writing.done().await),
        None => std::future::pending().await,
    }
}

/// Until somebody comes to ask, or to give an order.
async fn reader(readers: &mut Option<Readers>) -> Call {
    match readers {
        Some(readers) => readers.next().await,
        None => std::future::pending().await,
    }
}

/// Until a reading of the configuration is asked for, or is there.
async fn reread(reload: &mut Option<Reload>) -> Step {
    match reload {
        Some(reload) => reload.next().await,
        None => std::future::pending().await,
    }
}

/// Until a stop is asked for. Where nobody holds the sender, that is never.
async fn asked(stops: &mut Stops) {
    if stops.changed().await.is_err() {
        std::future::pending().await
    }
}
