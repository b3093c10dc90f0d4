//! Presets: what common stacks call their requests, errors, latency, memory
//! and tokens. Held against the families of a scrape they give signals, and
//! say what they could not find. A stack is one entry of `config/presets.toml`.

mod table;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::promql::narrow;
use super::{Family, Kind, Shape, Signal, Unit};
use crate::model::{HOUR, MINUTE, Name, Number, Rows, Span};
use table::PRESETS;

pub use table::{Errors, Gauge, Latency, LatencyUnit, Preset};

/// The range over which rules read requests and errors, unless a plan has another.
pub const RANGE: Span = Span::from_millis(5 * MINUTE.millis());

/// Paths that are ours or nobody's: they would thin out a small service's errors.
const OWN_PATHS: &str = "/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*";

/// All signals that presets can give, in the order of reports.
pub const SIGNALS: [(&str, Unit); 16] = [
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
    ("queue", Unit::Count),
    ("replicas_ready", Unit::Count),
    ("replicas_desired", Unit::Count),
    ("replicas_max", Unit::Count),
    ("cpu_ratio", Unit::Ratio),
    ("oom_kills", Unit::Count),
];

/// Signals that only requests make: without any there is nothing to see.
const OF_REQUESTS: [&str; 5] =
    ["request_rate", "error_ratio", "latency", "token_rate", "cost_rate"];

/// Whether presets may give a signal of this name.
pub fn is_signal(name: &Name) -> bool {
    SIGNALS.iter().any(|(known, _)| *name == **known)
}

/// Whether every service is expected to have it.
pub fn is_expected(name: &Name) -> bool {
    SIGNALS[..EXPECTED].iter().any(|(known, _)| *name == **known)
}

/// Whether a signal is one of requests.
pub fn is_of_requests(name: &Name) -> bool {
    OF_REQUESTS.iter().any(|known| *name == **known)
}

/// So many of `SIGNALS` are told where they are missing: the others are of
/// stacks that have them, and nobody else misses them.
const EXPECTED: usize = 10;

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

