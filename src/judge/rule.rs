//! A rule judges a signal: a bound, how long it has to be broken, and how
//! much evidence there has to be.

use serde::{Deserialize, Serialize};

use crate::model::{Labels, Name, Severity, Span};

/// The good side ends here.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// Broken by anything greater.
    Above(f64),
    /// Broken by anything smaller.
    Below(f64),
    /// Broken by whatever comes out of the rule's expression.
    Expression,
}

impl Bound {
    /// The number itself; an expression has none (NaN).
    pub fn value(self) -> f64 {
        match self {
            Bound::Above(bound) | Bound::Below(bound) => bound,
            Bound::Expression => f64::NAN,
        }
    }
}

/// That a rule's bounds are factors of what the last healthy release measured.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct OfBaseline {
    /// A bound that comes out lower is this one: twice next to nothing is
    /// still nothing that anybody should be woken for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
}

/// More alerts of one rule than this tell nobody more than that many do; all
/// that come after them wait, and it is told.
pub const ALERTS_MAX: u32 = 500;

/// What is known besides of a rule that was read from a file of Prometheus's.
/// Its summary, its runbook and its labels are templates.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Imported {
    /// What the file calls the alert; others may have that name too.
    pub alert: Name,
    /// The file.
    pub file: String,
    /// The group in it.
    pub group: String,
    /// The group's limit of alerts for a rule; 0: none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub limit: u32,
    /// All its annotations, as they are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<(String, String)>,
}

fn is_none(limit: &u32) -> bool {
    *limit == 0
}

/// What is judged, and how.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// The alert's name.
    pub name: Name,
    /// The signal it judges.
    pub signal: Name,
    /// For a histogram signal: which quantile is meant. It is judged by the
    /// share of events above the bound: `p99 > 10 s` is "more than 1% took
    /// longer than 10 s", which a histogram that ends at 10 s can show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile: Option<f64>,
    /// Where the good side ends.
    pub bound: Bound,
    /// Where it ends in some windows, while they are the shortest open one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_window: Vec<(Name, Bound)>,
    /// Whether these are factors of a baseline. Bounds as readings are held
    /// against them are the record's to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_baseline: Option<OfBaseline>,
    /// How long it has to be broken before it fires (`for`).
    pub hold: Span,
    /// How long it has to be calm before it resolves (`keep_firing_for`).
    pub recover: Span,
    /// Breaches in a row that are needed besides.
    pub breaches_min: u32,
    /// Calm readings in a row that are needed to resolve.
    pub calms_min: u32,
    /// Events in the range (a ratio's `den`, a histogram's count) below which
    /// there is nothing to judge.
    pub evidence_min: f64,
    /// How bad it is.
    pub severity: Severity,
    /// One line for whoever is told: what is wrong, in the user's terms.
    pub summary: String,
    /// Where the way out is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Labels of the user's own, which travel with what is told. They are no
    /// part of what tells one alert from another.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The file of Prometheus's rules that it is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

impl Rule {
    /// So many of its alerts are followed at a time.
    pub fn alerts_max(&self) -> usize {
        let limit = self.imported.as_ref().map_or(0, |imported| imported.limit);
        let most = if limit == 0 { ALERTS_MAX } else { limit.min(ALERTS_MAX) };
        most as usize
    }

    /// Its bound while these windows are open, shortest first.
    pub fn bound_in<'w>(&self, open: impl IntoIterator<Item = &'w Name>) -> Bound {
        let own = |window: &Name| self.by_window.iter().find(|(name, _)| name == window);
        open.into_iter().find_map(own).map_or(self.bound, |(_, bound)| *bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::pack::{Scope, pack};

    #[test]
    fn takes_the_bound_of_the_shortest_window_that_is_open_and_has_one() {
        let scope = Scope::of(&[]);
        let by_window = vec![("day".into(), Bound::Above(0.5)), ("week".into(), Bound::Above(0.3))];
        let rule = Rule { by_window, bound: Bound::Above(0.2), ..pack(scope).remove(1) };
        let bound = |open: &[&str]| {
            let open: Vec<Name> = open.iter().map(|name| Name::from(*name)).collect();
            rule.bound_in(&open).value()
        };
        assert_eq!(bound(&["hour", "day", "week", "month"]), 0.5);
        assert_eq!(bound(&["week", "month"]), 0.3);
        assert_eq!((bound(&["month"]), bound(&[])), (0.2, 0.2));
    }
}
