//! What must hold after any run, whatever went wrong in it.

use std::collections::{BTreeMap, BTreeSet};

use bakewatch::model::{SECOND, Span, Timestamp, WatchId};
use bakewatch::record::{CLOSING, Ending, Fact, Item, Outcome, Plan, Record};

use super::drive::Drive;
use super::holds;

/// Checks a finished run; each broken promise is a line.
pub fn complaints(drive: &Drive) -> Vec<String> {
    let mut found = Vec::new();
    for id in &drive.ids {
        let before = found.len();
        complaints_of(drive, id, &mut found);
        found[before..].iter_mut().for_each(|line| *line = format!("{id}: {line}"));
    }
    incidents_in_order(drive, &mut found);
    found
}

fn complaints_of(drive: &Drive, id: &WatchId, found: &mut Vec<String>) {
    let facts = drive.facts_of(id);
    let replayed = match Record::replay(facts.iter().cloned()) {
        Ok(record) => record,
        Err(error) => return found.push(format!("the record cannot be replayed: {error}")),
    };
    if &replayed != drive.record_of(id) {
        found.push("the replayed record is not the live one".to_owned());
    }
    numbered_without_gaps(drive, id, found);
    nothing_lost(drive, id, &replayed, found);
    repeats_keep_their_key(drive, id, facts, found);
    holds::complaints(facts, found);
    nothing_early(facts, &replayed, found);
    windows_close_once(facts, &replayed, found);
    digests_come_once(facts, &replayed, found);
    coverage_adds_up(&replayed, found);
    nothing_of_those_who_left(facts, &replayed, found);
    nothing_observed_after_the_end(facts, found);
}

/// To whoever keeps the state of incidents they are one story over all
/// releases: each begins once, and none ends that was never said to begin.
fn incidents_in_order(drive: &Drive, found: &mut Vec<String>) {
    let mut burning: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut left: BTreeSet<(&WatchId, &str, u64)> = BTreeSet::new();
    for taken in drive.taken.iter().filter(|taken| seen.insert(&taken.key)) {
        // A channel that was gone for a while heard nothing of any end.
        for gone in absences(drive.facts_of(&taken.watch), &taken.channel) {
            if gone <= taken.up_to && left.insert((&taken.watch, &taken.channel, gone)) {
                burning.retain(|(channel, _), _| *channel != taken.channel);
            }
        }
        for (incident, status, told_before) in &taken.turns {
            let place = (taken.channel.as_str(), incident.as_str());
            let was = burning.get(&place).copied();
            match (status.as_str(), told_before, was) {
                ("firing", false, Some(key)) => {
                    found.push(format!("{place:?} began twice: {key}, {}", taken.key));
                }
                ("resolved" | "closed", true, None) => {
                    found.push(format!("{place:?} ended in {}, and had not begun", taken.key));
                }
                _ => {}
            }
            match status.as_str() {
                "firing" => burning.insert(place, &taken.key),
                _ => burning.remove(&place),
            };
        }
    }
}

/// The numbers of the facts after which a channel was no longer in the plan.
fn absences(facts: &[(Timestamp, Fact)], channel: &str) -> Vec<u64> {
    let is_there = |plan: &Plan| plan.channels.iter().any(|one| *one.name.as_str() == *channel);
    let gone = facts.iter().zip(1u64..).filter_map(|((_, fact), seq)| match fact {
        Fact::PlanChanged { plan, .. } if !is_there(plan) => Some(seq),
        _ => None,
    });
    gone.collect()
}

/// What an ended watch still learns is how its letters and files fare, and who
/// is told in the place of whom it cannot reach.
fn nothing_observed_after_the_end(facts: &[(Timestamp, Fact)], found: &mut Vec<String>) {
    let end = facts.iter().position(|(_, fact)| matches!(fact, Fact::Ended { .. }));
    for (_, fact) in facts.iter().skip(end.map_or(facts.len(), |end| end + 1)) {
        match fact {
            Fact::Sent { .. }
            | Fact::Receipt { .. }
            | Fact::FellBack { .. }
            | Fact::Published { .. }
            | Fact::Resumed { .. }
            | Fact::Stopped {}
            | Fact::ClockStepped { .. }
            | Fact::PlanChanged { .. }
            | Fact::ReloadFailed { .. }
            | Fact::StoreFailed { .. }
            | Fact::Limit { .. } => {}
            _ => found.push(format!("noted after the end: {fact:?}")),
        }
    }
}

