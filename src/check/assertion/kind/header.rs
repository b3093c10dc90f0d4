//! A header's value. Lines of the same name are one list, as RFC 9110 5.2 has it.

use super::super::cursor::Cursor;
use super::super::predicate;
use super::super::value::{Shape, Value};
use super::{Complaint, Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "header",
    about: "a header's value, by its name in any case",
    example: "header content-type contains json",
    open,
};

fn open(cursor: &mut Cursor<'_>) -> Result<Query, Complaint> {
    let column = cursor.column();
    let name = cursor.word();
    if name.is_empty() || predicate::is_name(name) {
        let what =
            "a header's name is missing; write for example `header content-type contains json`";
        return Err(Complaint::at(column, what));
    }
    if let Some(bad) = name.chars().find(|c| !is_token(*c)) {
        let what =
            format!("`{name}` is no header name: it holds `{bad}`; write for example `etag`");
        return Err(Complaint::at(column, what));
    }
    let name = name.to_ascii_lowercase();
    let query = Query::new(Shape::Text, move |exchange| find(exchange, &name));
    Ok(Query { may_be_absent: true, ..query })
}

fn find(exchange: &Exchange, name: &str) -> Found {
    let lines = exchange.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let values: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
    if values.is_empty() {
        return Found::Absent(format!("no header {name}"));
    }
    Found::One(Value::text(values.join(", ")))
}

/// A character of a token (RFC 9110 5.6.2).
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}
