//! What answers show beside up and down: components, what is unmet, whether
//! they move, which version runs. Each becomes a series of its own, so that
//! rules judge it like anything else, and a fact only where it is new.

use super::Watch;
use crate::check::Shown;
use crate::check::health::version::{self, VersionSource};
use crate::metrics::{LOOKBACK, Series, SeriesId, health};
use crate::model::{Labels, Timestamp};
use crate::record::Fact;

/// So many different versions of a target are told; more is a limit. A target
/// that is many (a load balancer) shows two while a rollout is under way.
const VERSIONS_MAX: usize = 8;

/// What is known of one target's answers, beside up and down.
#[derive(Default)]
pub(super) struct Vitals {
    /// What moves in a live answer, and when it was last seen to.
    pulses: [Option<(String, Timestamp)>; 2],
    /// Versions that were told lately, and when each was last.
    told: Vec<(String, Timestamp)>,
    /// When a version came back that another had followed.
    returned_at: Option<Timestamp>,
    /// The target's series, as far as there are any.
    ids: [Option<SeriesId>; 4],
}

/// The series, in the order of `Vitals::ids`.
const SERIES: [&str; 4] = [health::COMPONENTS, health::UNMET, health::AGE, health::VERSION];

impl Vitals {
    /// The target has left: its series end.
    pub fn end(&mut self, series: &mut Series, now: Timestamp) {
        std::mem::take(&mut self.ids)
            .into_iter()
            .flatten()
            .for_each(|id| series.push_stale(id, now));
        self.pulses = Default::default();
        (self.told, self.returned_at) = Default::default();
    }

    /// The versions that an answer stands for: those that it tells. But where
    /// one comes back that another had followed, replicas answer in turn, and
    /// all that was told lately is still running.
    fn versions(&mut self, told: &[String], now: Timestamp) -> Vec<String> {
        self.told.retain(|(_, at)| now.since(*at) < LOOKBACK);
        let latest = self.told.iter().map(|(_, at)| *at).max();
        for version in told {
            match self.told.iter_mut().find(|(known, _)| known == version) {
                Some((_, at)) => {
                    if latest.is_some_and(|latest| *at < latest) {
                        self.returned_at = Some(now);
                    }
                    *at = now;
                }
                None => self.told.push((version.clone(), now)),
            }
        }
        if self.returned_at.is_none_or(|at| now.since(at) >= LOOKBACK) {
            return told.to_vec();
        }
        self.told.iter().map(|(version, _)| version.clone()).collect()
    }

    /// The time that its last answer told.
    pub fn time(&self) -> Option<Timestamp> {
        self.pulses[0].as_ref().and_then(|(told, _)| told.trim_matches('"').parse().ok())
    }

    /// For how long nothing has moved that should; `None`: nothing should.
    fn age_seconds(&mut self, pulses: &[Option<String>; 2], now: Timestamp) -> Option<f64> {
        let mut oldest = None;
        for (known, shown) in self.pulses.iter_mut().zip(pulses) {
            let Some(shown) = shown else { continue };
            let moved_at = match known {
                Some((before, moved_at)) if before == shown => *moved_at,
                _ => {
                    *known = Some((shown.clone(), now));
                    now
                }
            };
            let age = now.since(moved_at).seconds_f64();
            oldest = Some(oldest.map_or(age, |older: f64| older.max(age)));
        }
        oldest
    }
}

impl Watch {
    /// What an answer of a health endpoint shows.
    pub(super) fn take_shown(&mut self, now: Timestamp, target: usize, shown: &Shown) {
        let age = self.look.targets[target].vitals.age_seconds(&shown.pulses, now);
        let counts = [shown.components.map(f64::from), shown.unmet.map(f64::from), age];
        for (index, value) in counts.into_iter().enumerate() {
            if let Some(value) = value {
                self.push_vital(now, target, index, value);
            }
        }
        let name = self.target_name(target);
        if shown.components == Some(0) {
            let detail = "its health looks at nothing: the list of components is empty";
            self.limit(now, Some(name.clone()), "vacuous-health", detail);
        }
        if let Some(word) = &shown.strange {
            let detail = format!(
                "its health says {word:?}, which nobody knows: neither up nor down; \
                 `health.words` can say what it means"
            );
            self.limit(now, Some(name), "health-word", &detail);
        }
        if let Some(told) = &shown.version {
            self.take_versions(now, target, std::slice::from_ref(told));
        }
    }

