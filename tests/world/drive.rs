//! Drives a fleet of one through a world on the virtual clock: asks, answers
//! after the right delay, stores, and (when told to) fails, loses and crashes.

use std::collections::{BTreeMap, BTreeSet};

use bakewatch::config::{Checked, found};
use bakewatch::daemon::desk::{Call, Obeyed};
use bakewatch::daemon::secrets::Secrets;
use bakewatch::model::{DataSource, Failure, Release, SECOND, Span, Timestamp, WatchId};
use bakewatch::record::{Fact, Outcome, Plan, Record, Reread};
use bakewatch::report;
use bakewatch::watch::{Done, Fleet, Heard, Job, JobId, Noted, Order, Question, Reply};

use super::beyond::Other;
use super::channel::{Receiver, Taken, turns, words};
use super::prometheus::Prometheus;
use super::target::Target;

/// Where in a turn the process dies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Crash {
    /// After hearing, before the facts are on disk.
    BeforeStore,
    /// With the facts on disk, before anything leaves.
    BeforeAsk,
    /// After the questions have left.
    AfterAsk,
}

/// One thing that goes wrong, counted from the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mishap {
    /// The n-th job fails outright.
    FailJob(u64),
    /// The answer to the n-th job never comes. (What it asked for was done.)
    LoseAnswer(u64),
    /// The process dies in the n-th turn.
    CrashAt(u64, Crash),
}

/// More turns than this in one instant are a loop that never rests.
const STILL_MAX: u32 = 30;

/// How long a dead process stays dead.
const DOWN_FOR: Span = Span::from_secs(7);

/// Takes a turn's facts.
pub type Sink = Box<dyn FnMut(&[Noted])>;

pub struct Drive {
    pub fleet: Fleet,
    /// The watch that it began with.
    pub id: WatchId,
    /// All watches: that one, and those of the releases after it.
    pub ids: Vec<WatchId>,
    plan: Plan,
    pub now: Timestamp,
    pub start: Timestamp,
    pub targets: Vec<Target>,
    /// What sources of targets answer.
    pub named: Result<Vec<String>, String>,
    pub receivers: Vec<Receiver>,
    /// Servers that are asked for signals, by name.
    pub sources: BTreeMap<String, Prometheus>,
    /// The configuration file as it is on disk.
    pub file: String,
    /// The same as it was when it could be read last.
    pub followed: String,
    /// What checks beyond HTTP ask, by their names.
    pub others: BTreeMap<String, Other>,
    /// Facts that would survive a crash, in order.
    pub disk: Vec<Noted>,
    /// The same as they are read again, by watch.
    read: BTreeMap<WatchId, Vec<(Timestamp, Fact)>>,
    /// Watches that a new process does not take up, and what was known of them when
    /// it did not.
    closed: BTreeSet<WatchId>,
    past: BTreeMap<WatchId, Record>,
    /// All that receivers hold.
    pub taken: Vec<Taken>,
    pub mishaps: BTreeSet<Mishap>,
    pub turns: u64,
    /// Turns in which a letter was frozen, or had its answer.
    pub letter_turns: Vec<u64>,
    pub jobs: u64,
    pub crashes: u64,
    /// Turns in a row in which no time passed.
    still: u32,
    coming: BTreeMap<(Timestamp, JobId), (WatchId, Heard)>,
    /// When each target was asked, and what; `None`: nobody wants to know.
    pub asked: Option<BTreeMap<String, Vec<Timestamp>>>,
    /// Each page that was scraped: when it was asked for, of whom, and what it said;
    /// `None`: nobody wants to know.
    pub pages: Option<Vec<(Timestamp, String, String)>>,
    /// Where facts go besides, as they come: a real store, in a benchmark.
    pub sink: Option<Sink>,
}

impl Drive {
    pub fn open(release: Release, plan: Plan, now: Timestamp) -> Drive {
        let target = |name: &str| Target::new(name, now);
        let mut targets: Vec<Target> =
            plan.targets.iter().map(|known| target(known.name.as_str())).collect();
        if targets.is_empty() {
            targets.push(target("front")); // where smoke tests go
        }
        let receivers =
            plan.channels.iter().map(|channel| Receiver::new(channel.name.as_str())).collect();
        let asking = plan.smoke.iter().filter(|step| step.ask.is_some()).map(|step| &step.name);
        let names = plan.checks.iter().map(|check| &check.name).chain(asking);
        let names = names.map(ToString::to_string);
        let others = names.map(|name| (name, Other::new(now))).collect();
        let mut fleet = Fleet::new();
        let baseline = report::baseline([], &plan);
        let id = fleet.open_against(release, plan.clone(), baseline, now).expect("the first watch");
        Drive {
            fleet,
            ids: vec![id.clone()],
            id,
            sources: sources(&plan, now),
            plan,
            now,
            start: now,
            targets,
            named: Err("nobody knows".to_owned()),
            receivers,
            file: String::new(),
            followed: String::new(),
            others,
            disk: Vec::new(),
            read: BTreeMap::new(),
            closed: BTreeSet::new(),
            past: BTreeMap::new(),
            taken: Vec::new(),
            mishaps: BTreeSet::new(),
            turns: 0,
            letter_turns: Vec::new(),
            jobs: 0,
            crashes: 0,
            still: 0,
            coming: BTreeMap::new(),
            asked: None,
            pages: None,
            sink: None,
        }
    }

