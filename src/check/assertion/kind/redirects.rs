//! How many redirects were followed.

use super::super::value::{Shape, Value};
use super::{Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "redirects",
    about: "how many redirects were followed; `follow` of the request allows them",
    example: "redirects == 0",
    open: |_| {
        let count = |exchange: &Exchange| Found::One(Value::count(exchange.redirects.into()));
        Ok(Query::new(Shape::Number, count))
    },
};
