//! The evaluator: a plan over the series at an instant.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::annotation::{Annotation, Ledger, Spot};
use super::over::{self, Window};
use super::plan::{At, Node, Over, Range, Selector, Shift, Source};
use super::{Mode, aggregate, binary, call};
use crate::metrics::parts::{PARTS, is_match};
use crate::metrics::series::is_stale;
use crate::metrics::{Loose, Run, Series, SeriesId};
use crate::model::{Labels, Span, Timestamp};

/// An element of a vector. Its name is kept until the end, even where a
/// function takes it away (`dropped`): `by (__name__)` and `label_replace`
/// can still see it, as with Prometheus's delayed removal of names.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub name: Option<Arc<str>>,
    pub dropped: bool,
    pub labels: Labels,
    pub value: f64,
}

impl Element {
    /// One without name and labels.
    pub fn bare(value: f64) -> Element {
        Element { name: None, dropped: false, labels: Labels::default(), value }
    }

    /// The name that will still be there at the end.
    pub fn kept_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| !self.dropped)
    }
}

/// Name and labels: what tells elements, or groups of them, apart.
pub(super) type Key = (Option<Arc<str>>, Labels);

/// What an expression comes to.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(f64),
    Vector(Vec<Element>),
}

impl Value {
    /// Its elements; a scalar is one element without labels.
    pub fn into_vector(self) -> Vec<Element> {
        match self {
            Value::Scalar(value) => vec![Element::bare(value)],
            Value::Vector(elements) => elements,
        }
    }
}

/// What an evaluation rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub series: &'a Series,
    /// The instant.
    pub at: Timestamp,
    /// What `start()` and `end()` mean.
    pub start: Timestamp,
    pub end: Timestamp,
    pub mode: Mode,
    /// What `$range` means.
    pub param: Span,
    /// It is one instant of several.
    pub is_range: bool,
    /// Takes down what is to be said, and what it costs.
    pub ledger: &'a Ledger,
}

impl Context<'_> {
    /// The instant that a leaf looks at.
    pub fn moved(&self, shift: Shift) -> Timestamp {
        let at = match shift.at {
            None => self.at,
            Some(At::Time(at)) => at,
            Some(At::Start) => self.start,
            Some(At::End) => self.end,
        };
        let offset = shift.offset.with(self.param);
        if shift.backward { at - offset } else { at + offset }
    }
}

/// Evaluates an expression. The error is one that only the data can show,
/// such as two series where one was to be.
pub(super) fn eval(node: &mut Node, cx: &Context<'_>) -> Result<Value, String> {
    match node {
        Node::Number(value) => Ok(Value::Scalar(*value)),
        Node::Text(_) => Err("a text stands where a value should".into()),
        Node::Range(_) => Err("a range of samples stands where a value should".into()),
        Node::Negate(of) => Ok(match eval(of, cx)? {
            Value::Scalar(value) => Value::Scalar(-value),
            Value::Vector(elements) => Value::Vector(mapped(elements, |value| -value)),
        }),
        Node::Instant(_) | Node::Over { source: Source::Series { .. }, absent: None, .. } => {
            let mut found = Vec::new();
            leaf(node, cx, |place, value| found.push((place, value)))?;
            Ok(Value::Vector(elements(node, cx, found)))
        }
        Node::Over { func, source, param, absent, at } => {
            let param = param.as_mut().map(|node| scalar(node, cx)).transpose()?;
            let param = param.unwrap_or(0.0);
            let mut found = match source {
                Source::Subquery { .. } => over_subquery(*func, source, param, *at, cx)?,
                Source::Series { selector, range } => {
                    selector.refresh(cx.series);
                    let to = cx.moved(selector.shift);
                    present(selector, to - range.with(cx.param), to, cx)
                }
            };
            if let Some(labels) = absent {
                found = absent_unless(found.is_empty(), labels);
            }
            Ok(Value::Vector(found))
        }
        Node::Call { func, args, absent, regex, site } => {
            call::call(*func, args, absent.as_ref(), regex.as_ref(), site, cx)
        }
        Node::Aggregate(aggregate) => aggregate::eval(aggregate, cx).map(Value::Vector),
        Node::Binary { op, bool, card, matching, left, right } => {
            let (left, right) = (eval(left, cx)?, eval(right, cx)?);
            binary::arithmetic(*op, *bool, card, matching, left, right)
        }
        Node::Set { op, matching, left, right } => {
            let (left, right) = (eval(left, cx)?.into_vector(), eval(right, cx)?.into_vector());
            Ok(Value::Vector(binary::set(*op, matching, left, right)))
        }
    }
}

