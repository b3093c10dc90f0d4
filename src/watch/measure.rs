//! The grid: at each tick every rule is read, and what was measured is
//! gathered into blocks. The numbers come from `metrics` and `judge`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Watch;
use super::gathered::{add, join, worst};
use super::own::Own;
use crate::metrics::{
    self, Family, Measured, Meter, Parts, Recorder, Series, SeriesId, Signal, Wanted,
};
use crate::model::{Labels, MINUTE, Measurement, Name, Span, Timestamp, Why};
use crate::record::{Block, Fact, Record, Row};

/// A block is never longer than this: what a crash can cost of the record.
const STEP_MAX: Span = Span::from_secs(300);

/// A window's measurements are at least this many, where its cadence allows.
const STEPS_MIN: i64 = 1440;

/// A tick that comes later than so many intervals finds a gap, not a delay.
const LATE_TICKS: i64 = 4;

/// And so much later besides, however short the interval: a busy machine is none.
const LATE_MIN: Span = Span::from_secs(30);

/// So much longer than a block are its samples kept: it may be cut late.
const LATE_MAX: Span = MINUTE;

/// What is recent: series, the meters over them, and the block in the making.
pub(super) struct Measure {
    pub series: Series,
    families: BTreeMap<String, Family>,
    meters: Vec<Gauged>,
    /// What is recorded for meters to read, before they do.
    recorders: Vec<Recorder>,
    /// For each rule of the plan its meter, `None`: not matched.
    rule_meters: Vec<Option<usize>>,
    pub own: Own,
    /// Some name is kept in another way than tables were learned for.
    pub is_kept_anew: bool,
    /// Kept of a scrape though no signal names it: where the version is.
    version: Option<String>,
    next_tick: Timestamp,
    last_tick: Timestamp,
    block: Block,
}

/// A signal's meter, what it read at the last tick, and what it gathers.
struct Gauged {
    name: Name,
    /// As it was compiled.
    signal: Signal,
    meter: Meter,
    is_ruled: bool,
    is_watched: bool,
    /// Kept in blocks: all but those that tallies tell better.
    is_kept: bool,
    last: Measured,
    seen: u32,
    gathered: Option<Measurement>,
    present: Option<SeriesId>,
}

impl Gauged {
    /// Whether it is read at each look. What a source is asked anyway is.
    fn is_read(&self) -> bool {
        self.is_ruled || self.is_watched || self.meter.source().is_some()
    }

    /// Whether it would be seen if it were there.
    fn is_looked_for(&self, is_scraped: bool) -> bool {
        match self.meter.source() {
            Some(_) => self.meter.is_answered(),
            None => is_scraped,
        }
    }
}

impl Measure {
    pub fn new(record: &Record, now: Timestamp) -> Measure {
        let mut series = Series::new();
        let own = Own::new(&mut series, record);
        let mut measure = Measure {
            series,
            families: BTreeMap::new(),
            meters: Vec::new(),
            recorders: Vec::new(),
            rule_meters: Vec::new(),
            own,
            is_kept_anew: false,
            version: record.plan.health.version_metric().map(str::to_owned),
            next_tick: now,
            last_tick: now,
            block: Block { from: now, to: now, ..Block::default() },
        };
        measure.compile(record);
        measure
    }

    /// Measures what the record's plan says now.
    pub fn follow(&mut self, record: &Record) {
        self.version = record.plan.health.version_metric().map(str::to_owned);
        self.own.follow(&mut self.series, record);
        self.compile(record);
    }

    /// What was gathered up to now stands for itself, and the next look is on
    /// the grid of this interval.
    pub fn begin_anew(&mut self, origin: Timestamp, interval: Span, now: Timestamp) {
        self.block = Block { from: now, to: now, ..Block::default() };
        self.last_tick = now;
        self.next_tick = now.next_on_grid(origin, interval);
    }

