//! Sources of metrics that are asked instead of our own scraping: each on its
//! own schedule, all its queries at once and as of the same instant. What they
//! mean is `measure`'s to say; how a source fares is a series like any other.

use std::sync::Arc;

use super::flight::{Asked, Due};
use super::look::{self, Turn};
use super::measure::Measure;
use super::{Question, Watch};
use crate::metrics::{Series, SeriesId, health, presets};
use crate::model::{DataSource, Failure, Inquiry, Labels, Name, Rows, Span, Timestamp, Told};
use crate::record::{Fact, Plan, Tally};

/// The sources of a plan, and when each is due.
#[derive(Default)]
pub(super) struct Sources {
    all: Vec<Place>,
}

/// One source, and where it is in its cycle.
struct Place {
    source: Arc<DataSource>,
    turn: Turn,
    /// The look that is out: its instant, and what is asked.
    out: Option<(Timestamp, Vec<Wanted>)>,
    /// Asks which metrics are there, of those that presets know.
    search: Option<Arc<str>>,
    searched_at: Option<Timestamp>,
    up: SeriesId,
    tally: Tally,
}

/// One query of a look.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Wanted {
    pub text: Arc<str>,
    /// So far in the past.
    pub offset: Span,
}

impl Place {
    fn new(
        source: &DataSource,
        index: usize,
        plan: &Plan,
        series: &mut Series,
        now: Timestamp,
    ) -> Place {
        let labels = Labels::from_pairs([("source", source.name.as_str())]);
        let is_usual = plan.measured_by.as_ref() == Some(&source.name);
        // It is asked when the pages of listed targets would be.
        let place = look::place(plan.service.as_str(), index, plan.targets.len());
        Place {
            turn: Turn::new(place, now),
            out: None,
            search: is_usual.then(|| search(source, plan)).flatten(),
            searched_at: None,
            up: series.intern(health::SOURCE_UP, &labels),
            tally: Tally::default(),
            source: Arc::new(source.clone()),
        }
    }
}

/// Asks for whatever some preset knows; `None`: none is to be tried.
fn search(source: &DataSource, plan: &Plan) -> Option<Arc<str>> {
    presets::search(plan.presets.pinned(), &plan.own_presets, source.selector.as_deref())
        .map(Arc::from)
}

impl Sources {
    pub fn new(plan: &Plan, series: &mut Series, now: Timestamp) -> Sources {
        let place = |(index, source)| Place::new(source, index, plan, series, now);
        Sources { all: plan.data_sources.iter().enumerate().map(place).collect() }
    }

    /// Asks as this plan says. Gives those whose answers, if they are out, are
    /// not wanted any more.
    pub fn follow(&mut self, plan: &Plan, series: &mut Series, now: Timestamp) -> Vec<Name> {
        let before = std::mem::replace(self, Sources::new(plan, series, now)).all;
        for old in &before {
            match self.all.iter_mut().find(|new| new.up == old.up) {
                Some(same) => same.tally = old.tally,
                None => series.push_stale(old.up, now),
            }
        }
        before.into_iter().map(|old| old.source.name.clone()).collect()
    }

    /// What each answered since the last call.
    pub fn take_tallies(&mut self) -> Vec<(Name, Tally)> {
        let take =
            |place: &mut Place| (place.source.name.clone(), std::mem::take(&mut place.tally));
        self.all.iter_mut().map(take).collect()
    }

    fn of(&mut self, name: &Name) -> Option<&mut Place> {
        self.all.iter_mut().find(|place| place.source.name == *name)
    }

    /// The pace has quickened: who is not due for long is due sooner.
    pub fn hurry(&mut self, origin: Timestamp, pace: Span, now: Timestamp) {
        for turn in self.all.iter_mut().map(|place| &mut place.turn) {
            if let Some(before) = turn.due {
                turn.next_cycle(origin, pace, now);
                turn.due = turn.due.min(Some(before));
            }
        }
    }
}

impl Watch {
    pub(super) fn ask_data_sources(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        if self.sources.all.is_empty() {
            return; // nearly always, and this is asked at each turn
        }
        let (interval, origin) = (self.pace(now), self.record.release.at);
        for place in &mut self.sources.all {
            let Some(planned) = place.turn.due.filter(|at| *at <= now) else { continue };
            // A little late is normal; the instant that is asked of is the grid's.
            let at = if now.since(planned) < interval { planned } else { now };
            let mut wanted = self.measure.asked_of(&place.source.name);
            let since = place.searched_at.map(|at| now.since(at));
            let is_due = |every| since.is_none_or(|since| since >= every);
            if let (Some(every), Some(text)) = (self.look.search, &place.search)
                && is_due(every)
            {
                place.searched_at = Some(now);
                wanted.push(Wanted { text: text.clone(), offset: Span::ZERO });
            }
            if wanted.is_empty() {
                place.turn.next_cycle(origin, interval, now);
                continue;
            }
            place.turn.due = None;
            let inquiry = |one: &Wanted| Inquiry {
                text: one.text.clone(),
                at: at - place.source.delay - one.offset,
                since: None,
            };
            let asks = wanted.iter().map(inquiry).collect();
            place.out = Some((at, wanted));
            due.push(Due {
                asked: Asked::Query { source: place.source.name.clone() },
                question: Question::Query {
                    source: place.source.clone(),
                    asks,
                    bytes_max: self.record.plan.body_bytes_max,
                    timeout: place.source.timeout,
                },
                timeout: place.source.timeout,
            });
        }
    }

