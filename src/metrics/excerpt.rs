//! What one question reads, copied out of what is kept: it can be handed over,
//! so that an answer that takes long holds up nobody else.
//!
//! Series of several watches come together here. Each gets labels that say
//! whose it is; one of the scrape's that bears such a name becomes `exported_…`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use promql_parser::label::Matcher;

use super::parts::{PARTS, Sums, is_match};
use super::promql::Reach;
use super::{Point, Series, SeriesId};
use crate::model::{Labels, Span, Timestamp};

/// More samples than this are no question for a watch. While they are copied,
/// which takes about a tenth of a second, it begins no turn.
pub const POINTS_MAX: usize = 1_000_000;

/// The same for series, of which each costs as much as many samples.
pub const SERIES_MAX: usize = 50_000;

/// Matchers that are held against names and labels while one question is copied
/// for: each takes a tenth of a microsecond or so, and the watch waits for it.
pub const LOOKS_MAX: usize = 1_000_000;

/// Nothing that is made for one answer is forgotten before it is given.
const FOR_EVER: Span = Span::from_millis(i64::MAX / 2);

/// Series that some place of a query reads.
#[derive(Clone, Debug)]
pub struct Want {
    pub(super) name: Option<Arc<str>>,
    /// One of these lists has to match whole.
    pub(super) any_of: Vec<Vec<Matcher>>,
    /// The labels of the sum, where all that is read is the sum of its growth.
    pub(super) by: Option<Vec<String>>,
    /// Which time.
    pub(super) reach: Reach,
}

impl Want {
    /// All there is.
    pub fn all() -> Want {
        Want { name: None, any_of: vec![Vec::new()], by: None, reach: Reach::INSTANT }
    }

    /// From when to when it reads where it is asked from one time to another.
    pub(super) fn reads(&self, span: (Timestamp, Timestamp)) -> (Timestamp, Timestamp) {
        self.reach.of(span)
    }
}

/// The label by which place `index` of a query knows what was copied for it.
pub(super) fn token(index: usize) -> String {
    format!("q{index}")
}

/// What to copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// Series with their samples.
    Samples,
    /// Names and labels alone.
    Names,
}

/// Whether copying may go on; asked for each series that is looked at.
struct GoesOn(Box<dyn Fn() -> bool + Send>);

impl fmt::Debug for GoesOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GoesOn")
    }
}

/// Copied series, and what is to be known about them.
#[derive(Debug)]
pub struct Excerpt {
    wants: Vec<Want>,
    depth: Depth,
    /// From the first instant that is asked for to the last.
    span: (Timestamp, Timestamp),
    series: Series,
    points: usize,
    /// Matchers held against series so far.
    looks: usize,
    goes_on: GoesOn,
    /// Whose series were looked at, and which places could mean some of them.
    owners: BTreeSet<Labels>,
    met: BTreeSet<usize>,
    /// Names of which something was found, or could have been.
    kept: BTreeSet<Arc<str>>,
    /// Names of which samples that were asked for are forgotten.
    short: BTreeMap<Arc<str>, Span>,
    /// Names that a place without a name leaves out: they are kept as sums.
    left_out: BTreeSet<Arc<str>>,
    /// What else is to be known.
    remarks: BTreeSet<String>,
}

impl Excerpt {
    /// Nothing yet.
    pub fn new(wants: Vec<Want>, span: (Timestamp, Timestamp), depth: Depth) -> Excerpt {
        Excerpt {
            wants,
            depth,
            span,
            series: Series::new(),
            points: 0,
            looks: 0,
            goes_on: GoesOn(Box::new(|| true)),
            owners: BTreeSet::new(),
            met: BTreeSet::new(),
            kept: BTreeSet::new(),
            short: BTreeMap::new(),
            left_out: BTreeSet::new(),
            remarks: BTreeSet::new(),
        }
    }

    /// Copies for as long as this says: what a matcher costs is seen only when it
    /// is held against a label.
    pub fn as_long_as(mut self, goes_on: impl Fn() -> bool + Send + 'static) -> Excerpt {
        self.goes_on = GoesOn(Box::new(goes_on));
        self
    }

    /// Copies what is wanted of these series; `own` says whose they are.
    ///
    /// # Errors
    /// What is wanted is kept as sums only, or it is too much.
    pub fn take(&mut self, from: &Series, own: &Labels, now: Timestamp) -> Result<(), String> {
        self.owners.insert(own.clone());
        for index in 0..self.wants.len() {
            let want = self.wants[index].clone();
            // Also of what is not selected here: it is kept, and not unknown.
            if let Some(name) = want.name.as_ref().filter(|name| from.parts().is_kept(name)) {
                self.kept.insert(name.clone());
            }
            let Some(want) = want.within(own) else { continue };
            self.met.insert(index);
            let Some(name) = &want.name else {
                for (name, labels, id) in from.all() {
                    self.take_one(index, &want, from, own, (name, labels, id), now)?;
                }
                continue;
            };
            if self.depth == Depth::Samples && from.parts().is_sums(name) {
                sums(&want, name, from)?;
            }
            for (labels, id) in from.named(name) {
                self.take_one(index, &want, from, own, (name, labels, id), now)?;
            }
        }
        Ok(())
    }