    /// Compiles the meters of all signals known now: built-in, the user's, and
    /// what the presets found. Queries were checked when the plan was made.
    pub fn compile(&mut self, record: &Record) {
        let matched = record.matched.as_ref().map_or(&[][..], |matched| &matched.signals);
        let health = match record.plan.sources.is_empty() {
            true => metrics::health::signals(),
            false => metrics::health::signals_of_found(),
        };
        let signals = health.iter().chain(&record.plan.signals).chain(matched);
        let ruled: BTreeSet<&Name> = record.plan.rules.iter().map(|rule| &rule.signal).collect();
        let mut meters: Vec<Gauged> = Vec::with_capacity(signals.size_hint().0);
        for signal in signals {
            if meters.iter().any(|known| known.name == signal.name) {
                continue; // the user's own signal comes before a preset's of that name
            }
            let is_matched = matched.iter().any(|found| found.name == signal.name);
            let is_usual = matched.iter().any(|found| std::ptr::eq(found, signal))
                && signal.range == metrics::presets::RANGE;
            let range = record.plan.range.filter(|_| is_usual).unwrap_or(signal.range);
            let signal = &Signal { range, ..signal.clone() };
            let mut meter = Meter::compile_for(signal, &record.plan.data_sources)
                .unwrap_or_else(|error| panic!("signal {}: {error:?}", signal.name));
            let is_watched = is_matched || record.plan.require.contains(&signal.name);
            for (name, range) in meter.needs() {
                self.series.keep(&name, range.max(STEP_MAX + LATE_MAX));
            }
            let labels = Labels::from_pairs([("signal", signal.name.as_str())]);
            let present = is_watched.then(|| self.series.intern(metrics::health::PRESENT, &labels));
            let before = self.meters.iter().position(|known| known.name == signal.name);
            if let Some(at) = before {
                meter.follow(&mut self.meters[at].meter);
            }
            let (seen, gathered) = before
                .map_or((0, None), |at| (self.meters[at].seen, self.meters[at].gathered.take()));
            meters.push(Gauged {
                name: signal.name.clone(),
                signal: signal.clone(),
                meter,
                is_ruled: ruled.contains(&signal.name),
                is_watched,
                is_kept: !metrics::health::is_tallied(&signal.name),
                last: Measured::None(Why::Absent),
                seen,
                gathered,
                present,
            });
        }
        let mut recorders = self.recorders_of(record);
        let recorded = recorders.iter().map(|one| one.recording().name.to_string());
        let whole: Vec<String> = recorded.chain(self.version.clone()).collect();
        let queries = meters.iter_mut().flat_map(|one| one.meter.queries());
        let queries = queries.chain(recorders.iter_mut().map(Recorder::query));
        let parts = Parts::of(queries, whole);
        self.recorders = recorders;
        self.is_kept_anew |= parts != *self.series.parts();
        self.series.keep_parts(parts);
        let place = |signal: &Name| meters.iter().position(|meter| meter.name == *signal);
        self.rule_meters = record.plan.rules.iter().map(|rule| place(&rule.signal)).collect();
        self.meters = meters;
    }

    /// What the plan records, each going on where it was.
    fn recorders_of(&mut self, record: &Record) -> Vec<Recorder> {
        let mut made = Vec::new();
        for (index, recording) in record.plan.recordings.iter().enumerate() {
            let mut recorder = Recorder::compile(recording)
                .unwrap_or_else(|error| panic!("recording {}: {error:?}", recording.name));
            if let Some(before) = self.recorders.get(index) {
                recorder.follow(before);
            }
            for (name, range) in recorder.needs() {
                self.series.keep(&name, range.max(STEP_MAX + LATE_MAX));
            }
            made.push(recorder);
        }
        made
    }

    /// What is kept of the first scrapes: also whatever may turn out to be the
    /// counter of requests, so that the smoke test's is seen to move it.
    pub fn wanted_at_first(&self, record: &Record) -> Arc<Wanted> {
        let needs = self.needs();
        let counters = metrics::presets::request_counters(&record.plan.own_presets);
        Arc::new(Wanted::names(needs.iter().map(String::as_str).chain(counters)))
    }

    /// What is kept of a scrape: what some meter reads.
    pub fn wanted(&self) -> Arc<Wanted> {
        Arc::new(Wanted::names(self.needs().iter().map(String::as_str)))
    }

    fn needs(&self) -> Vec<String> {
        let needs = self.meters.iter().flat_map(|one| one.meter.needs());
        let needs = needs.chain(self.recorders.iter().flat_map(Recorder::needs));
        let needs = needs.map(|(name, _)| name);
        // Which processes answer is seen in when they began, whoever reads it.
        let start = metrics::sawtooth::START.to_owned();
        needs.chain(self.version.clone()).chain([start]).collect()
    }

    /// Whether a rule of the plan has no meter: what it judges was never found.
    pub fn is_some_rule_without_signal(&self) -> bool {
        self.rule_meters.iter().any(Option::is_none)
    }

    /// A signal as it is measured; `None`: nobody measures it.
    pub fn signal(&self, name: &Name) -> Option<&Signal> {
        self.meters.iter().find(|one| one.name == *name).map(|one| &one.signal)
    }

    pub(super) fn meters(&self) -> impl Iterator<Item = &Meter> {
        self.meters.iter().map(|one| &one.meter)
    }

    pub(super) fn meters_mut(&mut self) -> impl Iterator<Item = &mut Meter> {
        self.meters.iter_mut().map(|one| &mut one.meter)
    }

    pub fn see_families(&mut self, families: &[Family]) {
        for family in families {
            self.families.insert(family.name.clone(), family.clone());
        }
    }

