//! What Prometheus says beside a value: warnings where a query cannot be
//! meant so, and information where its result may not be what it seems. And
//! what one evaluation may cost.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;

use crate::model::Timestamp;

/// Samples that one evaluation at one instant may read, as many as Prometheus
/// holds at most: beyond it the query is at fault, and we say so.
pub(super) const SAMPLES_MAX: u64 = 50_000_000;

/// A place in a query's text: line and column, in bytes, both from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    line: u32,
    column: u32,
}

impl Spot {
    /// The place of a byte, which is at the beginning of a character.
    pub(super) fn of(text: &str, at: usize) -> Spot {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
        Spot { line: line as u32, column: column as u32 }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Something that is to be known about a result. Shown in Prometheus's words,
/// which are what people look for.
#[derive(Clone, Debug)]
pub enum Annotation {
    /// `rate` or `increase` of what is not named like a counter.
    NoCounter {
        /// The metric.
        name: Arc<str>,
        /// Its place.
        at: Spot,
    },
    /// A quantile that is not between 0 and 1.
    QuantileOutOfRange {
        /// The quantile.
        q: f64,
        /// Its place.
        at: Spot,
    },
    /// A bucket whose `le` is no number.
    NoBound {
        /// The metric, if it is known.
        name: Option<Arc<str>>,
        /// What stands in `le`.
        le: String,
        /// The buckets' place.
        at: Spot,
    },
    /// Counts of buckets that fell from one bound to the next, and were mended.
    NotMonotonic {
        /// The metric, if it is known.
        name: Option<Arc<str>>,
        /// How much was mended.
        mend: Mend,
        /// How many histograms, one an instant.
        count: u32,
        /// The first instant and the last.
        span: (Timestamp, Timestamp),
        /// The buckets' place.
        at: Spot,
    },
    /// `sort` where the order of labels decides in the end.
    SortInRange {
        /// The call's place.
        at: Spot,
    },
}

/// Where counts of buckets fell, and how far.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mend {
    /// The least bound with a count that was raised.
    pub least: f64,
    /// The greatest.
    pub most: f64,
    /// By how much at most.
    pub fall: f64,
}

impl Annotation {
    /// A warning; otherwise information.
    pub fn is_warning(&self) -> bool {
        match self {
            Annotation::QuantileOutOfRange { .. }
            | Annotation::NoBound { .. }
            | Annotation::SortInRange { .. } => true,
            Annotation::NoCounter { .. } | Annotation::NotMonotonic { .. } => false,
        }
    }

    /// Takes up another that says the same; `false` when it says something else.
    fn takes(&mut self, other: &Annotation) -> bool {
        use Annotation::{NoBound, NoCounter, NotMonotonic, QuantileOutOfRange, SortInRange};
        match (self, other) {
            (NoCounter { name: a, at: x }, NoCounter { name: b, at: y }) => a == b && x == y,
            (QuantileOutOfRange { q: a, at: x }, QuantileOutOfRange { q: b, at: y }) => {
                a.total_cmp(b).is_eq() && x == y
            }
            (NoBound { name: a, le: c, at: x }, NoBound { name: b, le: d, at: y }) => {
                a == b && c == d && x == y
            }
            (SortInRange { at: x }, SortInRange { at: y }) => x == y,
            (
                NotMonotonic { name: a, mend, count, span, at: x },
                NotMonotonic { name: b, mend: more, span: when, at: y, count: n },
            ) if a == b && x == y => {
                *count += n;
                *span = (span.0.min(when.0), span.1.max(when.1));
                mend.least = mend.least.min(more.least);
                mend.most = mend.most.max(more.most);
                mend.fall = mend.fall.max(more.fall);
                true
            }
            _ => false,
        }
    }
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_warning() { "PromQL warning: " } else { "PromQL info: " })?;
        let of = |name: &Option<Arc<str>>| {
            name.as_ref().map(|name| format!(" for metric name {name:?}")).unwrap_or_default()
        };
        match self {
            Annotation::NoCounter { name, at } => write!(
                f,
                "metric might not be a counter, name does not end in \
                 _total/_sum/_count/_bucket: {name:?} ({at})"
            ),
            Annotation::QuantileOutOfRange { q, at } => {
                let q = general(*q, None);
                write!(f, "quantile value should be between 0 and 1, got {q} ({at})")
            }
            Annotation::NoBound { name, le, at } => write!(
                f,
                "bucket label \"le\" is missing or has a malformed value of {le:?}{} ({at})",
                of(name)
            ),
            Annotation::NotMonotonic { name, mend, count, span, at } => write!(
                f,
                "input to histogram_quantile needed to be fixed for monotonicity \
                 (see https://prometheus.io/docs/prometheus/latest/querying/functions/\
                 #histogram_quantile){}, from buckets {} to {}, with a max diff of {}, over \
                 {count} samples from {} to {} ({at})",
                of(name),
                general(mend.least, None),
                general(mend.most, None),
                general(mend.fall, Some(2)),
                seconds(span.0),
                seconds(span.1),
            ),
            Annotation::SortInRange { at } => write!(
                f,
                "sort is ineffective for range queries since results are always ordered by \
                 labels ({at})"
            ),
        }
    }
}

