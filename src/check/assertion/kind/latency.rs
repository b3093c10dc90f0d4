//! How long the whole exchange took.

use super::super::value::{Shape, Value};
use super::{Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "latency",
    about: "the time from before the connect to the last byte",
    example: "latency < 10s",
    open: |_| {
        let latency = |exchange: &Exchange| Found::One(Value::Length(exchange.elapsed));
        Ok(Query::new(Shape::Length, latency))
    },
};