    pub fn families(&self) -> Vec<Family> {
        self.families.values().cloned().collect()
    }

    /// What each signal read at the last look, if it is looked at.
    pub fn last(&self) -> impl Iterator<Item = (&Name, Option<&Measured>)> {
        let is_looked_at = |one: &Gauged| one.is_ruled || one.is_watched;
        self.meters.iter().map(move |one| (&one.name, is_looked_at(one).then_some(&one.last)))
    }

    /// When the last look of the grid was.
    pub fn last_tick(&self) -> Timestamp {
        self.last_tick
    }

    /// Where the block in the making begins: at the end of the one before, or
    /// where somebody looked again.
    pub fn block_from(&self) -> Timestamp {
        self.block.from
    }

    /// Signals of which it is told when they vanish.
    pub fn watched(&self) -> Vec<Name> {
        let watched = self.meters.iter().filter(|one| one.is_watched);
        watched.map(|one| one.name.clone()).collect()
    }

    pub fn next_tick(&self) -> Timestamp {
        self.next_tick
    }

    /// How long ago the last look of the grid was.
    pub fn since_tick(&self, now: Timestamp) -> Span {
        now.since(self.last_tick)
    }

    /// Why signals' queries could not be read, or what is to be known beside what
    /// they read: nearly always nothing.
    pub fn said(&self) -> Vec<(Name, String)> {
        let said = self.meters.iter().filter_map(|one| {
            let trouble = one.meter.trouble().map(str::to_owned);
            let said = trouble.or_else(|| Some(one.meter.annotations().next()?.to_string()))?;
            Some((one.name.clone(), said))
        });
        said.collect()
    }

    /// What a rule's signal read at the last look; `None`: not matched.
    pub fn of_rule(&self, rule: usize) -> Option<&Measured> {
        self.rule_meters[rule].map(|meter| &self.meters[meter].last)
    }

    /// Reads every meter that a rule judges or a verdict needs. Perhaps what some
    /// target's counters grow by is withheld. Gives what could not be recorded, and why.
    /// Answers of sources count that are of `oldest` or later.
    pub fn read(
        &mut self,
        now: Timestamp,
        is_withheld: bool,
        oldest: Timestamp,
    ) -> Vec<(Name, String)> {
        let mut troubles = Vec::new();
        for recorder in &mut self.recorders {
            if let Err(what) = recorder.record(&mut self.series, now) {
                troubles.push((recorder.recording().name.clone(), what));
            }
        }
        for one in &mut self.meters {
            if one.is_read() {
                one.meter.heed(oldest);
                one.last = one.meter.read(&self.series, now);
                let is_nothing = matches!(one.last, Measured::None(_));
                if is_nothing && is_withheld && one.meter.is_of_growth() {
                    one.last = Measured::None(Why::SawTooth);
                }
            }
        }
        troubles
    }

    /// Whether each watched signal is there, as a series of its own, while
    /// scrapes succeed: a signal that vanishes is not one that is calm.
    /// `read`: when what is known of them was.
    fn push_presence(&mut self, now: Timestamp, read: Timestamp) {
        let is_scraped = self.own.is_any_scraped(&self.series, read);
        for one in &self.meters {
            let Some(id) = one.present else { continue };
            match one.last {
                Measured::None(Why::Absent) => {}
                Measured::None(Why::Stale) if one.is_looked_for(is_scraped) => {
                    self.series.push(id, now, 0.0);
                }
                Measured::None(Why::Stale | Why::Unanswered) => {}
                Measured::None(
                    Why::NoTraffic | Why::Unobservable | Why::SawTooth | Why::NoBaseline,
                )
                | Measured::One(_)
                | Measured::Each(_)
                | Measured::Split { .. } => self.series.push(id, now, 1.0),
            }
        }
    }

    fn gather(&mut self, ticks: u32, seen: bool, since: Span) {
        self.block.slots += ticks;
        self.block.seen += u32::from(seen);
        for one in self.meters.iter_mut().filter(|one| one.is_kept) {
            if matches!(one.last, Measured::None(_)) {
                continue;
            }
            one.seen += 1;
            if let Some(value) = worst(&one.last) {
                one.gathered = Some(join(one.gathered.take(), value));
            } else if let (Measured::One(events), Some(range)) =
                (&one.last, one.meter.counted_range())
            {
                // What came in a longer time than the last look is as old: its
                // share counts, so that nothing counts twice.
                let share = (since.seconds_f64() / range.seconds_f64()).min(1.0);
                one.gathered = Some(add(one.gathered.take(), events, share));
            }
        }
    }

