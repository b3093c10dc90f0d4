//! What is told by the calendar: digests, their time and who gets them.

use std::collections::BTreeMap;

use super::complaint::{instead, nearest};
use super::explain::{Row, section};
use super::service::{claim, free_name};
use super::walk::{Said, Table, Value};
use crate::model::{Channel, Digest, MINUTE, Name, Schedule, Span, Timestamp, cron, schedule};
use crate::record::Plan;

/// Where nobody says a zone: what all other times are told in.
const ZONE: &str = "UTC";

/// A line that comes more often was hardly meant so.
const APART_MIN: Span = Span::from_millis(10 * MINUTE.millis());

/// Times that are looked at to find how far they are apart.
const LOOKED_AT: usize = 3;

/// Times that `check` shows.
const SHOWN: usize = 3;

/// Reads every `[[digest]]`.
pub(super) fn read(top: &Table, channels: &[Channel]) -> Vec<Digest> {
    let tables = top.get("digest").map_or_else(Vec::new, |value| value.tables("digest"));
    // A later step is called for an incident that nobody takes on.
    let reads = |channel: &&Channel| {
        !channel.medium.is_for_alerts_alone() && channel.routing.after.is_none()
    };
    let everybody: Vec<Name> =
        channels.iter().filter(reads).map(|channel| channel.name.clone()).collect();
    let mut taken = BTreeMap::new();
    let digests = tables.iter().filter_map(|table| {
        let value = table.need("name", "name = \"morning\"")?;
        let name = value.text()?;
        free_name(name).map_err(|what| value.error(what)).ok()?;
        let is_new = claim(&mut taken, name, value, top.sink);
        let schedule = schedule(table);
        let to = Said::of(table.get("channels"), |value| some_of(value, channels));
        let (schedule, channels) = (schedule?, to.or(everybody.clone())?);
        is_new.then(|| Digest { name: name.into(), schedule, channels })
    });
    let digests = digests.collect();
    if let Some(value) = top.get("digest").filter(|_| channels.is_empty()) {
        value.error("there is no [[channel]], so that nobody would get it");
    }
    digests
}

fn schedule(table: &Table) -> Option<Schedule> {
    let (schedule, times) = calendar(table, "cron", "cron = \"0 9 * * 1-5\"")?;
    let apart = times.windows(2).map(|pair| pair[1].since(pair[0])).min();
    if let Some((apart, value)) = apart.filter(|apart| *apart < APART_MIN).zip(table.get("cron")) {
        let what = format!("comes every {apart}, each time to everybody");
        let remedy = "a number in the first field makes it once an hour";
        value.sink.warn(value.at, &value.key, format!("{what}; {remedy}"));
    }
    Some(schedule)
}

/// A crontab line under `key` and its `zone`, and the first times at which it
/// comes about, whenever that is.
pub(super) fn calendar(
    table: &Table,
    key: &str,
    such_as: &str,
) -> Option<(Schedule, Vec<Timestamp>)> {
    let zone = Said::of(table.get("zone"), |value| zone(value).map(str::to_owned));
    let value = table.need(key, such_as)?;
    let line = value.text()?;
    cron::Cron::parse(line).map_err(|what| value.error(what)).ok()?;
    let schedule = Schedule::new(line, &zone.or(ZONE.to_owned())?).ok()?;
    // Any start will do: the calendar has no end that matters.
    let mut times = Vec::new();
    let mut at = Timestamp::default();
    while let Some(next) = schedule.next(at).filter(|_| times.len() < LOOKED_AT) {
        times.push(next);
        at = next;
    }
    if times.is_empty() {
        value.error(format!("{line:?} is a day that no calendar has"));
        return None;
    }
    Some((schedule, times))
}

pub(super) fn zone<'t>(value: &Value<'t>) -> Option<&'t str> {
    let text = value.text()?;
    if schedule::zone(text).is_err() {
        let names = schedule::zones();
        let near = nearest(text, names.iter().map(String::as_str));
        let remedy = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write for example \"Europe/Berlin\" or \"UTC\"".to_owned(),
        };
        value.error(format!("unknown time zone {text:?}; {remedy}"));
        return None;
    }
    Some(text)
}

fn some_of(value: &Value, known: &[Channel]) -> Option<Vec<Name>> {
    let names: Vec<&str> = known.iter().map(|channel| channel.name.as_str()).collect();
    let members = value.list()?;
    if members.is_empty() {
        value.error("names no channel: nobody would get it; leave it out for all");
        return None;
    }
    let channel = |member: &Value| {
        let text = member.text()?;
        if !names.contains(&text) {
            member.error(format!("unknown channel {text:?}; {}", instead(text, &names)));
            return None;
        }
        if known.iter().any(|one| one.name == *text && one.medium.is_for_alerts_alone()) {
            member.error(format!("{text:?} is an Alertmanager, which takes alerts alone"));
            return None;
        }
        Some(Name::from(text))
    };
    let mut channels: Vec<Name> = members.iter().filter_map(channel).collect();
    channels.sort();
    channels.dedup();
    (!channels.is_empty()).then_some(channels)
}

/// A row a digest, for people.
pub(super) fn explained(plan: &Plan) -> Vec<Row> {
    let row = |digest: &Digest| {
        let channels: Vec<&str> = digest.channels.iter().map(Name::as_str).collect();
        let to = format!("to {}", channels.join(", "));
        vec![digest.name.to_string(), digest.schedule.to_string(), to]
    };
    plan.digests.iter().map(row).collect()
}

/// When each digest would be due next, were the release out now; empty where
/// there is no digest.
pub fn upcoming(plan: &Plan, now: Timestamp) -> String {
    let mut text = String::new();
    let row = |digest: &Digest| {
        let mut at = now;
        let mut cells = vec![digest.name.to_string()];
        for _ in 0..SHOWN {
            let Some(next) = digest.schedule.next(at) else { break };
            cells.push(digest.schedule.on_the_wall(next));
            at = next;
        }
        cells
    };
    section(&mut text, "Digests are due next", plan.digests.iter().map(row).collect());
    text
}
