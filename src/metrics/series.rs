//! The last samples of each series, as long as some query can still see them.
//! Names and labels are told apart once, when a series is interned; after
//! that a series is a number, and a push is an append.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Parts;
use super::clocks::{Clocks, Place};
use super::run::{Point, Run};
use super::values::Values;
use crate::model::{Labels, MINUTE, Span, Timestamp};

/// How long a sample stands for the present (Prometheus's default).
pub const LOOKBACK: Span = Span::from_millis(5 * MINUTE.millis());

/// Bits of the NaN that says "this series has ended" (Prometheus,
/// `model/value`): a quiet end, told apart from a measured NaN.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// How often what no query can see any more is dropped.
const TIDY_EVERY: Span = MINUTE;

/// The marker that ends a series.
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether a value is the marker that ends a series.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// A series' number, dense from 0. Never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SeriesId(u32);

/// What is known of one series.
#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    labels: Labels,
    horizon: Span,
    /// The time of the first sample ever, kept or not.
    born: Option<Timestamp>,
    /// It appeared on a target that had been scraped shortly before.
    from_zero: bool,
    /// The last measured value, and when the last marker came, and the last
    /// value that was less than the one before: most ranges have neither, and
    /// need not be read through to know it.
    value: f64,
    ended: Option<Timestamp>,
    fell: Option<Timestamp>,
    /// The samples, oldest first, and where their stamps are.
    values: Values,
    place: Place,
}

/// All series of a watch.
#[derive(Debug, Default)]
pub struct Series {
    entries: Vec<Entry>,
    index: BTreeMap<Arc<str>, BTreeMap<Labels, SeriesId>>,
    clocks: Clocks,
    texts: BTreeSet<Arc<str>>,
    horizons: BTreeMap<String, Span>,
    parts: Parts,
    epoch: u64,
    dropped: u64,
    tidied: Option<Timestamp>,
}

impl Series {
    /// None yet.
    pub fn new() -> Series {
        Series::default()
    }

    /// Keeps samples of this name for at least so long. Without it they are
    /// kept for `LOOKBACK`.
    pub fn keep(&mut self, name: &str, horizon: Span) {
        let kept = self.horizons.entry(name.to_owned()).or_insert(LOOKBACK);
        *kept = (*kept).max(horizon);
        let horizon = *kept;
        for id in self.index.get(name).into_iter().flat_map(BTreeMap::values) {
            self.entries[id.0 as usize].horizon = horizon;
        }
    }

    /// Keeps some names as sums from now on. What was kept of them in another
    /// way ends when its target's table is learned anew.
    pub fn keep_parts(&mut self, parts: Parts) {
        self.parts = parts;
    }

    /// Which names are kept as sums.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The series of this name and these labels, a new one if need be.
    pub fn intern(&mut self, name: &str, labels: &Labels) -> SeriesId {
        if let Some(id) = self.index.get(name).and_then(|known| known.get(labels)) {
            return *id;
        }
        let name = self.text(name);
        let pairs: Vec<_> =
            labels.iter().map(|(name, value)| (self.text(name), self.text(value))).collect();
        let labels = Labels::from_pairs(pairs);
        let id = SeriesId(u32::try_from(self.entries.len()).expect("fewer than 2^32 series"));
        let horizon = self.horizons.get(&*name).copied().unwrap_or(LOOKBACK);
        self.index.entry(name.clone()).or_default().insert(labels.clone(), id);
        self.entries.push(Entry {
            name,
            labels,
            horizon,
            born: None,
            from_zero: false,
            value: f64::NAN,
            ended: None,
            fell: None,
            values: Values::default(),
            place: Place::default(),
        });
        self.epoch += 1;
        id
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.texts.insert(text.clone());
        text
    }

    /// Adds a sample. One that is not later than the last is dropped, and
    /// counted unless it only says the same again.
    pub fn push(&mut self, id: SeriesId, at: Timestamp, value: f64) {
        let entry = &mut self.entries[id.0 as usize];
        let stamps = self.clocks.stamps(entry.place, entry.values.len());
        if let Some(last) = stamps.last().filter(|last| at <= **last) {
            let known = entry.values.view().get(stamps.len() - 1);
            let same = at == *last && value.to_bits() == known.to_bits();
            self.dropped += u64::from(!same);
            return;
        }
        if entry.born.is_none() {
            entry.born = Some(at);
        }
        if is_stale(value) {
            entry.ended = Some(at);
        } else {
            if value < entry.value {
                entry.fell = Some(at);
            }
            entry.value = value;
        }
        entry.place = self.clocks.tick(entry.place, entry.values.len(), at);
        entry.values.push(value);
    }

