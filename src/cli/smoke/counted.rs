//! Whether the service's metrics count the suite's real request: they are read
//! before it and after it. A watch looks for the same by itself; here it is a
//! step of its own, which nobody has to write.

use std::time::Duration;

use crate::check::paths::is_real;
use crate::check::{Capture, Miss, StepResult, StepState};
use crate::daemon::clock::Clock;
use crate::daemon::http::Http;
use crate::daemon::secrets::Secrets;
use crate::metrics::{Family, Table, Wanted, presets, read_page};
use crate::model::{Exchange, Name, Request, Target};
use crate::record::Plan;

/// Looks at the metrics after the suite. Some services count when the answer
/// has left, some gather for seconds before they show.
const LOOKS_MAX: u32 = 6;

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the counter of requests said before the suite.
pub struct Counted {
    capture: Capture,
    asks: Vec<Request>,
    bytes_max: u64,
    before: f64,
    /// Steps that send what users send.
    real: Vec<Name>,
}

impl Counted {
    /// Reads the metrics of every target. `None`: there is no real request, or
    /// no counter of requests that it could move.
    pub async fn before(plan: &Plan, http: &Http, secrets: &Secrets) -> Option<Counted> {
        let real = plan.smoke.iter().filter(|step| !step.cleanup && is_real(step));
        let real: Vec<Name> = real.map(|step| step.name.clone()).collect();
        let ask = |target: &Target| Some(plan.get(target.own.as_deref(), target.metrics.clone()?));
        let asks: Vec<Request> = plan.targets.iter().filter_map(ask).collect();
        if real.is_empty() || asks.is_empty() {
            return None;
        }
        let bytes_max = plan.body_bytes_max;
        let pages = pages(&asks, bytes_max, http, secrets).await?;
        let families: Vec<Family> = pages.iter().flat_map(families).collect();
        let found = presets::detect(&families, plan.presets.pinned(), &plan.own_presets);
        let signal = found.signals.iter().find(|signal| signal.name == *"request_rate")?;
        let capture = Capture::parse(&format!("metric {}", signal.counter()?)).ok()?;
        let before = total(&capture, &pages)?;
        Some(Counted { capture, asks, bytes_max, before, real })
    }

    /// Whether a request that should have been counted was answered.
    pub fn is_wanted(&self, results: &[StepResult]) -> bool {
        let has_passed = |result: &StepResult| result.state == StepState::Passed;
        results.iter().any(|result| has_passed(result) && self.real.contains(&result.step))
    }

    /// Reads them again until the counter has moved, or for long enough.
    pub async fn after(&self, clock: &Clock, http: &Http, secrets: &Secrets) -> StepResult {
        let began = clock.now();
        let (mut attempts, mut last) = (0, None);
        let has_moved = loop {
            attempts += 1;
            last = match pages(&self.asks, self.bytes_max, http, secrets).await {
                Some(pages) => total(&self.capture, &pages),
                None => last,
            };
            // Less than before is a restart, or another replica: it counts.
            if last.is_some_and(|now| now != self.before) {
                break true;
            }
            if attempts == LOOKS_MAX {
                break false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let miss = || Miss {
            assertion: format!("{} > {}", self.capture.as_str(), self.before),
            actual: last.map_or_else(|| "nothing".to_owned(), |last| last.to_string()),
            expected: format!("more than {}, for the suite's own request", self.before),
        };
        StepResult {
            step: "is counted in the metrics".into(),
            must: false,
            state: if has_moved { StepState::Passed } else { StepState::Failed },
            attempts: 1, // it is one look, for as long as it takes
            elapsed: clock.now().since(began),
            misses: if has_moved { Vec::new() } else { vec![miss()] },
            earlier: Vec::new(),
            why: String::new(),
            cleanup: false,
        }
    }
}

/// Every target's page; `None`: one cannot be read, and may be the one that counts.
async fn pages(
    asks: &[Request],
    bytes_max: u64,
    http: &Http,
    secrets: &Secrets,
) -> Option<Vec<Exchange>> {
    let mut pages = Vec::new();
    for ask in asks {
        let (body, kind) = http.body(ask, secrets, bytes_max).await.ok()?;
        let body = String::from_utf8(body).ok()?;
        let headers = kind.map(|kind| ("content-type".to_owned(), kind)).into_iter().collect();
        pages.push(Exchange { status: 200, headers, body, ..Exchange::default() });
    }
    Some(pages)
}

fn families(page: &Exchange) -> Vec<Family> {
    let (body, kind) = (page.body.as_bytes(), page.header("content-type"));
    let read = read_page(body, kind, &Wanted::all(), &mut Table::default());
    read.map_or_else(|_| Vec::new(), |page| page.families)
}

/// What the counter says on all pages together; `None`: it is on none.
fn total(capture: &Capture, pages: &[Exchange]) -> Option<f64> {
    let values = pages.iter().filter_map(|page| capture.take(page).ok()?.as_f64());
    values.reduce(|sum, value| sum + value)
}
