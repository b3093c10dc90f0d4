//! A target's way into the series: which slot of its table is which series,
//! and which series it showed last.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parts::Place;
use super::{Page, Series, SeriesId};
use crate::metrics::series::LOOKBACK;
use crate::model::{Labels, MINUTE, Name, Span, Timestamp};

/// Samples that bear a later time than this from now are dropped, as Prometheus
/// drops them: one of tomorrow would keep all of today's out.
pub const AHEAD_MAX: Span = Span::from_millis(10 * MINUTE.millis());

/// One target's feed. It goes with the target's table: when that is lost,
/// `forget` says so.
#[derive(Debug, Default)]
pub struct Feed {
    /// What else stands on every series of the target.
    labels: Labels,
    /// By slot.
    slots: Vec<Way>,
    /// Sums that are made of several slots.
    sums: Vec<Sum>,
    /// The same by the series that they are kept as.
    sum_of: BTreeMap<SeriesId, u32>,
    /// The number of the last page, from 1.
    page: u32,
    /// Series of the last page whose slots are forgotten.
    orphans: Vec<SeriesId>,
    /// When the last page was taken.
    taken: Option<Timestamp>,
    /// Sample names, with the number of the first page that had them.
    names: BTreeMap<Arc<str>, u32>,
    /// What counters grow by is not told.
    is_withheld: bool,
}

/// What becomes of a slot's samples. There is one for each line of each
/// target's page: it is small.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// The slot was not introduced.
    Unknown,
    /// Nobody reads them.
    Nowhere,
    /// They are a series of their own. With the page (by number) that showed
    /// it last (page 0 for none, or for a sample that bears its own time), and
    /// whether some query reads how it grows.
    Whole { id: SeriesId, shown: u32, is_growing: bool },
    /// Their growth is added to a sum. With the last value; NaN: none yet.
    Part { sum: u32, last: f64 },
}

/// A sum in the making.
#[derive(Debug)]
struct Sum {
    id: SeriesId,
    total: f64,
    /// The page that it was begun with, and the last that had a part of it.
    begun: u32,
    shown: u32,
}

impl Feed {
    /// Of a target that was never scraped.
    pub fn new() -> Feed {
        Feed::default()
    }

    /// Of a target with labels of its own.
    pub fn with(labels: Labels) -> Feed {
        Feed { labels, ..Feed::default() }
    }

    /// Takes in a page that was scraped at `at`. Every series bears
    /// `instance="<target>"` and the target's labels; one of the page's own that
    /// is called the same becomes `exported_…`, as in Prometheus. Series that the
    /// page before had and this one has not end here. As in Prometheus, samples that bear
    /// their own time do not take part in that; where they are added up they
    /// count as of `at`, and those of a time to come count not at all.
    ///
    /// # Panics
    /// When a sample's slot was never introduced: table and feed are out of step.
    pub fn take(&mut self, series: &mut Series, target: &Name, page: &Page, at: Timestamp) {
        let continues = self.taken.is_some_and(|last| at.since(last) < LOOKBACK);
        let before = self.page;
        self.page += 1;
        self.taken = Some(at);
        for (slot, name, labels) in page.fresh.iter() {
            // A new series of a name that was there before is a new count (the
            // first 500, say). A new name proves nothing: perhaps nobody had
            // asked for it until now.
            let named = *self.names.entry(name.clone()).or_insert(self.page);
            let from_zero = continues && named < self.page && !self.is_withheld;
            let way =
                self.introduce(series, name, &of_target(labels, target, &self.labels), from_zero);
            let slot = slot as usize;
            if slot >= self.slots.len() {
                self.slots.resize(slot + 1, Way::Unknown);
            }
            self.slots[slot] = way;
        }
        if !page.fresh.is_empty() {
            self.slots.shrink_to_fit();
        }
        let mut stamped = page.stamped.iter().peekable();
        for (index, (slot, value)) in page.samples.iter().enumerate() {
            let stamp = stamped.next_if(|(stamped, _)| *stamped as usize == index);
            let is_ahead = stamp.is_some_and(|(_, own)| own.since(at) > AHEAD_MAX);
            match self.slots.get_mut(*slot as usize) {
                None | Some(Way::Unknown) => panic!("slot {slot} was never introduced"),
                Some(Way::Nowhere) => {}
                Some(_) if is_ahead => {}
                Some(Way::Whole { is_growing: true, .. }) if self.is_withheld => {}
                Some(Way::Part { last, .. }) if self.is_withheld => *last = f64::NAN,
                Some(Way::Part { sum, last }) => {
                    self.sums[*sum as usize].add(last, *value, self.page);
                }
                Some(Way::Whole { id, shown, .. }) => match stamp {
                    Some((_, own)) => series.push(*id, *own, *value),
                    None => {
                        *shown = self.page;
                        series.push(*id, at, *value);
                    }
                },
            }
        }
        for sum in self.sums.iter().filter(|sum| sum.shown == self.page) {
            series.push(sum.id, at, sum.total);
        }
        self.end_missing(series, before, at);
        series.tidy(at);
    }

