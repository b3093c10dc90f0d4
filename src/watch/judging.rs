//! Rules are read, and alerts go through their phases: at once when something
//! has turned, twice a cycle by what came in, at ticks that nothing came before,
//! and when the clock of a pending alert runs out.

use std::collections::BTreeMap;

use super::{Watch, pace};
use crate::judge::{self, Rule, Streak, alert};
use crate::metrics::{self, Measured};
use crate::model::{Labels, Name, Number, Reading, Span, Timestamp, Why};
use crate::record::{AlertKey, AlertRecord, Fact};

/// For so many intervals must a rule be without evidence (or have it again)
/// before that is a fact: a quiet minute at night is none.
const EVIDENCE_INTERVALS: i64 = 4;

/// A source's answer that is so many intervals old tells nothing of now.
const ANSWERS_AGE_MAX: i64 = 2;

/// Looks so many tenths of a cycle apart are two, and what lies closer together one.
const APART_TENTHS: i64 = 9;

/// How often a cycle what comes in leads to a judgement of its own.
const JUDGED_MAX: i64 = 2;

/// What is kept between two looks.
pub(super) struct Judging {
    streaks: BTreeMap<AlertKey, Streak>,
    /// For each rule why there was nothing to judge, if so, and since when.
    evidence: Vec<(Option<Why>, Timestamp)>,
    /// For each rule how much of what it allows was used up.
    strains: Vec<f64>,
    /// When the last look was.
    at: Timestamp,
    /// When there will be something new to judge.
    due: Option<Timestamp>,
}

impl Judging {
    pub fn new(rules: usize, now: Timestamp) -> Judging {
        Judging {
            streaks: BTreeMap::new(),
            evidence: vec![(None, now); rules],
            strains: vec![0.0; rules],
            at: now,
            due: None,
        }
    }

    /// Judges by other rules than before. What is kept between two looks goes by
    /// a rule's name; where another thing is judged, it begins anew.
    pub fn follow(&mut self, before: &[Rule], after: &[Rule], now: Timestamp) {
        let is_same = |old: &Rule, new: &Rule| {
            let judged = |rule: &Rule| (rule.signal.clone(), rule.quantile, rule.bound);
            judged(old) == judged(new) && old.by_window == new.by_window
        };
        let find =
            |new: &Rule| before.iter().position(|old| old.name == new.name && is_same(old, new));
        let places: Vec<Option<usize>> = after.iter().map(find).collect();
        let kept = |index: &Option<usize>| index.map_or((None, now), |at| self.evidence[at]);
        self.evidence = places.iter().map(kept).collect();
        let kept = |index: &Option<usize>| index.map_or(0.0, |at| self.strains[at]);
        self.strains = places.iter().map(kept).collect();
        let is_kept = |name: &Name| {
            after.iter().zip(&places).any(|(rule, place)| rule.name == *name && place.is_some())
        };
        self.streaks.retain(|key, _| is_kept(&key.rule));
    }

    /// When something is known to come that ticks would be late for.
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|at| at <= now)
    }

    /// Whether nothing has been judged for a whole interval.
    pub fn is_old(&self, now: Timestamp, interval: Span) -> bool {
        now.since(self.at) >= interval
    }

    /// What was read of an alert that is over counts no more.
    pub fn forget(&mut self, key: &AlertKey) {
        self.streaks.remove(key);
    }

    /// Nobody looked for a while: there is nothing to judge before somebody answers,
    /// or the clock of an alert runs out.
    pub fn wait_for_answers(&mut self, now: Timestamp, ripe: Option<Timestamp>) {
        (self.at, self.due) = (now, ripe);
    }

    /// When the last look was.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Something has turned: rules are judged when all of this turn is heard.
    pub fn at_once(&mut self, now: Timestamp) {
        self.due = Some(self.due.map_or(now, |at| at.min(now)));
    }

    /// A page has come, or could not, or a source has answered: counts move. However
    /// many do, that leads to two judgements a cycle, which drift to where something
    /// comes: pages of one or two targets are judged as they come.
    pub fn soon(&mut self, pace: Span) {
        self.at_once(self.at + APART_TENTHS * pace / (10 * JUDGED_MAX));
    }
}

impl Watch {
    /// Reads all rules, at a tick or because something turned.
    pub(super) fn judge_now(&mut self, now: Timestamp) {
        (self.judging.at, self.judging.due) = (now, None);
        if self.record.settled.is_none() || !self.look.is_acquainted() {
            return; // it may just be starting; a target not heard yet is not missing
        }
        let is_withheld = self.look.targets.iter().any(|aim| aim.feed.is_withheld());
        let oldest = now - ANSWERS_AGE_MAX * self.interval(now);
        for (name, what) in self.measure.read(now, is_withheld, oldest) {
            let detail = format!("{name} is not recorded: {what}");
            self.limit(now, None, &format!("recording {name}"), &detail);
        }
        for (signal, said) in self.measure.said() {
            self.limit(now, None, &format!("query {signal}"), &format!("{signal}: {said}"));
        }
        let mut is_rising = false;
        for index in 0..self.record.plan.rules.len() {
            let Some(measured) = self.measure.of_rule(index) else { continue };
            let planned = &self.record.plan.rules[index];
            let nothing = Measured::None(Why::NoBaseline);
            let measured = if self.record.lacks_baseline(planned) { &nothing } else { measured };
            let rule = &*self.record.rule_at(planned, now);
            let strain = judge::strain(rule, measured).unwrap_or_default();
            let before = std::mem::replace(&mut self.judging.strains[index], strain.used);
            is_rising |= pace::is_rising(before, strain);
            let mut readings = judge::read(rule, measured);
            if matches!(measured, Measured::Split { calm: None, .. }) {
                self.add_over(&rule.name, &mut readings);
            }
            let mut room = None;
            let missing = readings.iter().find_map(|(_, reading)| match reading {
                Reading::NoData(why) => Some(*why),
                Reading::Calm(_) | Reading::Breach(_) => None,
            });
            let missing = missing.or_else(|| self.vanished(index, &readings));
            self.note_evidence(now, index, missing);
            for (labels, reading) in readings {
                self.advance(now, index, labels, reading, &mut room);
            }
        }
        self.mind(now, is_rising);
        self.judging.due = self.next_ripe(now);
    }