fn is_change(fact: &Fact) -> bool {
    matches!(fact, Fact::PlanChanged { .. })
}

/// Each plan that was followed, with the number of the fact that it came with.
fn plans(facts: &[(Timestamp, Fact)]) -> Vec<(u64, &Plan)> {
    let plan = |(index, (_, fact)): (usize, &'_ (Timestamp, Fact))| match fact {
        Fact::Opened { .. } | Fact::PlanChanged { .. } => Some(index as u64 + 1),
        _ => None,
    };
    let numbers = facts.iter().enumerate().filter_map(plan);
    numbers
        .map(|number| match &facts[number as usize - 1].1 {
            Fact::Opened { plan, .. } | Fact::PlanChanged { plan, .. } => (number, &**plan),
            _ => unreachable!("only these have a plan"),
        })
        .collect()
}

/// A target that has left is not looked at.
fn nothing_of_those_who_left(
    facts: &[(Timestamp, Fact)],
    replayed: &Record,
    found: &mut Vec<String>,
) {
    let is_fixed = replayed.plan.sources.is_empty();
    if is_fixed && !facts.iter().any(|(_, fact)| is_change(fact)) {
        return;
    }
    let (first, rest) = facts.split_first().expect("a watch begins with a fact");
    let mut record = Record::open(first.0, &first.1).expect("the first opens it");
    for (at, fact) in rest {
        if let Fact::Health { target, .. } | Fact::Scraping { target, .. } = fact
            && !record.live().any(|live| live.name == *target)
        {
            found.push(format!("{target} is looked at, and is not there: {fact:?}"));
        }
        record.apply(*at, fact.clone());
    }
}

fn numbered_without_gaps(drive: &Drive, id: &WatchId, found: &mut Vec<String>) {
    for (index, noted) in drive.disk.iter().filter(|noted| noted.watch == *id).enumerate() {
        if noted.seq != index as u64 + 1 {
            found.push(format!("fact {} bears the number {}", index + 1, noted.seq));
            return;
        }
    }
}

/// Every item of news that a channel takes, and goes on to take whatever is
/// reloaded, lies in a letter that it holds, unless it is broken for good.
fn nothing_lost(drive: &Drive, id: &WatchId, record: &Record, found: &mut Vec<String>) {
    let plans = plans(drive.facts_of(id));
    for channel in &record.plan.channels {
        let known = &record.channels[&channel.name];
        if known.broken {
            continue;
        }
        let held: Vec<(u64, u64)> = drive
            .taken
            .iter()
            .filter(|taken| taken.watch == *id && *channel.name.as_str() == taken.channel)
            .map(|taken| (taken.after, taken.up_to))
            .collect();
        for news in &record.news {
            let takes = |plan: &Plan| {
                let known = plan.channels.iter().find(|known| known.name == channel.name);
                known.is_some_and(|known| news.item.concerns(known))
            };
            let since = plans.partition_point(|(seq, _)| *seq <= news.seq).saturating_sub(1);
            let is_taken = plans[since..].iter().all(|(_, plan)| takes(plan));
            let is_held = held.iter().any(|(after, up_to)| *after < news.seq && news.seq <= *up_to);
            // A reminder that is not taken in three tries is let go.
            let is_owed = !matches!(news.item, Item::Reminder { .. });
            if is_owed && is_taken && !is_held {
                found.push(format!(
                    "{} never held news {}: {:?}",
                    channel.name, news.seq, news.item
                ));
            }
        }
    }
}

/// One key, one content; the same news twice only under one key; a resolve
/// never before its fire: letters to a channel never go back.
fn repeats_keep_their_key(
    drive: &Drive,
    id: &WatchId,
    facts: &[(Timestamp, Fact)],
    found: &mut Vec<String>,
) {
    let all = || drive.taken.iter().filter(|taken| taken.watch == *id);
    let mut content: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let mut reached: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for taken in all() {
        let named = (taken.channel.as_str(), taken.key.as_str());
        if *content.entry(named).or_insert(&taken.words) != taken.words {
            found.push(format!("key {} was used for two contents", taken.key));
        }
        let (end, key) = reached.entry(&taken.channel).or_insert((0, ""));
        if taken.after < *end && *key != taken.key {
            found.push(format!(
                "{} was told again what it held, under another key: {}..{} after {end}",
                taken.channel, taken.after, taken.up_to
            ));
        }
        if taken.up_to >= *end {
            (*end, *key) = (taken.up_to, &taken.key);
        }
    }
    let mut tries: BTreeMap<&str, u32> = BTreeMap::new();
    for taken in all() {
        *tries.entry(&taken.key).or_default() += 1;
    }
    let unknown: BTreeSet<&str> = facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Fact::Receipt { key, outcome: Outcome::Unknown { .. }, .. }
            | Fact::Replayed { key, .. } => Some(key.as_str()),
            _ => None,
        })
        .collect();
    for (key, times) in tries {
        let excused = drive.crashes > 0 || unknown.contains(key);
        if times > 1 && !excused {
            found.push(format!("letter {key} was carried {times} times for no reason"));
        }
    }
}

