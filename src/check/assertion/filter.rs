//! Filters: what is made of what was found before it is judged.

use super::Complaint;
use super::cursor::Cursor;
use super::kind::Found;
use super::pattern::{self, Pattern};
use super::value::{Shape, Value};

/// A step between query and predicate.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Filter {
    /// How many: values found by a path to many, elements of an array, members
    /// of an object, characters of a text.
    Count,
    /// The part of a text that a pattern matches: its first group, or all.
    Regex(Pattern),
}

/// The names of all filters, for error messages.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    ["count", "regex"].into_iter()
}

/// The filters that are written here, in their order; perhaps none.
pub(super) fn open(cursor: &mut Cursor<'_>, shape: Shape) -> Result<Vec<Filter>, Complaint> {
    let mut filters = Vec::new();
    let mut shape = shape;
    loop {
        let column = cursor.column();
        let filter = match cursor.peek() {
            "count" => {
                cursor.word();
                Filter::Count
            }
            "regex" if matches!(shape, Shape::Text | Shape::Json) => {
                cursor.word();
                Filter::Regex(pattern::open(cursor)?)
            }
            "regex" => return Err(Complaint::at(column, "`regex` looks for a part of a text")),
            _ => return Ok(filters),
        };
        shape = filter.shape();
        filters.push(filter);
    }
}

/// What comes out at the end of the filters.
pub(super) fn shape(filters: &[Filter], found: Shape) -> Shape {
    filters.last().map_or(found, Filter::shape)
}

/// Whether they may leave nothing of what was found.
pub(super) fn may_lose(filters: &[Filter]) -> bool {
    filters.iter().any(|filter| matches!(filter, Filter::Regex(_)))
}

impl Filter {
    fn shape(&self) -> Shape {
        match self {
            Filter::Count => Shape::Number,
            Filter::Regex(_) => Shape::Text,
        }
    }

    /// What it makes of what was found.
    pub fn apply(&self, found: Found) -> Found {
        match (self, found) {
            (Filter::Count, Found::Each { nodes, .. }) => Found::One(Value::count(nodes.len())),
            (Filter::Count, Found::One(value)) => match value.len() {
                Some(len) => Found::One(Value::count(len)),
                None => Found::Unreadable { why: format!("{value}: not countable"), owned: true },
            },
            (Filter::Regex(pattern), Found::One(value)) => match value.as_text() {
                Some(text) => match pattern.find(text) {
                    Some(part) => Found::One(Value::text(part)),
                    None => Found::Absent(format!("no match of {pattern} in {value}")),
                },
                None => Found::Unreadable { why: format!("{value}: no text"), owned: true },
            },
            (Filter::Regex(pattern), Found::Each { path, nodes }) => {
                let part = |value: &Value| pattern.find(value.as_text()?).map(Value::text);
                let parts = nodes.into_iter().filter_map(|(at, value)| Some((at, part(&value)?)));
                Found::Each {
                    path: format!("{path} that matches {pattern}"),
                    nodes: parts.collect(),
                }
            }
            (_, found @ (Found::Absent(_) | Found::Unreadable { .. })) => found,
        }
    }
}