    /// When the clock of some pending or recovering alert runs out: it need
    /// not wait for the next tick.
    pub(super) fn next_ripe(&self, now: Timestamp) -> Option<Timestamp> {
        let active = self.record.alerts.iter();
        let ripe = active.filter_map(|(key, alert)| {
            alert.phase.ripe_at(self.record.rule(&key.rule)).filter(|at| *at > now)
        });
        ripe.min()
    }

    /// The alerts of a rule that are more than inactive.
    fn active(&self, rule: &Name) -> impl Iterator<Item = (&AlertKey, &AlertRecord)> {
        let first = AlertKey { rule: rule.clone(), labels: Labels::default() };
        let of_rule = self.record.alerts.range(&first..).take_while(|(key, _)| key.rule == *rule);
        of_rule.filter(|(_, alert)| alert.phase != judge::Phase::Inactive)
    }

    /// Where nobody can know what is there besides, what comes out no more is over.
    fn add_over(&self, rule: &Name, readings: &mut Vec<(Labels, Reading)>) {
        let mut over: Vec<(Labels, Reading)> = self
            .active(rule)
            .filter(|(key, _)| !readings.iter().any(|(labels, _)| *labels == key.labels))
            .map(|(key, alert)| (key.labels.clone(), Reading::Calm(alert.value.0)))
            .collect();
        readings.append(&mut over);
    }

    /// `room`: so many more alerts of this rule are followed; counted when one
    /// is about to begin, which is seldom.
    fn advance(
        &mut self,
        now: Timestamp,
        rule: usize,
        labels: Labels,
        reading: Reading,
        room: &mut Option<usize>,
    ) {
        let rule = &*self.record.rule_at(&self.record.plan.rules[rule], now);
        let value = match reading {
            Reading::NoData(_) => return, // silence proves nothing
            Reading::Calm(value) | Reading::Breach(value) => value,
        };
        let key = AlertKey { rule: rule.name.clone(), labels };
        let known = self.record.alerts.get(&key);
        let phase = known.map(|alert| alert.phase).unwrap_or_default();
        if matches!(reading, Reading::Calm(_)) && phase == judge::Phase::Inactive {
            self.judging.streaks.remove(&key);
            return; // by far the most common case
        }
        if phase == judge::Phase::Inactive {
            let free = || rule.alerts_max().saturating_sub(self.active(&rule.name).count());
            let Some(left) = room.unwrap_or_else(free).checked_sub(1) else {
                let most = rule.alerts_max();
                let detail = format!(
                    "{}: more than {most} alerts at a time; those beyond are not followed",
                    rule.name
                );
                let what = format!("alerts of {}", rule.name);
                return self.limit(now, None, &what, &detail);
            };
            *room = Some(left);
        }
        let apart = APART_TENTHS * self.pace(now) / 10;
        let streak = self.judging.streaks.entry(key.clone()).or_default();
        *streak = streak.with(reading, now, apart);
        let next = alert::next(rule, phase, *streak, reading, now);
        let worse = known.is_some_and(|alert| alert.is_worse(rule.bound, value));
        let is_breach = matches!(reading, Reading::Breach(_));
        let is_first = is_breach && known.is_some_and(AlertRecord::is_only_inherited);
        let is_told = phase.is_firing() && (worse || is_first);
        if let Some(phase) = next.or_else(|| is_told.then_some(phase)) {
            self.hold_back(now, &key, phase);
            let AlertKey { rule, labels } = key;
            self.note(now, Fact::Alert { rule, labels, phase, value: Number(value) });
        }
    }

    /// An alert stays as it is while its instance is gone and others are there:
    /// then the rule is not without evidence, but that alert is.
    fn vanished(&self, rule: usize, readings: &[(Labels, Reading)]) -> Option<Why> {
        let rule = &self.record.plan.rules[rule].name;
        let is_read = |key: &AlertKey| readings.iter().any(|(labels, _)| *labels == key.labels);
        self.active(rule).any(|(key, _)| !is_read(key)).then_some(Why::Stale)
    }

    fn note_evidence(&mut self, now: Timestamp, index: usize, missing: Option<Why>) {
        let rule = &self.record.plan.rules[index];
        if missing == Some(Why::Absent) && metrics::health::is_quiet(&rule.signal) {
            return; // series of our own making: their absence says nothing
        }
        let rule = rule.name.clone();
        let known = self.record.quiet.get(&rule).map(|(why, _)| *why);
        let (last, since) = &mut self.judging.evidence[index];
        if *last != missing {
            (*last, *since) = (missing, now);
        }
        let since = *since;
        let long = EVIDENCE_INTERVALS * self.interval(now);
        if known != missing && now.since(since) >= long {
            self.note(now, Fact::Evidence { rule, missing });
        }
    }
}
