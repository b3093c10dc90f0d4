//! Sums that are made as samples come in. A service with forty routes has a
//! thousand counters, of which rules read `sum(rate(…))`: one number a target
//! would do. So where every query reads a name as such a sum, each target's
//! counters are added up before they are kept, and a series is kept for each
//! sum (a *part* of what the query wants) and each group of it.
//!
//! What is added up is growth, counter by counter: a reset of one, or one that
//! appears, is seen as what it is. Prometheus would extrapolate each counter
//! by itself; for counters that live as long as the range that is the same.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::label::Matcher;

use super::promql::Query;
use crate::model::{Labels, stable_hash};

/// The label that says of which sums a series is a part: theirs, by number.
/// (Prometheus keeps names that begin so to itself.)
pub(crate) const PARTS: &str = "__parts__";

/// One way in which a query reads a name.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Use {
    /// As a sum of growth, of what matches, by some labels.
    Sum {
        /// One of these lists has to match whole.
        any_of: Vec<Vec<Matcher>>,
        /// Sorted.
        by: Vec<String>,
    },
    /// Otherwise: all its series are needed.
    Whole,
}

/// A sum that some query wants of a name.
#[derive(Clone, PartialEq, Debug)]
struct Part {
    id: String,
    any_of: Vec<Vec<Matcher>>,
    by: Vec<String>,
}

impl Part {
    /// Whether its groups can be told apart by a label. Sums are made target by
    /// target.
    fn tells(&self, label: &str) -> bool {
        label == "instance" || self.by.iter().any(|known| known == label)
    }

    /// What is left to be matched of lists of which one has to match whole,
    /// where all that is in this part was matched; `None`: it lacks something,
    /// or that cannot be told from its labels.
    fn rest_of(&self, any_of: &[Vec<Matcher>]) -> Option<Vec<Matcher>> {
        if self.any_of == any_of {
            return Some(Vec::new());
        }
        let ([own], [wanted]) = (&self.any_of[..], any_of) else { return None };
        let mut rest = wanted.clone();
        for matcher in own {
            rest.remove(rest.iter().position(|known| known == matcher)?);
        }
        rest.iter().all(|matcher| self.tells(&matcher.name)).then_some(rest)
    }
}

/// A part in which a sum can be read.
pub(super) struct Sums {
    /// Its number.
    pub part: String,
    /// Which of its groups.
    pub rest: Vec<Matcher>,
}

/// Which names are kept, and which of them in parts. By default all are kept,
/// and whole.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Parts {
    names: BTreeMap<String, Vec<Part>>,
    /// Names of which all series are kept; `None`: all that are in no parts.
    whole: Option<BTreeSet<String>>,
    /// Names of which some query reads how they grow.
    growing: BTreeSet<String>,
}

