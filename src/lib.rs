//! bakewatch.
pub mod check;
pub mod metrics;
pub mod model;
