//! Classic histograms: quantiles and shares from cumulative buckets.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::annotation::{Annotation, Mend, Spot};
use super::eval::{Context, Element, Key};
use crate::model::Labels;

/// A bucket: its upper bound, and how many events lie at or below it.
pub(crate) type Bucket = (f64, f64);

/// Relative difference up to which two counts are the same count, summed in
/// another order (Prometheus, `smallDeltaTolerance`).
const SAME_COUNT: f64 = 1e-12;

/// Applies a reading to the buckets of each group of labels but `le`.
pub(super) fn each(
    elements: Vec<Element>,
    at: Spot,
    cx: &Context<'_>,
    read: impl Fn(Option<&Arc<str>>, Vec<Bucket>) -> f64,
) -> Vec<Element> {
    let mut groups: BTreeMap<Key, Vec<Bucket>> = BTreeMap::new();
    for element in elements {
        let le = element.labels.get("le").unwrap_or("");
        let Ok(bound) = le.parse::<f64>() else {
            let (name, le) = (element.name.clone(), le.to_owned());
            cx.ledger.say(Annotation::NoBound { name, le, at });
            continue;
        };
        let others = element.labels.shared().iter().filter(|(name, _)| &**name != "le");
        let labels = Labels::from_pairs(others.cloned());
        groups.entry((element.name, labels)).or_default().push((bound, element.value));
    }
    let element = |((name, labels), buckets): (Key, _)| {
        let value = read(name.as_ref(), buckets);
        Element { name, dropped: true, labels, value }
    };
    groups.into_iter().map(element).collect()
}

/// Sorted by bound, equal bounds as one. `None` when the last is not +Inf.
fn sorted(mut buckets: Vec<Bucket>) -> Option<Vec<Bucket>> {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut merged: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for (bound, count) in buckets {
        match merged.last_mut() {
            Some(last) if last.0 == bound => last.1 += count,
            _ => merged.push((bound, count)),
        }
    }
    (merged.last()?.0 == f64::INFINITY).then_some(merged)
}

/// Sorted by bound, equal bounds as one, and never falling: what scrapes that
/// were taken apart, or floats that were summed apart, make of counts.
/// `None` when the last bound is not +Inf.
pub(crate) fn mended(buckets: Vec<Bucket>) -> Option<Vec<Bucket>> {
    let mut buckets = sorted(buckets)?;
    mend(&mut buckets);
    Some(buckets)
}

/// Raises counts that fell; returns where, unless they were the same but for
/// the last digits.
fn mend(buckets: &mut [Bucket]) -> Option<Mend> {
    let mut mend: Option<Mend> = None;
    let mut before = buckets[0].1;
    for (bound, count) in &mut buckets[1..] {
        if almost_equal(*count, before) {
            *count = before;
        } else if *count < before {
            let known = mend.unwrap_or(Mend { least: *bound, most: *bound, fall: 0.0 });
            let (least, most) = (known.least.min(*bound), known.most.max(*bound));
            mend = Some(Mend { least, most, fall: known.fall.max(before - *count) });
            *count = before;
        }
        before = *count;
    }
    mend
}

fn almost_equal(a: f64, b: f64) -> bool {
    let whole = a.abs() + b.abs();
    if a == 0.0 || b == 0.0 || whole < f64::MIN_POSITIVE {
        return (a - b).abs() < SAME_COUNT * f64::MIN_POSITIVE;
    }
    (a - b).abs() / whole.min(f64::MAX) < SAME_COUNT
}

/// `histogram_quantile`: the value below which a share `q` of the events
/// lies, interpolated inside its bucket; the top finite bound when it lies in
/// +Inf. With what had to be mended.
pub(super) fn quantile(q: f64, buckets: Vec<Bucket>) -> (f64, Option<Mend>) {
    if q.is_nan() {
        return (f64::NAN, None);
    }
    if !(0.0..=1.0).contains(&q) {
        return (if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY }, None);
    }
    let Some(mut buckets) = sorted(buckets) else { return (f64::NAN, None) };
    let mend = mend(&mut buckets);
    let value = match &buckets[..] {
        // Of counts that are no numbers none reaches the rank.
        [.., (top, _), (_, all)] if all.is_nan() => *top,
        buckets => quantile_of_mended(q, buckets),
    };
    (value, mend)
}

/// `quantile` of buckets that are in order, for `q` from 0 to 1.
pub(crate) fn quantile_of_mended(q: f64, buckets: &[Bucket]) -> f64 {
    let [.., (top, _), (_, all)] = buckets else { return f64::NAN };
    if *all == 0.0 || all.is_nan() {
        return f64::NAN;
    }
    let mut rank = q * all;
    let place = buckets[..buckets.len() - 1].partition_point(|(_, count)| *count < rank);
    if place == buckets.len() - 1 {
        return *top;
    }
    let (end, mut count) = buckets[place];
    if place == 0 && end <= 0.0 {
        return end;
    }
    let mut start = 0.0;
    if place > 0 {
        let (bound, below) = buckets[place - 1];
        start = bound;
        count -= below;
        rank -= below;
    }
    start + (end - start) * (rank / count)
}

/// `histogram_fraction`: the share of events between two values.
pub(super) fn fraction(lower: f64, upper: f64, buckets: Vec<Bucket>) -> f64 {
    let Some(buckets) = sorted(buckets) else { return f64::NAN };
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    if all == 0.0 || all.is_nan() || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (at_or_below(upper, &buckets).min(all) - at_or_below(lower, &buckets).min(all)) / all
}

/// How many events lie at or below a value: exact at a bound, interpolated
/// between two. Events in a bucket without end count as above every value
/// in it; those in the first bucket lie above zero when its bound does.
pub(crate) fn at_or_below(value: f64, buckets: &[Bucket]) -> f64 {
    let mut start = f64::NEG_INFINITY;
    let mut below = 0.0;
    for (index, (bound, count)) in buckets.iter().enumerate() {
        if index == 0 && *bound > 0.0 {
            start = 0.0;
        }
        if value <= start {
            return below;
        }
        if value < *bound {
            if start == f64::NEG_INFINITY {
                return *count;
            }
            if *bound == f64::INFINITY {
                return below;
            }
            return below + (count - below) * (value - start) / (bound - start);
        }
        (start, below) = (*bound, *count);
    }
    below
}
