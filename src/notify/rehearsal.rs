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
    Record::open(now, &opened).expect("an opened fact opens a record")
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
