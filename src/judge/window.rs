//! A window: for how long a release is watched, and how closely.

use serde::{Deserialize, Serialize};

use crate::model::{Name, Span};

/// A stretch of time from the release on, with a verdict at its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Window {
    /// `first-day`, `first-week`, or a length such as `30m`.
    pub name: Name,
    /// Counted from the release.
    pub length: Span,
    /// How often targets are asked while this is the shortest open window.
    pub every: Span,
}
