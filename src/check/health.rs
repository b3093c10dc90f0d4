//! What a health endpoint's answer amounts to: its words count, not only its code.

use serde::{Deserialize, Serialize};

/// A target's health.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthState {
    /// Not known: not asked yet, or we could not ask.
    #[default]
    Unknown,
    /// Up.
    Healthy,
    /// Up, and says that something is wrong with it. Counts as up.
    Degraded,
    /// Down, or says that it is.
    Unhealthy,
}
