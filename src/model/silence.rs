//! A silence: nothing new is told of alerts that fit, for a while.

use serde::{Deserialize, Serialize};

use super::hash::stable_hash;
use super::{DAY, Matchers, Name, Span, Timestamp};

/// As long as a watch lasts. Whoever wants less for longer wants another rule.
pub const SILENCE_MAX: Span = Span::from_millis(7 * DAY.millis());

/// A silence that somebody made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Silence {
    /// What it is ended by; the same for each service that it covers.
    pub id: Name,
    /// Which alerts.
    pub matchers: Matchers,
    /// From when.
    pub from: Timestamp,
    /// It holds no more from here on.
    pub until: Timestamp,
    /// Who made it.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl Silence {
    /// One that begins now. What is made at the same time in the same words is
    /// the same one.
    pub fn new(
        matchers: Matchers,
        from: Timestamp,
        until: Timestamp,
        by: String,
        comment: String,
    ) -> Silence {
        let [begin, end] = [from, until].map(|at| at.millis().to_string());
        let hash = stable_hash(&[&matchers.to_string(), &begin, &end, &by, &comment]);
        let id = Name::from(format!("{:08x}", hash >> 32));
        Silence { id, matchers, from, until, by, comment }
    }
}
