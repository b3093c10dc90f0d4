//! When each target is looked at: its own schedule, splayed, with a failure
//! confirmed within the cycle before it counts.

use std::sync::Arc;

use super::flight::{Asked, Due};
use super::vitals::Vitals;
use super::{Question, Watch};
use crate::check::health::Health;
use crate::check::paths::KNOWN;
use crate::metrics::{Feed, Sawtooth, Table, Wanted};
use crate::model::{Approach, Exchange, Request, Span, Target, Timestamp, stable_hash};
use crate::record::{Plan, PresetChoice, Record};

/// How often a target is asked while nothing has answered yet.
const SETTLING_EVERY: Span = Span::from_secs(1);

/// How often a failing probe is asked in one cycle, the first time included.
const TRIES_MAX: u32 = 3;

/// A failure is confirmed within this part of the interval.
const CONFIRM_PART: i64 = 5;

/// An answer that takes longer than this part of the time-out may never come ...
const DOUBT_PART: i64 = 8;

/// ... unless the one before it took long too: so many times that are allowed.
const DOUBT_TIMES: i64 = 2;

/// So many siblings of one that fails are asked at once. Where a third of a
/// thousand fail in one cycle, all siblings of each would be a storm.
const SIBLINGS_MAX: usize = 8;

/// So often a page's families are listed while presets are looked for.
const SEARCH_EVERY: Span = Span::from_secs(30);

/// The same once the first search is over, while some rule has found nothing
/// to judge: the first request may come in the morning.
const SEARCH_AGAIN: Span = Span::from_secs(300);

/// Fewer targets divide the interval among them, and move when one comes or goes.
const MANY: usize = 4;

/// The targets, and when each is due.
pub(super) struct Look {
    pub targets: Vec<Aim>,
    /// What is kept of a scrape.
    pub wanted: Arc<Wanted>,
    /// How often a target's families are listed besides; `None`: they are known.
    pub search: Option<Span>,
}

/// One target, and where it is in its cycle.
pub(super) struct Aim {
    pub target: Target,
    /// It has not left; its place is free when nothing of it is out any more.
    pub is_here: bool,
    /// Nothing is judged before it has been heard.
    pub is_awaited: bool,
    pub probe: Option<Turn>,
    pub scrape: Option<Turn>,
    /// What is sent, the same each time: to probe, and to scrape.
    asks: [Option<Arc<Request>>; 2],
    pub feed: Feed,
    /// Whether it is several processes.
    pub sawtooth: Sawtooth,
    /// With the scrape that is out, or at home.
    pub table: Option<Box<Table>>,
    /// The last probe's answer: `None` when it was unknown, or none came yet.
    pub is_up: Option<bool>,
    /// The last answer in full, and what it amounts to.
    pub judged: Option<(Exchange, Health)>,
    /// What its answers show besides.
    pub vitals: Vitals,
    /// When that answer came.
    pub heard_at: Option<Timestamp>,
    /// Whether it ever answered anything.
    pub has_answered: bool,
    /// Whether it ever showed an exposition.
    pub has_shown: bool,
    /// When its families were last listed.
    pub searched_at: Option<Timestamp>,
    /// What is kept of it has changed: its table is to be learned anew.
    pub relearn: bool,
}

/// One kind of question's cycle.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    /// When it is due; `None` while it is out.
    pub due: Option<Timestamp>,
    /// When this cycle began: confirmation counts from here.
    pub began: Timestamp,
    /// Tries in this cycle so far.
    pub tries: u32,
    /// When it was asked last.
    asked: Timestamp,
    /// How long the last answer took; `None`: it failed.
    took: Option<Span>,
    /// When an answer that is out will be late enough to be doubted. Where the
    /// last one failed there is no doubt.
    pub doubt_at: Option<Timestamp>,
    /// Where in the interval this target has its place, in thousandths.
    place: i64,
}

impl Turn {
    /// Due now, and then at its place in each interval.
    pub fn new(place: i64, now: Timestamp) -> Turn {
        Turn { due: Some(now), began: now, tries: 0, asked: now, took: None, doubt_at: None, place }
    }

    /// It is asked now.
    fn go(&mut self, now: Timestamp, timeout: Span) {
        (self.due, self.asked) = (None, now);
        let late = |took: Span| now + (DOUBT_TIMES * took).max(timeout / DOUBT_PART);
        self.doubt_at = self.took.map(late);
    }

