//! Presets: what common stacks call their requests, errors, latency, memory
//! and tokens. Held against the families of a scrape they give signals, and
//! say what they could not find. A stack is one entry of `config/presets.toml`.

mod table;

use serde::{Deserialize, Serialize};

use super::{Family, Kind, Shape, Signal, Unit};
use crate::model::{HOUR, MINUTE, Name, Span};
use table::{Errors, Gauge, PRESETS, Preset};

/// The range over which rules read requests and errors, unless a plan has another.
pub const RANGE: Span = Span::from_millis(5 * MINUTE.millis());

/// Paths that are ours or nobody's: they would thin out a small service's errors.
const OWN_PATHS: &str = "/metrics.*|/health.*|/healthz|/livez?|/readyz?|/actuator.*";

/// All signals that presets can give, in the order of reports.
pub const SIGNALS: [(&str, Unit); 10] = [
    ("request_rate", Unit::PerSecond),
    ("error_ratio", Unit::Ratio),
    ("latency", Unit::Seconds),
    ("memory_ratio", Unit::Ratio),
    ("memory_bytes", Unit::Bytes),
    ("cpu_cores", Unit::Count),
    ("restarts", Unit::Count),
    ("token_rate", Unit::PerSecond),
    ("cost_rate", Unit::DollarsPerHour),
    ("sessions", Unit::Count),
];

/// How the metric names of the service are found out.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PresetChoice {
    /// From what the first scrapes show.
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
    /// For each signal a short account: `http_requests_total (fastapi-instrumentator)`.
    pub because: Vec<(Name, String)>,
    /// Built-in signals for which there is no metric.
    pub unmatched: Vec<Name>,
    /// What the user should know: no memory limit, a histogram that ends at 1 s.
    pub notes: Vec<String>,
}

/// The names of all presets, for configuration.
pub fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name.as_str()).collect()
}

/// The names of all signals that presets can give.
pub fn signal_names() -> Vec<&'static str> {
    SIGNALS.iter().map(|(name, _)| *name).collect()
}

/// Holds the presets (all of them, or those pinned) against what is there.
pub fn detect(families: &[Family], pinned: Option<&[Name]>) -> Matched {
    let presets: Vec<&Preset> = PRESETS
        .iter()
        .filter(|preset| pinned.is_none_or(|names| names.iter().any(|n| *n == *preset.name)))
        .collect();
    let mut found = Matched::default();
    let page = Sought { families };
    // One stack speaks for requests, errors and latency: two would count twice.
    let scored = presets.iter().map(|preset| (page.score(preset), *preset));
    let fitting = scored.filter(|(score, _)| *score > 0);
    if let Some((_, preset)) = fitting.reduce(|a, b| if b.0 > a.0 { b } else { a }) {
        page.add_http(&mut found, preset);
    }
    for (signal, unit) in &SIGNALS[3..] {
        let gauges = presets.iter().flat_map(|preset| {
            preset.gauges.iter().filter(|g| g.name == *signal).map(|g| (preset.name.as_str(), g))
        });
        let fit = gauges.into_iter().find(|(_, gauge)| gauge.needs.iter().all(|n| page.has(n)));
        if let Some((name, gauge)) = fit {
            add_gauge(&mut found, name, gauge, *unit);
        }
    }
    let is_found = |name: &str| found.signals.iter().any(|signal| signal.name == *name);
    let missing = SIGNALS.iter().map(|(name, _)| *name).filter(|name| !is_found(name));
    found.unmatched = missing.map(Name::from).collect();
    if !is_found("memory_ratio") && is_found("memory_bytes") {
        found.notes.push(
            "memory is known, its limit is not: no rule on memory_ratio can be judged".to_owned(),
        );
    }
    found
}

struct Sought<'a> {
    families: &'a [Family],
}

