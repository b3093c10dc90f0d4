//! Any text as a query: an error that says where, or a query that can be
//! asked at any instant and over any time, in bounded time and memory. Besides
//! not to panic, an instant has to mean the same alone and in a range.
#![no_main]

use std::collections::BTreeMap;

use bakewatch::metrics::promql::{Answer, Mode, Query};
use bakewatch::metrics::{Series, stale_marker};
use bakewatch::model::{Labels, MINUTE, SECOND, Span, Timestamp};
use libfuzzer_sys::fuzz_target;

/// Where the samples begin: not at zero, so that ranges reach before them.
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fuzz_target!(|text: &str| {
    // `$range` is the parser's word only where it is asked for.
    if let Err(complaint) = Query::compile_ranged(text, MINUTE) {
        assert!(!complaint.what.is_empty(), "refused without a word");
        assert!(complaint.column <= text.chars().count() + 1, "beyond the text's end");
    }
    if let Ok(mut query) = Query::compile_ranged(text, MINUTE) {
        let series = series();
        for at in instants() {
            let _ = query.eval_over(&series, at, Mode::Anchored, 15 * SECOND);
            let _ = query.presence(&series, at);
        }
        assert!(query.needs().iter().all(|(_, back)| *back > Span::ZERO));
    }
    let Ok(mut query) = Query::compile_any(text) else { return };
    let series = series();
    let alone: Vec<_> = instants().map(|at| query.answer(&series, at)).collect();
    shown(&query);
    let range = query.range(&series, (START, START + 2 * MINUTE), MINUTE);
    shown(&query);
    // What asks for the range has another meaning in it, and orders are none.
    if let Ok(matrix) = range
        && !text.contains('@')
    {
        for (at, answer) in instants().zip(alone) {
            let Ok(answer) = answer else { panic!("an error alone, and none in a range") };
            let expected = values(answer);
            let row = |points: &[bakewatch::metrics::Point]| {
                points.iter().find(|point| point.at == at).map(|point| point.value.to_bits())
            };
            let came: BTreeMap<Labels, u64> = matrix
                .iter()
                .filter_map(|(labels, points)| Some((labels.clone(), row(points)?)))
                .collect();
            assert_eq!(expected, came, "at {at}");
        }
    }
});

fn instants() -> impl Iterator<Item = Timestamp> {
    (0..3).map(|step| START + step * MINUTE)
}

fn values(answer: Answer) -> BTreeMap<Labels, u64> {
    match answer {
        Answer::Scalar(value) => [(Labels::default(), value.to_bits())].into(),
        Answer::Vector(vector) => {
            vector.into_iter().map(|(labels, value)| (labels, value.to_bits())).collect()
        }
        Answer::Matrix(_) | Answer::Text(_) => panic!("a range query of what is no number"),
    }
}

fn shown(query: &Query) {
    for annotation in query.annotations() {
        assert!(annotation.to_string().starts_with("PromQL "));
    }
}

/// Counters, a gauge with gaps and an end, a histogram, names with dots.
fn series() -> Series {
    let mut series = Series::new();
    let mut add = |name: &str, labels: &[(&str, &str)], value: fn(i64) -> Option<f64>| {
        series.keep(name, 60 * MINUTE);
        let id = series.intern(name, &Labels::from_pairs(labels.iter().copied()));
        for step in -20..10 {
            if let Some(value) = value(step) {
                series.push(id, START + step * 15 * SECOND, value);
            }
        }
    };
    add("a_total", &[("p", "1")], |step| Some((step + 20) as f64 * 3.0));
    add("a_total", &[("p", "2"), ("q", "x")], |step| Some((step + 20).rem_euclid(7) as f64));
    add("g", &[("p", "1")], |step| (step % 3 != 0).then_some(step as f64 / 4.0));
    add("g", &[("p", "2")], |step| match step {
        ..0 => Some(f64::NAN),
        0 => Some(stale_marker()),
        _ => None,
    });
    add("h_bucket", &[("le", "0.1")], |step| Some((step + 20) as f64));
    add("h_bucket", &[("le", "1")], |step| Some((step + 20) as f64 * 1.5 - 1.0));
    add("h_bucket", &[("le", "+Inf")], |step| Some((step + 20) as f64 * 2.0));
    add("a.b", &[("x y", "1")], |step| Some(step as f64));
    series
}