    /// Says that a series has ended. Nothing happens when it never began.
    pub fn push_stale(&mut self, id: SeriesId, at: Timestamp) {
        if self.run(id).last().is_some_and(|last| !is_stale(last.value)) {
            self.push(id, at, stale_marker());
        }
    }

    /// Forgets all that was ever measured: it means nothing.
    pub(crate) fn clear(&mut self, id: SeriesId) {
        let entry = &mut self.entries[id.0 as usize];
        entry.values.clear();
        (entry.value, entry.ended, entry.fell) = (f64::NAN, None, None);
    }

    /// Marks a series without samples as one that counts from zero: it
    /// appeared on a target that had been scraped shortly before.
    pub(crate) fn begins_at_zero(&mut self, id: SeriesId) {
        let entry = &mut self.entries[id.0 as usize];
        entry.from_zero |= entry.born.is_none();
    }

    /// Copies a series of another's, under these labels, with or without its
    /// samples. Gives how many those are; nothing is copied twice.
    pub(super) fn adopt(
        &mut self,
        from: &Series,
        id: SeriesId,
        labels: Labels,
        has_samples: bool,
    ) -> usize {
        let entry = &from.entries[id.0 as usize];
        let of_name = self.index.entry(entry.name.clone()).or_default();
        if of_name.contains_key(&labels) {
            return 0;
        }
        let id = SeriesId(u32::try_from(self.entries.len()).expect("fewer than 2^32 series"));
        of_name.insert(labels.clone(), id);
        let values = if has_samples { entry.values.clone() } else { Values::default() };
        let count = values.len();
        let place = self.clocks.adopt(from.clocks.stamps(entry.place, count));
        self.entries.push(Entry { name: entry.name.clone(), labels, values, place, ..*entry });
        self.epoch += 1;
        count
    }

    /// How long samples of a series are kept.
    pub(super) fn horizon(&self, id: SeriesId) -> Span {
        self.entries[id.0 as usize].horizon
    }

    /// Whether it had a sample before `than`, kept or not.
    pub(super) fn is_older(&self, id: SeriesId, than: Timestamp) -> bool {
        self.entries[id.0 as usize].born.is_some_and(|born| born < than)
    }

    /// How many series there have been.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// How many samples were dropped, since they were not later than the last.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Another number whenever the set of series is another: what was
    /// selected under one epoch holds until the next.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Drops what no query can see any more. Cheap: does nothing more often
    /// than every minute.
    pub fn tidy(&mut self, now: Timestamp) {
        if self.tidied.is_some_and(|last| now.since(last) < TIDY_EVERY) {
            return;
        }
        self.tidied = Some(now);
        for entry in &mut self.entries {
            entry.forget(&mut self.clocks, now);
        }
        self.clocks.clean();
    }

    /// How many samples are kept, and how many bytes of memory they take with
    /// all that tells their times.
    pub fn weight(&self) -> (usize, usize) {
        let samples = self.entries.iter().map(|entry| entry.values.len()).sum();
        let of_entry =
            |entry: &Entry| entry.values.heap() + size_of::<Values>() + size_of::<Place>();
        let values: usize = self.entries.iter().map(of_entry).sum();
        (samples, values + self.clocks.heap())
    }

