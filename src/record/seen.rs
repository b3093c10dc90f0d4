//! Facts of what targets and checks answered: the last of each is kept.

use super::{Fact, Record};
use crate::check::health::is_by_words;
use crate::model::Timestamp;

impl Record {
    pub(super) fn apply_seen(&mut self, at: Timestamp, fact: Fact) {
        match fact {
            Fact::Found(found) => {
                self.plan.follow(&found, !self.smoke.is_empty());
                self.found = Some(found);
            }
            Fact::Dropped { step, reason } => {
                self.plan.smoke.retain(|known| known.name != step);
                self.dropped.push((step, reason));
            }
            Fact::Health { target, state, reason } => {
                let known = self.targets.entry(target).or_default();
                known.has_words |= is_by_words(state, &reason);
                (known.health, known.reason, known.since) = (state, reason, at);
            }
            Fact::Version { target, version } => {
                self.targets.entry(target).or_default().versions.push(version);
            }
            Fact::Scraping { target, failure } => {
                self.targets.entry(target).or_default().scrape_failure = failure;
            }
            Fact::Sourcing { source, failure } => {
                self.data_sources.insert(source, failure);
            }
            Fact::Checked { check, passed, reason } => {
                let known = self.checks.entry(check).or_default();
                (known.passed, known.reason, known.since) = (passed, reason, at);
            }
            Fact::Certificate { check, tls } => {
                self.checks.entry(check).or_default().tls = Some(*tls);
            }
            other => unreachable!("{other:?} is nothing that was seen"),
        }
    }
}
