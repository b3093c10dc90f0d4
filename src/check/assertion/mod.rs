//! Assertions: one line each, a query, perhaps a filter, and a predicate.
//!
//! ```text
//! status in 200..299
//! header content-type contains json
//! json $.items count > 2
//! json $.response not startsWith "Error:" or absent
//! header etag matches /^"[0-9a-f]+"$/
//! ```
//!
//! What can be asked is in `KINDS`, what can be wanted in `predicate`. An
//! assertion is parsed once, when the configuration is read; whatever is wrong
//! with it is told then, and at what column. One with holes (`{{token}}`) is
//! read again when they are filled.

mod capture;
mod complaint;
mod cursor;
mod filter;
mod kind;
mod pattern;
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
use super::redact::Redactor;
use super::template;
use crate::model::Exchange;

pub use capture::Capture;
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
    filters: Vec<Filter>,
    predicate: Predicate,
    or_absent: bool,
    /// Where it says what is wanted, in characters from 0.
    wanted: usize,
}

impl Assertion {
    /// Reads one line. White space around it is not part of it.
    ///
    /// # Errors
    /// Says at what column what is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Assertion, Complaint> {
        let text = text.trim();
        one_line(text)?;
        Assertion::read(text).or_else(|complaint| {
            // A hole may stand for a number, which nothing else is read as.
            let with_numbers = template::fill(text, |_| Ok("1".to_owned()));
            match with_numbers {
                Ok(filled) if filled != text => Assertion::read(&filled)
                    .map(|read| Assertion { text: text.into(), ..read })
                    .map_err(|_| complaint),
                Ok(_) | Err(()) => Err(complaint),
            }
        })
    }

    fn read(text: &str) -> Result<Assertion, Complaint> {
        let mut cursor = Cursor::new(text);
        let (kind, mut query) = kind::open(&mut cursor)?;
        let filters = filter::open(&mut cursor, query.shape)?;
        let shape = filter::shape(&filters, query.shape);
        query.may_be_absent |= filter::may_lose(&filters);
        let may_be_absent = query.may_be_absent;
        let wanted = cursor.column() - 1;
        let implied = query.is_implied && filters.is_empty();
        let predicate = predicate::open(&mut cursor, kind.name, shape, may_be_absent, implied)?;
        let or_absent = or_absent(&mut cursor, kind, &query, &predicate)?;
        Ok(Assertion { text: text.into(), query, filters, predicate, or_absent, wanted })
    }

    /// Itself with its holes filled; it is still called by the user's words.
    /// A value may come twice: as it stands beside a predicate, where text has
    /// quotes, and as it is.
    ///
    /// # Errors
    /// What `fill` says, or that what came cannot be held against anything.
    pub(super) fn filled(
        &self,
        mut fill: impl FnMut(&template::Hole<'_>, bool) -> Result<String, String>,
    ) -> Result<Assertion, String> {
        if template::holes(&self.text).is_empty() {
            return Ok(self.clone());
        }
        let quoted = template::fill(&self.text, |hole| fill(hole, true))?;
        let plain = template::fill(&self.text, |hole| fill(hole, false))?;
        let read = one_line(&quoted).and_then(|()| Assertion::read(&quoted));
        let read = read.or_else(|_| one_line(&plain).and_then(|()| Assertion::read(&plain)));
        let read = read.map_err(|complaint| {
            format!("`{}` cannot be read with what was captured: {}", self.text, complaint.what)
        })?;
        Ok(Assertion { text: self.text.clone(), ..read })
    }

    /// Where in its text it says what is wanted, in characters from 0.
    pub fn wanted_at(&self) -> usize {
        self.wanted
    }

    /// Whether it asks about this, by its first word.
    pub fn is_about(&self, kind: &str) -> bool {
        Cursor::new(&self.text).word() == kind
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
        self.check_hiding(exchange, &Redactor::default())
    }

    /// The same, with secrets kept out of what is told: before it is cut, for
    /// half a secret is one too.
    pub(super) fn check_hiding(&self, exchange: &Exchange, redactor: &Redactor) -> Option<Miss> {
        self.fault(exchange).map(|actual| Miss {
            assertion: self.text.to_string(),
            actual: excerpt(&redactor.clean(&actual)),
            expected: excerpt(&redactor.clean(&self.expected())),
        })
    }

    fn fault(&self, exchange: &Exchange) -> Option<String> {
        match chosen(&self.query, &self.filters, exchange) {
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
        let wanted = match self.filters.last() {
            Some(Filter::Count) => format!("a count {}", self.predicate),
            Some(Filter::Regex(_)) | None => self.predicate.to_string(),
        };
        if self.or_absent { format!("{wanted}, or nothing there") } else { wanted }
    }
}

/// What a query finds, and what the filters leave of it.
fn chosen(query: &Query, filters: &[Filter], exchange: &Exchange) -> Found {
    let found = query.ask(exchange);
    filters.iter().fold(found, |found, filter| filter.apply(found)).or_nothing()
}

/// Whether a text is one line, of a length that somebody wrote.
fn one_line(text: &str) -> Result<(), Complaint> {
    if let Some(at) = text.chars().position(char::is_control) {
        return Err(Complaint::at(at + 1, "an assertion is one line, without tabs"));
    }
    if text.chars().count() > CHARS_MAX {
        let what = format!("an assertion has at most {CHARS_MAX} characters");
        return Err(Complaint::at(CHARS_MAX + 1, what));
    }
    Ok(())
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
