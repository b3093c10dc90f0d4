//! The arithmetic of measurements: how many become one, and what is read in it.

use crate::model::{Measurement, Number};

/// Gauges, put together by how often each was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gauges {
    min: f64,
    sum: f64,
    max: f64,
    n: f64,
}

impl Gauges {
    /// One more. What is not a number, or was never looked at, says nothing.
    pub(super) fn add(&mut self, min: f64, mean: f64, max: f64, n: u32) {
        if n == 0 || mean.is_nan() || min.is_nan() || max.is_nan() {
            return;
        }
        let is_first = self.n == 0.0;
        self.min = if is_first { min } else { self.min.min(min) };
        self.max = if is_first { max } else { self.max.max(max) };
        self.sum += mean * f64::from(n);
        self.n += f64::from(n);
    }

    /// The least; `None` when there was none.
    pub(super) fn min(&self) -> Option<Number> {
        (self.n > 0.0).then_some(Number(self.min))
    }

    /// The mean of all looks.
    pub(super) fn mean(&self) -> Option<Number> {
        (self.n > 0.0).then(|| Number(self.sum / self.n))
    }

    /// The most.
    pub(super) fn max(&self) -> Option<Number> {
        (self.n > 0.0).then_some(Number(self.max))
    }
}

/// Measurements of one signal over some time, put together.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    num: f64,
    den: f64,
    has_ratio: bool,
    gauges: Gauges,
    /// Bounds and cumulative counts; the last bound is +Inf.
    buckets: Vec<(f64, f64)>,
}

impl Sum {
    /// One more measurement.
    pub(super) fn add(&mut self, measured: &Measurement) {
        match measured {
            Measurement::Ratio { num, den } => {
                if num.0.is_finite() && den.0.is_finite() {
                    (self.num, self.den) = (self.num + num.0, self.den + den.0);
                    self.has_ratio = true;
                }
            }
            Measurement::Gauge { min, mean, max, n } => {
                self.gauges.add(min.0, mean.0, max.0, *n);
            }
            Measurement::Buckets { bounds, counts } => {
                if !self.add_alike(bounds, counts) {
                    let pairs = bounds.iter().zip(counts).map(|(bound, count)| (bound.0, count.0));
                    self.add_buckets(pairs.collect());
                }
            }
        }
    }

    /// The usual case: the same bounds as so far, which are in order. `false`:
    /// it is another case, and nothing was added.
    fn add_alike(&mut self, bounds: &[Number], counts: &[Number]) -> bool {
        let sums = &mut self.buckets;
        let alike = !sums.is_empty()
            && sums.len() == bounds.len()
            && sums.iter().zip(bounds).all(|((known, _), bound)| *known == bound.0)
            && counts.len() == sums.len()
            && counts.iter().all(|count| count.0.is_finite() && count.0 >= 0.0);
        if alike {
            sums.iter_mut().zip(counts).for_each(|((_, sum), count)| *sum += count.0);
        }
        alike
    }

