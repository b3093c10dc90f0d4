//! A release: the unit that is watched.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Name, Timestamp};

/// One version of one service, out since `at`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Release {
    /// The service that was released.
    pub service: Name,
    /// What the pipeline calls this release: a tag, a build number, a commit.
    pub version: Name,
    /// When it was out. Both windows count from here.
    pub at: Timestamp,
}

impl Release {
    /// The watch that stands over this release.
    pub fn watch(&self) -> WatchId {
        WatchId(Name::from(format!("{}@{}", self.service, self.version)))
    }
}

/// Names a watch: `service@version`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WatchId(pub Name);

impl fmt::Display for WatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
