//! News: what is worth telling somebody, derived from facts as they are
//! applied. Each item stands for itself, so that a letter made of it later,
//! or again, has the same words.

use serde::{Deserialize, Serialize};

use super::{AlertKey, Insisting, Overview, STEADY_AFTER};
use crate::check::StepResult;
use crate::judge::template::{Scene, expanded};
use crate::judge::{Bound, Rule};
use crate::metrics::Unit;
use crate::model::{
    Channel, Labels, Name, Number, Release, Severity, Span, Timestamp, cut, hex_of,
};

/// Characters of an incident's name: subjects, headers and receivers' fields have
/// room for it.
const INCIDENT_CHARS_MAX: usize = 240;

/// One item, with its place in the record.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct News {
    /// The fact that it came with. Bookmarks count in these.
    pub seq: u64,
    /// When it became true.
    pub at: Timestamp,
    /// How many blocks of measurements were known by then, so that a letter shows
    /// what was known when it was first written.
    #[serde(default)]
    pub blocks: usize,
    /// What it is.
    pub item: Item,
}

/// What can be told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// An alert fires.
    Fired(AlertNews),
    /// It is over: calm for long enough.
    Resolved(AlertNews),
    /// It was firing when the watch ended, or when its rule was removed: closed
    /// in words, not resolved.
    Closed(AlertNews),
    /// It comes and goes, or does so no more and burns on: its turns are not told.
    Flapping(AlertNews),
    /// It fires, and a channel that has just come is told so.
    Standing {
        /// The channel.
        to: Name,
        /// The alert.
        alert: AlertNews,
    },
    /// The release is out: its watch has opened.
    Released,
    /// It fires still, and nobody has acknowledged it.
    Reminder {
        /// The channels.
        to: Vec<Name>,
        /// The how many-th of this episode, from 1.
        number: u32,
        /// The alert.
        alert: AlertNews,
    },
    /// Nobody has acknowledged it for so long that the next step is told.
    Escalated {
        /// The channel.
        to: Name,
        /// How long.
        after: Span,
        /// The alert.
        alert: AlertNews,
    },
    /// A channel could not be told of it; another is, in its place.
    FellBack {
        /// The other.
        to: Name,
        /// The channel that could not be.
        from: Name,
        /// The alert.
        alert: AlertNews,
    },
    /// Somebody is on it. For receivers that keep incidents.
    Acknowledged(AlertNews),
    /// The smoke suite ended with a `must` that failed: all that failed.
    SmokeFailed(Vec<StepResult>),
    /// A window closed; its summary stands in the record.
    Summary(Name),
    /// A digest was due.
    Overview {
        /// The channels that get it.
        channels: Vec<Name>,
        /// What it says.
        overview: Box<Overview>,
    },
    /// Something about bakewatch itself: a broken channel, a failing disk.
    Notice {
        /// How bad.
        severity: Severity,
        /// In words.
        text: String,
        /// The channel it is about, which is not told of it.
        about: Option<Name>,
    },
}

/// An alert, as told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AlertNews {
    /// Whose.
    pub service: Name,
    /// The release that is watched.
    pub version: Name,
    /// The same for fire and resolve, and for the next time it fires, see
    /// `incident`.
    pub incident: String,
    /// The rule's name.
    pub rule: Name,
    /// Which instance of the alert.
    pub labels: Labels,
    /// The rule's own labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub own: Labels,
    /// How bad.
    pub severity: Severity,
    /// What the rule says is wrong.
    pub summary: String,
    /// Where the way out is written down.
    pub runbook: Option<String>,
    /// The signal, and which quantile of it.
    pub signal: Name,
    /// See `signal`.
    pub quantile: Option<f64>,
    /// Unit of bound, value and peak.
    pub unit: Unit,
    /// The rule's bound.
    pub bound: Bound,
    /// The reading that led here.
    pub value: Number,
    /// The worst reading since it fired.
    pub peak: Number,
    /// The first breach.
    pub since: Timestamp,
    /// When it fired.
    pub fired_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Whether it is over because nobody asks any more: its rule was removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_rule_removed: bool,
    /// What was told of this episode besides that it began.
    #[serde(default, skip_serializing_if = "Insisting::is_none")]
    pub insisting: Insisting,
}

