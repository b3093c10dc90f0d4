//! How a try of a letter ended. What follows from it is decided in `channel`.

use serde::{Deserialize, Serialize};

use super::Posted;
use crate::model::Span;

/// What became of a letter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The receiver took it.
    Accepted {
        /// Its words.
        detail: String,
    },
    /// The receiver took it, and says where its messages stand.
    Posted {
        /// Its words.
        detail: String,
        /// Those that will be brought up to date.
        messages: Vec<Posted>,
    },
    /// Some of its recipients took it, and the others never will.
    Partly {
        /// Its words.
        detail: String,
        /// The others.
        missed: Vec<Missed>,
    },
    /// It surely was not taken: refused connection, 4xx, 5xx. What it told is
    /// owed anew.
    Refused {
        /// The receiver's words.
        detail: String,
        /// The earliest time at which it wants to hear from us again, from now.
        retry_after: Option<Span>,
        /// Whether trying again as we are is pointless (401, 404, bad address).
        permanent: bool,
    },
    /// Nobody knows: a time-out, a crash. The same letter is tried again.
    Unknown {
        /// What happened.
        detail: String,
    },
}

/// A recipient that a letter does not reach.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Missed {
    /// Its address.
    pub recipient: String,
    /// The server's words: `550 no such person here`.
    pub reason: String,
}
