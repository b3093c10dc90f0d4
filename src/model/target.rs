//! What is looked at: one replica's addresses.

use serde::{Deserialize, Serialize};

use super::Name;

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
}
