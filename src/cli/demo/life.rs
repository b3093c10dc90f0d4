//! What the demo's replicas live through, as a function of the time since the
//! release: traffic with a daily rhythm, and a handful of faults.

use crate::model::{DAY, HOUR, MINUTE, Span};

/// How a replica is doing at some instant.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Conditions {
    /// Whether it serves at all.
    pub is_up: bool,
    /// Requests a second.
    pub rps: f64,
    /// Share of requests that fail.
    pub errors: f64,
    /// Share of requests that take thirty seconds.
    pub slow: f64,
    /// Share of the memory limit in use.
    pub memory: f64,
}

/// A fault, from when to when, and whose (`None`: everybody's).
struct Fault {
    from: Span,
    length: Span,
    replica: Option<usize>,
    apply: fn(&mut Conditions),
}

const FAULTS: [Fault; 6] = [
    Fault {
        from: Span::from_secs(3 * 3600),
        length: Span::from_secs(25 * 60),
        replica: None,
        apply: |now| now.errors = 0.023, // over one percent, below five
    },
    Fault {
        from: Span::from_secs(9 * 3600),
        length: Span::from_secs(12 * 60),
        replica: Some(1),
        apply: |now| now.is_up = false,
    },
    Fault {
        from: Span::from_secs(19 * 3600),
        length: Span::from_secs(16 * 60),
        replica: None,
        apply: |now| now.slow = 0.006, // half a percent is slow: p99 does not see it
    },
    Fault {
        from: Span::from_secs(2 * 86_400 + 14 * 3600),
        length: Span::from_secs(18 * 60),
        replica: None,
        apply: |now| now.errors = 0.085, // a bad afternoon
    },
    Fault {
        from: Span::from_secs(4 * 86_400 + 10 * 3600),
        length: Span::from_secs(30 * 60),
        replica: None,
        apply: |now| now.slow = 0.02, // two percent take thirty seconds
    },
    Fault {
        from: Span::from_secs(5 * 86_400 + 22 * 3600),
        length: Span::from_secs(9 * 60),
        replica: Some(0),
        apply: |now| now.memory = 0.97,
    },
];

/// How replica number `replica` is doing so long after the release.
pub fn conditions(replica: usize, age: Span) -> Conditions {
    let hours = age.seconds_f64() / HOUR.seconds_f64();
    let rhythm = libm::sin((hours - 7.0) / 24.0 * std::f64::consts::TAU);
    let wobble = libm::sin(hours * 5.3 + replica as f64) * 0.4;
    let leak = 0.08 * age.share_of(7 * DAY);
    let mut now = Conditions {
        is_up: age >= 4 * Span::from_secs(1), // it takes its time to start
        rps: 8.0 + 4.5 * rhythm + wobble,
        errors: 0.0018,
        slow: 0.0004,
        memory: 0.46 + leak + 0.02 * rhythm,
    };
    for fault in &FAULTS {
        let is_theirs = fault.replica.is_none_or(|whose| whose == replica);
        if is_theirs && fault.from <= age && age < fault.from + fault.length {
            (fault.apply)(&mut now);
        }
    }
    now
}

/// The longest time over which conditions are taken to be one thing.
pub const GRAIN: Span = MINUTE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_one_replica_down_and_leaves_its_sibling_up() {
        let at = 9 * HOUR + 5 * MINUTE;
        assert!(conditions(0, at).is_up);
        assert!(!conditions(1, at).is_up);
    }
}