/// Evaluates what has to be one number.
pub(super) fn scalar(node: &mut Node, cx: &Context<'_>) -> Result<f64, String> {
    match eval(node, cx)? {
        Value::Scalar(value) => Ok(value),
        Value::Vector(_) => Err("a vector stands where one number should".into()),
    }
}

/// Other values; names go.
pub(super) fn mapped(mut elements: Vec<Element>, f: impl Fn(f64) -> f64) -> Vec<Element> {
    for element in &mut elements {
        element.value = f(element.value);
        element.dropped = true;
    }
    elements
}

/// One element of value 1 when there is nothing.
pub(super) fn absent_unless(nothing: bool, labels: &Labels) -> Vec<Element> {
    let one = || Element { labels: labels.clone(), ..Element::bare(1.0) };
    nothing.then(one).into_iter().collect()
}

/// Evaluates a leaf, a selector or a function over one, without a look at
/// names and labels: gives the place in the selector's list and the value of
/// each.
pub(super) fn leaf(
    node: &mut Node,
    cx: &Context<'_>,
    mut give: impl FnMut(u32, f64),
) -> Result<(), String> {
    match node {
        Node::Instant(selector) => {
            selector.refresh(cx.series);
            cx.ledger.read(selector.ids.len() + 1)?;
            let at = cx.moved(selector.shift);
            for (place, id) in selector.ids.iter().enumerate() {
                if let Some(point) = cx.series.fresh(*id, at) {
                    give(place as u32, point.value);
                }
            }
        }
        Node::Over { func, source: Source::Series { selector, range }, param, at, .. } => {
            let param = param.as_mut().map(|node| scalar(node, cx)).transpose()?;
            let param = param.unwrap_or(0.0);
            selector.refresh(cx.series);
            let mut living = std::mem::take(&mut selector.living);
            let mut is_any = false;
            over_series(*func, selector, *range, param, cx, &mut living, |place, value| {
                if selector.name.is_none() {
                    let name = cx.series.name(selector.ids[place as usize]);
                    said_of(*func, Some(name), param, *at, cx);
                }
                is_any = true;
                give(place, value);
            })?;
            selector.living = living;
            if is_any {
                said_of(*func, selector.name.as_ref(), param, *at, cx);
            }
        }
        _ => unreachable!("only selectors and functions over them are leaves"),
    }
    Ok(())
}

/// A word about what is no quantile.
pub(super) fn warn_of_quantile(q: f64, at: Spot, cx: &Context<'_>) {
    if !(0.0..=1.0).contains(&q) {
        cx.ledger.say(Annotation::QuantileOutOfRange { q, at });
    }
}

/// A word about growth of what is not named like a counter, and about what is
/// no quantile, where the function gave a value.
fn said_of(func: Over, name: Option<&Arc<str>>, param: f64, at: Spot, cx: &Context<'_>) {
    if func == Over::Quantile {
        warn_of_quantile(param, at, cx);
    }
    let Some(name) = name.filter(|_| func.wants_counter()) else { return };
    if !["_total", "_sum", "_count", "_bucket"].iter().any(|end| name.ends_with(end)) {
        cx.ledger.say(Annotation::NoCounter { name: name.clone(), at });
    }
}

