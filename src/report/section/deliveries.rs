//! Who was told, with receipts.

use crate::record::{Deliveries, Summary};
use crate::report::page::{Section, Side, Table, Text, Tone};

/// Each channel.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let mut paragraphs = Vec::new();
    if summary.deliveries.is_empty() {
        paragraphs.push(Text::new(Tone::Warn, "No channel is set up: nobody is told of alerts."));
    }
    Some(Section {
        title: "Deliveries",
        paragraphs,
        table: Some(Table {
            caption: "Letters by channel, up to the end of the window",
            columns: vec![
                ("Channel", Side::Left),
                ("Accepted", Side::Right),
                ("Failed tries", Side::Right),
                ("Not told yet", Side::Right),
                ("State", Side::Left),
            ],
            rows: summary.deliveries.iter().map(row).collect(),
        }),
        ..Section::default()
    })
}

fn row(channel: &Deliveries) -> Vec<Text> {
    let (tone, state) = match &channel.trouble {
        Some(trouble) => (Tone::Bad, trouble.as_str()),
        None if channel.accepted > 0 => (Tone::Good, "works"),
        None => (Tone::Quiet, "not used yet"),
    };
    let owed = if channel.owed > 0 { Tone::Warn } else { Tone::Plain };
    vec![
        Text::from(channel.channel.as_str()),
        Text::from(channel.accepted.to_string()),
        Text::from(channel.failed.to_string()),
        Text::new(owed, channel.owed.to_string()),
        Text::new(tone, state),
    ]
}
