//! A target's way into the series: which slot of its table is which series,
//! and which series it showed last.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Page, Series, SeriesId};
use crate::metrics::series::LOOKBACK;
use crate::model::{Labels, Name, Timestamp};

/// One target's feed. It goes with the target's table: when that is lost,
/// `forget` says so.
#[derive(Debug, Default)]
pub struct Feed {
    /// Series by slot, with the page (by number) that showed it last;
    /// page 0 for none, or for a sample that bears its own time.
    slots: Vec<Option<(SeriesId, u32)>>,
    /// The number of the last page, from 1.
    page: u32,
    /// Series of the last page whose slots are forgotten.
    orphans: Vec<SeriesId>,
    /// When the last page was taken.
    taken: Option<Timestamp>,
    /// Sample names, with the number of the first page that had them.
    names: BTreeMap<Arc<str>, u32>,
}

impl Feed {
    /// Of a target that was never scraped.
    pub fn new() -> Feed {
        Feed::default()
    }

    /// Takes in a page that was scraped at `at`. Every series bears
    /// `instance="<target>"`; an `instance` label of the target's own becomes
    /// `exported_instance`, as in Prometheus. Series that the page before had
    /// and this one has not end here. As in Prometheus, samples that bear
    /// their own time do not take part in that.
    ///
    /// # Panics
    /// When a sample's slot was never introduced: table and feed are out of step.
    pub fn take(&mut self, series: &mut Series, target: &Name, page: &Page, at: Timestamp) {
        let continues = self.taken.is_some_and(|last| at.since(last) < LOOKBACK);
        let before = self.page;
        self.page += 1;
        self.taken = Some(at);
        for (slot, name, labels) in &page.fresh {
            let id = series.intern(name, &of_target(labels, target));
            // A new series of a name that was there before is a new count (the
            // first 500, say). A new name proves nothing: perhaps nobody had
            // asked for it until now.
            let named = *self.names.entry(name.clone()).or_insert(self.page);
            if continues && named < self.page {
                series.begins_at_zero(id);
            }
            let slot = *slot as usize;
            if slot >= self.slots.len() {
                self.slots.resize(slot + 1, None);
            }
            self.slots[slot] = Some((id, 0));
        }
        let mut stamped = page.stamped.iter().peekable();
        for (index, (slot, value)) in page.samples.iter().enumerate() {
            let known = self.slots.get_mut(*slot as usize).and_then(Option::as_mut);
            let (id, shown) = known.unwrap_or_else(|| panic!("slot {slot} was never introduced"));
            match stamped.next_if(|(stamped, _)| *stamped as usize == index) {
                Some((_, own)) => series.push(*id, *own, *value),
                None => {
                    *shown = self.page;
                    series.push(*id, at, *value);
                }
            }
        }
        self.end_missing(series, before, at);
        series.tidy(at);
    }

    fn end_missing(&mut self, series: &mut Series, before: u32, at: Timestamp) {
        for (id, shown) in self.slots.iter().flatten() {
            if *shown == before && before > 0 {
                series.push_stale(*id, at);
            }
        }
        if self.orphans.is_empty() {
            return;
        }
        let mut here: Vec<SeriesId> = self.live().collect();
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

    /// The target's table was lost: slots will be learned anew.
    pub fn forget(&mut self) {
        let live: Vec<SeriesId> = self.live().collect();
        self.orphans.extend(live);
        self.slots.clear();
    }

    /// Series that the last page had.
    fn live(&self) -> impl Iterator<Item = SeriesId> {
        let page = self.page;
        self.slots
            .iter()
            .flatten()
            .filter(move |(_, shown)| *shown == page && page > 0)
            .map(|s| s.0)
    }
}

fn of_target(labels: &Labels, target: &Name) -> Labels {
    let instance = ("instance".into(), target.as_str().into());
    let own = labels.shared().iter().map(|(name, value)| {
        let name = if &**name == "instance" { "exported_instance".into() } else { name.clone() };
        (name, value.clone())
    });
    Labels::from_pairs(std::iter::once(instance).chain(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::series::is_stale;

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
}