fn over_series(
    func: Over,
    selector: &Selector,
    range: Range,
    param: f64,
    cx: &Context<'_>,
    living: &mut Loose,
    mut give: impl FnMut(u32, f64),
) -> Result<(), String> {
    let to = cx.moved(selector.shift);
    let window = Window { from: to - range.with(cx.param), to, at: cx.at, rises: false };
    let anchored =
        cx.mode == Mode::Anchored && matches!(func, Over::Rate | Over::Increase | Over::Delta);
    let mut read = selector.ids.len() + 1;
    let mut stretch = cx.series.stretch(window.from, to);
    for (place, id) in selector.ids.iter().enumerate() {
        let value = if anchored {
            anchored_growth(func, *id, window, cx.series, living)
        } else {
            let points = stretch.of(*id);
            let Some(first) = points.stamps().first() else { continue };
            let rises = cx.series.only_rises(*id, *first);
            read += points.len();
            let points = without_markers(points, *id, cx.series, living);
            over::apply(func, points, Window { rises, ..window }, param)
        };
        if let Some(value) = value {
            give(place as u32, value);
        }
    }
    cx.ledger.read(read)
}

/// The samples alone. Almost always there is no marker, and nothing is copied.
fn without_markers<'p>(
    points: Run<'p>,
    id: SeriesId,
    series: &Series,
    living: &'p mut Loose,
) -> Run<'p> {
    if points.stamps().first().is_none_or(|first| !series.may_end(id, *first)) {
        return points;
    }
    living.clear();
    let alive = points.iter().filter(|point| !is_stale(point.value));
    alive.for_each(|point| living.push(point.at, point.value));
    living.run()
}

/// Growth from the last sample at or before the range's start to the last in
/// the range, so that steps add up to the whole. Where there is no sample
/// before: from zero for a series that appeared on a target that was scraped
/// already, else from the first sample in the range. A range without samples
/// has no answer (what grew meanwhile shows in the step of the next sample).
fn anchored_growth(
    func: Over,
    id: SeriesId,
    window: Window,
    series: &Series,
    living: &mut Loose,
) -> Option<f64> {
    let (before, inside) = series.up_to(id, window.to).split(window.from);
    let inside = without_markers(inside, id, series, living);
    let (first, last) = (inside.first()?, inside.last()?);
    let anchor = before.iter().rev().find(|point| !is_stale(point.value));
    let start = match anchor {
        Some(point) => point.value,
        None if func != Over::Delta && series.is_birth(id, first) => 0.0,
        None => first.value,
    };
    let rises = anchor.is_some_and(|point| series.only_rises(id, point.at));
    Some(match func {
        Over::Delta => last.value - start,
        Over::Rate => {
            over::growth(start, inside, rises) / window.to.since(window.from).seconds_f64()
        }
        _ => over::growth(start, inside, rises),
    })
}

/// A leaf's values with names and labels.
fn elements(node: &Node, cx: &Context<'_>, found: Vec<(u32, f64)>) -> Vec<Element> {
    let (selector, dropped) = match node {
        Node::Instant(selector) => (selector, false),
        Node::Over { func, source: Source::Series { selector, .. }, .. } => {
            (selector, !func.keeps_name())
        }
        _ => unreachable!("only selectors and functions over them are leaves"),
    };
    let element = |(place, value): (u32, f64)| {
        let id = selector.ids[place as usize];
        let labels = cx.series.labels(id).clone();
        Element { name: Some(cx.series.name(id).clone()), dropped, labels, value }
    };
    found.into_iter().map(element).collect()
}

/// Series with any sample in `(from, to]`, for `absent_over_time`.
fn present(selector: &Selector, from: Timestamp, to: Timestamp, cx: &Context<'_>) -> Vec<Element> {
    let mut stretch = cx.series.stretch(from, to);
    let lives = |id: &&SeriesId| stretch.of(**id).values().any(|value| !is_stale(value));
    selector.ids.iter().filter(lives).map(|_| Element::bare(1.0)).collect()
}

/// Prometheus's own limit of points for a series in one answer.
pub(super) const STEPS_MAX: i64 = 11_000;

/// Points that a result may have, and a subquery on the way to one: thirty
/// megabytes, and ten times the fullest panel of a dashboard.
pub(super) const POINTS_MAX: usize = 2_000_000;

/// Counts points that are made. The error is the limit's.
pub(super) fn hold(points: &mut usize, more: usize) -> Result<(), String> {
    *points += more;
    if *points <= POINTS_MAX {
        return Ok(());
    }
    Err(format!(
        "the query makes more than {POINTS_MAX} points; select fewer series, or lengthen the step"
    ))
}

