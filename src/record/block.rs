//! What was measured over a stretch of time: nine facts in ten.

use serde::{Deserialize, Serialize};

use crate::model::{Measurement, Name, Timestamp};

/// What was measured and observed from `from` (exclusive) to `to`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Block {
    /// Start.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
    /// Looks that the grid asked for in this time.
    pub slots: u32,
    /// Looks at which the health of at least one target was known.
    pub seen: u32,
    /// What each target answered.
    pub tallies: Vec<(Name, Tally)>,
    /// What each check beyond HTTP came to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<(Name, Tally)>,
    /// What each source of metrics answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_sources: Vec<(Name, Tally)>,
    /// What each signal measured.
    pub rows: Vec<Row>,
}

/// A target's answers, or a check's, counted. What was never counted is not written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Health probes that found it up.
    #[serde(skip_serializing_if = "is_none")]
    pub ok: u32,
    /// Health probes that found it down.
    #[serde(skip_serializing_if = "is_none")]
    pub failed: u32,
    /// Health probes of which we do not know (our own fault).
    #[serde(skip_serializing_if = "is_none")]
    pub unknown: u32,
    /// Of `ok`: those that needed more than one try.
    #[serde(skip_serializing_if = "is_none")]
    pub flaky: u32,
    /// Scrapes that were read.
    #[serde(skip_serializing_if = "is_none")]
    pub scraped: u32,
    /// Scrapes that failed.
    #[serde(skip_serializing_if = "is_none")]
    pub unscraped: u32,
    /// Answers that told the release's version.
    #[serde(skip_serializing_if = "is_none")]
    pub matching: u32,
    /// Answers that told another.
    #[serde(skip_serializing_if = "is_none")]
    pub differing: u32,
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Tally {
    /// Adds another stretch of time.
    pub fn add(&mut self, other: &Tally) {
        self.ok += other.ok;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.flaky += other.flaky;
        self.scraped += other.scraped;
        self.unscraped += other.unscraped;
        self.matching += other.matching;
        self.differing += other.differing;
    }
}

/// What a signal measured in a block.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The signal.
    pub signal: Name,
    /// Looks (of the block's `slots`) at which it could be read.
    pub seen: u32,
    /// What it was; `None`: nothing in all this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measurement>,
}
