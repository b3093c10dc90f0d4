//! Targets that come and go. Each source is asked on its own schedule; what
//! it names is held against what it named before, and only a difference is a
//! fact. A source that fails changes nothing but that it is told.

use std::sync::Arc;

use super::flight::{Asked, Due};
use super::look::Aim;
use super::measure::Measure;
use super::{Question, Watch};
use crate::model::{Approach, Found, Name, Source, Span, Target, Timestamp};
use crate::record::{Fact, Plan};

/// So many failures in a row are told: one may be a file that is being written.
const FAILURES_MAX: u32 = 3;

/// How often a source is asked that has not answered yet.
const FIRST_EVERY: Span = Span::from_secs(5);

/// A source is asked no more often, however short its answer says it holds.
const EVERY_MIN: Span = Span::from_secs(5);

/// More targets than one process asks in 15 s with room to spare.
const TARGETS_MAX: usize = 1000;

/// For a file, an answer, a few lookups.
const TIMEOUT: Span = Span::from_secs(10);

/// The sources of a plan, and when each is due.
pub(super) struct Discover {
    searches: Vec<Search>,
}

struct Search {
    source: Arc<Source>,
    /// `None` while it is out.
    due: Option<Timestamp>,
    /// In a row.
    failures: u32,
}

impl Discover {
    pub fn new(plan: &Plan, now: Timestamp) -> Discover {
        let search = |source: &Source| Search {
            source: Arc::new(source.clone()),
            due: Some(now),
            failures: 0,
        };
        Discover { searches: plan.sources.iter().map(search).collect() }
    }

    /// Searches as this plan says. One that is another than before is due at once;
    /// gives those whose answers, if they are out, are not wanted any more.
    pub fn follow(&mut self, plan: &Plan, now: Timestamp) -> Vec<Name> {
        let before = std::mem::replace(&mut self.searches, Discover::new(plan, now).searches);
        let mut over = Vec::new();
        for old in before {
            match self.searches.iter_mut().find(|new| new.source == old.source) {
                Some(same) => *same = old,
                None => over.push(old.source.name.clone()),
            }
        }
        over
    }
}

impl Watch {
    pub(super) fn ask_sources(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        for search in &mut self.discover.searches {
            if search.due.is_some_and(|at| at <= now) {
                search.due = None;
                let source = search.source.clone();
                let asked = Asked::Discover { source: source.name.clone() };
                due.push(Due { asked, question: Question::Discover { source }, timeout: TIMEOUT });
            }
        }
    }

    pub(super) fn next_discovery(&self) -> Option<Timestamp> {
        self.discover.searches.iter().filter_map(|search| search.due).min()
    }

    pub(super) fn hear_found(
        &mut self,
        now: Timestamp,
        source: &Name,
        answer: Result<Found, String>,
    ) {
        let mut searches = self.discover.searches.iter_mut();
        let Some(search) = searches.find(|search| search.source.name == *source) else { return };
        let (source, every) = (source.clone(), search.source.every);
        search.failures = if answer.is_ok() { 0 } else { search.failures + 1 };
        let failures = search.failures;
        let known = self.record.sources.get(&source);
        let is_known = known.is_some_and(|known| known.is_known);
        let was_failing = known.is_some_and(|known| known.failure.is_some());
        let wait = match &answer {
            Ok(found) => found.holds_for.map_or(every, |span| span.max(EVERY_MIN).min(every)),
            Err(_) if !is_known => FIRST_EVERY.min(every),
            Err(_) => every,
        };
        search.due = Some(now + wait);
        match answer {
            Err(why) if failures >= FAILURES_MAX && !was_failing => {
                self.note(now, Fact::Discovery { source, failure: Some(why) });
            }
            Err(_) => {}
            Ok(found) => {
                if was_failing {
                    self.note(now, Fact::Discovery { source: source.clone(), failure: None });
                }
                if let Some(what) = &found.left_out {
                    self.limit(now, None, "targets", &format!("{source}: {what}"));
                }
                self.take_found(now, source, found.targets, is_known);
            }
        }
    }

