//! What a server answers that is asked as Prometheus is, read strictly: what
//! is no whole answer is a failure, and never an empty result.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::{Failure, Labels, Rows, Timestamp, Told};

/// A text of the server's own is told up to here.
const WORDS_MAX: usize = 300;

/// So begin what Prometheus says of a query beside a whole result; any other
/// warning says that something is missing of it.
const OF_QUERY: &str = "PromQL ";

#[derive(Deserialize)]
struct Body {
    status: String,
    data: Option<Data>,
    #[serde(default, rename = "errorType")]
    kind: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
    /// VictoriaMetrics: some of its nodes did not answer.
    #[serde(default, rename = "isPartial")]
    is_partial: bool,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Item>),
    Matrix(Vec<Item>),
    Scalar(Sample),
    String(IgnoredAny),
}

/// Seconds, and a number in a text.
type Sample = (f64, String);

#[derive(Deserialize)]
struct Item {
    metric: BTreeMap<String, String>,
    value: Option<Sample>,
    #[serde(default)]
    values: Vec<Sample>,
    histogram: Option<IgnoredAny>,
    histograms: Option<IgnoredAny>,
}

/// Reads an answer. `takes_partial`: half of one counts too, and is noted.
///
/// # Errors
/// Why there is no whole answer.
pub fn read(status: u16, body: &[u8], takes_partial: bool) -> Result<Told, Failure> {
    let Ok(Body { status: word, data, kind, error, warnings, infos, is_partial }) =
        serde_json::from_slice(body)
    else {
        return Err(match status {
            200 => Failure::Unreadable(format!("no answer to a query: {}", beginning(body))),
            other => Failure::Status(other),
        });
    };
    if word != "success" || status != 200 {
        let words = format!("{kind}: {error}");
        return Err(match error.is_empty() {
            true => Failure::Status(status),
            false => Failure::Says(short(words.trim_start_matches(": "))),
        });
    }
    let (mut notes, missing): (Vec<String>, Vec<String>) =
        warnings.into_iter().partition(|warning| warning.starts_with(OF_QUERY));
    let unsaid = is_partial.then(|| "not all of its parts answered".to_owned());
    if let Some(first) = missing.into_iter().next().or(unsaid) {
        let words = format!("a partial answer: {}", short(&first));
        if !takes_partial {
            return Err(Failure::Says(words));
        }
        notes.insert(0, words);
    }
    notes.extend(infos);
    let rows = rows(data).map_err(Failure::Unreadable)?;
    let notes = notes.iter().map(|note| short(note)).collect();
    Ok(Told { rows, notes })
}

fn rows(data: Option<Data>) -> Result<Rows, String> {
    let items = match data.ok_or("a success without data")? {
        Data::Vector(items) | Data::Matrix(items) => items,
        Data::Scalar(sample) => return Ok(vec![(Labels::default(), vec![point(&sample)?])]),
        Data::String(_) => return Err("the result is a text, not a number".to_owned()),
    };
    let row = |item: Item| {
        if item.histogram.is_some() || item.histograms.is_some() {
            return Err(
                "the result is a native histogram; ask its quantile, or classic buckets".to_owned()
            );
        }
        let points = item.value.iter().chain(&item.values).map(point);
        Ok((Labels::from_pairs(item.metric), points.collect::<Result<_, _>>()?))
    };
    items.into_iter().map(row).collect()
}

fn point((seconds, value): &Sample) -> Result<(Timestamp, f64), String> {
    let number = value.parse::<f64>().map_err(|_| format!("{:?} is no number", short(value)))?;
    Ok((Timestamp::from_millis((seconds * 1000.0).round() as i64), number))
}

/// How a body begins that is not what was asked for.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(WORDS_MAX)]);
    match text.trim() {
        "" => "the body is empty".to_owned(),
        text => format!("it begins {:?}", text.chars().take(40).collect::<String>()),
    }
}

