//! The whole language: any selector, any kind of answer, ranges of time, and
//! what is said beside a result.

use super::*;

const TEXT: &str = "a_total{p=1} 0 60 120 180 every 1m\na_total{p=2} 0 120 240 360 every 1m\n\
                    g{p=1} 3 1 2 5 every 1m";

fn secs(at: i64) -> Timestamp {
    Timestamp::from_millis(at * 1000)
}

fn any(text: &str) -> Query {
    Query::compile_any(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn words(matrix: &Matrix) -> String {
    let point =
        |point: &crate::metrics::Point| format!("{}@{}", point.value, point.at.millis() / 1000);
    let row = |(labels, points): &(Labels, Vec<crate::metrics::Point>)| {
        let points: Vec<String> = points.iter().map(point).collect();
        format!("{labels} {}", points.join(" "))
    };
    matrix.iter().map(row).collect::<Vec<String>>().join("; ")
}

fn answered(text: &str, expected: &str) {
    let (series, at) = load(TEXT);
    let shown = match any(text).answer(&series, at) {
        Ok(Answer::Scalar(value)) => format!("scalar {value}"),
        Ok(Answer::Vector(vector)) => shown(&vector),
        Ok(Answer::Matrix(matrix)) => words(&matrix),
        Ok(Answer::Text(text)) => format!("text {text}"),
        Err(error) => format!("error: {error}"),
    };
    let cut = if expected.starts_with("error: ") { expected.len() } else { shown.len() };
    assert_eq!(shown.get(..cut).unwrap_or(&shown), expected, "{text}");
}

fn ranged(text: &str, (start, end, step): (i64, i64, i64), expected: &str) {
    let (series, _) = load(TEXT);
    let matrix = any(text).range(&series, (secs(start), secs(end)), Span::from_secs(step));
    let shown = matrix.map_or_else(|error| format!("error: {error}"), |matrix| words(&matrix));
    let cut = if expected.starts_with("error: ") { expected.len() } else { shown.len() };
    assert_eq!(shown.get(..cut).unwrap_or(&shown), expected, "{text}");
}

fn said(text: &str, series: &str, expected: &[&str]) {
    let (series, at) = load(series);
    let mut query = any(text);
    query.answer(&series, at).unwrap_or_else(|error| panic!("{text}: {error}"));
    let said: Vec<String> = query.annotations().iter().map(ToString::to_string).collect();
    assert_eq!(said, expected, "{text}");
}

#[test]
fn selects_without_a_name() {
    answered(r#"{p="1"}"#, r#"{__name__="a_total", p="1"} 180; {__name__="g", p="1"} 5"#);
    answered(
        r#"sum by (__name__) ({__name__=~".+"})"#,
        r#"{__name__="a_total"} 540; {__name__="g"} 5"#,
    );
    answered(r#"{__name__!="g",p="1"}"#, r#"{__name__="a_total", p="1"} 180"#);
    answered(r#"sum({"a_total", p="2"})"#, "{} 360");
    answered(r#"absent({p="3"})"#, r#"{p="3"} 1"#);
    // Two that differ in a name that is dropped.
    answered(
        r#"delta({p="1"}[3m])"#,
        "error: vector cannot contain metrics with the same labelset",
    );
    answered(r#"count(delta({p="1"}[3m]))"#, "{} 2");
}

#[test]
fn tells_which_series_it_reads() {
    let (series, _) = load(TEXT);
    let selected = any(r#"rate(a_total{p="2"}[5m]) + on () {p="1",__name__="g"}"#).selects(&series);
    let selected: Vec<String> = selected.iter().map(ToString::to_string).collect();
    assert_eq!(selected, [r#"{__name__="a_total", p="2"}"#, r#"{__name__="g", p="1"}"#]);
}

#[test]
fn answers_with_whatever_an_expression_is() {
    answered("1 + 1", "scalar 2");
    answered(r#"("a\tb")"#, "text a\tb");
    answered("g[2m]", r#"{__name__="g", p="1"} 2@120 5@180"#);
    answered("g[2m] offset 1m", r#"{__name__="g", p="1"} 1@60 2@120"#);
    answered("sum(a_total)[2m:1m]", "{} 360@120 540@180");
    answered("first_over_time(g[2m])", r#"{__name__="g", p="1"} 2"#);
}

#[test]
fn evaluates_over_a_range_of_time() {
    ranged("sum(a_total)", (0, 180, 60), "{} 0@0 180@60 360@120 540@180");
    ranged("g > 2", (0, 180, 60), r#"{__name__="g", p="1"} 3@0 5@180"#);
    ranged("sum(a_total @ end())", (0, 60, 60), "{} 180@0 180@60");
    ranged("sum(a_total @ start())", (60, 120, 60), "{} 180@60 180@120");
    ranged("time()", (0, 1, 1), "{} 0@0 1@1");
    ranged("-g or -a_total{p=\"1\"}", (0, 0, 1), r#"{p="1"} -3@0"#);
    ranged("g[1m]", (0, 60, 60), "error: a query over a range of time has to be numbers");
    ranged("g", (0, 60, 0), "error: a step has to be longer than no time");
    ranged("g", (0, 11_001, 1), "error: more than 11000 steps");
}

#[test]
fn says_what_a_range_of_time_makes_useless_once() {
    let (series, _) = load(TEXT);
    let mut query = any("1 + sort(g)");
    query.range(&series, (secs(0), secs(120)), MINUTE).expect("a result");
    let said: Vec<String> = query.annotations().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["PromQL warning: sort is ineffective for range queries since results are always \
          ordered by labels (1:5)"]
    );
    query.answer(&series, secs(60)).expect("a result");
    assert!(query.annotations().is_empty(), "what was said of another result");
}

#[test]
fn says_when_a_counter_is_none() {
    let info = "PromQL info: metric might not be a counter, name does not end in \
                _total/_sum/_count/_bucket: \"g\" (1:10)";
    said("sum(rate(g[3m]))", TEXT, &[info]);
    said("sum(rate(a_total[3m]))", TEXT, &[]);
    said("sum(rate(x[3m]))", TEXT, &[]);
    said("sum(rate({p=\"1\"}[3m]))", TEXT, &[info]);
    said("sum(rate(g[3m:30s]))", TEXT, &[info]);
    said("sum(delta(g[3m]))", TEXT, &[]);
}

#[test]
fn warns_of_what_is_no_quantile() {
    let warning = |q: &str, at: &str| {
        format!("PromQL warning: quantile value should be between 0 and 1, got {q} ({at})")
    };
    said("quantile(1.5, g)", TEXT, &[&warning("1.5", "1:10")]);
    said("quantile by (p) (NaN, g)", TEXT, &[&warning("NaN", "1:18")]);
    said("quantile_over_time(-1, g[3m])", TEXT, &[&warning("-1", "1:20")]);
    said("quantile_over_time(-1, g[3m:1m])", TEXT, &[&warning("-1", "1:20")]);
    said("quantile_over_time(-1, gone[3m])", TEXT, &[]);
    said("clamp(quantile(2, g), 1, 0)", TEXT, &[&warning("2", "1:16")]);
    said(
        "histogram_quantile(\n 2, g) or\nquantile(1, g)",
        TEXT,
        &[
            &warning("2", "2:2"),
            "PromQL warning: bucket label \"le\" is missing or has a malformed value of \"\" for \
         metric name \"g\" (2:5)",
        ],
    );
}

#[test]
fn says_when_buckets_had_to_be_mended() {
    let text = "x_bucket{le=1} 90 90 every 10s
        x_bucket{le=2} 80 70 every 10s
        x_bucket{le=+Inf} 100 100 every 10s";
    said(
        "histogram_quantile(0.9, x_bucket)",
        text,
        &["PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see \
         https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) \
         for metric name \"x_bucket\", from buckets 2 to 2, with a max diff of 20, over 1 \
         samples from 1970-01-01T00:00:10Z to 1970-01-01T00:00:10Z (1:25)"],
    );
    let (series, _) = load(text);
    let mut query = any("histogram_quantile(0.9, x_bucket)");
    query.range(&series, (secs(0), secs(10)), 10 * SECOND).expect("a result");
    let said = query.annotations()[0].to_string();
    assert!(
        said.ends_with("over 2 samples from 1970-01-01T00:00:00Z to 1970-01-01T00:00:10Z (1:25)")
    );
}

#[test]
fn stops_at_a_limit_of_samples_and_of_texts() {
    let nested = "max_over_time(max_over_time(g[11000s:1s])[11000s:1s])";
    answered(nested, "error: the query reads more than 50000000 samples at one instant");
    let mut doubled = "g".to_owned();
    for _ in 0..20 {
        doubled = format!(r#"label_join({doubled}, "p", "", "p", "p")"#);
    }
    answered(&doubled, "error: a label's value of more than 65536 bytes");
}

#[test]
fn stops_at_a_limit_of_points_in_a_result() {
    let many: String = (0..2001).map(|n| format!("m{{n={n}}} 1 every 1m\n")).collect();
    let (series, _) = load(&many);
    let range = |steps: i64| any("m").range(&series, (secs(0), secs(steps - 1)), SECOND);
    let count = |matrix: Matrix| matrix.iter().map(|(_, points)| points.len()).sum::<usize>();
    // A sample stands for five minutes.
    assert_eq!(range(299).map(count), Ok(299 * 2001));
    let limit = "the query makes more than 2000000 points; select fewer series";
    let over = |text: &str| any(text).range(&series, (secs(0), secs(1000)), SECOND);
    assert!(over("m or last_over_time(m[1h])").expect_err("too many").starts_with(limit));
    for text in
        ["last_over_time(m[1h])[1000s:1s]", "count(sum_over_time(last_over_time(m[1h])[1000s:1s]))"]
    {
        let told = any(text).answer(&series, secs(1000)).expect_err(text);
        assert!(told.starts_with(limit), "{text}: {told}");
    }
    let pushed = (0..2_000_001).map(|second| (second, 1.0));
    let mut series = Series::new();
    series.keep("long", 100_000 * MINUTE);
    let id = series.intern("long", &Labels::default());
    pushed.for_each(|(second, value)| series.push(id, secs(second), value));
    let told = any("long[9999h]").answer(&series, secs(2_000_000)).expect_err("too long");
    assert!(told.starts_with(limit), "{told}");
}

/// What the differential test found.
#[test]
fn gives_what_prometheus_gives() {
    answered("acosh(g - 100)", r#"{p="1"} NaN"#);
    answered("clamp(g * NaN, Inf, NaN)", r#"{p="1"} inf"#);
    answered("clamp(g * NaN, 0, -Inf)", "");
    answered("clamp_max(g * NaN, -Inf)", r#"{p="1"} -inf"#);
    answered("clamp_min(g, NaN)", r#"{p="1"} NaN"#);
    // The label takes the place of one by which is grouped: groups become one.
    answered(r#"count_values by (p) ("p", a_total > bool 0)"#, r#"{p="1"} 2"#);
    answered(r#"count_values without (p) ("p", a_total)"#, "{} 2");
    answered(r#"count_values("__name__", g)"#, r#"{__name__="5"} 1"#);
    // A name that is calculated away is seen by nobody.
    answered("sum by (__name__) (g + on (p) a_total)", "{} 185");
    answered("sum by (__name__) (g < on (p) a_total)", "{} 5");
    answered("g < ignoring () a_total{p=\"1\"}", r#"{__name__="g", p="1"} 5"#);
    answered("g < ignoring (__name__) a_total{p=\"1\"}", r#"{p="1"} 5"#);
    answered("g * on (p) group_left (__name__) a_total", r#"{__name__="a_total", p="1"} 900"#);
}
