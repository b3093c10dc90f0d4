//! The evaluator against an independent, naive reading of the same rules.

use proptest::prelude::*;

use super::*;

/// Rate told another way: reset-free growth first, then each end by itself.
fn naive_rate(points: &[(i64, f64)], at: i64, range: i64) -> Option<f64> {
    let inside: Vec<(i64, f64)> =
        points.iter().copied().filter(|(t, _)| *t > at - range && *t <= at).collect();
    if inside.len() < 2 {
        return None;
    }
    let mut added = 0.0;
    let mut straight = vec![inside[0].1];
    for pair in inside.windows(2) {
        if pair[1].1 < pair[0].1 {
            added += pair[0].1;
        }
        straight.push(pair[1].1 + added);
    }
    let grown = straight[straight.len() - 1] - straight[0];
    let (first, last) = (inside[0].0, inside[inside.len() - 1].0);
    let sampled = (last - first) as f64;
    let gap = sampled / (inside.len() - 1) as f64;
    let reach = |distance: i64| {
        let distance = distance as f64;
        if distance < gap * 1.1 { distance } else { gap / 2.0 }
    };
    let mut start = reach(first - (at - range));
    if grown > 0.0 {
        let zero_at = sampled * inside[0].1 / grown;
        start = if zero_at < start { zero_at } else { start };
    }
    Some(grown * (sampled + start + reach(at - last)) / sampled / (range as f64 / 1000.0))
}

proptest! {
    #[test]
    fn gives_the_rate_that_a_naive_reading_gives(
        steps in prop::collection::vec((1i64..40_000, 0u32..1000, 0u32..10), 0..40),
        after in 0i64..60_000,
        range in 1i64..600_000,
    ) {
        let mut series = Series::new();
        series.keep("x", 1000 * MINUTE);
        let id = series.intern("x", &Labels::default());
        let (mut at, mut value, mut points) = (0, 0.0, Vec::new());
        for (wait, growth, reset) in steps {
            at += wait;
            value = if reset == 0 { f64::from(growth) } else { value + f64::from(growth) };
            points.push((at, value));
            series.push(id, Timestamp::from_millis(at), value);
        }
        let at = at + after;
        let mut query = Query::compile_ranged("rate(x[$range])", Span::from_millis(range)).unwrap();
        let vector = query.eval(&series, Timestamp::from_millis(at), Mode::Prometheus).unwrap();
        let ours = vector.first().map(|(_, value)| *value);
        match (ours, naive_rate(&points, at, range)) {
            (Some(a), Some(b)) => {
                prop_assert!((a - b).abs() <= 1e-9 * a.abs().max(1e-9), "{a} {b}");
            }
            (a, b) => prop_assert_eq!(a, b),
        }
    }

    #[test]
    fn never_panics_over_a_text(text in "[a-z(){}\\[\\]\"$:=~0-9 .,+@_-]{0,40}") {
        let _ = Query::compile(&text);
    }

    #[test]
    fn never_panics_over_pieces_of_queries(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 1..14),
        at in -10i64..60,
    ) {
        let (series, _) = load("x{p=1,le=2} 1 NaN end 3 every 10s\nx{p=2,le=+Inf} 5 4 every 10s");
        let at = Timestamp::from_millis(at * 1000);
        if let Ok(mut query) = Query::compile_ranged(&pieces.join(" "), MINUTE) {
            let _ = query.eval_over(&series, at, Mode::Prometheus, 10 * SECOND);
            let _ = query.eval_over(&series, at, Mode::Anchored, SECOND);
            let _ = query.presence(&series, at);
            let _ = query.needs();
        }
    }
}

const PIECES: &[&str] = &[
    "x",
    "x",
    "x",
    "x[1m]",
    "x[1m]",
    "x[$range]",
    "x{p=~\"1|2\"}",
    "x{p!=\"1\"}",
    "1",
    "0",
    "-1",
    "1e308",
    "NaN",
    "Inf",
    "(",
    "(",
    ")",
    ")",
    "+",
    "-",
    "/",
    "%",
    "^",
    "atan2",
    "==",
    ">",
    "bool",
    "and",
    "or",
    "unless",
    "on (p)",
    "ignoring (le)",
    "group_left",
    "group_right (p)",
    "sum",
    "avg",
    "topk (1, x)",
    "topk (",
    "bottomk (NaN,",
    "quantile (0.5,",
    "count_values (\"v\", x)",
    "by (p)",
    "without (le)",
    "by (__name__)",
    "rate (",
    "rate (x[1m])",
    "increase (x[$range])",
    "delta (",
    "max_over_time (",
    "quantile_over_time (2, x[1m])",
    "predict_linear (x[1m], 1e300)",
    "absent (",
    "absent_over_time (",
    "histogram_quantile (0.9, x)",
    "histogram_fraction (0, 1, x)",
    "label_replace (x, \"p\", \"$2\", \"le\", \"(.)\")",
    "label_join (x, \"__name__\", \"\", \"p\")",
    "timestamp (",
    "scalar (",
    "vector (",
    "clamp (x, 2, 1)",
    "round (x, 0)",
    "year (",
    "time ()",
    "[1m:10s]",
    "[1m:]",
    "[$range:$range]",
    "offset 10s",
    "offset -1m",
    "@ 0",
    "@ end()",
    ",",
];
