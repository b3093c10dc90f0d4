//! How large the body is, once it is decoded.

use super::super::value::{Shape, Value};
use super::{Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "size",
    about: "the decoded body's size in bytes; the same as `body size`",
    example: "size < 1MB",
    open: |_| Ok(query()),
};

pub(super) fn query() -> Query {
    let size = |exchange: &Exchange| Found::One(Value::Bytes(exchange.body.len() as u64));
    Query::new(Shape::Bytes, size)
}