    /// What becomes of a series that was not there before. `from_zero`: its
    /// first sample is growth too.
    fn introduce(
        &mut self,
        series: &mut Series,
        name: &str,
        labels: &Labels,
        from_zero: bool,
    ) -> Way {
        let place = series.parts().place(name, labels);
        let begin = |series: &mut Series, id| {
            if from_zero {
                series.begins_at_zero(id);
            }
        };
        match place {
            Place::Nowhere => Way::Nowhere,
            Place::Whole => {
                let id = series.intern(name, labels);
                begin(series, id);
                let is_growing = series.parts().is_growing(name);
                Way::Whole { id, shown: 0, is_growing }
            }
            Place::Sum(kept) => {
                let instance = labels.get("instance").unwrap_or_default();
                let id = series.intern(name, &kept.with("instance", instance));
                let sums = &mut self.sums;
                let sum = *self.sum_of.entry(id).or_insert_with(|| {
                    begin(series, id);
                    sums.push(Sum { id, total: 0.0, begun: self.page, shown: 0 });
                    (sums.len() - 1) as u32
                });
                Way::Part { sum, last: if from_zero { 0.0 } else { f64::NAN } }
            }
        }
    }

    /// Whether the target's counters are several processes' in one: then what
    /// they grow by is kept from all queries, and what was kept of it is
    /// forgotten. What they have when that is over is where they begin.
    pub fn withhold(&mut self, series: &mut Series, is_withheld: bool) {
        if is_withheld && !self.is_withheld {
            let whole = self.slots.iter().filter_map(|way| match way {
                Way::Whole { id, is_growing: true, .. } => Some(*id),
                Way::Unknown | Way::Nowhere | Way::Whole { .. } | Way::Part { .. } => None,
            });
            let all: Vec<SeriesId> = whole.chain(self.sums.iter().map(|sum| sum.id)).collect();
            all.into_iter().for_each(|id| series.clear(id));
        }
        self.is_withheld = is_withheld;
    }

    /// Whether that is so.
    pub fn is_withheld(&self) -> bool {
        self.is_withheld
    }

    fn end_missing(&mut self, series: &mut Series, before: u32, at: Timestamp) {
        if before > 0 {
            for id in self.shown_on(before) {
                series.push_stale(id, at);
            }
        }
        if self.orphans.is_empty() {
            return;
        }
        let mut here: Vec<SeriesId> = self.shown_on(self.page).collect();
        here.sort_unstable();
        for id in self.orphans.drain(..) {
            if here.binary_search(&id).is_err() {
                series.push_stale(id, at);
            }
        }
    }

    /// The scrape at `at` failed: every series that the page before had ends.
    pub fn failed(&mut self, series: &mut Series, at: Timestamp) {
        for id in self.live().chain(self.orphans.iter().copied()) {
            series.push_stale(id, at);
        }
        self.orphans.clear();
        self.page += 1;
    }

    /// The target's table was lost: slots will be learned anew. (What its sums
    /// grew by until the next page is lost with it.)
    pub fn forget(&mut self) {
        let live: Vec<SeriesId> = self.live().collect();
        self.orphans.extend(live);
        self.slots.clear();
    }

    /// Series that the last page had.
    fn live(&self) -> impl Iterator<Item = SeriesId> {
        self.shown_on(self.page).filter(|_| self.page > 0)
    }

    /// Series that a page had and none after it.
    fn shown_on(&self, page: u32) -> impl Iterator<Item = SeriesId> {
        let whole = self.slots.iter().filter_map(move |way| match way {
            Way::Whole { id, shown, .. } => (*shown == page).then_some(*id),
            Way::Unknown | Way::Nowhere | Way::Part { .. } => None,
        });
        whole.chain(self.sums.iter().filter(move |sum| sum.shown == page).map(|sum| sum.id))
    }
}

