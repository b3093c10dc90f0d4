//! What becomes due while an alert fires and time goes by: reminders, the next
//! step of an escalation, another channel in place of one that cannot be
//! reached. Each is a fact; telling of it is a letter like any other.
//!
//! Clocks count from when the alert fired, or the channel was last told, and go
//! on while nobody looks: an alert burns on while bakewatch is down.

use crate::judge::Phase;
use crate::model::{Channel, MINUTE, Name, Severity, Span, Timestamp};
use crate::record::{AlertKey, AlertNews, AlertRecord, Episode, Fact, Record};

use super::due::overdue_since;

/// A critical that did not reach its channel for so long goes elsewhere.
const FALLBACK_AFTER: Span = Span::from_millis(2 * MINUTE.millis());

/// What is due by time alone.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Steps {
    /// Now.
    pub due: Vec<Fact>,
    /// The next instant at which something may be.
    pub next: Option<Timestamp>,
}

impl Steps {
    /// Whether it is `at` already; if not, it is looked at again then.
    fn is_due(&mut self, at: Timestamp, now: Timestamp) -> bool {
        if at > now {
            self.next = Some(self.next.map_or(at, |next| next.min(at)));
        }
        at <= now
    }
}

/// A critical that a channel was to be told of by an earlier release's watch,
/// and has not been yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Untold {
    /// Of what.
    pub incident: String,
    /// Who.
    pub channel: Name,
    /// Since when it should know.
    pub since: Timestamp,
}

/// What is due at `now`. `before`: what earlier releases' watches still have to
/// tell of what was handed on.
pub fn steps(record: &Record, before: &[Untold], now: Timestamp) -> Steps {
    let mut steps = Steps::default();
    if record.is_over() {
        fall_back_afterwards(record, before, now, &mut steps);
        return steps;
    }
    for (key, alert) in &record.alerts {
        // One that is calm already is left in peace.
        if !matches!(alert.phase, Phase::Firing { .. }) {
            continue;
        }
        let Some(episode) = alert.open_episode() else { continue };
        let Some(since) = told_since(alert, episode) else { continue };
        let news = news_of(record, key, alert);
        if episode.insisting.acked.is_none() {
            remind(record, key, (episode, since), &news, now, &mut steps);
            escalate(record, key, (episode, since), &news, now, &mut steps);
        }
        if news.severity == Severity::Critical {
            fall_back(record, before, (key, episode), &news, now, &mut steps);
        }
    }
    steps
}

/// From when on people could know of it; `None`: nobody is to. What is held back
/// from everybody reminds nobody.
fn told_since(alert: &AlertRecord, episode: &Episode) -> Option<Timestamp> {
    let begun = episode.insisting.begun.as_ref().map(|begun| begun.at);
    let is_spoken_of = alert.told && alert.held.is_none() && alert.held_turns().is_none();
    is_spoken_of.then(|| begun.unwrap_or(episode.fired_at))
}

fn news_of(record: &Record, key: &AlertKey, alert: &AlertRecord) -> AlertNews {
    let rule = record.rule_at(record.rule(&key.rule), record.at).into_owned();
    record.alert_news(&rule, key, alert.value)
}

fn remind(
    record: &Record,
    key: &AlertKey,
    (episode, since): (&Episode, Timestamp),
    news: &AlertNews,
    now: Timestamp,
    steps: &mut Steps,
) {
    let mut due: Vec<(u32, Vec<Name>)> = Vec::new();
    for channel in record.plan.channels.iter().filter(|channel| news.is_told(channel)) {
        let waits = channel.routing.reminders(news.severity);
        let known = episode.insisting.reminded.get(&channel.name);
        let (last, number) = known.copied().unwrap_or((since, 0));
        let Some(wait) = waits.get(number as usize).or(waits.last()) else { continue };
        if !steps.is_due(last + *wait, now) {
            continue;
        }
        match due.iter_mut().find(|(other, _)| *other == number + 1) {
            Some((_, to)) => to.push(channel.name.clone()),
            None => due.push((number + 1, vec![channel.name.clone()])),
        }
    }
    steps.due.extend(due.into_iter().map(|(number, to)| {
        let AlertKey { rule, labels } = key.clone();
        Fact::Reminded { rule, labels, number, to }
    }));
}

