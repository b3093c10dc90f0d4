//! Targets that come and go: what each source said last, who is here now, and
//! when the others were.

use super::{Item, Record};
use crate::check::HealthState;
use crate::model::{Approach, Failure, Name, Severity, Source, Target, Timestamp};

/// A target, as last known.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TargetRecord {
    /// Its health.
    pub health: HealthState,
    /// In words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Its health has said in words that it is up: it is not taken at its code
    /// any more.
    pub has_words: bool,
    /// Why its scrapes fail, if they do.
    pub scrape_failure: Option<Failure>,
    /// Versions that it told, in the order in which they were first heard.
    pub versions: Vec<String>,
    /// When it came and went, if it was found; one that is listed stays.
    pub stays: Vec<Stay>,
}

/// From a target's coming to its going.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stay {
    /// When it was found.
    pub from: Timestamp,
    /// When it was found no more; `None`: it is here.
    pub to: Option<Timestamp>,
}

/// What a source of targets said last.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SourceRecord {
    /// Whether it ever answered.
    pub is_known: bool,
    /// The targets of its last answer, but for those that others have.
    pub targets: Vec<Target>,
    /// Why it fails, and since when it is known to.
    pub failure: Option<(String, Timestamp)>,
}

impl TargetRecord {
    /// Whether it is looked at now.
    pub fn is_here(&self) -> bool {
        self.stays.last().is_none_or(|stay| stay.to.is_none())
    }
}

impl Record {
    /// The targets that there are now: those that are listed, then those that
    /// were found, by source.
    pub fn live(&self) -> impl Iterator<Item = &Target> {
        let found = self.plan.sources.iter().filter_map(|source| self.sources.get(&source.name));
        self.plan.targets.iter().chain(found.flat_map(|source| &source.targets))
    }

    /// How a target is reached that has a way of its own. One that was found is
    /// reached as its source says now, whatever it said when it named it.
    pub fn own_way<'a>(&'a self, target: &'a Target) -> Option<&'a Approach> {
        let has_named = |source: &&Source| {
            let known = self.sources.get(&source.name);
            known.is_some_and(|known| known.targets.iter().any(|one| one.name == target.name))
        };
        let of_source = || {
            let mut sources = self.plan.sources.iter().filter(|source| source.own.is_some());
            sources.find(has_named)?.own.as_deref()
        };
        target.own.as_deref().or_else(of_source)
    }

    /// Whether it is known which targets there are, even if that is none.
    pub fn is_found(&self) -> bool {
        let known = |name| self.sources.get(name).is_some_and(|source| source.is_known);
        self.plan.sources.iter().all(|source| known(&source.name))
    }

    pub(super) fn apply_targets(&mut self, source: Name, added: Vec<Target>, removed: &[Name]) {
        let at = self.at;
        for name in removed {
            let stays = &mut self.targets.entry(name.clone()).or_default().stays;
            if let Some(stay) = stays.last_mut() {
                stay.to = Some(at);
            }
        }
        for target in &added {
            let known = self.targets.entry(target.name.clone()).or_default();
            let mut stays = std::mem::take(&mut known.stays);
            stays.push(Stay { from: at, to: None });
            *known = TargetRecord { stays, ..TargetRecord::default() };
        }
        let known = self.sources.entry(source.clone()).or_default();
        known.is_known = true;
        known.targets.retain(|target| !removed.contains(&target.name));
        known.targets.extend(added);
        if known.targets.is_empty() {
            let text = format!("{source} names no target: none of it is watched");
            self.tell(Item::Notice { severity: Severity::Warning, text, about: None });
        }
    }

    pub(super) fn apply_discovery(&mut self, source: Name, failure: Option<String>) {
        let at = self.at;
        let known = self.sources.entry(source.clone()).or_default();
        let (severity, text) = match &failure {
            Some(why) => {
                let stay = if known.is_known { "; the last known stay" } else { "" };
                (Severity::Warning, format!("targets cannot be looked up, {source}: {why}{stay}"))
            }
            None => (Severity::Info, format!("targets can be looked up again, {source}")),
        };
        known.failure = failure.map(|why| (why, at));
        self.tell(Item::Notice { severity, text, about: None });
    }
}