    /// The answer is here, or is known not to come.
    fn come(&mut self, failed: bool, now: Timestamp) {
        self.doubt_at = None;
        self.took = (!failed).then(|| now.since(self.asked));
    }

    /// Whether an answer has begun to be doubted.
    fn turns_late(&mut self, now: Timestamp) -> bool {
        self.doubt_at.take_if(|at| *at <= now).is_some()
    }

    /// Puts the next cycle on the target's own grid.
    pub fn next_cycle(&mut self, origin: Timestamp, interval: Span, now: Timestamp) {
        let splay = Span::from_millis(interval.millis() * self.place / 1000);
        self.due = Some(now.next_on_grid(origin + splay, interval));
        self.tries = 0;
    }
}

impl Aim {
    /// A target that nobody has asked yet, and that has no place of its own yet.
    pub fn new(target: Target, own: Option<&Approach>, plan: &Plan, now: Timestamp) -> Aim {
        let turn = |url: &Option<String>| url.as_ref().map(|_| Turn::new(0, now));
        Aim {
            is_here: true,
            is_awaited: true,
            probe: turn(&target.health),
            scrape: turn(&target.metrics),
            asks: asks(&target, own, plan),
            feed: Feed::with(target.labels.clone()),
            sawtooth: Sawtooth::default(),
            table: Some(Box::default()),
            is_up: None,
            judged: None,
            vitals: Vitals::default(),
            heard_at: None,
            has_answered: false,
            has_shown: false,
            searched_at: None,
            relearn: false,
            target,
        }
    }

    /// Its health is asked now, and not when its turn comes. `false`: it is
    /// being asked, or never is. Out of turn its answer raises no doubt: one
    /// doubt leads to no other, however the times of answers waver.
    fn ask_health(&mut self, now: Timestamp) -> bool {
        let waits = |turn: &&mut Turn| turn.tries == 0 && turn.due.is_some_and(|at| now < at);
        let Some(turn) = self.probe.as_mut().filter(waits) else { return false };
        (turn.due, turn.took) = (Some(now), None);
        true
    }

    /// It is asked no more, and what it held is given back.
    pub fn leave(&mut self) {
        (self.is_here, self.probe, self.scrape) = (false, None, None);
        (self.table, self.is_up, self.judged) = (None, None, None);
        (self.feed, self.sawtooth) = Default::default();
    }
}

impl Look {
    pub fn new(record: &Record, wanted: Arc<Wanted>, now: Timestamp) -> Look {
        let aim =
            |target: &Target| Aim::new(target.clone(), record.own_way(target), &record.plan, now);
        let targets = record.live().map(aim).collect();
        let is_settled = record.plan.presets == PresetChoice::Pinned(Vec::new());
        let search = (!is_settled).then_some(SEARCH_EVERY);
        let mut look = Look { targets, wanted, search };
        look.place_all(&record.plan);
        look
    }

    /// Gives each target its places, which depend on how many there are. They hold
    /// from its next cycle on.
    pub fn place_all(&mut self, plan: &Plan) {
        let count = self.targets.iter().filter(|aim| aim.is_here).count();
        let here = self.targets.iter_mut().filter(|aim| aim.is_here);
        for (nth, aim) in here.enumerate() {
            let place = place(plan.service.as_str(), nth, count);
            for turn in [&mut aim.probe, &mut aim.scrape].into_iter().flatten() {
                turn.place = place;
            }
        }
    }

    /// Whether every target that is probed has been heard of in this process's life.
    pub fn is_acquainted(&self) -> bool {
        let is_heard = |aim: &Aim| aim.probe.is_none() || aim.heard_at.is_some();
        self.targets.iter().all(|aim| !aim.is_awaited || is_heard(aim))
    }

    /// Asks a target's health at another path, at once.
    pub fn ask_at(&mut self, target: usize, path: &str, now: Timestamp) {
        let aim = &mut self.targets[target];
        let (Some(known), Some(ask)) = (&aim.target.health, &mut aim.asks[0]) else { return };
        let base = known.strip_suffix(KNOWN[0].health).unwrap_or(known);
        Arc::make_mut(ask).url = format!("{base}{path}");
        if let Some(turn) = &mut aim.probe {
            (turn.due, turn.tries) = (Some(now), 0);
        }
    }

