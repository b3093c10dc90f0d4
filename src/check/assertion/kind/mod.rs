//! What can be asked of an answer. A new kind is one file and one line in
//! `KINDS`.

mod body;
mod cookie;
mod dns;
mod grpc;
mod header;
mod health;
mod json;
mod latency;
mod metric;
mod redirect;
mod redirects;
mod size;
mod status;
mod tls;
mod url;

use std::sync::Arc;

use super::Complaint;
use super::complaint::instead;
use super::cursor::Cursor;
use super::predicate;
use super::value::{Shape, Value};
use crate::model::Exchange;

/// Something that an assertion can ask about, by its first word.
pub struct Kind {
    /// The word.
    pub name: &'static str,
    /// What it means, as a noun.
    pub about: &'static str,
    /// An assertion that uses it.
    pub example: &'static str,
    open: fn(&mut Cursor<'_>) -> Result<Query, Complaint>,
}

/// All of them.
pub static KINDS: [Kind; 15] = [
    status::KIND,
    header::KIND,
    body::KIND,
    json::KIND,
    metric::KIND,
    latency::KIND,
    size::KIND,
    health::KIND,
    tls::KIND,
    dns::KIND,
    grpc::KIND,
    redirects::KIND,
    redirect::KIND,
    url::KIND,
    cookie::KIND,
];

/// A question to an answer, ready to be asked.
#[derive(Clone)]
pub(super) struct Query {
    ask: Arc<dyn Fn(&Exchange) -> Found + Send + Sync>,
    /// What it finds.
    pub shape: Shape,
    /// Whether an answer may lack it.
    pub may_be_absent: bool,
    /// Whether a value that follows at once is what it has to be equal to.
    pub is_implied: bool,
    /// What else on-call would look at when it does not hold; perhaps empty.
    pub note: fn(&Exchange) -> String,
}

/// What a query found.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Found {
    /// A value.
    One(Value),
    /// Values by their places: what a path to many found, perhaps nothing.
    Each {
        /// The path.
        path: String,
        /// Place and value.
        nodes: Vec<(String, Value)>,
    },
    /// Not there: what is not.
    Absent(String),
    /// The answer is not such that this could be asked of it.
    Unreadable {
        /// Why.
        why: String,
        /// Whether the answer claims to be readable, so that this is a fault
        /// of its own and not just another kind of answer.
        owned: bool,
    },
}

impl Found {
    /// No values at all are an absence.
    pub fn or_nothing(self) -> Found {
        match self {
            Found::Each { path, nodes } if nodes.is_empty() => {
                Found::Absent(format!("nothing at {path}"))
            }
            found => found,
        }
    }
}

impl Query {
    /// A question that every answer can be asked.
    fn new(shape: Shape, ask: impl Fn(&Exchange) -> Found + Send + Sync + 'static) -> Query {
        let note = |_: &Exchange| String::new();
        Query { ask: Arc::new(ask), shape, may_be_absent: false, is_implied: false, note }
    }

    /// Asks it.
    pub fn ask(&self, exchange: &Exchange) -> Found {
        (self.ask)(exchange)
    }
}

/// Reads a kind's word and whatever it takes.
pub(super) fn open(cursor: &mut Cursor<'_>) -> Result<(&'static Kind, Query), Complaint> {
    let column = cursor.column();
    let word = cursor.word();
    if let Some(kind) = KINDS.iter().find(|kind| kind.name == word) {
        return Ok((kind, (kind.open)(cursor)?));
    }
    let rest = cursor.rest();
    let what = match word {
        "" if rest.is_empty() => {
            "an assertion is missing; write for example `status == 200`".into()
        }
        _ if word == "not" || word.is_empty() || predicate::is_name(word) => {
            "an assertion begins with what is asked about; write for example `status == 200`".into()
        }
        path if path.starts_with('$') => format!("a path belongs to `json`; write `json {path}`"),
        _ => format!(
            "nothing known is called `{word}`; {}",
            instead(word, KINDS.iter().map(|kind| kind.name))
        ),
    };
    Err(Complaint::at(column, what))
}
