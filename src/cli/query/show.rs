//! A result for people: columns, lines that are drawn, or CSV.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli::out::aligned;
use crate::daemon::api::form;
use crate::model::Timestamp;

/// One sample of one series.
struct Cell<'a> {
    metric: &'a Value,
    at: &'a Value,
    value: &'a str,
}

/// Aligned columns: labels, the time where there are several, the value.
pub(super) fn table(data: &Value) -> String {
    let is_range = data["resultType"] == "matrix";
    let (names, cells) = cells(data);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut head: Vec<String> = names.iter().map(|name| heading(name)).collect();
    if is_range {
        head.push("time".to_owned());
    }
    head.push("value".to_owned());
    rows.push(head);
    for cell in &cells {
        let mut row: Vec<String> = names.iter().map(|name| label(cell.metric, name)).collect();
        if is_range {
            row.push(time(cell.at));
        }
        row.push(cell.value.to_owned());
        rows.push(row);
    }
    match (cells.is_empty(), names.is_empty() && !is_range) {
        (true, _) => String::new(),
        (false, true) => cells.iter().map(|cell| format!("{}\n", cell.value)).collect(),
        (false, false) => aligned(&rows),
    }
}

/// One line a sample, with a head.
pub(super) fn csv(data: &Value) -> String {
    let (names, cells) = cells(data);
    let head = names.iter().map(|name| heading(name));
    let head: Vec<String> = std::iter::once("time".to_owned())
        .chain(head)
        .chain(["value".to_owned()])
        .map(|text| quoted(&text))
        .collect();
    let mut text = head.join(",") + "\n";
    for cell in cells {
        let labels = names.iter().map(|name| label(cell.metric, name));
        let row = std::iter::once(time(cell.at)).chain(labels).chain([cell.value.to_owned()]);
        let row: Vec<String> = row.map(|text| quoted(&text)).collect();
        text.push_str(&(row.join(",") + "\n"));
    }
    text
}

/// One line a series: its course drawn, then the least, the most, the last.
pub(super) fn sparklines(data: &Value) -> String {
    let series: Vec<&Value> = data["result"].as_array().into_iter().flatten().collect();
    let points = |one: &Value| -> Vec<(i64, f64)> {
        let pairs = one["values"].as_array().into_iter().flatten();
        let point = |pair: &Value| {
            let at = form::time(&pair[0].to_string()).ok()?;
            Some((at.millis(), pair[1].as_str()?.parse().ok()?))
        };
        pairs.filter_map(point).collect()
    };
    let all: Vec<Vec<(i64, f64)>> = series.iter().map(|one| points(one)).collect();
    // Steps are the same for all, so the shortest way between two is the step.
    let ways = all.iter().flat_map(|one| one.windows(2)).map(|pair| pair[1].0 - pair[0].0);
    let step = ways.min().unwrap_or(1).max(1);
    let first = all.iter().filter_map(|one| one.first()).map(|(at, _)| *at).min();
    let mut rows = Vec::new();
    for (one, points) in series.iter().zip(&all) {
        let drawn = drawn(points, first.unwrap_or_default(), step);
        let numbers = points.iter().map(|(_, value)| *value).filter(|value| !value.is_nan());
        let (least, most) = numbers
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
        let last = points.last().map_or(f64::NAN, |(_, value)| *value);
        let row = vec![
            named(&one["metric"]),
            drawn,
            format!("min {}", short(least)),
            format!("max {}", short(most)),
            format!("last {}", short(last)),
        ];
        rows.push(row);
    }
    aligned(&rows)
}

/// Eighths of a line's height; a step without a sample is a gap.
fn drawn(points: &[(i64, f64)], first: i64, step: i64) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let finite = || points.iter().map(|(_, value)| *value).filter(|value| value.is_finite());
    let (least, most) = (finite().fold(f64::MAX, f64::min), finite().fold(f64::MIN, f64::max));
    let bar = |value: f64| match value {
        value if value.is_nan() => '·',
        f64::INFINITY => BARS[7],
        f64::NEG_INFINITY => BARS[0],
        // What does not move is a low line, unless it is all there ever was.
        value if most <= least => BARS[if value > 0.0 { 3 } else { 0 }],
        value => BARS[(((value - least) / (most - least)) * 7.0).round() as usize],
    };
    let mut text = String::new();
    let mut place = 0;
    for (at, value) in points {
        let here = (at - first) / step;
        while place < here {
            text.push(' ');
            place += 1;
        }
        text.push(bar(*value));
        place += 1;
    }
    text
}