    /// Asks a target's health again in a while: its answer was no sample.
    pub fn ask_again(&mut self, target: usize, now: Timestamp) {
        if let Some(turn) = &mut self.targets[target].probe {
            (turn.due, turn.tries) = (Some(now + SETTLING_EVERY), 0);
        }
    }

    /// Asks each target where the plan says now.
    pub fn follow(&mut self, record: &Record) {
        for aim in self.targets.iter_mut().filter(|aim| aim.is_here) {
            let Some(target) = record.live().find(|live| live.name == aim.target.name) else {
                continue;
            };
            aim.asks = asks(target, record.own_way(target), &record.plan);
            if target.health.is_none() {
                aim.probe = None;
            }
        }
    }

    /// Asks each target where, and as, another plan says. Gives the places of
    /// those that are asked elsewhere than before: for health, for metrics.
    pub fn change(&mut self, record: &Record, now: Timestamp) -> [Vec<usize>; 2] {
        let mut moved = [Vec::new(), Vec::new()];
        for (index, aim) in self.targets.iter_mut().enumerate().filter(|(_, aim)| aim.is_here) {
            let Some(target) = record.live().find(|live| live.name == aim.target.name) else {
                continue;
            };
            aim.target = target.clone();
            aim.judged = None;
            let asks = asks(target, record.own_way(target), &record.plan);
            let before = std::mem::replace(&mut aim.asks, asks);
            for (which, turn) in [&mut aim.probe, &mut aim.scrape].into_iter().enumerate() {
                let url = |ask: &Option<Arc<Request>>| ask.as_ref().map(|ask| ask.url.clone());
                if url(&before[which]) != url(&aim.asks[which]) {
                    *turn = aim.asks[which].is_some().then(|| Turn::new(0, now));
                    moved[which].push(index);
                }
            }
        }
        self.place_all(&record.plan);
        moved
    }

    /// Presets are looked for anew, as at the beginning.
    pub fn search_anew(&mut self, plan: &Plan) {
        let is_settled = plan.presets == PresetChoice::Pinned(Vec::new());
        self.search = (!is_settled).then_some(SEARCH_EVERY);
        self.targets.iter_mut().for_each(|aim| aim.searched_at = None);
    }

    pub fn has_anything_answered(&self) -> bool {
        self.targets.iter().any(|aim| aim.has_answered)
    }
}

impl Watch {
    pub(super) fn ask_targets(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        let plan = &self.record.plan;
        let timeout = plan.timeout;
        for (index, aim) in self.look.targets.iter_mut().enumerate() {
            let target = &aim.target;
            let [probe, scrape] = &aim.asks;
            if let (Some(turn), Some(request)) = (&mut aim.probe, probe)
                && turn.due.is_some_and(|at| at <= now)
            {
                turn.go(now, timeout);
                turn.tries += 1;
                if turn.tries == 1 {
                    turn.began = now;
                }
                due.push(Due {
                    asked: Asked::Probe { target: index },
                    question: Question::Probe {
                        target: target.name.clone(),
                        request: request.clone(),
                    },
                    timeout,
                });
            }
            if let (Some(turn), Some(request)) = (&mut aim.scrape, scrape)
                && turn.due.is_some_and(|at| at <= now)
            {
                turn.due = None;
                let mut wanted = self.look.wanted.clone();
                let since = aim.searched_at.map(|at| now.since(at));
                if self.look.search.is_some_and(|every| since.is_none_or(|since| since >= every)) {
                    wanted = Arc::new(wanted.with_list());
                    aim.searched_at = Some(now);
                }
                if std::mem::take(&mut aim.relearn) {
                    aim.table = None;
                }
                let table = aim.table.take().unwrap_or_else(|| {
                    aim.feed.forget(); // lost with an answer that never came
                    Box::default()
                });
                due.push(Due {
                    asked: Asked::Scrape { target: index },
                    question: Question::Scrape {
                        target: target.name.clone(),
                        request: request.clone(),
                        wanted,
                        bytes_max: plan.body_bytes_max,
                        table,
                    },
                    timeout,
                });
            }
        }
    }

    pub(super) fn next_look(&self) -> Option<Timestamp> {
        let turns = self.look.targets.iter().flat_map(|aim| [&aim.probe, &aim.scrape]);
        turns.flatten().flat_map(|turn| [turn.due, turn.doubt_at]).flatten().min()
    }

