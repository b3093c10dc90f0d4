//! The play of a rehearsal: an alert that is none, told to one channel as a
//! real one would be, from pending to resolved.

use crate::judge::{Bound, Phase, Rule};
use crate::model::{Channel, Labels, MINUTE, Name, Number, Release, Routing, Severity, Timestamp};
use crate::record::{Fact, Plan, Record, Stage};

/// The alert's name: whoever reads it has to know at first sight.
const RULE: &str = "Rehearsal";

/// The version that it is told of: no release bears it.
const VERSION: &str = "rehearsal";

const SUMMARY: &str = "This is a rehearsal: nothing is wrong, and nothing has to be done. \
                       bakewatch tests that its alerts arrive here.";

/// The same where a person is asked whether it did. The link stands where a
/// runbook does: it is what there is to do.
const SUMMARY_THAT_ASKS: &str = "This is a rehearsal: nothing is wrong. bakewatch tests that its \
                                 alerts arrive where people look: please follow the link named \
                                 runbook, and say there that you have seen this.";

/// A record in which nothing but the play will happen. The channel takes it
/// whatever it takes else, and at once.
pub fn stage_for(plan: &Plan, channel: &Channel, now: Timestamp) -> Record {
    let version = Name::from(VERSION);
    let release = Release { service: plan.service.clone(), version, at: now };
    let routing = Routing::default();
    let channel = Channel { severities: Severity::ALL.to_vec(), routing, ..channel.clone() };
    let plan = Plan {
        channels: vec![channel],
        rules: vec![rule()],
        digests: Vec::new(),
        maintenance: Vec::new(),
        inhibits: Vec::new(),
        ..plan.clone()
    };
    let opened = Fact::Opened { release, plan: Box::new(plan), by: String::new() };
    let mut record = Record::open(now, &opened).expect("an opened fact opens a record");
    record.news.clear(); // a release that is none is not out
    record
}

/// From now on its letters bear a link, by which whoever reads one says so.
pub fn ask(record: &Record, address: &str) -> Fact {
    let ask = |rule: &Rule| Rule {
        summary: SUMMARY_THAT_ASKS.to_owned(),
        runbook: Some(address.to_owned()),
        ..rule.clone()
    };
    let rules = record.plan.rules.iter().map(ask).collect();
    let plan = Box::new(Plan { rules, ..record.plan.clone() });
    Fact::PlanChanged { plan, changes: Vec::new(), renewed: Vec::new() }
}

/// What happens in it.
pub fn play(stage: Stage, channel: &Name, now: Timestamp) -> Vec<Fact> {
    let since = now - 2 * MINUTE;
    let turn = |phase, value| {
        let (rule, labels) = (RULE.into(), Labels::default());
        Fact::Alert { rule, labels, phase, value: Number(value) }
    };
    match stage {
        Stage::Firing => {
            vec![turn(Phase::Pending { since }, 1.0), turn(Phase::Firing { since }, 1.0)]
        }
        Stage::Reminder => {
            let (rule, labels, to) = (RULE.into(), Labels::default(), vec![channel.clone()]);
            vec![Fact::Reminded { rule, labels, number: 1, to }]
        }
        Stage::Resolved => vec![turn(Phase::Inactive, 0.0)],
    }
}

fn rule() -> Rule {
    Rule {
        name: RULE.into(),
        signal: "rehearsal".into(),
        quantile: None,
        bound: Bound::Above(0.0),
        by_window: Vec::new(),
        of_baseline: None,
        hold: 2 * MINUTE,
        recover: 2 * MINUTE,
        breaches_min: 1,
        calms_min: 1,
        evidence_min: 0.0,
        severity: Severity::Critical,
        summary: SUMMARY.to_owned(),
        runbook: None,
        labels: Labels::default(),
        imported: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Form, Medium, Secret};
    use crate::notify::fixture::Story;
    use crate::notify::{Body, Owed, hash, owed};
    use crate::record::Outcome;

    /// The words of each letter of a play, taken one after the other.
    fn letters(channel: &Channel, links: &[&str]) -> Vec<String> {
        let now = Timestamp::from_millis(1_795_914_000_000);
        let mut record = stage_for(&Story::new().record.plan, channel, now);
        let mut words = Vec::new();
        for (stage, link) in Stage::ALL.into_iter().zip(links) {
            let ask = ask(&record, link);
            let play = play(stage, &channel.name, now);
            [ask].into_iter().chain(play).for_each(|fact| record.apply(now, fact));
            let channel = record.plan.channels[0].clone();
            while let Owed::Letter(letter) = owed(&record, &channel) {
                words.push(match &letter.body {
                    Body::Mail { text, html, .. } => format!("{text}\n{html}"),
                    other => format!("{other:?}"),
                });
                let (channel, key) = (letter.channel.clone(), letter.key.clone());
                let (after, up_to, hash) = (letter.after, letter.up_to, hash(&letter));
                let sent = Fact::Sent { channel, key, after, up_to, hash, waited: None };
                record.apply(now, sent);
                let (channel, key) = (letter.channel.clone(), letter.key.clone());
                let outcome = Outcome::Accepted { detail: String::new() };
                record.apply(now, Fact::Receipt { channel, key, outcome });
            }
        }
        words
    }

    #[test]
    fn bears_in_each_letter_the_link_that_is_its_own() {
        let story = Story::new();
        let url = Secret::Config("chat".into());
        let slack = Medium::Post { form: Form::Slack, url, token: None };
        let chat = Channel { medium: slack, ..story.channel("chat") };
        let links = ["https://a.example/1", "https://a.example/2", "https://a.example/3"];
        for channel in [story.channel("on-call"), chat] {
            let letters = letters(&channel, &links);
            assert_eq!(letters.len(), 3, "{letters:?}");
            for (at, letter) in letters.iter().enumerate() {
                let borne: Vec<bool> = links.iter().map(|link| letter.contains(link)).collect();
                assert_eq!(borne, [0, 1, 2].map(|other| other == at), "{letter}");
            }
        }
        let mail = &letters(&story.channel("on-call"), &links)[0];
        assert!(mail.contains("href=\"https://a.example/1\""), "{mail}");
    }
}