    /// Takes the block out as it is at `to`, and begins the next.
    fn cut(&mut self, to: Timestamp) -> Block {
        let over = to.since(self.block.from);
        let next = Block { from: to, to, ..Block::default() };
        let mut block = std::mem::replace(&mut self.block, next);
        block.to = to;
        block.tallies = self.own.take_tallies();
        for one in self.meters.iter_mut().filter(|one| one.is_kept) {
            let counted = match (one.meter.source(), one.meter.counted_range()) {
                (Some(_), Some(_)) => Measured::None(Why::Absent), // gathered look by look
                _ => one.meter.count(&self.series, to, over),
            };
            let measured = match counted {
                Measured::One(
                    events @ (Measurement::Ratio { .. } | Measurement::Buckets { .. }),
                ) => Some(events),
                Measured::One(gauge) => one.gathered.take().or(Some(gauge)),
                Measured::Each(_) | Measured::Split { .. } | Measured::None(_) => {
                    one.gathered.take()
                }
            };
            let is_looked_at = one.is_read();
            let once = u32::from(measured.is_some()) * block.slots;
            let seen = if is_looked_at { one.seen } else { once };
            one.seen = 0;
            one.gathered = None;
            if seen > 0 || measured.is_some() {
                block.rows.push(Row { signal: one.name.clone(), seen, measured });
            }
        }
        block
    }
}

impl Watch {
    /// The grid's own look at everything, when it is due; and the last look of
    /// a window that ends between two of them.
    pub(super) fn tick(&mut self, now: Timestamp) {
        let is_edge = self.next_edge().is_some_and(|edge| edge <= now);
        let is_tick = now >= self.measure.next_tick || is_edge;
        let interval = self.interval(now);
        if is_tick {
            self.renew_checks(now);
            self.measure.push_presence(now, self.judging.at());
            self.count_targets(now);
        }
        // What comes in leads to looks of its own; a tick looks for what does not.
        if is_edge || self.judging.is_due(now) || is_tick && self.judging.is_old(now, interval) {
            self.judge_now(now);
        }
        if !is_tick {
            return;
        }
        let origin = self.record.release.at;
        let since = self.measure.since_tick(now);
        // The first look stands for no time yet: nobody had been asked before it.
        if since > Span::ZERO {
            self.gather(since, interval, now);
        }
        self.measure.series.tidy(now);
        self.measure.last_tick = now;
        self.measure.next_tick = now.next_on_grid(origin, interval);
        if now.since(self.measure.block.from) >= self.step(interval, now) {
            self.flush(now, now);
        }
    }

    pub(super) fn gather(&mut self, since: Span, interval: Span, now: Timestamp) {
        let ticks = (since.millis() / interval.millis()).max(1);
        let seen = self.is_health_known(now, interval);
        self.measure.gather(u32::try_from(ticks).unwrap_or(u32::MAX), seen, since);
    }

    /// Where nobody looked for a long while (the machine slept, the process was
    /// held up), that is blind time, not calm. Before anything else is heard:
    /// what comes in now was not measured then.
    pub(super) fn notice_gap(&mut self, now: Timestamp) {
        let last = self.measure.last_tick;
        if now.since(last) <= LATE_TICKS * self.interval(now) + LATE_MIN {
            return;
        }
        self.flush(last, now);
        let why = "nobody looked: the process was held up".to_owned();
        self.note(now, Fact::Resumed { quiet_since: last, why });
        self.measure.block = Block { from: now, to: now, ..Block::default() };
        self.measure.last_tick = now;
        self.judging.wait_for_answers(now, self.next_ripe(now));
    }

    /// Stores what was measured up to `to`.
    pub(super) fn flush(&mut self, to: Timestamp, now: Timestamp) {
        if to <= self.measure.block.from {
            return;
        }
        let mut block = self.measure.cut(to);
        block.data_sources = self.sources.take_tallies();
        block.checks = self.checks.take_tallies(&self.record.plan.checks);
        self.note(now, Fact::Measured(Arc::new(block)));
    }

    /// How long a block is: a thousandth or so of the shortest window that is open.
    fn step(&self, interval: Span, now: Timestamp) -> Span {
        let age = now.since(self.record.release.at);
        let lengths = self.record.plan.windows.iter().map(|window| window.length);
        let length = lengths.filter(|length| age < *length).min().unwrap_or(STEP_MAX);
        let intervals = (length.millis() / STEPS_MIN / interval.millis()).max(1);
        (intervals * interval).min(STEP_MAX).max(interval)
    }

    /// Whether some target's health has been heard lately enough to stand for now.
    fn is_health_known(&self, now: Timestamp, interval: Span) -> bool {
        let fresh = now - 2 * interval - self.record.plan.timeout;
        if self.record.live().next().is_none() && self.record.is_found() {
            return true; // there is nobody, and that is known
        }
        let targets = self.look.targets.iter();
        targets.filter(|aim| aim.is_up.is_some()).any(|aim| aim.heard_at >= Some(fresh))
    }
}
