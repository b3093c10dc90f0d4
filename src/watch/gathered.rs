//! What many looks at a signal come to: one measurement of a block.

use crate::metrics::Measured;
use crate::model::{Measurement, Number};

/// One number of a gauge; of several the largest, since the report has one line.
pub(super) fn worst(measured: &Measured) -> Option<f64> {
    match measured {
        Measured::One(Measurement::Gauge { max, .. }) => Some(max.0),
        Measured::Each(all) => all.iter().map(|(_, value)| *value).reduce(f64::max),
        Measured::Split { broken, calm } => {
            let all = broken.iter().chain(calm.iter().flatten());
            all.map(|(_, value)| *value).filter(|value| !value.is_nan()).reduce(f64::max)
        }
        Measured::One(_) | Measured::None(_) => None,
    }
}

/// Some share of events more.
pub(super) fn add(before: Option<Measurement>, events: &Measurement, share: f64) -> Measurement {
    let scaled = |number: &Number| Number(number.0 * share);
    match (before, events) {
        (Some(Measurement::Ratio { num, den }), Measurement::Ratio { num: more, den: all }) => {
            let (num, den) = (num.0 + scaled(more).0, den.0 + scaled(all).0);
            Measurement::Ratio { num: Number(num), den: Number(den) }
        }
        (
            Some(Measurement::Buckets { bounds, counts }),
            Measurement::Buckets { bounds: b, counts: more },
        ) if bounds == *b => {
            let sums = counts.iter().zip(more).map(|(one, more)| Number(one.0 + scaled(more).0));
            Measurement::Buckets { bounds, counts: sums.collect() }
        }
        (_, Measurement::Ratio { num, den }) => {
            Measurement::Ratio { num: scaled(num), den: scaled(den) }
        }
        (_, Measurement::Buckets { bounds, counts }) => Measurement::Buckets {
            bounds: bounds.clone(),
            counts: counts.iter().map(scaled).collect(),
        },
        (before, gauge) => before.unwrap_or_else(|| gauge.clone()),
    }
}

/// One more look at a gauge.
pub(super) fn join(before: Option<Measurement>, value: f64) -> Measurement {
    match before {
        Some(Measurement::Gauge { min, mean, max, n }) => Measurement::Gauge {
            min: Number(min.0.min(value)),
            mean: Number(mean.0 + (value - mean.0) / f64::from(n + 1)),
            max: Number(max.0.max(value)),
            n: n + 1,
        },
        _ => Measurement::gauge(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 20 looks, 15 s apart, each at the last five minutes: what was counted
    /// in those counts once.
    #[test]
    fn counts_nothing_twice_that_overlapping_looks_have_seen() {
        let look = Measurement::Ratio { num: Number(3.0), den: Number(300.0) };
        let mut sum = None;
        for _ in 0..20 {
            sum = Some(add(sum, &look, 15.0 / 300.0));
        }
        let Some(Measurement::Ratio { num, den }) = sum else { panic!("a ratio") };
        assert!((num.0 - 3.0).abs() < 1e-9 && (den.0 - 300.0).abs() < 1e-9, "{num} of {den}");
        let bounds = [0.1, f64::INFINITY].map(Number).into();
        let look = Measurement::Buckets { bounds, counts: [10.0, 20.0].map(Number).to_vec() };
        let half = add(Some(add(None, &look, 0.25)), &look, 0.25);
        let Measurement::Buckets { counts, .. } = half else { panic!("buckets") };
        assert_eq!(counts, [5.0, 10.0].map(Number));
    }
}
