//! What of an earlier release this one is held against.

use crate::record::Summary;
use crate::report::page::{Section, Text};

/// Each rule that goes by a baseline; nothing where none does.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let list: Vec<Text> = summary.baseline.iter().map(|line| Text::from(&**line)).collect();
    let said = "Bounds that are a share of what was measured before this release:";
    let paragraphs = vec![Text::from(said)];
    (!list.is_empty()).then(|| Section {
        title: "Baseline",
        paragraphs,
        list,
        ..Section::default()
    })
}
