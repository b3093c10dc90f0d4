//! Another plan while the watch is open. What is recent goes on where it still
//! means the same, so that nothing that was measured is lost and no alert
//! begins anew; what is asked otherwise is asked at once.

use super::Watch;
use super::digests::Digests;
use super::flight::Asked;
use super::measure::Measure;
use super::seek::Seek;
use crate::judge::Phase;
use crate::metrics::health;
use crate::model::{Name, Span, Timestamp};
use crate::record::{Adopted, AlertKey, Fact, Plan, Reread};

impl Watch {
    /// The configuration was read anew: a difference is followed from here on,
    /// an error leaves everything as it is.
    pub(super) fn reload(&mut self, now: Timestamp, read: Result<Box<Reread>, Vec<String>>) {
        if self.stopping {
            return;
        }
        match read.and_then(|read| self.record.adopt(*read, now)) {
            Err(errors) => self.note(now, Fact::ReloadFailed { errors }),
            Ok(None) => {}
            Ok(Some(adopted)) if self.is_observing() => self.change(now, adopted),
            Ok(Some(Adopted { plan, changes, renewed })) => {
                self.note(now, Fact::PlanChanged { plan: Box::new(plan), changes, renewed });
                self.tell.look_again();
            }
        }
    }

    fn change(&mut self, now: Timestamp, adopted: Adopted) {
        let Adopted { plan, changes, renewed } = adopted;
        self.measure_until(now);
        let before = self.record.plan.clone();
        let moves = self.record.moves(&plan);
        for name in &moves.gone {
            self.leave(now, name);
        }
        self.end_alerts_of_checks(now, &plan);
        self.note(now, Fact::PlanChanged { plan: Box::new(plan), changes, renewed });
        self.tell.look_again();
        self.digests = Digests::new(&self.record);
        self.match_again(now);
        self.measure.follow(&self.record);
        self.judging.follow(&before.rules, &self.record.plan.rules, now);
        let Measure { series, .. } = &mut self.measure;
        for check in self.checks.follow(&before.checks, &self.record, series, now) {
            self.flight.disown(&Asked::Check { check });
        }
        for source in self.discover.follow(&self.record.plan, now) {
            self.flight.disown(&Asked::Discover { source });
        }
        let asked = |plan: &Plan| {
            let presets = (plan.presets.clone(), plan.own_presets.clone());
            (plan.data_sources.clone(), plan.measured_by.clone(), presets)
        };
        if asked(&before) != asked(&self.record.plan) {
            let Measure { series, .. } = &mut self.measure;
            for source in self.sources.follow(&self.record.plan, series, now) {
                self.flight.disown(&Asked::Query { source });
            }
        }
        for target in moves.came {
            let own = target.own.clone();
            self.join(now, target, own.as_deref());
        }
        self.ask_elsewhere(now);
        self.keep();
        if self.record.matched.is_none() {
            self.look.wanted = self.measure.wanted_at_first(&self.record);
        }
        self.end_alerts_of_signals(now);
        self.measure.begin_anew(self.record.release.at, self.interval(now), now);
        self.hurry(now);
        self.count_targets(now);
        self.judging.at_once(now);
    }

    /// What came in so far was measured by the plan that ends.
    fn measure_until(&mut self, now: Timestamp) {
        self.gather_until(now);
        self.flush(now, now);
    }

    /// Alerts that were about a check that is asked no more are over, as those
    /// of a target that has left are.
    fn end_alerts_of_checks(&mut self, now: Timestamp, plan: &Plan) {
        let gone = |check: &Name| !plan.checks.iter().any(|known| known.name == *check);
        let checks = self.record.plan.checks.iter().map(|check| check.name.clone());
        let gone: Vec<Name> = checks.filter(|check| gone(check)).collect();
        let is_about = |key: &AlertKey| {
            key.labels.get("check").is_some_and(|name| gone.iter().any(|check| *check == *name))
        };
        self.end_alerts(now, is_about);
    }

    /// A signal that nobody watches any more cannot come back.
    fn end_alerts_of_signals(&mut self, now: Timestamp) {
        if self.record.matched.is_none() {
            return; // it is not known yet what is watched
        }
        let watched = self.measure.watched();
        let record = &self.record;
        let judges_presence = |key: &AlertKey| record.rule(&key.rule).signal == *health::PRESENT;
        let is_watched = |key: &AlertKey| {
            key.labels.get("signal").is_none_or(|name| watched.iter().any(|one| *one == *name))
        };
        let over: Vec<AlertKey> = record
            .alerts
            .keys()
            .filter(|key| judges_presence(key) && !is_watched(key))
            .cloned()
            .collect();
        self.end_alerts(now, |key| over.contains(key));
    }

    /// Ends alerts of which nothing will be heard any more.
    pub(super) fn end_alerts(&mut self, now: Timestamp, is_over: impl Fn(&AlertKey) -> bool) {
        let over: Vec<_> = self
            .record
            .alerts
            .iter()
            .filter(|(key, alert)| is_over(key) && alert.phase != Phase::Inactive)
            .map(|(key, alert)| (key.clone(), alert.value))
            .collect();
        for (key, value) in over {
            self.judging.forget(&key);
            let AlertKey { rule, labels } = key;
            self.note(now, Fact::Alert { rule, labels, phase: Phase::Inactive, value });
        }
    }

    /// Where other presets are to be tried, what the pages have shown so far is
    /// held against them at once.
    fn match_again(&mut self, now: Timestamp) {
        if self.record.matched.is_some() {
            return;
        }
        self.look.search_anew(&self.record.plan);
        if self.measure.families().is_empty() {
            return;
        }
        let found = self.detect();
        self.note(now, Fact::Matched(found));
    }

    /// Targets whose addresses are others: the answers that are on their way
    /// are from the old ones.
    fn ask_elsewhere(&mut self, now: Timestamp) {
        let [probed, scraped] = self.look.change(&self.record, now);
        for target in &probed {
            self.flight.disown(&Asked::Probe { target: *target });
        }
        for target in &scraped {
            self.flight.disown(&Asked::Scrape { target: *target });
            self.look.targets[*target].relearn = true;
        }
        if !probed.is_empty() {
            self.seek = Seek::new(&self.record);
        }
    }

    /// The grid's look at `now`, where there has been none since the last.
    fn gather_until(&mut self, now: Timestamp) {
        let (since, interval) = (self.measure.since_tick(now), self.interval(now));
        if since > Span::ZERO {
            self.gather(since, interval, now);
        }
    }
}
