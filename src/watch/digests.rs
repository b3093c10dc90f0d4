//! Digests: letters that are due by the calendar as long as the watch is open,
//! each once. What was missed while nobody was there comes as one.

use super::Watch;
use crate::model::{Digest, Timestamp};
use crate::record::{Fact, Record};
use crate::report;

/// Missed instants are counted so far: a line that comes each minute, for a week.
const MISSED_MAX: u32 = 10_000;

/// When each digest of the plan is due next.
pub(super) struct Digests {
    next: Vec<Option<Timestamp>>,
}

impl Digests {
    pub fn new(record: &Record) -> Digests {
        let next = |digest: &Digest| {
            let known = record.digests.get(&digest.name);
            following(record, digest, known.map_or(record.opened_at, |known| known.due_after))
        };
        Digests { next: record.plan.digests.iter().map(next).collect() }
    }
}

/// The first time after `after` at which the watch is open still.
fn following(record: &Record, digest: &Digest, after: Timestamp) -> Option<Timestamp> {
    digest.schedule.next(after).filter(|at| *at <= end(record))
}

fn end(record: &Record) -> Timestamp {
    let longest = record.plan.windows.iter().map(|window| window.length).max();
    record.release.at + longest.unwrap_or_default()
}

impl Watch {
    /// Writes down what each digest that is due has to say.
    pub(super) fn write_digests(&mut self, now: Timestamp) {
        for index in 0..self.digests.next.len() {
            let Some(first) = self.digests.next[index].filter(|at| *at <= now) else { continue };
            let to = self.next_edge().map_or(now, |edge| edge.min(now));
            self.flush(to, now);
            let digest = self.record.plan.digests[index].clone();
            let to = now.min(end(&self.record)); // what comes after is none of this watch's
            let due = last(&digest, first, to);
            let overview = report::overview(&self.record, &digest, due, to, now);
            self.note(now, Fact::Digest(Box::new(overview)));
            self.digests.next[index] = following(&self.record, &digest, now);
        }
    }

    pub(super) fn next_digest(&self) -> Option<Timestamp> {
        self.digests.next.iter().flatten().min().copied()
    }
}

/// The last time up to `now`, and how many there were before it.
fn last(digest: &Digest, first: Timestamp, now: Timestamp) -> (Timestamp, u32) {
    let (mut due, mut missed) = (first, 0);
    while missed < MISSED_MAX
        && let Some(next) = digest.schedule.next(due).filter(|at| *at <= now)
    {
        (due, missed) = (next, missed + 1);
    }
    (due, missed)
}