impl Sum {
    /// Adds what a counter grew by. A counter that is met for the first time
    /// counts from here, but with all it has where the sum itself begins.
    fn add(&mut self, last: &mut f64, value: f64, page: u32) {
        if value.is_nan() {
            return;
        }
        self.shown = page;
        self.total += match *last {
            none if none.is_nan() && self.begun == page => value,
            none if none.is_nan() => 0.0,
            before if value < before => value,
            before => value - before,
        };
        *last = value;
    }
}

fn of_target(labels: &Labels, target: &Name, given: &Labels) -> Labels {
    let instance = ("instance".into(), target.as_str().into());
    let own = labels.shared().iter().map(|(name, value)| {
        let is_taken = &**name == "instance" || given.get(name).is_some();
        let name = if is_taken { format!("exported_{name}").into() } else { name.clone() };
        (name, value.clone())
    });
    Labels::from_pairs(std::iter::once(instance).chain(given.shared().iter().cloned()).chain(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::promql::{Mode, Query};
    use crate::metrics::series::is_stale;
    use crate::metrics::{Parts, Table, Wanted, read_page};

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    fn page(fresh: &[(u32, &str)], samples: &[(u32, f64)]) -> Page {
        let fresh = fresh.iter().map(|(slot, path)| {
            (*slot, Arc::from("x"), Labels::from_pairs([("path", *path), ("instance", "own")]))
        });
        Page { samples: samples.to_vec(), fresh: fresh.collect(), ..Page::default() }
    }

    fn shown(series: &Series) -> String {
        let line = |(labels, id): (&Labels, SeriesId)| {
            let points = series.up_to(id, at(9_999)).iter().map(|point| {
                let secs = point.at.millis() / 1000;
                if is_stale(point.value) {
                    format!(" {secs}:end")
                } else {
                    format!(" {secs}:{}", point.value)
                }
            });
            format!("{}{}\n", labels.get("path").unwrap_or("?"), points.collect::<String>())
        };
        series.named("x").map(line).collect()
    }

    #[test]
    fn names_the_target_and_moves_its_own_instance_aside() {
        let mut series = Series::new();
        Feed::new().take(&mut series, &"a:80".into(), &page(&[(0, "/")], &[(0, 1.0)]), at(0));
        let labels = series.named("x").next().unwrap().0.to_string();
        assert_eq!(labels, r#"{exported_instance="own", instance="a:80", path="/"}"#);
    }

    #[test]
    fn ends_what_is_missing_and_all_of_it_when_a_scrape_fails() {
        let (mut series, mut feed, a) = (Series::new(), Feed::new(), Name::from("a"));
        feed.take(&mut series, &a, &page(&[(0, "/p"), (1, "/q")], &[(0, 1.0), (1, 2.0)]), at(0));
        feed.take(&mut series, &a, &page(&[], &[(1, 3.0)]), at(15));
        feed.take(&mut series, &a, &page(&[], &[(1, 4.0)]), at(30));
        feed.failed(&mut series, at(45));
        feed.failed(&mut series, at(60));
        feed.take(&mut series, &a, &page(&[], &[(0, 5.0), (1, 6.0)]), at(75));
        assert_eq!(shown(&series), "/p 0:1 15:end 75:5\n/q 0:2 15:3 30:4 45:end 75:6\n");
    }

    #[test]
    fn ends_the_right_series_after_its_table_was_lost() {
        let (mut series, mut feed, a) = (Series::new(), Feed::new(), Name::from("a"));
        feed.take(&mut series, &a, &page(&[(0, "/p"), (1, "/q")], &[(0, 1.0), (1, 2.0)]), at(0));
        feed.forget();
        feed.take(&mut series, &a, &page(&[(0, "/q")], &[(0, 3.0)]), at(15));
        feed.forget();
        feed.failed(&mut series, at(30));
        assert_eq!(shown(&series), "/p 0:1 15:end\n/q 0:2 15:3 30:end\n");
    }

    #[test]
    fn puts_a_stamped_sample_at_its_own_time_and_never_ends_it() {
        let (mut series, mut feed, a) = (Series::new(), Feed::new(), Name::from("a"));
        let mut stamped = page(&[(0, "/p"), (1, "/q")], &[(0, 1.0), (1, 2.0)]);
        stamped.stamped = vec![(1, at(7))];
        feed.take(&mut series, &a, &stamped, at(10));
        feed.take(&mut series, &a, &page(&[], &[]), at(25));
        assert_eq!(shown(&series), "/p 10:1 25:end\n/q 7:2\n");
    }

    #[test]
    fn drops_a_sample_of_a_time_to_come_that_would_keep_later_ones_out() {
        let (mut series, mut feed, a) = (Series::new(), Feed::new(), Name::from("a"));
        let mut stamped = page(&[(0, "/p"), (1, "/q")], &[(0, 1.0), (1, 2.0)]);
        stamped.stamped = vec![(0, at(10 + 601)), (1, at(10 + 600))];
        feed.take(&mut series, &a, &stamped, at(10));
        feed.take(&mut series, &a, &page(&[], &[(0, 3.0)]), at(25));
        assert_eq!(shown(&series), "/p 25:3\n/q 610:2\n");
    }

    #[test]
    fn tells_no_growth_while_it_is_withheld_and_begins_anew_after_it() {
        let (mut series, mut feed, a) = (Series::new(), Feed::new(), Name::from("a"));
        let mut query = Query::compile("rate(x[1m])").unwrap();
        series.keep_parts(Parts::of([&mut query].into_iter(), []));
        feed.take(&mut series, &a, &page(&[(0, "/p")], &[(0, 900.0)]), at(0));
        feed.withhold(&mut series, true);
        feed.take(&mut series, &a, &page(&[(1, "/q")], &[(0, 5.0), (1, 7.0)]), at(15));
        assert_eq!(shown(&series), "/p\n/q\n", "what was kept before is forgotten too");
        feed.withhold(&mut series, false);
        feed.take(&mut series, &a, &page(&[], &[(0, 950.0), (1, 8.0)]), at(30));
        feed.take(&mut series, &a, &page(&[], &[(0, 950.0), (1, 9.0)]), at(45));
        assert_eq!(shown(&series), "/p 30:950 45:950\n/q 30:8 45:9\n");
        let grown = query.eval(&series, at(45), Mode::Anchored).unwrap();
        let grown: Vec<f64> = grown.iter().map(|(_, rate)| rate * 60.0).collect();
        assert_eq!(grown, [0.0, 1.0]);
    }

    #[test]
    fn adds_nothing_to_a_sum_while_it_is_withheld() {
        let (mut series, mut feed, a) = (Series::new(), Feed::new(), Name::from("a"));
        let mut query = Query::compile("sum(increase(x[1m]))").unwrap();
        series.keep_parts(Parts::of([&mut query].into_iter(), []));
        let mut turn = |secs, is_withheld, value| {
            let fresh: &[(u32, &str)] = if secs == 0 { &[(0, "/p")] } else { &[] };
            feed.withhold(&mut series, is_withheld);
            feed.take(&mut series, &a, &page(fresh, &[(0, value)]), at(secs));
            query.eval(&series, at(secs), Mode::Anchored).unwrap().first().map(|(_, v)| *v)
        };
        turn(0, false, 100.0);
        assert_eq!(turn(15, false, 103.0), Some(3.0));
        assert_eq!([turn(30, true, 9.0), turn(45, true, 110.0)], [None; 2]);
        turn(60, false, 9.0);
        assert_eq!(turn(75, false, 11.0), Some(2.0));
    }

    #[test]
    fn takes_what_a_page_was_the_first_to_show_from_the_next_when_it_is_cut_off() {
        let (mut series, mut feed, a) = (Series::new(), Feed::new(), Name::from("a"));
        let (mut table, wanted) = (Table::default(), Wanted::all());
        let mut turn = |secs: i64, text: &str| {
            let page = read_page(text.as_bytes(), None, &wanted, &mut table);
            page.map(|page| feed.take(&mut series, &a, &page, at(secs))).is_ok()
        };
        let whole = "x{path=\"/a\"} 1\nx{path=\"/b\"} 2\n";
        let taken = [&whole[..20], &whole[..15], whole, &format!("{whole}y 1\nz"), whole];
        let taken: Vec<bool> =
            (0..).zip(taken).map(|(turns, text)| turn(15 * turns, text)).collect();
        assert_eq!(taken, [false, true, true, false, true]);
        assert!(turn(90, &format!("{whole}y 1\n")));
        assert_eq!(series.count(), 3);
    }
}
