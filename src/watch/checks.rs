//! Checks beyond HTTP: each on its own schedule, splayed. What they answer
//! becomes samples, and a fact where something turned.

use std::sync::Arc;

use super::flight::{Asked, Due};
use super::{Question, Watch};
use crate::check::{self, Check};
use crate::metrics::{Series, SeriesId};
use crate::model::{Ask, Exchange, Failure, Labels, Name, Span, Timestamp};
use crate::model::{TlsFacts, stable_hash};
use crate::record::{Fact, Record, Tally};

/// An answer stands until the next one should have come, and once more: a
/// check that is asked once an hour would else be unknown for most of it.
const STANDS_FOR: i64 = 2;

/// So often an answer that stands is a sample again; well within the lookback.
const RENEW: Span = Span::from_secs(60);

/// A check that is failing is asked at least so often, whatever its plan says:
/// an hour is long when the failure was a moment's.
const FAILING_EVERY: Span = Span::from_secs(30);

/// All of a plan's checks, and when each is due.
pub(super) struct Checks {
    all: Vec<Aimed>,
}

struct Aimed {
    name: Name,
    ask: Arc<Ask>,
    /// When it is due; `None` while it is out.
    due: Option<Timestamp>,
    /// Where in its interval it has its place, in thousandths.
    place: i64,
    success: SeriesId,
    duration: SeriesId,
    expiry: SeriesId,
    tally: Tally,
    /// The last answer: whether it passed, and when it came.
    stands: Option<(bool, Timestamp)>,
    /// When the last certificate that was seen ends, on the watch's clock,
    /// and when it was seen.
    expires: Option<(Timestamp, Timestamp)>,
    /// When a sample was last made of what stands.
    renewed_at: Timestamp,
}

impl Checks {
    pub fn new(record: &Record, series: &mut Series, now: Timestamp) -> Checks {
        let service = record.plan.service.as_str();
        let all = record.plan.checks.iter().map(|check| {
            let name = check.name.as_str();
            let must = if check.must { "true" } else { "false" };
            let labels = Labels::from_pairs([("check", name)]);
            let judged = Labels::from_pairs([("check", name), ("must", must)]);
            Aimed {
                name: check.name.clone(),
                ask: Arc::new(check.ask.clone()),
                due: Some(now),
                place: (stable_hash(&["check", service, name]) % 1000) as i64,
                success: series.intern("check_success", &judged),
                duration: series.intern("check_duration_seconds", &labels),
                expiry: series.intern("tls_cert_expiry_seconds", &labels),
                tally: Tally::default(),
                stands: None,
                expires: None,
                renewed_at: now,
            }
        });
        Checks { all: all.collect() }
    }

    /// Asks as the plan says now: `record` holds it. A check that is another
    /// than before begins anew; gives those of before that are gone so.
    pub fn follow(
        &mut self,
        before: &[Check],
        record: &Record,
        series: &mut Series,
        now: Timestamp,
    ) -> Vec<Name> {
        let all = std::mem::take(&mut self.all);
        *self = Checks::new(record, series, now);
        let mut over = Vec::new();
        for (old, was) in all.into_iter().zip(before) {
            let is = record.plan.checks.iter().position(|check| check == was);
            let Some(index) = is else {
                let ids = [old.success, old.duration, old.expiry];
                ids.into_iter().for_each(|id| series.push_stale(id, now));
                over.push(old.name);
                continue;
            };
            self.all[index] = old;
        }
        over
    }

    /// What each was found to be since the last call.
    pub fn take_tallies(&mut self, plan: &[Check]) -> Vec<(Name, Tally)> {
        let tallies = self.all.iter_mut().map(|one| std::mem::take(&mut one.tally));
        plan.iter().map(|check| check.name.clone()).zip(tallies).collect()
    }
}

impl Aimed {
    /// A sample of what stands. `long`: for how long an answer does.
    fn renew(&mut self, check: &Check, long: Span, series: &mut Series, now: Timestamp) {
        self.renewed_at = now;
        if let Some((passed, at)) = self.stands
            && !check.is_implied
            && now.since(at) <= long
        {
            series.push(self.success, now, f64::from(u8::from(passed)));
        }
        if let Some((end, at)) = self.expires
            && now.since(at) <= long
        {
            series.push(self.expiry, now, end.since(now).seconds_f64());
        }
    }
}

