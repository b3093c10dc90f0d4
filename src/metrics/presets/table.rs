//! The table of presets, as it stands in `config/presets.toml`: one entry a
//! stack, most telling first. A user's own have the same form.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// What one stack calls things.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// As it is printed and pinned.
    pub name: String,
    /// Names of which one must be there; empty: nothing special is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signs: Vec<String>,
    /// Counters of requests; the first that is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<String>,
    /// Which of them are errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Errors>,
    /// Histograms of latency; the first that is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<Latency>,
    /// Labels that may hold the route.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<String>,
    /// Matchers of what alone is counted, where everything is told twice; the
    /// first that fits the labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// All other signals.
    #[serde(default, rename = "signal", skip_serializing_if = "Vec::is_empty")]
    pub gauges: Vec<Gauge>,
}

/// How errors are told from requests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Errors {
    /// By a matcher on the counter of requests.
    Matcher(String),
    /// By the first matcher whose label the counter has.
    Matchers(Vec<String>),
    /// By counters of their own; the first that is there.
    Counters(Vec<String>),
}

/// A histogram of latency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Its name, without `_bucket`.
    pub name: String,
    /// What its bounds are counted in.
    pub unit: LatencyUnit,
}

/// What a histogram's bounds are counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LatencyUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
}

impl LatencyUnit {
    /// What makes seconds of it.
    pub fn scale(self) -> f64 {
        match self {
            LatencyUnit::Seconds => 1.0,
            LatencyUnit::Milliseconds => 0.001,
        }
    }
}

/// A signal that is one query.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gauge {
    /// Which signal.
    pub name: String,
    /// Names that must be there. The first is printed as what it is made of.
    pub needs: Vec<String>,
    /// The query.
    pub query: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    preset: Vec<Preset>,
}

/// The table, read once. It is compiled in: a mistake in it is one of ours,
/// and a test reads it.
pub(super) static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let text = include_str!("../../../config/presets.toml");
    let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("presets.toml: {error}"));
    file.preset
});
