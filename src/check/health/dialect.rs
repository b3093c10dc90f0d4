//! How services say how they are. One table of words, one of shapes.

use serde_json::Value;

use super::{Dialect, Expected, HealthState};
use crate::check::excerpt::excerpt_to;
use crate::model::Exchange;

/// Status words, in lower case, spaces and hyphens as `_`.
/// From the agent template's `health.py`, Spring Boot Actuator, ASP.NET Core
/// health checks and draft-inadarei-api-health-check-06 (with its aliases).
const WORDS: [(&str, HealthState); 14] = [
    ("healthy", HealthState::Healthy),
    ("up", HealthState::Healthy),
    ("ok", HealthState::Healthy),
    ("pass", HealthState::Healthy),
    ("degraded", HealthState::Degraded),
    ("warn", HealthState::Degraded),
    ("warning", HealthState::Degraded),
    ("unhealthy", HealthState::Unhealthy),
    ("down", HealthState::Unhealthy),
    ("out_of_service", HealthState::Unhealthy),
    ("fail", HealthState::Unhealthy),
    ("error", HealthState::Unhealthy),
    // Spring: the service does not know; then neither do we.
    ("unknown", HealthState::Unknown),
    // ASP.NET and JSON libraries write a check that threw as `Failed`.
    ("failed", HealthState::Unhealthy),
];

/// Beside the member `status` stands one with the components: an array of
/// objects with a `name`, or an object by name, of objects or arrays of
/// objects, each with its own `status`. The first that is there is taken.
const COMPONENTS: [&str; 4] = [
    "components", // the agent template (array), Spring Boot Actuator from 2.2 on (object)
    "checks",     // draft-inadarei-api-health-check (object of arrays)
    "entries",    // ASP.NET Core with the usual JSON response writer (object)
    "details",    // Spring Boot Actuator before 2.2 (object)
];

/// What an answer says of itself.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Said {
    /// Nothing.
    Nothing,
    /// An HTML page: perhaps a login, or an application's shell.
    Page,
    /// Something without a status.
    Other,
    /// A status word, and the components if it has such a list.
    Word {
        /// As written.
        word: String,
        /// Its components; empty: it looked at nothing.
        parts: Option<Vec<Part>>,
    },
    /// Components without a word for the whole.
    Parts(Vec<Part>),
}

impl Said {
    /// The components, where there is such a list.
    pub fn parts(&self) -> Option<&[Part]> {
        match self {
            Said::Word { parts, .. } => parts.as_deref(),
            Said::Parts(parts) => Some(parts),
            Said::Nothing | Said::Page | Said::Other => None,
        }
    }
}

/// A component.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Part {
    /// Its name.
    pub name: String,
    /// Its status word.
    pub word: String,
    /// What the word means; `Unknown` also for a word that nobody knows.
    pub state: HealthState,
}

impl Part {
    /// Whether it says that something is wrong with it.
    pub fn is_bad(&self) -> bool {
        matches!(self.state, HealthState::Degraded | HealthState::Unhealthy)
    }
}

/// A word as it is compared: in lower case, spaces and hyphens as `_`.
pub(super) fn folded(word: &str) -> String {
    word.trim().to_lowercase().replace(['-', ' '], "_")
}

/// What a word means; `None`: nothing that we know.
pub(super) fn state_of(word: &str) -> Option<HealthState> {
    let folded = folded(word);
    WORDS.iter().find(|(known, _)| *known == folded).map(|(_, state)| *state)
}

/// The state of a whole that has no word of its own: its worst component's;
/// unknown where no component says anything that is known.
pub(super) fn worst(parts: &[Part]) -> HealthState {
    [HealthState::Unhealthy, HealthState::Degraded, HealthState::Healthy]
        .into_iter()
        .find(|state| parts.iter().any(|part| part.state == *state))
        .unwrap_or(HealthState::Unknown)
}

/// Longer than any status word or component's name; a reason is one line.
const WORD_CHARS_MAX: usize = 40;

/// Reads what an answer says of itself, in the dialect that is expected, and
/// its JSON if it is any.
pub(super) fn read(exchange: &Exchange, expected: &Expected) -> (Said, Option<Value>) {
    let body = exchange.body.trim_start_matches('\u{feff}').trim();
    if body.is_empty() {
        return (Said::Nothing, None);
    }
    match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(members)) => (object(&members, expected), Some(Value::Object(members))),
        Ok(Value::String(word)) => (text(&word, expected), None),
        Ok(other) => (Said::Other, Some(other)),
        Err(_) if body.starts_with('<') => (Said::Page, None),
        Err(_) => (text(body, expected), None),
    }
}

fn object(members: &serde_json::Map<String, Value>, expected: &Expected) -> Said {
    let lists = COMPONENTS.iter().filter(|member| expected.dialect.lists(member));
    let parts = lists.filter_map(|member| parts(members.get(*member)?, expected)).next();
    match (members.get("status"), parts) {
        (Some(Value::String(word)), parts) => {
            Said::Word { word: excerpt_to(word, WORD_CHARS_MAX), parts }
        }
        (_, Some(parts)) if !parts.is_empty() => Said::Parts(parts),
        _ => Said::Other,
    }
}

impl Dialect {
    /// Whether this dialect lists components under that member.
    fn lists(self, member: &str) -> bool {
        match self {
            Dialect::Auto => true,
            Dialect::Checklist => member == "components",
            Dialect::Spring => matches!(member, "components" | "details"),
            Dialect::Aspnet => member == "entries",
            Dialect::HealthJson => member == "checks",
            Dialect::Code => false,
        }
    }
}

/// The components in an array or an object; `None` when it is neither, or when
/// nothing in it has a status (`details` may be anything). What has none is
/// for information only.
fn parts(value: &Value, expected: &Expected) -> Option<Vec<Part>> {
    let part = |name: &str, value: &Value| {
        let word = value.get("status")?.as_str()?;
        let [name, word] = [name, word].map(|text| excerpt_to(text, WORD_CHARS_MAX));
        let state = expected.state_of(&word).unwrap_or_default();
        Some(Part { name, word, state })
    };
    let (is_empty, parts): (bool, Vec<Part>) = match value {
        Value::Array(items) => {
            let name = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
            let named = |item| part(name(item).as_deref().unwrap_or("unnamed"), item);
            (items.is_empty(), items.iter().filter_map(named).collect())
        }
        Value::Object(members) => {
            let named = members.iter().flat_map(|(name, value)| match value {
                Value::Array(items) => items.iter().map(|item| part(name, item)).collect(),
                value => vec![part(name, value)],
            });
            (members.is_empty(), named.flatten().collect())
        }
        _ => return None,
    };
    (is_empty || !parts.is_empty()).then_some(parts)
}

/// Text that begins with a status word, as ASP.NET writes one. Longer words
/// and other text are not read: a page of prose may begin with anything.
fn text(body: &str, expected: &Expected) -> Said {
    let first = body.lines().next().unwrap_or_default().trim();
    let word = first.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
    let told = [first, word].into_iter().find(|word| expected.state_of(word).is_some());
    match told {
        Some(word) => Said::Word { word: word.to_owned(), parts: None },
        None => Said::Other,
    }
}
