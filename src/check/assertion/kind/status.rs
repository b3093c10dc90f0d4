//! The status code.

use super::super::value::{Shape, Value};
use super::{Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "status",
    about: "the HTTP status code",
    example: "status in 200..299",
    open: |_| {
        let status = |exchange: &Exchange| Found::One(Value::count(exchange.status.into()));
        Ok(Query { note, ..Query::new(Shape::Number, status) })
    },
};

/// Where a redirect leads, or the first line of what an error said. An HTML
/// page is left out: its first line says nothing.
fn note(exchange: &Exchange) -> String {
    if let (300..=399, Some(location)) = (exchange.status, exchange.header("location")) {
        return format!("redirect to {location}");
    }
    if exchange.status < 300 {
        return String::new();
    }
    match exchange.body.trim().lines().next() {
        Some(line) if !line.starts_with('<') => format!("saying {line}"),
        _ => String::new(),
    }
}
