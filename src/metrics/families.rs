//! All families of a page, for preset detection and for `check --live`.
//!
//! Grouping samples into histograms is `prometheus-parse`'s work. It is given
//! only what our lexer has accepted, made safe first: it would lose `{id}` in
//! a label value, names with `:` or quotes, and escapes, without a word.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use prometheus_parse::{Scrape, Value};

use super::{Family, Kind};
use crate::model::Number;

/// So many values of a label are remembered, to tell a status from a path.
const VALUES_MAX: usize = 8;

/// So many names are listed of a page; each costs memory beside the body, and
/// no service that we have met has a tenth of it.
pub(super) const NAMES_MAX: usize = 50_000;

/// Collects while a page is read.
#[derive(Default)]
pub(super) struct Families {
    /// There were more names than are listed.
    pub is_full: bool,
    declared: BTreeMap<String, Kind>,
    /// What is seen of each sample name: labels and some of their values.
    seen: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// The family and the bound of the bucket that is being read, if it is one
    /// that was not read before.
    current: Option<(String, String)>,
    /// Bounds as they are written, by family.
    bounds: BTreeMap<String, BTreeSet<String>>,
}

impl Families {
    /// A `# TYPE` line.
    pub fn declare(&mut self, name: &str, kind: &str) {
        let kind = match kind {
            "counter" => Kind::Counter,
            "gauge" => Kind::Gauge,
            "histogram" => Kind::Histogram,
            "summary" => Kind::Summary,
            _ => Kind::Untyped,
        };
        if self.declared.len() >= NAMES_MAX && !self.declared.contains_key(name) {
            self.is_full = true;
            return;
        }
        self.declared.insert(name.to_owned(), kind);
    }

    /// A sample's name and labels, unescaped.
    pub fn see(&mut self, name: &str, labels: &[(Cow<'_, str>, Cow<'_, str>)]) {
        self.current = None;
        if self.seen.len() >= NAMES_MAX && !self.seen.contains_key(name) {
            self.is_full = true;
            return;
        }
        let known = entry(&mut self.seen, name);
        for (label, value) in labels {
            let values = entry(known, label);
            if values.len() < VALUES_MAX && !values.contains(&**value) {
                values.insert(value.to_string());
            }
            if label == "le"
                && let Some(family) = name.strip_suffix("_bucket")
                && !self.bounds.get(family).is_some_and(|known| known.contains(&**value))
                && value.parse::<f64>().is_ok()
            {
                self.current = Some((family.to_owned(), value.to_string()));
            }
        }
    }

    /// The line that was seen last is good to its end.
    pub fn accept(&mut self) {
        if let Some((family, bound)) = self.current.take() {
            self.bounds.entry(family).or_default().insert(bound);
        }
    }

    /// The families, by name.
    pub fn finish(self) -> Vec<Family> {
        let bounds = self.all_bounds();
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        for (name, kind) in &self.declared {
            families.insert(
                name.clone(),
                Family { name: name.clone(), kind: *kind, ..Family::default() },
            );
        }
        for (sample, labels) in &self.seen {
            let name = self.family_of(sample);
            let family = families
                .entry(name.clone())
                .or_insert_with(|| Family { name: name.clone(), ..Family::default() });
            family.samples.push(sample.clone());
            for (label, values) in labels {
                merge(&mut family.labels, label, values);
            }
        }
        for (name, found) in bounds {
            if let Some(family) = families.get_mut(&name) {
                family.bounds = found;
            }
        }
        families.into_values().collect()
    }

    /// Which family a sample belongs to: the one that is declared, else itself
    /// (or what its `_bucket` says).
    fn family_of(&self, sample: &str) -> String {
        if self.declared.contains_key(sample) {
            return sample.to_owned();
        }
        for end in ["_bucket", "_sum", "_count", "_total", "_created", "_info"] {
            if let Some(base) = sample.strip_suffix(end)
                && self.declared.contains_key(base)
            {
                return base.to_owned();
            }
        }
        sample.strip_suffix("_bucket").unwrap_or(sample).to_owned()
    }

    /// The finite bounds of each histogram, rising. One line a bound is enough,
    /// under a name that is safe for the crate: `m0`, `m1`, … by family.
    fn all_bounds(&self) -> BTreeMap<String, Vec<Number>> {
        let families = || self.bounds.iter().enumerate();
        let types = families().map(|(index, _)| format!("# TYPE m{index} histogram"));
        let lines = families().flat_map(|(index, (_, bounds))| {
            bounds.iter().map(move |le| format!("m{index}_bucket{{le=\"{le}\"}} 0"))
        });
        // A fixed time: the crate's other door reads the clock.
        let Ok(scrape) = Scrape::parse_at(types.chain(lines).map(Ok), Default::default()) else {
            return BTreeMap::new();
        };
        let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for sample in scrape.samples {
            let Value::Histogram(buckets) = sample.value else { continue };
            let index = sample.metric.strip_prefix('m').and_then(|index| index.parse().ok());
            let family = index.and_then(|index: usize| self.bounds.keys().nth(index));
            let Some(family) = family else { continue };
            let bounds = buckets.iter().map(|bucket| bucket.less_than);
            found.entry(family.clone()).or_default().extend(bounds.filter(|b| b.is_finite()));
        }
        found
            .into_iter()
            .map(|(family, mut bounds)| {
                bounds.sort_by(f64::total_cmp);
                bounds.dedup();
                (family, bounds.into_iter().map(Number).collect())
            })
            .collect()
    }
}

/// What is known under a name, with nothing to begin with.
fn entry<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.get_mut(name).expect("it was just put there")
}

fn merge(labels: &mut Vec<(String, Vec<String>)>, label: &str, values: &BTreeSet<String>) {
    let at = labels.binary_search_by(|(known, _)| known.as_str().cmp(label));
    let at = at.unwrap_or_else(|at| {
        labels.insert(at, (label.to_owned(), Vec::new()));
        at
    });
    for value in values {
        let known = &mut labels[at].1;
        if known.len() < VALUES_MAX && !known.contains(value) {
            known.push(value.clone());
        }
    }
}
