//! What a JSON path (RFC 9535) finds in the body.

use serde_json_path::JsonPath;

use super::super::cursor::Cursor;
use super::super::value::{Shape, Value};
use super::{Complaint, Found, Kind, Query};
use crate::check::excerpt::excerpt_to;
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "json",
    about: "what a JSON path finds in the body; a path to many is held against each",
    example: "json $.success == true",
    open,
};

fn open(cursor: &mut Cursor<'_>) -> Result<Query, Complaint> {
    let column = cursor.column();
    let text = cursor.path();
    if text.is_empty() {
        let what = "a path is missing; write for example `json $.success == true`";
        return Err(Complaint::at(column, what));
    }
    if !text.starts_with('$') {
        let dot = if text.starts_with(['.', '[']) { "" } else { "." };
        let what = format!("a path starts at the body's root `$`; write `${dot}{text}`");
        return Err(Complaint::at(column, what));
    }
    if let Some(at) = too_deep(text) {
        let what = format!("a path nests at most {NESTING_MAX} brackets; ask something simpler");
        return Err(Complaint::at(column + at, what));
    }
    let path = JsonPath::parse(text).map_err(|error| {
        // The library's own words ("parser error") say less than an example.
        let what = format!(
            "`{text}` is no JSON path; write for example `$.items[0].name` or `$['a name']`"
        );
        Complaint::at(column + error.position().saturating_sub(1), what)
    })?;
    let (many, text) = (leads_to_many(text), text.to_owned());
    let query = Query::new(Shape::Json, move |exchange| find(exchange, &path, &text, many));
    Ok(Query { may_be_absent: true, ..query })
}

/// The path library takes twice as long for each nested filter (measured: 5 ms
/// for ten in a debug build), so a line of them would never be read.
const NESTING_MAX: i32 = 8;

/// Where a path nests too deep, in characters from its start.
fn too_deep(path: &str) -> Option<usize> {
    let mut depth = 0;
    unquoted(path).find_map(|(at, c)| {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            _ => {}
        }
        (depth > NESTING_MAX).then_some(at)
    })
}

/// Whether a path has a wildcard, a descent, a filter, a union or a slice: all
/// but the singular queries of RFC 9535 2.3.5.1, whose only punctuation
/// outside of quotes is a dot, brackets and digits.
fn leads_to_many(path: &str) -> bool {
    let mut before = ' ';
    unquoted(path).any(|(_, c)| {
        let descends = (before, c) == ('.', '.');
        before = c;
        descends || matches!(c, '*' | '?' | ',' | ':')
    })
}

/// A path's characters outside of quotes, each with its place.
fn unquoted(path: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut escaped) = (None, false);
    path.chars().enumerate().filter(move |&(_, c)| {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => return true,
        }
        false
    })
}

fn find(exchange: &Exchange, path: &JsonPath, text: &str, many: bool) -> Found {
    let body = exchange.body.trim_start_matches('\u{feff}');
    let json: serde_json::Value = match serde_json::from_str(body) {
        Ok(json) => json,
        Err(error) => return no_json(exchange, &error),
    };
    if !many {
        return match path.query(&json).first() {
            Some(node) => Found::One(Value::Json(node.clone())),
            None => Found::Absent(format!("nothing at {text}")),
        };
    }
    let located = path.query_located(&json);
    let nodes = located
        .iter()
        .map(|node| (node.location().to_string(), Value::Json(node.node().clone())))
        .collect();
    Found::Each { path: text.to_owned(), nodes }
}

fn no_json(exchange: &Exchange, error: &serde_json::Error) -> Found {
    let owned = exchange.header("content-type").is_some_and(|kind| kind.contains("json"));
    let body = exchange.body.trim();
    let why = if body.is_empty() {
        "no JSON: the body is empty".to_owned()
    } else if error.is_eof() {
        format!("no JSON: the body is cut off, {}", excerpt_to(body, 60))
    } else {
        format!("no JSON: {}", excerpt_to(body, 60))
    };
    Found::Unreadable { why, owned }
}
