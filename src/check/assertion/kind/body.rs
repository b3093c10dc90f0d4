//! The body as text, without the line end that many servers close it with.

use super::super::value::{Shape, Value};
use super::{Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "body",
    about: "the body as text, without a line end at its end",
    example: "body contains \"ok\"",
    open: |_| Ok(Query::new(Shape::Text, text)),
};

fn text(exchange: &Exchange) -> Found {
    Found::One(Value::text(exchange.body.trim_end_matches(['\r', '\n'])))
}
