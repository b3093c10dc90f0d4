//! The records of a DNS answer, as a list of texts.

use super::super::value::{Shape, Value};
use super::{Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "dns",
    about: "the records of a DNS answer, as a list of texts",
    example: "dns contains \"10.0.0.1\"",
    open: |_| Ok(Query::new(Shape::Json, records)),
};

fn records(exchange: &Exchange) -> Found {
    match exchange.beyond.as_deref().and_then(|beyond| beyond.dns.as_ref()) {
        Some(records) => {
            let texts: Vec<String> = records.iter().map(|one| one.data.to_string()).collect();
            Found::One(Value::Json(texts.into()))
        }
        None => Found::Unreadable { why: "the answer is not one of DNS".into(), owned: true },
    }
}
