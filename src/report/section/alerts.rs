//! What fired, how soon it was seen and how soon it was over.

use crate::metrics::Unit;
use crate::record::{AlertSummary, Summary};
use crate::report::page::{Section, Side, Table, Text, Tone, unjudged, value};
use crate::report::show;

/// Each alert in order of firing.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let mut paragraphs = Vec::new();
    match (summary.alerts.len(), unjudged(&summary.signals)) {
        (0, 0) => paragraphs.push(Text::new(Tone::Good, "No alert fired.")),
        (0, _) => paragraphs.push(Text::from("No alert fired.")),
        _ => {}
    }
    match unjudged(&summary.signals) {
        0 => {}
        n => paragraphs.push(Text::new(
            Tone::Unknown,
            format!("{} had nothing to judge in all the window.", show::plural(n, "rule")),
        )),
    }
    Some(Section {
        title: "Alerts",
        paragraphs,
        table: Some(Table {
            caption: "Alerts that fired, with times to detect and to recover",
            columns: vec![
                ("Alert", Side::Left),
                ("Severity", Side::Left),
                ("Fired (UTC)", Side::Left),
                ("Detected in", Side::Right),
                ("Recovered in", Side::Right),
                ("Worst", Side::Right),
            ],
            rows: summary.alerts.iter().map(|alert| row(summary, alert)).collect(),
        }),
        list: said(summary),
        ..Section::default()
    })
}

fn row(summary: &Summary, alert: &AlertSummary) -> Vec<Text> {
    let mut signals = summary.signals.iter();
    let signal = signals.find(|s| s.bounds.iter().any(|line| line.rule == alert.rule));
    let worst = match signal {
        Some(signal) => value(signal, Some(alert.peak.0)),
        None => show::show(Unit::Count, alert.peak.0),
    };
    let by = summary.superseded.as_ref().filter(|_| alert.goes_on);
    let recovered = match (alert.time_to_recover(), by) {
        (Some(span), _) => Text::from(show::length(span)),
        (None, Some(next)) => Text::new(Tone::Bad, format!("goes on under {}", next.by)),
        (None, None) => Text::new(Tone::Bad, "still firing"),
    };
    vec![
        Text::from(alert.labels.of(alert.rule.as_str())),
        Text::new(Tone::of_severity(alert.severity), alert.severity.as_str()),
        Text::from(show::instant_exact(alert.fired_at)),
        Text::from(show::length(alert.time_to_detect())),
        recovered,
        Text::from(worst),
    ]
}

/// Of an alert that is older than the release: whether it was seen under it.
fn inherited(alert: &AlertSummary) -> Option<Text> {
    let heritage = alert.heritage.as_ref()?;
    let (rule, from) = (&alert.rule, &heritage.from);
    let seen = match heritage.seen_at {
        Some(at) => format!("first broken under this one {}", show::instant_exact(at)),
        None => "not seen broken under this one".to_owned(),
    };
    Some(Text::from(format!("{rule}: began under {from}, {seen}")))
}

/// Who was on it, and how soon.
fn acknowledged(alert: &AlertSummary) -> Option<Text> {
    let ack = alert.acked.as_ref()?;
    let after = show::length(ack.at.since(alert.fired_at));
    let colon = if ack.comment.is_empty() { "" } else { ": " };
    let (rule, by, comment) = (&alert.rule, &ack.by, &ack.comment);
    Some(Text::from(format!("{rule}: acknowledged by {by} after {after}{colon}{comment}")))
}

/// When nobody was told, and why: it fired all the same.
fn held(alert: &AlertSummary) -> impl Iterator<Item = Text> {
    let name = alert.labels.of(alert.rule.as_str());
    alert.held.iter().map(move |one| {
        let from = show::instant_exact(one.from);
        let to = one.to.map_or("the end".to_owned(), show::instant_exact);
        let (reason, why) = (one.why.reason(), &one.why);
        let why = if *reason == why.to_string() { String::new() } else { format!(" ({why})") };
        Text::new(Tone::Warn, format!("{name}: not told from {from} to {to}: {reason}{why}"))
    })
}

/// What each rule says is wrong, once, where it comes from, who was on it, and
/// when nobody was told.
fn said(summary: &Summary) -> Vec<Text> {
    let mut lines: Vec<Text> = summary.alerts.iter().flat_map(held).collect();
    lines.extend(summary.alerts.iter().filter_map(inherited));
    lines.extend(summary.alerts.iter().filter_map(acknowledged));
    for alert in summary.alerts.iter().filter(|alert| !alert.summary.is_empty()) {
        let line = Text::from(format!("{}: {}", alert.rule, alert.summary));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}
