//! Who was told, with receipts.

use crate::model::{Name, Timestamp};
use crate::record::{Deliveries, Rehearsal, Summary};
use crate::report::page::{Section, Side, Table, Text, Tone};
use crate::report::show;

/// Each channel.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let mut paragraphs = Vec::new();
    if summary.deliveries.is_empty() {
        paragraphs.push(Text::new(Tone::Warn, "No channel is set up: nobody is told of alerts."));
    }
    if !summary.deliveries.is_empty() {
        paragraphs.extend(rehearsed(summary));
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

/// Whether a test alert was received, as the production checklist asks.
fn rehearsed(summary: &Summary) -> Vec<Text> {
    let Some(rehearsal) = &summary.rehearsal else {
        let line = "No test alert was sent before: `bakewatch rehearse` sends one through every \
                    channel.";
        return vec![Text::new(Tone::Quiet, line)];
    };
    let tested = rehearsal.by_channel();
    let took = tested.iter().filter(|(_, missed)| missed.is_none());
    let took: Vec<&str> = took.map(|(channel, _)| channel.as_str()).collect();
    let at = show::instant_exact(rehearsal.at);
    let mut lines = Vec::new();
    if !took.is_empty() {
        let took = took.join(", ");
        lines.push(Text::new(Tone::Good, format!("Test alert received {at}: {took}.")));
    }
    lines.extend(seen(rehearsal));
    for (channel, missed) in &tested {
        if let Some(letter) = missed {
            let (stage, answer) = (letter.stage.as_str(), &letter.answer);
            let line = format!("Test alert not received {at}: {channel}, {stage}: {answer}.");
            lines.push(Text::new(Tone::Bad, line));
        }
    }
    let is_tested = |name: &Name| tested.iter().any(|(channel, _)| *channel == name);
    let others = summary.deliveries.iter().filter(|one| !is_tested(&one.channel));
    let others: Vec<&str> = others.map(|one| one.channel.as_str()).collect();
    if !others.is_empty() {
        let line = format!("Not tested: {}.", others.join(", "));
        lines.push(Text::new(Tone::Warn, line));
    }
    lines
}

/// Whether it came to where people look, where they were asked.
fn seen(rehearsal: &Rehearsal) -> Vec<Text> {
    let (seen, unseen): (Vec<_>, Vec<_>) =
        rehearsal.seen().into_iter().partition(|(_, at)| at.is_some());
    let with_time = |(channel, at): &(&Name, Option<Timestamp>)| match at {
        Some(at) => format!("{channel} {}", show::instant_exact(*at)),
        None => channel.to_string(),
    };
    let all = |some: &[(&Name, Option<Timestamp>)]| {
        some.iter().map(with_time).collect::<Vec<_>>().join(", ")
    };
    let mut lines = Vec::new();
    if !seen.is_empty() {
        lines.push(Text::new(Tone::Good, format!("Seen by a person: {}.", all(&seen))));
    }
    if !unseen.is_empty() {
        let line = format!("Not confirmed by a person: {}.", all(&unseen));
        lines.push(Text::new(Tone::Warn, line));
    }
    lines
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