impl Parts {
    /// What these queries need, and these names besides. The queries are told
    /// which parts are theirs.
    pub fn of<'q>(
        queries: impl Iterator<Item = &'q mut Query>,
        besides: impl IntoIterator<Item = String>,
    ) -> Parts {
        let mut queries: Vec<&mut Query> = queries.collect();
        let mut uses: BTreeMap<String, Vec<Use>> = BTreeMap::new();
        for query in &mut queries {
            query.visit(&mut |selector, by| {
                let used = match by {
                    Some(by) => Use::Sum { any_of: selector.any_of.clone(), by: by.to_vec() },
                    None => Use::Whole,
                };
                let name = selector.name.as_deref().unwrap_or_default();
                uses.entry(name.to_owned()).or_default().push(used);
            });
        }
        let mut whole: BTreeSet<String> = besides.into_iter().collect();
        let mut names = BTreeMap::new();
        for (name, uses) in uses {
            match parts(uses).filter(|_| !whole.contains(&name)) {
                Some(parts) => drop(names.insert(name, parts)),
                None => drop(whole.insert(name)),
            }
        }
        let growing = queries.iter().flat_map(|query| query.growing()).collect();
        let parts = Parts { names, whole: Some(whole), growing };
        for query in &mut queries {
            query.visit(&mut |selector, by| {
                let name = selector.name.as_deref().unwrap_or_default();
                let part = parts.names.get(name).zip(by).and_then(|(known, by)| {
                    known.iter().find(|part| part.any_of == selector.any_of && part.by == by)
                });
                selector.read_part(part.map(|part| part.id.clone()));
            });
        }
        parts
    }

    /// Whether some query reads how a name grows.
    pub(crate) fn is_growing(&self, name: &str) -> bool {
        self.growing.contains(name)
    }

    /// Whether a name is kept in any way.
    pub(super) fn is_kept(&self, name: &str) -> bool {
        self.names.contains_key(name)
            || self.whole.as_ref().is_none_or(|whole| whole.contains(name))
    }

    /// Whether a name is kept as sums.
    pub(super) fn is_sums(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The part of a name in which another query's sum can be read: made of the
    /// same series, or of more that can be told apart, by no fewer labels.
    pub(super) fn answering(
        &self,
        name: &str,
        any_of: &[Vec<Matcher>],
        by: &[String],
    ) -> Option<Sums> {
        let fits = |part: &&Part| by.iter().all(|label| part.tells(label));
        let parts = self.names.get(name)?.iter().filter(fits);
        let found = parts.filter_map(|part| Some((part, part.rest_of(any_of)?)));
        let least = found.min_by_key(|(part, rest)| (rest.len(), part.by.len()))?;
        Some(Sums { part: least.0.id.clone(), rest: least.1 })
    }

    /// What can be asked of a name that is kept as sums, as it is written.
    pub(super) fn offered(&self, name: &str) -> Vec<String> {
        let offer = |part: &Part| {
            let by = match part.by.is_empty() {
                true => String::new(),
                false => format!("by ({}) ", part.by.join(", ")),
            };
            let list = |list: &Vec<Matcher>| {
                let all: Vec<String> = list.iter().map(ToString::to_string).collect();
                all.join(",")
            };
            let any_of: Vec<String> = part.any_of.iter().map(list).collect();
            let braces = match any_of.concat().is_empty() {
                true => String::new(),
                false => format!("{{{}}}", any_of.join(" or ")),
            };
            format!("sum {by}(increase({name}{braces}[5m]))").replace("sum (", "sum(")
        };
        self.names.get(name).into_iter().flatten().map(offer).collect()
    }

    /// Where a series goes.
    pub(crate) fn place(&self, name: &str, labels: &Labels) -> Place {
        let Some(parts) = self.names.get(name) else {
            let is_kept = self.whole.as_ref().is_none_or(|whole| whole.contains(name));
            return if is_kept { Place::Whole } else { Place::Nowhere };
        };
        let mine: Vec<&Part> =
            parts.iter().filter(|part| is_match(&part.any_of, name, labels)).collect();
        if mine.is_empty() {
            return Place::Nowhere;
        }
        let kept = labels
            .shared()
            .iter()
            .filter(|(label, _)| mine.iter().any(|part| part.by.iter().any(|by| **by == **label)));
        let ids: Vec<&str> = mine.iter().map(|part| part.id.as_str()).collect();
        Place::Sum(Labels::from_pairs(kept.cloned()).with(PARTS, &ids.join(",")))
    }
}

/// Where a series goes.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Place {
    /// It is kept as it is.
    Whole,
    /// It is added to the series of these labels.
    Sum(Labels),
    /// No query reads it.
    Nowhere,
}

/// The parts of a name, each once; `None` where all its series are needed.
fn parts(uses: Vec<Use>) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for used in uses {
        let Use::Sum { any_of, by } = used else { return None };
        let words = format!("{any_of:?} {by:?}");
        let id = format!("{:08x}", stable_hash(&["part", &words]) & 0xffff_ffff);
        if !parts.iter().any(|part| part.id == id) {
            parts.push(Part { id, any_of, by });
        }
    }
    parts.sort_by(|a, b| a.id.cmp(&b.id));
    Some(parts)
}

