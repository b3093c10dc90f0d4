//! Aggregations: one value a group.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::eval::{
    Context, Element, Key, Value, eval as eval_node, leaf, scalar, warn_of_quantile,
};
use super::number::{Mean, Spread, Sum, falling, greatest, least, quantile, rising};
use super::plan::{Agg, Aggregate, Grouping, Groups, Node, Op, Selector, Source};
use crate::metrics::Series;
use crate::model::Labels;

/// Evaluates an aggregation; groups come in order of their labels.
pub(super) fn eval(aggregate: &mut Aggregate, cx: &Context<'_>) -> Result<Vec<Element>, String> {
    let param = aggregate.param.as_mut().map(|node| scalar(node, cx)).transpose()?;
    if matches!(aggregate.op, Agg::Topk | Agg::Bottomk) && param.is_none_or(f64::is_nan) {
        return Err("Parameter value is NaN: topk and bottomk need a number".into());
    }
    if let Some(q) = param.filter(|_| aggregate.op == Agg::Quantile) {
        warn_of_quantile(q, aggregate.at, cx);
    }
    let is_fold =
        !matches!(aggregate.op, Agg::Topk | Agg::Bottomk | Agg::Quantile | Agg::CountValues);
    if is_fold && (is_leaf(&aggregate.of) || against_number(&aggregate.of).is_some()) {
        return folded_leaf(aggregate, cx);
    }
    let elements = match eval_node(&mut aggregate.of, cx)? {
        Value::Vector(elements) => elements,
        Value::Scalar(_) => return Err("an aggregation needs a vector".into()),
    };
    let mut groups: BTreeMap<Key, Vec<Element>> = BTreeMap::new();
    for mut element in elements {
        let key = match aggregate.op {
            Agg::CountValues => value_key(aggregate, &mut element),
            _ => key(&aggregate.grouping, element.name.as_ref(), &element.labels),
        };
        groups.entry(key).or_default().push(element);
    }
    let mut out = Vec::new();
    for ((name, labels), members) in groups {
        let key = (name, labels);
        // A group bears a name only if all its members still do in the end.
        let dropped = members.iter().any(|member| member.dropped);
        match aggregate.op {
            Agg::Topk | Agg::Bottomk => ranked(aggregate.op, param, members, &mut out),
            Agg::CountValues => {
                // The label is that of the group already.
                out.push(element(key, false, members.len() as f64));
            }
            Agg::Quantile => {
                let mut values: Vec<f64> = members.iter().map(|member| member.value).collect();
                let value = quantile(param.unwrap_or(f64::NAN), &mut values);
                out.push(element(key, dropped, value));
            }
            op => {
                let mut fold = Fold::new(op);
                members.iter().for_each(|member| fold.add(member.value));
                out.extend(fold.value().map(|value| element(key, dropped, value)));
            }
        }
    }
    Ok(out)
}

fn element((name, labels): Key, dropped: bool, value: f64) -> Element {
    Element { name, dropped, labels, value }
}

fn is_leaf(node: &Node) -> bool {
    matches!(
        node,
        Node::Instant(_) | Node::Over { source: Source::Series { .. }, absent: None, .. }
    )
}

/// What a leaf's values are held against before they are taken together.
#[derive(Clone, Copy)]
struct Against {
    op: Op,
    bool: bool,
    number: f64,
    /// The leaf stands on the right.
    is_right: bool,
}

impl Against {
    fn result(self, value: f64) -> Option<f64> {
        let (left, right) = if self.is_right { (self.number, value) } else { (value, self.number) };
        self.op.result(self.bool, left, right, value)
    }
}

/// `x > 100` over a leaf.
fn against_number(node: &Node) -> Option<Against> {
    let Node::Binary { op, bool, left, right, .. } = node else { return None };
    let (number, is_right) = match (&**left, &**right) {
        (leaf, Node::Number(number)) if is_leaf(leaf) => (*number, false),
        (Node::Number(number), leaf) if is_leaf(leaf) => (*number, true),
        _ => return None,
    };
    Some(Against { op: *op, bool: *bool, number, is_right })
}

/// The usual case, `sum by (…) (increase(x[…]))` or `count(x > 100)`: groups
/// are known from the last time, and no label is looked at.
fn folded_leaf(aggregate: &mut Aggregate, cx: &Context<'_>) -> Result<Vec<Element>, String> {
    let Aggregate { op, grouping, of, groups, .. } = aggregate;
    let against = against_number(of);
    let of = match (against, &mut **of) {
        (Some(Against { is_right: false, .. }), Node::Binary { left, .. }) => &mut **left,
        (Some(_), Node::Binary { right, .. }) => &mut **right,
        (_, leaf) => leaf,
    };
    let (Node::Instant(selector) | Node::Over { source: Source::Series { selector, .. }, .. }) = of
    else {
        unreachable!("only selectors and functions over them are leaves")
    };
    selector.refresh(cx.series);
    groups.refresh(grouping, selector, cx.series);
    let mut folds = std::mem::take(&mut groups.folds);
    folds.clear();
    folds.resize(groups.labels.len(), Fold::new(*op));
    let mut add = |place: u32, value| folds[groups.of[place as usize] as usize].add(value);
    match against {
        None => leaf(of, cx, add)?,
        Some(against) => leaf(of, cx, |place, value| {
            if let Some(value) = against.result(value) {
                add(place, value);
            }
        })?,
    }
    let is_value = against.is_some_and(|one| one.bool || !one.op.is_comparison());
    let dropped = is_value || matches!(*of, Node::Over { func, .. } if !func.keeps_name());
    let made = folds.iter().zip(&groups.labels);
    let made =
        made.filter_map(|(fold, key)| Some(element(key.clone(), dropped, fold.value()?))).collect();
    groups.folds = folds;
    Ok(made)
}