/// All samples, and the names of all labels.
fn cells(data: &Value) -> (Vec<String>, Vec<Cell<'_>>) {
    let mut names = BTreeSet::new();
    let mut cells = Vec::new();
    let mut add = |metric: &'_ Value, pair: &'_ Value| {
        names.extend(metric.as_object().into_iter().flat_map(|all| all.keys().cloned()));
        pair[1].as_str().is_some()
    };
    match &data["result"] {
        // A scalar, or a text: the pair itself.
        pair @ Value::Array(all) if all.len() == 2 && !all[0].is_object() => {
            add(&Value::Null, pair);
            cells.push(Cell { metric: &Value::Null, at: &pair[0], value: text_of(&pair[1]) });
        }
        all => {
            for one in all.as_array().into_iter().flatten() {
                let metric = &one["metric"];
                let pairs = one["values"].as_array().into_iter().flatten();
                let pairs = pairs.chain(Some(&one["value"]).filter(|pair| pair.is_array()));
                for pair in pairs.filter(|pair| add(metric, pair)) {
                    cells.push(Cell { metric, at: &pair[0], value: text_of(&pair[1]) });
                }
            }
        }
    }
    (names.into_iter().collect(), cells)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn heading(name: &str) -> String {
    if name == "__name__" { "metric".to_owned() } else { name.to_owned() }
}

fn label(metric: &Value, name: &str) -> String {
    text_of(&metric[name]).to_owned()
}

/// As PromQL writes a series.
fn named(metric: &Value) -> String {
    let labels = metric.as_object().into_iter().flatten();
    let labels = labels.filter(|(name, _)| *name != "__name__");
    let pairs: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
    let name = text_of(&metric["__name__"]);
    match (name.is_empty(), pairs.is_empty()) {
        (false, true) => name.to_owned(),
        _ => format!("{name}{{{}}}", pairs.join(", ")),
    }
}

fn time(at: &Value) -> String {
    form::time(&at.to_string()).map_or_else(|_| at.to_string(), Timestamp::rfc3339)
}

/// A number with four digits that count.
fn short(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return value.to_string();
    }
    let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 12);
    let text = format!("{value:.*}", digits as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn matrix() -> Value {
        json!({ "resultType": "matrix", "result": [
            { "metric": { "__name__": "up", "instance": "a,b" },
              "values": [[0, "0"], [15, "0.5"], [45, "1"], [60, "NaN"]] },
            { "metric": { "__name__": "up", "instance": "c" }, "values": [[15, "123456.7"]] },
        ] })
    }

    fn check(text: String, expected: Expect) {
        expected.assert_eq(&text);
    }

    #[test]
    fn draws_one_line_a_series_with_gaps_where_nothing_is_known() {
        check(
            sparklines(&matrix()),
            expect![[r#"
            up{instance="a,b"}  ▁▅ █·  min 0       max 1       last NaN
            up{instance="c"}     ▄     min 123457  max 123457  last 123457
        "#]],
        );
    }

    #[test]
    fn writes_columns_for_what_tells_series_apart() {
        check(
            table(&matrix()),
            expect![[r#"
            metric  instance  time                  value
            up      a,b       1970-01-01T00:00:00Z  0
            up      a,b       1970-01-01T00:00:15Z  0.5
            up      a,b       1970-01-01T00:00:45Z  1
            up      a,b       1970-01-01T00:01:00Z  NaN
            up      c         1970-01-01T00:00:15Z  123456.7
        "#]],
        );
        let scalar = json!({ "resultType": "scalar", "result": [1.5, "2"] });
        assert_eq!(table(&scalar), "2\n");
        assert_eq!(table(&json!({ "resultType": "vector", "result": [] })), "");
    }

    #[test]
    fn writes_csv_that_spreadsheets_read() {
        check(
            csv(&matrix()),
            expect![[r#"
            time,metric,instance,value
            1970-01-01T00:00:00Z,up,"a,b",0
            1970-01-01T00:00:15Z,up,"a,b",0.5
            1970-01-01T00:00:45Z,up,"a,b",1
            1970-01-01T00:01:00Z,up,"a,b",NaN
            1970-01-01T00:00:15Z,up,c,123456.7
        "#]],
        );
    }
}