    fn take_one(
        &mut self,
        index: usize,
        want: &Want,
        from: &Series,
        own: &Labels,
        (name, labels, id): (&str, &Labels, SeriesId),
        now: Timestamp,
    ) -> Result<(), String> {
        self.looks += want.any_of.iter().map(|list| list.len().max(1)).sum::<usize>();
        if self.looks > LOOKS_MAX {
            return Err(format!(
                "the query has the watch hold more than {LOOKS_MAX} matchers against series; \
                 write names of metrics, or fewer selectors"
            ));
        }
        if !(self.goes_on.0)() {
            return Err("the query has the watch wait for too long while series are selected; \
                        write simpler patterns, or names of metrics"
                .to_owned());
        }
        let parts = labels.get(PARTS).filter(|_| self.depth == Depth::Samples);
        // Most of a scrape's series bear no label that is called as one of ours,
        // and most are not wanted: they need no other labels to be told so.
        let is_clear = own.iter().all(|(ours, _)| labels.get(ours).is_none());
        if is_clear && parts.is_none() && !is_match(&want.any_of, name, labels) {
            return Ok(());
        }
        let shown = relabelled(labels, own);
        let is_wanted = match parts {
            None => is_clear || is_match(&want.any_of, name, &shown),
            Some(parts) => match want.by.as_ref().and(sums(want, name, from).ok()) {
                Some(sums) => {
                    parts.split(',').any(|one| one == sums.part)
                        && is_match(std::slice::from_ref(&sums.rest), name, &shown)
                }
                // Of a place with a name that is an error, and was told.
                None => {
                    self.left_out.insert(from.name(id).clone());
                    false
                }
            },
        };
        if !is_wanted {
            return Ok(());
        }
        let labels = match &want.by {
            Some(_) if self.depth == Depth::Samples => {
                let tokens = parts.map_or_else(String::new, |parts| format!("{parts},"));
                shown.with(PARTS, &(tokens + &token(index)))
            }
            _ => shown,
        };
        self.note_forgotten(want, from, id, now);
        self.kept.insert(from.name(id).clone());
        self.points += self.series.adopt(from, id, labels, self.depth == Depth::Samples);
        self.hold_bounds()
    }

    /// Adds a series that no scrape has made, unless one of the same name is
    /// there. `points` makes it, where it is wanted.
    ///
    /// # Errors
    /// It is too much.
    pub fn tell(
        &mut self,
        name: &str,
        labels: &Labels,
        own: &Labels,
        points: impl Fn() -> Vec<Point>,
    ) -> Result<(), String> {
        let shown = relabelled(labels, own);
        for index in 0..self.wants.len() {
            let want = &self.wants[index];
            let is_other = want.name.as_ref().is_some_and(|wanted| **wanted != *name);
            if is_other || !is_match(&want.any_of, name, &shown) {
                continue;
            }
            let labels = match (&want.by, self.depth) {
                (Some(_), Depth::Samples) => shown.with(PARTS, &token(index)),
                _ => shown.clone(),
            };
            self.series.keep(name, FOR_EVER);
            let id = self.series.intern(name, &labels);
            self.kept.insert(self.series.name(id).clone());
            if self.depth == Depth::Samples {
                for point in points() {
                    self.series.push(id, point.at, point.value);
                    self.points += 1;
                }
            }
            self.hold_bounds()?;
        }
        Ok(())
    }

    /// Whether some place may read this name.
    pub fn may_read(&self, name: &str) -> bool {
        self.wants.iter().any(|want| want.name.as_ref().is_none_or(|wanted| **wanted == *name))
    }

    /// Something of this name could be there.
    pub fn know(&mut self, name: &str) {
        self.kept.insert(name.into());
    }

    /// Whether some place reads this name, and says so.
    pub fn names(&self, name: &str) -> bool {
        self.wants.iter().any(|want| want.name.as_deref() == Some(name))
    }

    /// To be told with the result.
    pub fn remark(&mut self, what: String) {
        self.remarks.insert(what);
    }

    /// The first instant that is read, and the last.
    pub fn reads(&self) -> (Timestamp, Timestamp) {
        let each = self.wants.iter().map(|want| want.reads(self.span));
        each.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or(self.span)
    }

