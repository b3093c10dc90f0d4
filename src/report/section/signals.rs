//! What was measured: a table of all signals, and the course of each.

use crate::judge::verdict::is_enough;
use crate::model::Number;
use crate::record::{SignalSummary, Summary};
use crate::report::page::{Chart, Section, Shade, Side, Table, Text, Tone, tone, value};
use crate::report::show;

/// All signals.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let mut paragraphs = Vec::new();
    if summary.signals.iter().all(|signal| signal.missing.is_some()) {
        paragraphs.push(Text::new(Tone::Unknown, "Nothing was measured in this window."));
    }
    if summary.signals.iter().any(|signal| signal.required) {
        paragraphs.push(Text::new(Tone::Quiet, "A verdict needs the signals marked *."));
    }
    Some(Section {
        title: "Signals",
        paragraphs,
        table: Some(Table {
            caption: "Signals over the window",
            columns: vec![
                ("Signal", Side::Left),
                ("Overall", Side::Right),
                ("Least", Side::Right),
                ("Most", Side::Right),
                ("Bounds", Side::Left),
                ("Seen", Side::Right),
            ],
            rows: summary.signals.iter().map(row).collect(),
        }),
        charts: summary.signals.iter().filter_map(|signal| chart(summary, signal)).collect(),
        list: Vec::new(),
    })
}

fn row(signal: &SignalSummary) -> Vec<Text> {
    let star = if signal.required { " *" } else { "" };
    let seen = signal.evidence_ratio.0;
    let seen_tone = if signal.required && !is_enough(seen) { Tone::Unknown } else { Tone::Plain };
    let overall = match signal.missing {
        Some(why) => Text::new(Tone::Unknown, why.as_str()),
        None => number(signal, signal.overall),
    };
    vec![
        Text::from(format!("{}{star}", signal.name)),
        overall,
        number(signal, signal.min),
        number(signal, signal.max),
        Text::new(Tone::Quiet, bounds(signal)),
        Text::new(seen_tone, show::share(seen)),
    ]
}

fn number(signal: &SignalSummary, number: Option<Number>) -> Text {
    let number = number.map(|number| number.0);
    Text::new(tone(signal, number), value(signal, number))
}

/// `> 1%, > 5 %`, each once.
fn bounds(signal: &SignalSummary) -> String {
    let mut words: Vec<String> = Vec::new();
    for line in &signal.bounds {
        let sign = if line.above { ">" } else { "<" };
        let word = format!("{sign} {}", show::show(signal.unit, line.value.0));
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

fn chart(summary: &Summary, signal: &SignalSummary) -> Option<Chart> {
    if signal.missing.is_some() || signal.points.iter().all(|(_, value)| value.is_none()) {
        return None;
    }
    let shown = |number: Option<Number>| value(signal, number.map(|number| number.0));
    let events = signal.events.map(|events| format!(" · {} events", show::count(events.0)));
    let is_on = |rule: &crate::model::Name| signal.bounds.iter().any(|line| line.rule == *rule);
    let alerts = summary.alerts.iter().filter(|alert| is_on(&alert.rule));
    Some(Chart {
        title: signal.name.to_string(),
        note: format!(
            "overall {} · least {} · most {}{}",
            shown(signal.overall),
            shown(signal.min),
            shown(signal.max),
            events.unwrap_or_default()
        ),
        unit: signal.unit,
        from: summary.from,
        to: summary.to,
        points: signal.points.iter().map(|(at, value)| (*at, value.map(|v| v.0))).collect(),
        bounds: signal.bounds.clone(),
        shades: alerts
            .map(|alert| Shade {
                from: alert.fired_at.max(summary.from),
                to: alert.resolved_at.unwrap_or(summary.to).min(summary.to),
                label: alert.rule.to_string(),
                severity: alert.severity,
            })
            .collect(),
        blind: summary.coverage.blind.clone(),
    })
}
