//! A digest, as the configuration says it.

use serde::{Deserialize, Serialize};

use super::{Name, Schedule};

/// A letter that comes by the calendar, whether or not anything happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Digest {
    /// Unique in its watch.
    pub name: Name,
    /// When it is due.
    pub schedule: Schedule,
    /// Who gets it.
    pub channels: Vec<Name>,
}
