//! What a watch is opened with: everything the configuration decided, checked
//! once, with secrets as references. The record begins with it.

use serde::{Deserialize, Serialize};

use crate::check::Step;
use crate::judge::{Rule, Window};
use crate::metrics::Signal;
use crate::model::{Channel, Name, Span, Target};

/// A checked plan. `config` makes it, `Record` keeps it, `watch` follows it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The service.
    pub service: Name,
    /// Its address, for people and links.
    pub url: String,
    /// The replicas. At least one.
    pub targets: Vec<Target>,
    /// How many healthy replicas there should be.
    pub expect: u32,
    /// The smoke suite, in order. May be empty: then nothing was tried, and
    /// the report says so.
    pub smoke: Vec<Step>,
    /// While nothing answers yet, smoke tests wait this long.
    pub settle: Span,
    /// Time-out of a probe and of a scrape; below every interval.
    pub timeout: Span,
    /// Largest body of a scrape, in bytes after gunzip.
    pub body_bytes_max: u64,
    /// Which names the service uses for its metrics.
    pub presets: PresetChoice,
    /// Signals of the user's own, beside those of the presets.
    pub signals: Vec<Signal>,
    /// All rules, built-in and the user's.
    pub rules: Vec<Rule>,
    /// Signals that must have evidence, beside those matched at the first scrape.
    pub require: Vec<Name>,
    /// Windows, shortest first.
    pub windows: Vec<Window>,
    /// Whom to tell.
    pub channels: Vec<Channel>,
}

/// How the metric names of the service are found out.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PresetChoice {
    /// From what the first scrape shows.
    #[default]
    Auto,
    /// These presets and no others.
    Pinned(Vec<Name>),
}

/// What the presets made of the service's metrics.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Matched {
    /// The presets that gave at least one signal.
    pub presets: Vec<Name>,
    /// The signals found, with their queries.
    pub signals: Vec<Signal>,
    /// For each signal a short account: `requests = http_requests_total`.
    pub because: Vec<(Name, String)>,
    /// Built-in signals for which there is no metric.
    pub unmatched: Vec<Name>,
    /// What the user should know: no memory limit, a histogram that ends at 1 s.
    pub notes: Vec<String>,
}
