//! When a letter is due: what is told waits for what may join it, for its
//! distance to the letter before, for the end of quiet hours, or for room
//! under the channel's limit. None of it changes what is told in the end.
//!
//! | | first fire | resolve | reminder, escalation | smoke, summary, digest, notice |
//! |---|---|---|---|---|
//! | group wait, from when it fired | yes | no | no | no |
//! | group interval, from the last letter of this severity that was taken | yes | yes | no | no |
//! | quiet hours | unless critical | unless critical | unless critical | summaries and notices |
//! | limit | unless the first of a critical | yes | unless a critical's first step | unless smoke |
//!
//! The group is the watch and the channel; each severity has clocks of its own.
//! Whatever is due takes all along that came before it: order is never changed.

use crate::model::{Channel, Severity, Timestamp};
use crate::record::{ChannelRecord, Item, LIMIT_RANGE, News, Record, Waited};

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// From this instant on the letter may be written.
    pub at: Timestamp,
    /// What it waits for then, or has waited for, besides others.
    pub waited: Option<Waited>,
}

/// How the world stands for letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rush {
    /// As usual.
    No,
    /// The process is about to stop: what only waits for others goes now.
    Leaving,
}

/// When the next letter of `channel` is due, at the earliest; `None`: nothing
/// beyond its bookmark concerns it. What is out already, and what is owed by a
/// watch that is over, is due at once.
pub fn due(record: &Record, channel: &Channel, now: Timestamp, rush: Rush) -> Option<Due> {
    let known = record.channels.get(&channel.name)?;
    let at_once = Due { at: Timestamp::default(), waited: None };
    if known.frozen.is_some() {
        return Some(at_once);
    }
    let rest = &record.news[record.news.partition_point(|news| news.seq <= known.told)..];
    let mut concerned = rest.iter().filter(|news| news.item.concerns(channel)).peekable();
    concerned.peek()?;
    if record.is_over() {
        return Some(at_once);
    }
    concerned.map(|news| of(record, channel, known, news, now, rush)).min_by_key(|due| due.at)
}

/// When this item alone would be due.
fn of(
    record: &Record,
    channel: &Channel,
    known: &ChannelRecord,
    news: &News,
    now: Timestamp,
    rush: Rush,
) -> Due {
    let grouped = match rush {
        Rush::No => grouped(channel, known, news),
        Rush::Leaving => news.at,
    };
    let mut due = Due { at: grouped, waited: None };
    if let Some(free) = free_at(channel, known)
        && due.at < free
        && !is_beyond_limit(record, channel, news)
    {
        due = Due { at: free, waited: Some(Waited::Limit) };
    }
    if is_loud(&news.item) {
        return due;
    }
    match channel.routing.quiet_until(due.at.max(now)) {
        Some(end) => Due { at: end, waited: Some(Waited::Quiet) },
        None => due,
    }
}

/// When it would be due for its group alone.
pub(super) fn grouped(channel: &Channel, known: &ChannelRecord, news: &News) -> Timestamp {
    let after_last = |severity| {
        let last = known.alerts_at.get(&severity);
        last.map_or(news.at, |last| (*last + channel.routing.interval(severity)).max(news.at))
    };
    match &news.item {
        Item::Fired(alert) | Item::Standing { alert, .. } => {
            let wait = channel.routing.wait(alert.severity);
            (news.at + wait).max(after_last(alert.severity))
        }
        Item::Resolved(alert) => after_last(alert.severity),
        // These have waited, or nothing can join them.
        Item::Closed(_)
        | Item::Flapping(_)
        | Item::Reminder { .. }
        | Item::Escalated { .. }
        | Item::FellBack { .. }
        | Item::Acknowledged(_)
        | Item::Released
        | Item::SmokeFailed(_)
        | Item::Summary(_)
        | Item::Overview { .. }
        | Item::Notice { .. } => news.at,
    }
}

/// From when on there is room for one letter more.
fn free_at(channel: &Channel, known: &ChannelRecord) -> Option<Timestamp> {
    let limit = channel.routing.limit() as usize;
    let first = known.recent.len().checked_sub(limit)?;
    Some(known.recent[first] + LIMIT_RANGE)
}

/// Somebody has to be woken for it, however many letters there were: a critical
/// that has not fired just before as well.
fn is_beyond_limit(record: &Record, channel: &Channel, news: &News) -> bool {
    let is_first = |incident: &str| {
        let since = news.at - LIMIT_RANGE;
        let lately = record.news.iter().rev().skip_while(|other| other.seq >= news.seq);
        let mut lately = lately.take_while(|other| other.at > since);
        let is_it = |other: &News| {
            let began = matches!(
                other.item,
                Item::Fired(_)
                    | Item::Standing { .. }
                    | Item::Escalated { .. }
                    | Item::FellBack { .. }
            );
            let about = other.item.alert().is_some_and(|alert| alert.incident == incident);
            began && about && other.item.concerns(channel)
        };
        !lately.any(is_it)
    };
    match &news.item {
        Item::SmokeFailed(_) => true,
        Item::Fired(alert)
        | Item::Standing { alert, .. }
        | Item::Escalated { alert, .. }
        | Item::FellBack { alert, .. } => {
            alert.severity == Severity::Critical && is_first(&alert.incident)
        }
        _ => false,
    }
}

/// Quiet hours do not hold it.
fn is_loud(item: &Item) -> bool {
    match item {
        Item::SmokeFailed(_) => true,
        Item::Overview { .. } => true, // its time is the user's own word
        Item::Notice { severity, .. } => *severity == Severity::Critical,
        Item::Summary(_) => false,
        other => other.alert().is_some_and(|alert| alert.severity == Severity::Critical),
    }
}

/// Since when a critical should have reached `channel` that has not; `None`: it
/// has, or it is none of the channel's.
pub(super) fn overdue_since(
    record: &Record,
    channel: &Channel,
    incident: &str,
) -> Option<Timestamp> {
    let known = record.channels.get(&channel.name)?;
    let untold = record.news.iter().rev().take_while(|news| news.seq > known.told);
    let untold = untold.filter(|news| news.item.concerns(channel));
    let fires = |news: &&News| {
        matches!(&news.item, Item::Fired(alert) | Item::Standing { alert, .. }
            | Item::Escalated { alert, .. } if alert.incident == incident)
    };
    // What the channel waits for of its own is no fault of the receiver's.
    let due = |news: &News| {
        let grouped = grouped(channel, known, news);
        let free = free_at(channel, known).filter(|_| !is_beyond_limit(record, channel, news));
        free.map_or(grouped, |free| grouped.max(free))
    };
    untold.filter(fires).last().map(due)
}

#[cfg(test)]
mod tests;
