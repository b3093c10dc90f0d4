//! What an Alertmanager is told again and again: it takes an alert for over
//! when it has not heard of it for a while, and forgets all when it restarts.
//!
//! Not news: nothing is owed, nothing is frozen, and no bookmark moves. What
//! burns by the news that the channel has taken is said again, and for a while
//! what has ended.

use std::collections::BTreeMap;

use super::channel::alertmanager::{self, Alert};
use super::digest::{Content, Digest, State, turn};
use super::letter::{Body, Letter, hex_of};
use crate::model::{Channel, MINUTE, Medium, Span, Timestamp};
use crate::record::{AlertNews, Item, Record};

/// How often.
pub const EVERY: Span = MINUTE;

/// An end is said again for so long: as Prometheus has it.
const ENDED_FOR: Span = Span::from_millis(15 * MINUTE.millis());

/// What `channel` is told again at `now`; `None`: nothing, or it is of no such
/// kind.
pub fn repeat(record: &Record, channel: &Channel, now: Timestamp) -> Option<Letter> {
    if !matches!(channel.medium, Medium::Alertmanager { .. }) {
        return None;
    }
    let told = record.channels.get(&channel.name).map_or(0, |known| known.told);
    let alerts = alerts(record, channel, told, now);
    if alerts.is_empty() {
        return None;
    }
    let json = alertmanager::body(&alerts, &record.plan.url);
    let key = format!("bw-{}", &hex_of(["repeat", channel.name.as_str(), &json])[..32]);
    let body = Body::Post { json };
    Some(Letter { key, channel: channel.name.clone(), after: told, up_to: told, body })
}

fn alerts(record: &Record, channel: &Channel, told: u64, now: Timestamp) -> Vec<Alert> {
    let mut latest: BTreeMap<String, (AlertNews, State)> = inherited(record, channel);
    let mut smoke = None;
    let known = record.news.iter().take_while(|news| news.seq <= told);
    for news in known.filter(|news| news.item.concerns(channel)) {
        if let Some((alert, state)) = turn(&news.item) {
            latest.insert(alert.incident.clone(), (alert.clone(), state));
        } else if let Item::SmokeFailed(steps) = &news.item {
            smoke = Some((news.at, steps));
        }
    }
    let is_due = |(alert, state): &(AlertNews, State)| {
        let ended_at = alert.ended_at.unwrap_or(now);
        *state == State::Firing || now.since(ended_at) <= ENDED_FOR
    };
    let (release, url) = (&record.release, record.plan.url.as_str());
    let digest = |at, content| Digest {
        release,
        url,
        at,
        ending: None,
        blocks: &[],
        waited: None,
        messages: None,
        content,
    };
    let failed =
        smoke.map(|(at, steps)| alertmanager::of_smoke(&digest(at, Content::Smoke(steps)), steps));
    let due = latest.into_values().filter(is_due).map(|(alert, state)| {
        alertmanager::of_news(&digest(now, Content::Released), &alert, state)
    });
    due.chain(failed).collect()
}

/// What burned before this release: told by the watch before, and no news here.
fn inherited(record: &Record, channel: &Channel) -> BTreeMap<String, (AlertNews, State)> {
    let mut found = BTreeMap::new();
    for (key, alert) in &record.alerts {
        let Some(open) = alert.episodes.last().filter(|one| one.ended_at.is_none()) else {
            continue;
        };
        let news = record.alert_news(record.rule(&key.rule), key, alert.value);
        if open.heritage.is_some() && news.is_for(channel) {
            found.insert(news.incident.clone(), (news, State::Firing));
        }
    }
    found
}
