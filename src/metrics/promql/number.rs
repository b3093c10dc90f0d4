//! Arithmetic that has to come out as Prometheus has it.

/// A sum that carries the digits it lost (Kahan, as improved by Neumaier).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Sum {
    pub value: f64,
    pub lost: f64,
}

impl Sum {
    pub fn add(self, term: f64) -> Sum {
        let value = self.value + term;
        let lost = if value.is_infinite() {
            0.0
        } else if self.value.abs() >= term.abs() {
            self.lost + ((self.value - value) + term)
        } else {
            self.lost + ((term - value) + self.value)
        };
        Sum { value, lost }
    }

    pub fn total(self) -> f64 {
        if self.value.is_infinite() { self.value } else { self.value + self.lost }
    }
}

/// A mean that sums, and only where the sum would overflow moves step by step.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Mean {
    sum: Sum,
    count: f64,
    stepwise: bool,
}

impl Mean {
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.sum = Sum { value, lost: 0.0 };
            return;
        }
        if !self.stepwise {
            let sum = self.sum.add(value);
            if !sum.value.is_infinite() {
                self.sum = sum;
                return;
            }
            self.stepwise = true;
            let before = self.count - 1.0;
            self.sum = Sum { value: self.sum.value / before, lost: self.sum.lost / before };
        }
        let keep = (self.count - 1.0) / self.count;
        let kept = Sum { value: keep * self.sum.value, lost: keep * self.sum.lost };
        self.sum = kept.add(value / self.count);
    }

    pub fn value(self) -> f64 {
        if self.stepwise {
            self.sum.value + self.sum.lost
        } else {
            self.sum.value / self.count + self.sum.lost / self.count
        }
    }
}

/// Mean and squared deviation in one pass (Welford), with carried digits.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Spread {
    count: f64,
    mean: Sum,
    square: Sum,
}

impl Spread {
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - (self.mean.value + self.mean.lost);
        self.mean = self.mean.add(delta / self.count);
        let after = value - (self.mean.value + self.mean.lost);
        self.square = self.square.add(delta * after);
    }

    pub fn variance(self) -> f64 {
        (self.square.value + self.square.lost) / self.count
    }
}

/// The less of two; NaN gives way.
pub(super) fn least(kept: f64, value: f64) -> f64 {
    if value < kept || kept.is_nan() { value } else { kept }
}

/// The greater of two; NaN gives way.
pub(super) fn greatest(kept: f64, value: f64) -> f64 {
    if value > kept || kept.is_nan() { value } else { kept }
}

/// The `q` quantile of unsorted values, interpolated; NaN sorts lowest.
pub(super) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| nan_first(*a, *b));
    let last = values.len() as f64 - 1.0;
    let rank = q * last;
    let lower = rank.floor().max(0.0);
    let upper = (lower + 1.0).min(last);
    let weight = rank - rank.floor();
    values[lower as usize] * (1.0 - weight) + values[upper as usize] * weight
}

fn nan_first(a: f64, b: f64) -> std::cmp::Ordering {
    b.is_nan().cmp(&a.is_nan()).then(a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal))
}

/// Rising, NaN at the end.
pub(super) fn rising(a: f64, b: f64) -> std::cmp::Ordering {
    a.is_nan().cmp(&b.is_nan()).then(a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal))
}

/// Falling, NaN at the end.
pub(super) fn falling(a: f64, b: f64) -> std::cmp::Ordering {
    a.is_nan().cmp(&b.is_nan()).then(b.partial_cmp(&a).unwrap_or(std::cmp::Ordering::Equal))
}