impl PresetChoice {
    /// The presets, where they were named.
    pub fn pinned(&self) -> Option<&[Name]> {
        match self {
            PresetChoice::Auto => None,
            PresetChoice::Pinned(names) => Some(names),
        }
    }
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

/// Whatever some preset knows as a counter of requests.
pub fn request_counters(own: &[Preset]) -> impl Iterator<Item = &str> {
    own.iter().chain(PRESETS.iter()).flat_map(|preset| preset.requests.iter().map(String::as_str))
}

/// All names that some preset (of all, or of those pinned) looks for.
fn sought(pinned: Option<&[Name]>, own: &[Preset]) -> Vec<String> {
    let all = own.iter().chain(PRESETS.iter());
    let tried = all
        .filter(|preset| pinned.is_none_or(|names| names.iter().any(|name| *name == *preset.name)));
    let names = tried.flat_map(|preset| {
        let errors = match &preset.errors {
            Some(Errors::Counters(names)) => names.as_slice(),
            Some(Errors::Matcher(_) | Errors::Matchers(_)) | None => &[],
        };
        let latency = preset.latency.iter().map(|one| format!("{}_bucket", one.name));
        let needs = preset.gauges.iter().flat_map(|gauge| &gauge.needs);
        let plain = preset.signs.iter().chain(&preset.requests).chain(errors).chain(needs);
        plain.cloned().chain(latency).collect::<Vec<String>>()
    });
    names.collect::<BTreeSet<String>>().into_iter().collect()
}

/// Asks for whatever some preset looks for; `None`: for nothing.
pub fn search(pinned: Option<&[Name]>, own: &[Preset], selector: Option<&str>) -> Option<String> {
    let names = sought(pinned, own);
    let patterns: Vec<String> = names.iter().map(|name| regex::escape(name)).collect();
    let text = format!("{{__name__=~{:?}}}", patterns.join("|"));
    let sent = narrow(&text, MINUTE, selector).ok()?;
    (!names.is_empty()).then_some(sent.text)
}

/// The families that these series, each with its name, are of.
pub fn families(rows: &Rows) -> Vec<Family> {
    let mut found: BTreeMap<&str, Family> = BTreeMap::new();
    for (labels, _) in rows {
        let sample = labels.get("__name__").unwrap_or_default();
        let histogram = sample.strip_suffix("_bucket").filter(|_| labels.get("le").is_some());
        let family = found.entry(histogram.unwrap_or(sample)).or_insert_with(|| Family {
            name: histogram.unwrap_or(sample).to_owned(),
            kind: if histogram.is_some() { Kind::Histogram } else { Kind::Untyped },
            samples: vec![sample.to_owned()],
            ..Family::default()
        });
        for (label, value) in labels.iter().filter(|(label, _)| *label != "__name__") {
            see(family, label, value);
        }
    }
    let mut all: Vec<Family> = found.into_values().collect();
    for family in &mut all {
        family.labels.sort();
        family.bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    all
}

/// So many values of a label tell what there is to tell.
const VALUES_MAX: usize = 20;

fn see(family: &mut Family, label: &str, value: &str) {
    if let ("le", Ok(bound)) = (label, value.parse::<f64>()) {
        let bound = Number(bound);
        if bound.0.is_finite() && !family.bounds.contains(&bound) {
            family.bounds.push(bound);
        }
    }
    match family.labels.iter_mut().find(|(known, _)| known == label) {
        None => family.labels.push((label.to_owned(), vec![value.to_owned()])),
        Some((_, values)) if values.len() < VALUES_MAX && !values.iter().any(|v| v == value) => {
            values.push(value.to_owned());
        }
        Some(_) => {}
    }
}

/// Holds the presets (all of them, or those pinned) against what is there. A
/// user's own go first, and one with the name of a known preset replaces it.
pub fn detect(families: &[Family], pinned: Option<&[Name]>, own: &[Preset]) -> Matched {
    let known = PRESETS.iter().filter(|known| own.iter().all(|one| one.name != known.name));
    let presets: Vec<&Preset> = own
        .iter()
        .chain(known)
        .filter(|preset| pinned.is_none_or(|names| names.iter().any(|n| *n == *preset.name)))
        .collect();
    let mut found = Matched::default();
    let page = Sought { families };
    // One stack speaks for requests, errors and latency: two would count twice.
    let scored = presets.iter().map(|preset| (page.score(preset), *preset));
    let fitting: Vec<(usize, &Preset)> = scored.filter(|(score, _)| *score > 0).collect();
    let is_own = |preset: &Preset| own.iter().any(|one| std::ptr::eq(one, preset));
    let mine = fitting.iter().find(|(_, preset)| is_own(preset)).copied();
    let best = || fitting.iter().copied().reduce(|a, b| if b.0 > a.0 { b } else { a });
    if let Some((_, preset)) = mine.or_else(best) {
        page.add_http(&mut found, preset);
    }
    for (signal, unit) in &SIGNALS[3..] {
        let gauges = presets.iter().filter(|preset| page.has_sign(preset)).flat_map(|preset| {
            preset.gauges.iter().filter(|g| g.name == *signal).map(|g| (preset.name.as_str(), g))
        });
        let fit = gauges.into_iter().find(|(_, gauge)| gauge.needs.iter().all(|n| page.has(n)));
        if let Some((name, gauge)) = fit {
            add_gauge(&mut found, name, gauge, *unit);
        }
    }
    let is_found = |name: &str| found.signals.iter().any(|signal| signal.name == *name);
    let missing = SIGNALS[..EXPECTED].iter().map(|(name, _)| *name).filter(|name| !is_found(name));
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

    fn has_sign(&self, preset: &Preset) -> bool {
        preset.signs.is_empty() || preset.signs.iter().any(|name| self.has(name))
    }

    /// How much of a stack is there: requests, errors and latency, each counts.
    fn score(&self, preset: &Preset) -> usize {
        if !self.has_sign(preset) {
            return 0;
        }
        let requests = preset.requests.iter().find(|name| self.has(name));
        let latency = preset.latency.iter().any(|one| self.histogram(&one.name).is_some());
        let errors = match &preset.errors {
            Some(Errors::Counters(names)) => names.iter().any(|name| self.has(name)),
            _ => requests.is_some_and(|name| self.matcher(preset, name).is_some()),
        };
        2 * usize::from(requests.is_some()) + usize::from(latency) + usize::from(errors)
    }

    /// What picks the errors out of a counter, if its labels can tell them.
    fn matcher<'p>(&self, preset: &'p Preset, requests: &str) -> Option<&'p str> {
        let matchers = match &preset.errors {
            Some(Errors::Matcher(matcher)) => std::slice::from_ref(matcher),
            Some(Errors::Matchers(matchers)) => matchers,
            Some(Errors::Counters(_)) | None => return None,
        };
        let family = self.family(requests)?;
        let fits = |matcher: &&String| {
            // `error_type!=""`: some clients print the label with errors alone.
            family.samples.is_empty() || matcher.ends_with("!=\"\"") || has_label(family, matcher)
        };
        matchers.iter().find(fits).map(String::as_str)
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
            let buckets = selector(&format!("{histogram}_bucket"), &kept);
            let query = format!("sum by (le) (increase({buckets}[$range]))");
            add(found, "latency", Unit::Seconds, Shape::Buckets { query, scale }, histogram, name);
            note_top(found, histogram, scale, family);
        } else if let Some(one) = preset.latency.iter().find(|one| self.has(&one.name)) {
            found.notes.push(format!(
                "{} has no buckets: neither a quantile nor a share can be told of it; \
                 let the service publish a histogram",
                one.name
            ));
        }
    }

    fn add_requests(&self, found: &mut Matched, preset: &Preset, requests: &str) {
        let kept = self.matchers(self.family(requests), preset);
        let all = selector(requests, &kept);
        let rate = Shape::Gauge { query: format!("sum(rate({all}[$range]))") };
        add(found, "request_rate", Unit::PerSecond, rate, requests, &preset.name);
        let num = match (&preset.errors, self.matcher(preset, requests)) {
            (Some(Errors::Counters(names)), _) => {
                names.iter().find(|name| self.has(name)).unwrap_or(&names[0]).clone()
            }
            (_, Some(matcher)) => {
                let matchers: Vec<&str> = kept.iter().map(String::as_str).collect();
                selector(requests, &[&matchers[..], &[matcher]].concat())
            }
            (Some(_), None) => {
                let what = "has no label that tells errors from other requests";
                found.notes.push(format!("{requests} {what}: no error_ratio"));
                return;
            }
            (None, None) => return,
        };
        let errors = Shape::Ratio {
            num: format!("sum(increase({num}[$range]))"),
            den: format!("sum(increase({all}[$range]))"),
        };
        add(found, "error_ratio", Unit::Ratio, errors, &num, &preset.name);
    }

    /// What keeps probes, scrapes and whatever is told twice out, where the
    /// labels are there.
    fn matchers(&self, family: Option<&Family>, preset: &Preset) -> Vec<String> {
        let Some(family) = family else { return Vec::new() };
        let only = preset.only.iter().find(|matcher| fits(family, matcher)).cloned();
        let route = preset.route.iter().find(|label| has_label(family, label));
        let route = route.map(|label| format!("{label}!~\"{OWN_PATHS}\""));
        only.into_iter().chain(route).collect()
    }
}