    /// Where an answer takes longer than it did, the siblings are asked now and
    /// not when the time is up: a service that hangs is known to be down that
    /// much sooner.
    pub(super) fn doubt(&mut self, now: Timestamp) {
        for index in 0..self.look.targets.len() {
            let aim = &mut self.look.targets[index];
            let is_late = aim.probe.as_mut().is_some_and(|turn| turn.turns_late(now));
            if is_late && aim.is_up == Some(true) {
                self.ask_siblings(index, now);
            }
        }
    }

    /// From now on another set of samples is kept.
    pub(super) fn keep(&mut self) {
        self.look.wanted = self.measure.wanted();
        if std::mem::take(&mut self.measure.is_kept_anew) {
            self.look.targets.iter_mut().for_each(|aim| aim.relearn = true);
        }
    }

    /// The first search is over.
    pub(super) fn search_less(&mut self) {
        let is_missing = self.measure.is_some_rule_without_signal();
        self.look.search = is_missing.then_some(SEARCH_AGAIN);
    }

    /// The pace has quickened: who is not due for long is due sooner.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        let (pace, origin) = (self.pace(now), self.record.release.at);
        for aim in &mut self.look.targets {
            for turn in [&mut aim.probe, &mut aim.scrape].into_iter().flatten() {
                if turn.due.is_some() && turn.tries == 0 {
                    let before = turn.due;
                    turn.next_cycle(origin, pace, now);
                    turn.due = turn.due.min(before);
                }
            }
        }
        self.sources.hurry(origin, pace, now);
    }

    /// After a probe: again within this cycle to confirm a failure (then
    /// true), or on in the next.
    pub(super) fn plan_probe(&mut self, target: usize, failed: bool, now: Timestamp) -> bool {
        let pace = self.pace(now);
        let settling = self.record.settled.is_none();
        let origin = self.record.release.at;
        let Some(turn) = &mut self.look.targets[target].probe else { return false };
        turn.come(failed, now);
        if settling {
            turn.due = Some(now + SETTLING_EVERY.min(pace));
            turn.tries = 0;
            return false;
        }
        // Confirmation takes at most a fifth of the interval, so that a target
        // that is down is known to be so well before the next look at it.
        let whole = pace / CONFIRM_PART;
        let wait = if turn.tries == 1 { whole / 3 } else { whole - whole / 3 };
        if failed && turn.tries < TRIES_MAX && (now + wait).since(turn.began) <= whole {
            turn.due = Some(now + wait);
            return true;
        }
        turn.next_cycle(origin, pace, now);
        false
    }

    pub(super) fn plan_scrape(&mut self, target: usize, now: Timestamp) {
        let pace = self.pace(now);
        let origin = self.record.release.at;
        if let Some(turn) = &mut self.look.targets[target].scrape {
            turn.next_cycle(origin, pace, now);
        }
    }

    /// When one target fails its siblings are asked at once: whether the
    /// service is down is a question about all of them. Of many only the next
    /// few: each of those that has failed too asks a few more.
    pub(super) fn ask_siblings(&mut self, failed: usize, now: Timestamp) {
        let aims = &mut self.look.targets;
        let (count, mut asked) = (aims.len(), 0);
        for index in (1..count).map(|step| (failed + step) % count) {
            let aim = &mut aims[index];
            if aim.is_up == Some(true) && aim.ask_health(now) {
                asked += 1;
            }
            if asked == SIBLINGS_MAX {
                return;
            }
        }
    }
}

/// Where in the interval the n-th of so many targets is asked, in thousandths. Its
/// probe and its page have one place: they share a wake-up and a connection, and
/// apart they cost a third more. The targets of a service lie far apart: when all
/// of them fail at once, the first to be asked tells it. Few have equal distances;
/// of many each further one halves a gap.
pub(super) fn place(service: &str, nth: usize, count: usize) -> i64 {
    let first = stable_hash(&["place", service]) % 1000;
    let after = if count < MANY {
        nth as u64 * 1000 / count.max(1) as u64
    } else {
        (u64::from((nth as u32).reverse_bits()) * 1000) >> 32
    };
    ((first + after) % 1000) as i64
}

/// What is sent to a target: to probe, and to scrape.
fn asks(target: &Target, own: Option<&Approach>, plan: &Plan) -> [Option<Arc<Request>>; 2] {
    [&target.health, &target.metrics]
        .map(|url| url.as_ref().map(|url| Arc::new(plan.get(own, url.clone()))))
}
