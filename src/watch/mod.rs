//! The conductor. A watch asks the world questions, hears answers, and writes
//! down facts; it says when it wants to be woken. It has no arithmetic of its
//! own: every number comes from a room before this one.
//!
//! | verb | meaning |
//! |---|---|
//! | `ask(now)` | the questions due now, each handed out once until answered |
//! | `hear(now, heard)` | takes in what came (nothing = a tick); gives the facts it led to |
//! | `wake()` | the next instant worth waking for |
//!
//! Two memories: the `Record` (the fold of all facts) and what is `recent`
//! (samples a rate needs, questions in flight). A crash loses the second.

mod apart;
mod checks;
mod clocks;
mod close;
mod counted;
mod course;
mod digests;
mod discover;
mod fleet;
mod flight;
mod gathered;
mod history;
mod holding;
mod job;
mod judging;
mod look;
mod measure;
mod observe;
mod order;
mod own;
mod pace;
mod read;
mod reload;
mod repeat;
mod seek;
mod smoke;
mod sources;
mod steps;
mod succession;
mod tell;
mod told;
mod vitals;

use std::sync::Arc;

pub use fleet::Fleet;
pub use job::{Heard, Job, JobId, Question, Reply};
pub use order::{Done, Order, Until};

pub use crate::record::Meant;

use crate::model::{Name, Release, Timestamp, WatchId};
use crate::record::{Baseline, Fact, Plan, Record, Stored};
use checks::Checks;
use digests::Digests;
use discover::Discover;
use flight::Flight;
use history::History;
use holding::Holding;
use judging::Judging;
use look::Look;
use measure::Measure;
use pace::Pace;
use repeat::Repeats;
use seek::Seek;
use smoke::Smoke;
pub use smoke::run_id;
use sources::Sources;
use tell::Tell;

/// A fact, as it is to be stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Noted {
    /// Whose.
    pub watch: WatchId,
    /// Its number in the watch, from 1, without gaps.
    pub seq: u64,
    /// When it became true.
    pub at: Timestamp,
    /// Its stored form.
    pub fact: Stored,
    /// What the record took in: of a decision, what its stored form says.
    pub told: Arc<Fact>,
    /// Whether it must be on disk before the next question leaves.
    pub decision: bool,
}

/// The first panic ends the judging; after so many the watch is let alone, with
/// what it still owes, rather than tried in a loop that never rests.
const PANICS_MAX: u32 = 3;

/// Stands over one release.
pub struct Watch {
    id: WatchId,
    record: Record,
    noted: Vec<Noted>,
    flight: Flight,
    discover: Discover,
    look: Look,
    sources: Sources,
    history: History,
    checks: Checks,
    measure: Measure,
    judging: Judging,
    holding: Holding,
    pace: Pace,
    smoke: Smoke,
    seek: Seek,
    counted: counted::Counted,
    digests: Digests,
    tell: Tell,
    repeats: Repeats,
    steps: steps::StepClock,
    /// What earlier releases' watches still have to tell.
    left: succession::Left,
    /// What became of the last order.
    done: Option<Result<Done, String>>,
    stopping: bool,
    panics: u32,
}

impl Watch {
    /// Opens a watch: its first fact is among those that the next `hear` gives.
    pub fn open(release: Release, plan: Plan, baseline: Option<Baseline>, now: Timestamp) -> Watch {
        let id = release.watch();
        let by = env!("CARGO_PKG_VERSION").to_owned();
        let opened = Fact::Opened { release, plan: Box::new(plan), by };
        let fact = opened.encode();
        let told = Arc::new(fact.decode().expect("what was just encoded can be read"));
        let record = Record::open(now, &told).expect("an opened fact opens a record");
        let first = Noted { watch: id.clone(), seq: 1, at: now, fact, told, decision: true };
        let mut watch = Watch::of(id, record, vec![first], now);
        if let Some(baseline) = baseline {
            watch.note(now, Fact::Baseline(baseline));
        }
        watch
    }

    /// Takes a watch up again from its facts. What lies between its last
    /// observation and `now` becomes blind time.
    pub fn resume(
        facts: impl IntoIterator<Item = (Timestamp, Fact)>,
        now: Timestamp,
    ) -> Result<Watch, String> {
        let record = Record::replay(facts)?;
        let mut watch = Watch::of(record.release.watch(), record, Vec::new(), now);
        let is_over = watch.record.ended.is_some();
        let is_out = watch.record.channels.values().any(|channel| channel.frozen.is_some());
        if !is_over || is_out {
            let quiet_since = if is_over { now } else { watch.record.observed_to() };
            let why = "bakewatch was not running".to_owned();
            watch.note(now, Fact::Resumed { quiet_since, why });
        }
        Ok(watch)
    }

