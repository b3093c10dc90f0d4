//! The table of presets, as it stands in `config/presets.toml`: one entry a
//! stack, most telling first.

use std::sync::LazyLock;

use serde::Deserialize;

/// What one stack calls things.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Preset {
    /// As it is printed and pinned.
    pub name: String,
    /// Counters of requests; the first that is there.
    #[serde(default)]
    pub requests: Vec<String>,
    /// Which of them are errors.
    pub errors: Option<Errors>,
    /// Histograms of latency; the first that is there.
    #[serde(default)]
    pub latency: Vec<Latency>,
    /// Labels that may hold the route.
    #[serde(default)]
    pub route: Vec<String>,
    /// All other signals.
    #[serde(default, rename = "signal")]
    pub gauges: Vec<Gauge>,
}

/// How errors are told from requests.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Errors {
    /// By a matcher on the counter of requests.
    Matcher(String),
    /// By counters of their own; the first that is there.
    Counters(Vec<String>),
}

/// A histogram of latency.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Latency {
    /// Its name, without `_bucket`.
    pub name: String,
    /// What its bounds are counted in.
    pub unit: LatencyUnit,
}

/// What a histogram's bounds are counted in.
#[derive(Clone, Copy, Deserialize)]
pub(super) enum LatencyUnit {
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gauge {
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
