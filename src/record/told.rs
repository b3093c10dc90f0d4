//! Who is told of an alert besides those who are told of each: reminders,
//! the next step of an escalation, a fallback; and whether anybody has
//! acknowledged it, which ends the first two.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AlertKey, AlertNews, AlertRecord, Episode, Fact, Item, Record};
use crate::model::{Channel, Labels, Name, Severity, Span, Timestamp};

/// That somebody has seen it and is on it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ack {
    /// Who.
    pub by: String,
    /// In their words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// When.
    pub at: Timestamp,
}

/// An alert, as people name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meant {
    /// By its incident, as letters have it; or by its rule, where no other alert
    /// of that fires.
    Incident(String),
    /// By its rule and its labels.
    Alert {
        /// The rule.
        rule: Name,
        /// Which of its instances.
        labels: Labels,
    },
}

/// That people were told that it began.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Begun {
    /// When; later than it fired, where something held it back.
    pub at: Timestamp,
    /// Which channels: they are told of its end, whatever a reload or the next
    /// release changes about who is told of what.
    pub to: Vec<Name>,
}

/// What was told of an episode.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Insisting {
    /// That it began; `None`: to nobody, or in a record that does not say to whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    /// Who has acknowledged it. Ends with the episode, and when it gets worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acked: Option<Ack>,
    /// By channel: when it was last told by itself, and how often it was reminded.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reminded: BTreeMap<Name, (Timestamp, u32)>,
    /// Channels that are told of it though they are not told of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_to: Vec<Name>,
    /// Channels in whose place another was told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Name>,
}

impl Insisting {
    /// Whether nothing was.
    pub fn is_none(&self) -> bool {
        *self == Insisting::default()
    }

    fn also_tell(&mut self, channel: &Name, at: Timestamp) {
        if !self.also_to.contains(channel) {
            self.also_to.push(channel.clone());
        }
        self.reminded.insert(channel.clone(), (at, 0));
    }
}

impl AlertRecord {
    /// The episode that is not over.
    pub fn open_episode(&self) -> Option<&Episode> {
        self.episodes.last().filter(|episode| episode.ended_at.is_none())
    }

    fn open_episode_mut(&mut self) -> Option<&mut Episode> {
        self.episodes.last_mut().filter(|episode| episode.ended_at.is_none())
    }

    /// Who has acknowledged what fires now.
    pub fn acked(&self) -> Option<&Ack> {
        self.open_episode()?.insisting.acked.as_ref()
    }
}

impl Record {
    /// The alert that is meant, which burns.
    ///
    /// # Errors
    /// In words: none that burns is meant, or several are.
    pub fn firing(&self, meant: &Meant) -> Result<AlertKey, String> {
        let firing = self.alerts.iter().filter(|(_, alert)| alert.phase.is_firing());
        let firing: Vec<&AlertKey> = firing.map(|(key, _)| key).collect();
        let is_it = |key: &&&AlertKey| match meant {
            Meant::Incident(name) => self.incident(key) == *name,
            Meant::Alert { rule, labels } => (&key.rule, &key.labels) == (rule, labels),
        };
        if let Some(key) = firing.iter().find(is_it) {
            return Ok((**key).clone());
        }
        let is_of_rule = |key: &&&AlertKey| match meant {
            Meant::Incident(name) => {
                let service = format!("{}/", self.release.service);
                *key.rule.as_str() == *name.strip_prefix(&service).unwrap_or(name)
            }
            Meant::Alert { .. } => false,
        };
        let alike: Vec<&AlertKey> = firing.iter().filter(is_of_rule).copied().collect();
        let names = |keys: &[&AlertKey]| {
            let all: Vec<String> = keys.iter().map(|key| self.incident(key)).collect();
            all.join(", ")
        };
        match (&alike[..], &firing[..]) {
            ([one], _) => Ok((*one).clone()),
            ([], []) => Err(format!("no alert of {} fires", self.release.watch())),
            ([], known) => Err(format!("no such alert fires; those that do are {}", names(known))),
            (several, _) => Err(format!("several are meant; name one of {}", names(several))),
        }
    }

