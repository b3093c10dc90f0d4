//! What a health endpoint's answer amounts to: its words count, not only its code.
//!
//! A 200 that says `unhealthy` is unhealthy, whatever `curl -f` thinks of it;
//! a 503 is unhealthy, whatever it says. A status word that nobody knows is
//! *unknown*: neither up nor down. Who says what is in `dialect`, what a
//! service has to show besides in `expected`, which version it runs in `version`.

mod dialect;
mod expected;
pub mod version;

pub use expected::{Dialect, Expected};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::dialect::{Part, Said};
use super::excerpt::excerpt_to;
use crate::model::{Exchange, Failure};

/// A target's health.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthState {
    /// Not known: not asked yet, or we could not ask.
    #[default]
    Unknown,
    /// Up.
    Healthy,
    /// Up, and says that something is wrong with it. Counts as up.
    Degraded,
    /// Down, or says that it is.
    Unhealthy,
}

impl HealthState {
    /// `healthy`, `degraded`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            HealthState::Unknown => "unknown",
            HealthState::Healthy => "healthy",
            HealthState::Degraded => "degraded",
            HealthState::Unhealthy => "unhealthy",
        }
    }

    /// Whether it is up; `None` when that is not known.
    pub const fn is_up(self) -> Option<bool> {
        match self {
            HealthState::Unknown => None,
            HealthState::Healthy | HealthState::Degraded => Some(true),
            HealthState::Unhealthy => Some(false),
        }
    }
}

impl std::fmt::Display for HealthState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A health with its evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Health {
    /// What it is.
    pub state: HealthState,
    /// Why, in words: `200, "degraded": redis`. The same for the same cause:
    /// it holds names and states, no measured values.
    pub reason: String,
    /// What else the answer shows.
    pub shown: Shown,
}

/// What an answer shows beside its state. What it does not show is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    /// How many components it lists. None of them: it looked at nothing.
    pub components: Option<u32>,
    /// How much of what was expected is unmet.
    pub unmet: Option<u32>,
    /// Its time, and for how long it has been up: what moves in a live answer.
    pub pulses: [Option<String>; 2],
    /// The version that it says is running.
    pub version: Option<String>,
    /// The status word that nobody knows.
    pub strange: Option<String>,
}

impl Health {
    fn of(state: HealthState, reason: String) -> Health {
        Health { state, reason, shown: Shown::default() }
    }

    /// Whether it is up; `None` when that is not known. Degraded is up.
    pub fn is_up(&self) -> Option<bool> {
        self.state.is_up()
    }
}

/// How a reason says that the code had to do, since no word was told.
const BY_CODE: &str = "healthy by its code";

/// Whether a target that is up has said so in words, going by the reason.
pub fn is_by_words(state: HealthState, reason: &str) -> bool {
    state.is_up() == Some(true) && !reason.contains(BY_CODE)
}

impl Health {
    /// The same of a target that has told its status in words before: an answer
    /// without any (a front page, a login, an empty one) comes from somebody
    /// else, and is neither up nor down.
    pub fn of_one_with_words(mut self) -> Health {
        if self.is_up() == Some(true) && self.reason.contains(BY_CODE) {
            self.reason = self.reason.replace(BY_CODE, "and it told its status before");
            self.state = HealthState::Unknown;
        }
        self
    }
}

/// What came of a health probe, judged.
pub fn judge(reply: &Result<Exchange, Failure>, expected: &Expected) -> Health {
    match reply {
        Ok(exchange) => judge_answer(exchange, expected),
        Err(failure) if failure.is_ours() => Health::of(HealthState::Unknown, failure.to_string()),
        Err(failure) => Health::of(HealthState::Unhealthy, failure.to_string()),
    }
}

/// An answer, judged.
pub fn judge_answer(exchange: &Exchange, expected: &Expected) -> Health {
    let status = exchange.status;
    let (said, json) = dialect::read(exchange, expected);
    match status {
        200..=299 => {
            let (state, reason) = by_words(&said, expected);
            held(state, format!("{status}, {reason}"), (&said, json.as_ref()), exchange, expected)
        }
        300..=399 => {
            let reason = match exchange.header("location") {
                Some(location) => format!("{status}, redirect to {}", excerpt_to(location, 80)),
                None => format!("{status}, a redirect without a location"),
            };
            Health::of(HealthState::Unhealthy, reason)
        }
        _ => by_code(status, &said),
    }
}

