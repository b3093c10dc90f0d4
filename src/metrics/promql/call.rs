//! Functions of instant vectors and of numbers.

use std::sync::Arc;

use jiff::civil::DateTime;
use regex::Regex;

use super::annotation::Annotation;
use super::eval::{
    Context, Element, Value, absent_unless, eval, leaf, mapped, scalar, warn_of_quantile,
};
use super::histogram;
use super::number::{falling, rising};
use super::plan::{Func, Node};
use super::sites::Site;
use crate::model::Labels;

/// Calls a function.
pub(super) fn call(
    func: Func,
    args: &mut [Node],
    absent: Option<&Labels>,
    regex: Option<&Regex>,
    site: &Site,
    cx: &Context<'_>,
) -> Result<Value, String> {
    Ok(Value::Vector(match func {
        Func::Time => return Ok(Value::Scalar(cx.at.seconds_f64())),
        Func::Scalar => {
            let elements = vector(args, 0, cx)?;
            let [one] = &elements[..] else { return Ok(Value::Scalar(f64::NAN)) };
            return Ok(Value::Scalar(one.value));
        }
        Func::Vector => vec![Element::bare(scalar(&mut args[0], cx)?)],
        Func::Pi => return Ok(Value::Scalar(std::f64::consts::PI)),
        Func::Date(f) if args.is_empty() => {
            vec![Element::bare(on_date(cx.at.seconds_f64(), f))]
        }
        Func::Date(f) => mapped(vector(args, 0, cx)?, |value| on_date(value, f)),
        Func::Math(f) => mapped(vector(args, 0, cx)?, f),
        Func::Round => {
            let to = if args.len() > 1 { scalar(&mut args[1], cx)? } else { 1.0 };
            // Through the inverse, so that 0.1 rounds as a tenth and not as its float.
            let inverse = 1.0 / to;
            mapped(vector(args, 0, cx)?, |value| (value * inverse + 0.5).floor() / inverse)
        }
        Func::Clamp => {
            let elements = vector(args, 0, cx)?;
            let (low, high) = (scalar(&mut args[1], cx)?, scalar(&mut args[2], cx)?);
            match low > high {
                true => Vec::new(),
                false => mapped(elements, |v| max(low, min(high, v))),
            }
        }
        Func::ClampMin => {
            let low = scalar(&mut args[1], cx)?;
            mapped(vector(args, 0, cx)?, |value| max(low, value))
        }
        Func::ClampMax => {
            let high = scalar(&mut args[1], cx)?;
            mapped(vector(args, 0, cx)?, |value| min(high, value))
        }
        Func::Timestamp => timestamps(&mut args[0], cx)?,
        Func::Absent => {
            let nothing = vector(args, 0, cx)?.is_empty();
            absent_unless(nothing, absent.unwrap_or(&Labels::default()))
        }
        Func::LabelReplace => label_replace(args, regex, cx)?,
        Func::LabelJoin => label_join(args, cx)?,
        Func::Sort { descending } => {
            if cx.is_range {
                cx.ledger.say(Annotation::SortInRange { at: site.name });
            }
            let mut elements = vector(args, 0, cx)?;
            let order = if descending { falling } else { rising };
            elements.sort_by(|a, b| order(a.value, b.value));
            elements
        }
        Func::HistogramQuantile => histogram_quantile(args, site, cx)?,
        Func::HistogramFraction => {
            let (lower, upper) = (scalar(&mut args[0], cx)?, scalar(&mut args[1], cx)?);
            histogram::each(vector(args, 2, cx)?, site.arg(2), cx, |_, buckets| {
                histogram::fraction(lower, upper, buckets)
            })
        }
    }))
}

fn histogram_quantile(
    args: &mut [Node],
    site: &Site,
    cx: &Context<'_>,
) -> Result<Vec<Element>, String> {
    let q = scalar(&mut args[0], cx)?;
    warn_of_quantile(q, site.arg(0), cx);
    let at = site.arg(1);
    Ok(histogram::each(vector(args, 1, cx)?, at, cx, |name, buckets| {
        let (value, mend) = histogram::quantile(q, buckets);
        if let Some(mend) = mend {
            let (name, span) = (name.cloned(), (cx.at, cx.at));
            cx.ledger.say(Annotation::NotMonotonic { name, mend, count: 1, span, at });
        }
        value
    }))
}

/// A date's part, in UTC; NaN where the calendar ends.
fn on_date(seconds: f64, part: fn(DateTime) -> f64) -> f64 {
    if seconds.is_nan() {
        return f64::NAN;
    }
    let at = jiff::Timestamp::from_second(seconds as i64);
    at.map_or(f64::NAN, |at| part(jiff::tz::Offset::UTC.to_datetime(at)))
}

fn vector(args: &mut [Node], index: usize, cx: &Context<'_>) -> Result<Vec<Element>, String> {
    let arg = args.get_mut(index).ok_or("an argument is missing")?;
    match eval(arg, cx)? {
        Value::Vector(elements) => Ok(elements),
        Value::Scalar(_) => Err("one number stands where a vector should".into()),
    }
}