/// Whether one of the lists matches whole.
pub(crate) fn is_match(any_of: &[Vec<Matcher>], series: &str, labels: &Labels) -> bool {
    any_of.iter().any(|matchers| {
        matchers.iter().all(|matcher| match &*matcher.name {
            "__name__" => matcher.is_match(series),
            name => matcher.is_match(labels.get(name).unwrap_or("")),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Feed, Series, Table, Wanted, read_page};
    use crate::model::{MINUTE, Timestamp};

    fn query(text: &str) -> Query {
        Query::compile_ranged(text, MINUTE).expect("a query")
    }

    /// Feeds pages, 15 s apart, and gives how many series are kept of `x` and
    /// what the query comes to at the last.
    fn fed(text: &str, others: &[&str], pages: &[&str]) -> (usize, Vec<(String, f64)>) {
        let mut queries: Vec<Query> =
            std::iter::once(text).chain(others.iter().copied()).map(query).collect();
        let (mut series, mut feed, mut table) = (Series::new(), Feed::new(), Table::default());
        series.keep_parts(Parts::of(queries.iter_mut(), []));
        let wanted = Wanted::names(["x"].into_iter());
        let mut at = Timestamp::from_millis(1_000_000);
        for page in pages {
            at += MINUTE / 4;
            let page = read_page(page.as_bytes(), None, &wanted, &mut table).expect("a page");
            feed.take(&mut series, &"a".into(), &page, at);
        }
        let mode = crate::metrics::promql::Mode::Anchored;
        let found = queries[0].eval_over(&series, at, mode, MINUTE).expect("a value");
        let found = found.into_iter().map(|(labels, value)| (labels.to_string(), value));
        (series.named("x").count(), found.collect())
    }

    const PAGES: [&str; 3] = [
        "x{p=\"/a\",s=\"200\"} 100\nx{p=\"/a\",s=\"500\"} 7\nx{p=\"/b\",s=\"200\"} 50\n",
        // One counter begins again, one is new, one stands still.
        "x{p=\"/a\",s=\"200\"} 3\nx{p=\"/a\",s=\"500\"} 9\n\
         x{p=\"/b\",s=\"200\"} 50\nx{p=\"/b\",s=\"500\"} 4\n",
        "x{p=\"/a\",s=\"200\"} 5\nx{p=\"/a\",s=\"500\"} 9\n\
         x{p=\"/b\",s=\"200\"} 60\nx{p=\"/b\",s=\"500\"} 4\n",
    ];

    #[test]
    fn keeps_one_series_for_all_that_is_only_ever_summed() {
        let all = "sum(increase(x[$range]))";
        assert_eq!(fed(all, &[], &PAGES), (1, vec![("{}".into(), 3.0 + 2.0 + 2.0 + 10.0 + 4.0)]));
        let bad = "sum(rate(x{s=~\"5..\"}[$range]))";
        assert_eq!(fed(bad, &[all], &PAGES), (2, vec![("{}".into(), 6.0 / 60.0)]));
        let by = "sum by (s) (increase(x[$range]))";
        let each = vec![("{s=\"200\"}".into(), 15.0), ("{s=\"500\"}".into(), 6.0)];
        assert_eq!(fed(by, &[bad], &PAGES), (2, each));
    }

    #[test]
    fn means_the_same_as_the_series_themselves() {
        for text in ["sum(increase(x[$range]))", "sum by (p) (increase(x{s=\"200\"}[$range]))"] {
            let (kept, value) = fed(text, &[], &PAGES);
            let (whole, same) = fed(text, &["max(x)"], &PAGES);
            assert_eq!((value, whole), (same, 4), "{text}");
            assert!(kept < whole);
        }
    }

    #[test]
    fn keeps_nothing_of_a_name_that_nobody_reads() {
        let mut read = query("max(y)");
        let labels = Labels::from_pairs([("p", "/a")]);
        let parts = Parts::of([&mut read].into_iter(), ["target_info".to_owned()]);
        let places = ["x", "y", "target_info"].map(|name| parts.place(name, &labels));
        assert_eq!(places, [Place::Nowhere, Place::Whole, Place::Whole]);
        assert_eq!(Parts::default().place("x", &labels), Place::Whole);
    }
}