    pub(super) fn next_question(&self) -> Option<Timestamp> {
        self.sources.all.iter().filter_map(|place| place.turn.due).min()
    }

    /// What a source answered, query by query; or why it did not at all.
    pub(super) fn hear_answers(
        &mut self,
        now: Timestamp,
        name: &Name,
        reply: Result<Vec<Result<Told, Failure>>, Failure>,
    ) {
        let (pace, origin) = (self.pace(now), self.record.release.at);
        let Some(place) = self.sources.of(name) else { return };
        place.turn.next_cycle(origin, pace, now);
        let Some((at, wanted)) = place.out.take() else { return };
        let (source, searched) = (place.source.clone(), place.search.clone());
        let answers = reply.unwrap_or_else(|failure| vec![Err(failure); wanted.len()]);
        let failed = answers.iter().find_map(|one| one.as_ref().err());
        let is_up = answers.iter().any(Result::is_ok);
        let failure = failed.filter(|_| !is_up).cloned();
        let is_ours = failure.as_ref().is_some_and(Failure::is_ours);
        if !is_ours {
            let (up, tally) = (place.up, &mut place.tally);
            tally.scraped += u32::from(is_up);
            tally.unscraped += u32::from(!is_up);
            self.measure.series.push(up, now, f64::from(u8::from(is_up)));
        }
        let mut found = None;
        for (one, answer) in wanted.iter().zip(&answers) {
            if searched.as_ref() == Some(&one.text) {
                found = answer.as_ref().ok().map(|told| told.rows.clone());
                continue;
            }
            let asked = at - source.delay - one.offset;
            let signals = self.measure.take_answer(name, one, (at, asked), answer);
            self.tell_of_answer(now, &signals, answer, is_up);
        }
        if let Some(rows) = found {
            self.search_in(now, &rows);
        }
        let was_failing = self.record.data_sources.get(name).is_some_and(Option::is_some);
        if was_failing != failure.is_some() {
            self.note(now, Fact::Sourcing { source: name.clone(), failure });
        }
        self.judging.soon(self.pace(now));
    }

    /// What of a single query is to be known; that a source fails as a whole
    /// is told once.
    fn tell_of_answer(
        &mut self,
        now: Timestamp,
        signals: &[Name],
        answer: &Result<Told, Failure>,
        is_up: bool,
    ) {
        let words = match answer {
            Ok(told) => told.notes.first().cloned(),
            Err(failure) if is_up => Some(failure.to_string()),
            Err(_) => None,
        };
        let Some(words) = words else { return };
        for signal in signals {
            self.limit(now, None, &format!("signal {signal}"), &format!("{signal}: {words}"));
        }
    }

    fn search_in(&mut self, now: Timestamp, rows: &Rows) {
        self.search(now, &presets::families(rows));
    }
}

impl Measure {
    /// What is to be asked of a source, each once.
    fn asked_of(&self, source: &Name) -> Vec<Wanted> {
        let of_source = self.meters().filter(|meter| meter.source() == Some(source));
        let wanted = of_source.flat_map(|meter| meter.asked());
        let mut wanted: Vec<Wanted> =
            wanted.map(|(text, offset)| Wanted { text: text.clone(), offset }).collect();
        wanted.sort();
        wanted.dedup();
        wanted
    }

    /// Gives an answer to all that asked for it, and says who they are.
    fn take_answer(
        &mut self,
        source: &Name,
        one: &Wanted,
        (at, asked): (Timestamp, Timestamp),
        answer: &Result<Told, Failure>,
    ) -> Vec<Name> {
        let mut signals = Vec::new();
        for meter in self.meters_mut().filter(|meter| meter.source() == Some(source)) {
            let is_its =
                meter.asked().any(|(text, offset)| (text, offset) == (&one.text, one.offset));
            if is_its {
                let rows = answer.as_ref().map(|told| &told.rows);
                meter.answered(&one.text, (at, asked), rows);
                signals.push(meter.signal().clone());
            }
        }
        signals
    }
}
