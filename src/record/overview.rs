//! What a digest says: what came to pass since the last one, and how it stands.
//! Stored whole in the fact by which it is owed, as a summary is.

use serde::{Deserialize, Serialize};

use super::{AlertSummary, Availability, Coverage, Item, Record};
use crate::judge::verdict;
use crate::metrics::Unit;
use crate::model::{Digest, Name, Number, Severity, Span, Timestamp, Why};

/// What a digest says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Overview {
    /// Which digest.
    pub digest: Name,
    /// When it comes, as it is written: `0 9 * * 1-5, Europe/Berlin`.
    pub schedule: String,
    /// The instant at which it was due.
    pub due: Timestamp,
    /// Earlier instants that had no digest, since nobody was there to write it.
    #[serde(default, skip_serializing_if = "is_none")]
    pub missed: u32,
    /// It tells what came to pass after this …
    pub from: Timestamp,
    /// … up to this: when it was written, or the watch's end.
    pub to: Timestamp,
    /// How long after `due` it was written; more than a moment when we were down.
    pub late_by: Span,
    /// The window that is open.
    pub window: Name,
    /// Its end.
    pub window_to: Timestamp,
    /// Replicas that are healthy now, of those that there are.
    pub healthy: u32,
    /// See `healthy`.
    pub targets: u32,
    /// Health probes.
    pub availability: Availability,
    /// Alerts that fire now.
    pub firing: u32,
    /// Alerts that fired since `from`, and those of them or of earlier ones
    /// that ended since.
    pub fired: u32,
    /// See `fired`.
    pub ended: u32,
    /// All of these, those that fire now first; at most some dozens.
    pub alerts: Vec<AlertSummary>,
    /// Signals that a rule reads, or that a verdict needs.
    pub signals: Vec<SignalNow>,
    /// How much was seen.
    pub coverage: Coverage,
    /// Channels that fail, or do not reach everybody: in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<String>,
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

/// How a signal stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SignalNow {
    /// Its name, with the quantile: `latency_p99`.
    pub name: Name,
    /// Unit of all numbers here.
    pub unit: Unit,
    /// Over the last minutes.
    pub now: Option<Number>,
    /// Why nothing is known of it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Why>,
    /// Over all the time that the digest tells of.
    pub overall: Option<Number>,
    /// Bounds that rules hold against it, the gravest first.
    pub limits: Vec<Limit>,
}

/// A rule's bound, and whether it is broken now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Limit {
    /// How bad it is beyond it.
    pub severity: Severity,
    /// Where.
    pub value: Number,
    /// Whether more than it is bad (else less).
    pub above: bool,
}

impl Limit {
    /// Whether this reading is beyond it.
    pub fn is_broken_by(&self, value: f64) -> bool {
        if self.above { value > self.value.0 } else { value < self.value.0 }
    }
}

impl Overview {
    /// How many alerts it tells of, and does not list.
    pub fn left_out(&self) -> usize {
        (self.firing as usize + self.ended as usize).saturating_sub(self.alerts.len())
    }

    /// Whether enough was seen to call a time without alerts quiet.
    pub fn is_seen(&self) -> bool {
        verdict::is_enough(self.coverage.health_ratio.0)
    }
}

/// What is known of a digest: how far it told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DigestRecord {
    /// When the last one was written: the next one tells of what came after.
    pub to: Timestamp,
    /// The next is due after this: the same, or when its calendar became what it is.
    pub due_after: Timestamp,
}

impl Record {
    pub(super) fn apply_overview(&mut self, overview: Overview) {
        let known = DigestRecord { to: overview.to, due_after: overview.to };
        self.digests.insert(overview.digest.clone(), known);
        let plan = self.plan.digests.iter().find(|digest| digest.name == overview.digest);
        let channels = plan.map_or_else(Vec::new, |digest| digest.channels.clone());
        self.tell(Item::Overview { channels, overview: Box::new(overview) });
    }

    /// Digests that are new, or come at other times, come from now on.
    pub(super) fn follow_calendar(&mut self, before: &[Digest]) {
        let is_known = |digest: &&Digest| before.contains(digest);
        for digest in self.plan.digests.iter().filter(|digest| !is_known(digest)) {
            let to = self.digests.get(&digest.name).map_or(self.release.at, |known| known.to);
            let known = DigestRecord { to, due_after: self.at };
            self.digests.insert(digest.name.clone(), known);
        }
    }
}
