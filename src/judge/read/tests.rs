//! What rules read in measurements, a row a case.

use super::*;
use crate::model::{MINUTE, Number, Severity};

fn rule(quantile: Option<f64>, bound: Bound, evidence_min: f64) -> Rule {
    Rule {
        name: "R".into(),
        signal: "s".into(),
        quantile,
        bound,
        hold: MINUTE,
        recover: MINUTE,
        breaches_min: 1,
        calms_min: 1,
        evidence_min,
        severity: Severity::Critical,
        summary: "broken".into(),
        runbook: None,
        by_window: Vec::new(),
        labels: Default::default(),
        imported: None,
        of_baseline: None,
    }
}

/// One measurement without labels, and its reading as a word and a number.
fn check(rule: &Rule, measurement: Measurement, expected: &str) {
    let readings = read(rule, &Measured::One(measurement));
    assert_eq!(readings.len(), 1);
    assert!(readings[0].0.is_empty());
    assert_eq!(shown(readings[0].1), expected);
}

fn shown(reading: Reading) -> String {
    match reading {
        Reading::NoData(why) => why.to_string(),
        Reading::Calm(value) => format!("calm {value}"),
        Reading::Breach(value) => format!("breach {value}"),
    }
}

fn share(num: f64, den: f64) -> Measurement {
    Measurement::Ratio { num: num.into(), den: den.into() }
}

fn histogram(pairs: &[(f64, f64)]) -> Measurement {
    let bounds = pairs.iter().map(|(bound, _)| Number(*bound)).collect();
    let counts = pairs.iter().map(|(_, count)| Number(*count)).collect();
    Measurement::Buckets { bounds, counts }
}

const INF: f64 = f64::INFINITY;

#[test]
fn judges_a_ratio_only_with_enough_events_behind_it() {
    let above = rule(None, Bound::Above(0.05), 20.0);
    check(&above, share(1.0, 19.0), "no traffic");
    check(&above, share(1.0, 20.0), "calm 0.05");
    check(&above, share(2.0, 20.0), "breach 0.1");
    check(&above, share(f64::NAN, 20.0), "absent");
    check(&rule(None, Bound::Above(0.05), 0.0), share(0.0, 0.0), "no traffic");
    check(&rule(None, Bound::Below(0.5), 1.0), share(1.0, 4.0), "breach 0.25");
}

#[test]
fn fires_p99_above_10s_where_the_quantile_itself_ends_at_10s() {
    let p99 = rule(Some(0.99), Bound::Above(10.0), 1.0);
    let seed =
        |slow: f64| histogram(&[(1.0, 500.0), (5.0, 900.0), (10.0, 1000.0 - slow), (INF, 1000.0)]);
    check(&p99, seed(20.0), "breach 10");
    check(&p99, seed(10.0), "calm 10"); // one in a hundred is what p99 allows
    check(&p99, seed(11.0), "breach 10");
    // Extrapolated counts are not whole; one in a hundred of them is still calm.
    let stretched = 27.0 / 7.0;
    check(&p99, histogram(&[(10.0, 990.0 * stretched), (INF, 1000.0 * stretched)]), "calm 10");
    // The bound in milliseconds times 0.001 is not quite 10.
    let scaled = [(10_000.0 * 0.001 + 1e-12, 980.0), (INF, 1000.0)];
    check(&p99, histogram(&scaled), "breach 10.000000000001");
}

#[test]
fn interpolates_between_two_bounds() {
    // 900 at or below 4 s, 1000 at or below 8 s: 925 at or below 5 s.
    let buckets = [(4.0, 900.0), (8.0, 1000.0), (INF, 1000.0)];
    check(&rule(Some(0.92), Bound::Above(5.0), 1.0), histogram(&buckets), "calm 4.8");
    check(&rule(Some(0.95), Bound::Above(5.0), 1.0), histogram(&buckets), "breach 6");
    // Below the first bound, from zero.
    check(&rule(Some(0.45), Bound::Above(1.0), 1.0), histogram(&buckets), "breach 2");
    check(
        &rule(Some(0.5), Bound::Below(3.0), 1.0),
        histogram(&buckets),
        "breach 2.2222222222222223",
    );
}

