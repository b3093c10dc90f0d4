//! Assertions: one line each, a query, perhaps a filter, and a predicate.
//!
//! ```text
//! status in 200..299
//! header content-type contains json
//! json $.items count > 2
//! json $.response not startsWith "Error:" or absent
//! ```
//!
//! What can be asked is in `KINDS`, what can be wanted in `predicate`. An
//! assertion is parsed once, when the configuration is read; whatever is wrong
//! with it is told then, and at what column.

mod complaint;
mod cursor;
mod filter;
mod kind;
mod predicate;
mod value;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::cursor::Cursor;
use self::filter::Filter;
use self::kind::{Found, Query};
use self::predicate::Predicate;
use super::Miss;
use super::excerpt::excerpt;
use crate::model::Exchange;

pub use complaint::Complaint;
pub use kind::{KINDS, Kind};
pub use predicate::names as predicates;

/// Longer than any that a person would write on one line; it bounds what the
/// path parser has to look at.
const CHARS_MAX: usize = 1000;

/// Something that has to hold of an answer. Two are equal when their texts are.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Assertion {
    text: Arc<str>,
    query: Query,
    filter: Option<Filter>,
    predicate: Predicate,
    or_absent: bool,
}

impl Assertion {
    /// Reads one line. White space around it is not part of it.
    ///
    /// # Errors
    /// Says at what column what is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Assertion, Complaint> {
        let text = text.trim();
        if let Some(at) = text.chars().position(char::is_control) {
            return Err(Complaint::at(at + 1, "an assertion is one line, without tabs"));
        }
        if text.chars().count() > CHARS_MAX {
            let what = format!("an assertion has at most {CHARS_MAX} characters");
            return Err(Complaint::at(CHARS_MAX + 1, what));
        }
        let mut cursor = Cursor::new(text);
        let (kind, query) = kind::open(&mut cursor)?;
        let filter = filter::open(&mut cursor);
        let shape = if filter.is_some() { value::Shape::Number } else { query.shape };
        let predicate = predicate::open(&mut cursor, kind.name, shape, query.may_be_absent)?;
        let or_absent = or_absent(&mut cursor, kind, &query, &predicate)?;
        Ok(Assertion { text: text.into(), query, filter, predicate, or_absent })
    }

    /// The user's own words.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is wrong with the answer; `None`: the assertion holds.
    ///
    /// Of several values found each must satisfy it. A value that cannot be
    /// judged (text where a number was wanted) satisfies neither the predicate
    /// nor its negation.
    pub fn check(&self, exchange: &Exchange) -> Option<Miss> {
        self.fault(exchange).map(|actual| Miss {
            assertion: self.text.to_string(),
            actual: excerpt(&actual),
            expected: excerpt(&self.expected()),
        })
    }

    fn fault(&self, exchange: &Exchange) -> Option<String> {
        let found = self.query.ask(exchange);
        let found = match self.filter {
            Some(filter) => filter.apply(found),
            None => found.or_nothing(),
        };
        match found {
            Found::Unreadable { owned, .. } if self.or_absent && !owned => None,
            Found::Unreadable { why, .. } => Some(why),
            Found::Absent(_) if self.or_absent || self.predicate.wants_nothing() => None,
            Found::Absent(what) => Some(what),
            Found::One(value) => self.predicate.fault(&value).map(|fault| {
                let note = (self.query.note)(exchange);
                if note.is_empty() { fault } else { format!("{fault} ({note})") }
            }),
            Found::Each { nodes, .. } => nodes.iter().find_map(|(place, value)| {
                self.predicate.fault(value).map(|fault| format!("{fault} at {place}"))
            }),
        }
    }

    fn expected(&self) -> String {
        let wanted = match self.filter {
            Some(_) => format!("a count {}", self.predicate),
            None => self.predicate.to_string(),
        };
        if self.or_absent { format!("{wanted}, or nothing there") } else { wanted }
    }
}

/// The tail `or absent`, or the end of the line.
fn or_absent(
    cursor: &mut Cursor<'_>,
    kind: &Kind,
    query: &Query,
    predicate: &Predicate,
) -> Result<bool, Complaint> {
    let column = cursor.column();
    let rest = cursor.rest();
    if rest.is_empty() {
        return Ok(false);
    }
    if rest.split_whitespace().collect::<Vec<_>>() != ["or", "absent"] {
        let what = format!(
            "`{rest}` is too much; the assertion ends here, or with `or absent`, \
             and text of several words is written in quotes"
        );
        return Err(Complaint::at(column, what));
    }
    if !query.may_be_absent {
        let what = format!("`{}` is never absent; leave out `or absent`", kind.name);
        return Err(Complaint::at(column, what));
    }
    if predicate.is_about_presence() {
        let what = "`exists` already says what absence means; leave out `or absent`";
        return Err(Complaint::at(column, what));
    }
    Ok(true)
}

impl PartialEq for Assertion {
    fn eq(&self, other: &Assertion) -> bool {
        self.text == other.text
    }
}

impl Eq for Assertion {}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl TryFrom<String> for Assertion {
    type Error = Complaint;

    fn try_from(text: String) -> Result<Self, Complaint> {
        Assertion::parse(&text)
    }
}

impl std::str::FromStr for Assertion {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        Assertion::parse(text)
    }
}

impl From<Assertion> for String {
    fn from(assertion: Assertion) -> String {
        assertion.text.to_string()
    }
}

#[cfg(test)]
mod tests;
