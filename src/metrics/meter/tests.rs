//! What meters measure, a row a case.

use super::*;
use crate::metrics::Unit;
use crate::model::{MINUTE, SECOND};

const RANGE: Span = Span::from_millis(5 * MINUTE.millis());

fn signal(shape: Shape) -> Signal {
    Signal { name: "s".into(), unit: Unit::Count, shape, range: RANGE, source: None }
}

fn ratio_signal() -> Signal {
    signal(Shape::Ratio {
        num: r#"sum(increase(x{status=~"5.."}[$range]))"#.into(),
        den: "sum(increase(x[$range]))".into(),
    })
}

fn buckets_signal(scale: f64) -> Signal {
    signal(Shape::Buckets { query: "sum by (le) (increase(x_bucket[$range]))".into(), scale })
}

fn gauge_signal(query: &str) -> Signal {
    signal(Shape::Gauge { query: query.into() })
}

/// A sample every 15 s from time 0, for each series: name, a label, values.
fn store(rows: &[(&str, (&str, &str), &[f64])]) -> Series {
    let mut series = Series::new();
    for (name, label, values) in rows {
        series.keep(name, 60 * MINUTE);
        let id = series.intern(name, &Labels::from_pairs([*label]));
        for (index, value) in values.iter().enumerate() {
            series.push(id, at(index as i64), *value);
        }
    }
    series
}

fn at(step: i64) -> Timestamp {
    Timestamp::default() + step * (15 * SECOND)
}

fn ratio(num: f64, den: f64) -> Measured {
    Measured::One(Measurement::Ratio { num: num.into(), den: den.into() })
}

#[test]
fn counts_what_a_ratio_is_made_of() {
    let series = store(&[
        ("x", ("status", "200"), &[0.0, 90.0, 180.0]),
        ("x", ("status", "500"), &[0.0, 10.0, 20.0]),
    ]);
    let mut meter = Meter::compile(&ratio_signal()).unwrap();
    assert_eq!(meter.count(&series, at(2), 30 * SECOND), ratio(20.0, 200.0));
    assert_eq!(meter.count(&series, at(2), 15 * SECOND), ratio(10.0, 100.0));
    assert_eq!(meter.needs(), [("x".to_owned(), 10 * MINUTE)]);
}

#[test]
fn reads_no_errors_as_zero_but_no_requests_as_no_traffic() {
    let mut meter = Meter::compile(&ratio_signal()).unwrap();
    let mut read = |rows: &[f64]| {
        let series = store(&[("x", ("status", "200"), rows)]);
        meter.count(&series, at(2), 30 * SECOND)
    };
    assert_eq!(read(&[0.0, 90.0, 180.0]), ratio(0.0, 180.0));
    assert_eq!(read(&[7.0, 7.0, 7.0]), Measured::None(Why::NoTraffic));
}

#[test]
fn tells_never_seen_from_gone_quiet_from_too_early() {
    let mut meter = Meter::compile(&ratio_signal()).unwrap();
    assert_eq!(meter.read(&Series::new(), at(2)), Measured::None(Why::Absent));
    let series = store(&[("x", ("status", "200"), &[1.0, 2.0])]);
    assert_eq!(meter.read(&series, at(500)), Measured::None(Why::Stale));
    let one = store(&[("x", ("status", "200"), &[1.0])]);
    assert_eq!(meter.read(&one, at(1)), Measured::None(Why::NoTraffic));
    let mut gauge = Meter::compile(&gauge_signal("sum(x)")).unwrap();
    assert_eq!(gauge.read(&Series::new(), at(2)), Measured::None(Why::Absent));
    assert_eq!(gauge.read(&series, at(500)), Measured::None(Why::Stale));
}

#[test]
fn brings_buckets_to_seconds_in_order_and_merged() {
    let series = store(&[
        ("x_bucket", ("le", "1000"), &[0.0, 8.0]),
        ("x_bucket", ("le", "+Inf"), &[0.0, 10.0]),
        ("x_bucket", ("le", "500"), &[0.0, 3.0]),
        ("x_bucket", ("le", "500.0"), &[0.0, 2.0]),
    ]);
    let mut meter = Meter::compile(&buckets_signal(0.001)).unwrap();
    let Measured::One(Measurement::Buckets { bounds, counts }) =
        meter.count(&series, at(1), 15 * SECOND)
    else {
        panic!("buckets should come")
    };
    assert_eq!(bounds.to_vec(), [0.5, 1.0, f64::INFINITY].map(Number));
    assert_eq!(counts, [5.0, 8.0, 10.0].map(Number));
}

