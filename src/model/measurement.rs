//! What a signal measured, with its evidence, and what a rule reads in it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Number;

/// A measurement keeps what it was made of, so that a later judge can count
/// and a replay can ask again; `p99` and `error_ratio` are readings of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measurement {
    /// `num` of `den` events, both counts over the same time.
    Ratio {
        /// Events that count against us.
        num: Number,
        /// All events.
        den: Number,
    },
    /// A histogram over some time. `counts[i]` events at or below `bounds[i]`,
    /// cumulative; the last bound is +Inf. Bounds in the signal's unit.
    Buckets {
        /// Upper bounds, rising, the last +Inf.
        bounds: Arc<[Number]>,
        /// Cumulative counts, one a bound.
        counts: Vec<Number>,
    },
    /// A value that goes up and down, over `n` looks at it.
    Gauge {
        /// The least.
        min: Number,
        /// The mean of the looks.
        mean: Number,
        /// The most.
        max: Number,
        /// How many looks.
        n: u32,
    },
}

impl Measurement {
    /// One look at a gauge.
    pub fn gauge(value: f64) -> Measurement {
        Measurement::Gauge { min: value.into(), mean: value.into(), max: value.into(), n: 1 }
    }
}

/// Why a rule has nothing to go by. Four different readings, none of them calm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// No such series has ever been seen.
    Absent,
    /// There was one; it has gone quiet.
    Stale,
    /// Too few events to say anything.
    NoTraffic,
    /// The histogram's buckets cannot show the threshold.
    Unobservable,
}

impl Why {
    /// `absent`, `stale`, `no traffic` or `unobservable`.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Absent => "absent",
            Why::Stale => "stale",
            Why::NoTraffic => "no traffic",
            Why::Unobservable => "unobservable",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Three answers, not two. The number is what the rule compares with its bound.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Reading {
    /// Nothing to go by.
    NoData(Why),
    /// On the good side of the bound.
    Calm(f64),
    /// On the bad side of it.
    Breach(f64),
}
