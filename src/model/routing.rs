//! When a channel is told, and of which alerts, besides their severities.
//! What it means for a letter is decided in `notify`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{HOUR, MINUTE, Matchers, Name, Quiet, SECOND, Severity, Span, Timestamp};

/// Letters to a channel in ten minutes, where nobody says how many: far above
/// what a bad hour brings, and below what receivers throttle.
const LETTERS_MAX: u32 = 30;

/// The first wait after it fires, then longer ones; the last is repeated.
const REMINDERS: [Span; 4] =
    [Span::from_secs(1800), HOUR, Span::from_secs(2 * 3600), Span::from_secs(4 * 3600)];

/// When a channel is told, and of which alerts. What is left out holds as it is
/// for a channel of which nobody said anything.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Routing {
    /// Only alerts of which all of these are true.
    #[serde(skip_serializing_if = "Matchers::is_empty")]
    pub matchers: Matchers,
    /// How long the first alert of a letter waits for others to join it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub group_wait: BTreeMap<Severity, Span>,
    /// How far letters about alerts are apart.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub group_interval: BTreeMap<Severity, Span>,
    /// When it is told again of what still fires and nobody acknowledged.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reminders: BTreeMap<Severity, Vec<Span>>,
    /// It is told only of what nobody has acknowledged for so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Span>,
    /// When only what is critical is told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quiet: Vec<Quiet>,
    /// Who is told of a critical in its place, when it cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Name>,
    /// Letters in ten minutes; what is beyond them comes as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl Routing {
    /// Whether nothing of it was said.
    pub fn is_default(&self) -> bool {
        *self == Routing::default()
    }

    /// How long the first alert of a letter waits for others.
    pub fn wait(&self, severity: Severity) -> Span {
        let own = self.group_wait.get(&severity).copied();
        own.unwrap_or_else(|| Routing::default_wait(severity))
    }

    /// How far letters about alerts of a severity are apart.
    pub fn interval(&self, severity: Severity) -> Span {
        let own = self.group_interval.get(&severity).copied();
        own.unwrap_or_else(|| Routing::default_interval(severity))
    }

    /// The waits before reminders, of which the last is repeated; empty: none.
    pub fn reminders(&self, severity: Severity) -> &[Span] {
        match (self.reminders.get(&severity), severity) {
            (Some(own), _) => own,
            (None, Severity::Critical) => &REMINDERS,
            (None, Severity::Warning | Severity::Info) => &[], // digests tell of these
        }
    }

    /// Letters that it gets in ten minutes.
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(LETTERS_MAX)
    }

    /// The end of the quiet hours that this instant lies in; others may begin then.
    pub fn quiet_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.quiet.iter().filter_map(|quiet| quiet.until(at)).max()
    }

    fn default_wait(severity: Severity) -> Span {
        match severity {
            Severity::Critical => 10 * SECOND,
            Severity::Warning | Severity::Info => 30 * SECOND,
        }
    }

    fn default_interval(severity: Severity) -> Span {
        match severity {
            Severity::Critical => MINUTE,
            Severity::Warning | Severity::Info => 5 * MINUTE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_as_on_call_would_have_it_where_nothing_is_said() {
        let routing = Routing::default();
        let (critical, warning) = (Severity::Critical, Severity::Warning);
        assert_eq!((routing.wait(critical), routing.wait(warning)), (10 * SECOND, 30 * SECOND));
        assert_eq!((routing.interval(critical), routing.interval(warning)), (MINUTE, 5 * MINUTE));
        assert_eq!(routing.reminders(critical), &[30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR]);
        assert_eq!(routing.reminders(warning), &[] as &[Span]);
        assert_eq!(serde_json::to_string(&routing).unwrap(), "{}");
    }

    #[test]
    fn takes_its_own_word_for_a_severity_and_the_default_for_the_others() {
        let group_wait = BTreeMap::from([(Severity::Warning, MINUTE)]);
        let reminders = BTreeMap::from([(Severity::Critical, Vec::new())]);
        let routing = Routing { group_wait, reminders, ..Routing::default() };
        assert_eq!(routing.wait(Severity::Warning), MINUTE);
        assert_eq!(routing.wait(Severity::Critical), 10 * SECOND);
        assert_eq!(routing.reminders(Severity::Critical), &[] as &[Span]);
        let text = serde_json::to_string(&routing).unwrap();
        assert_eq!(text, r#"{"group_wait":{"warning":60000},"reminders":{"critical":[]}}"#);
        assert_eq!(serde_json::from_str::<Routing>(&text).unwrap(), routing);
    }
}
