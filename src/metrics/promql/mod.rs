//! PromQL with the meaning of Prometheus 3: ranges and lookback are open on
//! the left, markers end a series, counters are extrapolated to the range's
//! ends. `promql-parser` reads the text; the evaluator over our series is
//! here. What it does not support is refused when a query is compiled.

mod aggregate;
mod annotation;
mod answer;
mod binary;
mod call;
mod check;
mod compile;
mod complaint;
mod eval;
mod functions;
pub(crate) mod histogram;
mod narrow;
mod number;
mod over;
mod pattern;
mod plan;
mod reach;
mod sites;
mod split;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::annotation::Ledger;
pub use self::annotation::{Annotation, Mend, Spot};
pub use self::answer::{Answer, Matrix};
pub(super) use self::check::tree;
use self::compile::Scope;
pub use self::complaint::{Complaint, Refused};
use self::eval::{Context, Element, STEPS_MAX};
pub use self::narrow::{Narrowed, matchers, narrow, there};
use self::plan::Node;
pub(super) use self::plan::Selector;
pub(super) use self::reach::Reach;
pub use self::split::{Side, Top, one_line, split};
use super::Series;
use super::excerpt::{self, Want};
use super::series::LOOKBACK;
use crate::model::{Labels, Span, Timestamp};

/// The result of a query: label sets with their values. A plain selector's
/// elements bear their metric's name as `__name__`.
pub type Vector = Vec<(Labels, f64)>;

/// How growth over a range is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// As Prometheus does: between the samples in the range, extrapolated to
    /// its ends. For rules.
    #[default]
    Prometheus,
    /// From the last sample at or before the range's start to the last in the
    /// range, nothing extrapolated: `increase` of adjacent steps adds up to
    /// that of the whole. For counting.
    Anchored,
}

/// Whether there is anything that a query could read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Presence {
    /// No series ever matched.
    Never,
    /// Some did; none has a sample of the last five minutes, or all ended.
    Gone,
    /// Some series has a fresh sample.
    Here,
}

/// A compiled query. It remembers which series it reads until their set
/// changes.
#[derive(Debug)]
pub struct Query {
    text: String,
    root: Node,
    param: Span,
    /// Of the last evaluation.
    annotations: Vec<Annotation>,
}

impl Query {
    /// Compiles a query without `$range`.
    ///
    /// # Errors
    /// A text that is no PromQL, a function that is not supported, a selector
    /// without a metric name: each with the column.
    pub fn compile(text: &str) -> Result<Query, Complaint> {
        Query::compile_as(text, Scope::Measure, Span::ZERO)
    }

    /// Compiles a query of the whole language: its selectors need no metric
    /// name, and it may be a text or a range of samples. Not for a watch,
    /// which keeps named metrics alone.
    ///
    /// # Errors
    /// A text that is no PromQL, or what is refused by name.
    pub fn compile_any(text: &str) -> Result<Query, Complaint> {
        Query::compile_as(text, Scope::All, Span::ZERO)
    }

    /// Compiles several such queries of one question; what patterns may come to
    /// is what they may in one.
    ///
    /// # Errors
    /// As `compile_any`.
    pub fn compile_each(texts: &[&str]) -> Result<Vec<Query>, Complaint> {
        let room = pattern::room(texts);
        texts.iter().map(|text| Query::compile_in(text, Scope::All, Span::ZERO, room)).collect()
    }

    /// Compiles a query in which `$range` may stand for a length of time.
    ///
    /// # Errors
    /// As `compile`.
    pub fn compile_ranged(text: &str, range: Span) -> Result<Query, Complaint> {
        Query::compile_as(text, Scope::Ranged, range)
    }

    fn compile_as(text: &str, scope: Scope, param: Span) -> Result<Query, Complaint> {
        Query::compile_in(text, scope, param, pattern::room(&[text]))
    }