    /// Another watch in the same fleet, over targets of other names. (Neither
    /// is then to crash: what is on disk is told apart by nobody here.)
    pub fn beside(&mut self, release: Release, plan: Plan) {
        let target = |name: &str| Target::new(name, self.now);
        self.targets.extend(plan.targets.iter().map(|known| target(known.name.as_str())));
        self.fleet.open(release, plan, self.now).expect("another service");
    }

    pub fn record(&self) -> &Record {
        self.record_of(&self.id)
    }

    pub fn record_of(&self, id: &WatchId) -> &Record {
        let known = self.fleet.record(id).or_else(|| self.past.get(id));
        known.expect("the watch is there")
    }

    /// A newer release is out, and takes the place of the latest, under the
    /// same plan or another. Where the process dies before that is on disk,
    /// the pipeline tries again.
    pub fn supersede(&mut self, version: &str, plan: Option<Plan>) {
        let plan = plan.unwrap_or_else(|| self.plan.clone());
        let old = self.ids.last().expect("there is always one").clone();
        let id = Release { service: plan.service.clone(), version: version.into(), at: self.now }
            .watch();
        self.ids.push(id.clone());
        for known in &plan.targets {
            if !self.targets.iter().any(|target| target.name == known.name.as_str()) {
                self.targets.push(Target::new(known.name.as_str(), self.now));
            }
        }
        while !self.read.contains_key(&id) {
            let at = self.now;
            let release = Release { service: plan.service.clone(), version: version.into(), at };
            let earlier = self.ids.iter().rev().skip(1).map(|id| self.record_of(id).clone());
            let baseline = report::baseline(earlier, &plan);
            let opened = self.fleet.open_against(release, plan.clone(), baseline, at);
            opened.expect("it is not open yet");
            self.fleet.supersede(&old, &id);
            self.turn(Vec::new());
        }
    }

    /// Turns until `until`, or until nothing is left to do.
    pub fn run_to(&mut self, until: Timestamp) {
        while !self.fleet.is_done() {
            let coming = self.coming.keys().next().map(|(at, _)| *at);
            let next = match (self.fleet.wake(), coming) {
                (Some(a), Some(b)) => a.min(b),
                (Some(a), None) | (None, Some(a)) => a,
                (None, None) => break,
            };
            if next > until {
                break;
            }
            self.still = if next <= self.now { self.still + 1 } else { 0 };
            assert!(self.still < STILL_MAX, "at {next} it turns and turns for nothing");
            self.now = self.now.max(next);
            self.turn(Vec::new());
        }
        self.now = self.now.max(until);
        self.live();
    }

    /// Servers of metrics scrape, whoever asks them.
    fn live(&mut self) {
        for source in self.sources.values_mut() {
            source.live(&mut self.targets, self.now);
        }
    }

    /// To the end of it all, within reason.
    pub fn run_out(&mut self) {
        self.run_to(self.now + 40 * bakewatch::model::DAY);
    }

