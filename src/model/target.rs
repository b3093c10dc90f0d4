//! What is looked at: one replica's addresses.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Approach, Labels, Name};

/// One replica (or the one address in front of them all).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// Short and unique in its watch, `10.0.0.11:8000`; the `instance` label
    /// of every series from it.
    pub name: Name,
    /// Full URL of its health endpoint; `None`: health is not asked.
    pub health: Option<String>,
    /// Full URL of its exposition; `None`: it is not scraped.
    pub metrics: Option<String>,
    /// What else is known of it, from where it was found: on every series from it.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// How it is reached, where that is not as all targets are. Of one that was
    /// found its source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Arc<Approach>>,
}
