//! Filters: what is made of what was found before it is judged.

use super::cursor::Cursor;
use super::kind::Found;
use super::value::Value;

/// A step between query and predicate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Filter {
    /// How many: values found by a path to many, elements of an array, members
    /// of an object, characters of a text.
    Count,
}

/// All filters by name.
const FILTERS: [(&str, Filter); 1] = [("count", Filter::Count)];

/// Their names, for error messages.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    FILTERS.iter().map(|(name, _)| *name)
}

/// The filter that is written here, if one is.
pub(super) fn open(cursor: &mut Cursor<'_>) -> Option<Filter> {
    let word = cursor.peek();
    let (_, filter) = FILTERS.iter().find(|(name, _)| *name == word)?;
    cursor.word();
    Some(*filter)
}

impl Filter {
    /// What it makes of what was found.
    pub fn apply(self, found: Found) -> Found {
        match (self, found) {
            (Filter::Count, Found::Each { nodes, .. }) => Found::One(Value::count(nodes.len())),
            (Filter::Count, Found::One(value)) => match value.len() {
                Some(len) => Found::One(Value::count(len)),
                None => Found::Unreadable { why: format!("{value}: not countable"), owned: true },
            },
            (Filter::Count, found @ (Found::Absent(_) | Found::Unreadable { .. })) => found,
        }
    }
}
