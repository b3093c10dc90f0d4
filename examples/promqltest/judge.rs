//! Whether one case comes out as expected.

use std::collections::{BTreeMap, BTreeSet};

use bakewatch::metrics::promql::{Answer, Query};
use bakewatch::metrics::{Point, Series};
use bakewatch::model::{Labels, MINUTE, Span, Timestamp};

use crate::script::{Case, Expect, Words, expand, parse_metric, split_metric, words};

pub enum Outcome {
    Passed,
    Failed(String),
    Unsupported(String),
}

const NATIVE: &str = "native histograms among the samples";
const TYPED: &str = "experimental: __type__ and __unit__ that go with the name";

/// Series with their points, by the labels.
type Rows = BTreeMap<Labels, Vec<(Timestamp, f64)>>;

pub fn judge(
    case: &Case<'_>,
    series: &Series,
    native: &BTreeSet<Labels>,
    typed: &BTreeSet<Labels>,
) -> Outcome {
    let fail = case.expects.iter().find_map(|expect| match expect {
        Expect::Fail(words) => Some(words),
        _ => None,
    });
    let mut query = match (Query::compile_any(case.query), fail) {
        (Ok(query), _) => query,
        (Err(complaint), fail) => match (complaint.refused, fail) {
            (Some(refused), _) => return Outcome::Unsupported(refused.to_string()),
            (None, Some(words)) => return failed_as(words, &complaint.what),
            (None, None) => return Outcome::Failed(complaint.what),
        },
    };
    let selected = query.selects(series);
    if case.rows.iter().any(|row| row.contains("{{")) || selected.iter().any(|s| native.contains(s))
    {
        return Outcome::Unsupported(NATIVE.to_owned());
    }
    let outcome = match (answered(case, &mut query, series), fail) {
        (Err(error), Some(words)) => failed_as(words, &error),
        (Err(error), None) => Outcome::Failed(error),
        (Ok(_), Some(_)) => Outcome::Failed("it should have failed".into()),
        (Ok(answer), None) => compare(case, &mut query, series, &answer),
    };
    match outcome {
        Outcome::Failed(_) if selected.iter().any(|series| typed.contains(series)) => {
            Outcome::Unsupported(TYPED.to_owned())
        }
        outcome => outcome,
    }
}

/// It failed, as it should; for the reason that was expected?
fn failed_as(words: &Words, error: &str) -> Outcome {
    match words.are(error) {
        true => Outcome::Passed,
        false => Outcome::Failed(format!("it failed for another reason: {error}")),
    }
}

fn answered(case: &Case<'_>, query: &mut Query, series: &Series) -> Result<Answer, String> {
    match case.is_range {
        true => query.range(series, (case.start, case.end), case.step).map(Answer::Matrix),
        false => query.answer(series, case.start),
    }
}

fn compare(case: &Case<'_>, query: &mut Query, series: &Series, answer: &Answer) -> Outcome {
    let checks = [
        annotated(case, query),
        match answer {
            Answer::Text(text) => same_text(case, text),
            _ => same_rows(case, answer),
        },
        same_in_a_range(case, query, series, answer),
    ];
    match checks.into_iter().find_map(Result::err) {
        Some(why) => Outcome::Failed(why),
        None => Outcome::Passed,
    }
}

fn annotated(case: &Case<'_>, query: &Query) -> Result<(), String> {
    let of_kind = |warning: bool| {
        let all = query.annotations().iter().filter(move |one| one.is_warning() == warning);
        all.map(ToString::to_string).collect::<Vec<String>>()
    };
    let (warnings, infos) = (of_kind(true), of_kind(false));
    for expect in &case.expects {
        let (said, is_right) = match expect {
            Expect::Warn(words) => (&warnings, warnings.iter().any(|one| words.are(one))),
            Expect::Info(words) => (&infos, infos.iter().any(|one| words.are(one))),
            Expect::NoWarn => (&warnings, warnings.is_empty()),
            Expect::NoInfo => (&infos, infos.is_empty()),
            Expect::Unknown(line) => return Err(format!("not understood: expect {line}")),
            Expect::Fail(_) | Expect::Ordered | Expect::Text(_) | Expect::Grid(..) => continue,
        };
        if !is_right {
            return Err(format!("expected {expect:?}, said {said:?}"));
        }
    }
    Ok(())
}

fn same_text(case: &Case<'_>, text: &str) -> Result<(), String> {
    let expected = case.expects.iter().find_map(|expect| match expect {
        Expect::Text(expected) => Some(expected),
        _ => None,
    });
    match expected {
        Some(expected) if expected == text => Ok(()),
        expected => Err(format!("expected {expected:?}, came {text:?}")),
    }
}