impl Watch {
    /// How often a check is asked.
    fn check_every(&self, index: usize, now: Timestamp) -> Span {
        self.record.plan.checks[index].every.unwrap_or_else(|| self.pace(now))
    }

    pub(super) fn ask_checks(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        for (index, one) in self.checks.all.iter_mut().enumerate() {
            if one.due.is_none_or(|at| now < at) {
                continue;
            }
            one.due = None;
            let check = &self.record.plan.checks[index];
            let (name, ask, timeout) = (check.name.clone(), one.ask.clone(), check.timeout);
            due.push(Due {
                asked: Asked::Check { check: name.clone() },
                question: Question::Check { name, ask, timeout },
                timeout,
            });
        }
    }

    pub(super) fn next_check(&self) -> Option<Timestamp> {
        self.checks.all.iter().filter_map(|one| one.due).min()
    }

    pub(super) fn hear_check(
        &mut self,
        now: Timestamp,
        name: &Name,
        reply: &Result<Exchange, Failure>,
    ) {
        let Some(index) = self.checks.all.iter().position(|one| one.name == *name) else { return };
        let check = self.record.plan.checks[index].clone();
        let judged = check::judge_ask(&check.ask, &check.expect, reply, check.timeout);
        // Our own fault says nothing about the service: neither pass nor failure.
        let passed = (judged.asserted > 0).then(|| judged.is_pass());
        let every = self.check_every(index, now);
        let origin = self.record.release.at;
        let long = STANDS_FOR * every + check.timeout;
        let one = &mut self.checks.all[index];
        let next = if passed == Some(true) { every } else { every.min(FAILING_EVERY) };
        let splay = Span::from_millis(next.millis() * one.place / 1000);
        one.due = Some(now.next_on_grid(origin + splay, next));
        let before = one.stands.map(|(passed, _)| passed);
        match passed {
            Some(true) => one.tally.ok += 1,
            Some(false) => one.tally.failed += 1,
            None => one.tally.unknown += 1,
        }
        if let Some(passed) = passed {
            one.stands = Some((passed, now));
        }
        if let Ok(exchange) = reply {
            self.measure.series.push(one.duration, now, exchange.elapsed.seconds_f64());
        }
        let tls = reply.as_ref().ok().and_then(|exchange| exchange.beyond.as_ref()?.tls.as_ref());
        if let Some(tls) = tls {
            one.expires = Some((now + tls.expires_in, now));
        }
        one.renew(&check, long, &mut self.measure.series, now);
        if before != passed || tls.is_some() {
            self.judging.at_once(now);
        }
        if let Some(tls) = tls {
            self.note_certificate(now, &check.name, tls);
        }
        // While nothing has answered yet the service may just be starting.
        if self.record.settled.is_some() || passed == Some(true) {
            let misses = judged.misses.first();
            let reason = misses.map(|miss| format!("{}: {}", miss.assertion, miss.actual));
            self.note_check(now, &check.name, passed, reason.unwrap_or_default());
        }
    }

    fn note_check(&mut self, now: Timestamp, name: &Name, passed: Option<bool>, reason: String) {
        let known = self.record.checks.get(name);
        if known.is_none_or(|known| known.passed != passed) {
            self.note(now, Fact::Checked { check: name.clone(), passed, reason });
        }
    }

    /// Another certificate, or another judgement of it, is a fact; that it has
    /// come closer to its end is not.
    fn note_certificate(&mut self, now: Timestamp, name: &Name, tls: &TlsFacts) {
        let known = self.record.checks.get(name).and_then(|known| known.tls.as_ref());
        let is_same =
            |known: &TlsFacts| TlsFacts { expires_in: tls.expires_in, ..known.clone() } == *tls;
        if !known.is_some_and(is_same) {
            let (check, tls) = (name.clone(), Box::new(tls.clone()));
            self.note(now, Fact::Certificate { check, tls });
        }
    }

    /// Samples of answers that stand, where the next is long in coming.
    pub(super) fn renew_checks(&mut self, now: Timestamp) {
        for index in 0..self.checks.all.len() {
            if now.since(self.checks.all[index].renewed_at) < RENEW {
                continue;
            }
            let check = &self.record.plan.checks[index];
            let long = STANDS_FOR * self.check_every(index, now) + check.timeout;
            self.checks.all[index].renew(check, long, &mut self.measure.series, now);
        }
    }
}
