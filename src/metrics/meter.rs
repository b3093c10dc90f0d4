//! A meter measures one signal: it runs the signal's queries and keeps the
//! evidence, so that a judge can count.

mod held;

use std::sync::Arc;

use self::held::Held;
use super::promql::histogram::mended;
use super::promql::{Annotation, Complaint, Mode, Presence, Query, there};
use super::{Series, Shape, Signal};
use crate::model::{
    DataSource, Failure, Labels, Measurement, Name, Number, Rows, Span, Timestamp, Why,
};

/// What a signal measured.
#[derive(Clone, PartialEq, Debug)]
pub enum Measured {
    /// Nothing, and why.
    None(Why),
    /// One measurement for the whole service.
    One(Measurement),
    /// One value for each label set, in order of the labels.
    Each(Vec<(Labels, f64)>),
    /// What an expression calls wrong, and what is there besides, each in order
    /// of the labels.
    Split {
        /// What came out of the expression.
        broken: Vec<(Labels, f64)>,
        /// What was held against it, and did not; `None`: nobody can know.
        calm: Option<Vec<(Labels, f64)>>,
    },
}

/// A signal's compiled queries.
#[derive(Debug)]
pub struct Meter {
    signal: Name,
    range: Span,
    form: Form,
    /// The source that is asked; `None`: our own series.
    source: Option<Name>,
    trouble: Option<String>,
}

#[derive(Debug)]
enum Form {
    Ratio { num: Part, den: Part },
    Buckets { query: Part, scale: f64 },
    Gauge { query: Part },
    Alert { query: Part, all: Option<Part>, there: Option<Part>, offset: Span },
}

/// One query of a signal: evaluated here, or asked of a source.
#[derive(Debug)]
enum Part {
    Own(Box<Query>),
    Asked(Box<Held>),
}

/// When, over which range, and how growth is told.
#[derive(Clone, Copy)]
struct Look<'a> {
    series: &'a Series,
    at: Timestamp,
    range: Span,
    mode: Mode,
}

impl Look<'_> {
    /// A metric's name tells nothing here: the signal has one.
    fn eval(&self, part: &mut Part) -> Result<Vec<(Labels, f64)>, String> {
        match part {
            Part::Own(query) => query.eval_nameless(self.series, self.at, self.mode, self.range),
            Part::Asked(held) => Ok(held.rows()),
        }
    }

    /// Why there is nothing; `quiet` when the series are there all the same.
    fn why(&self, part: &Part, quiet: Why) -> Measured {
        Measured::None(match self.presence(part) {
            Presence::Never => Why::Absent,
            Presence::Gone => Why::Stale,
            Presence::Here => quiet,
        })
    }

    fn presence(&self, part: &Part) -> Presence {
        match part {
            Part::Own(query) => query.presence(self.series, self.at),
            Part::Asked(held) => held.presence(),
        }
    }
}

impl Part {
    fn own(&self) -> Option<&Query> {
        match self {
            Part::Own(query) => Some(query),
            Part::Asked(_) => None,
        }
    }

    fn own_mut(&mut self) -> Option<&mut Query> {
        match self {
            Part::Own(query) => Some(query),
            Part::Asked(_) => None,
        }
    }

    fn held(&self) -> Option<&Held> {
        match self {
            Part::Own(_) => None,
            Part::Asked(held) => Some(held),
        }
    }

    fn held_mut(&mut self) -> Option<&mut Held> {
        match self {
            Part::Own(_) => None,
            Part::Asked(held) => Some(held),
        }
    }

    /// Whether it reads any series at all.
    fn reads_series(&self) -> bool {
        self.own().is_none_or(|query| !query.needs().is_empty())
    }
}

impl Meter {
    /// Compiles a signal's queries. Those of a signal that is asked of a source
    /// are sent as they are.
    ///
    /// # Errors
    /// The first query that is wrong; the column counts in that query, which
    /// of a ratio's is said (`num: …`).
    pub fn compile(signal: &Signal) -> Result<Meter, Complaint> {
        Meter::compile_for(signal, &[])
    }