fn escalate(
    record: &Record,
    key: &AlertKey,
    (episode, since): (&Episode, Timestamp),
    news: &AlertNews,
    now: Timestamp,
    steps: &mut Steps,
) {
    for channel in &record.plan.channels {
        let Some(after) = channel.routing.after else { continue };
        let is_told = episode.insisting.also_to.contains(&channel.name);
        if is_told || !news.is_for(channel) || !steps.is_due(since + after, now) {
            continue;
        }
        let AlertKey { rule, labels } = key.clone();
        steps.due.push(Fact::Escalated { rule, labels, to: channel.name.clone(), after });
    }
}

fn fall_back(
    record: &Record,
    before: &[Untold],
    (key, episode): (&AlertKey, &Episode),
    news: &AlertNews,
    now: Timestamp,
    steps: &mut Steps,
) {
    let is_new = |channel: &&Channel| !episode.insisting.replaced.contains(&channel.name);
    for channel in record.plan.channels.iter().filter(is_new) {
        let Some(to) = channel.routing.fallback.clone() else { continue };
        let is_it = |one: &&Untold| one.channel == channel.name && one.incident == news.incident;
        // A fire of this watch's own is told, or not told, by it.
        let inherited = || {
            episode.heritage.as_ref()?;
            Some(before.iter().find(is_it)?.since)
        };
        let own = overdue_since(record, channel, &news.incident);
        let Some(since) = own.or_else(inherited) else { continue };
        // The end waits for nobody.
        let since = episode.ended_at.map_or(since, |end| since.min(end));
        if steps.is_due(since + FALLBACK_AFTER, now) {
            let (AlertKey { rule, labels }, from) = (key.clone(), channel.name.clone());
            steps.due.push(Fact::FellBack { rule, labels, from, to });
        }
    }
}

/// The watch is over; what it still has to tell goes on. What was handed on is
/// the next one's to see to, which will tell of its end.
fn fall_back_afterwards(record: &Record, before: &[Untold], now: Timestamp, steps: &mut Steps) {
    let is_handed = |key: &AlertKey| {
        let mut handed = record.succession.handed.iter();
        handed.any(|one| (&one.rule, &one.labels) == (&key.rule, &key.labels))
    };
    for (key, alert) in record.alerts.iter().filter(|(key, _)| !is_handed(key)) {
        let is_left = |one: &&Episode| one.ended_at.is_none() || one.is_cut_short();
        let Some(episode) = alert.episodes.last().filter(is_left) else { continue };
        let is_to_be_known = alert.told || episode.insisting.begun.is_some();
        let news = news_of(record, key, alert);
        if is_to_be_known && news.severity == Severity::Critical {
            fall_back(record, before, (key, episode), &news, now, steps);
        }
    }
}

/// Whether what an earlier release's watch left untold may yet be told to another
/// channel by this one: it burns here, or did to the end, and was not told so.
pub fn may_fall_back(record: &Record, one: &Untold) -> bool {
    let mut channels = record.plan.channels.iter();
    let has_other =
        channels.any(|known| known.name == one.channel && known.routing.fallback.is_some());
    let is_open = |alert: &AlertRecord| {
        alert.episodes.last().is_some_and(|last| {
            let is_left = last.ended_at.is_none() || last.is_cut_short();
            is_left && last.heritage.is_some() && !last.insisting.replaced.contains(&one.channel)
        })
    };
    let is_it = |(key, alert): (&AlertKey, &AlertRecord)| {
        is_open(alert)
            && record.rule(&key.rule).severity == Severity::Critical
            && record.incident(key) == one.incident
    };
    has_other && record.alerts.iter().any(is_it)
}

/// What a watch that handed alerts on still has to tell of them.
pub fn untold(record: &Record, channel: &Channel) -> Vec<Untold> {
    let Some((_, end)) = record.succession.by else { return Vec::new() };
    let handed = record.succession.handed.iter().filter_map(|one| {
        let key = AlertKey { rule: one.rule.clone(), labels: one.labels.clone() };
        let incident = record.incident(&key);
        let since = overdue_since(record, channel, &incident)?.min(end);
        Some(Untold { incident, channel: channel.name.clone(), since })
    });
    handed.collect()
}

#[cfg(test)]
mod tests;