impl Sought<'_> {
    /// The family of a sample name or of a family name.
    fn family(&self, name: &str) -> Option<&Family> {
        let by_name = self.families.iter().find(|family| family.name == name);
        by_name.or_else(|| {
            self.families.iter().find(|family| family.samples.iter().any(|s| s == name))
        })
    }

    fn has(&self, name: &str) -> bool {
        self.family(name).is_some()
    }

    /// A histogram with buckets (or declared as one, and not filled yet).
    fn histogram(&self, name: &str) -> Option<&Family> {
        let family = self.families.iter().find(|family| family.name == name)?;
        let is_empty = family.samples.is_empty() && family.kind == Kind::Histogram;
        let has_buckets = family.samples.iter().any(|sample| sample.ends_with("_bucket"));
        (is_empty || has_buckets).then_some(family)
    }

    /// How much of a stack is there: requests, errors and latency, each counts.
    fn score(&self, preset: &Preset) -> usize {
        let requests = preset.requests.iter().any(|name| self.has(name));
        let latency = preset.latency.iter().any(|one| self.histogram(&one.name).is_some());
        let errors = match &preset.errors {
            None => false,
            Some(Errors::Counters(names)) => names.iter().any(|name| self.has(name)),
            Some(Errors::Matcher(matcher)) => {
                let label = matcher.split(['=', '!']).next().unwrap_or_default();
                preset.requests.iter().filter_map(|name| self.family(name)).any(|family| {
                    family.samples.is_empty() || family.labels.iter().any(|(name, _)| name == label)
                })
            }
        };
        2 * usize::from(requests) + usize::from(latency) + usize::from(errors)
    }

    fn add_http(&self, found: &mut Matched, preset: &Preset) {
        let name = preset.name.as_str();
        found.presets.push(Name::from(name));
        if let Some(requests) = preset.requests.iter().find(|name| self.has(name)) {
            self.add_requests(found, preset, requests);
        }
        let latency = preset.latency.iter().find_map(|one| {
            self.histogram(&one.name).map(|family| (&one.name, one.unit.scale(), family))
        });
        if let Some((histogram, scale, family)) = latency {
            let kept = self.matchers(Some(family), preset);
            let buckets = selector(&format!("{histogram}_bucket"), &[&kept]);
            let query = format!("sum by (le) (increase({buckets}[$range]))");
            add(found, "latency", Unit::Seconds, Shape::Buckets { query, scale }, histogram, name);
            note_top(found, histogram, scale, family);
        }
    }

    fn add_requests(&self, found: &mut Matched, preset: &Preset, requests: &str) {
        let kept = self.matchers(self.family(requests), preset);
        let all = selector(requests, &[&kept]);
        let rate = Shape::Gauge { query: format!("sum(rate({all}[$range]))") };
        add(found, "request_rate", Unit::PerSecond, rate, requests, &preset.name);
        let num = match &preset.errors {
            None => return,
            Some(Errors::Matcher(matcher)) => selector(requests, &[&kept, matcher]),
            Some(Errors::Counters(names)) => {
                names.iter().find(|name| self.has(name)).unwrap_or(&names[0]).clone()
            }
        };
        let errors = Shape::Ratio {
            num: format!("sum(increase({num}[$range]))"),
            den: format!("sum(increase({all}[$range]))"),
        };
        add(found, "error_ratio", Unit::Ratio, errors, &num, &preset.name);
    }

    /// What keeps probes and scrapes out, where the labels are there.
    fn matchers(&self, family: Option<&Family>, preset: &Preset) -> String {
        let has = |label: &str| {
            family.is_some_and(|family| family.labels.iter().any(|(name, _)| name == label))
        };
        let route = preset.route.iter().find(|label| has(label));
        route.map_or_else(String::new, |label| format!("{label}!~\"{OWN_PATHS}\""))
    }
}

/// The checklist's bound for latency: a histogram should reach beyond it.
const LATENCY_WANTED: f64 = 10.0;

fn note_top(found: &mut Matched, name: &str, scale: f64, family: &Family) {
    if let Some(top) = family.bounds.last().map(|bound| bound.0 * scale)
        && top < LATENCY_WANTED
    {
        found.notes.push(format!(
            "the top finite bucket of {name} is {top} s: slower requests cannot be told apart, \
             and a bound above it cannot be judged"
        ));
    }
}

fn add_gauge(found: &mut Matched, preset: &str, gauge: &Gauge, unit: Unit) {
    let shape = Shape::Gauge { query: gauge.query.clone() };
    add(found, &gauge.name, unit, shape, &gauge.needs[0], preset);
    let name = Name::from(preset);
    if !found.presets.contains(&name) {
        found.presets.push(name);
    }
}

fn add(found: &mut Matched, name: &str, unit: Unit, shape: Shape, of: &str, preset: &str) {
    let range = if name == "restarts" { HOUR } else { RANGE };
    found.signals.push(Signal { name: Name::from(name), unit, shape, range });
    found.because.push((Name::from(name), format!("{of} ({preset})")));
}

fn selector(name: &str, matchers: &[&str]) -> String {
    let matchers: Vec<&str> = matchers.iter().copied().filter(|m| !m.is_empty()).collect();
    if matchers.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", matchers.join(",")) }
}

#[cfg(test)]
mod tests;
