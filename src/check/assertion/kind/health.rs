//! What a health endpoint's answer amounts to: its words, not only its code.

use super::super::value::{Shape, Value};
use super::{Found, Kind, Query};
use crate::check::health::{Expected, HealthState, judge_answer};
use crate::model::Exchange;

/// What an answer can amount to.
const STATES: &[&str] = &[
    HealthState::Healthy.as_str(),
    HealthState::Degraded.as_str(),
    HealthState::Unhealthy.as_str(),
    HealthState::Unknown.as_str(),
];

pub(super) const KIND: Kind = Kind {
    name: "health",
    about: "what a health endpoint's words amount to",
    example: "health is healthy",
    open: |_| {
        let state = |exchange: &Exchange| {
            let health = judge_answer(exchange, &Expected::default());
            Found::One(Value::text(health.state.as_str()))
        };
        let note = |exchange: &Exchange| judge_answer(exchange, &Expected::default()).reason;
        Ok(Query { note, ..Query::new(Shape::Word(STATES), state) })
    },
};
