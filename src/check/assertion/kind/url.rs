//! The URL that answered in the end, after all redirects.

use super::super::value::{Shape, Value};
use super::{Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "url",
    about: "the URL that answered, after the redirects that were followed",
    example: "url endsWith \"/home\"",
    open: |_| {
        let url = |exchange: &Exchange| Found::One(Value::text(exchange.url.as_str()));
        Ok(Query::new(Shape::Text, url))
    },
};