    /// Holds what a source names against what it named before.
    fn take_found(&mut self, now: Timestamp, source: Name, found: Vec<Target>, is_known: bool) {
        let before = self.record.sources.get(&source).map(|known| known.targets.clone());
        let before = before.unwrap_or_default();
        let is_before = |target: &Target| before.iter().any(|known| known == target);
        // What another source has, or the configuration lists, stays theirs.
        let others: Vec<Name> = self
            .record
            .live()
            .filter(|target| !is_before(target))
            .map(|target| target.name.clone())
            .filter(|name| !before.iter().any(|known| known.name == *name))
            .collect();
        let room = TARGETS_MAX.saturating_sub(others.len());
        let mut found: Vec<Target> =
            found.into_iter().filter(|target| !others.contains(&target.name)).collect();
        if found.len() > room {
            let detail = format!("{source} names {} targets, {room} are watched", found.len());
            self.limit(now, None, "targets", &detail);
            found.truncate(room);
        }
        let removed: Vec<Name> = before
            .iter()
            .filter(|target| !found.contains(target))
            .map(|target| target.name.clone())
            .collect();
        let added: Vec<Target> = found.into_iter().filter(|target| !is_before(target)).collect();
        if is_known && added.is_empty() && removed.is_empty() {
            return;
        }
        for name in &removed {
            self.leave(now, name);
        }
        let known = self.record.plan.sources.iter().find(|known| known.name == source);
        let own = known.and_then(|known| known.own.clone());
        for target in &added {
            self.join(now, target.clone(), own.as_deref());
        }
        self.look.place_all(&self.record.plan);
        self.note(now, Fact::Targets { source, added, removed });
        self.count_targets(now);
        self.judging.at_once(now);
    }

    /// Begins to look at a target, in a place that is free.
    pub(super) fn join(&mut self, now: Timestamp, target: Target, way: Option<&Approach>) {
        let is_out = |index| {
            let (probe, scrape) = (Asked::Probe { target: index }, Asked::Scrape { target: index });
            self.flight.has(&probe) || self.flight.has(&scrape)
        };
        let aims = &self.look.targets;
        let free = (0..aims.len()).find(|index| !aims[*index].is_here && !is_out(*index));
        let index = free.unwrap_or(aims.len());
        let Measure { own, series, .. } = &mut self.measure;
        own.join(series, index, &target);
        // One that comes later is not missing while it has not been heard.
        let is_awaited = self.record.settled.is_none();
        let mut aim = Aim::new(target, way, &self.record.plan, now);
        aim.is_awaited = is_awaited;
        match self.look.targets.get_mut(index) {
            Some(place) => *place = aim,
            None => self.look.targets.push(aim),
        }
    }

    /// Looks at a target no more. Leaving is no outage: its series end, and
    /// alerts that were about it alone are over.
    pub(super) fn leave(&mut self, now: Timestamp, name: &Name) {
        let aims = &mut self.look.targets;
        let Some(index) = aims.iter().position(|aim| aim.is_here && aim.target.name == *name)
        else {
            return;
        };
        aims[index].feed.failed(&mut self.measure.series, now);
        aims[index].vitals.end(&mut self.measure.series, now);
        aims[index].leave();
        let Measure { own, series, .. } = &mut self.measure;
        own.leave(series, index, now);
        self.end_alerts(now, |key| key.labels.get("instance") == Some(name.as_str()));
    }

    /// How many targets there are is a series too, once it is known: none at
    /// all is no healthy replica, and not a want of evidence.
    pub(super) fn count_targets(&mut self, now: Timestamp) {
        if !self.record.plan.sources.is_empty() && self.record.is_found() {
            let Measure { own, series, .. } = &mut self.measure;
            own.counted(series, self.record.live().count(), now);
        }
    }
}
