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
    /// Whether requests of users are expected in it. Where they are not (a bake
    /// before traffic is shifted), signals that only requests make observable
    /// are listed as not watched, and not held against the release.
    #[serde(default = "expected", skip_serializing_if = "is_expected")]
    pub traffic: bool,
}

fn expected() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_expected(traffic: &bool) -> bool {
    *traffic
}
