//! What an earlier release measured, as bounds of this one's rules. Taken once,
//! when the watch opens, and kept: a release is not judged by a moving mark.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::judge::{Bound, Rule};
use crate::metrics::Unit;
use crate::model::{Name, Number, Release, Timestamp};

/// Relative difference up to which a bound and a bucket's are the same.
const SAME_BOUND: f64 = 1e-9;

/// The baseline of a watch.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// The release that it was taken of; `None`: there was none to take it of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Release>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What it was taken of instead, where a source of metrics has a past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past: Option<Past>,
    /// What each rule that asks for it goes by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
}

/// Why a first watch has no baseline.
pub const NO_EARLIER: &str = "no earlier release was watched here";

/// A stretch of time in a source of metrics, before the release.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Past {
    /// Which source.
    pub source: Name,
    /// Start.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
}

/// What one rule goes by.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Level {
    /// The rule.
    pub rule: Name,
    /// What its signal is counted in.
    pub unit: Unit,
    /// The median of the readings; `None`: it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Number>,
    /// How many readings there were, each over the rule's range.
    pub readings: u32,
    /// Why it says nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Of a histogram: its finite bounds. A share of events above a value is
    /// counted, and not guessed, where the value is one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<Number>,
}

impl Record {
    /// A bound of a rule as it is held against readings; `None`: it is a share
    /// of a baseline, and there is none.
    pub fn bound_of(&self, rule: &Rule, bound: Bound) -> Option<Bound> {
        let Some(of) = rule.of_baseline else { return Some(bound) };
        let level = self.baseline.as_ref()?.levels.iter().find(|level| level.rule == rule.name)?;
        let value = level.value?.0;
        Some(match bound {
            Bound::Above(factor) => {
                let least = of.at_least.unwrap_or(f64::NEG_INFINITY);
                Bound::Above(level.on_bucket((factor * value).max(least)))
            }
            Bound::Below(factor) => Bound::Below(factor * value),
            Bound::Expression => bound,
        })
    }

    /// Nothing can be judged by this rule, for want of a baseline.
    pub fn lacks_baseline(&self, rule: &Rule) -> bool {
        self.bound_of(rule, rule.bound).is_none()
    }
}

impl Level {
    /// The next bucket's bound. Beyond the last one it stays what it is, which
    /// then reads as unobservable.
    fn on_bucket(&self, value: f64) -> f64 {
        let least = value - SAME_BOUND * value.abs();
        let next = self.buckets.iter().map(|bound| bound.0).find(|bound| *bound >= least);
        next.unwrap_or(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_up_to_the_next_bucket_and_never_past_the_last() {
        let buckets = [0.1, 0.25, 0.5, 1.0].map(Number).to_vec();
        let (rule, unit, readings) = ("R".into(), Unit::Seconds, 12);
        let level = Level { rule, unit, value: None, readings, why: String::new(), buckets };
        let on = |value| level.on_bucket(value);
        assert_eq!(
            [on(0.05), on(0.3), on(0.5), on(0.5 + 1e-13), on(1.5)],
            [0.1, 0.5, 0.5, 0.5, 1.5]
        );
        assert_eq!(Level { buckets: Vec::new(), ..level }.on_bucket(0.3), 0.3);
    }
}