/// The greater; NaN when one of them is, unless none can be greater.
fn max(a: f64, b: f64) -> f64 {
    match (a, b) {
        (f64::INFINITY, _) | (_, f64::INFINITY) => f64::INFINITY,
        (a, b) if a.is_nan() || b.is_nan() => f64::NAN,
        (a, b) => a.max(b),
    }
}

/// The less; NaN when one of them is, unless none can be less.
fn min(a: f64, b: f64) -> f64 {
    match (a, b) {
        (f64::NEG_INFINITY, _) | (_, f64::NEG_INFINITY) => f64::NEG_INFINITY,
        (a, b) if a.is_nan() || b.is_nan() => f64::NAN,
        (a, b) => a.min(b),
    }
}

/// When a selector's samples were taken; of anything else, now.
fn timestamps(node: &mut Node, cx: &Context<'_>) -> Result<Vec<Element>, String> {
    let now = cx.at.seconds_f64();
    let Node::Instant(_) = node else {
        let Value::Vector(elements) = eval(node, cx)? else { return Ok(Vec::new()) };
        return Ok(mapped(elements, |_| now));
    };
    let Value::Vector(mut elements) = eval(node, cx)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    leaf(node, cx, |place, value| found.push((place, value)))?;
    let Node::Instant(selector) = node else { return Ok(Vec::new()) };
    let at = cx.moved(selector.shift);
    for (element, (place, _)) in elements.iter_mut().zip(found) {
        let point = cx.series.fresh(selector.ids[place as usize], at);
        element.value = point.map_or(f64::NAN, |point| point.at.seconds_f64());
        element.dropped = true;
    }
    Ok(elements)
}

fn text(node: Option<&Node>) -> Result<&str, String> {
    match node {
        Some(Node::Text(text)) => Ok(text),
        _ => Err("a text is expected".into()),
    }
}

fn label_of<'a>(element: &'a Element, name: &str) -> &'a str {
    match name {
        "__name__" => element.name.as_deref().unwrap_or(""),
        name => element.labels.get(name).unwrap_or(""),
    }
}

fn set_label(element: &mut Element, name: &str, value: &str) {
    if name == "__name__" {
        element.name = (!value.is_empty()).then(|| Arc::from(value));
        element.dropped = false;
    } else {
        let others = element.labels.shared().iter().filter(|(known, _)| &**known != name);
        let pair = (Arc::from(name), Arc::from(value));
        element.labels = Labels::from_pairs(others.cloned().chain([pair]));
    }
}

/// A thousand times what anybody writes in a label: texts that are put
/// together of themselves again and again grow without end.
const LABEL_BYTES_MAX: usize = 1 << 16;

fn checked(made: String) -> Result<String, String> {
    match made.len() > LABEL_BYTES_MAX {
        true => Err(format!("a label's value of more than {LABEL_BYTES_MAX} bytes")),
        false => Ok(made),
    }
}

fn label_replace(
    args: &mut [Node],
    regex: Option<&Regex>,
    cx: &Context<'_>,
) -> Result<Vec<Element>, String> {
    let mut elements = vector(args, 0, cx)?;
    let regex = regex.ok_or("a regular expression is expected")?;
    let (to, by, from) = (text(args.get(1))?, text(args.get(2))?, text(args.get(3))?);
    for element in &mut elements {
        let made = regex.captures(label_of(element, from)).map(|captures| {
            let mut made = String::new();
            captures.expand(by, &mut made);
            made
        });
        if let Some(made) = made {
            set_label(element, to, &checked(made)?);
        }
    }
    no_twins(elements, |element| element.name.as_deref())
}

fn label_join(args: &mut [Node], cx: &Context<'_>) -> Result<Vec<Element>, String> {
    let mut elements = vector(args, 0, cx)?;
    let (to, between) = (text(args.get(1))?, text(args.get(2))?);
    let from = args[3..].iter().map(|arg| text(Some(arg))).collect::<Result<Vec<_>, _>>()?;
    for element in &mut elements {
        let values: Vec<&str> = from.iter().map(|name| label_of(element, name)).collect();
        let made = checked(values.join(between))?;
        set_label(element, to, &made);
    }
    no_twins(elements, |element| element.name.as_deref())
}

/// Refuses two elements with the same name, as `named` tells it, and labels.
pub(super) fn no_twins(
    elements: Vec<Element>,
    named: impl Fn(&Element) -> Option<&str>,
) -> Result<Vec<Element>, String> {
    let mut order: Vec<&Element> = elements.iter().collect();
    order.sort_by(|a, b| (named(a), &a.labels).cmp(&(named(b), &b.labels)));
    let same =
        |pair: &&[&Element]| named(pair[0]) == named(pair[1]) && pair[0].labels == pair[1].labels;
    match order.windows(2).find(same) {
        Some(pair) => Err(twins(&pair[0].labels)),
        None => Ok(elements),
    }
}

/// What is said of two elements with the same labels.
pub(super) fn twins(labels: &Labels) -> String {
    format!("vector cannot contain metrics with the same labelset: two have {labels}")
}
