//! PromQL by example: series in, an answer out.

use super::*;
use crate::metrics::promql::check::{complaint, place};
use crate::metrics::stale_marker;
use crate::model::{MINUTE, SECOND};

mod oracle;
mod refused;
mod whole;

/// Series such as `x{a="b"} 1 2 _ end 3 every 10s`, one a line, from time 0.
/// `_` is no sample, `end` a marker. Returns the time of the last place too.
fn load(text: &str) -> (Series, Timestamp) {
    let mut series = Series::new();
    let mut last = Timestamp::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (metric, rest) = line.split_once(' ').expect("a metric and its values");
        let (values, every) = rest.split_once(" every ").expect("values every so often");
        let every: Span = every.parse().expect("a duration");
        let (name, labels) = metric.split_once('{').unwrap_or((metric, "}"));
        let pairs = labels.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
        let labels = Labels::from_pairs(pairs.map(|(name, value)| (name, value.trim_matches('"'))));
        series.keep(name, 1000 * MINUTE);
        let id = series.intern(name, &labels);
        for (index, value) in values.split_whitespace().enumerate() {
            let at = Timestamp::from_millis(index as i64 * every.millis());
            last = last.max(at);
            match value {
                "_" => {}
                "end" => series.push(id, at, stale_marker()),
                value => series.push(id, at, value.parse().expect("a number")),
            }
        }
    }
    (series, last)
}

fn shown(vector: &Vector) -> String {
    let line = |(labels, value): &(Labels, f64)| format!("{labels} {value}");
    vector.iter().map(line).collect::<Vec<String>>().join("; ")
}

/// Evaluates at the time of the last sample.
fn check(query: &str, text: &str, expected: &str) {
    let (series, at) = load(text);
    evaluated(query, &series, at, Mode::Prometheus, expected);
}

fn check_anchored(query: &str, text: &str, expected: &str) {
    let (series, at) = load(text);
    evaluated(query, &series, at, Mode::Anchored, expected);
}

