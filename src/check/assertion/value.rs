//! Values: what is found in an answer and what it is held against. Each has
//! its type; a number is never equal to its digits as text.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Number;

use super::Complaint;
use super::cursor::Written;
use crate::model::Span;

/// A typed value.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    /// Null, a boolean, a number, text, an array or an object.
    Json(serde_json::Value),
    /// A length of time.
    Length(Span),
    /// A number of bytes.
    Bytes(u64),
}

/// What a query finds, and so how the value beside it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A number.
    Number,
    /// Text; it is compared as a number with a number.
    Text,
    /// Whatever the answer has there.
    Json,
    /// A length of time.
    Length,
    /// A number of bytes.
    Bytes,
    /// One of these words.
    Word(&'static [&'static str]),
}

impl Value {
    /// Text.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Json(serde_json::Value::String(text.into()))
    }

    /// A number of things.
    pub fn count(count: usize) -> Value {
        Value::Json(serde_json::Value::from(count))
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Json(json) => json.as_str(),
            Value::Length(_) | Value::Bytes(_) => None,
        }
    }

    /// How many things it holds; `None` for what holds none.
    pub fn len(&self) -> Option<usize> {
        use serde_json::Value as J;
        match self {
            Value::Json(J::String(text)) => Some(text.chars().count()),
            Value::Json(J::Array(items)) => Some(items.len()),
            Value::Json(J::Object(members)) => Some(members.len()),
            Value::Json(J::Null | J::Bool(_) | J::Number(_)) => None,
            Value::Length(_) | Value::Bytes(_) => None,
        }
    }

    /// Whether both are the same value of the same type.
    pub fn is(&self, wanted: &Value) -> bool {
        use serde_json::Value as J;
        match (self, wanted) {
            (Value::Json(J::Number(a)), Value::Json(J::Number(b))) => {
                compare(a, b) == Some(Ordering::Equal)
            }
            (a, b) => a == b,
        }
    }

    /// Which is greater; `None` when they have no order.
    pub fn order(&self, wanted: &Value) -> Option<Ordering> {
        use serde_json::Value as J;
        match (self, wanted) {
            (Value::Length(a), Value::Length(b)) => Some(a.cmp(b)),
            (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
            (Value::Json(J::Number(a)), Value::Json(J::Number(b))) => compare(a, b),
            (Value::Json(J::String(a)), Value::Json(J::String(b))) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// Whole numbers exactly, others as floats.
fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Json(json) => json.fmt(f),
            Value::Length(span) => span.fmt(f),
            Value::Bytes(bytes) => write!(f, "{bytes} bytes"),
        }
    }
}

/// Reads what stands beside a predicate.
pub(super) fn read(shape: Shape, written: Written, column: usize) -> Result<Value, Complaint> {
    let read = match (shape, written) {
        (_, Written::Bare(text)) if text.is_empty() => {
            Err(format!("a value is missing; write for example {}", example(shape)))
        }
        (Shape::Text, Written::Bare(text) | Written::Quoted(text)) => Ok(Value::text(text)),
        (Shape::Json, Written::Quoted(text)) => Ok(Value::text(text)),
        (Shape::Json, Written::Bare(text)) => Ok(bare_json(text)),
        (Shape::Number, Written::Bare(text)) => number(&text),
        (Shape::Number, Written::Quoted(text)) => Err(format!(
            "\"{text}\" is text; a number is written without quotes, {}",
            example(shape)
        )),
        (Shape::Length, Written::Bare(text) | Written::Quoted(text)) => length(&text),
        (Shape::Bytes, Written::Bare(text) | Written::Quoted(text)) => bytes(&text),
        (Shape::Word(words), Written::Bare(text) | Written::Quoted(text)) => one_of(words, &text),
    };
    read.map_err(|what| Complaint::at(column, what))
}

/// What a value of a shape looks like.
pub(super) fn example(shape: Shape) -> &'static str {
    match shape {
        Shape::Number => "`200`",
        Shape::Text => "`\"ok\"`",
        Shape::Json => "`\"ok\"`, `3`, `true` or `null`",
        Shape::Length => "`10s` or `250ms`",
        Shape::Bytes => "`1MB` or `512kB`",
        Shape::Word(_) => "`healthy`",
    }
}

/// `true`, `null` and numbers are what they are in JSON; any other bare word is text.
fn bare_json(text: String) -> Value {
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(json @ (serde_json::Value::Null | serde_json::Value::Bool(_))) => Value::Json(json),
        Ok(json @ serde_json::Value::Number(_)) => Value::Json(json),
        _ => Value::text(text),
    }
}

/// A number as JSON writes it.
pub(super) fn number(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(number) => Ok(Value::Json(serde_json::Value::Number(number))),
        Err(_) => {
            let class = text.strip_suffix("xx").and_then(|digit| digit.parse::<u8>().ok());
            Err(match class {
                Some(class) => {
                    format!("`{text}` is no number; write `in {class}00..{class}99`")
                }
                None => format!("`{text}` is no number; write for example `200`"),
            })
        }
    }
}

fn length(text: &str) -> Result<Value, String> {
    if text.parse::<f64>().is_ok() {
        return Err(format!("`{text}` has no unit; write `{text}s` or `{text}ms`"));
    }
    match text.parse::<Span>() {
        Ok(span) => Ok(Value::Length(span)),
        Err(_) => Err(format!("`{text}` is no length of time; write for example `10s` or `250ms`")),
    }
}

/// Units of size; `1MB` is a million bytes, `1MiB` is 2^20.
const UNITS: [(&str, u32); 9] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("bytes", 1),
    ("byte", 1),
    ("b", 1),
];

fn bytes(text: &str) -> Result<Value, String> {
    let folded = text.to_ascii_lowercase();
    let (digits, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((folded.strip_suffix(name)?.trim_end(), *unit)))
        .unwrap_or((&folded, 1));
    match digits.parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => {
            Ok(Value::Bytes((number * f64::from(unit)).round() as u64))
        }
        _ => Err(format!("`{text}` is no size; write for example `1MB` or `512kB`")),
    }
}

fn one_of(words: &'static [&'static str], text: &str) -> Result<Value, String> {
    match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
        Some(word) => Ok(Value::text(*word)),
        None => {
            let instead = super::complaint::instead(text, words.iter().copied());
            Err(format!("unknown word `{text}`; {instead}"))
        }
    }
}
