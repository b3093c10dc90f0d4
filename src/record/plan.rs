//! What a watch is opened with: everything the configuration decided, checked
//! once, with secrets as references. The record begins with it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::check::paths::{KNOWN, Paths};
use crate::check::{Check, Expected, Step};
use crate::judge::{Rule, Window};
use crate::metrics::presets::{self, Matched, Preset, PresetChoice};
use crate::metrics::{Recording, Signal};
use crate::model::{
    Approach, Channel, DataSource, Digest, HeaderValue, Inhibit, Maintenance, Name, Request,
    Source, Span, Target, Transport,
};

impl Plan {
    /// Whether nobody said this, so that it is only a guess.
    pub fn is_guess(&self, what: &str) -> bool {
        self.guesses.iter().any(|guess| *guess == *what)
    }

    /// For so long after the release no requests are expected.
    pub fn idle(&self) -> Span {
        let idle = self.windows.iter().filter(|window| !window.traffic);
        idle.map(|window| window.length).max().unwrap_or(Span::ZERO)
    }

    /// The signals of presets that are missed: those that every service is expected
    /// to have, and those that a rule waits for. What the plan defines is none.
    pub fn unmatched(&self, matched: &Matched) -> Vec<Name> {
        let is_known = |name: &Name| {
            matched.signals.iter().chain(&self.signals).any(|signal| signal.name == *name)
        };
        let is_awaited = |name: &Name| self.rules.iter().any(|rule| rule.signal == *name);
        let mut missed: Vec<Name> = Vec::new();
        let awaited = self.rules.iter().map(|rule| &rule.signal);
        let awaited = awaited.filter(|name| presets::is_signal(name));
        for name in matched.unmatched.iter().chain(awaited) {
            let is_missed = presets::is_expected(name) || is_awaited(name);
            if is_missed && !is_known(name) && !missed.contains(name) {
                missed.push(name.clone());
            }
        }
        missed
    }

    /// A look at a target, which has a way of its `own`: a probe, or a scrape.
    pub fn get(&self, own: Option<&Approach>, url: String) -> Request {
        let (headers, transport) = match own {
            Some(own) => (&own.headers, &own.transport),
            None => (&self.headers, &self.transport),
        };
        let (headers, transport) = (headers.clone(), transport.clone());
        Request { url, headers, timeout: self.timeout, transport, ..Request::default() }
    }

    /// Puts what was found in the place of what was guessed. Smoke steps go
    /// along as long as none has been tried (`is_smoking`).
    pub fn follow(&mut self, found: &Found, is_smoking: bool) {
        let guess = |plan: &Plan, what: &str| plan.is_guess(what);
        let (health, metrics) = (guess(self, "health"), guess(self, "metrics"));
        let place = |url: &mut Option<String>, guessed: &str, path: &Option<String>| {
            let base = url.as_deref().and_then(|url| url.strip_suffix(guessed)).map(str::to_owned);
            if let Some(base) = base {
                *url = path.as_ref().map(|path| format!("{base}{path}"));
            }
        };
        let first = &KNOWN[0];
        for target in &mut self.targets {
            if health {
                place(&mut target.health, first.health, &found.health);
            }
            if metrics {
                place(&mut target.metrics, first.metrics, &found.metrics);
            }
        }
        if is_smoking {
            return;
        }
        let (url, guesses) = (self.url.clone(), self.guesses.clone());
        self.smoke.retain_mut(|step| {
            let path = match step.name.as_str() {
                "is healthy" => &found.health,
                "is ready" => &found.ready,
                _ => return true,
            };
            if !guesses.contains(&step.name) {
                return true;
            }
            let Some(path) = path else { return false };
            step.request.url = format!("{url}{path}");
            true
        });
    }
}

/// Paths that were found where the checklist's were only guessed; `None`:
/// there is none, and it is not asked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Found {
    /// The health endpoint's.
    pub health: Option<String>,
    /// The readiness endpoint's.
    pub ready: Option<String>,
    /// The exposition's.
    pub metrics: Option<String>,
}

impl Found {
    /// All that a custom calls its endpoints.
    pub fn of(paths: &Paths) -> Found {
        Found {
            health: Some(paths.health.to_owned()),
            ready: paths.ready.map(str::to_owned),
            metrics: Some(paths.metrics.to_owned()),
        }
    }
}

/// A checked plan. `config` makes it, `Record` keeps it, `watch` follows it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The service.
    pub service: Name,
    /// Its address, for people and links.
    pub url: String,
    /// The replicas that are listed. At least one, unless some are looked for.
    pub targets: Vec<Target>,
    /// What nobody said, so that the checklist's own is only a guess: `health`,
    /// `ready`, `metrics`, and the names of smoke steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guesses: Vec<Name>,
    /// Where more of them are looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Who is asked for signals that name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_sources: Vec<DataSource>,
    /// Which of them measures what presets give; `None`: our own scraping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_by: Option<Name>,
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
    /// Headers of probes and scrapes, where a target has none of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, HeaderValue)>,
    /// How targets are reached that have no way of their own; `None`: as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Arc<Transport>>,
    /// Largest body of a scrape, in bytes after gunzip.
    pub body_bytes_max: u64,
    /// Which names the service uses for its metrics.
    pub presets: PresetChoice,
    /// Presets of the user's own, tried before those that are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_presets: Vec<Preset>,
    /// Over this the presets' signals are read, instead of their own range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Span>,
    /// Signals of the user's own, beside those of the presets.
    pub signals: Vec<Signal>,
    /// What is recorded for others to read, in the order in which it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<Recording>,
    /// All rules, built-in and the user's.
    pub rules: Vec<Rule>,
    /// Signals that must have evidence, beside those matched at the first scrape.
    pub require: Vec<Name>,
    /// Windows, shortest first.
    pub windows: Vec<Window>,
    /// Whom to tell.
    pub channels: Vec<Channel>,
    /// When nothing new is told, by the calendar.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<Maintenance>,
    /// Alerts that explain others, of which nobody is told then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inhibits: Vec<Inhibit>,
    /// What is told by the calendar, besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<Digest>,
}

/// The header without other words.
pub const RUN_HEADER: &str = "X-Bakewatch-Run";

fn run_header() -> Option<String> {
    Some(RUN_HEADER.to_owned())
}

fn is_run_header(header: &Option<String>) -> bool {
    header.as_deref() == Some(RUN_HEADER)
}