fn evaluated(query: &str, series: &Series, at: Timestamp, mode: Mode, expected: &str) {
    let mut compiled = Query::compile(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let result = match compiled.eval(series, at, mode) {
        Ok(vector) => shown(&vector),
        Err(error) => format!("error: {error}"),
    };
    let cut = if expected.starts_with("error: ") { expected.len() } else { result.len() };
    assert_eq!(result.get(..cut).unwrap_or(&result), expected, "{query}");
}

#[test]
fn counts_a_reset_as_growth_from_zero() {
    // 10 to 20, a restart to 5, then 15: 25 in 30 s, and half a gap before.
    check("increase(x[1m])", "x 10 20 5 15 every 10s", "{} 29.166666666666668");
    check("resets(x[1m])", "x 10 20 5 15 every 10s", "{} 1");
}

#[test]
fn stretches_growth_to_the_ends_that_have_a_sample_near() {
    check("increase(x[1m])", "x 10 20 30 40 50 60 70 every 10s", "{} 60");
    check("rate(x[1m])", "x 10 20 30 40 50 60 70 every 10s", "{} 1");
    // A range ends open on the left: the sample on its edge is not in it.
    check("count_over_time(x[1m])", "x 1 1 1 1 1 1 1 every 10s", "{} 6");
}

#[test]
fn does_not_stretch_a_counter_back_below_zero() {
    check("increase(x[1m])", "x _ _ _ 0 10 20 30 every 10s", "{} 30");
    check("delta(x[1m])", "x _ _ _ 0 10 20 30 every 10s", "{} 35");
}

#[test]
fn says_nothing_of_growth_with_one_sample() {
    check("rate(x[1m])", "x _ _ 5 every 10s", "");
}

#[test]
fn ends_with_a_marker_at_once_and_without_one_after_five_minutes() {
    check("x", "x 1 2 end every 10s", "");
    check("x", "x 1 _ _ _ 2 _ _ _ _ every 1m", r#"{__name__="x"} 2"#);
    check("x", "x 1 _ _ _ _ _ every 1m", "");
    // A range passes over markers.
    check("sum_over_time(x[1m])", "x 1 2 end 4 every 10s", "{} 7");
}

#[test]
fn adds_up_over_steps_when_anchored() {
    // Restart between the third and the fourth; a gap across a step's edge.
    let text = "x 10 20 30 5 _ 25 40 every 10s";
    check_anchored("increase(x[20s])", text, "{} 35");
    let (series, _) = load(text);
    let mut query = Query::compile_ranged("increase(x[$range])", SECOND).unwrap();
    let mut over = |at: i64, range: i64| {
        let (at, range) = (Timestamp::from_millis(at * 1000), Span::from_secs(range));
        let vector = query.eval_over(&series, at, Mode::Anchored, range).unwrap();
        vector.first().map_or(0.0, |(_, value)| *value)
    };
    let steps: f64 = (1..=6).map(|step| over(step * 10, 10)).sum();
    assert_eq!((steps, over(60, 60)), (60.0, 60.0));
    assert_eq!((over(20, 20), over(40, 20), over(60, 20)), (20.0, 5.0, 35.0));
}

#[test]
fn keeps_names_where_the_value_stays_and_drops_them_where_it_does_not() {
    let text = "a{p=1} 1 2 every 10s\na{p=2} 3 4 every 10s\nb{p=1} 5 5 every 10s";
    check("a > 3", text, r#"{__name__="a", p="2"} 4"#);
    check("a > bool 3", text, r#"{p="1"} 0; {p="2"} 1"#);
    check("-a", text, r#"{p="1"} -2; {p="2"} -4"#);
    check("sum by (__name__) (rate(a[1m]))", text, "{} 0.05");
    check("last_over_time(b[1m])", text, r#"{__name__="b", p="1"} 5"#);
}

#[test]
fn matches_elements_by_their_labels() {
    let text = "a{p=1,q=x} 6 every 10s\na{p=1,q=y} 8 every 10s\nb{p=1} 2 every 10s";
    check("a / ignoring(q) group_left b", text, r#"{p="1", q="x"} 3; {p="1", q="y"} 4"#);
    check("sum(a) / sum(b)", text, "{} 7");
    check("a / on(p) b", text, "error: multiple matches for labels");
    check("b / on(p) a", text, "error: found duplicate series for the match group");
    check(
        "a and on(p) b",
        text,
        r#"{__name__="a", p="1", q="x"} 6; {__name__="a", p="1", q="y"} 8"#,
    );
    check("a unless on(p) b", text, "");
    check("sum(a) or b", text, r#"{} 14; {__name__="b", p="1"} 2"#);
}

#[test]
fn reads_a_quantile_from_buckets() {
    let text = "x_bucket{le=0.1} 50 every 10s
        x_bucket{le=1} 90 every 10s
        x_bucket{le=10} 98 every 10s
        x_bucket{le=+Inf} 100 every 10s";
    check("histogram_quantile(0.5, x_bucket)", text, "{} 0.1");
    check("histogram_quantile(0.94, sum by (le) (x_bucket))", text, "{} 5.5");
    // It never goes past the top finite bound: why rules count shares.
    check("histogram_quantile(0.99, x_bucket)", text, "{} 10");
    check("histogram_fraction(0, 1, x_bucket)", text, "{} 0.9");
}

#[test]
fn mends_counts_that_fall_from_one_bound_to_the_next() {
    let text = "x_bucket{le=1} 90 every 10s
        x_bucket{le=2} 80 every 10s
        x_bucket{le=+Inf} 100 every 10s";
    check("histogram_quantile(0.9, x_bucket)", text, "{} 1");
}

#[test]
fn shows_absence_with_the_labels_that_were_asked_for() {
    check(r#"absent(y{job="api",path=~"/.*"})"#, "x 1 every 10s", r#"{job="api"} 1"#);
    check("absent(x)", "x 1 every 10s", "");
    check("absent_over_time(y{p=\"1\"}[5m])", "x 1 every 10s", r#"{p="1"} 1"#);
}

#[test]
fn rewrites_labels() {
    let text = r#"x{pod="api-7",zone="b"} 1 every 10s"#;
    let query = r#"label_replace(x, "app", "$1", "pod", "([a-z]+)-.*")"#;
    check(query, text, r#"{__name__="x", app="api", pod="api-7", zone="b"} 1"#);
    check(
        r#"label_join(x, "both", "/", "zone", "pod")"#,
        text,
        r#"{__name__="x", both="b/api-7", pod="api-7", zone="b"} 1"#,
    );
    check(r#"label_replace(x, "pod", "", "pod", ".*")"#, text, r#"{__name__="x", zone="b"} 1"#);
}

#[test]
fn ranks_counts_and_spreads() {
    let text = "x{p=1} 3 every 10s\nx{p=2} NaN every 10s\nx{p=3} 5 every 10s\nx{p=4} 3 every 10s";
    check("topk(2, x)", text, r#"{__name__="x", p="3"} 5; {__name__="x", p="1"} 3"#);
    check("bottomk(1, x)", text, r#"{__name__="x", p="1"} 3"#);
    check("max(x)", text, "{} 5");
    check(r#"count_values("v", x)"#, text, r#"{v="3"} 2; {v="5"} 1; {v="NaN"} 1"#);
    check("quantile(0.5, x > 0)", text, "{} 3");
    check(
        "sort_desc(x > 0)",
        text,
        r#"{__name__="x", p="3"} 5; {__name__="x", p="1"} 3; {__name__="x", p="4"} 3"#,
    );
}

#[test]
fn looks_where_offset_and_at_point() {
    check("x offset 10s", "x 1 2 3 every 10s", r#"{__name__="x"} 2"#);
    check("x @ 0", "x 1 2 3 every 10s", r#"{__name__="x"} 1"#);
    check("max_over_time(sum(x)[20s:10s])", "x 9 2 3 every 10s", "{} 3");
    check("timestamp(x)", "x 1 2 _ every 10s", "{} 10");
}

#[test]
fn carries_the_digits_that_a_plain_sum_loses() {
    let text = "x{p=1} 1 every 10s
        x{p=2} 1e100 every 10s
        x{p=3} 1 every 10s
        x{p=4} -1e100 every 10s";
    check("sum(x)", text, "{} 2");
}

#[test]
fn knows_what_it_reads_and_how_far_back() {
    let text = r#"sum(increase(a{x="1"}[$range])) / sum(a) + max_over_time(b[1h:1m] offset 1h)"#;
    let query = Query::compile_ranged(text, 10 * MINUTE).unwrap();
    let needs = [("a".to_owned(), 15 * MINUTE), ("b".to_owned(), 125 * MINUTE)];
    assert_eq!(query.needs(), needs);
    assert_eq!(query.text(), text);
}

#[test]
fn tells_never_from_gone_from_here() {
    let (series, last) = load("x{p=1} 1 2 end every 10s\ny 1 1 1 every 10s");
    let presence = |text: &str, at| Query::compile(text).unwrap().presence(&series, at);
    assert_eq!(presence("rate(z[5m])", last), Presence::Never);
    assert_eq!(presence(r#"x{p="2"}"#, last), Presence::Never);
    assert_eq!(presence("x", last), Presence::Gone);
    assert_eq!(presence("x / y", last), Presence::Here);
    assert_eq!(presence("y", last + 5 * MINUTE), Presence::Gone);
}

#[test]
fn sees_series_that_came_after_it_was_compiled() {
    let (mut series, at) = load("x{p=1} 1 every 10s");
    let mut query = Query::compile("sum by (p) (x)").unwrap();
    assert_eq!(query.eval(&series, at, Mode::Prometheus).unwrap().len(), 1);
    let id = series.intern("x", &Labels::from_pairs([("p", "0")]));
    series.push(id, at, 7.0);
    let vector = query.eval(&series, at, Mode::Prometheus).unwrap();
    assert_eq!(shown(&vector), "{p=\"0\"} 7; {p=\"1\"} 1");
}