#[test]
fn says_that_a_histogram_cannot_show_a_bound_beyond_it() {
    let p99 = rule(Some(0.99), Bound::Above(10.0), 1.0);
    check(&p99, histogram(&[(0.1, 900.0), (1.0, 999.0), (INF, 1000.0)]), "unobservable");
    // Nothing lies beyond the top bound: then nothing lies beyond ten seconds.
    check(&p99, histogram(&[(0.1, 900.0), (1.0, 1000.0), (INF, 1000.0)]), "calm 0.91");
    check(&p99, histogram(&[(INF, 1000.0)]), "unobservable");
    check(
        &rule(Some(0.99), Bound::Above(10.0), 50.0),
        histogram(&[(1.0, 9.0), (INF, 9.0)]),
        "no traffic",
    );
    check(&p99, histogram(&[(1.0, 0.0), (INF, 0.0)]), "no traffic");
}

#[test]
fn holds_the_worst_of_a_gauge_against_its_bound() {
    let gauge = Measurement::Gauge { min: 1.0.into(), mean: 2.0.into(), max: 3.0.into(), n: 9 };
    check(&rule(None, Bound::Above(2.5), 0.0), gauge.clone(), "breach 3");
    check(&rule(None, Bound::Above(3.0), 0.0), gauge.clone(), "calm 3");
    check(&rule(None, Bound::Below(1.5), 0.0), gauge, "breach 1");
    check(&rule(None, Bound::Above(1.0), 0.0), Measurement::gauge(f64::NAN), "absent");
}

#[test]
fn reads_each_label_set_and_passes_on_why_there_is_nothing() {
    let above = rule(None, Bound::Above(1.0), 0.0);
    let labels = |pod| Labels::from_pairs([("pod", pod)]);
    let each = Measured::Each(vec![(labels("a"), 1.0), (labels("b"), 2.0)]);
    let readings = read(&above, &each);
    assert_eq!(readings, [(labels("a"), Reading::Calm(1.0)), (labels("b"), Reading::Breach(2.0))]);
    for why in [Why::Absent, Why::Stale, Why::NoTraffic, Why::Unobservable] {
        let readings = read(&above, &Measured::None(why));
        assert_eq!(readings, [(Labels::default(), Reading::NoData(why))]);
    }
}

#[test]
fn strain_is_the_part_of_what_is_allowed_and_how_far_chance_moves_it() {
    let ratio = |num, den| Measurement::Ratio { num: Number(num), den: Number(den) };
    let slow = Measurement::Buckets {
        bounds: [1.0, 5.0, f64::INFINITY].map(Number).into(),
        counts: [9_000.0, 9_936.0, 10_000.0].map(Number).to_vec(),
    };
    let errors = rule(None, Bound::Above(0.01), 20.0);
    let p99 = rule(Some(0.99), Bound::Above(5.0), 100.0);
    let rows = [
        (&errors, ratio(16.0, 3200.0), Some((0.5, 0.125))),
        (&errors, ratio(0.0, 1000.0), Some((0.0, 0.1))),
        (&errors, ratio(0.0, 0.0), None),
        (&p99, slow, Some((0.64, 0.08))),
        (&errors, Measurement::gauge(0.5), None),
    ];
    for (rule, measured, expected) in rows {
        let found = strain(rule, &Measured::One(measured.clone()));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let is_so = match (found, expected) {
            (Some(found), Some((used, noise))) => {
                near(found.used, used) && near(found.noise, noise)
            }
            (found, expected) => found.is_none() && expected.is_none(),
        };
        assert!(is_so, "{measured:?}: {found:?}, not {expected:?}");
    }
}

#[test]
fn reads_what_an_expression_gives_as_broken_and_the_rest_as_calm() {
    let rule = rule(None, Bound::Expression, 0.0);
    let row = |path: &str, value| (Labels::from_pairs([("path", path)]), value);
    let calm = Some(vec![row("/b", 1.0)]);
    let read = |broken, calm| {
        let readings = super::read(&rule, &Measured::Split { broken, calm });
        readings.into_iter().map(|(_, reading)| reading).collect::<Vec<_>>()
    };
    let both = [Reading::Breach(9.0), Reading::Calm(1.0)];
    assert_eq!(read(vec![row("/a", 9.0)], calm.clone()), both);
    assert_eq!(read(vec![row("/a", 9.0)], None), both[..1]);
    assert_eq!(read(Vec::new(), None), []);
}