    /// The same where these sources are known, and what each is to be asked.
    ///
    /// # Errors
    /// As `compile`.
    pub fn compile_for(signal: &Signal, sources: &[DataSource]) -> Result<Meter, Complaint> {
        let source = signal.source.as_ref();
        let known = source.and_then(|name| sources.iter().find(|one| one.name == *name));
        let selector = known.and_then(|source| source.selector.as_deref());
        let compile = |text: &str| match source {
            None => Query::compile_ranged(text, signal.range).map(|own| Part::Own(Box::new(own))),
            Some(_) => {
                let held = Held::new(text, signal.range, selector);
                held.map(|held| Part::Asked(Box::new(held)))
            }
        };
        let form = match &signal.shape {
            Shape::Ratio { num, den } => {
                let in_part = |part: &str, text: &str| {
                    compile(text).map_err(|complaint| Complaint {
                        what: format!("{part}: {}", complaint.what),
                        ..complaint
                    })
                };
                Form::Ratio { num: in_part("num", num)?, den: in_part("den", den)? }
            }
            Shape::Buckets { query, scale } => {
                Form::Buckets { query: compile(query)?, scale: *scale }
            }
            Shape::Gauge { query } => Form::Gauge { query: compile(query)? },
            Shape::Alert { query, all, offset } => {
                let all = all.as_deref().map(compile).transpose()?;
                // Of our own series it is seen; elsewhere it has to be asked.
                let is_asked = source.is_some() && all.is_none();
                let there = is_asked.then(|| there(query)).flatten();
                let there = there.as_deref().map(compile).transpose()?;
                Form::Alert { query: compile(query)?, all, there, offset: *offset }
            }
        };
        let (name, source) = (signal.name.clone(), signal.source.clone());
        Ok(Meter { signal: name, range: signal.range, form, source, trouble: None })
    }

    /// The signal it measures.
    pub fn signal(&self) -> &Name {
        &self.signal
    }

    /// The source that is asked; `None`: it reads our own series.
    pub fn source(&self) -> Option<&Name> {
        self.source.as_ref()
    }

    /// What its source is asked, each with how far in the past.
    pub fn asked(&self) -> impl Iterator<Item = (&Arc<str>, Span)> {
        let offset = match &self.form {
            Form::Alert { offset, .. } => *offset,
            Form::Ratio { .. } | Form::Buckets { .. } | Form::Gauge { .. } => Span::ZERO,
        };
        self.parts().filter_map(Part::held).map(move |held| (held.text(), offset))
    }

    /// What its source answered to a text, at the look at the first instant,
    /// which asked of the second.
    pub fn answered(
        &mut self,
        text: &str,
        at: (Timestamp, Timestamp),
        answer: Result<&Rows, &Failure>,
    ) {
        let held = self.parts_mut().filter_map(Part::held_mut);
        held.filter(|held| **held.text() == *text).for_each(|held| held.take(at, answer));
    }

    /// Goes on with what another of the same signal was answered.
    pub fn follow(&mut self, before: &mut Meter) {
        if self.source != before.source {
            return;
        }
        for held in self.parts_mut().filter_map(Part::held_mut) {
            let mut known = before.parts_mut().filter_map(Part::held_mut);
            if let Some(known) = known.find(|known| known.text() == held.text()) {
                std::mem::swap(held, known);
            }
        }
    }

    /// Answers of before this instant are too old to tell what is.
    pub fn heed(&mut self, oldest: Timestamp) {
        self.parts_mut().filter_map(Part::held_mut).for_each(|held| held.heed(oldest));
    }

    /// Whether each of its queries has an answer that is not too old.
    pub fn is_answered(&self) -> bool {
        self.parts().filter_map(Part::held).all(|held| held.lacks().is_none())
    }

