//! What a watch is opened with: everything the configuration decided, checked
//! once, with secrets as references. The record begins with it.

use serde::{Deserialize, Serialize};

use crate::check::{Check, Expected, Step};
use crate::judge::{Rule, Window};
use crate::metrics::Signal;
use crate::metrics::presets::PresetChoice;
use crate::model::{Channel, HeaderValue, Name, Span, Target};

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
    /// What the health of each has to show.
    #[serde(default, skip_serializing_if = "Expected::is_default")]
    pub health: Expected,
    /// The smoke suite, in order. May be empty: then nothing was tried, and
    /// the report says so.
    pub smoke: Vec<Step>,
    /// What is asked through the windows besides HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The header that names the suite's run in each of its requests; `None`: none.
    #[serde(default = "run_header", skip_serializing_if = "is_run_header")]
    pub run_header: Option<String>,
    /// While nothing answers yet, smoke tests wait this long.
    pub settle: Span,
    /// Time-out of a probe and of a scrape; below every interval.
    pub timeout: Span,
    /// Headers of probes and scrapes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, HeaderValue)>,
    /// Largest body of a scrape, in bytes after gunzip.
    pub body_bytes_max: u64,
    /// Which names the service uses for its metrics.
    pub presets: PresetChoice,
    /// Over this the presets' signals are read, instead of their own range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Span>,
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

/// The header without other words.
pub const RUN_HEADER: &str = "X-Bakewatch-Run";

fn run_header() -> Option<String> {
    Some(RUN_HEADER.to_owned())
}

fn is_run_header(header: &Option<String>) -> bool {
    header.as_deref() == Some(RUN_HEADER)
}
