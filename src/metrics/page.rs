//! What one scrape brings: the samples somebody wants, and what there was besides.

use std::sync::Arc;

use crate::model::{Labels, Number, Timestamp};

/// The type a family declares.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    /// Goes up, or starts again from nothing.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets, a sum and a count.
    Histogram,
    /// Quantiles, a sum and a count.
    Summary,
    /// Not said.
    #[default]
    Untyped,
}

/// A family seen when a whole page was read (preset detection, `check --live`).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Family {
    /// The name in the `# TYPE` line, or of the samples.
    pub name: String,
    /// Its declared type.
    pub kind: Kind,
    /// Names of the samples in it: `x_bucket`, `x_sum`, `x_count`, or just `x`.
    pub samples: Vec<String>,
    /// Label names that occur, sorted, and up to a few values of each.
    pub labels: Vec<(String, Vec<String>)>,
    /// For a histogram: its finite upper bounds, rising.
    pub bounds: Vec<Number>,
}

/// A slot: a series' place in its target's table, dense from 0.
pub type Slot = u32;

/// One scrape's answer.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Slot and value of every wanted sample, in the order they came.
    pub samples: Vec<(Slot, f64)>,
    /// Samples that bear a time of their own: index into `samples`, time.
    pub stamped: Vec<(u32, Timestamp)>,
    /// Slots that this page was the first to use, with name and labels.
    pub fresh: Vec<(Slot, Arc<str>, Labels)>,
    /// All families, when the whole page was asked for; else empty.
    pub families: Vec<Family>,
    /// Lines that could not be read among those wanted.
    pub bad_lines: u32,
    /// The first of them: its number (from 1) and what is wrong with it.
    pub first_bad: Option<(u32, String)>,
    /// Limits that were hit, each with its name and in words.
    pub limits: Vec<(&'static str, String)>,
    /// Bytes of the body, after gunzip.
    pub bytes: u64,
}