    /// All series of a name, in order of their labels.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = (&Labels, SeriesId)> {
        self.index.get(name).into_iter().flatten().map(|(labels, id)| (labels, *id))
    }

    /// All series, in order of their names and labels.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Labels, SeriesId)> {
        self.index
            .iter()
            .flat_map(|(name, of)| of.iter().map(move |(labels, id)| (&**name, labels, *id)))
    }

    /// A series' name.
    pub(crate) fn name(&self, id: SeriesId) -> &Arc<str> {
        &self.entries[id.0 as usize].name
    }

    /// A series' labels, without its name.
    pub(crate) fn labels(&self, id: SeriesId) -> &Labels {
        &self.entries[id.0 as usize].labels
    }

    fn run(&self, id: SeriesId) -> Run<'_> {
        self.entries[id.0 as usize].run(&self.clocks)
    }

    /// Samples and markers in `(from, to]`, oldest first.
    pub(crate) fn within(&self, id: SeriesId, from: Timestamp, to: Timestamp) -> Run<'_> {
        self.stretch(from, to).of(id)
    }

    /// The same of one series after the other.
    pub(crate) fn stretch(&self, from: Timestamp, to: Timestamp) -> Stretch<'_> {
        Stretch { series: self, from, to, place: (Place::default(), 0), start: 0, stamps: &[] }
    }

    /// Samples and markers at or before `to`, oldest first.
    pub(crate) fn up_to(&self, id: SeriesId, to: Timestamp) -> Run<'_> {
        self.run(id).up_to(to)
    }

    /// Whether there may be markers at or after `from`.
    pub(crate) fn may_end(&self, id: SeriesId, from: Timestamp) -> bool {
        self.entries[id.0 as usize].ended.is_some_and(|ended| ended >= from)
    }

    /// Whether no value after `from` is less than the one before it.
    pub(crate) fn only_rises(&self, id: SeriesId, from: Timestamp) -> bool {
        self.entries[id.0 as usize].fell.is_none_or(|fell| fell <= from)
    }

    /// Whether the first of `points` is the series' first sample ever, of a
    /// series that counts from zero.
    pub(crate) fn is_birth(&self, id: SeriesId, point: Point) -> bool {
        let entry = &self.entries[id.0 as usize];
        entry.from_zero && entry.born == Some(point.at)
    }

    /// The sample that stands for the present: the last in `(at - 5m, at]`,
    /// unless the series has ended.
    pub(crate) fn fresh(&self, id: SeriesId, at: Timestamp) -> Option<Point> {
        let entry = &self.entries[id.0 as usize];
        let stamps = self.clocks.stamps(entry.place, entry.values.len());
        let last = match *stamps.last()? {
            // Nearly always: the last value need not even be unpacked.
            last if last <= at && entry.ended == Some(last) => return None,
            last if last <= at => Point { at: last, value: entry.value },
            _ => self.up_to(id, at).last()?,
        };
        (last.at > at - LOOKBACK && !is_stale(last.value)).then_some(last)
    }
}

/// A time that is read of many series. Those of a page have their stamps in
/// common: where it begins among them is looked up once.
pub(crate) struct Stretch<'a> {
    series: &'a Series,
    from: Timestamp,
    to: Timestamp,
    /// Whose stamps were looked at last, the first of them inside, and all inside.
    place: (Place, usize),
    start: usize,
    stamps: &'a [Timestamp],
}

impl<'a> Stretch<'a> {
    /// Samples and markers of a series in `(from, to]`, oldest first.
    pub fn of(&mut self, id: SeriesId) -> Run<'a> {
        let entry = &self.series.entries[id.0 as usize];
        let place = (entry.place, entry.values.len());
        if self.place != place {
            let stamps = self.series.clocks.stamps(place.0, place.1);
            let end = stamps.partition_point(|at| *at <= self.to);
            self.start = stamps[..end].partition_point(|at| *at <= self.from);
            (self.place, self.stamps) = (place, &stamps[self.start..end]);
        }
        Run::new(self.stamps, entry.values.view().from(self.start))
    }
}

impl Entry {
    fn run<'a>(&'a self, clocks: &'a Clocks) -> Run<'a> {
        Run::new(clocks.stamps(self.place, self.values.len()), self.values.view())
    }

