//! Alert phases: what one rule's readings amount to over time.
//! Who is told, and when, is decided in `notify`.

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::model::{Reading, Timestamp};

/// Where an alert stands. `since` is always the time of the sample that led there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Nothing is wrong, as far as is known.
    #[default]
    Inactive,
    /// Broken, not yet for long enough.
    Pending {
        /// First breach.
        since: Timestamp,
    },
    /// Broken for long enough: somebody is told.
    Firing {
        /// First breach, not the time of telling.
        since: Timestamp,
    },
    /// Calm again, not yet for long enough.
    Recovering {
        /// First breach.
        since: Timestamp,
        /// First calm reading.
        calm: Timestamp,
    },
}

impl Phase {
    /// Firing, or on the way out of it: told, and not yet taken back.
    pub fn is_firing(self) -> bool {
        matches!(self, Phase::Firing { .. } | Phase::Recovering { .. })
    }

    /// `inactive`, `pending`, `firing` or `recovering`.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Inactive => "inactive",
            Phase::Pending { .. } => "pending",
            Phase::Firing { .. } => "firing",
            Phase::Recovering { .. } => "recovering",
        }
    }
}

/// Readings of one kind in a row, this one included; kept beside the phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Streak {
    /// Breaches since the last calm reading.
    pub breaches: u32,
    /// Calm readings since the last breach.
    pub calms: u32,
}

impl Streak {
    /// With one more reading. Silence neither adds nor breaks.
    pub fn with(self, reading: Reading) -> Streak {
        match reading {
            Reading::NoData(_) => self,
            Reading::Calm(_) => Streak { breaches: 0, calms: self.calms.saturating_add(1) },
            Reading::Breach(_) => Streak { breaches: self.breaches.saturating_add(1), calms: 0 },
        }
    }
}

/// The next phase, `None` when it stays. One row a case; `streak` includes
/// this reading. The states are those of Prometheus with `keep_firing_for`
/// as a state of its own, and with counts beside the clocks, so that one slow
/// sample cannot satisfy a `for`.
pub fn next(
    rule: &Rule,
    phase: Phase,
    streak: Streak,
    reading: Reading,
    now: Timestamp,
) -> Option<Phase> {
    use Phase::{Firing, Inactive, Pending, Recovering};
    use Reading::{Breach, Calm, NoData};
    let held = |since| now.since(since) >= rule.hold && streak.breaches >= rule.breaches_min;
    let calmed = |calm| now.since(calm) >= rule.recover && streak.calms >= rule.calms_min;
    match (phase, reading) {
        (_, NoData(_)) => None, // silence proves nothing
        (Inactive, Calm(_)) => None,
        (Inactive, Breach(_)) if held(now) => Some(Firing { since: now }),
        (Inactive, Breach(_)) => Some(Pending { since: now }),
        (Pending { since }, Breach(_)) if held(since) => Some(Firing { since }),
        (Pending { .. }, Breach(_)) => None,
        (Pending { .. }, Calm(_)) => Some(Inactive), // no message: nobody had been told
        (Firing { .. }, Breach(_)) => None,
        (Firing { .. }, Calm(_)) if calmed(now) => Some(Inactive),
        (Firing { since }, Calm(_)) => Some(Recovering { since, calm: now }),
        (Recovering { calm, .. }, Calm(_)) if calmed(calm) => Some(Inactive),
        (Recovering { .. }, Calm(_)) => None,
        (Recovering { since, .. }, Breach(_)) => Some(Firing { since }), // the same incident
    }
}