#[test]
fn says_no_traffic_for_an_empty_histogram_and_why_for_a_broken_one() {
    let mut meter = Meter::compile(&buckets_signal(1.0)).unwrap();
    let quiet =
        store(&[("x_bucket", ("le", "1"), &[5.0, 5.0]), ("x_bucket", ("le", "+Inf"), &[9.0, 9.0])]);
    assert_eq!(meter.count(&quiet, at(1), 15 * SECOND), Measured::None(Why::NoTraffic));
    assert_eq!(meter.trouble(), None);
    let topless = store(&[("x_bucket", ("le", "1"), &[5.0, 6.0])]);
    assert_eq!(meter.count(&topless, at(1), 15 * SECOND), Measured::None(Why::Unobservable));
    assert!(meter.trouble().unwrap().contains("+Inf"));
}

#[test]
fn gives_one_value_or_one_for_each_label_set() {
    let series = store(&[("g", ("pod", "b"), &[1.0, 2.0]), ("g", ("pod", "a"), &[3.0, 4.0])]);
    let mut one = Meter::compile(&gauge_signal("sum(g)")).unwrap();
    assert_eq!(one.read(&series, at(1)), Measured::One(Measurement::gauge(6.0)));
    let mut each = Meter::compile(&gauge_signal("g")).unwrap();
    let labels = |pod| Labels::from_pairs([("pod", pod)]);
    let pods = vec![(labels("a"), 4.0), (labels("b"), 2.0)];
    assert_eq!(each.read(&series, at(1)), Measured::Each(pods));
    let mut none = Meter::compile(&gauge_signal("g > 99")).unwrap();
    assert_eq!(none.read(&series, at(1)), Measured::None(Why::Absent));
}

#[test]
fn refuses_to_choose_between_two_metrics_with_the_same_labels() {
    let series = store(&[("g", ("pod", "a"), &[1.0]), ("h", ("pod", "a"), &[2.0])]);
    let mut meter = Meter::compile(&gauge_signal("g or on (__name__) h")).unwrap();
    assert_eq!(meter.read(&series, at(0)), Measured::None(Why::Unobservable));
    assert!(meter.trouble().unwrap().contains("pod"), "{:?}", meter.trouble());
}

#[test]
fn compares_with_rules_over_the_range_and_counts_over_the_step() {
    let values: Vec<f64> = (0..40).map(|step| f64::from(step) * 10.0).collect();
    let series = store(&[("x", ("status", "200"), &values)]);
    let mut meter = Meter::compile(&ratio_signal()).unwrap();
    assert_eq!(meter.read(&series, at(39)), ratio(0.0, 200.0));
    assert_eq!(meter.count(&series, at(39), MINUTE), ratio(0.0, 40.0));
}

#[test]
fn refuses_a_query_at_compile_time() {
    let complaint = Meter::compile(&gauge_signal("sum(ratee(x[$range]))")).unwrap_err();
    assert_eq!(complaint.column, 5);
    let shape = Shape::Ratio { num: "sum(x)".into(), den: "sum(x".into() };
    let complaint = Meter::compile(&signal(shape)).unwrap_err();
    assert_eq!(complaint.to_string(), "column 4: den: ( is not closed before the end");
}

#[test]
fn takes_what_is_no_number_for_neither_calm_nor_gone() {
    let nan = [f64::NAN; 3];
    let series = store(&[("x", ("status", "200"), &nan), ("g", ("a", "1"), &nan)]);
    for signal in [ratio_signal(), gauge_signal("g"), gauge_signal("max(g)")] {
        let mut meter = Meter::compile(&signal).unwrap();
        assert_eq!(meter.read(&series, at(2)), Measured::None(Why::Unobservable), "{signal:?}");
    }
    let series = store(&[("g", ("a", "1"), &nan), ("g", ("a", "2"), &[1.0; 3])]);
    let mut meter = Meter::compile(&gauge_signal("g")).unwrap();
    let both = meter.read(&series, at(2));
    assert!(matches!(&both, Measured::Each(found) if found.len() == 2), "{both:?}");
}

#[test]
fn passes_on_what_is_to_be_known_about_its_queries() {
    let series = store(&[("x", ("status", "200"), &[0.0, 90.0, 180.0])]);
    let mut meter = Meter::compile(&ratio_signal()).unwrap();
    meter.read(&series, at(2));
    let said: Vec<String> = meter.annotations().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("might not be a counter"), "{said:?}");
}

fn alert_meter(query: &str, all: Option<&str>, offset: Span) -> Meter {
    let all = all.map(str::to_owned);
    Meter::compile(&signal(Shape::Alert { query: query.into(), all, offset })).unwrap()
}

#[test]
fn tells_what_an_expression_calls_broken_from_what_is_there_besides() {
    let mut meter = alert_meter("x > 5", Some("x"), Span::ZERO);
    let mut read = |rows: &[(&str, (&str, &str), &[f64])]| meter.read(&store(rows), at(0));
    let row = |path: &str, value| (Labels::from_pairs([("path", path)]), value);
    let (a, b): (&[f64], &[f64]) = (&[9.0], &[1.0]);
    let both = read(&[("x", ("path", "/a"), a), ("x", ("path", "/b"), b)]);
    let (broken, calm) = (vec![row("/a", 9.0)], Some(vec![row("/b", 1.0)]));
    assert_eq!(both, Measured::Split { broken, calm });
    assert_eq!(read(&[]), Measured::None(Why::Absent));
    let nan: &[f64] = &[f64::NAN];
    assert_eq!(read(&[("x", ("path", "/a"), nan)]), Measured::None(Why::Unobservable));
}