    /// Drops what no query can see any more. The last value before that
    /// stays: a count over a step begins there, however long ago it was.
    fn forget(&mut self, clocks: &mut Clocks, now: Timestamp) {
        let stamps = clocks.stamps(self.place, self.values.len());
        let Some(last) = stamps.last() else { return };
        let is_quiet = now.since(*last) > self.horizon;
        let old = stamps.partition_point(|at| now.since(*at) > self.horizon);
        let values = self.values.view();
        let anchor = (0..old).rev().find(|place| !is_stale(values.get(*place)));
        let dropped = anchor.unwrap_or(old);
        self.values.drop_front(dropped);
        self.place = clocks.keep(self.place, dropped, self.values.len(), is_quiet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SECOND;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    #[test]
    fn knows_a_series_again_and_shares_its_texts() {
        let mut series = Series::new();
        let one = Labels::from_pairs([("path", "/a")]);
        let first = series.intern("x", &one);
        let epoch = series.epoch();
        assert_eq!(series.intern("x", &Labels::from_pairs([("path", "/a")])), first);
        assert_eq!((series.epoch(), series.count()), (epoch, 1));
        let second = series.intern("y", &one);
        assert_ne!(series.epoch(), epoch);
        let texts = |id| series.labels(id).shared()[0].1.as_ptr();
        assert_eq!(texts(first), texts(second));
    }

    #[test]
    fn drops_and_counts_what_is_not_later_than_the_last() {
        let mut series = Series::new();
        let id = series.intern("x", &Labels::default());
        for (secs, value) in [(10, 1.0), (10, 1.0), (10, 2.0), (5, 3.0), (11, 4.0)] {
            series.push(id, at(secs), value);
        }
        let kept: Vec<f64> = series.up_to(id, at(99)).iter().map(|point| point.value).collect();
        assert_eq!((kept, series.dropped()), (vec![1.0, 4.0], 2));
    }

    #[test]
    fn forgets_what_no_query_sees_and_keeps_what_one_does() {
        let mut series = Series::new();
        series.keep("x", 10 * MINUTE);
        let id = series.intern("x", &Labels::default());
        for step in 0..10_000 {
            series.push(id, at(step * 15), step as f64);
            series.tidy(at(step * 15));
        }
        let now = at(9_999 * 15);
        assert_eq!(series.within(id, now - 10 * MINUTE, now).len(), 40);
        assert!(series.up_to(id, now).len() < 50, "{}", series.up_to(id, now).len());
    }

    #[test]
    fn ends_a_series_with_a_marker_and_gives_its_memory_back() {
        let mut series = Series::new();
        let id = series.intern("x", &Labels::default());
        series.push_stale(id, at(1));
        assert!(series.up_to(id, at(1)).is_empty(), "what never began cannot end");
        series.push(id, at(2), 7.0);
        assert_eq!(series.fresh(id, at(3)).map(|point| point.value), Some(7.0));
        series.push_stale(id, at(3));
        assert_eq!(series.fresh(id, at(3)), None);
        assert_eq!(series.fresh(id, at(2)).map(|point| point.value), Some(7.0));
        series.push(id, at(4), 8.0);
        series.push_stale(id, at(5));
        series.tidy(at(5) + LOOKBACK + SECOND); // the value is past it, the marker just so
        let kept: Vec<f64> = series.up_to(id, at(999)).iter().map(|point| point.value).collect();
        assert!(kept[0] == 8.0 && is_stale(kept[1]) && kept.len() == 2, "{kept:?}");
    }

    #[test]
    fn keeps_the_stamps_of_a_page_once_and_each_series_own_where_they_differ() {
        let mut series = Series::new();
        let ids: Vec<SeriesId> = ["a", "b", "c", "d"]
            .iter()
            .map(|path| series.intern("x", &Labels::from_pairs([("path", *path)])))
            .collect();
        for step in 0..200 {
            // One comes and goes, one ends for good, one has stamps of its own.
            series.push(ids[0], at(step * 15), 1.0);
            if step % 3 != 1 {
                series.push(ids[1], at(step * 15), step as f64);
            }
            if step < 100 {
                series.push(ids[2], at(step * 15), 2.0);
            }
            series.push(ids[3], at(step * 15 + step % 2), 0.5);
            series.tidy(at(step * 15));
        }
        let now = at(199 * 15 + 2);
        let secs = |id| -> Vec<i64> {
            let run = series.within(id, now - LOOKBACK, now);
            run.stamps().iter().map(|at| at.millis() / 1000 % 15).collect()
        };
        assert_eq!(secs(ids[0]), [0; 20]);
        assert_eq!(secs(ids[1]).len(), 13);
        assert_eq!(secs(ids[3]), [0, 1].repeat(10));
        let anchor = series.up_to(ids[2], now).last().map(|point| point.at);
        assert_eq!(anchor, Some(at(99 * 15)), "where a count over a step begins");
        let (samples, bytes) = series.weight();
        assert!(samples < 4 * 26 && bytes < 2_500, "{samples} {bytes}");
    }

    #[test]
    fn lets_a_sample_stand_for_five_minutes_but_no_longer() {
        let mut series = Series::new();
        let id = series.intern("x", &Labels::default());
        series.push(id, at(0), 1.0);
        assert!(series.fresh(id, at(299)).is_some());
        assert!(series.fresh(id, at(300)).is_none());
    }
}
