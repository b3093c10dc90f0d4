//! Whether the metric that is watched counts the smoke test's real request.
//! It passed; the counter of requests has to have moved since. Where it has
//! not, an error ratio of it says nothing of such requests.

use super::Watch;
use crate::check::paths::KNOWN;
use crate::check::{Step, StepState};
use crate::metrics::promql::{Mode, Query};
use crate::metrics::{Shape, Signal};
use crate::model::{Method, Name, Timestamp};
use crate::record::NOT_COUNTED;

/// Scrapes of each target that are waited for: the first may have been under
/// way, and some services count when the answer has left.
const SCRAPES: u32 = 2;

/// A real request that passed, and what was scraped since.
pub(super) struct Counted {
    step: Name,
    /// When it began: the counter's last value before is held against.
    began: Timestamp,
    /// Scrapes read since, by target.
    scraped: Vec<u32>,
}

impl Watch {
    /// A step has passed: is it one that the service should have counted?
    pub(super) fn expect_counted(&mut self, now: Timestamp, index: usize) {
        let Some(result) = self.record.smoke.get(index) else { return };
        let step = self.record.plan.smoke.iter().find(|step| step.name == result.step);
        if result.state == StepState::Passed && step.is_some_and(is_real) {
            let (step, began) = (result.step.clone(), now - result.elapsed);
            let scraped = vec![0; self.record.plan.targets.len()];
            self.counted = Some(Counted { step, began, scraped });
        }
    }

    /// A page has been read: has the counter moved by now?
    pub(super) fn check_counted(&mut self, now: Timestamp, target: usize) {
        let Some(counted) = &mut self.counted else { return };
        counted.scraped[target] += 1;
        let matched = self.record.matched.as_ref();
        let signal = matched.and_then(|m| m.signals.iter().find(|s| s.name == *"request_rate"));
        let Some(counter) = signal.and_then(counter_of) else { return };
        let Ok(mut query) = Query::compile(&format!("sum({counter})")) else { return };
        let mut at = |at: Timestamp| {
            let found = query.eval(&self.measure.series, at, Mode::Prometheus).ok()?;
            found.first().map(|(_, value)| *value)
        };
        // A counter that restarted has moved; one that was not there yet too.
        if at(counted.began) != at(now) {
            self.counted = None;
            return;
        }
        // Behind a balancer any replica may have had it: all are waited for.
        let plan = self.record.plan.targets.iter().zip(&counted.scraped);
        let is_enough = plan
            .filter(|(target, _)| target.metrics.is_some())
            .all(|(_, scraped)| *scraped >= SCRAPES);
        if is_enough {
            let step = counted.step.clone();
            self.counted = None;
            let detail = format!(
                "the smoke step {step:?} passed, and {counter} has not moved since: what is \
                 watched does not count such requests, or other replicas do that are no targets"
            );
            self.limit(now, None, NOT_COUNTED, &detail);
        }
    }
}

/// Whether a step sends something that users send: not a look at its health.
fn is_real(step: &Step) -> bool {
    let request = &step.request;
    let is_look = matches!(request.method, Method::Get | Method::Head | Method::Options);
    let ends = |path: &str| path != "/" && request.url.ends_with(path);
    let is_own = KNOWN
        .iter()
        .any(|paths| ends(paths.health) || ends(paths.metrics) || paths.ready.is_some_and(&ends));
    !(is_look && (is_own || step.name == *"is healthy" || step.name == *"is ready"))
}

/// The counter in `sum(rate(x[$range]))`, the form that presets give.
fn counter_of(signal: &Signal) -> Option<String> {
    let Shape::Gauge { query } = &signal.shape else { return None };
    let counter = query.strip_prefix("sum(rate(")?.strip_suffix("[$range]))")?;
    Some(counter.to_owned())
}
