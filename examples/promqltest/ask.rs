//! Answers queries over samples that are given with them, both as JSON: how
//! another PromQL engine is held against ours (`tests/peers/case_promql.py`).
//!
//! In: `{"series": [{"labels": {…}, "points": [[MILLIS, "1.5"], …]}, …],
//! "queries": [{"query": "…", "at": MILLIS}, {…, "range": [START, END, STEP]}]}`.
//! Out: a line for each query.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use bakewatch::metrics::Series;
use bakewatch::metrics::promql::{Answer, Query};
use bakewatch::model::{Labels, Span, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::FOREVER;

#[derive(Deserialize)]
struct Given {
    series: Vec<OneSeries>,
    queries: Vec<Asked>,
}

#[derive(Deserialize)]
struct OneSeries {
    labels: BTreeMap<String, String>,
    points: Vec<(i64, String)>,
}

#[derive(Deserialize)]
struct Asked {
    query: String,
    at: Option<i64>,
    range: Option<(i64, i64, i64)>,
}

/// Reads all that is given, and writes the answers.
pub fn ask(mut from: impl Read, mut to: impl Write) -> Result<(), String> {
    let mut text = String::new();
    from.read_to_string(&mut text).map_err(|error| error.to_string())?;
    let given: Given = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mut series = Series::new();
    for OneSeries { mut labels, points } in given.series {
        let name = labels.remove("__name__").ok_or("a series without a name")?;
        series.keep(&name, FOREVER);
        let id = series.intern(&name, &Labels::from_pairs(labels));
        for (at, value) in points {
            let value = value.parse().map_err(|_| format!("{value:?} is no number"))?;
            series.push(id, Timestamp::from_millis(at), value);
        }
    }
    for asked in &given.queries {
        writeln!(to, "{}", answer(asked, &series)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn answer(asked: &Asked, series: &Series) -> Value {
    let mut query = match Query::compile_any(&asked.query) {
        Ok(query) => query,
        Err(complaint) => return json!({ "refused": complaint.to_string() }),
    };
    let instant = Timestamp::from_millis;
    let answer = match asked.range {
        None => query.answer(series, instant(asked.at.unwrap_or(0))),
        Some((start, end, step)) => query
            .range(series, (instant(start), instant(end)), Span::from_millis(step))
            .map(Answer::Matrix),
    };
    let (kind, result) = match answer {
        Err(error) => return json!({ "error": error }),
        Ok(Answer::Scalar(value)) => ("scalar", json!(value.to_string())),
        Ok(Answer::Text(text)) => ("string", json!(text)),
        Ok(Answer::Vector(vector)) => {
            let all = vector.iter().map(|(labels, value)| json!([labels, value.to_string()]));
            ("vector", all.collect())
        }
        Ok(Answer::Matrix(matrix)) => {
            let all = matrix.iter().map(|(labels, points)| {
                let points = points.iter().map(|p| json!([p.at.millis(), p.value.to_string()]));
                json!([labels, points.collect::<Value>()])
            });
            ("matrix", all.collect())
        }
    };
    let said = |warning: bool| {
        let all = query.annotations().iter().filter(move |one| one.is_warning() == warning);
        all.map(|one| json!(one.to_string())).collect::<Value>()
    };
    json!({ "type": kind, "result": result, "warnings": said(true), "infos": said(false) })
}
