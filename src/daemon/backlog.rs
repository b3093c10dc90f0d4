//! Facts on their way to the disk. A decision is waited for; measurements
//! are written beside the next turns, since nothing rests on them.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::store::{Store, Writing};
use crate::model::{Span, Timestamp, WatchId};
use crate::watch::Noted;

/// How often a failing store is tried again when nothing else happens.
const RETRY: Span = Span::from_secs(5);

/// For so long a turn waits for the disk. Facts that are not on it by then
/// count as not stored; the loop goes on, and looks again.
const PATIENCE: Duration = Duration::from_secs(3);

/// The same while it is known to be failing.
const GLANCE: Duration = Duration::from_millis(100);

/// What is not on disk yet, and the store that it goes to.
pub struct Backlog {
    store: Store,
    facts: Vec<Noted>,
    underway: Option<Underway>,
    is_failing: bool,
    /// A failing store is not tried again before this, by either clock.
    retry: (Timestamp, Instant),
}

/// A write that has begun: of the first so many facts.
struct Underway {
    writing: Writing,
    count: usize,
    since: Instant,
}

impl Backlog {
    /// Nothing is on its way.
    pub fn new(store: Store) -> Backlog {
        let retry = (Timestamp::default(), Instant::now());
        Backlog { store, facts: Vec::new(), underway: None, is_failing: false, retry }
    }

    /// Takes facts that go with the next write.
    pub fn add(&mut self, noted: Vec<Noted>) {
        self.facts.extend(noted);
    }

    /// Stores these after what could not be stored before; with a decision
    /// among them done when it is synced, or known to fail. Gives what the
    /// watches should hear of it: that it fails, and that it does no more,
    /// once each.
    pub async fn keep(&mut self, noted: Vec<Noted>, now: Timestamp) -> Option<Option<String>> {
        self.facts.extend(noted);
        loop {
            let was_begun = self.underway.is_some();
            let mut underway = self.begun(now)?;
            let patience = match (self.is_failing, was_begun) {
                (false, _) if self.holds_decision() => PATIENCE,
                (true, false) => GLANCE,
                // Nobody waits for it; or a turn is not the time to wait again.
                (false, _) | (true, true) => Duration::ZERO,
            };
            match timeout(patience, underway.writing.done()).await {
                Ok(Ok(())) => {
                    self.retry = (Timestamp::default(), Instant::now());
                    self.facts.drain(..underway.count);
                    if self.facts.is_empty() {
                        return std::mem::take(&mut self.is_failing).then_some(None);
                    } // else on to what came since
                }
                Ok(Err(error)) => return self.failed(error, now),
                Err(_) => {
                    let is_late = self.holds_decision() || underway.since.elapsed() >= PATIENCE;
                    self.underway = Some(underway);
                    return if is_late { self.failed(too_slow(), now) } else { None };
                }
            }
        }
    }

    /// What is being written, begun now if need be. Of what is held in memory
    /// meanwhile, a week of a watch is a few MiB.
    fn begun(&mut self, now: Timestamp) -> Option<Underway> {
        if let Some(begun) = self.underway.take() {
            return Some(begun); // one at a time: they must arrive in order
        }
        let (at, instant) = self.retry;
        let is_early = now < at && Instant::now() < instant;
        if self.facts.is_empty() || (self.is_failing && is_early) {
            return None;
        }
        let writing = self.store.begin_append(self.facts.clone());
        Some(Underway { writing, count: self.facts.len(), since: Instant::now() })
    }

    fn failed(&mut self, error: String, now: Timestamp) -> Option<Option<String>> {
        self.retry = (now + RETRY, Instant::now() + RETRY.to_std());
        let is_first = !std::mem::replace(&mut self.is_failing, true);
        is_first.then_some(Some(error))
    }

    fn holds_decision(&self) -> bool {
        self.facts.iter().any(|one| one.decision)
    }

    /// How many facts are not on disk.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether all is on disk.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Whether all that something may rest on is on disk.
    pub fn is_stored(&self) -> bool {
        !self.is_failing && !self.holds_decision()
    }

    /// When to look again, if nothing happens before.
    pub fn due(&self) -> Option<Instant> {
        (!self.facts.is_empty()).then(|| Instant::now() + RETRY.to_std())
    }

    /// Until the disk has answered; the answer is taken in by the next `keep`.
    pub async fn answered(&mut self) {
        match &mut self.underway {
            // Whatever it says: it says it again.
            Some(underway) => drop(underway.writing.done().await),
            None => std::future::pending().await,
        }
    }

    /// Marks a watch as over, when nothing else is on its way. `false`: not
    /// now; at worst it is taken up again, and found to be over.
    pub async fn finish(&mut self, watch: &WatchId) -> bool {
        if !self.facts.is_empty() || Instant::now() < self.retry.1 {
            return false;
        }
        let finish = self.store.finish(watch.clone());
        let done = timeout(PATIENCE, finish).await.unwrap_or_else(|_| Err(too_slow()));
        if let Err(error) = done {
            tracing::warn!(%watch, "not marked as over: {error}");
            self.retry.1 = Instant::now() + RETRY.to_std();
            return false;
        }
        true
    }
}

fn too_slow() -> String {
    format!("not written within {PATIENCE:?}")
}