/// No alert fires before its rule's hold, nor with less than its breaches.
fn nothing_early(facts: &[(Timestamp, Fact)], record: &Record, found: &mut Vec<String>) {
    let plans = plans(facts);
    for (key, alert) in &record.alerts {
        for episode in &alert.episodes {
            let known = |plan: &Plan| plan.rules.iter().find(|rule| rule.name == key.rule).cloned();
            let at = facts.partition_point(|(at, _)| *at <= episode.fired_at) as u64;
            let then = plans.iter().rev().filter(|(seq, _)| *seq <= at);
            let hold =
                then.filter_map(|(_, plan)| known(plan)).next().map_or(Span::ZERO, |r| r.hold);
            if episode.fired_at.since(episode.since) < hold {
                found.push(format!("{} fired before its time", key.rule));
            }
        }
    }
}

fn windows_close_once(facts: &[(Timestamp, Fact)], record: &Record, found: &mut Vec<String>) {
    let mut closed: BTreeMap<String, u32> = BTreeMap::new();
    for (_, fact) in facts {
        if let Fact::WindowClosed { window, .. } = fact {
            *closed.entry(window.to_string()).or_default() += 1;
        }
    }
    // A short summary stands for all windows that were open when it ended.
    let is_short = matches!(record.ended, Some(Ending::Superseded { .. }));
    let short = closed.remove(CLOSING).unwrap_or(0);
    if short != u32::from(is_short) {
        found.push(format!("{short} closing summaries"));
    }
    for window in &record.plan.windows {
        let times = closed.get(window.name.as_str()).copied().unwrap_or(0);
        if times > 1 || times == 0 && !is_short {
            found.push(format!("window {} closed {times} times", window.name));
        }
    }
}

/// Each instant of a digest in the open time of its watch is told by one
/// digest, or counted by one as missed.
fn digests_come_once(facts: &[(Timestamp, Fact)], record: &Record, found: &mut Vec<String>) {
    if facts.iter().any(|(_, fact)| is_change(fact)) {
        return; // the calendar may be another since
    }
    let length = record.plan.windows.iter().map(|w| w.length).max().unwrap_or(Span::ZERO);
    let mut end = record.release.at + length;
    if let Some((at, _)) = facts.iter().find(|(_, fact)| matches!(fact, Fact::Ended { .. })) {
        end = end.min(*at);
    }
    for digest in &record.plan.digests {
        let mut next = digest.schedule.next(record.opened_at);
        for (_, fact) in facts {
            let Fact::Digest(told) = fact else { continue };
            if told.digest != digest.name {
                continue;
            }
            for _ in 0..told.missed {
                next = next.and_then(|at| digest.schedule.next(at));
            }
            if next != Some(told.due) {
                found.push(format!("{} told {}, and {next:?} was due", digest.name, told.due));
            }
            next = next.and_then(|at| digest.schedule.next(at));
        }
        if next.is_some_and(|at| at < end) {
            found.push(format!("{} never told what was due at {next:?}", digest.name));
        }
    }
}

/// Blocks and blind time together are the whole watch, without overlap.
fn coverage_adds_up(record: &Record, found: &mut Vec<String>) {
    let mut parts: Vec<_> = record.blocks.iter().map(|block| (block.from, block.to)).collect();
    parts.extend(record.blind.iter().map(|blind| (blind.from, blind.to)));
    parts.sort();
    let mut at = record.release.at;
    for (from, to) in parts {
        if from != at {
            found.push(format!("between {at} and {from} neither observed nor blind"));
            return;
        }
        at = to;
    }
    if matches!(record.ended, Some(Ending::Superseded { .. })) {
        return; // it ended before its time, and was observed to that end
    }
    let length = record.plan.windows.iter().map(|w| w.length).max().unwrap_or(Span::ZERO);
    let missing = (record.release.at + length).since(at);
    if missing > 2 * SECOND {
        found.push(format!("the last {missing} are neither observed nor blind"));
    }
}