    /// What was copied.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// Names and labels of what was copied, in their order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Labels)> {
        self.series.all().map(|(name, labels, _)| (name, labels))
    }

    /// What is to be known before a result is believed, in words.
    pub fn warnings(&self) -> Vec<String> {
        let names = self.wants.iter().filter_map(|want| want.name.as_ref());
        let unknown: BTreeSet<&Arc<str>> =
            names.filter(|name| !self.kept.contains(*name)).collect();
        let mut all: Vec<String> = self.remarks.iter().cloned().collect();
        all.extend(unknown.into_iter().map(|name| {
            format!(
                "nothing is kept of {name:?}: no signal, rule or recording reads it, and a watch \
                 keeps what is read"
            )
        }));
        all.extend(self.missed());
        all.extend(self.short.iter().map(|(name, horizon)| {
            format!(
                "{name:?} is kept for {horizon}, the longest range that a signal or rule reads; \
                 what is older is not in this result"
            )
        }));
        if !self.left_out.is_empty() {
            let names: Vec<&str> = self.left_out.iter().map(|name| &**name).collect();
            all.push(format!(
                "left out, since they are kept as sums only: {}; ask for them by name",
                names.join(", ")
            ));
        }
        all
    }

    /// What is said of services and releases that are asked for and not watched.
    fn missed(&self) -> BTreeSet<String> {
        let is_own =
            |matcher: &&Matcher| self.owners.iter().any(|own| own.get(&matcher.name).is_some());
        let owners: Vec<String> = self.owners.iter().map(Labels::to_string).collect();
        let missed = |(_, want): (usize, &Want)| {
            let asked = want.any_of.iter().map(|list| {
                let list: Vec<String> = list.iter().filter(is_own).map(<_>::to_string).collect();
                list.join(",")
            });
            let asked: BTreeSet<String> = asked.collect();
            let asked = asked.into_iter().collect::<Vec<_>>().join(" or ");
            format!("nothing is watched that {{{asked}}} means; there is {}", owners.join(", "))
        };
        let is_missed = |(index, _): &(usize, &Want)| !self.met.contains(index);
        let wants = self.wants.iter().enumerate().filter(|_| !self.owners.is_empty());
        wants.filter(is_missed).map(missed).collect()
    }

    /// Whether samples that are asked for were there once.
    fn note_forgotten(&mut self, want: &Want, from: &Series, id: SeriesId, now: Timestamp) {
        let horizon = from.horizon(id);
        let oldest = now - horizon;
        if want.reads(self.span).0 < oldest && from.is_older(id, oldest) {
            let name = from.name(id).clone();
            let known = self.short.entry(name).or_insert(horizon);
            *known = horizon.min(*known);
        }
    }

    fn hold_bounds(&self) -> Result<(), String> {
        if self.points > POINTS_MAX {
            return Err(format!(
                "the query selects more than {POINTS_MAX} samples; select fewer series"
            ));
        }
        if self.series.count() > SERIES_MAX {
            return Err(format!(
                "the query selects more than {SERIES_MAX} series; select fewer of them"
            ));
        }
        Ok(())
    }
}

impl Want {
    /// What of it can be in a watch of these labels, without what asks for
    /// them; `None`: nothing.
    fn within(self, own: &Labels) -> Option<Want> {
        let is_own = |matcher: &&Matcher| own.get(&matcher.name).is_some();
        let holds = |list: &Vec<Matcher>| {
            let mut asked = list.iter().filter(is_own);
            asked.all(|matcher| matcher.is_match(own.get(&matcher.name).unwrap_or_default()))
        };
        let mut any_of: Vec<Vec<Matcher>> = self.any_of.into_iter().filter(holds).collect();
        any_of.iter_mut().for_each(|list| list.retain(|matcher| !is_own(&matcher)));
        let by =
            self.by.map(|by| by.into_iter().filter(|label| own.get(label).is_none()).collect());
        (!any_of.is_empty()).then_some(Want { any_of, by, ..self })
    }
}

/// Which of the sums that are kept of a name answers.
fn sums(want: &Want, name: &str, from: &Series) -> Result<Sums, String> {
    let found = want.by.as_ref().and_then(|by| from.parts().answering(name, &want.any_of, by));
    found.ok_or_else(|| {
        format!(
            "{name:?} is kept as sums of its growth only, since that is all that signals and \
             rules read of it; it can be asked as {}, also with rate(), another range, and by \
             (instance) besides; for its series write a [[signal]] that reads them",
            from.parts().offered(name).join(" or ")
        )
    })
}

/// Labels that say whose a series is, and those that it had.
fn relabelled(labels: &Labels, own: &Labels) -> Labels {
    let had = labels.shared().iter().filter(|(name, _)| **name != *PARTS);
    let had = had.map(|(name, value)| match own.get(name) {
        Some(_) => (Arc::from(format!("exported_{name}")), value.clone()),
        None => (name.clone(), value.clone()),
    });
    Labels::from_pairs(own.shared().iter().cloned().chain(had))
}

#[cfg(test)]
mod tests;