fn same_rows(case: &Case<'_>, answer: &Answer) -> Result<(), String> {
    let (expected, expected_order) = expected(case)?;
    let mut order = Vec::new();
    let mut rows = Rows::new();
    let mut add = |labels: &Labels, points: Vec<(Timestamp, f64)>| {
        order.push(labels.clone());
        rows.insert(labels.clone(), points);
    };
    match answer {
        Answer::Scalar(value) => add(&Labels::default(), vec![(case.start, *value)]),
        Answer::Vector(vector) => {
            vector.iter().for_each(|(labels, value)| add(labels, vec![(case.start, *value)]));
        }
        Answer::Matrix(matrix) => {
            let points = |points: &[Point]| points.iter().map(|p| (p.at, p.value)).collect();
            matrix.iter().for_each(|(labels, row)| add(labels, points(row)));
        }
        Answer::Text(_) => {}
    }
    if !same(&expected, &rows) {
        return Err(format!("expected {expected:?}\n    came     {rows:?}"));
    }
    let is_ordered = case.expects.iter().any(|expect| matches!(expect, Expect::Ordered));
    if is_ordered && expected_order != order {
        return Err(format!("expected order {expected_order:?}, came {order:?}"));
    }
    Ok(())
}

fn expected(case: &Case<'_>) -> Result<(Rows, Vec<Labels>), String> {
    let grid = case.expects.iter().find_map(|expect| match expect {
        Expect::Grid(from, step) => Some((*from, *step)),
        _ => None,
    });
    let (from, step) = grid.unwrap_or((case.start, case.step));
    let (mut rows, mut order) = (Rows::new(), Vec::new());
    for row in &case.rows {
        let (labels, points) = match split_metric(row) {
            Some((metric, points)) if !points.is_empty() => {
                let (name, labels) =
                    parse_metric(metric).ok_or_else(|| format!("not understood: {row}"))?;
                (if name.is_empty() { labels } else { labels.with("__name__", &name) }, points)
            }
            _ => (Labels::default(), *row),
        };
        let mut values = Vec::new();
        for word in words(points) {
            values.extend(expand(word).ok_or_else(|| format!("not understood: {word}"))?);
        }
        let at = |index: usize| from + Span::from_millis(step.millis() * index as i64);
        let points = values.iter().enumerate();
        let points = points.filter_map(|(index, value)| Some((at(index), (*value)?))).collect();
        order.push(labels.clone());
        rows.insert(labels, points);
    }
    rows.retain(|_, points: &mut Vec<_>| !points.is_empty());
    Ok((rows, order))
}

fn same(expected: &Rows, came: &Rows) -> bool {
    let same_row = |a: &[(Timestamp, f64)], b: &[(Timestamp, f64)]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && close(a.1, b.1))
    };
    expected.len() == came.len()
        && expected.iter().all(|(labels, row)| came.get(labels).is_some_and(|r| same_row(row, r)))
}

fn close(a: f64, b: f64) -> bool {
    let near = (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
    a == b || (a.is_nan() && b.is_nan()) || near || (a - b).abs() < 1e-300
}

/// An instant in the middle of a range gives what it gives by itself. (Not
/// where the query asks for the range, and not the order.)
fn same_in_a_range(
    case: &Case<'_>,
    query: &mut Query,
    series: &Series,
    answer: &Answer,
) -> Result<(), String> {
    let asks = ["start(", "end("].iter().any(|word| case.query.contains(word));
    let is_ordered = case.expects.iter().any(|expect| matches!(expect, Expect::Ordered));
    let alone: Rows = match answer {
        Answer::Scalar(value) => [(Labels::default(), vec![(case.start, *value)])].into(),
        Answer::Vector(vector) => vector
            .iter()
            .map(|(labels, value)| (labels.clone(), vec![(case.start, *value)]))
            .collect(),
        Answer::Matrix(_) | Answer::Text(_) => return Ok(()),
    };
    if asks || is_ordered {
        return Ok(());
    }
    let range = (case.start - MINUTE, case.start + MINUTE);
    let matrix =
        query.range(series, range, MINUTE).map_err(|error| format!("in a range: {error}"))?;
    let at = |points: Vec<Point>| points.into_iter().find(|point| point.at == case.start);
    let middle: Rows = matrix
        .into_iter()
        .filter_map(|(labels, points)| Some((labels, vec![(case.start, at(points)?.value)])))
        .collect();
    match same(&alone, &middle) {
        true => Ok(()),
        false => Err(format!("alone {alone:?}\n    in a range {middle:?}")),
    }
}
