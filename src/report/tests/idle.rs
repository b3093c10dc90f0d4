//! A window in which no traffic is expected, and the one after it.

use super::fixture;
use crate::judge::Window;
use crate::metrics::{Shape, Signal, Unit};
use crate::model::{HOUR, MINUTE, Measurement, Name, Number, Release, Span, Timestamp};
use crate::record::{Block, Fact, Record, Row, Summary};
use crate::report::build;

const BAKE: Span = Span::from_secs(30 * 60);

/// An hour: half of it without a request, then some. Tokens are counted by a
/// family that never has a series; no limit of memory was ever set.
fn record() -> Record {
    let bake = Window { traffic: false, ..fixture::window("bake", BAKE) };
    let plan = Box::new(fixture::plan(vec![bake, fixture::window("first-hour", HOUR)]));
    let at = fixture::start();
    let release = Release { service: "s".into(), version: "v".into(), at };
    let opened = Fact::Opened { release, plan, by: String::new() };
    let mut record = Record::open(at, &opened).expect("a record");
    let mut matched = fixture::matched();
    for (name, unit) in [("token_rate", Unit::PerSecond), ("memory_ratio", Unit::Ratio)] {
        let shape = Shape::Gauge { query: "x".to_owned() };
        matched.signals.push(Signal {
            name: name.into(),
            unit,
            shape,
            range: 5 * MINUTE,
            source: None,
        });
    }
    record.apply(at, Fact::Matched(matched));
    for minute in 0..60 {
        let from = at + minute * MINUTE;
        let is_idle = minute < 30;
        let events = Measurement::Ratio { num: Number(1.0), den: Number(1000.0) };
        let gauge =
            Measurement::Gauge { min: Number(3.0), mean: Number(3.0), max: Number(3.0), n: 2 };
        let row = |name: &str, measured: Option<&Measurement>| Row {
            signal: Name::from(name),
            seen: if measured.is_some() { 2 } else { 0 },
            measured: measured.cloned(),
        };
        let tally = crate::record::Tally { ok: 2, scraped: 2, ..Default::default() };
        let block = Block {
            from,
            to: from + MINUTE,
            slots: 2,
            seen: 2,
            tallies: vec![("10.0.0.11:8000".into(), tally)],
            rows: vec![
                row("healthy_replicas", Some(&gauge)),
                row("memory_bytes", Some(&gauge)),
                row("error_ratio", (!is_idle).then_some(&events)),
                row("token_rate", None),
                row("memory_ratio", None),
            ],
            ..Block::default()
        };
        record.apply(from + MINUTE, Fact::Measured(block.into()));
    }
    record
}

fn reasons(summary: &Summary) -> Vec<&str> {
    summary.reasons.iter().map(|reason| reason.text.as_str()).collect()
}

fn built(record: &Record, window: usize, after: Span) -> Summary {
    let to: Timestamp = record.release.at + after;
    build(record, &record.plan.windows[window], to, to)
}

#[test]
fn holds_nothing_against_a_release_that_nobody_has_used() {
    let record = record();
    let bake = built(&record, 0, BAKE);
    let texts = reasons(&bake);
    let unseen = texts.iter().filter(|text| text.contains(" seen "));
    assert_eq!(unseen.count(), 0, "{texts:?}");
    let idle = "not watched, for want of requests: error_ratio, latency, request_rate, token_rate";
    assert!(texts.contains(&idle), "{texts:?}");
}

#[test]
fn counts_the_evidence_of_requests_from_the_end_of_the_idle_time_on() {
    let record = record();
    let hour = built(&record, 1, HOUR);
    let ratio = |summary: &Summary, name: &str| {
        let signal = summary.signals.iter().find(|signal| signal.name == *name);
        signal.expect("it is there").evidence_ratio.0
    };
    assert_eq!(ratio(&hour, "error_ratio"), 1.0);
    assert_eq!(ratio(&hour, "memory_bytes"), 1.0);
    let texts = reasons(&hour);
    assert!(texts.contains(&"token_rate was not seen at all"), "{texts:?}");
    assert!(texts.contains(&"latency was not seen at all"), "{texts:?}");
    assert_eq!(ratio(&built(&record, 1, 45 * MINUTE), "error_ratio"), 1.0);
}

#[test]
fn lists_a_share_that_never_had_a_value_as_not_watched() {
    let record = record();
    let hour = built(&record, 1, HOUR);
    let texts = reasons(&hour);
    assert!(texts.contains(&"not watched: memory_ratio"), "{texts:?}");
    let is_held = |record: &Record| {
        let hour = built(record, 1, HOUR);
        reasons(&hour).contains(&"memory_ratio was not seen at all")
    };
    assert!(!is_held(&record));
    // Whatever somebody asked for has to show itself.
    let mut required = record.clone();
    required.plan.require.push("memory_ratio".into());
    assert!(is_held(&required));
    let mut own = record.clone();
    let mut signal = own.matched.as_ref().expect("it is").signals[0].clone();
    signal.name = "memory_ratio".into();
    own.plan.signals.push(signal);
    assert!(is_held(&own));
    // Where pages could not be read, nothing is known of it.
    let mut unread = record.clone();
    unread.blocks = record
        .blocks
        .iter()
        .map(|block| {
            let mut block = Block::clone(block);
            block.tallies.iter_mut().for_each(|(_, tally)| tally.unscraped = 2);
            block.into()
        })
        .collect();
    assert!(is_held(&unread));
    // Nor where its own query is what fails.
    let (mut unanswered, at) = (record.clone(), record.observed_to());
    let what = "signal memory_ratio".into();
    unanswered.apply(at, Fact::Limit { target: None, what, detail: String::new() });
    assert!(is_held(&unanswered));
    // And behind a balancer nothing that grows can be told.
    let mut behind = record.clone();
    let what = crate::record::SAW_TOOTH.into();
    behind.apply(at, Fact::Limit { target: None, what, detail: String::new() });
    assert!(is_held(&behind));
}

#[test]
fn misses_what_a_rule_waits_for_and_nothing_that_the_plan_defines() {
    let mut record = record();
    let missed = |record: &Record| {
        let matched = record.matched.as_ref().expect("it is");
        record.plan.unmatched(matched).iter().map(Name::to_string).collect::<Vec<_>>()
    };
    assert_eq!(missed(&record), ["cost_rate"], "the tokens' family is there");
    let mut rule = record.plan.rules[0].clone();
    rule.signal = "cpu_ratio".into();
    record.plan.rules.push(rule);
    assert_eq!(missed(&record), ["cost_rate", "cpu_ratio"]);
    let mut signal = record.matched.as_ref().expect("it is").signals[0].clone();
    signal.name = "cost_rate".into();
    record.plan.signals.push(signal);
    assert_eq!(missed(&record), ["cpu_ratio"]);
    record.plan.rules.pop();
    assert!(missed(&record).is_empty());
}
