//! What the watch itself knows of each target: series made of its answers, and
//! a tally of them. Targets have places, which others take when they have left.

use crate::metrics::{Series, SeriesId, health};
use crate::model::{Labels, Name, Span, Target, Timestamp};
use crate::record::{Record, Tally};

/// All targets, by place.
pub(super) struct Own {
    places: Vec<Place>,
    /// How many targets there are, where they come and go.
    count: Option<SeriesId>,
    /// Answers of targets whose place another has taken.
    left: Vec<(Name, Tally)>,
}

/// One target's series, and its answers counted.
struct Place {
    target: Name,
    is_here: bool,
    success: SeriesId,
    duration: SeriesId,
    /// Only of one that has ever been scraped: else there is nothing to miss.
    up: Option<SeriesId>,
    labels: Labels,
    tally: Tally,
}

impl Place {
    fn new(series: &mut Series, target: &Target) -> Place {
        let instance = ("instance".into(), target.name.as_str().into());
        let given = target.labels.shared().iter().cloned();
        let labels = Labels::from_pairs(std::iter::once(instance).chain(given));
        Place {
            target: target.name.clone(),
            is_here: true,
            success: series.intern("probe_success", &labels),
            duration: series.intern("probe_duration_seconds", &labels),
            up: target.metrics.as_ref().map(|_| series.intern("up", &labels)),
            labels,
            tally: Tally::default(),
        }
    }
}

impl Own {
    pub fn new(series: &mut Series, record: &Record) -> Own {
        let places = record.live().map(|target| Place::new(series, target)).collect();
        let is_counted = !record.plan.sources.is_empty();
        let count = is_counted.then(|| series.intern(health::TARGETS, &Labels::default()));
        Own { places, count, left: Vec::new() }
    }

    /// Targets may come and go since another plan is followed.
    pub fn follow(&mut self, series: &mut Series, record: &Record) {
        let is_counted = !record.plan.sources.is_empty();
        self.count = is_counted.then(|| series.intern(health::TARGETS, &Labels::default()));
    }

    /// A target comes, to this place.
    pub fn join(&mut self, series: &mut Series, index: usize, target: &Target) {
        let own = Place::new(series, target);
        let Some(place) = self.places.get_mut(index) else {
            self.places.push(own);
            return;
        };
        // What the last one here answered is still to be written.
        let before = std::mem::replace(place, own);
        if before.tally != Tally::default() {
            self.left.push((before.target, before.tally));
        }
    }

    /// It goes: its series end.
    pub fn leave(&mut self, series: &mut Series, index: usize, now: Timestamp) {
        let place = &mut self.places[index];
        place.is_here = false;
        for id in [Some(place.success), Some(place.duration), place.up].into_iter().flatten() {
            series.push_stale(id, now);
        }
    }

    /// How many targets there are.
    pub fn counted(&mut self, series: &mut Series, targets: usize, now: Timestamp) {
        if let Some(id) = self.count {
            series.push(id, now, targets as f64);
        }
    }

    /// What was counted since the last call, by target.
    pub fn take_tallies(&mut self) -> Vec<(Name, Tally)> {
        let mut all = std::mem::take(&mut self.left);
        for place in &mut self.places {
            let tally = std::mem::take(&mut place.tally);
            if place.is_here || tally != Tally::default() {
                all.push((place.target.clone(), tally));
            }
        }
        all
    }

    /// Whether some target's page could be read then.
    pub fn is_any_scraped(&self, series: &Series, at: Timestamp) -> bool {
        let fresh = |place: &Place| place.up.and_then(|up| series.fresh(up, at));
        self.places.iter().any(|place| fresh(place).is_some_and(|last| last.value == 1.0))
    }

    /// A probe's answer, confirmed.
    pub fn probed(
        &mut self,
        series: &mut Series,
        target: usize,
        is_up: Option<bool>,
        retried: bool,
        elapsed: Option<Span>,
        now: Timestamp,
    ) {
        let own = &mut self.places[target];
        match is_up {
            Some(true) => own.tally.ok += 1,
            Some(false) => own.tally.failed += 1,
            None => own.tally.unknown += 1,
        }
        if is_up == Some(true) && retried {
            own.tally.flaky += 1;
        }
        if let Some(is_up) = is_up {
            series.push(own.success, now, f64::from(u8::from(is_up)));
        }
        if let Some(elapsed) = elapsed {
            series.push(own.duration, now, elapsed.seconds_f64());
        }
    }

    /// A version that a target told.
    pub fn versioned(&mut self, target: usize, is_match: bool) {
        let tally = &mut self.places[target].tally;
        if is_match {
            tally.matching += 1;
        } else {
            tally.differing += 1;
        }
    }

    /// A scrape's answer.
    pub fn scraped(&mut self, series: &mut Series, target: usize, was_read: bool, now: Timestamp) {
        let own = &mut self.places[target];
        if was_read {
            own.tally.scraped += 1;
        } else {
            own.tally.unscraped += 1;
        }
        let up = *own.up.get_or_insert_with(|| series.intern("up", &own.labels));
        series.push(up, now, f64::from(u8::from(was_read)));
    }
}
