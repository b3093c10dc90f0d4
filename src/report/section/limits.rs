//! What this report rests on: the metrics that were found, the limits that
//! were hit and the rules that had nothing to judge.

use crate::record::Summary;
use crate::report::page::{Section, Text, Tone};

/// Limits first, then what the presets found.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let mut paragraphs = Vec::new();
    if summary.limits.is_empty() {
        paragraphs.push(Text::from("No limit was hit, and every rule had something to judge."));
    }
    let limits = summary.limits.iter().map(|line| Text::new(Tone::Warn, &**line));
    let matched = summary.matched.iter().map(|line| Text::from(&**line));
    Some(Section {
        title: "Limits and metrics",
        paragraphs,
        list: limits.chain(matched).collect(),
        ..Section::default()
    })
}