    fn compile_in(text: &str, scope: Scope, param: Span, room: usize) -> Result<Query, Complaint> {
        let root = compile::compile(text, scope, room)?;
        Ok(Query { text: text.to_owned(), root, param, annotations: Vec::new() })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The sample names it reads, each with how far back. (A selector without
    /// a name, of which `compile_any` alone knows, is not among them.)
    pub fn needs(&self) -> Vec<(String, Span)> {
        let mut needs: BTreeMap<String, Span> = BTreeMap::new();
        let mut add = |selector: &plan::Selector, reach: Reach| {
            let Some(name) = &selector.name else { return };
            let need = needs.entry(name.to_string()).or_default();
            *need = (*need).max(reach.back() + LOOKBACK);
        };
        self.root.selectors(self.param, &mut add, Reach::INSTANT);
        needs.into_iter().collect()
    }

    /// The sample names of which it reads how they grow, or how often they begin
    /// again. With several counters in one they tell nothing.
    pub fn growing(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.root.growing(&mut |selector| names.extend(selector.name.as_ref().map(<_>::to_string)));
        names
    }

    /// Calls `visit` for every selector; with the labels of the sum where all
    /// that is read of it is the sum of its growth.
    pub(super) fn visit(&mut self, visit: &mut dyn FnMut(&mut Selector, Option<&[String]>)) {
        self.root.visit(visit);
    }

    /// What it reads, place by place, for an `Excerpt` of those series. From
    /// now on it can be read from such an excerpt only.
    pub fn wants(&mut self) -> Vec<Want> {
        let mut reaches = Vec::new();
        self.root.selectors(self.param, &mut |_, reach| reaches.push(reach), Reach::INSTANT);
        let mut wants: Vec<Want> = Vec::new();
        self.root.visit(&mut |selector, by| {
            let index = wants.len();
            let by = by.map(<[String]>::to_vec);
            selector.read_part(by.is_some().then(|| excerpt::token(index)));
            let (name, any_of) = (selector.name.clone(), selector.any_of.clone());
            wants.push(Want { name, any_of, by, reach: reaches[index] });
        });
        wants
    }

    /// Whether it is numbers at each instant: no text, no range of samples.
    pub fn is_numbers(&self) -> bool {
        !matches!(self.root, Node::Text(_) | Node::Range(_))
    }

    /// Whether it is a selector and nothing else.
    pub fn is_selector(&self) -> bool {
        matches!(self.root, Node::Instant(_))
    }

    /// Whether its value rests on any series.
    pub fn reads_series(&self) -> bool {
        let mut is_any = false;
        self.root.selectors(self.param, &mut |_, _| is_any = true, Reach::INSTANT);
        is_any
    }

    /// Its value at an instant; a scalar is one element without labels.
    ///
    /// # Errors
    /// What only the data can show: several series where one was to match.
    pub fn eval(&mut self, series: &Series, at: Timestamp, mode: Mode) -> Result<Vector, String> {
        self.eval_over(series, at, mode, self.param)
    }

    /// The same with another length for `$range`.
    ///
    /// # Errors
    /// As `eval`.
    pub fn eval_over(
        &mut self,
        series: &Series,
        at: Timestamp,
        mode: Mode,
        range: Span,
    ) -> Result<Vector, String> {
        let elements = self.elements(series, at, mode, range)?;
        Ok(elements.into_iter().map(labelled).collect())
    }

    /// As `eval_over`, without the metrics' names.
    ///
    /// # Errors
    /// As `eval`.
    pub(crate) fn eval_nameless(
        &mut self,
        series: &Series,
        at: Timestamp,
        mode: Mode,
        range: Span,
    ) -> Result<Vector, String> {
        let elements = self.elements(series, at, mode, range)?;
        Ok(elements.into_iter().map(|element| (element.labels, element.value)).collect())
    }

    fn elements(
        &mut self,
        series: &Series,
        at: Timestamp,
        mode: Mode,
        param: Span,
    ) -> Result<Vec<Element>, String> {
        let ledger = Ledger::default();
        let cx = Context {
            series,
            at,
            start: at,
            end: at,
            mode,
            param,
            is_range: false,
            ledger: &ledger,
        };
        let elements = eval::eval(&mut self.root, &cx);
        self.annotations = ledger.into_said();
        let elements = elements?.into_vector();
        let may_have_twins = elements.len() > 1 && !self.root.is_all_different();
        if !may_have_twins {
            return Ok(elements);
        }
        call::no_twins(elements, Element::kept_name)
    }

    /// Whether there is anything that it could read at an instant.
    pub fn presence(&self, series: &Series, at: Timestamp) -> Presence {
        let mut presence = Presence::Never;
        let mut look = |selector: &plan::Selector, _: Reach| {
            if presence == Presence::Here {
                return;
            }
            let ids = selector.selected(series);
            if ids.iter().any(|id| series.fresh(*id, at).is_some()) {
                presence = Presence::Here;
            } else if !ids.is_empty() {
                presence = Presence::Gone;
            }
        };
        self.root.selectors(self.param, &mut look, Reach::INSTANT);
        presence
    }
}

fn labelled(element: Element) -> (Labels, f64) {
    let labels = match element.kept_name() {
        Some(name) => element.labels.with("__name__", name),
        None => element.labels,
    };
    (labels, element.value)
}