/// An answer that says it is up, held against what it has to show. What is
/// unmet makes it degraded, not down: it serves, and something is wrong.
fn held(
    state: HealthState,
    reason: String,
    (said, json): (&Said, Option<&Value>),
    exchange: &Exchange,
    expected: &Expected,
) -> Health {
    let parts = said.parts();
    let unmet = expected.unmet(parts.unwrap_or_default(), exchange);
    let state = match state {
        HealthState::Healthy if !unmet.is_empty() => HealthState::Degraded,
        state => state,
    };
    let strange = match said {
        Said::Word { word, .. } if expected.state_of(word).is_none() => Some(word.clone()),
        _ => None,
    };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let shown = Shown {
        components: parts.map(|parts| count(parts.len())),
        unmet: expected.wants_something().then(|| count(unmet.len())),
        pulses: PULSES.map(|members| pulse(json?, members)),
        version: version::told(expected, exchange, json),
        strange: strange.filter(|_| expected.dialect != Dialect::Code),
    };
    Health { state, reason: format!("{reason}{}", expected::in_words(&unmet)), shown }
}

/// Members of a live answer that move: its time, and how long it has been up.
const PULSES: [&[&str]; 2] = [&["timestamp", "time"], &["uptime_seconds", "uptime"]];

fn pulse(json: &Value, members: &[&str]) -> Option<String> {
    let found = members.iter().find_map(|member| json.get(member))?;
    let is_one = found.is_string() || found.is_number();
    is_one.then(|| excerpt_to(&found.to_string(), PULSE_CHARS_MAX))
}

/// Longer than any time with its zone.
const PULSE_CHARS_MAX: usize = 64;

/// The code says that it is up; the words say how well.
fn by_words(said: &Said, expected: &Expected) -> (HealthState, String) {
    let pinned = match expected.dialect {
        Dialect::Code => return (HealthState::Healthy, BY_CODE.to_owned()),
        Dialect::Auto => None,
        dialect => Some(dialect),
    };
    let without = |what: &str| match pinned {
        None => (HealthState::Healthy, format!("{what}, {BY_CODE}")),
        Some(dialect) => (HealthState::Unknown, format!("{what}, expected {}", dialect.as_str())),
    };
    match said {
        Said::Nothing => without("empty body"),
        Said::Page => without("an HTML page"),
        Said::Other => without("no status word known"),
        Said::Word { word, parts } => {
            let named = parts_in_words(Some(word), parts.as_deref());
            match expected.state_of(word) {
                Some(HealthState::Degraded | HealthState::Unhealthy)
                    if expected.allows(parts.as_deref().unwrap_or_default()) =>
                {
                    (HealthState::Healthy, format!("\"{word}\"{named}, as allowed"))
                }
                Some(state) => (state, format!("\"{word}\"{named}")),
                None => {
                    (HealthState::Unknown, format!("\"{word}\" is no status word known{named}"))
                }
            }
        }
        Said::Parts(parts) => {
            let named = parts_in_words(None, Some(parts));
            match dialect::worst(parts) {
                HealthState::Degraded | HealthState::Unhealthy if expected.allows(parts) => {
                    (HealthState::Healthy, format!("healthy by its components{named}, as allowed"))
                }
                state => (state, format!("{state} by its components{named}")),
            }
        }
    }
}

/// The code says that it is down; the words say why.
fn by_code(status: u16, said: &Said) -> Health {
    let reason = match said {
        Said::Word { word, parts } => {
            format!("{status}, \"{word}\"{}", parts_in_words(Some(word), parts.as_deref()))
        }
        Said::Parts(parts) => format!("{status}{}", parts_in_words(None, Some(parts))),
        Said::Nothing | Said::Page | Said::Other => match status {
            404 => "404, there is no such endpoint".to_owned(),
            401 | 403 => format!("{status}, the probe is not let in"),
            429 => "429, the probe is throttled".to_owned(),
            _ => status.to_string(),
        },
    };
    Health::of(HealthState::Unhealthy, reason)
}

/// Components named in a reason; a reason is a line, not a list.
const NAMED_MAX: usize = 5;

/// `: redis, adls "unhealthy"`: the components that are not well, each with
/// its word where that is not the whole's.
fn parts_in_words(whole: Option<&str>, parts: Option<&[Part]>) -> String {
    let Some(parts) = parts else { return String::new() };
    if parts.is_empty() {
        return ", no components".to_owned();
    }
    let bad: Vec<&Part> = parts.iter().filter(|part| part.is_bad()).collect();
    if bad.is_empty() {
        return String::new();
    }
    let mut names: Vec<String> = bad
        .iter()
        .take(NAMED_MAX)
        .map(|part| match whole {
            Some(word) if word.eq_ignore_ascii_case(&part.word) => part.name.clone(),
            _ => format!("{} \"{}\"", part.name, part.word),
        })
        .collect();
    if bad.len() > NAMED_MAX {
        names.push(format!("{} more", bad.len() - NAMED_MAX));
    }
    format!(": {}", names.join(", "))
}

#[cfg(test)]
mod tests;
