//! What a query answers: at an instant, and over a range of instants.

use std::collections::BTreeMap;

use super::annotation::{Annotation, Ledger};
use super::call::{no_twins, twins};
use super::eval::{self, Context, Element, Key, Value};
use super::plan::{Node, Source};
use super::reach::Reach;
use super::{Mode, Query, STEPS_MAX, Vector, labelled};
use crate::metrics::{Point, Series, is_stale};
use crate::model::{Labels, Span, Timestamp};

/// Series with their points, in order of their labels.
pub type Matrix = Vec<(Labels, Vec<Point>)>;

/// What a query is at an instant.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// A number.
    Scalar(f64),
    /// One value for each label set.
    Vector(Vector),
    /// Samples over a range.
    Matrix(Matrix),
    /// A text.
    Text(String),
}

impl Query {
    /// What it is at an instant, whatever kind of expression it is.
    ///
    /// # Errors
    /// As `eval`.
    pub fn answer(&mut self, series: &Series, at: Timestamp) -> Result<Answer, String> {
        if let Node::Text(text) = &self.root {
            self.annotations.clear();
            return Ok(Answer::Text(text.clone()));
        }
        let ledger = Ledger::default();
        let cx = self.context(series, at, &ledger);
        let answer = match &mut self.root {
            Node::Range(source) => range_of(source, &cx).map(Answer::Matrix),
            root => match eval::eval(root, &cx) {
                Ok(Value::Scalar(value)) => Ok(Answer::Scalar(value)),
                Ok(Value::Vector(elements)) => no_twins(elements, Element::kept_name)
                    .map(|all| Answer::Vector(all.into_iter().map(labelled).collect())),
                Err(error) => Err(error),
            },
        };
        self.annotations = ledger.into_said();
        answer
    }

    /// What it is at each step from `start` to `end`, which `start()` and
    /// `end()` refer to. No series is copied; what is known of one step (which
    /// series are read, which group each falls in) holds for the next.
    ///
    /// # Errors
    /// As `eval`; more steps than Prometheus allows; more points than can be
    /// held; a result that is no number at one instant.
    pub fn range(
        &mut self,
        series: &Series,
        span: (Timestamp, Timestamp),
        step: Span,
    ) -> Result<Matrix, String> {
        self.range_while(series, span, step, &mut || true)
    }

    /// The same for as long as `goes_on` says before each step.
    ///
    /// # Errors
    /// As `range`.
    pub fn range_while(
        &mut self,
        series: &Series,
        (start, end): (Timestamp, Timestamp),
        step: Span,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Matrix, String> {
        if let Node::Text(_) | Node::Range(_) = self.root {
            return Err("a query over a range of time has to be numbers at each instant; \
                        put a function around it, such as rate()"
                .into());
        }
        if step <= Span::ZERO {
            return Err("a step has to be longer than no time".into());
        }
        if end.since(start).millis() / step.millis() > STEPS_MAX {
            return Err(format!("more than {STEPS_MAX} steps; make the step longer"));
        }
        let mut rows: BTreeMap<Key, Vec<Point>> = BTreeMap::new();
        let (mut said, mut held) = (Vec::new(), 0);
        let (mut at, mut failed) = (start, Ok(()));
        while at <= end && failed.is_ok() && goes_on() {
            let ledger = Ledger::with(said);
            let cx =
                Context { start, end, is_range: start != end, ..self.context(series, at, &ledger) };
            let elements = eval::eval(&mut self.root, &cx).map(Value::into_vector);
            failed = elements.and_then(|elements| {
                eval::hold(&mut held, elements.len())?;
                added(&mut rows, elements, at)
            });
            said = ledger.into_said();
            at += step;
        }
        self.annotations = said;
        failed?;
        let mut matrix: Matrix = rows
            .into_iter()
            .map(|((name, labels), points)| (named(name, labels), points))
            .collect();
        matrix.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(matrix)
    }

    /// What is to be known about the last result.
    pub fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }

    /// The series that it reads now, with the metrics' names as `__name__`.
    pub fn selects(&self, series: &Series) -> Vec<Labels> {
        let mut found = Vec::new();
        let mut add = |selector: &super::Selector, _: Reach| {
            let whole = |id| named(Some(series.name(id).clone()), series.labels(id).clone());
            found.extend(selector.selected(series).iter().copied().map(whole));
        };
        self.root.selectors(self.param, &mut add, Reach::INSTANT);
        found.sort();
        found.dedup();
        found
    }

    fn context<'a>(&self, series: &'a Series, at: Timestamp, ledger: &'a Ledger) -> Context<'a> {
        let (mode, param) = (Mode::Prometheus, self.param);
        Context { series, at, start: at, end: at, mode, param, is_range: false, ledger }
    }
}

fn named(name: Option<std::sync::Arc<str>>, labels: Labels) -> Labels {
    match name {
        Some(name) => labels.with("__name__", &name),
        None => labels,
    }
}

/// Adds one step. Two elements with the same labels are an error only when
/// they are there at the same instant.
fn added(
    rows: &mut BTreeMap<Key, Vec<Point>>,
    elements: Vec<Element>,
    at: Timestamp,
) -> Result<(), String> {
    for element in elements {
        let name = element.name.filter(|_| !element.dropped);
        let labels = element.labels;
        let row = rows.entry((name, labels.clone())).or_default();
        if row.last().is_some_and(|last| last.at == at) {
            return Err(twins(&labels));
        }
        row.push(Point { at, value: element.value });
    }
    Ok(())
}

/// `x[5m]`, or what a subquery came to.
fn range_of(source: &mut Source, cx: &Context<'_>) -> Result<Matrix, String> {
    let mut matrix: Matrix = match source {
        Source::Series { selector, range } => {
            selector.refresh(cx.series);
            let to = cx.moved(selector.shift);
            let from = to - range.with(cx.param);
            let (mut found, mut held) = (Vec::new(), 0);
            for id in &selector.ids {
                let points = cx.series.within(*id, from, to);
                cx.ledger.read(points.len() + 1)?;
                eval::hold(&mut held, points.len())?;
                let alive = points.iter().filter(|point| !is_stale(point.value));
                let points: Vec<Point> = alive.collect();
                if !points.is_empty() {
                    let name = Some(cx.series.name(*id).clone());
                    found.push((named(name, cx.series.labels(*id).clone()), points));
                }
            }
            found
        }
        Source::Subquery { .. } => {
            let mut rows: BTreeMap<Labels, Vec<Point>> = BTreeMap::new();
            for ((name, labels), (dropped, points)) in eval::subquery(source, cx)? {
                let labels = named(name.filter(|_| !dropped), labels);
                if rows.insert(labels.clone(), points.run().iter().collect()).is_some() {
                    return Err(twins(&labels));
                }
            }
            rows.into_iter().collect()
        }
    };
    matrix.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(matrix)
}
