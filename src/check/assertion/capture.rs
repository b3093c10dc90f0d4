//! Captures: what a step takes out of its answer for the steps after it. Read
//! like an assertion, up to where an assertion would say what it wants.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cursor::Cursor;
use super::filter::{self, Filter};
use super::kind::{self, Found, Query};
use super::value::Value;
use super::{Complaint, chosen, one_line};
use crate::model::Exchange;

/// What is taken out of an answer. Two are equal when their texts are.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Capture {
    text: Arc<str>,
    query: Query,
    filters: Vec<Filter>,
}

impl Capture {
    /// Reads one line: `json $.access_token`, `header set-cookie regex /sid=([^;]+)/`.
    ///
    /// # Errors
    /// Says at what column what is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Capture, Complaint> {
        let text = text.trim();
        one_line(text)?;
        let mut cursor = Cursor::new(text);
        let (_, query) = kind::open(&mut cursor)?;
        let filters = filter::open(&mut cursor, query.shape)?;
        let column = cursor.column();
        let rest = cursor.rest();
        if !rest.is_empty() {
            let what = format!(
                "`{rest}` is too much; a capture takes what is there, and what has to hold of it \
                 stands in `expect`"
            );
            return Err(Complaint::at(column, what));
        }
        Ok(Capture { text: text.into(), query, filters })
    }

    /// The user's own words.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it takes out of an answer; of many the first.
    ///
    /// # Errors
    /// Why there is nothing to take.
    pub fn take(&self, exchange: &Exchange) -> Result<serde_json::Value, String> {
        let value = match chosen(&self.query, &self.filters, exchange) {
            Found::One(value) => value,
            Found::Each { nodes, path } => match nodes.into_iter().next() {
                Some((_, value)) => value,
                None => return Err(format!("nothing at {path}")),
            },
            Found::Absent(what) => return Err(what),
            Found::Unreadable { why, .. } => return Err(why),
        };
        match value {
            Value::Json(serde_json::Value::Null) => Err("null".to_owned()),
            Value::Json(json) => Ok(json),
            Value::Length(span) => Ok(span.to_string().into()),
            Value::Bytes(bytes) => Ok(bytes.into()),
        }
    }
}

impl PartialEq for Capture {
    fn eq(&self, other: &Capture) -> bool {
        self.text == other.text
    }
}

impl Eq for Capture {}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl TryFrom<String> for Capture {
    type Error = Complaint;

    fn try_from(text: String) -> Result<Self, Complaint> {
        Capture::parse(&text)
    }
}

impl From<Capture> for String {
    fn from(capture: Capture) -> String {
        capture.text.to_string()
    }
}
