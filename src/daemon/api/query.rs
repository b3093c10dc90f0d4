//! `query` and `query_range`.

use std::time::Instant;

use axum::extract::State;

use super::answer::{Beside, Outcome, Problem, Told, success};
use super::form::{Form, wrong};
use super::{Api, Copied, Turn};
use crate::metrics::Depth;
use crate::metrics::promql::{Complaint, Query};
use crate::model::{Name, Span, Timestamp};

/// Prometheus's own limit of points of a series in one answer.
const STEPS_MAX: i64 = 11_000;

/// What an expression is at an instant.
pub(super) async fn instant(State(api): State<Api>, form: Form) -> Told {
    let (mut query, turn) = compiled(&api, &form).await?;
    let (time, patience) = (form.time("time")?, form.patience()?);
    let span = time.map(|at| (at, at));
    let copied = api.copy(turn, query.wants(), span, Depth::Samples, &form).await?;
    let limit = form.limit()?;
    let work = move || {
        let at = time.unwrap_or(copied.now);
        let answer = query.answer(copied.excerpt.series(), at).map_err(Problem::Execution)?;
        let mut beside = beside(&copied, &query);
        let outcome = Outcome::at(answer, at).limited(limit, &mut beside);
        success(outcome, beside)
    };
    super::work(patience, work).await
}

/// What an expression is at each step of a range of time.
pub(super) async fn range(State(api): State<Api>, form: Form) -> Told {
    let (mut query, turn) = compiled(&api, &form).await?;
    if !query.is_numbers() {
        return Err(wrong(
            "query",
            "it has to be numbers at each instant; put a function around \
                                   it, such as rate()",
        ));
    }
    let (start, end, step) = steps(&form)?;
    let (patience, limit) = (form.patience()?, form.limit()?);
    let copied = api.copy(turn, query.wants(), Some((start, end)), Depth::Samples, &form).await?;
    let work = move || {
        let until = Instant::now() + patience;
        let series = copied.excerpt.series();
        let matrix = query
            .range_while(series, (start, end), step, &mut || Instant::now() < until)
            .map_err(Problem::Execution)?;
        if Instant::now() >= until {
            return Err(super::late(patience));
        }
        let mut beside = beside(&copied, &query);
        let outcome = Outcome::over(matrix).limited(limit, &mut beside);
        success(outcome, beside)
    };
    super::work(patience, work).await
}

/// Reading a query can take long, too: its patterns are compiled.
async fn compiled(api: &Api, form: &Form) -> Result<(Query, Turn), Problem> {
    form.without_lookback()?;
    let text = form.needed("query")?.to_owned();
    let (patience, turn) = (form.patience()?, api.turn().await?);
    let work = move || match Query::compile_any(&text) {
        Ok(query) => Ok((query, turn)),
        Err(complaint) => Err(refused("query", &complaint)),
    };
    super::work(patience, work).await
}

/// As Prometheus words it: line and column, then what is wrong.
pub(super) fn refused(parameter: &str, complaint: &Complaint) -> Problem {
    wrong(parameter, format!("1:{}: parse error: {}", complaint.column, complaint.what))
}

fn steps(form: &Form) -> Result<(Timestamp, Timestamp, Span), Problem> {
    let (start, end) = (form.needed_time("start")?, form.needed_time("end")?);
    if end < start {
        return Err(wrong("end", "end timestamp must not be before start time"));
    }
    let step = form.span("step")?.ok_or_else(|| wrong("step", "is missing"))?;
    if step <= Span::ZERO {
        return Err(wrong("step", "a step has to be longer than no time"));
    }
    if end.since(start).millis() / step.millis() > STEPS_MAX {
        let what = "exceeded maximum resolution of 11,000 points per timeseries; make the step \
                    longer (?step=XX)";
        return Err(Problem::BadData(what.to_owned()));
    }
    Ok((start, end, step))
}

/// What is to be known beside the result.
fn beside(copied: &Copied, query: &Query) -> Beside {
    let mut beside = Beside { warnings: copied.excerpt.warnings(), infos: Vec::new() };
    beside.add(query.annotations());
    if copied.services.len() > 1 && query.reads_series() {
        let names: Vec<&str> = copied.services.iter().map(Name::as_str).collect();
        beside.infos.push(format!(
            "this reads several services, told apart by the label service: {}",
            names.join(", ")
        ));
    }
    beside
}

impl Outcome {
    /// Not more series than that.
    fn limited(mut self, limit: Option<usize>, beside: &mut Beside) -> Outcome {
        let Some(limit) = limit else { return self };
        let is_cut = match &mut self {
            Outcome::Vector(all) => cut(all, limit),
            Outcome::Matrix(all) => cut(all, limit),
            Outcome::Scalar(_) | Outcome::String(_) => false,
        };
        if is_cut {
            beside.warnings.push("results truncated due to limit".to_owned());
        }
        self
    }
}

/// Whether there was more.
pub(super) fn cut<T>(all: &mut Vec<T>, limit: usize) -> bool {
    let is_more = all.len() > limit;
    all.truncate(limit);
    is_more
}
