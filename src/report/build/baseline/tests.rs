//! Of which release, and what is made of its measurements.

use super::*;
use crate::judge::{Bound, OfBaseline};
use crate::model::{HOUR, Measurement, Name, Release};
use crate::record::{Block, Fact, Row};
use crate::report::tests::fixture;

const T0: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn plan(rules: &[(&str, &str, Bound, Option<f64>)]) -> Plan {
    let mut plan = fixture::plan(vec![fixture::window("first-hour", HOUR)]);
    let usual = plan.rules.clone();
    plan.rules.clear();
    for (name, signal, bound, at_least) in rules.iter().copied() {
        let like = usual.iter().find(|rule| rule.signal == *signal).unwrap_or(&usual[2]);
        let of_baseline = Some(OfBaseline { at_least });
        let (name, signal) = (name.into(), signal.into());
        plan.rules.push(Rule { name, signal, bound, of_baseline, ..like.clone() });
    }
    plan
}

/// A release whose window closed with this verdict, and what it measured, a
/// measurement of each signal every five minutes.
fn earlier(version: &str, verdict: Verdict, rows: &[(&str, Vec<Measurement>)]) -> Record {
    let release = Release { service: "chat-agent".into(), version: version.into(), at: T0 };
    let plan = Box::new(plan(&[]));
    let opened = Fact::Opened { release, plan, by: "0".to_owned() };
    let mut record = Record::open(T0, &opened).unwrap();
    record.apply(T0, Fact::Matched(fixture::matched()));
    for index in 0..rows.iter().map(|(_, all)| all.len()).max().unwrap_or(0) {
        let from = T0 + i64::try_from(index).unwrap() * RANGE;
        let row = |(signal, all): &(&str, Vec<Measurement>)| Row {
            signal: Name::from(*signal),
            seen: 1,
            measured: all.get(index).cloned(),
        };
        let rows = rows.iter().map(row).collect();
        let block = Block { from, to: from + RANGE, slots: 1, seen: 1, rows, ..Block::default() };
        record.apply(from + RANGE, Fact::Measured(block.into()));
    }
    let window = record.plan.windows[0].clone();
    let mut summary = super::super::build(&record, &window, T0 + HOUR, T0 + HOUR);
    summary.verdict = verdict;
    let closed = Fact::WindowClosed { window: window.name, summary: Box::new(summary) };
    record.apply(T0 + HOUR, closed);
    record.apply(T0 + HOUR, Fact::Ended { reason: crate::record::Ending::Complete });
    record
}

fn ratios(shares: &[f64]) -> Vec<Measurement> {
    let ratio =
        |share: &f64| Measurement::Ratio { num: Number(share * 1000.0), den: Number(1000.0) };
    shares.iter().map(ratio).collect()
}

/// The line that a report has of each rule, for a release after these.
fn check(rules: &[(&str, &str, Bound, Option<f64>)], before: Vec<Record>, lines: &[&str]) {
    let plan = plan(rules);
    let baseline = baseline(before, &plan).expect("a rule asks for it");
    let release = Release { service: "chat-agent".into(), version: "v9".into(), at: T0 };
    let opened = Fact::Opened { release, plan: Box::new(plan), by: "0".to_owned() };
    let mut record = Record::open(T0, &opened).unwrap();
    record.apply(T0, Fact::Baseline(baseline));
    assert_eq!(baseline_lines(&record), lines);
    let lacking = record.plan.rules.iter().map(|rule| record.lacks_baseline(rule));
    let said = lines.iter().map(|line| line.contains("no baseline"));
    assert!(lacking.eq(said), "{lines:?}");
}

const ERRORS: (&str, &str, Bound, Option<f64>) = ("Up", "error_ratio", Bound::Above(1.5), None);

#[test]
fn takes_the_median_of_the_last_healthy_release() {
    let mut shares = vec![0.004; 20];
    shares[7] = 0.9; // one bad stretch moves no median
    let good = earlier("v2", Verdict::Healthy, &[("error_ratio", ratios(&shares))]);
    let older = earlier("v1", Verdict::Healthy, &[("error_ratio", ratios(&[0.5; 20]))]);
    let bad = earlier("v3", Verdict::Degraded, &[("error_ratio", ratios(&[0.5; 20]))]);
    check(
        &[ERRORS, ("Down", "error_ratio", Bound::Below(0.5), None)],
        vec![bad, good, older],
        &[
            "Up: above 0.6% (1.5x); v2 had 0.4%, the median of 20 readings",
            "Down: below 0.2% (0.5x); v2 had 0.4%, the median of 20 readings",
        ],
    );
}

