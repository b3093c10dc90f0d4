//! Bounds that are shares of a baseline: `"1.5x baseline"`.

use super::rules::bound;
use super::walk::Value;
use crate::judge::{Bound, Rule};
use crate::metrics::Unit;

/// How many bounds of a value are shares of a baseline.
pub(super) fn shares(value: &Value) -> usize {
    let entries = value.entries_if_table();
    let texts = entries.iter().map(|(_, value)| value.as_text()).chain([value.as_text()]);
    texts.flatten().filter(|text| is_share(text)).count()
}

/// All bounds of a rule are shares, or none is; and the baseline meets them.
pub(super) fn hold_to_baseline(value: &Value, rule: &Rule) {
    if value.is_table() && shares(value) < value.entries_if_table().len() {
        value.error("mixes shares of a baseline with other bounds; write one or the other");
        return;
    }
    let all = rule.by_window.iter().map(|(_, bound)| *bound).chain([rule.bound]);
    let side = all.into_iter().find_map(|bound| match bound {
        // Of one that could not be read nothing but that is told.
        Bound::Above(factor) if factor > 0.0 && factor <= 1.0 => Some("above with more"),
        Bound::Below(factor) if factor >= 1.0 => Some("below with less"),
        Bound::Above(_) | Bound::Below(_) | Bound::Expression => None,
    });
    if let Some(side) = side {
        value.error(format!("the baseline itself would break this; write {side} than 1x"));
    }
}

fn is_share(text: &str) -> bool {
    text.contains("base") // no unit does: what is misspelled here is told in words of a baseline
}

/// A bound of a rule: a number with or without its unit, or the factor in `"1.5x baseline"`.
pub(super) fn limit(value: &Value, unit: Option<Unit>) -> Option<f64> {
    let Some(text) = value.as_text().filter(|text| is_share(text)) else {
        return bound(value, unit);
    };
    let factor = text.trim_end().strip_suffix("baseline").map(str::trim_end);
    let factor = factor.and_then(|text| text.strip_suffix('x')?.trim().parse::<f64>().ok());
    let factor = factor.filter(|factor| factor.is_finite() && *factor > 0.0);
    if factor.is_none() {
        value.error(format!("{text:?} is no share of a baseline; write \"1.5x baseline\""));
    }
    factor
}
