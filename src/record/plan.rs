//! What a watch is opened with: everything the configuration decided, checked
//! once, with secrets as references. The record begins with it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::check::Step;
use crate::judge::{Rule, Window};
use crate::metrics::Signal;
use crate::metrics::presets::PresetChoice;
use crate::model::{Channel, HeaderValue, Name, Source, Span, Target, Transport};

/// A checked plan. `config` makes it, `Record` keeps it, `watch` follows it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The service.
    pub service: Name,
    /// Its address, for people and links.
    pub url: String,
    /// The replicas that are listed. At least one, unless some are looked for.
    pub targets: Vec<Target>,
    /// Where more of them are looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// How many healthy replicas there should be.
    pub expect: u32,
    /// The smoke suite, in order. May be empty: then nothing was tried, and
    /// the report says so.
    pub smoke: Vec<Step>,
    /// While nothing answers yet, smoke tests wait this long.
    pub settle: Span,
    /// Time-out of a probe and of a scrape; below every interval.
    pub timeout: Span,
    /// Headers of probes and scrapes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, HeaderValue)>,
    /// How targets are reached; `None`: as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Arc<Transport>>,
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
