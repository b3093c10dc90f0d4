//! From scraped pages to a rule's reading: what must fire, and what must not.

use std::sync::Arc;

use bakewatch::judge::{Bound, Rule, read};
use bakewatch::metrics::{Feed, Measured, Meter, Page, Series, Shape, Signal, Unit};
use bakewatch::model::{
    Labels, MINUTE, Measurement, Name, Reading, SECOND, Severity, Span, Timestamp, Why,
};

/// One target, scraped every 15 s; its table is the order of first showing.
struct Target {
    name: Name,
    feed: Feed,
    slots: Vec<(String, Labels)>,
}

impl Target {
    fn new(name: &str) -> Target {
        Target { name: name.into(), feed: Feed::new(), slots: Vec::new() }
    }

    /// `("x", "status=500", 3.0)` for each sample.
    fn shows(&mut self, series: &mut Series, step: i64, samples: &[(&str, &str, f64)]) {
        let (mut page, mut fresh) = (Page::default(), Vec::new());
        for (name, label, value) in samples {
            let labels = Labels::from_pairs(label.split_once('='));
            let key = ((*name).to_owned(), labels.clone());
            let slot = self.slots.iter().position(|known| *known == key).unwrap_or_else(|| {
                self.slots.push(key);
                let slot = self.slots.len() - 1;
                fresh.push((slot as u32, Arc::from(*name), labels));
                slot
            });
            page.samples.push((slot as u32, *value));
        }
        page.fresh = fresh.into_iter().collect();
        self.feed.take(series, &self.name, &page, at(step));
    }
}

fn at(step: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000) + step * (15 * SECOND)
}

fn meter(shape: Shape, range: Span) -> (Meter, Series) {
    let signal = Signal { name: "s".into(), unit: Unit::Ratio, shape, range, source: None };
    let meter = Meter::compile(&signal).expect("a query that compiles");
    let mut series = Series::new();
    meter.needs().iter().for_each(|(name, horizon)| series.keep(name, *horizon));
    (meter, series)
}

fn errors() -> Shape {
    Shape::Ratio {
        num: r#"sum(increase(x_total{status=~"5.."}[$range]))"#.into(),
        den: "sum(increase(x_total[$range]))".into(),
    }
}

fn rule(quantile: Option<f64>, bound: Bound) -> Rule {
    Rule {
        name: "R".into(),
        signal: "s".into(),
        quantile,
        bound,
        hold: Span::ZERO,
        recover: Span::ZERO,
        breaches_min: 1,
        calms_min: 1,
        evidence_min: 10.0,
        severity: Severity::Critical,
        summary: "broken".into(),
        runbook: None,
        by_window: Vec::new(),
        of_baseline: None,
        labels: Default::default(),
        imported: None,
    }
}

fn reading(rule: &Rule, measured: &Measured) -> Reading {
    let readings = read(rule, measured);
    assert_eq!(readings.len(), 1, "{readings:?}");
    readings[0].1
}

fn counted(measured: &Measured) -> (f64, f64) {
    match measured {
        Measured::One(Measurement::Ratio { num, den }) => (num.0, den.0),
        other => panic!("a ratio should come, not {other:?}"),
    }
}

#[test]
fn fires_p99_above_10s_when_one_in_fifty_takes_30s_and_buckets_end_at_10000_ms() {
    let query = "sum by (le) (increase(d_milliseconds_bucket[$range]))".into();
    let (mut meter, mut series) = meter(Shape::Buckets { query, scale: 0.001 }, 5 * MINUTE);
    let mut target = Target::new("a");
    let mut bucket = |step: i64, fast: f64, all: f64| {
        let name = "d_milliseconds_bucket";
        let rows = [
            (name, "le=500", fast * 0.9),
            (name, "le=5000.0", fast),
            (name, "le=10000", fast),
            (name, "le=+Inf", all),
        ];
        target.shows(&mut series, step, &rows);
    };
    for step in 0..=20 {
        bucket(step, 98.0 * step as f64, 100.0 * step as f64);
    }
    let p99 = rule(Some(0.99), Bound::Above(10.0));
    let measured = meter.read(&series, at(20));
    assert_eq!(reading(&p99, &measured), Reading::Breach(10.0));
    // A bound beyond the buckets is not calm either.
    let beyond = rule(Some(0.99), Bound::Above(20.0));
    assert_eq!(reading(&beyond, &measured), Reading::NoData(Why::Unobservable));
}

