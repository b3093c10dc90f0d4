//! What a watch tells those who ask: the series that it keeps, and series made
//! of its record: what each signal measured, how targets and checks answered,
//! and its alerts. Nothing here changes a watch.

use super::told::{Looked, Share, is_expression, tell_alert, tell_shares, tell_signal};
use super::{Fleet, Watch};
use crate::metrics::{Excerpt, Family};
use crate::model::{Labels, Name, Timestamp, WatchId};

/// The quantiles in which a histogram can be read.
pub(super) const QUANTILES: [(&str, f64); 3] = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)];

/// Alerts, as Prometheus shows them.
pub(super) const ALERTS: &str = "ALERTS";

/// Series of shares that are made of tallies: name, and the label that tells whose.
const SHARES: [(&str, &str, Share); 3] = [
    ("probe_success_ratio", "instance", Share::Probes),
    ("scrape_success_ratio", "instance", Share::Scrapes),
    ("check_success_ratio", "check", Share::Checks),
];

impl Fleet {
    /// Copies what is wanted of the watches of a service, or of all.
    ///
    /// # Errors
    /// No such service is watched; or as `Excerpt::take`.
    pub fn read(
        &self,
        excerpt: &mut Excerpt,
        service: Option<&str>,
        now: Timestamp,
    ) -> Result<(), String> {
        let meant = self.meant(service)?;
        let mut watches = meant.into_iter().filter_map(|id| self.watch(id));
        watches.try_for_each(|watch| watch.read(excerpt, now))
    }

    /// The watches of a service, or all.
    ///
    /// # Errors
    /// No such service is watched.
    pub fn meant(&self, service: Option<&str>) -> Result<Vec<&WatchId>, String> {
        let is_meant = |id: &&WatchId| {
            let of = |service: &str| {
                self.record(id).is_some_and(|record| record.release.service == *service)
            };
            service.is_none_or(of)
        };
        let meant: Vec<&WatchId> = self.ids().filter(is_meant).collect();
        if let (Some(service), true) = (service, meant.is_empty()) {
            let known = self.services();
            let known: Vec<&str> = known.iter().map(Name::as_str).collect();
            let known = known.join(", ");
            return Err(format!("no service {service:?} is watched; there is {known}"));
        }
        Ok(meant)
    }

    /// The families that pages have shown, as far as they were read whole.
    pub fn families(&self) -> Vec<Family> {
        let watches = self.ids().filter_map(|id| self.watch(id));
        watches.flat_map(|watch| watch.measure.families()).collect()
    }

    /// The services that are watched, in order.
    pub fn services(&self) -> Vec<Name> {
        let records = self.ids().filter_map(|id| self.record(id));
        let mut names: Vec<Name> = records.map(|record| record.release.service.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Watch {
    fn read(&self, excerpt: &mut Excerpt, now: Timestamp) -> Result<(), String> {
        let release = &self.record.release;
        let own = Labels::from_pairs([
            ("service", release.service.as_str()),
            ("release", release.version.as_str()),
        ]);
        let kept = &self.measure.series;
        excerpt.take(kept, &own, now)?;
        // A metric of the service's own comes before ours of that name.
        let is_free = |name: &str| kept.named(name).next().is_none();
        let tells = |excerpt: &Excerpt, name: &str| excerpt.may_read(name) && is_free(name);
        for (signal, last) in self.measure.last() {
            excerpt.know(signal.as_str());
            if tells(excerpt, signal.as_str()) && !is_expression(&self.record, signal) {
                let (since, at) = (self.measure.block_from(), self.measure.last_tick());
                let live = last.map(|last| Looked { since, at, last });
                tell_signal(&self.record, signal, live, &own, excerpt)?;
            }
        }
        for told @ (name, _, _) in SHARES {
            excerpt.know(name);
            if tells(excerpt, name) {
                tell_shares(&self.record, told, &own, excerpt)?;
            }
        }
        excerpt.know(ALERTS);
        if tells(excerpt, ALERTS) {
            for (key, alert) in &self.record.alerts {
                tell_alert(&self.record, (key, alert), now, &own, excerpt)?;
            }
        }
        Ok(())
    }
}
