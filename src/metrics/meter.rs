//! A meter measures one signal: it runs the signal's queries and keeps the
//! evidence, so that a judge can count.

use super::promql::histogram::mended;
use super::promql::{Annotation, Complaint, Mode, Presence, Query};
use super::{Series, Shape, Signal};
use crate::model::{Labels, Measurement, Name, Number, Span, Timestamp, Why};

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
    trouble: Option<String>,
}

#[derive(Debug)]
enum Form {
    Ratio { num: Box<Query>, den: Box<Query> },
    Buckets { query: Box<Query>, scale: f64 },
    Gauge { query: Box<Query> },
    Alert { query: Box<Query>, all: Option<Box<Query>>, offset: Span },
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
    fn eval(&self, query: &mut Query) -> Result<Vec<(Labels, f64)>, String> {
        query.eval_nameless(self.series, self.at, self.mode, self.range)
    }

    /// Why there is nothing; `quiet` when the series are there all the same.
    fn why(&self, query: &Query, quiet: Why) -> Measured {
        Measured::None(match query.presence(self.series, self.at) {
            Presence::Never => Why::Absent,
            Presence::Gone => Why::Stale,
            Presence::Here => quiet,
        })
    }
}

impl Meter {
    /// Compiles a signal's queries.
    ///
    /// # Errors
    /// The first query that is wrong; the column counts in that query, which
    /// of a ratio's is said (`num: …`).
    pub fn compile(signal: &Signal) -> Result<Meter, Complaint> {
        let compile = |text: &str| Query::compile_ranged(text, signal.range).map(Box::new);
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
                Form::Alert { query: compile(query)?, all, offset: *offset }
            }
        };
        Ok(Meter { signal: signal.name.clone(), range: signal.range, form, trouble: None })
    }

    /// The signal it measures.
    pub fn signal(&self) -> &Name {
        &self.signal
    }

    /// Its queries.
    pub fn queries(&mut self) -> impl Iterator<Item = &mut Query> {
        let (first, second) = match &mut self.form {
            Form::Ratio { num, den } => (num, Some(den)),
            Form::Buckets { query, .. } | Form::Gauge { query } => (query, None),
            Form::Alert { query, all, .. } => (query, all.as_mut()),
        };
        std::iter::once(&mut **first).chain(second.map(|den| &mut **den))
    }

    /// Whether it reads how some counter grows.
    pub fn is_of_growth(&self) -> bool {
        match &self.form {
            Form::Ratio { num, den } => !num.growing().is_empty() || !den.growing().is_empty(),
            Form::Buckets { query, .. } | Form::Gauge { query } | Form::Alert { query, .. } => {
                !query.growing().is_empty()
            }
        }
    }

    /// The sample names that its queries read, each once, with how far back
    /// (for `Series::keep`). A step longer than the signal's range needs more.
    pub fn needs(&self) -> Vec<(String, Span)> {
        let mut needs: Vec<(String, Span)> = match &self.form {
            Form::Ratio { num, den } => num.needs().into_iter().chain(den.needs()).collect(),
            Form::Buckets { query, .. } | Form::Gauge { query } => query.needs(),
            Form::Alert { query, all, offset } => {
                let all = all.iter().flat_map(|all| all.needs());
                let needs = query.needs().into_iter().chain(all);
                needs.map(|(name, back)| (name, back + *offset)).collect()
            }
        };
        // The longest of each name comes first, and stays.
        needs.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        needs.dedup_by(|later, first| later.0 == first.0);
        needs
    }

    /// What is to be known about the last look, such as a rate of what is no
    /// counter.
    pub fn annotations(&self) -> impl Iterator<Item = &Annotation> {
        let (first, second) = match &self.form {
            Form::Ratio { num, den } => (num, Some(den)),
            Form::Buckets { query, .. } | Form::Gauge { query } => (query, None),
            Form::Alert { query, all, .. } => (query, all.as_ref()),
        };
        let both = std::iter::once(first).chain(second);
        both.flat_map(|query| query.annotations())
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
        let measured = match &mut self.form {
            Form::Ratio { num, den } => ratio(num, den, look),
            Form::Buckets { query, scale } => buckets(query, *scale, look),
            Form::Gauge { query } => gauge(query, look),
            Form::Alert { query, all, offset } => {
                let look = Look { at: look.at - *offset, mode: Mode::Prometheus, ..look };
                alert(query, all.as_deref_mut(), look)
            }
        };
        self.trouble = measured.as_ref().err().cloned();
        measured.unwrap_or(Measured::None(Why::Unobservable))
    }
}

/// Events against us, of all. Several elements add up: they are counts.
fn ratio(num: &mut Query, den: &mut Query, look: Look<'_>) -> Result<Measured, String> {
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
fn buckets(query: &mut Query, scale: f64, look: Look<'_>) -> Result<Measured, String> {
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
fn alert(query: &mut Query, all: Option<&mut Query>, look: Look<'_>) -> Result<Measured, String> {
    let broken = each(query, look)?;
    let Some(all) = all else {
        let is_blind = broken.is_empty() && !query.needs().is_empty();
        return Ok(match query.presence(look.series, look.at) {
            Presence::Never | Presence::Gone if is_blind => look.why(query, Why::Absent),
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
fn each(query: &mut Query, look: Look<'_>) -> Result<Vec<(Labels, f64)>, String> {
    let mut found = look.eval(query)?;
    found.sort_by(|a, b| a.0.cmp(&b.0));
    match found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => {
            Err(format!("two metrics both have the labels {}; aggregate them", pair[0].0))
        }
        None => Ok(found),
    }
}

fn gauge(query: &mut Query, look: Look<'_>) -> Result<Measured, String> {
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
