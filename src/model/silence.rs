//! A silence: nothing new is told of alerts that fit, for a while.

use serde::{Deserialize, Serialize};

use super::hash::stable_hash;
use super::{DAY, MINUTE, Matchers, Name, Severity, Span, Timestamp};

/// As long as a watch lasts. Whoever wants less for longer wants another rule.
pub const SILENCE_MAX: Span = Span::from_millis(7 * DAY.millis());

/// A silence for a deployment lasts no longer: what is loud beyond it is no longer
/// the noise of a start.
pub const DEPLOY_SILENCE_MAX: Span = Span::from_millis(15 * MINUTE.millis());

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
    /// It is for the deployment of one release: it holds back nothing critical, and
    /// does not go on under the next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deploy: bool,
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
        Silence { id, matchers, from, until, by, comment, deploy: false }
    }

    /// The same for a deployment.
    pub fn of_deployment(self) -> Silence {
        let hash = stable_hash(&[self.id.as_str(), "deploy"]);
        Silence { id: Name::from(format!("{:08x}", hash >> 32)), deploy: true, ..self }
    }

    /// Whether alerts of this severity are among those that it may hold back.
    pub fn may_hold(&self, severity: Severity) -> bool {
        !self.deploy || severity < Severity::Critical
    }
}