#[test]
fn neither_fires_nor_loses_events_at_a_restart() {
    let (mut meter, mut series) = meter(errors(), MINUTE);
    let mut target = Target::new("a");
    let counts = [1000.0, 1100.0, 1200.0, 50.0, 150.0];
    for (step, ok) in counts.iter().enumerate() {
        let rows = [("x_total", "status=200", *ok), ("x_total", "status=500", 0.0)];
        target.shows(&mut series, step as i64, &rows);
    }
    let above = rule(None, Bound::Above(0.01));
    assert_eq!(reading(&above, &meter.read(&series, at(4))), Reading::Calm(0.0));
    assert_eq!(counted(&meter.count(&series, at(4), MINUTE)), (0.0, 350.0));
}

#[test]
fn counts_the_first_error_though_its_series_is_new() {
    let (mut meter, mut series) = meter(errors(), MINUTE);
    let mut target = Target::new("a");
    target.shows(&mut series, 0, &[("x_total", "status=200", 100.0)]);
    target.shows(&mut series, 1, &[("x_total", "status=200", 200.0)]);
    target.shows(
        &mut series,
        2,
        &[("x_total", "status=200", 290.0), ("x_total", "status=500", 10.0)],
    );
    assert_eq!(counted(&meter.count(&series, at(2), 15 * SECOND)), (10.0, 100.0));
    assert_eq!(counted(&meter.count(&series, at(2), 30 * SECOND)), (10.0, 200.0));
}

#[test]
fn does_not_take_a_new_target_s_past_for_growth() {
    let (mut meter, mut series) = meter(errors(), MINUTE);
    let (mut a, mut b) = (Target::new("a"), Target::new("b"));
    for step in 0..3 {
        a.shows(&mut series, step, &[("x_total", "status=200", 100.0 * step as f64)]);
    }
    b.shows(&mut series, 2, &[("x_total", "status=500", 1e6)]);
    assert_eq!(counted(&meter.count(&series, at(2), 15 * SECOND)), (0.0, 100.0));
}

#[test]
fn does_not_take_the_past_of_a_name_nobody_had_asked_for_as_growth() {
    let (mut meter, mut series) = meter(errors(), MINUTE);
    let mut target = Target::new("a");
    target.shows(&mut series, 0, &[("other", "", 1.0)]);
    target.shows(&mut series, 1, &[("other", "", 1.0), ("x_total", "status=500", 1e6)]);
    target.shows(&mut series, 2, &[("other", "", 1.0), ("x_total", "status=500", 1e6 + 20.0)]);
    assert_eq!(counted(&meter.count(&series, at(2), 30 * SECOND)), (20.0, 20.0));
}

#[test]
fn reads_no_data_when_a_firing_series_goes_away() {
    let gauge = Shape::Gauge { query: "max(queue_depth)".into() };
    let (mut meter, mut series) = meter(gauge, MINUTE);
    let above = rule(None, Bound::Above(100.0));
    let mut target = Target::new("a");
    target.shows(&mut series, 0, &[("queue_depth", "", 500.0)]);
    assert_eq!(reading(&above, &meter.read(&series, at(0))), Reading::Breach(500.0));
    target.shows(&mut series, 1, &[]);
    assert_eq!(reading(&above, &meter.read(&series, at(1))), Reading::NoData(Why::Stale));
    target.shows(&mut series, 2, &[("queue_depth", "", f64::NAN)]);
    assert_eq!(reading(&above, &meter.read(&series, at(2))), Reading::NoData(Why::Unobservable));
    target.feed.failed(&mut series, at(3));
    assert_eq!(reading(&above, &meter.read(&series, at(3))), Reading::NoData(Why::Stale));
}

#[test]
fn puts_the_buckets_of_two_versions_together() {
    let query = "sum by (le) (increase(d_seconds_bucket[$range]))".into();
    let (mut meter, mut series) = meter(Shape::Buckets { query, scale: 1.0 }, 5 * MINUTE);
    let (mut old, mut new) = (Target::new("old"), Target::new("new"));
    let name = "d_seconds_bucket";
    for step in 0..=20 {
        let n = 10.0 * step as f64;
        let rows = [(name, "le=1", n), (name, "le=5", n), (name, "le=+Inf", n)];
        old.shows(&mut series, step, &rows);
        // The new version dropped the bound 1.
        new.shows(&mut series, step, &[(name, "le=5.0", n), (name, "le=+Inf", n)]);
    }
    let p99 = rule(Some(0.99), Bound::Above(5.0));
    let Reading::Calm(estimate) = reading(&p99, &meter.read(&series, at(20))) else {
        panic!("nothing took longer than 5 s")
    };
    assert!(estimate <= 5.0, "{estimate}");
}
