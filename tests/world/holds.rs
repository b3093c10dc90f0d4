//! What must hold of alerts that nobody was told of: each beginning is told, or
//! held back for a reason that is there, and for no longer than that; each end
//! of what was told is told.

use bakewatch::judge::Phase;
use bakewatch::model::Timestamp;
use bakewatch::record::{AlertKey, AlertRecord, Fact, Hold, Item, Record};

/// Goes through the facts of a watch as they came.
pub fn complaints(facts: &[(Timestamp, Fact)], found: &mut Vec<String>) {
    let (first, rest) = facts.split_first().expect("a watch begins with a fact");
    let mut record = Record::open(first.0, &first.1).expect("the first opens it");
    let (mut is_stopped, mut in_doubt_until) = (false, first.0);
    for (at, fact) in rest.iter().filter(|(_, fact)| !matches!(fact, Fact::Measured(_))) {
        if *at > record.at && !is_stopped && *at > in_doubt_until && is_observing(&record) {
            found.extend(record.alerts.iter().filter_map(|(key, alert)| late(&record, key, alert)));
        }
        match fact {
            Fact::Stopped {} => is_stopped = true,
            Fact::Resumed { .. } => {
                // Nobody has looked yet whether it still burns.
                let every = record.plan.windows.iter().map(|window| window.every).max();
                (is_stopped, in_doubt_until) = (false, *at + every.unwrap_or_default());
            }
            _ => {}
        }
        let before = key_of(fact).map(|key| record.alerts.get(&key).cloned().unwrap_or_default());
        // What was measured is no news, and bears numbers all the same.
        record.apply(*at, fact.clone());
        if let Some((key, before)) = key_of(fact).zip(before) {
            found.extend(wrong(&record, fact, &key, &before));
        }
    }
}

fn is_observing(record: &Record) -> bool {
    record.ended.is_none() && record.poisoned.is_none() && record.succession.by.is_none()
}

fn key_of(fact: &Fact) -> Option<AlertKey> {
    let (rule, labels) = match fact {
        Fact::Alert { rule, labels, .. }
        | Fact::Held { rule, labels, .. }
        | Fact::Freed { rule, labels }
        | Fact::Flapping { rule, labels, .. } => (rule.clone(), labels.clone()),
        _ => return None,
    };
    Some(AlertKey { rule, labels })
}

/// Held back when its reason was over at the end of a turn. What came from the
/// release before is told when it was seen to burn under this one.
fn late(record: &Record, key: &AlertKey, alert: &AlertRecord) -> Option<String> {
    if alert.is_only_inherited() {
        return None;
    }
    let why = alert.held.as_ref().filter(|_| matches!(alert.phase, Phase::Firing { .. }))?;
    let at = record.at;
    (!is_there(record, key, why)).then(|| format!("{key:?} is held at {at}, and not by {why}"))
}

fn is_there(record: &Record, key: &AlertKey, why: &Hold) -> bool {
    match why {
        Hold::Silence { id, .. } => record.silences.iter().any(|known| {
            let labels = record.labels_for_matchers(key);
            let silence = &known.silence;
            let may = silence.may_hold(record.rule(&key.rule).severity);
            silence.id == *id && known.holds(record.at) && may && silence.matchers.fit(&labels)
        }),
        Hold::Maintenance { name } => {
            let mut planned = record.plan.maintenance.iter();
            planned.any(|window| window.name == *name && window.ends(record.at).is_some())
        }
        Hold::Inhibition { rule, labels } => {
            let parent = AlertKey { rule: rule.clone(), labels: labels.clone() };
            parent != *key && record.alerts.contains_key(&parent)
        }
        Hold::Flapping => record.alerts[key].flapping.is_some(),
    }
}

fn wrong(record: &Record, fact: &Fact, key: &AlertKey, before: &AlertRecord) -> Option<String> {
    let alert = &record.alerts[key];
    let told = || record.news.iter().rev().take_while(|news| news.seq == record.seq);
    let is_told = |is_it: fn(&Item) -> bool| told().any(|news| is_it(&news.item));
    let begins = is_told(|item| matches!(item, Item::Fired(_)));
    let ends = is_told(|item| matches!(item, Item::Resolved(_)));
    let what = match fact {
        Fact::Held { why, .. } if !is_there(record, key, why) => {
            format!("held by {why}, which is not")
        }
        Fact::Alert { .. } => match (before.phase.is_firing(), alert.phase.is_firing()) {
            (false, true) if before.held.is_none() && !before.told && !begins => {
                "not told".to_owned()
            }
            (false, true) if before.held.is_some() && begins => "held, and told".to_owned(),
            (true, false) if before.told && before.flapping.is_none() && !ends => {
                "its end is not told".to_owned()
            }
            (true, false) if !before.told && ends => "its end is told, its fire was not".to_owned(),
            _ => return None,
        },
        Fact::Freed { .. } if !begins => "freed, and not told".to_owned(),
        _ => return None,
    };
    Some(format!("{}: {what}: {fact:?}", record.at))
}