/// To the second, as Prometheus writes it.
fn seconds(at: Timestamp) -> String {
    Timestamp::from_millis(at.millis().div_euclid(1000) * 1000).rfc3339()
}

/// A number in the general form of Go (and C): with an exponent where it is
/// great or small, with so many digits or as few as tell it.
fn general(value: f64, digits: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let scientific = match digits {
        Some(digits) => format!("{value:.*e}", digits.saturating_sub(1)),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    if exponent < -4 || exponent >= digits.map_or(6, |digits| digits as i32) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain: f64 = format!("{mantissa}e{exponent}").parse().unwrap_or(value);
    plain.to_string()
}

/// What one evaluation says and costs. Empty it costs no memory.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    said: RefCell<Vec<Annotation>>,
    read: Cell<u64>,
}

impl Ledger {
    /// With what was said at the instants before.
    pub fn with(said: Vec<Annotation>) -> Ledger {
        Ledger { said: RefCell::new(said), read: Cell::new(0) }
    }

    /// Says it, once.
    pub fn say(&self, annotation: Annotation) {
        let mut said = self.said.borrow_mut();
        if !said.iter_mut().any(|known| known.takes(&annotation)) {
            said.push(annotation);
        }
    }

    /// Counts samples that were read. The error is the limit's.
    pub fn read(&self, samples: usize) -> Result<(), String> {
        let read = self.read.get().saturating_add(samples as u64);
        self.read.set(read);
        if read <= SAMPLES_MAX {
            return Ok(());
        }
        Err(format!(
            "the query reads more than {SAMPLES_MAX} samples at one instant; \
             shorten its ranges, or lengthen the steps of its subqueries"
        ))
    }

    /// All that was said.
    pub fn into_said(self) -> Vec<Annotation> {
        self.said.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers_in_the_general_form() {
        let cases = [
            (1.1, None, "1.1"),
            (-0.25, None, "-0.25"),
            (f64::NAN, None, "NaN"),
            (f64::INFINITY, None, "+Inf"),
            (0.00001, None, "1e-05"),
            (100.0, Some(2), "1e+02"),
            (99.4, Some(2), "99"),
            (0.123, Some(2), "0.12"),
            (5.0, Some(2), "5"),
            (1_234_567.0, None, "1.234567e+06"),
        ];
        for (value, digits, expected) in cases {
            assert_eq!(general(value, digits), expected);
        }
    }

    #[test]
    fn counts_lines_and_bytes() {
        let text = "sum(\n  ä + rate(x[1m]))";
        let at = text.find("rate").expect("it is there");
        assert_eq!(Spot::of(text, at).to_string(), "2:8");
        assert_eq!(Spot::of(text, 0).to_string(), "1:1");
    }
}
