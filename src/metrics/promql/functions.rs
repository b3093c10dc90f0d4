//! The functions that are supported, by name.

use jiff::civil::DateTime;

use super::plan::{Func, Over};

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Reads a range of samples.
    Over(Over),
    /// Reads values.
    Func(Func),
}

const fn over(func: Over) -> Kind {
    Kind::Over(func)
}

const fn math(func: fn(f64) -> f64) -> Kind {
    Kind::Func(Func::Math(func))
}

const fn date(func: fn(DateTime) -> f64) -> Kind {
    Kind::Func(Func::Date(func))
}

/// Every function. Transcendental ones are those of `libm`: the same bits on
/// every machine.
pub(super) const FUNCTIONS: &[(&str, Kind)] = &[
    ("rate", over(Over::Rate)),
    ("increase", over(Over::Increase)),
    ("delta", over(Over::Delta)),
    ("irate", over(Over::Irate)),
    ("idelta", over(Over::Idelta)),
    ("changes", over(Over::Changes)),
    ("resets", over(Over::Resets)),
    ("avg_over_time", over(Over::Avg)),
    ("min_over_time", over(Over::Min)),
    ("max_over_time", over(Over::Max)),
    ("sum_over_time", over(Over::Sum)),
    ("count_over_time", over(Over::Count)),
    ("last_over_time", over(Over::Last)),
    ("first_over_time", over(Over::First)),
    ("present_over_time", over(Over::Present)),
    ("absent_over_time", over(Over::Absent)),
    ("quantile_over_time", over(Over::Quantile)),
    ("stddev_over_time", over(Over::Stddev)),
    ("stdvar_over_time", over(Over::Stdvar)),
    ("deriv", over(Over::Deriv)),
    ("predict_linear", over(Over::PredictLinear)),
    ("histogram_quantile", Kind::Func(Func::HistogramQuantile)),
    ("histogram_fraction", Kind::Func(Func::HistogramFraction)),
    ("abs", math(f64::abs)),
    ("ceil", math(f64::ceil)),
    ("floor", math(f64::floor)),
    ("sqrt", math(f64::sqrt)),
    ("exp", math(libm::exp)),
    ("ln", math(libm::log)),
    ("log2", math(libm::log2)),
    ("log10", math(libm::log10)),
    ("sgn", math(sgn)),
    ("sin", math(libm::sin)),
    ("cos", math(libm::cos)),
    ("tan", math(libm::tan)),
    ("asin", math(libm::asin)),
    ("acos", math(libm::acos)),
    ("atan", math(libm::atan)),
    ("sinh", math(libm::sinh)),
    ("cosh", math(libm::cosh)),
    ("tanh", math(libm::tanh)),
    ("asinh", math(libm::asinh)),
    ("acosh", math(acosh)),
    ("atanh", math(libm::atanh)),
    ("deg", math(f64::to_degrees)),
    ("rad", math(f64::to_radians)),
    ("round", Kind::Func(Func::Round)),
    ("clamp", Kind::Func(Func::Clamp)),
    ("clamp_min", Kind::Func(Func::ClampMin)),
    ("clamp_max", Kind::Func(Func::ClampMax)),
    ("vector", Kind::Func(Func::Vector)),
    ("scalar", Kind::Func(Func::Scalar)),
    ("time", Kind::Func(Func::Time)),
    ("pi", Kind::Func(Func::Pi)),
    ("minute", date(|at| f64::from(at.minute()))),
    ("hour", date(|at| f64::from(at.hour()))),
    ("day_of_week", date(|at| f64::from(at.weekday().to_sunday_zero_offset()))),
    ("day_of_month", date(|at| f64::from(at.day()))),
    ("day_of_year", date(|at| f64::from(at.day_of_year()))),
    ("days_in_month", date(|at| f64::from(at.days_in_month()))),
    ("month", date(|at| f64::from(at.month()))),
    ("year", date(|at| f64::from(at.year()))),
    ("timestamp", Kind::Func(Func::Timestamp)),
    ("absent", Kind::Func(Func::Absent)),
    ("label_replace", Kind::Func(Func::LabelReplace)),
    ("label_join", Kind::Func(Func::LabelJoin)),
    ("sort", Kind::Func(Func::Sort { descending: false })),
    ("sort_desc", Kind::Func(Func::Sort { descending: true })),
];

/// `libm` gives numbers for what has none.
fn acosh(value: f64) -> f64 {
    if value < 1.0 { f64::NAN } else { libm::acosh(value) }
}

fn sgn(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value // zero and NaN are their own signs
    }
}
