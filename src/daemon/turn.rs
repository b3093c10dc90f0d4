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

use super::backlog::Backlog;
use super::carry::{self, Carrier, Landed};
use super::clock::Clock;
use super::desk::{Call, Errand, Obeyed, Readers};
use super::heartbeat::{self, Heartbeats};
use super::journal;
use super::pulse::Pulse;
use super::reload::{self, Reload, Step};
use super::store::Store;
use crate::model::{Timestamp, WatchId};
use crate::record::Fact;
use crate::watch::{Done, Fleet, Heard, Noted};

/// After a request to stop letters may still leave for this long; the rest
/// stays on disk and leaves at the next start.
const DRAIN: Duration = Duration::from_secs(20);

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

/// Sees each fact: a decision after it was stored (or could not be).
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
    backlog: Backlog,
    carrier: Arc<Carrier>,
    home: UnboundedSender<Landed>,
    arrivals: UnboundedReceiver<Landed>,
    in_flight: usize,
    heard: Vec<(WatchId, Heard)>,
    /// Since when nothing is left but facts that are not stored.
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
            backlog: Backlog::new(store),
            carrier: Arc::new(carrier),
            home,
            arrivals,
            in_flight: 0,
            heard: Vec::new(),
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
            let is_drained = self.fleet.is_drained() && self.backlog.is_empty();
            return (is_over || is_drained).then_some(End::Stopped);
        }
        if !self.fleet.is_done() {
            self.stuck_since = None; // somebody gave an order
            return None;
        }
        if !self.backlog.is_empty() {
            let since = *self.stuck_since.get_or_insert_with(Instant::now);
            if since.elapsed() < DRAIN {
                return None;
            }
            tracing::error!("{} facts could never be stored", self.backlog.len());
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
        let (mut facts, obeyed) = self.obey(now);
        let heard = std::mem::take(&mut self.heard);
        facts.extend(self.fleet.hear(now, heard));
        if let Some(news) = self.backlog.keep(facts.clone(), now).await {
            // The watches learn it before anything else leaves: letters of
            // this turn say that they are not stored.
            self.all_hear(|| Heard::Store(news.clone()));
            let heard = std::mem::take(&mut self.heard);
            let more = self.fleet.hear(now, heard);
            facts.extend(more.iter().cloned());
            self.backlog.add(more);
        }
        for (errand, done) in obeyed {
            errand.answer(Obeyed { done, is_stored: self.backlog.is_stored() });
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
        let is_stored = self.backlog.is_stored();
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

    fn say(&self, one: &Noted, observer: &mut dyn Observer) {
        if let Some(record) = self.fleet.record(&one.watch) {
            journal::say(&one.watch, one.at, &one.told, record);
        }
        observer.fact(&one.watch, one.at, &one.told, &self.fleet);
    }

    /// Watches that are over, and by whose knowledge no other goes, are not taken up
    /// at the next start.
    async fn finish(&mut self) {
        for watch in self.fleet.closed() {
            if self.finished.contains(&watch) {
                continue;
            }
            if !self.backlog.finish(&watch).await {
                return;
            }
            self.finished.insert(watch);
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
        let until = Instant::now() + self.patience(wake);
        let others = drain_until.into_iter().chain(self.pulse.due()).chain(self.heartbeats.due());
        let others = others.chain(self.backlog.due());
        let until = others.fold(until, Instant::min);
        tokio::select! {
            landed = self.arrivals.recv() => {
                self.land(landed.expect("we hold a sender ourselves"));
            }
            () = tokio::time::sleep_until(until) => {}
            () = self.backlog.answered() => {}
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