    fn of(id: WatchId, record: Record, noted: Vec<Noted>, now: Timestamp) -> Watch {
        let mut measure = Measure::new(&record, now);
        Watch {
            flight: Flight::default(),
            look: Look::new(&record, measure.wanted_at_first(&record), now),
            discover: Discover::new(&record.plan, now),
            sources: Sources::new(&record.plan, &mut measure.series, now),
            history: History::default(),
            checks: Checks::new(&record, &mut measure.series, now),
            measure,
            judging: Judging::new(record.plan.rules.len(), now),
            holding: Holding::default(),
            pace: Pace::default(),
            smoke: Smoke::new(&record),
            seek: Seek::new(&record),
            counted: counted::Counted::default(),
            digests: Digests::new(&record),
            tell: Tell::default(),
            repeats: Repeats::default(),
            steps: steps::StepClock::default(),
            left: succession::Left::default(),
            done: None,
            stopping: false,
            panics: 0,
            id,
            record,
            noted,
        }
    }

    /// Names it: `service@version`.
    pub fn id(&self) -> &WatchId {
        &self.id
    }

    /// All that is known.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Nothing is left to observe, to write or to tell.
    pub fn is_done(&self) -> bool {
        let over = self.record.ended.is_some() || self.record.poisoned.is_some();
        self.is_dead()
            || over && self.is_published() && !self.is_owing() && !self.has_steps_to_come()
    }

    /// Asked to stop, and every letter has its receipt.
    pub fn is_drained(&self) -> bool {
        self.stopping && !self.is_owing() && !self.is_cleaning()
    }

    /// The questions due now. Each is handed out once until it is answered.
    /// To be called only when the decisions of the last `hear` are stored.
    pub fn ask(&mut self, now: Timestamp, next_id: &mut u64) -> Vec<Job> {
        let mut due = Vec::new();
        if self.is_observing() {
            self.ask_sources(now, &mut due);
            self.ask_targets(now, &mut due);
            self.ask_data_sources(now, &mut due);
            self.ask_history(now, &mut due);
            self.ask_checks(now, &mut due);
            self.ask_smoke(now, &mut due);
        } else if self.is_cleaning() {
            self.ask_smoke(now, &mut due);
        }
        self.ask_publish(&mut due);
        self.ask_letters(&mut due);
        self.ask_repeats(now, &mut due);
        self.ask_replays(&mut due);
        due.into_iter().map(|due| self.flight.take_off(&self.id, due, now, next_id)).collect()
    }

    /// Takes in what came, in order, then whatever is due at `now` by itself.
    pub fn hear(&mut self, now: Timestamp, heard: Vec<Heard>) -> Vec<Noted> {
        if self.is_observing() {
            self.notice_gap(now);
        }
        for one in heard {
            self.hear_one(now, one);
        }
        for (question, reply) in self.flight.overdue(now) {
            self.answered(now, question, reply);
        }
        if self.is_observing() {
            self.settle(now);
            self.go_on_with_smoke(now);
            self.doubt(now);
            self.tick(now);
            self.mind_holds(now);
            self.write_digests(now);
            self.close_windows(now);
        } else if self.is_cleaning() {
            self.go_on_with_smoke(now);
        }
        if self.is_leaving() && !self.is_cleaning() {
            self.close_short(now);
        }
        self.take_steps(now);
        self.write_letters(now);
        std::mem::take(&mut self.noted)
    }

