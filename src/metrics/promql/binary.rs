//! Binary operators: which elements belong together, and what they give.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::eval::{Element, Key, Value};
use super::plan::{Card, Matching, Op, Set};
use crate::model::Labels;

impl Op {
    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge)
    }

    fn apply(self, left: f64, right: f64) -> f64 {
        let truth = |holds: bool| f64::from(u8::from(holds));
        match self {
            Op::Add => left + right,
            Op::Sub => left - right,
            Op::Mul => left * right,
            Op::Div => left / right,
            Op::Mod => left % right,
            Op::Pow => libm::pow(left, right),
            Op::Atan2 => libm::atan2(left, right),
            Op::Eq => truth(left == right),
            Op::Ne => truth(left != right),
            Op::Lt => truth(left < right),
            Op::Le => truth(left <= right),
            Op::Gt => truth(left > right),
            Op::Ge => truth(left >= right),
        }
    }

    /// The value that remains: a comparison without `bool` keeps the one it
    /// compared, or nothing.
    pub(super) fn result(self, bool: bool, left: f64, right: f64, compared: f64) -> Option<f64> {
        let value = self.apply(left, right);
        if self.is_comparison() && !bool {
            return (value != 0.0).then_some(compared);
        }
        Some(value)
    }
}

/// An operator that gives numbers.
pub(super) fn arithmetic(
    op: Op,
    bool: bool,
    card: &Card,
    matching: &Matching,
    left: Value,
    right: Value,
) -> Result<Value, String> {
    let drops = bool || !op.is_comparison();
    let with_scalar = |elements: Vec<Element>, pair: &dyn Fn(f64) -> (f64, f64)| {
        let keep = |mut element: Element| {
            let (left, right) = pair(element.value);
            element.value = op.result(bool, left, right, element.value)?;
            element.dropped |= drops;
            Some(element)
        };
        Ok(Value::Vector(elements.into_iter().filter_map(keep).collect()))
    };
    match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => Ok(Value::Scalar(op.apply(left, right))),
        (Value::Vector(elements), Value::Scalar(right)) => {
            with_scalar(elements, &|value| (value, right))
        }
        (Value::Scalar(left), Value::Vector(elements)) => {
            with_scalar(elements, &|value| (left, value))
        }
        (Value::Vector(left), Value::Vector(right)) => {
            vectors(op, bool, card, matching, left, right).map(Value::Vector)
        }
    }
}

fn vectors(
    op: Op,
    bool: bool,
    card: &Card,
    matching: &Matching,
    left: Vec<Element>,
    right: Vec<Element>,
) -> Result<Vec<Element>, String> {
    if left.is_empty() || right.is_empty() {
        return Ok(Vec::new());
    }
    // `many` is the side that may have several of a key; `one` may not.
    let swapped = matches!(card, Card::OneToMany(_));
    let (many, one) = if swapped { (right, left) } else { (left, right) };
    let mut ones: BTreeMap<Key, Element> = BTreeMap::new();
    for element in one {
        let key = key(matching, &element);
        if let Some(twin) = ones.insert(key.clone(), element.clone()) {
            let side = if swapped { "left" } else { "right" };
            return Err(duplicates(&key, side, [twin, element]));
        }
    }
    let mut taken: BTreeSet<(Key, Key)> = BTreeSet::new();
    let mut out = Vec::new();
    for element in many {
        let key = key(matching, &element);
        let Some(partner) = ones.get(&key) else { continue };
        let (l, r) =
            if swapped { (partner.value, element.value) } else { (element.value, partner.value) };
        let value = op.result(bool, l, r, l);
        let mut made = combined(op, card, matching, &element, partner);
        made.dropped |= bool;
        // Each once, also where the comparison fails: what matches must not
        // depend on values.
        let (made_key, hint) = match card {
            Card::OneToOne => (Key::default(), MANY_TO_ONE),
            _ => ((made.name.clone(), made.labels.clone()), MANY_TO_MANY),
        };
        if !taken.insert((key, made_key)) {
            return Err(format!("multiple matches for labels {}: {hint}", element.labels));
        }
        if let Some(value) = value {
            out.push(Element { value, ..made });
        }
    }
    Ok(out)
}

const MANY_TO_ONE: &str = "many-to-one matching must be explicit (group_left/group_right)";
const MANY_TO_MANY: &str = "grouping labels must ensure unique matches";

/// Prometheus's words, which people look for, and what would do.
fn duplicates((name, labels): &Key, side: &str, twins: [Element; 2]) -> String {
    let whole = |name: &Option<Arc<str>>, labels: &Labels| match name {
        Some(name) => labels.with("__name__", name).to_string(),
        None => labels.to_string(),
    };
    let mut twins = twins.map(|twin| whole(&twin.name, &twin.labels));
    twins.sort();
    format!(
        "found duplicate series for the match group {} on the {side} hand-side of the operation: \
         [{}];many-to-many matching not allowed: matching labels must be unique on one side; \
         aggregate that side, or match on more labels",
        whole(name, labels),
        twins.join(", "),
    )
}

/// What tells which elements belong together.
fn key(matching: &Matching, element: &Element) -> Key {
    let listed = |pair: &&(Arc<str>, Arc<str>)| matching.labels.iter().any(|l| **l == *pair.0);
    let pairs = element.labels.shared();
    if matching.on {
        let named = matching.labels.iter().any(|label| label == "__name__");
        let name = element.name.as_ref().filter(|_| named).cloned();
        (name, Labels::from_pairs(pairs.iter().filter(listed).cloned()))
    } else if matching.labels.is_empty() {
        (None, element.labels.clone())
    } else {
        (None, Labels::from_pairs(pairs.iter().filter(|pair| !listed(pair)).cloned()))
    }
}

/// Name and labels of a result.
fn combined(op: Op, card: &Card, matching: &Matching, many: &Element, one: &Element) -> Element {
    // What is calculated is no sample of the metric any more.
    let name = many.name.clone().filter(|_| op.is_comparison());
    let dropped = many.dropped && op.is_comparison();
    match card {
        Card::OneToOne => {
            let (_, labels) = key(matching, many);
            let is_listed = matching.labels.iter().any(|label| label == "__name__");
            let name = name.filter(|_| is_listed == matching.on);
            Element { name, dropped, labels, value: 0.0 }
        }
        Card::ManyToOne(extra) | Card::OneToMany(extra) => {
            let is_extra = |name: &str| extra.iter().any(|label| label == name);
            let own = many.labels.shared().iter().filter(|(name, _)| !is_extra(name));
            let brought = one.labels.shared().iter().filter(|(name, _)| is_extra(name));
            let labels = Labels::from_pairs(own.chain(brought).cloned());
            let (name, dropped) = match is_extra("__name__") {
                true => (one.name.clone(), one.dropped),
                false => (name, dropped),
            };
            Element { name, dropped, labels, value: 0.0 }
        }
    }
}

/// `and`, `or`, `unless`.
pub(super) fn set(
    op: Set,
    matching: &Matching,
    left: Vec<Element>,
    right: Vec<Element>,
) -> Vec<Element> {
    let keys = |side: &[Element]| -> BTreeSet<Key> {
        side.iter().map(|element| key(matching, element)).collect()
    };
    match op {
        Set::And | Set::Unless => {
            let there = keys(&right);
            let wanted = op == Set::And;
            left.into_iter().filter(|e| there.contains(&key(matching, e)) == wanted).collect()
        }
        Set::Or => {
            let there = keys(&left);
            let new = right.into_iter().filter(|e| !there.contains(&key(matching, e)));
            left.into_iter().chain(new).collect()
        }
    }
}
