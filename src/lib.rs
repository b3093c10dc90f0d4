//! bakewatch.
pub mod check;
pub mod judge;
pub mod metrics;
pub mod model;
pub mod notify;
pub mod record;
pub mod watch;