/// Whether a family has the label of a matcher (or of that name).
fn has_label(family: &Family, matcher: &str) -> bool {
    let label = matcher.split(['=', '!']).next().unwrap_or_default();
    let label = label.trim().trim_matches('"'); // a name beyond the classic letters
    family.labels.iter().any(|(name, _)| name == label)
}

/// Whether a matcher `a="b"` keeps something; any other needs its label alone.
fn fits(family: &Family, matcher: &str) -> bool {
    let Some((label, value)) = matcher.split_once("=\"") else { return false };
    if label.ends_with('!') {
        return has_label(family, matcher);
    }
    let (label, value) = (label.trim_matches('"'), value.trim_end_matches('"'));
    family.labels.iter().any(|(name, values)| name == label && values.iter().any(|v| v == value))
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
    found.signals.push(Signal { name: Name::from(name), unit, shape, range, source: None });
    found.because.push((Name::from(name), format!("{of} ({preset})")));
}

/// A selector; a name beyond the classic letters stands in the braces.
fn selector(name: &str, matchers: &[impl AsRef<str>]) -> String {
    let matchers: Vec<&str> = matchers.iter().map(AsRef::as_ref).collect();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if !name.chars().all(is_plain) {
        let quoted = format!("{:?}", name);
        return format!("{{{}}}", [&[quoted.as_str()], &matchers[..]].concat().join(","));
    }
    if matchers.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", matchers.join(",")) }
}

#[cfg(test)]
mod tests;