#[test]
fn takes_an_empty_result_that_cannot_be_split_for_calm_while_something_is_there() {
    let mut meter = alert_meter("x > 5 and x < 7", None, Span::ZERO);
    let some: &[f64] = &[1.0];
    let series = store(&[("x", ("path", "/a"), some)]);
    assert_eq!(meter.read(&series, at(0)), Measured::Split { broken: Vec::new(), calm: None });
    assert_eq!(meter.read(&series, at(99)), Measured::None(Why::Stale));
    assert_eq!(meter.read(&Series::new(), at(0)), Measured::None(Why::Absent));
}

#[test]
fn looks_into_the_past_where_a_group_says_so() {
    let mut meter = alert_meter("x > 5", Some("x"), MINUTE);
    assert_eq!(meter.needs(), [("x".to_owned(), 6 * MINUTE)]);
    let values: &[f64] = &[9.0, 1.0, 1.0, 1.0, 1.0];
    let series = store(&[("x", ("path", "/a"), values)]);
    let is_broken = |measured| match measured {
        Measured::Split { broken, .. } => !broken.is_empty(),
        _ => panic!("{measured:?}"),
    };
    assert!(is_broken(meter.read(&series, at(4))));
    assert!(!is_broken(meter.read(&series, at(5))));
}

/// An answer with one row at one instant.
fn row(told: Timestamp, labels: &[(&str, &str)], value: f64) -> Rows {
    vec![(Labels::from_pairs(labels.iter().copied()), vec![(told, value)])]
}

#[test]
fn reads_in_a_sources_answers_what_it_would_in_samples() {
    let asked = |signal: Signal| Signal { source: Some("main".into()), ..signal };
    let mut meter = Meter::compile(&asked(ratio_signal())).expect("it can be asked");
    let (now, nothing) = (at(40), Series::new());
    let mut read = |num: Option<Rows>, den: Option<Rows>| {
        let failure = Failure::Refused;
        let texts: Vec<Arc<str>> = meter.asked().map(|(text, _)| text.clone()).collect();
        for (text, rows) in texts.iter().zip([num, den]) {
            meter.answered(text, (now, now), rows.as_ref().ok_or(&failure));
        }
        meter.heed(now - 30 * SECOND);
        meter.read(&nothing, now)
    };
    let none = |why| Measured::None(why);
    let ratio = |num, den| Measured::One(Measurement::Ratio { num: Number(num), den: Number(den) });
    let one = |value| Some(row(now, &[], value));
    assert_eq!(read(None, one(5.0)), none(Why::Unanswered), "half of it is missing");
    assert_eq!(read(Some(Rows::new()), Some(Rows::new())), none(Why::Stale), "it was there");
    assert_eq!(read(one(1.0), one(50.0)), ratio(1.0, 50.0));
    assert_eq!(read(Some(Rows::new()), one(50.0)), ratio(0.0, 50.0), "no error at all");
    assert_eq!(read(one(0.0), one(0.0)), none(Why::NoTraffic));
    assert_eq!(read(one(f64::NAN), one(5.0)), none(Why::Unobservable));
    let old = Some(row(now - 31 * SECOND, &[], 50.0));
    assert_eq!(read(one(1.0), old), none(Why::Stale), "of too long ago by its own time");
}

#[test]
fn asks_besides_whether_anything_is_there_that_an_alert_without_a_filter_reads() {
    let alert = Shape::Alert { query: "absent(up)".into(), all: None, offset: Span::ZERO };
    let signal = Signal { source: Some("main".into()), ..signal(alert) };
    let mut meter = Meter::compile(&signal).expect("it can be asked");
    let texts: Vec<String> = meter.asked().map(|(text, _)| text.to_string()).collect();
    assert_eq!(texts, ["absent(up)", "count(up)"]);
    let now = at(1);
    let mut read = |absent: Rows, there: Rows| {
        meter.answered("absent(up)", (now, now), Ok(&absent));
        meter.answered("count(up)", (now, now), Ok(&there));
        meter.read(&Series::new(), now)
    };
    let split = |broken| Measured::Split { broken, calm: None };
    assert_eq!(read(row(now, &[], 1.0), Rows::new()), split(vec![(Labels::default(), 1.0)]));
    assert_eq!(read(Rows::new(), row(now, &[], 3.0)), split(Vec::new()), "it is over");
    assert_eq!(read(Rows::new(), Rows::new()), Measured::None(Why::Stale), "nobody can know");
}
