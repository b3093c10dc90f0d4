//! A cookie's value, as the answer sets it.

use super::super::cursor::Cursor;
use super::super::predicate;
use super::super::value::{Shape, Value};
use super::{Complaint, Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "cookie",
    about: "the value of a cookie that the answer sets",
    example: "cookie session exists",
    open,
};

fn open(cursor: &mut Cursor<'_>) -> Result<Query, Complaint> {
    let column = cursor.column();
    let name = cursor.word();
    if name.is_empty() || predicate::is_name(name) {
        let what = "a cookie's name is missing; write for example `cookie session exists`";
        return Err(Complaint::at(column, what));
    }
    let name = name.to_owned();
    let query = Query::new(Shape::Text, move |exchange| find(exchange, &name));
    Ok(Query { may_be_absent: true, ..query })
}

/// The last line wins, as it does in a browser.
fn find(exchange: &Exchange, name: &str) -> Found {
    let lines = exchange.headers.iter().rev().filter(|(known, _)| known == "set-cookie");
    let value = |line: &str| {
        let (known, value) = line.split(';').next()?.split_once('=')?;
        (known.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    };
    match lines.filter_map(|(_, line)| value(line)).next() {
        Some(value) => Found::One(Value::text(value)),
        None => Found::Absent(format!("no cookie {name}")),
    }
}
