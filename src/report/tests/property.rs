//! Whatever the record holds, a report can be made of it, and its time adds up.

use std::sync::Arc;

use proptest::prelude::*;

use super::fixture;
use crate::judge::Window;
use crate::model::{Measurement, Name, Number, Release, Span, Timestamp};
use crate::record::{Blind, Block, Fact, Record, Row, Tally};
use crate::report::{FORMATS, build, mail_html};

/// All that a float can be.
fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        4 => (-1e3..1e6).prop_map(Number),
        1 => prop::num::f64::ANY.prop_map(Number),
        1 => Just(Number(f64::NAN)),
    ]
}

fn measurement() -> impl Strategy<Value = Measurement> {
    let numbers = || prop::collection::vec(number(), 0..5);
    prop_oneof![
        (number(), number()).prop_map(|(num, den)| Measurement::Ratio { num, den }),
        (number(), number(), number(), 0..5_u32)
            .prop_map(|(min, mean, max, n)| Measurement::Gauge { min, mean, max, n }),
        (numbers(), numbers()).prop_map(|(mut bounds, mut counts)| {
            bounds.push(Number(f64::INFINITY));
            counts.push(Number(9.0));
            Measurement::Buckets { bounds: Arc::from(bounds), counts }
        }),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let names = prop::sample::select(vec!["healthy_replicas", "error_ratio", "latency", "other"]);
    (names, 0..9_u32, prop::option::of(measurement())).prop_map(|(signal, seen, measured)| Row {
        signal: signal.into(),
        seen,
        measured,
    })
}

/// Stretches near the release, also before it, empty and backwards.
fn stretch() -> impl Strategy<Value = (Timestamp, Timestamp)> {
    (-500_000..5_000_000_i64, -1_000..900_000_i64).prop_map(|(from, length)| {
        let from = fixture::start() + Span::from_millis(from);
        (from, from + Span::from_millis(length))
    })
}

fn block() -> impl Strategy<Value = Block> {
    let tally = (any::<u32>(), any::<u32>()).prop_map(|(ok, failed)| {
        (Name::from("10.0.0.11:8000"), Tally { ok, failed, ..Tally::default() })
    });
    let tallies = prop::collection::vec(tally, 0..3);
    let rows = prop::collection::vec(row(), 0..5);
    (stretch(), 0..9_u32, 0..12_u32, tallies, rows).prop_map(
        |((from, to), slots, seen, tallies, rows)| Block {
            data_sources: Vec::new(),
            from,
            to,
            slots,
            seen,
            tallies,
            checks: Vec::new(),
            rows,
        },
    )
}

fn record() -> impl Strategy<Value = Record> {
    let blind = stretch().prop_map(|(from, to)| Blind { from, to, why: "we slept".to_owned() });
    let parts =
        (prop::collection::vec(block(), 0..12), prop::collection::vec(blind, 0..6), any::<bool>());
    parts.prop_map(|(blocks, blind, is_matched)| {
        let window = fixture::window("1h", Span::from_secs(3600));
        let plan = Box::new(fixture::plan(vec![window]));
        let at = fixture::start();
        let release = Release { service: "s".into(), version: "v".into(), at };
        let opened = Fact::Opened { release, plan, by: String::new() };
        let mut record = Record::open(at, &opened).expect("a record");
        if is_matched {
            record.apply(at, Fact::Matched(fixture::matched()));
        }
        record.blocks = blocks.into_iter().map(Arc::new).collect();
        record.blind = blind;
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn makes_a_report_of_any_record_and_its_blind_time_lies_apart_within_the_window(
        record in record(),
        length in 0..7_200_000_i64,
    ) {
        let window = Window {
            name: "1h".into(),
            length: Span::from_secs(3600),
            every: Span::from_secs(30),
            traffic: true,
        };
        let to = record.release.at + Span::from_millis(length);
        let summary = build(&record, &window, to, to);
        prop_assert!(!summary.reasons.is_empty());
        let ratio = summary.coverage.health_ratio.0;
        prop_assert!((0.0..=1.0).contains(&ratio), "{ratio}");
        let mut reached = summary.from;
        for blind in &summary.coverage.blind {
            prop_assert!(reached <= blind.from && blind.from < blind.to && blind.to <= to);
            reached = blind.to;
        }
        for (_, render) in FORMATS {
            prop_assert!(!render(&summary).is_empty());
        }
        prop_assert!(mail_html(&summary).len() < 100_000);
        for line in crate::report::text(&summary).lines() {
            prop_assert!(line.chars().count() <= 78, "{line}");
        }
    }

    #[test]
    fn accounts_for_every_moment_as_seen_or_as_blind(
        record in record(),
        length in 0..7_200_000_i64,
    ) {
        let whole = Span::from_millis(length);
        let (seen, blind) = crate::report::build::account(&record, record.release.at + whole);
        prop_assert_eq!(seen + blind, whole);
    }
}