    /// How much of a time a reading of counts stands for; `None`: of none, or
    /// it counts by itself.
    pub fn counted_range(&self) -> Option<Span> {
        self.parts().filter_map(Part::held).filter_map(Held::range).max()
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        let (first, second, third) = match &self.form {
            Form::Ratio { num, den } => (num, Some(den), None),
            Form::Buckets { query, .. } | Form::Gauge { query } => (query, None, None),
            Form::Alert { query, all, there, .. } => (query, all.as_ref(), there.as_ref()),
        };
        std::iter::once(first).chain(second).chain(third)
    }

    fn parts_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        let (first, second, third) = match &mut self.form {
            Form::Ratio { num, den } => (num, Some(den), None),
            Form::Buckets { query, .. } | Form::Gauge { query } => (query, None, None),
            Form::Alert { query, all, there, .. } => (query, all.as_mut(), there.as_mut()),
        };
        std::iter::once(first).chain(second).chain(third)
    }

    /// Its queries over our own series.
    pub fn queries(&mut self) -> impl Iterator<Item = &mut Query> {
        self.parts_mut().filter_map(Part::own_mut)
    }

    /// Whether it reads how some counter of ours grows.
    pub fn is_of_growth(&self) -> bool {
        self.parts().filter_map(Part::own).any(|query| !query.growing().is_empty())
    }

    /// The sample names that its queries read, each once, with how far back
    /// (for `Series::keep`). A step longer than the signal's range needs more.
    pub fn needs(&self) -> Vec<(String, Span)> {
        let offset = match &self.form {
            Form::Alert { offset, .. } => *offset,
            Form::Ratio { .. } | Form::Buckets { .. } | Form::Gauge { .. } => Span::ZERO,
        };
        let own = self.parts().filter_map(Part::own);
        let mut needs: Vec<(String, Span)> =
            own.flat_map(|query| query.needs()).map(|(name, back)| (name, back + offset)).collect();
        // The longest of each name comes first, and stays.
        needs.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        needs.dedup_by(|later, first| later.0 == first.0);
        needs
    }

    /// What is to be known about the last look, such as a rate of what is no
    /// counter.
    pub fn annotations(&self) -> impl Iterator<Item = &Annotation> {
        self.parts().filter_map(Part::own).flat_map(|query| query.annotations())
    }

    /// What the last look could not make sense of, such as two series where
    /// one was to match. It then measured `None(Unobservable)`.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Measures as Prometheus would, over the signal's range: what rules judge.
    pub fn read(&mut self, series: &Series, at: Timestamp) -> Measured {
        self.look(Look { series, at, range: self.range, mode: Mode::Prometheus })
    }

    /// Counts over the step of length `over` that ends at `at`; steps add up
    /// to the whole. (A query with a range of its own, without `$range`,
    /// counts over that.)
    pub fn count(&mut self, series: &Series, at: Timestamp, over: Span) -> Measured {
        self.look(Look { series, at, range: over, mode: Mode::Anchored })
    }

    fn look(&mut self, look: Look<'_>) -> Measured {
        let lacking = self.parts().filter_map(Part::held).find_map(Held::lacks);
        if let Some(why) = lacking {
            return Measured::None(why);
        }
        let measured = match &mut self.form {
            Form::Ratio { num, den } => ratio(num, den, look),
            Form::Buckets { query, scale } => buckets(query, *scale, look),
            Form::Gauge { query } => gauge(query, look),
            Form::Alert { query, all, there, offset } => {
                let look = Look { at: look.at - *offset, mode: Mode::Prometheus, ..look };
                alert(query, all.as_mut(), there.as_ref(), look)
            }
        };
        self.trouble = measured.as_ref().err().cloned();
        measured.unwrap_or(Measured::None(Why::Unobservable))
    }
}

/// Events against us, of all. Several elements add up: they are counts.
fn ratio(num: &mut Part, den: &mut Part, look: Look<'_>) -> Result<Measured, String> {
    let all = look.eval(den)?;
    if all.is_empty() {
        return Ok(look.why(den, Why::NoTraffic));
    }
    let all = total(&all);
    if all == 0.0 {
        return Ok(Measured::None(Why::NoTraffic));
    }
    let num = Number(total(&look.eval(num)?));
    if all.is_nan() || num.0.is_nan() {
        return Ok(Measured::None(Why::Unobservable));
    }
    Ok(Measured::One(Measurement::Ratio { num, den: Number(all) }))
}

