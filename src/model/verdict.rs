//! What a window amounts to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The four verdicts. `judge::verdict` decides which.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Watched, and nothing was wrong.
    Healthy,
    /// Something was wrong, short of failure.
    Degraded,
    /// The release did not prove itself.
    Failed,
    /// There was too little evidence for any other word.
    Inconclusive,
}

impl Verdict {
    /// `healthy`, `degraded`, `failed` or `inconclusive`.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Healthy => "healthy",
            Verdict::Degraded => "degraded",
            Verdict::Failed => "failed",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