impl Item {
    /// Whether a channel is told of it.
    pub fn concerns(&self, channel: &Channel) -> bool {
        match self {
            Item::Fired(alert)
            | Item::Resolved(alert)
            | Item::Closed(alert)
            | Item::Flapping(alert) => alert.is_told(channel),
            // Also where it takes less by now: it is told of the end.
            Item::Standing { to, .. } | Item::Escalated { to, .. } | Item::FellBack { to, .. } => {
                *to == channel.name
            }
            Item::Reminder { to, .. } => to.contains(&channel.name),
            Item::Acknowledged(alert) => channel.medium.keeps_incidents() && alert.is_told(channel),
            // A later step is called for an incident that nobody takes on, and
            // for what only it may be left to hear.
            Item::SmokeFailed(_) => channel.routing.after.is_none(),
            Item::Summary(_) => {
                channel.routing.after.is_none() && !channel.medium.is_for_alerts_alone()
            }
            Item::Released => channel.medium.is_told_of_releases(),
            Item::Overview { channels, .. } => {
                channels.contains(&channel.name) && !channel.medium.is_for_alerts_alone()
            }
            Item::Notice { severity, about, .. } => {
                let is_called = *severity == Severity::Critical || channel.routing.after.is_none();
                is_called && about.as_ref() != Some(&channel.name)
            }
        }
    }
}

impl Item {
    /// The alert that it is about.
    pub fn alert(&self) -> Option<&AlertNews> {
        match self {
            Item::Fired(alert)
            | Item::Resolved(alert)
            | Item::Closed(alert)
            | Item::Flapping(alert)
            | Item::Standing { alert, .. }
            | Item::Reminder { alert, .. }
            | Item::Escalated { alert, .. }
            | Item::FellBack { alert, .. }
            | Item::Acknowledged(alert) => Some(alert),
            Item::Released
            | Item::SmokeFailed(_)
            | Item::Summary(_)
            | Item::Overview { .. }
            | Item::Notice { .. } => None,
        }
    }

    /// In a few words, for a list of what was told.
    pub fn in_words(&self) -> String {
        let said = |alert: &AlertNews, how: &str| {
            format!("{} {how}", alert.labels.of(alert.rule.as_str()))
        };
        match self {
            Item::Fired(alert) => said(alert, "fires"),
            Item::Resolved(alert) => said(alert, "is resolved"),
            Item::Closed(alert) => said(alert, "is closed"),
            Item::Flapping(alert) => said(alert, "flaps"),
            Item::Standing { alert, .. } => said(alert, "still fires"),
            Item::Reminder { number, alert, .. } => {
                said(alert, &format!("still fires, reminder {number}"))
            }
            Item::Escalated { after, alert, .. } => {
                said(alert, &format!("fires, not acknowledged for {after}"))
            }
            Item::FellBack { from, alert, .. } => {
                said(alert, &format!("fires, and {from} could not be told"))
            }
            Item::Acknowledged(alert) => said(alert, "is acknowledged"),
            Item::Released => "the release is out".to_owned(),
            Item::SmokeFailed(_) => "the smoke suite failed".to_owned(),
            Item::Summary(window) => format!("summary of {window}"),
            Item::Overview { overview, .. } => format!("digest {}", overview.digest),
            Item::Notice { text, .. } => text.clone(),
        }
    }
}

impl AlertNews {
    /// What `rule` has to say of one of its alerts.
    pub(super) fn new(release: &Release, rule: &Rule, labels: &Labels, value: Number) -> AlertNews {
        AlertNews {
            service: release.service.clone(),
            version: release.version.clone(),
            incident: incident(&release.service, &rule.name, labels),
            rule: rule.name.clone(),
            labels: labels.clone(),
            own: rule.labels.clone(),
            severity: rule.severity,
            summary: rule.summary.clone(),
            runbook: rule.runbook.clone(),
            signal: rule.signal.clone(),
            quantile: rule.quantile,
            unit: Unit::default(),
            bound: rule.bound,
            value,
            peak: value,
            since: Timestamp::default(),
            fired_at: Timestamp::default(),
            ended_at: None,
            is_rule_removed: false,
            insisting: Insisting::default(),
        }
    }

    /// Takes the words of a rule of Prometheus's, which are templates, for this
    /// instance and value.
    pub(super) fn speak(&mut self, rule: &Rule, key: &AlertKey, value: Number) {
        if rule.imported.is_none() {
            return;
        }
        let external = Labels::default();
        let scene = Scene { labels: &key.labels, value: value.0, external: &external, url: "" };
        let say = |text: &str| expanded(text, &scene);
        self.summary = say(&rule.summary);
        self.runbook = rule.runbook.as_deref().map(say).filter(|text| is_web(text));
        let own = rule.labels.iter().map(|(name, text)| (name, say(text)));
        self.own = Labels::from_pairs(own.map(|(name, text)| (name.to_owned(), text)));
        // As in Prometheus a rule's label goes before one of its series.
        let kept = key.labels.shared().iter().filter(|(name, _)| rule.labels.get(name).is_none());
        self.labels = Labels::from_pairs(kept.cloned());
    }