    /// What is told of an alert besides that it fires, and what ends that.
    pub(super) fn apply_insisting(&mut self, fact: Fact) {
        match fact {
            Fact::Acknowledged { rule, labels, by, comment } => {
                self.apply_acknowledged(&AlertKey { rule, labels }, by, comment);
            }
            Fact::Reminded { rule, labels, number, to } => {
                self.apply_reminded(&AlertKey { rule, labels }, number, to);
            }
            Fact::Escalated { rule, labels, to, after } => {
                self.apply_escalated(&AlertKey { rule, labels }, to, after);
            }
            Fact::FellBack { rule, labels, from, to } => {
                self.apply_fell_back(&AlertKey { rule, labels }, from, to);
            }
            other => unreachable!("{other:?} tells nobody anything"),
        }
    }

    fn apply_acknowledged(&mut self, key: &AlertKey, by: String, comment: String) {
        let at = self.at;
        self.insist(key, |insisting| insisting.acked = Some(Ack { by, comment, at }));
        self.tell_of(key, Item::Acknowledged);
    }

    fn apply_reminded(&mut self, key: &AlertKey, number: u32, to: Vec<Name>) {
        let at = self.at;
        self.insist(key, |insisting| {
            for channel in &to {
                insisting.reminded.insert(channel.clone(), (at, number));
            }
        });
        self.tell_of(key, |alert| Item::Reminder { to, number, alert });
    }

    fn apply_escalated(&mut self, key: &AlertKey, to: Name, after: Span) {
        let at = self.at;
        self.insist(key, |insisting| insisting.also_tell(&to, at));
        self.tell_of(key, |alert| Item::Escalated { to, after, alert });
    }

    fn apply_fell_back(&mut self, key: &AlertKey, from: Name, to: Name) {
        let at = self.at;
        let Some(episode) = self.alerts.get_mut(key).and_then(|one| one.episodes.last_mut()) else {
            return;
        };
        let is_closed = episode.is_cut_short();
        episode.insisting.also_tell(&to, at);
        episode.insisting.replaced.push(from.clone());
        if !is_closed {
            return self.tell_of(key, |alert| Item::FellBack { to, from, alert });
        }
        // The others know that it was closed with the watch.
        let value = self.alerts[key].value;
        let rule = self.rule_at(self.rule(&key.rule), at).into_owned();
        let mut news = self.alert_news(&rule, key, value);
        let only_to = Insisting { also_to: vec![to.clone()], ..news.insisting.clone() };
        let begun = news.insisting.begun.as_ref().map_or(at, |begun| begun.at);
        let begun = Some(Begun { at: begun, to: Vec::new() });
        self.tell(Item::FellBack { to, from, alert: news.clone() });
        news.insisting = Insisting { begun, ..only_to };
        self.tell(Item::Closed(news));
    }

    /// It fires, and nothing holds it back.
    pub(super) fn tell_fired(&mut self, key: &AlertKey) {
        let (at, value) = (self.at, self.alerts.entry(key.clone()).or_default().value);
        let rule = self.rule_at(self.rule(&key.rule), at).into_owned();
        let news = self.alert_news(&rule, key, value);
        let told = self.plan.channels.iter().filter(|one| one.routing.after.is_none());
        let told = told.filter(|channel| news.is_for(channel));
        let to = told.map(|channel| channel.name.clone()).collect();
        self.insist(key, |insisting| insisting.begun = Some(Begun { at, to }));
        let mut news = self.alert_news(&rule, key, value);
        let alert = self.alerts.entry(key.clone()).or_default();
        alert.told = true;
        if alert.flapping.is_some() {
            news.say_that_it_flaps();
        }
        self.tell(Item::Fired(news));
    }

    /// A channel learns of it by itself, is reminded of it from then on, and told
    /// of its end.
    pub(super) fn told_by_itself(&mut self, key: &AlertKey, channel: &Name) {
        let at = self.at;
        self.insist(key, |insisting| {
            insisting.reminded.insert(channel.clone(), (at, 0));
            if let Some(begun) = &mut insisting.begun {
                begun.to.push(channel.clone());
            }
        });
    }

