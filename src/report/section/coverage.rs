//! How much of the window was seen, and what was not.

use crate::judge::verdict::is_enough;
use crate::model::{MINUTE, Span};
use crate::record::{Blind, Summary};
use crate::report::page::{Section, Side, Table, Text, Tone};
use crate::report::show;

/// A table of more stretches than this is read by nobody; the longest are told.
const STRETCHES_MAX: usize = 12;

/// The share seen, and the blind stretches.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let coverage = &summary.coverage;
    let span = |blind: &Blind| blind.to.since(blind.from);
    let total = coverage.blind.iter().fold(Span::ZERO, |sum, blind| sum + span(blind));
    let ratio = coverage.health_ratio.0;
    let tone = if is_enough(ratio) { Tone::Plain } else { Tone::Unknown };
    let mut paragraphs = vec![Text::new(
        tone,
        format!("The health of the service was known for {} of the window.", show::share(ratio)),
    )];
    paragraphs.push(match coverage.blind.len() {
        0 => Text::from("Somebody looked all the time."),
        n => Text::from(format!(
            "Nobody looked for {} in all ({}).",
            show::length(total),
            show::plural(n, "stretch").replace("stretchs", "stretches")
        )),
    });
    // A turn of the loop that was cut short is no news; the sentence above has it.
    let mut told: Vec<&Blind> = coverage.blind.iter().filter(|b| span(b) >= MINUTE).collect();
    if told.len() > STRETCHES_MAX {
        told.sort_by_key(|blind| std::cmp::Reverse(span(blind)));
        told.truncate(STRETCHES_MAX);
        told.sort_by_key(|blind| blind.from);
        paragraphs.push(Text::new(Tone::Quiet, "The longest of them:"));
    }
    let row = |blind: &&Blind| {
        vec![
            Text::from(show::instant_exact(blind.from)),
            Text::from(show::length(span(blind))),
            Text::from(&*blind.why),
        ]
    };
    Some(Section {
        title: "Coverage",
        paragraphs,
        table: Some(Table {
            caption: "Stretches in which nobody looked",
            columns: vec![("From (UTC)", Side::Left), ("Length", Side::Right), ("Why", Side::Left)],
            rows: told.iter().map(row).collect(),
        }),
        ..Section::default()
    })
}