    /// The next instant worth waking for; `None`: only an answer can change anything.
    pub fn wake(&self) -> Option<Timestamp> {
        if self.is_dead() {
            return None;
        }
        let mut next = self.flight.next_deadline();
        let mut also = |at: Option<Timestamp>| {
            next = match (next, at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        };
        if self.is_observing() {
            also(self.next_discovery());
            also(self.next_look());
            also(self.next_question());
            also(self.next_history());
            also(self.next_check());
            also(self.next_smoke());
            also(Some(self.measure.next_tick()));
            also(self.judging.due());
            also(self.holding.due());
            also(self.next_edge());
            also(self.next_digest());
        }
        if self.is_cleaning() {
            also(self.next_smoke());
        }
        also(self.next_step());
        also(self.next_letter());
        also(self.next_repeat());
        next
    }

    /// Our own mistake: nothing is judged any more, and that is told with the
    /// next `hear`.
    fn poison(&mut self, now: Timestamp, message: &str) {
        self.panics += 1;
        if self.record.poisoned.is_none() {
            self.note(now, Fact::Poisoned { message: message.to_owned() });
        }
    }

    /// It failed even at telling that it failed.
    fn is_dead(&self) -> bool {
        self.panics >= PANICS_MAX
    }

    /// Whether the world is still looked at.
    fn is_observing(&self) -> bool {
        !self.stopping && !self.record.is_over()
    }

    fn hear_one(&mut self, now: Timestamp, heard: Heard) {
        match heard {
            Heard::Answer { job, reply } => match self.flight.land(job) {
                Some(question) => self.answered(now, question, reply),
                None => self.limit(now, None, "late-answer", "an answer came after its deadline"),
            },
            Heard::Stop if self.stopping => {}
            Heard::Stop => {
                if self.is_observing() {
                    self.flush(now, now);
                    self.interrupt_smoke(now);
                }
                self.stopping = true;
                self.note(now, Fact::Stopped {});
            }
            Heard::Superseded { by, heir } => self.supersede(now, by, heir.as_deref()),
            Heard::Inherits { from, alerts, silences } => {
                self.inherit(now, from, alerts, silences);
            }
            Heard::Reloaded(read) => self.reload(now, read),
            Heard::Ordered(order) => self.obey(now, *order),
            Heard::ClockStepped { by } => self.note(now, Fact::ClockStepped { by }),
            Heard::Store(Some(error)) if !self.tell.not_stored => {
                self.tell.not_stored = true;
                self.note(now, Fact::StoreFailed { error });
            }
            Heard::Store(failing) => self.tell.not_stored = failing.is_some(),
        }
    }

    fn answered(&mut self, now: Timestamp, question: flight::Asked, reply: Reply) {
        use flight::Asked;
        let cleans_up = question == Asked::Smoke && self.is_cleaning();
        if question.is_observation() && !self.is_observing() && !cleans_up {
            return; // asked before the end: a closed watch turns nothing any more
        }
        match (question, reply) {
            (Asked::Probe { target }, Reply::Exchanged(result)) => {
                self.hear_probe(now, target, &result);
            }
            (Asked::Scrape { target }, Reply::Scraped { page, table, .. }) => {
                self.hear_scrape(now, target, page, Some(table));
            }
            (Asked::Scrape { target }, Reply::Exchanged(Err(failure))) => {
                self.hear_scrape(now, target, Err(failure), None);
            }
            (Asked::Query { source }, Reply::Queried(answers)) => {
                self.hear_answers(now, &source, Ok(answers));
            }
            (Asked::Query { source }, Reply::Exchanged(Err(failure))) => {
                self.hear_answers(now, &source, Err(failure));
            }
            (Asked::History, Reply::Queried(answers)) => self.hear_history(now, Ok(answers)),
            (Asked::History, Reply::Exchanged(Err(failure))) => {
                self.hear_history(now, Err(failure));
            }
            (Asked::Check { check }, Reply::Exchanged(result)) => {
                self.hear_check(now, &check, &result);
            }
            (Asked::Discover { source }, Reply::Discovered(answer)) => {
                self.hear_found(now, &source, answer);
            }
            (Asked::Discover { source }, Reply::Exchanged(Err(failure))) => {
                self.hear_found(now, &source, Err(failure.to_string()));
            }
            (Asked::Smoke, Reply::Exchanged(result)) => self.hear_smoke(now, &result),
            (Asked::Letter { channel, key }, Reply::Delivered(outcome)) => {
                self.note(now, Fact::Receipt { channel, key, outcome });
            }
            (Asked::Repeat { channel, key }, Reply::Delivered(outcome)) => {
                self.hear_repeat(now, channel, key, outcome);
            }
            (Asked::Publish { window }, Reply::Published(written)) => {
                let (files, error) = match written {
                    Ok(files) => (files, None),
                    Err(error) => (Vec::new(), Some(error)),
                };
                self.note(now, Fact::Published { window, files, error });
            }
            (Asked::Moot, _) => {}
            (asked, reply) => panic!("{asked:?} was answered with {reply:?}"),
        }
    }

    /// A limit was hit: a fact the first time, and a line in the report.
    fn limit(&mut self, now: Timestamp, target: Option<Name>, what: &str, detail: &str) {
        let what = Name::from(what);
        if !self.record.limits.contains_key(&(what.clone(), target.clone())) {
            self.note(now, Fact::Limit { target, what, detail: detail.to_owned() });
        }
    }

    /// Writes a fact down. What is applied of a decision is the decoded form
    /// of what is stored, so that the live record and a replayed one cannot
    /// differ. (Measurements are numbers alone, which keep every bit; they are
    /// nine facts in ten.)
    fn note(&mut self, now: Timestamp, fact: Fact) {
        let decision = fact.is_decision();
        let stored = fact.encode();
        let told = match decision {
            true => stored.decode().expect("what was just encoded can be read"),
            false => fact,
        };
        self.record.apply(now, told.clone());
        self.noted.push(Noted {
            watch: self.id.clone(),
            seq: self.record.seq,
            at: now,
            fact: stored,
            told: Arc::new(told),
            decision,
        });
    }
}