#[test]
fn says_why_there_is_none() {
    check(&[ERRORS], Vec::new(), &["Up: no baseline: no earlier release was watched here"]);
    let bad = |version, verdict| earlier(version, verdict, &[]);
    let before = vec![bad("v2", Verdict::Failed), bad("v1", Verdict::Inconclusive)];
    let line = "Up: no baseline: no earlier release was healthy (v2 failed, v1 inconclusive)";
    check(&[ERRORS], before, &[line]);
    let few = earlier("v1", Verdict::Healthy, &[("error_ratio", ratios(&[0.1; 11]))]);
    let line = "Up: no baseline from v1: there are 11 readings of error_ratio, 12 are needed";
    check(&[ERRORS], vec![few], &[line]);
    assert_eq!(baseline([], &plan(&[])), None, "nobody asks");
}

#[test]
fn passes_over_a_release_that_never_had_traffic() {
    let rows = [("error_ratio", ratios(&[0.1; 11]))]; // less than an hour
    let mut bake = earlier("v2", Verdict::Healthy, &rows);
    bake.plan.windows[0].traffic = false;
    let good = earlier("v1", Verdict::Healthy, &[("error_ratio", ratios(&[0.004; 20]))]);
    let line = "Up: above 0.6% (1.5x); v1 had 0.4%, the median of 20 readings";
    check(&[ERRORS], vec![bake, good], &[line]);
}

#[test]
fn goes_no_lower_than_what_is_borne_in_any_case() {
    let none = || vec![earlier("v1", Verdict::Healthy, &[("error_ratio", ratios(&[0.0; 20]))])];
    let line = "Up: no baseline from v1: error_ratio was 0; `at-least` says what is borne in any \
                case";
    check(&[ERRORS], none(), &[line]);
    let floor = ("Up", "error_ratio", Bound::Above(1.5), Some(0.01));
    let line = "Up: above 1% (1.5x); v1 had 0%, the median of 20 readings";
    check(&[floor], none(), &[line]);
}

#[test]
fn puts_the_bound_of_a_quantile_on_a_bucket_and_reads_a_gauge_by_its_mean() {
    let histogram = |counts: [f64; 4]| Measurement::Buckets {
        bounds: [0.1, 0.5, 1.0, f64::INFINITY].map(Number).into(),
        counts: counts.map(Number).to_vec(),
    };
    let quick = vec![histogram([980.0, 1000.0, 1000.0, 1000.0]); 20];
    let memory = vec![Measurement::gauge(2e9); 20];
    let rows = [("latency", quick), ("memory_bytes", memory)];
    check(
        &[
            ("Slower", "latency", Bound::Above(1.5), None),
            ("Larger", "memory_bytes", Bound::Above(1.25), None),
        ],
        vec![earlier("v1", Verdict::Healthy, &rows)],
        &[
            "Slower: above 500ms (1.5x); v1 had 300ms, the median of 20 readings",
            "Larger: above 2.33 GiB (1.25x); v1 had 1.86 GiB, the median of 20 readings",
        ],
    );
    let slow = vec![histogram([0.0, 0.0, 900.0, 1000.0]); 20];
    let line = "Slower: no baseline from v1: it lies beyond the last bucket of its histogram";
    let slow = earlier("v1", Verdict::Healthy, &[("latency", slow)]);
    check(&[("Slower", "latency", Bound::Above(1.5), None)], vec![slow], &[line]);
}

#[test]
fn goes_by_the_past_of_a_source_where_no_release_was_watched() {
    let mut plan = plan(&[ERRORS]);
    let signal = Signal {
        name: "error_ratio".into(),
        unit: Unit::Ratio,
        shape: Shape::Ratio { num: "bad".into(), den: "every".into() },
        range: RANGE,
        source: Some("main".into()),
    };
    let at = |step: i64| T0 - HOUR - RANGE + step * RANGE;
    let rows = |value: f64| {
        let points = (1..=12).map(|step| (at(step), value)).collect();
        vec![(crate::model::Labels::default(), points)]
    };
    let answers = [("bad".into(), rows(2.0)), ("every".into(), rows(400.0))];
    let rule = plan.rules.remove(0);
    let level = crate::report::level_of_past(&rule, &signal, &[], &answers);
    plan.rules.push(rule);
    let past = crate::record::Past { source: "main".into(), from: T0 - HOUR, to: T0 };
    let baseline = Baseline { past: Some(past), levels: vec![level], ..Baseline::default() };
    let release = Release { service: "chat-agent".into(), version: "v1".into(), at: T0 };
    let opened = Fact::Opened { release, plan: Box::new(plan), by: "0".to_owned() };
    let mut record = Record::open(T0, &opened).unwrap();
    record.apply(T0, Fact::Baseline(baseline));
    let (from, to) = ((T0 - HOUR).for_people(), T0.for_people());
    let line = format!(
        "Up: above 0.75% (1.5x); main of {from} to {to} had 0.5%, the median of 12 readings"
    );
    assert_eq!(baseline_lines(&record), [line]);
    assert!(!record.lacks_baseline(&record.plan.rules[0]));
}
