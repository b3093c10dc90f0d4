//! Why an alert that fires is told nobody for now, and what it comes to when
//! the reason ends. A reason holds back beginnings alone: whoever was told that
//! something burns is told of its end, whatever holds by then.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AlertKey, AlertRecord, Fact, Item, Record};
use crate::judge::Phase;
use crate::model::{Labels, MINUTE, Name, Span, Timestamp};

/// An alert that has fired and resolved so often …
pub const FLAPS_MIN: usize = 3;

/// … within this time flaps …
pub const FLAPS_WITHIN: Span = Span::from_millis(30 * MINUTE.millis());

/// … until it has stayed as it is for so long.
pub const STEADY_AFTER: Span = Span::from_millis(15 * MINUTE.millis());

/// Why nobody is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// Somebody wanted it so.
    Silence {
        /// Which silence.
        id: Name,
        /// Who made it.
        by: String,
    },
    /// The calendar says so.
    Maintenance {
        /// Which window.
        name: Name,
    },
    /// Another alert, which is told, explains it.
    Inhibition {
        /// Its rule.
        rule: Name,
        /// Which of its instances.
        #[serde(default, skip_serializing_if = "Labels::is_empty")]
        labels: Labels,
    },
    /// It comes and goes.
    Flapping,
}

impl Hold {
    /// `silence`, `maintenance`, `inhibition` or `flapping`.
    pub fn reason(&self) -> &'static str {
        match self {
            Hold::Silence { .. } => "silence",
            Hold::Maintenance { .. } => "maintenance",
            Hold::Inhibition { .. } => "inhibition",
            Hold::Flapping => "flapping",
        }
    }
}

/// `silence 0badcafe of anna`.
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hold::Silence { id, by } => write!(f, "silence {id} of {by}"),
            Hold::Maintenance { name } => write!(f, "maintenance {name}"),
            Hold::Inhibition { rule, labels } if labels.is_empty() => write!(f, "behind {rule}"),
            Hold::Inhibition { rule, labels } => write!(f, "behind {rule}{labels}"),
            Hold::Flapping => write!(f, "flapping"),
        }
    }
}

/// A stretch of an episode in which nobody was told, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Held {
    /// Why.
    pub why: Hold,
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

impl AlertRecord {
    /// Whether it has flapped, were it to resolve now once more.
    pub fn would_flap(&self, now: Timestamp) -> bool {
        let is_late = |at: &&Timestamp| now.since(**at) < FLAPS_WITHIN;
        self.flapping.is_none() && self.resolved.iter().filter(is_late).count() + 1 >= FLAPS_MIN
    }

    /// When it flaps no more, unless it changes.
    pub fn steady_at(&self) -> Option<Timestamp> {
        self.flapping.map(|_| self.changed_at + STEADY_AFTER)
    }

    /// It resolved: the last few times are kept.
    pub(super) fn count_resolve(&mut self, at: Timestamp) {
        self.resolved.push(at);
        let extra = self.resolved.len().saturating_sub(FLAPS_MIN);
        self.resolved.drain(..extra);
    }

    /// From here on nobody is told for this reason.
    pub(super) fn begin_hold(&mut self, why: Hold, at: Timestamp) {
        if let Some(open) = self.episodes.last_mut().filter(|open| open.ended_at.is_none()) {
            open.held.push(Held { why, from: at, to: None });
        }
    }

    pub(super) fn end_hold(&mut self, at: Timestamp) {
        let held = self.episodes.last_mut().and_then(|episode| episode.held.last_mut());
        if let Some(held) = held {
            held.to.get_or_insert(at);
        }
    }
}

impl Record {
    pub(super) fn apply_suppression(&mut self, fact: Fact) {
        match fact {
            Fact::Held { rule, labels, why } => self.apply_held(AlertKey { rule, labels }, why),
            Fact::Freed { rule, labels } => self.apply_freed(&AlertKey { rule, labels }),
            Fact::Flapping { rule, labels, on } => {
                self.apply_flapping(&AlertKey { rule, labels }, on);
            }
            Fact::Silenced(silence) => self.apply_silenced(silence),
            Fact::Unsilenced { id, by } => self.apply_unsilenced(&id, by),
            other => unreachable!("{other:?} keeps nothing from anybody"),
        }
    }

    /// An alert is about to fire, or fires, and nobody is to be told.
    fn apply_held(&mut self, key: AlertKey, why: Hold) {
        let at = self.at;
        let alert = self.alerts.entry(key).or_default();
        alert.end_hold(at);
        alert.held = Some(why.clone());
        if alert.phase.is_firing() {
            alert.begin_hold(why, at);
        }
    }

    /// Nothing holds it back any more: it is told with its true beginning.
    fn apply_freed(&mut self, key: &AlertKey) {
        let at = self.at;
        let Some(alert) = self.alerts.get_mut(key) else { return };
        alert.held = None;
        alert.end_hold(at);
        if alert.phase.is_firing() && !alert.told {
            self.tell_fired(key);
        }
    }

    /// It began to come and go, or has stayed as it is for long enough. Those
    /// who were told that it burns hear that, and in the end how it is.
    fn apply_flapping(&mut self, key: &AlertKey, on: bool) {
        let at = self.at;
        let alert = self.alerts.entry(key.clone()).or_default();
        alert.flapping = on.then_some(at);
        if on {
            alert.changed_at = at;
        } else if alert.told {
            alert.end_hold(at);
        }
        if !alert.told {
            return;
        }
        if !on && alert.phase == Phase::Inactive {
            return self.tell_resolved(key);
        }
        let value = alert.value;
        let rule = self.rule_at(self.rule(&key.rule), at).into_owned();
        let mut alert = self.alert_news(&rule, key, value);
        let course = match on {
            true => format!(
                "it flaps: resolved {FLAPS_MIN} times within {FLAPS_WITHIN}; no more is told of it \
                 until it has not changed for {STEADY_AFTER}"
            ),
            false => format!("it flaps no more, and has not resolved for {STEADY_AFTER}"),
        };
        let semicolon = if alert.summary.is_empty() { "" } else { "; " };
        alert.summary = format!("{}{semicolon}{course}", alert.summary);
        self.tell(Item::Flapping(alert));
    }

    /// It is over, for those who were told that it burns.
    pub(super) fn tell_resolved(&mut self, key: &AlertKey) {
        let Some(alert) = self.alerts.get_mut(key).filter(|alert| alert.told) else { return };
        alert.told = false;
        let value = alert.value;
        let rule = self.rule_at(self.rule(&key.rule), self.at).into_owned();
        let news = self.alert_news(&rule, key, value);
        self.tell(Item::Resolved(news));
    }
}
