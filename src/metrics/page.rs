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

/// The series that a page was the first to show. Their names and labels are
/// those of the target's table: when all targets are met at once, many such
/// pages wait to be taken in.
#[derive(Clone, Debug, Default)]
pub struct Fresh {
    pub(super) slots: Vec<Slot>,
    /// By slot, of the whole table.
    pub(super) named: Arc<Vec<(Arc<str>, Labels)>>,
}

impl Fresh {
    /// Each with its name and labels.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Arc<str>, &Labels)> {
        self.slots.iter().map(|slot| {
            let (name, labels) = &self.named[*slot as usize];
            (*slot, name, labels)
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// A list that no table stands behind: for worlds that are made up.
impl FromIterator<(Slot, Arc<str>, Labels)> for Fresh {
    fn from_iter<I: IntoIterator<Item = (Slot, Arc<str>, Labels)>>(all: I) -> Fresh {
        let (mut slots, mut named) = (Vec::new(), Vec::new());
        for (slot, name, labels) in all {
            named.resize(named.len().max(slot as usize + 1), (Arc::from(""), Labels::default()));
            named[slot as usize] = (name, labels);
            slots.push(slot);
        }
        Fresh { slots, named: Arc::new(named) }
    }
}

/// One scrape's answer.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Slot and value of every wanted sample, in the order they came.
    pub samples: Vec<(Slot, f64)>,
    /// Samples that bear a time of their own: index into `samples`, time.
    pub stamped: Vec<(u32, Timestamp)>,
    /// Series that this page was the first to show.
    pub fresh: Fresh,
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
