//! Why the verdict is what it is.

use crate::record::Summary;
use crate::report::page::{Section, Side, Table, Text, Tone};

/// Each reason beside its evidence.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let tone = Tone::of_verdict(summary.verdict);
    let rows = summary.reasons.iter().enumerate().map(|(index, reason)| {
        let tone = if index == 0 { tone } else { Tone::Plain };
        vec![Text::new(tone, &*reason.text), Text::from(&*reason.evidence)]
    });
    Some(Section {
        title: "Why",
        table: Some(Table {
            caption: "Reasons for the verdict, most telling first",
            columns: vec![("Reason", Side::Left), ("Evidence", Side::Left)],
            rows: rows.collect(),
        }),
        ..Section::default()
    })
}
