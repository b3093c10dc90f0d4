//! What a health endpoint's answer amounts to: its words count, not only its code.
//!
//! A 200 that says `unhealthy` is unhealthy, whatever `curl -f` thinks of it;
//! a 503 is unhealthy, whatever it says. Who says what is in `dialect`.

mod dialect;

use serde::{Deserialize, Serialize};

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
}

impl Health {
    /// Whether it is up; `None` when that is not known. Degraded is up.
    pub fn is_up(&self) -> Option<bool> {
        self.state.is_up()
    }
}

/// What came of a health probe, judged.
pub fn judge(reply: &Result<Exchange, Failure>) -> Health {
    match reply {
        Ok(exchange) => judge_answer(exchange),
        Err(failure) if failure.is_ours() => {
            Health { state: HealthState::Unknown, reason: failure.to_string() }
        }
        Err(failure) => Health { state: HealthState::Unhealthy, reason: failure.to_string() },
    }
}

/// An answer, judged.
pub fn judge_answer(exchange: &Exchange) -> Health {
    let status = exchange.status;
    let said = dialect::read(exchange);
    match status {
        200..=299 => by_words(status, &said),
        300..=399 => {
            let reason = match exchange.header("location") {
                Some(location) => format!("{status}, redirect to {}", excerpt_to(location, 80)),
                None => format!("{status}, a redirect without a location"),
            };
            Health { state: HealthState::Unhealthy, reason }
        }
        _ => by_code(status, &said),
    }
}

/// The code says that it is up; the words say how well.
fn by_words(status: u16, said: &Said) -> Health {
    let (state, reason) = match said {
        Said::Nothing => (HealthState::Healthy, "empty body, healthy by its code".to_owned()),
        Said::Page => (HealthState::Healthy, "an HTML page, healthy by its code".to_owned()),
        Said::Other => {
            (HealthState::Healthy, "no status word known, healthy by its code".to_owned())
        }
        Said::Word { word, parts } => match dialect::state_of(word) {
            Some(state) => (state, format!("\"{word}\"{}", parts_in_words(Some(word), parts))),
            None => (
                HealthState::Healthy,
                format!(
                    "\"{word}\" is no status word known, healthy by its code{}",
                    parts_in_words(Some(word), parts)
                ),
            ),
        },
        Said::Parts(parts) => {
            let state = dialect::worst(parts);
            (state, format!("{state} by its components{}", parts_in_words(None, parts)))
        }
    };
    Health { state, reason: format!("{status}, {reason}") }
}

/// The code says that it is down; the words say why.
fn by_code(status: u16, said: &Said) -> Health {
    let reason = match said {
        Said::Word { word, parts } => {
            format!("{status}, \"{word}\"{}", parts_in_words(Some(word), parts))
        }
        Said::Parts(parts) => format!("{status}{}", parts_in_words(None, parts)),
        Said::Nothing | Said::Page | Said::Other => match status {
            404 => "404, there is no such endpoint".to_owned(),
            401 | 403 => format!("{status}, the probe is not let in"),
            429 => "429, the probe is throttled".to_owned(),
            _ => status.to_string(),
        },
    };
    Health { state: HealthState::Unhealthy, reason }
}

/// Components named in a reason; a reason is a line, not a list.
const NAMED_MAX: usize = 5;

/// `: redis, adls "unhealthy"`: the components that are not well, each with
/// its word where that is not the whole's.
fn parts_in_words(whole: Option<&str>, parts: &Option<Vec<Part>>) -> String {
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
