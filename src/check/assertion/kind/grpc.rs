//! What a gRPC server says of itself.

use super::super::value::{Shape, Value};
use super::{Found, Kind, Query};
use crate::model::{Exchange, Serving};

const STATES: &[&str] = &[
    Serving::Serving.as_str(),
    Serving::NotServing.as_str(),
    Serving::Unknown.as_str(),
    Serving::ServiceUnknown.as_str(),
];

pub(super) const KIND: Kind = Kind {
    name: "grpc",
    about: "what a gRPC server says of itself",
    example: "grpc is SERVING",
    open: |_| Ok(Query::new(Shape::Word(STATES), serving)),
};

fn serving(exchange: &Exchange) -> Found {
    match exchange.beyond.as_deref().and_then(|beyond| beyond.serving) {
        Some(serving) => Found::One(Value::text(serving.as_str())),
        None => Found::Unreadable { why: "the answer is not one of gRPC".into(), owned: true },
    }
}