    /// What its readers have to know: no turn of it is told for now.
    pub(super) fn say_that_it_flaps(&mut self) {
        self.say(&format!(
            "it comes and goes: it fired again within {STEADY_AFTER} of its end, and no more is \
             told of it until it has not changed for {STEADY_AFTER}"
        ));
    }

    /// Adds to what the rule says.
    pub(super) fn say(&mut self, what: &str) {
        let semicolon = if self.summary.is_empty() { "" } else { "; " };
        self.summary = format!("{}{semicolon}{what}", self.summary);
    }

    /// The labels of this instance, and those of its rule that it has not itself.
    pub fn all_labels(&self) -> Labels {
        let both = self.labels.shared().iter().chain(self.own.shared()).cloned();
        Labels::from_pairs(both)
    }
}

/// What can be followed; a template may give anything.
fn is_web(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// Names an incident, for us and for every receiver: service, rule and labels. The
/// release is no part of it, so a newer release inherits what is still burning. One
/// that is too long, or is not one line, keeps its start and is told from others by
/// a hash: two must never become one.
pub fn incident(service: &Name, rule: &Name, labels: &Labels) -> String {
    let whole = format!("{service}/{}", labels.of(rule.as_str()));
    if cut(&whole, INCIDENT_CHARS_MAX) == whole {
        return whole;
    }
    let start = cut(&whole, INCIDENT_CHARS_MAX / 2);
    format!("{start} {}", &hex_of([whole.as_str()])[..32])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Imported;
    use crate::judge::pack::{Scope, pack};

    fn release() -> Release {
        Release { service: "chat".into(), version: "v1".into(), at: Timestamp::default() }
    }

    #[test]
    fn tells_a_rules_own_labels_beside_those_of_the_instance_and_keeps_the_incident() {
        let scope = Scope::of(&[]);
        let own = Labels::from_pairs([("team", "agents"), ("path", "all")]);
        let rule = Rule { labels: own, ..pack(scope).remove(1) };
        let instance = Labels::from_pairs([("path", "/a")]);
        let news = AlertNews::new(&release(), &rule, &instance, Number(1.0));
        assert_eq!(news.all_labels().to_string(), r#"{path="/a", team="agents"}"#);
        assert_eq!(news.incident, r#"chat/HighErrorRate{path="/a"}"#);
    }

    #[test]
    fn names_no_two_incidents_alike_however_long_they_are_and_in_one_line() {
        let name = |path: &str| {
            incident(&"chat".into(), &"Slow".into(), &Labels::from_pairs([("path", path)]))
        };
        assert_eq!(name("/a"), r#"chat/Slow{path="/a"}"#);
        let long = "/über".repeat(100);
        let odd = ["/a\r\n", "/a \u{202e}", &long, &format!("{long}/x")].map(name);
        for (index, one) in odd.iter().enumerate() {
            assert!(one.chars().count() <= INCIDENT_CHARS_MAX, "{one}");
            assert!(!one.chars().any(char::is_control), "{one:?}");
            assert!(one.starts_with("chat/Slow{path=\"/") && !odd[index + 1..].contains(one));
        }
    }

    #[test]
    fn speaks_for_a_rule_of_prometheus_in_the_words_of_its_templates() {
        let imported = Imported {
            alert: "Slow".into(),
            file: "web.yml".to_owned(),
            group: "web".to_owned(),
            limit: 0,
            annotations: Vec::new(),
        };
        let rule = Rule {
            labels: Labels::from_pairs([("team", "{{ $labels.path }}s"), ("job", "mine")]),
            summary: "{{ $labels.path }} takes {{ $value | humanizeDuration }}".to_owned(),
            runbook: Some("https://x.example.com/{{ $labels.path }}".to_owned()),
            imported: Some(imported),
            ..pack(Scope::of(&[])).remove(1)
        };
        let labels = Labels::from_pairs([("path", "a"), ("job", "theirs")]);
        let key = AlertKey { rule: rule.name.clone(), labels };
        let mut news = AlertNews::new(&release(), &rule, &key.labels, Number(90.0));
        news.speak(&rule, &key, Number(90.0));
        assert_eq!(news.summary, "a takes 1m 30s");
        assert_eq!(news.runbook.as_deref(), Some("https://x.example.com/a"));
        assert_eq!(news.all_labels().to_string(), r#"{job="mine", path="a", team="as"}"#);
        assert_eq!(news.incident, r#"chat/HighErrorRate{job="theirs", path="a"}"#);
    }
}