    /// Counts are added by bound. A bound that only some of the histograms
    /// have (two releases with other buckets) is left out: a cumulative count
    /// holds for those that are left, and a guess between them would not.
    fn add_buckets(&mut self, mut more: Vec<(f64, f64)>) {
        more.retain(|(bound, count)| !bound.is_nan() && count.is_finite() && *count >= 0.0);
        more.sort_by(|a, b| a.0.total_cmp(&b.0));
        more.dedup_by(|later, first| later.0 == first.0);
        if more.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
            return; // without its last bucket the number of events is not known
        }
        if self.buckets.is_empty() {
            self.buckets = more;
            return;
        }
        let same = self.buckets.len() == more.len()
            && self.buckets.iter().zip(&more).all(|(a, b)| a.0 == b.0);
        if !same {
            let has = |list: &[(f64, f64)], bound: f64| list.iter().any(|(b, _)| *b == bound);
            self.buckets.retain(|(bound, _)| has(&more, *bound));
            more.retain(|(bound, _)| has(&self.buckets, *bound));
        }
        for (sum, (_, count)) in self.buckets.iter_mut().zip(more) {
            sum.1 += count;
        }
    }

    /// Number of events behind a ratio or a histogram.
    pub(super) fn events(&self) -> Option<f64> {
        if self.has_ratio { Some(self.den) } else { self.buckets.last().map(|(_, count)| *count) }
    }

    /// All finite bounds, rising.
    pub(super) fn finite_bounds(&self) -> Vec<Number> {
        let bounds = self.buckets.iter().map(|(bound, _)| *bound);
        bounds.filter(|bound| bound.is_finite()).map(Number).collect()
    }

    /// The largest finite bound.
    pub(super) fn top(&self) -> Option<f64> {
        self.buckets.iter().rev().map(|(bound, _)| *bound).find(|bound| bound.is_finite())
    }

    /// The gauge, where this is one.
    pub(super) fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    /// The share of events; `None` without events.
    pub(super) fn ratio(&self) -> Option<f64> {
        (self.has_ratio && self.den > 0.0).then(|| self.num / self.den)
    }

    /// The quantile `q`, linear within its bucket, as `histogram_quantile`
    /// does it. What lies beyond the largest finite bound reads as that bound.
    pub(super) fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.buckets.last()?.1;
        let top = self.top()?;
        if total <= 0.0 || total.is_nan() || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = q * total;
        let mut running = 0.0_f64; // counts of a restarted target may dip: never below
        let mut lower: Option<f64> = None;
        for &(bound, count) in &self.buckets {
            let before = running;
            running = running.max(count);
            if running >= rank && running > before {
                if bound.is_infinite() {
                    return Some(if bound > 0.0 { top } else { bound });
                }
                let Some(lower) = lower.or((bound > 0.0).then_some(0.0)) else {
                    return Some(bound); // no lower end to start from
                };
                return Some(lower + (bound - lower) * ((rank - before) / (running - before)));
            }
            lower = Some(bound);
        }
        Some(top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(pairs: &[(f64, f64)]) -> Measurement {
        Measurement::Buckets {
            bounds: pairs.iter().map(|(bound, _)| Number(*bound)).collect(),
            counts: pairs.iter().map(|(_, count)| Number(*count)).collect(),
        }
    }

    fn sum(parts: &[Measurement]) -> Sum {
        let mut sum = Sum::default();
        parts.iter().for_each(|part| sum.add(part));
        sum
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn interpolates_a_quantile_within_its_bucket() {
        let whole = sum(&[histogram(&[(0.1, 50.0), (0.2, 90.0), (1.0, 100.0), (INF, 100.0)])]);
        assert_eq!(whole.quantile(0.5), Some(0.1));
        assert!((whole.quantile(0.7).unwrap() - 0.15).abs() < 1e-12);
        assert!((whole.quantile(0.95).unwrap() - 0.6).abs() < 1e-12);
    }

    #[test]
    fn reads_what_lies_beyond_the_last_bound_as_that_bound() {
        let whole = sum(&[histogram(&[(1.0, 90.0), (10.0, 95.0), (INF, 100.0)])]);
        assert_eq!((whole.quantile(0.99), whole.top()), (Some(10.0), Some(10.0)));
    }

    #[test]
    fn adds_histograms_by_bound_and_keeps_only_the_bounds_of_all() {
        let whole = sum(&[
            histogram(&[(0.1, 1.0), (0.5, 2.0), (1.0, 3.0), (INF, 4.0)]),
            histogram(&[(0.5, 10.0), (1.0, 20.0), (2.5, 25.0), (INF, 30.0)]),
        ]);
        assert_eq!(whole.buckets, [(0.5, 12.0), (1.0, 23.0), (INF, 34.0)]);
        assert_eq!(whole.events(), Some(34.0));
    }

    #[test]
    fn has_no_reading_without_events() {
        assert_eq!(sum(&[histogram(&[(1.0, 0.0), (INF, 0.0)])]).quantile(0.99), None);
        let none = Measurement::Ratio { num: Number(0.0), den: Number(0.0) };
        assert_eq!(sum(&[none]).ratio(), None);
        assert_eq!(sum(&[histogram(&[(1.0, 5.0)])]).events(), None);
    }

    #[test]
    fn weighs_gauges_by_looks_and_ratios_by_events() {
        let gauge = |min, mean, max, n| Measurement::Gauge {
            min: Number(min),
            mean: Number(mean),
            max: Number(max),
            n,
        };
        let whole = sum(&[gauge(1.0, 2.0, 3.0, 30), gauge(0.0, 6.0, 9.0, 10)]);
        let read = (whole.gauges().min(), whole.gauges().mean(), whole.gauges().max());
        assert_eq!(read, (Some(Number(0.0)), Some(Number(3.0)), Some(Number(9.0))));
        let ratio = |num, den| Measurement::Ratio { num: Number(num), den: Number(den) };
        let whole = sum(&[ratio(1.0, 1.0), ratio(0.0, 99.0)]);
        assert_eq!((whole.ratio(), whole.events()), (Some(0.01), Some(100.0)));
    }
}
