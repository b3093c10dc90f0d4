//! Whether the metric that is watched counts the smoke test's real request.
//! It passed; the counter of requests has to have moved since. Where it has
//! not, an error ratio of it says nothing of such requests.

use std::collections::BTreeMap;

use super::Watch;
use crate::check::StepState;
use crate::check::paths::is_real;
use crate::metrics::promql::{Mode, Query};
use crate::metrics::{Page, Series, SeriesId, Signal, Slot};
use crate::model::{Labels, Name, Span, Timestamp};
use crate::record::NOT_COUNTED;

/// Scrapes of each target that are waited for: the first may have been under
/// way, and some services count when the answer has left.
const SCRAPES: u32 = 2;

/// For so long the counter's values are kept: a smoke suite takes no longer.
const KEEP: Span = Span::from_secs(3600);

/// The counter of requests as pages show it, from the first page until the
/// smoke test's request has been looked for. (What rules read is kept in sums
/// that begin later.)
#[derive(Default)]
pub(super) struct Counted {
    series: Series,
    /// By target: which of the page's slots are the counter's.
    slots: Vec<BTreeMap<Slot, SeriesId>>,
    /// The real request that passed.
    passed: Option<Passed>,
    is_over: bool,
}

/// A real request that passed, and what was scraped since.
struct Passed {
    step: Name,
    /// When it began: the counter's last value before is held against.
    began: Timestamp,
    /// Scrapes read since, by target.
    scraped: Vec<u32>,
}

impl Counted {
    /// Takes the counter's samples from a page. What is met for the first time
    /// on a page that did not come here is left out.
    fn take(&mut self, counter: &str, index: usize, target: &Name, page: &Page, now: Timestamp) {
        let name = counter.split('{').next().unwrap_or_default();
        self.series.keep(name, KEEP);
        if self.slots.len() <= index {
            self.slots.resize(index + 1, BTreeMap::new());
        }
        let slots = &mut self.slots[index];
        for (slot, known, labels) in page.fresh.iter() {
            slots.remove(&slot); // a table that is learned anew counts from 0 again
            if **known == *name {
                let own = labels.iter().filter(|(label, _)| *label != "instance");
                let labels = Labels::from_pairs(own.chain([("instance", target.as_str())]));
                slots.insert(slot, self.series.intern(name, &labels));
            }
        }
        for (slot, value) in &page.samples {
            if let Some(id) = slots.get(slot) {
                self.series.push(*id, now, *value);
            }
        }
    }
}

impl Watch {
    /// A step has passed: is it one that the service should have counted?
    pub(super) fn expect_counted(&mut self, now: Timestamp, index: usize) {
        let Some(result) = self.record.smoke.get(index) else { return };
        let step = self.record.plan.smoke.iter().find(|step| step.name == result.step);
        if result.state == StepState::Passed && step.is_some_and(is_real) {
            let (step, began) = (result.step.clone(), now - result.elapsed);
            let scraped = vec![0; self.look.targets.len()];
            self.counted.passed = Some(Passed { step, began, scraped });
        }
    }

    /// A page has been read: has the counter moved by now?
    pub(super) fn check_counted(&mut self, now: Timestamp, target: usize, page: &Page) {
        if self.counted.is_over {
            return;
        }
        let matched = self.record.matched.as_ref();
        let signal = matched.and_then(|m| m.signals.iter().find(|s| s.name == *"request_rate"));
        if let Some(counter) = signal.and_then(Signal::counter) {
            let name = &self.look.targets[target].target.name;
            self.counted.take(&counter, target, name, page, now);
            if let Some(detail) = self.not_counted(&counter, target, now) {
                self.limit(now, None, NOT_COUNTED, &detail);
            }
        }
        // It has been told, or there was no real request.
        let is_done = self.record.is_smoke_done() || self.counted.is_over;
        if is_done && self.counted.passed.is_none() {
            self.counted = Counted { is_over: true, ..Counted::default() };
        }
    }

    /// What is to be told, once it is known that the counter stands still.
    fn not_counted(&mut self, counter: &str, target: usize, now: Timestamp) -> Option<String> {
        let Counted { series, passed, is_over, .. } = &mut self.counted;
        let known = passed.as_mut()?;
        known.scraped.resize(self.look.targets.len(), 0);
        known.scraped[target] += 1;
        let mut query = Query::compile(&format!("sum({counter})")).ok()?;
        let mut at = |at: Timestamp| {
            let found = query.eval(series, at, Mode::Prometheus).ok()?;
            found.first().map(|(_, value)| *value)
        };
        // Nothing before is nothing to hold against; a restart has moved it.
        let before = at(known.began);
        if before.is_none() || before != at(now) {
            (*passed, *is_over) = (None, true);
            return None;
        }
        // Behind a balancer any replica may have had it: all are waited for.
        let mut all = self.look.targets.iter().zip(&known.scraped);
        let is_enough =
            all.all(|(aim, scraped)| !aim.is_here || aim.scrape.is_none() || *scraped >= SCRAPES);
        if !is_enough {
            return None;
        }
        let step = known.step.clone();
        (*passed, *is_over) = (None, true);
        Some(format!(
            "the smoke step \"{step}\" passed, and {counter} has not moved since: what is \
             watched does not count such requests, or other replicas do that are no targets"
        ))
    }
}
