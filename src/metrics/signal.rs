//! A signal: a named query with a unit and a shape, which rules judge and
//! reports show.

use serde::{Deserialize, Serialize};

use crate::model::{Labels, Name, Span};

/// What a signal's numbers are counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// 0 to 1, shown as a percentage.
    Ratio,
    /// Seconds.
    Seconds,
    /// Events a second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// A number of things.
    #[default]
    Count,
    /// US dollars an hour.
    DollarsPerHour,
}

/// How a signal is measured. Queries are PromQL; `$range` stands for the
/// range that is asked for (a rule's, or a measurement's step).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Counts of events: those against us, of all.
    Ratio {
        /// For example `sum(increase(http_requests_total{status=~"5.."}[$range]))`.
        /// No series here while `den` has some reads as zero.
        num: String,
        /// For example `sum(increase(http_requests_total[$range]))`.
        den: String,
    },
    /// A histogram: `sum by (le) (increase(x_bucket[$range]))`.
    Buckets {
        /// The query.
        query: String,
        /// What `le` is multiplied with to give seconds (0.001 for milliseconds).
        scale: f64,
    },
    /// One value, or one for each label set.
    Gauge {
        /// The query.
        query: String,
    },
    /// What a rule of Prometheus's calls wrong: each element of the result is.
    Alert {
        /// The rule's expression.
        query: String,
        /// The same without the filter at its top: what is there at all. `None`:
        /// it has none, and what does not come out of it is calm.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        all: Option<String>,
        /// So far in the past it looks.
        #[serde(default, skip_serializing_if = "is_zero")]
        offset: Span,
    },
}

fn is_zero(span: &Span) -> bool {
    *span == Span::ZERO
}

/// A query whose result is kept as series of its own, which others can read.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// The metric that it becomes.
    pub name: Name,
    /// The query.
    pub query: String,
    /// Labels that the series get besides, or instead.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// So far in the past it looks.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub offset: Span,
    /// More series than this are none; 0: all are kept.
    #[serde(default, skip_serializing_if = "is_none")]
    pub limit: u32,
}

fn is_none(limit: &u32) -> bool {
    *limit == 0
}

/// A named query.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Signal {
    /// `error_ratio`, `latency`, `memory_ratio`, or a name of the user's.
    pub name: Name,
    /// Unit of its readings.
    pub unit: Unit,
    /// How it is measured.
    pub shape: Shape,
    /// The range that stands for `$range` when rules read it.
    pub range: Span,
    /// Who measures it; `None`: our own scraping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Name>,
}

impl Signal {
    /// The counter in `sum(rate(x[$range]))`, the form in which presets give a
    /// rate of requests.
    pub fn counter(&self) -> Option<String> {
        let Shape::Gauge { query } = &self.shape else { return None };
        let counter = query.strip_prefix("sum(rate(")?.strip_suffix("[$range]))")?;
        Some(counter.to_owned())
    }
}
