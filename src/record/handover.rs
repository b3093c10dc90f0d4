//! What passes from the watch of one release to that of the next: alerts that
//! burn. An incident is a service's, a rule's and its labels'; the release is
//! only an attribute of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AlertKey, AlertRecord, Closing, Episode, Hold, Insisting, Plan, Posted, Record};
use crate::judge::Phase;
use crate::model::{Channel, Labels, Name, Number, Routing, Silence, Timestamp};

/// A firing alert, as one watch hands it to the next.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Handed {
    /// The rule.
    pub rule: Name,
    /// Which of its instances.
    pub labels: Labels,
    /// The first breach.
    pub since: Timestamp,
    /// When it fired.
    pub fired_at: Timestamp,
    /// The last reading that changed anything.
    pub value: Number,
    /// The worst.
    pub peak: Number,
    /// What was told of it besides that it began.
    #[serde(default, skip_serializing_if = "Insisting::is_none")]
    pub insisting: Insisting,
    /// Why nobody was told of it; `None`: somebody was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    /// By channel: the message about it that stands there and is brought up to
    /// date, as far as the receiver has said where.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<Name, Posted>,
}

/// Which releases' watches came before this one, and which came after.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Succession {
    /// Those whose alerts this one took on.
    pub before: Vec<Name>,
    /// The one that took its place, and since when.
    pub by: Option<(Name, Timestamp)>,
    /// What goes on under that one.
    pub handed: Vec<Handed>,
}

/// That an alert began to burn under an earlier release.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Heritage {
    /// Which.
    pub from: Name,
    /// The first breach that was read under this one; `None`: none was. Until
    /// then it says nothing of this release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
}

impl Record {
    /// The alerts that can go on under the plan of the next release: somebody
    /// there judges the same, and tells the same channels. The others are
    /// closed in words, so that no receiver waits for an end that never comes.
    pub fn to_hand_on(&self, heir: &Plan) -> Vec<Handed> {
        let firing = self.alerts.iter().filter(|(_, alert)| alert.phase.is_firing());
        let goes_on = firing.filter(|(key, _)| goes_on(&self.plan, heir, key));
        let severity = |plan: &Plan, rule: &Name| {
            plan.rules.iter().find(|known| known.name == *rule).map(|known| known.severity)
        };
        let handed = goes_on.filter_map(|(key, alert)| {
            let mut handed = handed(key, alert)?;
            let incident = self.incident(key);
            // Elsewhere nobody knows the message.
            let stays = self.plan.channels.iter().filter(|old| {
                heir.channels.iter().any(|new| (&new.name, &new.medium) == (&old.name, &old.medium))
            });
            let posted = stays.filter_map(|Channel { name, .. }| {
                let known = self.channels.get(name)?.messages.get(&incident)?;
                Some((name.clone(), known.clone()))
            });
            handed.messages = posted.collect();
            if severity(heir, &key.rule) > severity(&self.plan, &key.rule) {
                handed.insisting.acked = None; // of something milder
            }
            Some(handed)
        });
        handed.collect()
    }

    pub(super) fn apply_superseded(&mut self, by: Name, handed: Vec<Handed>) {
        let at = self.at;
        for Handed { rule, labels, .. } in &handed {
            let key = AlertKey { rule: rule.clone(), labels: labels.clone() };
            let Some(alert) = self.alerts.get_mut(&key) else { continue };
            alert.end_hold(at);
            (alert.phase, alert.held, alert.told) = (Phase::Inactive, None, false);
            if let Some(episode) = alert.episodes.last_mut() {
                (episode.ended_at, episode.closed) = (Some(at), Some(Closing::WatchEnded));
            }
        }
        self.succession.by = Some((by, at));
        self.succession.handed = handed;
    }

    /// They burn here from the start, and nobody is told again.
    pub(super) fn apply_inherited(
        &mut self,
        from: Name,
        alerts: Vec<Handed>,
        silences: Vec<Silence>,
    ) {
        let at = self.at;
        silences.into_iter().for_each(|silence| self.apply_silenced(silence));
        for one in alerts {
            let Handed { rule, labels, since, fired_at, value, peak, insisting, held, messages } =
                one;
            let alert = self.alerts.entry(AlertKey { rule, labels }).or_default();
            if alert.phase.is_firing() {
                continue; // of two that came before, the later has it
            }
            (alert.phase, alert.value) = (Phase::Firing { since }, value);
            let heritage = Some(Heritage { from: from.clone(), seen_at: None });
            let open = Episode::open(since, fired_at, peak);
            alert.episodes.push(Episode { heritage, insisting, ..open });
            (alert.held, alert.told, alert.changed_at) = (held.clone(), held.is_none(), at);
            if let Some(why) = held {
                alert.begin_hold(why, at);
            }
            for (channel, posted) in messages {
                if let Some(known) = self.channels.get_mut(&channel) {
                    known.messages.insert(posted.about.clone(), posted);
                }
            }
        }
        self.succession.before.push(from);
    }
}

impl AlertRecord {
    /// It burned before this release, and was not yet seen to burn under it.
    pub fn is_only_inherited(&self) -> bool {
        let open = self.episodes.last().filter(|episode| episode.ended_at.is_none());
        let heritage = open.and_then(|episode| episode.heritage.as_ref());
        heritage.is_some_and(|heritage| heritage.seen_at.is_none())
    }
}

fn handed(key: &AlertKey, alert: &AlertRecord) -> Option<Handed> {
    let AlertKey { rule, labels } = key.clone();
    let episode = alert.episodes.last()?;
    let Episode { since, fired_at, peak, .. } = *episode;
    let insisting = episode.insisting.clone();
    let held = alert.held.clone().filter(|_| !alert.told);
    let (value, messages) = (alert.value, BTreeMap::new());
    Some(Handed { rule, labels, since, fired_at, value, peak, insisting, held, messages })
}

fn goes_on(before: &Plan, heir: &Plan, key: &AlertKey) -> bool {
    let rule = |plan: &Plan| plan.rules.iter().find(|rule| rule.name == key.rule).cloned();
    let (Some(old), Some(new)) = (rule(before), rule(heir)) else { return false };
    // One that is about a replica ends with it, unless it surely stays.
    let stays = |name: &str| heir.targets.iter().any(|target| *target.name.as_str() == *name);
    let told = |plan: &Plan, severity| -> Vec<Channel> {
        let mut all: Vec<Channel> =
            plan.channels.iter().filter(|channel| channel.takes(severity)).cloned().collect();
        for channel in &mut all {
            channel.severities.clear();
            // When they are told may differ; of what, may not.
            let (matchers, after) = (channel.routing.matchers.clone(), channel.routing.after);
            channel.routing = Routing { matchers, after, ..Routing::default() };
        }
        all
    };
    (&old.signal, old.quantile) == (&new.signal, new.quantile)
        && key.labels.get("instance").is_none_or(stays)
        && told(before, old.severity) == told(heir, new.severity)
}
