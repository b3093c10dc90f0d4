//! A sign of life for somebody else's watch.

use super::{Secret, Span};

/// An address that is called as long as all is well with bakewatch itself.
/// Whoever keeps it tells somebody when the calls stop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heartbeat {
    /// What is called. Often a secret in itself.
    pub url: Secret,
    /// How often.
    pub every: Span,
}
