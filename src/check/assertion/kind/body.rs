//! The body as text, without the line end that many servers close it with; or
//! its size.

use super::super::cursor::Cursor;
use super::super::value::{Shape, Value};
use super::{Complaint, Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "body",
    about: "the body as text, without a line end at its end; `body size`: its bytes",
    example: "body contains \"ok\"",
    open,
};

fn open(cursor: &mut Cursor<'_>) -> Result<Query, Complaint> {
    if cursor.peek() == "size" {
        cursor.word();
        return Ok(super::size::query());
    }
    Ok(Query::new(Shape::Text, text))
}

fn text(exchange: &Exchange) -> Found {
    Found::One(Value::text(exchange.body.trim_end_matches(['\r', '\n'])))
}