    /// The version in the target's metrics, where it is to be read there.
    pub(super) fn read_version(&mut self, now: Timestamp, target: usize) {
        let source = self.record.plan.health.version.as_ref().map(|wanted| &wanted.source);
        let Some(VersionSource::Metric { name, label }) = source else { return };
        let instance = self.target_name(target);
        let series = &self.measure.series;
        let mut told: Vec<String> = series
            .named(name)
            .filter(|(labels, _)| labels.get("instance") == Some(instance.as_str()))
            .filter(|(_, id)| series.fresh(*id, now).is_some())
            .filter_map(|(labels, _)| version::tidy(labels.get(label)?))
            .collect();
        told.sort();
        told.dedup();
        self.take_versions(now, target, &told);
    }

    /// Versions that a target tells at once: one, unless it is many processes.
    fn take_versions(&mut self, now: Timestamp, target: usize, told: &[String]) {
        if told.is_empty() {
            return;
        }
        let told = &self.look.targets[target].vitals.versions(told, now);
        let record = &self.record;
        let is_match = told.iter().all(|told| record.is_of_release(told));
        let is_judged = record.plan.health.version.is_some();
        self.measure.own.versioned(target, is_match);
        if is_judged {
            self.push_vital(now, target, 3, f64::from(u8::from(is_match)));
        }
        let name = self.target_name(target);
        for told in told {
            let known = &self.record.targets[&name].versions;
            if known.contains(told) {
                continue;
            }
            if known.len() >= VERSIONS_MAX {
                let detail = format!("it told more than {VERSIONS_MAX} versions; only those count");
                self.limit(now, Some(name.clone()), "versions", &detail);
                return;
            }
            self.note(now, Fact::Version { target: name.clone(), version: told.clone() });
        }
    }

    fn push_vital(&mut self, now: Timestamp, target: usize, index: usize, value: f64) {
        let id = match self.look.targets[target].vitals.ids[index] {
            Some(id) => id,
            None => {
                let instance = self.target_name(target);
                let labels = Labels::from_pairs([("instance", instance.as_str())]);
                let id = self.measure.series.intern(SERIES[index], &labels);
                self.look.targets[target].vitals.ids[index] = Some(id);
                id
            }
        };
        self.measure.series.push(id, now, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    #[test]
    fn takes_a_version_that_comes_back_for_one_of_several_that_run() {
        let mut vitals = Vitals::default();
        let mut told = |secs, version: &str| vitals.versions(&[version.to_owned()], at(secs));
        assert_eq!(told(0, "v0"), ["v0"]);
        assert_eq!(told(15, "v1"), ["v1"], "a rollout");
        assert_eq!(told(30, "v1"), ["v1"]);
        assert_eq!(told(45, "v0"), ["v0", "v1"], "it came back");
        assert_eq!(told(60, "v1"), ["v0", "v1"]);
        assert_eq!(told(75, "v1"), ["v0", "v1"]);
        assert_eq!(told(345, "v1"), ["v1"], "the other has not been told for five minutes");
        assert_eq!(told(400, "v1"), ["v1"]);
    }

    #[test]
    fn counts_from_when_the_slower_of_both_last_moved() {
        let mut vitals = Vitals::default();
        let mut age = |secs, time: Option<&str>, uptime: Option<&str>| {
            vitals.age_seconds(&[time, uptime].map(|text| text.map(str::to_owned)), at(secs))
        };
        assert_eq!(age(0, None, None), None, "it shows nothing that could move");
        assert_eq!(age(10, Some("a"), Some("1")), Some(0.0));
        assert_eq!(age(20, Some("a"), Some("2")), Some(10.0));
        assert_eq!(age(30, Some("b"), Some("2")), Some(10.0));
        assert_eq!(age(40, Some("c"), Some("1")), Some(0.0), "back after a restart is a move");
    }
}