    /// Somebody who took it for less is asked again.
    pub(super) fn forget_acks_of_worse(&mut self, before: &BTreeMap<Name, Severity>) {
        let now: BTreeMap<Name, Severity> =
            self.plan.rules.iter().map(|rule| (rule.name.clone(), rule.severity)).collect();
        for (key, alert) in &mut self.alerts {
            let is_worse = before.get(&key.rule) < now.get(&key.rule);
            if let Some(episode) = alert.open_episode_mut().filter(|_| is_worse) {
                episode.insisting.acked = None;
            }
        }
    }

    fn insist(&mut self, key: &AlertKey, how: impl FnOnce(&mut Insisting)) {
        let alert = self.alerts.get_mut(key);
        if let Some(episode) = alert.and_then(AlertRecord::open_episode_mut) {
            how(&mut episode.insisting);
        }
    }

    /// News of an alert that fires, for those who know; of another, none.
    fn tell_of(&mut self, key: &AlertKey, item: impl FnOnce(AlertNews) -> Item) {
        let is_told = |one: &&AlertRecord| one.told && one.open_episode().is_some();
        let Some(alert) = self.alerts.get(key).filter(is_told) else { return };
        let rule = self.rule_at(self.rule(&key.rule), self.at).into_owned();
        let news = self.alert_news(&rule, key, alert.value);
        self.tell(item(news));
    }

    /// A reminder that was not taken in three tries is worth no fourth: the next
    /// comes by itself. What else is told waits as long as it takes.
    pub(super) fn give_up_reminder(&mut self, channel: &Name) {
        const TRIES_MAX: u32 = 3;
        let Some(setup) = self.plan.channels.iter().find(|one| one.name == *channel) else {
            return;
        };
        let Some(known) = self.channels.get_mut(channel) else { return };
        let (up_to, tries) = known.tries;
        if tries < TRIES_MAX {
            return;
        }
        let after = known.told;
        let told = self.news.iter().filter(|news| after < news.seq && news.seq <= up_to);
        let mut told = told.filter(|news| news.item.concerns(setup)).peekable();
        let is_only_reminders =
            told.peek().is_some() && told.all(|news| matches!(news.item, Item::Reminder { .. }));
        if is_only_reminders {
            (known.told, known.frozen) = (up_to, None);
        }
    }

    /// A letter was taken: from here on the next about alerts of these severities waits.
    pub(super) fn note_taken(&mut self, channel: &Name, (after, up_to): (u64, u64)) {
        let at = self.at;
        let Some(setup) = self.plan.channels.iter().find(|one| one.name == *channel) else {
            return;
        };
        let known = self.channels.entry(channel.clone()).or_default();
        let told = self.news.iter().filter(|news| after < news.seq && news.seq <= up_to);
        let told = told.filter(|news| news.item.concerns(setup));
        for severity in told.filter_map(|news| news.item.alert()).map(|alert| alert.severity) {
            known.alerts_at.insert(severity, at);
        }
    }
}

impl AlertNews {
    /// Whether a channel is told of this alert, as of each that is like it.
    pub fn is_for(&self, channel: &Channel) -> bool {
        let matchers = &channel.routing.matchers;
        let is_meant = || matchers.is_empty() || matchers.fit(&self.labels_for_matchers());
        channel.takes(self.severity) && is_meant()
    }

    /// Whether it was told of this episode, or would have been.
    pub fn is_told(&self, channel: &Channel) -> bool {
        let directly = match &self.insisting.begun {
            Some(begun) => begun.to.contains(&channel.name),
            None => channel.routing.after.is_none() && self.is_for(channel),
        };
        directly || self.insisting.also_to.contains(&channel.name)
    }

    /// The labels that matchers go by: those of the alert and of its rule, and
    /// `alertname`, `service`, `release` and, where neither says another word for
    /// it, `severity`.
    pub fn labels_for_matchers(&self) -> Labels {
        let ours = [
            ("alertname", self.rule.as_str()),
            ("service", self.service.as_str()),
            ("release", self.version.as_str()),
        ];
        let pair = |(name, value): (&str, &str)| (name.into(), value.into());
        let theirs = self.all_labels();
        let severity = pair(("severity", self.severity.as_str()));
        let theirs = theirs.shared().iter().cloned().chain([severity]);
        Labels::from_pairs(ours.map(pair).into_iter().chain(theirs))
    }
}