/// On one line, and not too long for it.
fn short(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> String {
        match read(status, body.as_bytes(), false) {
            Err(failure) => failure.to_string(),
            Ok(Told { rows, notes }) => {
                let row = |(labels, points): &(Labels, Vec<(Timestamp, f64)>)| {
                    let points = points.iter().map(|(at, value)| format!(" {value}@{at}"));
                    format!("{labels}{}", points.collect::<String>())
                };
                let rows = rows.iter().map(row).collect::<Vec<_>>().join("; ");
                if notes.is_empty() { rows } else { format!("{rows} [{}]", notes.join("; ")) }
            }
        }
    }

    fn success(data: &str, more: &str) -> String {
        told(200, &format!(r#"{{"status":"success","data":{data}{more}}}"#))
    }

    #[test]
    fn reads_every_kind_of_number() {
        let vector = r#"{"resultType":"vector","result":[
            {"metric":{"le":"+Inf"},"value":[1435781451.781,"1e3"]},
            {"metric":{},"value":[1435781451,"NaN"]},{"metric":{},"value":[0.5,"-Inf"]}]}"#;
        let expected = "{le=\"+Inf\"} 1000@2015-07-01T20:10:51.781Z; \
                        {} NaN@2015-07-01T20:10:51Z; {} -inf@1970-01-01T00:00:00.5Z";
        assert_eq!(success(vector, ""), expected);
        let scalar = r#"{"resultType":"scalar","result":[5,"0.1"]}"#;
        assert_eq!(success(scalar, ""), "{} 0.1@1970-01-01T00:00:05Z");
        let matrix = r#"{"result":[{"metric":{"a":"b"},"values":[[0,"1"],[15,"2"]]}],
                         "resultType":"matrix"}"#;
        let expected = "{a=\"b\"} 1@1970-01-01T00:00:00Z 2@1970-01-01T00:00:15Z";
        assert_eq!(success(matrix, ""), expected);
        let empty = r#"{"resultType":"vector","result":[]}"#;
        assert_eq!(success(empty, r#","infos":["PromQL info: x"]"#), " [PromQL info: x]");
    }

    #[test]
    fn takes_nothing_for_a_whole_answer_that_is_none() {
        let empty = r#"{"resultType":"vector","result":[]}"#;
        let partial = "a partial answer: No StoreAPIs matched for this query";
        let warned = r#","warnings":["No StoreAPIs matched for this query"]"#;
        for (body, expected) in [
            (success(empty, warned), format!("it says: {partial}")),
            (
                success(empty, r#","isPartial":true"#),
                "it says: a partial answer: not all of its parts answered".into(),
            ),
            (
                told(422, r#"{"status":"error","errorType":"execution","error":"many\n x"}"#),
                "it says: execution: many x".into(),
            ),
            (told(502, "<html>"), "status 502".into()),
            (told(404, r#"{"message":"no"}"#), "status 404".into()),
            (
                told(200, "<html>\nSign in"),
                "unreadable: no answer to a query: it begins \"<html>\\nSign in\"".into(),
            ),
            (told(200, ""), "unreadable: no answer to a query: the body is empty".into()),
            (told(200, r#"{"status":"success"}"#), "unreadable: a success without data".into()),
            (
                success(r#"{"resultType":"string","result":[1,"x"]}"#, ""),
                "unreadable: the result is a text, not a number".into(),
            ),
            (
                success(
                    r#"{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}"#,
                    "",
                ),
                "unreadable: the result is a native histogram; ask its quantile, or classic buckets"
                    .into(),
            ),
            (
                success(r#"{"resultType":"scalar","result":[1,"12a"]}"#, ""),
                "unreadable: \"12a\" is no number".into(),
            ),
        ] {
            assert_eq!(body, expected);
        }
        let body = format!(r#"{{"status":"success","data":{empty}{warned}}}"#);
        let told = read(200, body.as_bytes(), true).expect("half is taken");
        assert_eq!(told.notes, [partial]);
    }

    proptest::proptest! {
        #[test]
        fn reads_whatever_comes(body: Vec<u8>, status in 100u16..600) {
            let _ = read(status, &body, false);
        }
    }
}
