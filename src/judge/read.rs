//! What a rule reads in a measurement: calm, breach, or nothing to go by.
//! How long a breach has to last is `alert`'s to say.

use super::{Bound, Rule};
use crate::metrics::Measured;
use crate::metrics::promql::histogram::{at_or_below, quantile_of_mended};
use crate::model::{Labels, Measurement, Reading, Why};

/// Relative difference up to which a rule's bound and a bucket's are the same
/// bound: `0.25` s and `250` ms times 0.001.
const SAME_BOUND: f64 = 1e-9;

/// One reading for each label set of a measurement; one without labels for
/// the service as a whole.
pub fn read(rule: &Rule, measured: &Measured) -> Vec<(Labels, Reading)> {
    let whole = |reading| vec![(Labels::default(), reading)];
    match measured {
        Measured::None(why) => whole(Reading::NoData(*why)),
        Measured::One(measurement) => whole(one(rule, measurement)),
        Measured::Each(values) => {
            values.iter().map(|(labels, value)| (labels.clone(), judged(rule, *value))).collect()
        }
        Measured::Split { broken, calm } => {
            let broken = broken.iter().map(|(labels, value)| (labels, Reading::Breach(*value)));
            let calm = calm.iter().flatten();
            let calm = calm.map(|(labels, value)| (labels, Reading::Calm(*value)));
            broken.chain(calm).map(|(labels, reading)| (labels.clone(), reading)).collect()
        }
    }
}

/// How much of what a rule allows is used up.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Strain {
    /// 1 is the bound.
    pub used: f64,
    /// What chance alone moves it by: as many events as it is made of waver by
    /// their square root.
    pub noise: f64,
}

/// How much of what a rule allows is used up. Only where events are counted; a
/// gauge that is near its bound may always be so.
pub fn strain(rule: &Rule, measured: &Measured) -> Option<Strain> {
    let Bound::Above(bound) = rule.bound else { return None };
    let (bad, all, allowed) = match measured {
        Measured::One(Measurement::Ratio { num, den }) => (num.0, den.0, bound),
        Measured::One(Measurement::Buckets { bounds, counts }) => {
            let pairs: Vec<(f64, f64)> =
                bounds.iter().zip(counts).map(|(bound, count)| (bound.0, count.0)).collect();
            let all = counts.last()?.0;
            let below = share_at_or_below(bound, &pairs)?;
            ((1.0 - below) * all, all, 1.0 - rule.quantile.unwrap_or(MEDIAN))
        }
        Measured::One(Measurement::Gauge { .. })
        | Measured::Each(_)
        | Measured::Split { .. }
        | Measured::None(_) => return None,
    };
    let most = allowed * all;
    (most > 0.0).then(|| Strain { used: bad / most, noise: bad.max(1.0).sqrt() / most })
}

fn one(rule: &Rule, measurement: &Measurement) -> Reading {
    match measurement {
        Measurement::Ratio { num, den } => ratio(rule, num.0, den.0),
        Measurement::Buckets { bounds, counts } => {
            let pairs = bounds.iter().zip(counts).map(|(bound, count)| (bound.0, count.0));
            buckets(rule, &pairs.collect::<Vec<_>>())
        }
        Measurement::Gauge { min, max, .. } => match rule.bound {
            Bound::Above(_) | Bound::Expression => judged(rule, max.0),
            Bound::Below(_) => judged(rule, min.0),
        },
    }
}

/// A value on its side of the bound. On the bound itself is calm.
fn judged(rule: &Rule, value: f64) -> Reading {
    let broken = match rule.bound {
        Bound::Above(bound) => value > bound,
        Bound::Below(bound) => value < bound,
        Bound::Expression => false, // what is broken came out of it already
    };
    if value.is_nan() {
        Reading::NoData(Why::Absent)
    } else if broken {
        Reading::Breach(value)
    } else {
        Reading::Calm(value)
    }
}

fn ratio(rule: &Rule, num: f64, den: f64) -> Reading {
    // A ratio of nothing is no ratio, whatever the rule asks for.
    if den.is_nan() || den <= 0.0 || den < rule.evidence_min {
        return Reading::NoData(Why::NoTraffic);
    }
    judged(rule, num / den)
}

/// A quantile against a bound, judged by the share of events beyond the
/// bound: that can be seen even where the quantile itself cannot, since
/// `histogram_quantile` never goes past the top finite bound.
fn buckets(rule: &Rule, buckets: &[(f64, f64)]) -> Reading {
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    if all.is_nan() || all <= 0.0 || all < rule.evidence_min {
        return Reading::NoData(Why::NoTraffic);
    }
    let q = rule.quantile.unwrap_or(MEDIAN);
    let bound = rule.bound.value();
    let Some(share_below) = share_at_or_below(bound, buckets) else {
        return Reading::NoData(Why::Unobservable);
    };
    let estimate = quantile_of_mended(q, buckets);
    if estimate.is_nan() {
        return Reading::NoData(Why::Absent);
    }
    let share_above = 1.0 - share_below;
    let broken = match rule.bound {
        Bound::Above(_) => exceeds(share_above, 1.0 - q),
        Bound::Below(_) => exceeds(share_below, q),
        Bound::Expression => false,
    };
    if broken { Reading::Breach(estimate) } else { Reading::Calm(estimate) }
}

/// A rule over a histogram that names no quantile means the median.
const MEDIAN: f64 = 0.5;

/// Greater by more than the rounding of shares such as `1 - 0.99`.
fn exceeds(share: f64, allowed: f64) -> bool {
    share - allowed > 1e-12
}

/// The share of events at or below a value. `None` when it lies beyond the
/// top finite bound and some events do too: nobody knows on which side.
fn share_at_or_below(value: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let (_, all) = buckets.last()?;
    let same = |bound: f64| (bound - value).abs() <= SAME_BOUND * bound.abs().max(value.abs());
    if let Some((_, count)) = buckets.iter().find(|(bound, _)| bound.is_finite() && same(*bound)) {
        return Some(count / all);
    }
    let [.., (top, below_top), _] = buckets else { return None };
    if value > *top {
        return (below_top >= all).then_some(1.0);
    }
    Some(at_or_below(value, buckets) / all)
}

#[cfg(test)]
mod tests;
