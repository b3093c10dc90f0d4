//! Why an alert that fires is told nobody for now, and what it comes to when
//! the reason ends. A reason holds back beginnings alone: whoever was told that
//! something burns is told of its end, whatever holds by then.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AlertKey, AlertRecord, Fact, Item, Record};
use crate::judge::Phase;
use crate::model::{Labels, MINUTE, Name, Span, Timestamp};

/// What fires again so soon after its end comes and goes, until it has stayed as
/// it is for so long. Three ends within half an hour, as flapping is commonly
/// counted, have a shorter calm than this between two of them: nothing flaps by
/// that count that does not by this, and this knows at the first return.
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
            Hold::Inhibition { rule, labels } => write!(f, "behind {}", labels.of(rule.as_str())),
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
    /// Whether it comes and goes, were it to fire now.
    pub fn would_flap(&self, now: Timestamp) -> bool {
        let is_back = self.resolved_at.is_some_and(|at| now.since(at) < STEADY_AFTER);
        self.flapping.is_none() && is_back
    }

    /// When it flaps no more, unless it changes. While it is pending or recovering
    /// nobody can tell what it will be: what that comes to is waited for.
    pub fn steady_at(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Pending { .. } | Phase::Recovering { .. } => None,
            Phase::Inactive | Phase::Firing { .. } => {
                self.flapping.map(|_| self.changed_at + STEADY_AFTER)
            }
        }
    }

    /// From here on nobody is told for this reason.
    pub(super) fn begin_hold(&mut self, why: Hold, at: Timestamp) {
        if let Some(open) = self.episodes.last_mut().filter(|open| open.ended_at.is_none()) {
            open.held.push(Held { why, from: at, to: None });
        }
    }

    /// Since when its turns are held back for its coming and going alone.
    pub fn held_turns(&self) -> Option<Timestamp> {
        let held = self.open_episode()?.held.last()?;
        (held.why == Hold::Flapping && held.to.is_none()).then_some(held.from)
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

    /// It comes and goes, or has stayed as it is for long enough. Whoever was told
    /// that it burns hears how it is in the end.
    fn apply_flapping(&mut self, key: &AlertKey, on: bool) {
        let at = self.at;
        let alert = self.alerts.entry(key.clone()).or_default();
        alert.flapping = on.then_some(at);
        if on {
            alert.changed_at = at;
        }
        if !alert.told {
            return; // told with its fire, if anything is
        }
        let is_as_told = alert.held_turns().is_none();
        if !on {
            alert.end_hold(at);
        }
        if !on && alert.phase == Phase::Inactive {
            return self.tell_resolved(key);
        }
        if !on && is_as_told {
            return; // it has burned all the time since that was told
        }
        let value = alert.value;
        let rule = self.rule_at(self.rule(&key.rule), at).into_owned();
        let mut news = self.alert_news(&rule, key, value);
        match on {
            true => news.say_that_it_flaps(),
            false => {
                news.say(&format!("it flaps no more, and has not resolved for {STEADY_AFTER}"));
            }
        }
        self.tell(Item::Flapping(news));
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