fn total(elements: &[(Labels, f64)]) -> f64 {
    elements.iter().fold(0.0, |sum, (_, value)| sum + value) // `sum()` would begin with -0
}

/// A histogram in seconds. Bounds are told apart as numbers, so that `1` and
/// `1.0` from two libraries are one.
fn buckets(query: &mut Part, scale: f64, look: Look<'_>) -> Result<Measured, String> {
    let found = look.eval(query)?;
    if found.is_empty() {
        return Ok(look.why(query, Why::NoTraffic));
    }
    let mut buckets = Vec::with_capacity(found.len());
    for (labels, count) in &found {
        let le = labels.get("le").unwrap_or("");
        let bound: f64 = le.parse().map_err(|_| {
            format!("le={le:?} is no bucket's bound; group by (le) a metric that ends in _bucket")
        })?;
        buckets.push((bound * scale, *count));
    }
    let buckets =
        mended(buckets).ok_or("the histogram has no bucket le=\"+Inf\"; do not leave it out")?;
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    if all == 0.0 {
        return Ok(Measured::None(Why::NoTraffic));
    }
    if all.is_nan() {
        return Ok(Measured::None(Why::Unobservable));
    }
    let bounds = buckets.iter().map(|(bound, _)| Number(*bound)).collect();
    let counts = buckets.iter().map(|(_, count)| Number(*count)).collect();
    Ok(Measured::One(Measurement::Buckets { bounds, counts }))
}

/// An expression of Prometheus's rules. What is there at all is asked besides,
/// so that what has vanished is not taken for calm.
fn alert(
    query: &mut Part,
    all: Option<&mut Part>,
    there: Option<&Part>,
    look: Look<'_>,
) -> Result<Measured, String> {
    let broken = each(query, look)?;
    let Some(all) = all else {
        let is_blind = broken.is_empty() && query.reads_series();
        let seen = there.unwrap_or(query);
        return Ok(match look.presence(seen) {
            Presence::Never | Presence::Gone if is_blind => look.why(seen, Why::Absent),
            _ => Measured::Split { broken, calm: None },
        });
    };
    let mut calm = each(all, look)?;
    if calm.is_empty() && broken.is_empty() {
        return Ok(look.why(all, Why::Absent));
    }
    calm.retain(|(labels, _)| broken.binary_search_by(|(known, _)| known.cmp(labels)).is_err());
    calm.retain(|(_, value)| !value.is_nan()); // there, and no number: not calm
    if calm.is_empty() && broken.is_empty() {
        return Ok(Measured::None(Why::Unobservable));
    }
    Ok(Measured::Split { broken, calm: Some(calm) })
}

/// A query's elements in order of their labels, each label set once.
fn each(query: &mut Part, look: Look<'_>) -> Result<Vec<(Labels, f64)>, String> {
    let mut found = look.eval(query)?;
    found.sort_by(|a, b| a.0.cmp(&b.0));
    match found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => {
            Err(format!("two metrics both have the labels {}; aggregate them", pair[0].0))
        }
        None => Ok(found),
    }
}

fn gauge(query: &mut Part, look: Look<'_>) -> Result<Measured, String> {
    let found = each(query, look)?;
    if !found.is_empty() && found.iter().all(|(_, value)| value.is_nan()) {
        // There, and no number: that is neither calm nor gone.
        return Ok(Measured::None(Why::Unobservable));
    }
    Ok(match &found[..] {
        [] => look.why(query, Why::Absent),
        [(labels, value)] if labels.is_empty() => Measured::One(Measurement::gauge(*value)),
        _ => Measured::Each(found),
    })
}

#[cfg(test)]
mod tests;