    /// One turn of the loop, with something extra to hear.
    pub fn turn(&mut self, extra: Vec<Heard>) {
        self.turns += 1;
        self.live();
        let mut heard: Vec<(WatchId, Heard)> = Vec::new();
        while let Some(entry) = self.coming.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            heard.push(entry.remove());
        }
        // As in the loop: whoever is done hears nothing more.
        let done = self.fleet.done();
        let live = self.fleet.ids().filter(|id| !done.contains(id));
        heard.extend(live.flat_map(|id| extra.iter().map(|one| (id.clone(), one.clone()))));
        let mishaps = &self.mishaps;
        let crash = [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk]
            .into_iter()
            .find(|place| mishaps.contains(&Mishap::CrashAt(self.turns, *place)));
        let noted = self.fleet.hear(self.now, heard);
        if noted.iter().any(|one| matches!(one.fact.kind.as_str(), "sent" | "receipt")) {
            self.letter_turns.push(self.turns);
        }
        if crash == Some(Crash::BeforeStore) {
            return self.crash();
        }
        self.keep(noted);
        if crash == Some(Crash::BeforeAsk) {
            return self.crash();
        }
        for job in self.fleet.ask(self.now) {
            self.carry_out(job);
        }
        self.closed.extend(self.fleet.closed());
        if crash == Some(Crash::AfterAsk) {
            self.crash();
        }
    }

    fn keep(&mut self, noted: Vec<Noted>) {
        if let Some(sink) = self.sink.as_mut().filter(|_| !noted.is_empty()) {
            sink(&noted);
        }
        for one in &noted {
            // A decision was read back from its stored form already.
            let read = || one.fact.decode().expect("a stored fact");
            let fact = if one.decision { Fact::clone(&one.told) } else { read() };
            self.read.entry(one.watch.clone()).or_default().push((one.at, fact));
        }
        self.disk.extend(noted);
    }

    /// Somebody gives an order, which is stored before it is answered.
    pub fn order(&mut self, service: Option<&str>, order: &Order) -> Result<Vec<Done>, String> {
        let (noted, done) = self.fleet.obey(self.now, service, order);
        self.keep(noted);
        self.turn(Vec::new());
        done
    }

    /// Somebody comes to the desk between two turns.
    pub fn attend(&mut self, call: Call) {
        match call {
            Call::Look(look) => look.at(&self.fleet, self.now),
            Call::Errand(errand) => {
                let done = self.order(errand.service.as_deref(), &errand.order);
                errand.answer(Obeyed { done, is_stored: true });
            }
        }
    }

    /// The process dies, and a new one takes over from the disk what is not over.
    pub fn crash(&mut self) {
        self.down(DOWN_FOR);
    }

    /// The same, and it stays dead for so long.
    pub fn down(&mut self, long: Span) {
        self.crashes += 1;
        self.coming.clear();
        self.fleet = Fleet::new();
        self.now += long;
        if self.disk.is_empty() {
            panic!("crashed before the first fact: nothing was promised yet");
        }
        for (id, facts) in &self.read {
            let facts = facts.iter().cloned();
            if self.closed.contains(id) {
                self.past.insert(id.clone(), Record::replay(facts).expect("a record"));
            } else {
                let resumed = self.fleet.resume(facts.collect(), self.now);
                resumed.expect("the record can be taken up again");
            }
        }
    }

    /// The machine sleeps: time passes, nobody looks, and what was on its way
    /// is gone.
    pub fn sleep(&mut self, long: Span) {
        self.coming.clear();
        self.now += long;
        self.turn(Vec::new());
    }

    /// The configuration file is read anew.
    pub fn reload(&mut self, before: &Checked, read: Result<Checked, Vec<String>>) {
        if let Ok(Checked { plan, .. }) = &read {
            self.followed.clone_from(&self.file);
            for known in &plan.targets {
                let name = known.name.as_str();
                if !self.targets.iter().any(|target| target.name == name) {
                    self.targets.push(Target::new(name, self.now));
                }
            }
            for channel in &plan.channels {
                let name = channel.name.to_string();
                if !self.receivers.iter().any(|receiver| receiver.name == name) {
                    self.receivers.push(Receiver::new(&name));
                }
            }
            for source in &plan.data_sources {
                let server = || Prometheus::new(self.now, true);
                self.sources.entry(source.name.to_string()).or_insert_with(server);
            }
            for check in &plan.checks {
                let name = check.name.to_string();
                self.others.entry(name).or_insert_with(|| Other::new(self.now));
            }
        }
        let known = Secrets::new(before.secrets.clone());
        let read = read.map(|one| {
            let renewed = Secrets::new(one.secrets).renewed_since(&known);
            Box::new(Reread { plan: one.plan, renewed })
        });
        self.turn(vec![Heard::Reloaded(read)]);
    }

    /// What is on disk of the first watch, decoded.
    pub fn facts(&self) -> &[(Timestamp, Fact)] {
        self.facts_of(&self.id)
    }

    pub fn facts_of(&self, id: &WatchId) -> &[(Timestamp, Fact)] {
        self.read.get(id).map_or(&[], |facts| facts)
    }

    fn carry_out(&mut self, job: Job) {
        self.jobs += 1;
        let number = self.jobs;
        let (id, watch) = (job.id, job.watch.clone());
        self.note_asked(&job.question);
        let fails = self.mishaps.contains(&Mishap::FailJob(number));
        let (after, reply) =
            if fails { fail(job.question) } else { self.answer(&watch, job.question) };
        if let Some(reply) = reply.filter(|_| !self.mishaps.contains(&Mishap::LoseAnswer(number))) {
            let answer = Heard::Answer { job: id, reply };
            self.coming.insert((self.now + after, id), (watch, answer));
        }
    }

    fn note_asked(&mut self, question: &Question) {
        let Some(asked) = &mut self.asked else { return };
        let whom = match question {
            Question::Probe { target, .. } => format!("probe {target}"),
            Question::Scrape { target, .. } => format!("scrape {target}"),
            Question::Query { source, .. } => format!("query {}", source.name),
            _ => return,
        };
        asked.entry(whom).or_default().push(self.now);
    }

    fn answer(&mut self, watch: &WatchId, question: Question) -> (Span, Option<Reply>) {
        match question {
            Question::Discover { source } => {
                let named = self
                    .named
                    .clone()
                    .map(|names| found::at(names.iter().map(String::as_str), &source.paths));
                (Span::from_millis(20), Some(Reply::Discovered(named)))
            }
            Question::Probe { target, request } => {
                let now = self.now;
                let target = self.target(target.as_str());
                target.clock = now;
                let (after, answer) = target.exchange(&request);
                (after, Some(Reply::Exchanged(answer)))
            }
            Question::Smoke { request, .. } => {
                let now = self.now;
                let target = self.by_url(&request.url);
                target.clock = now;
                let (after, answer) = target.exchange(&request);
                (after, Some(Reply::Exchanged(answer)))
            }
            Question::Check { name, ask, timeout } => {
                let other = &self.others[name.as_str()];
                let (after, answer) = other.answer(&ask, timeout, self.now);
                (after, Some(Reply::Exchanged(answer)))
            }
            Question::Scrape { target, request, wanted, mut table, .. } => {
                let (now, keeps) = (self.now, self.pages.is_some());
                let target = self.target(target.as_str());
                let (elapsed, page) = target.scrape(now, &wanted, request.timeout, &mut table);
                if page.is_ok() && keeps {
                    let page = (now, target.name.clone(), target.text());
                    self.pages.iter_mut().for_each(|pages| pages.push(page.clone()));
                }
                (elapsed, Some(Reply::Scraped { page, table, elapsed }))
            }
            Question::Query { source, asks, .. } => {
                let server = self.sources.get_mut(source.name.as_str()).expect("a known source");
                let (after, answers) = server.answer(&source, &asks);
                (after, answers.map(Reply::Queried))
            }
            Question::Deliver { channel, letter, .. } => {
                let now = self.now;
                let mut receivers = self.receivers.iter_mut();
                let receiver = receivers.find(|r| *channel.name.as_str() == r.name);
                let (taken, after, outcome) = receiver.expect("a known channel").take(&letter, now);
                if taken {
                    self.taken.push(Taken {
                        at: self.now + after,
                        channel: channel.name.to_string(),
                        key: letter.key.clone(),
                        after: letter.after,
                        up_to: letter.up_to,
                        words: words(&letter),
                        watch: watch.clone(),
                        turns: turns(&letter),
                    });
                }
                (after, outcome.map(Reply::Delivered))
            }
            Question::Publish { window, .. } => {
                let files = vec![format!("{window}.html")];
                (SECOND / 10, Some(Reply::Published(Ok(files))))
            }
        }
    }

    pub fn target(&mut self, name: &str) -> &mut Target {
        self.targets.iter_mut().find(|target| target.name == name).expect("a known target")
    }

    /// The target whose address this URL begins with; the first, if none does.
    fn by_url(&mut self, url: &str) -> &mut Target {
        let at = self.targets.iter().position(|target| url.contains(&target.name)).unwrap_or(0);
        &mut self.targets[at]
    }
}

fn sources(plan: &Plan, now: Timestamp) -> BTreeMap<String, Prometheus> {
    let server = |source: &DataSource| (source.name.to_string(), Prometheus::new(now, true));
    plan.data_sources.iter().map(server).collect()
}

fn fail(question: Question) -> (Span, Option<Reply>) {
    let quick = Span::from_millis(5);
    let reply = match question {
        Question::Discover { .. } => Reply::Discovered(Err("no such file".into())),
        Question::Probe { .. } | Question::Check { .. } | Question::Smoke { .. } => {
            Reply::Exchanged(Err(Failure::Broken("reset by peer".into())))
        }
        Question::Query { asks, .. } => Reply::Queried(vec![Err(Failure::Refused); asks.len()]),
        Question::Scrape { table, .. } => {
            Reply::Scraped { page: Err(Failure::Refused), table, elapsed: quick }
        }
        Question::Deliver { .. } => Reply::Delivered(Outcome::Refused {
            detail: "503".into(),
            retry_after: None,
            permanent: false,
        }),
        Question::Publish { .. } => Reply::Published(Err("no space left on device".into())),
    };
    (quick, Some(reply))
}