/// What is said of a subquery with more.
pub(super) fn too_many_steps() -> String {
    format!("a subquery of more than {STEPS_MAX} steps; write a longer step, such as [1d:1m]")
}

/// A function over what an expression was at each step of a range.
fn over_subquery(
    func: Over,
    source: &mut Source,
    param: f64,
    spot: Spot,
    cx: &Context<'_>,
) -> Result<Vec<Element>, String> {
    let Source::Subquery { range, shift, .. } = source else {
        unreachable!("series are read as leaves")
    };
    let to = cx.moved(*shift);
    let window = Window { from: to - range.with(cx.param), to, at: cx.at, rises: false };
    let element = |((name, labels), (dropped, points)): (Key, Row)| {
        let value = over::apply(func, points.run(), window, param)?;
        said_of(func, name.as_ref(), param, spot, cx);
        Some(Element { name, dropped: dropped || !func.keeps_name(), labels, value })
    };
    Ok(subquery(source, cx)?.into_iter().filter_map(element).collect())
}

/// Points of one series, and whether its name is to go.
pub(super) type Row = (bool, Loose);

/// What an expression was at each step of a range.
pub(super) fn subquery(
    source: &mut Source,
    cx: &Context<'_>,
) -> Result<BTreeMap<Key, Row>, String> {
    let Source::Subquery { node, range, step, shift } = source else {
        unreachable!("series are read as leaves")
    };
    let to = cx.moved(*shift);
    let from = to - range.with(cx.param);
    let step = step.with(cx.param);
    if to.since(from).millis() / step.millis().max(1) > STEPS_MAX {
        return Err(too_many_steps());
    }
    // Steps are multiples of the step, whatever the instant (as in Prometheus).
    let grid = from.millis().div_euclid(step.millis()) + 1;
    let mut at = Timestamp::from_millis(grid * step.millis());
    let is_range = at + step <= to;
    let (mut rows, mut held): (BTreeMap<Key, Row>, usize) = (BTreeMap::new(), 0);
    while at <= to {
        let elements = eval(node, &Context { at, is_range, ..*cx })?.into_vector();
        cx.ledger.read(elements.len() + 1)?;
        hold(&mut held, elements.len())?;
        for element in elements {
            let row = rows.entry((element.name, element.labels.clone())).or_default();
            if row.1.run().last().is_some_and(|last| last.at == at) {
                return Err(call::twins(&element.labels));
            }
            row.0 = element.dropped;
            row.1.push(at, element.value);
        }
        at += step;
    }
    Ok(rows)
}

impl Selector {
    /// Finds the series again when their set has changed.
    pub fn refresh(&mut self, series: &Series) {
        if self.epoch == Some(series.epoch()) {
            return;
        }
        self.ids = self.find(series);
        self.epoch = Some(series.epoch());
    }

    /// Its series as of now, in order of labels.
    pub fn selected(&self, series: &Series) -> Cow<'_, [SeriesId]> {
        if self.epoch == Some(series.epoch()) {
            return Cow::Borrowed(&self.ids);
        }
        Cow::Owned(self.find(series))
    }

    fn find(&self, series: &Series) -> Vec<SeriesId> {
        match &self.name {
            Some(name) => {
                let found = series.named(name).filter(|(labels, _)| self.takes(name, labels));
                found.map(|(_, id)| id).collect()
            }
            None => {
                let found = series.all().filter(|(name, labels, _)| self.takes(name, labels));
                found.map(|(_, _, id)| id).collect()
            }
        }
    }

    fn takes(&self, name: &str, labels: &Labels) -> bool {
        match (&self.part, labels.get(PARTS)) {
            (None, None) => is_match(&self.any_of, name, labels),
            (Some(part), Some(parts)) => parts.split(',').any(|one| one == part),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// From now on it reads this part, or (`None`) the series themselves.
    pub(in crate::metrics) fn read_part(&mut self, part: Option<String>) {
        (self.part, self.epoch) = (part, None);
    }
}