impl Groups {
    fn refresh(&mut self, grouping: &Grouping, selector: &Selector, series: &Series) {
        if self.epoch == selector.epoch {
            return;
        }
        self.epoch = selector.epoch;
        let key = |id| key(grouping, Some(series.name(id)), series.labels(id));
        let keys: Vec<Key> = selector.ids.iter().map(|id| key(*id)).collect();
        self.labels = keys.clone();
        self.labels.sort();
        self.labels.dedup();
        let place = |key| self.labels.binary_search(key).expect("every key is in the list") as u32;
        self.of = keys.iter().map(place).collect();
    }
}

fn key(grouping: &Grouping, name: Option<&Arc<str>>, labels: &Labels) -> Key {
    match grouping {
        Grouping::By(wanted) if wanted.is_empty() => (None, Labels::default()),
        Grouping::By(wanted) => {
            let named = wanted.iter().any(|label| label == "__name__");
            let kept = |pair: &&(Arc<str>, Arc<str>)| wanted.iter().any(|label| **label == *pair.0);
            let labels = labels.shared().iter().filter(kept).cloned();
            (name.filter(|_| named).cloned(), Labels::from_pairs(labels))
        }
        Grouping::Without(unwanted) => {
            let kept =
                |pair: &&(Arc<str>, Arc<str>)| !unwanted.iter().any(|label| **label == *pair.0);
            (None, Labels::from_pairs(labels.shared().iter().filter(kept).cloned()))
        }
    }
}

/// What a group has come to so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fold {
    op: Agg,
    count: f64,
    sum: Sum,
    mean: Mean,
    spread: Spread,
    most: f64,
}

impl Fold {
    fn new(op: Agg) -> Fold {
        let (sum, mean, spread) = (Sum::default(), Mean::default(), Spread::default());
        Fold { op, count: 0.0, sum, mean, spread, most: f64::NAN }
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        match self.op {
            Agg::Sum => self.sum = self.sum.add(value),
            Agg::Avg => self.mean.add(value),
            Agg::Min => self.most = least(self.most, value),
            Agg::Max => self.most = greatest(self.most, value),
            Agg::Stddev | Agg::Stdvar => self.spread.add(value),
            _ => {}
        }
    }

    fn value(&self) -> Option<f64> {
        if self.count == 0.0 {
            return None;
        }
        Some(match self.op {
            Agg::Sum => self.sum.total(),
            Agg::Avg => self.mean.value(),
            Agg::Min | Agg::Max => self.most,
            Agg::Count => self.count,
            Agg::Stddev => self.spread.variance().sqrt(),
            Agg::Stdvar => self.spread.variance(),
            Agg::Group => 1.0,
            Agg::Topk | Agg::Bottomk | Agg::Quantile | Agg::CountValues => {
                unreachable!("no fold of single numbers")
            }
        })
    }
}

/// The `k` greatest or least, in their order; of equals the first ones.
fn ranked(op: Agg, param: Option<f64>, mut members: Vec<Element>, out: &mut Vec<Element>) {
    if op == Agg::Topk {
        members.sort_by(|a, b| falling(a.value, b.value));
    } else {
        members.sort_by(|a, b| rising(a.value, b.value));
    }
    members.truncate(param.map_or(0.0, |k| k.max(0.0)) as usize);
    out.extend(members);
}

/// The group of an element that bears its value as a label, in place of one
/// that it may have had: several groups may become one.
fn value_key(aggregate: &Aggregate, element: &mut Element) -> Key {
    let (label, text) = (&*aggregate.label, shown(element.value));
    let is_name = label == "__name__";
    if is_name {
        element.name = Some(text.into());
    } else {
        element.labels = element.labels.with(label, &text);
    }
    let (name, labels) = key(&aggregate.grouping, element.name.as_ref(), &element.labels);
    match &aggregate.grouping {
        Grouping::Without(_) => (name, labels),
        Grouping::By(_) if is_name => (element.name.clone(), labels),
        Grouping::By(_) => (name, labels.with(label, element.labels.get(label).unwrap_or(""))),
    }
}

/// A value as a label: the shortest digits, never an exponent.
fn shown(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    value.to_string()
}
