//! Replicas together, and each target.

use crate::metrics::Unit;
use crate::model::Number;
use crate::record::{Summary, TargetSummary};
use crate::report::page::{Section, Side, Table, Text, Tone};
use crate::report::show;

/// How many were healthy, and how each target did.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let known = &summary.replicas;
    let count = |value: Option<Number>| show::show_known(Unit::Count, value);
    let said = match known.mean {
        None => Text::new(Tone::Unknown, "How many replicas were healthy is not known."),
        Some(_) => {
            let is_short = known.min.is_some_and(|min| min.0 < f64::from(known.expected));
            let tone = if is_short { Tone::Warn } else { Tone::Plain };
            let words = format!(
                "Healthy at once: {} at least, {} on average, {} at most; {} expected.",
                count(known.min),
                count(known.mean),
                count(known.max),
                known.expected
            );
            Text::new(tone, words)
        }
    };
    Some(Section {
        title: "Replicas and targets",
        paragraphs: vec![said],
        table: Some(Table {
            caption: "Targets",
            columns: vec![
                ("Target", Side::Left),
                ("Up", Side::Right),
                ("Scrapes read", Side::Right),
                ("At the end", Side::Left),
            ],
            rows: summary.targets.iter().map(row).collect(),
        }),
        ..Section::default()
    })
}

fn row(target: &TargetSummary) -> Vec<Text> {
    let share = |ratio: Option<Number>| match ratio {
        Some(ratio) => Text::from(show::share(ratio.0)),
        None => Text::new(Tone::Unknown, "not known"),
    };
    vec![
        Text::from(target.name.as_str()),
        share(target.availability),
        share(target.scraped),
        Text::from(&*target.health),
    ]
}
