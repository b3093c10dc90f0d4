//! What stands above the sections: what was watched, and its few main numbers.

use crate::judge::verdict::is_enough;
use crate::metrics::Unit;
use crate::model::MINUTE;
use crate::record::{SignalSummary, Summary};
use crate::report::page::{Figure, Text, Tone, tone, unjudged, value};
use crate::report::show;

/// A letter's subject and a page's title: `chat-agent v1.2.3: first-day healthy`.
pub fn subject(summary: &Summary) -> String {
    let what = match &summary.superseded {
        Some(superseded) => format!("superseded by {},", superseded.by),
        None => summary.window.to_string(),
    };
    let release = &summary.release;
    format!("{} {}: {what} {}", release.service, release.version, summary.verdict)
}

/// The window in words: `first-day: 24 Nov 2026 09:00 to 25 Nov 2026 09:00 UTC (1d)`.
pub fn headline(summary: &Summary) -> String {
    let at = |time| show::strftime(time, "%-d %b %Y %H:%M");
    let mut aside = Vec::new();
    let length = show::length(summary.to.since(summary.from));
    if let Some(superseded) = &summary.superseded {
        let (from, to) = (at(summary.from), at(summary.to));
        return format!("superseded by {} after {length}: {from} to {to} UTC", superseded.by);
    }
    if summary.window != *length {
        aside.push(length);
    }
    if summary.late_by > MINUTE {
        aside.push(format!("written {} late", show::length(summary.late_by)));
    }
    let aside = if aside.is_empty() { String::new() } else { format!(" ({})", aside.join(", ")) };
    format!("{}: {} to {} UTC{aside}", summary.window, at(summary.from), at(summary.to))
}

/// The numbers that a reader wants first.
pub fn figures(summary: &Summary) -> Vec<Figure> {
    let mut figures = vec![availability(summary)];
    figures.extend(signal(summary, "error_ratio", "Errors"));
    figures.extend(signal(summary, "latency_p99", "Latency p99"));
    figures.push(alerts(summary));
    figures.push(coverage(summary));
    figures
}

fn availability(summary: &Summary) -> Figure {
    let known = &summary.availability;
    let (words, tone) = match known.ratio {
        Some(ratio) if known.failed == 0 => (show::share(ratio.0), Tone::Good),
        Some(ratio) => (show::share(ratio.0), Tone::Plain),
        None => ("not known".to_owned(), Tone::Unknown),
    };
    let probes = show::count((known.ok + known.failed) as f64);
    Figure {
        label: "Availability",
        value: Text::new(tone, words),
        note: format!("{probes} probes"),
    }
}

fn signal(summary: &Summary, name: &str, label: &'static str) -> Option<Figure> {
    let signal = summary.signals.iter().find(|signal| signal.name == *name)?;
    let overall = signal.overall.map(|overall| overall.0);
    let (words, note) = match (overall, signal.missing) {
        (Some(_), _) => (value(signal, overall), peak(signal)),
        (None, Some(why)) => ("not known".to_owned(), why.to_string()),
        (None, None) => ("not known".to_owned(), String::new()),
    };
    let tone = match overall {
        None => Tone::Unknown,
        Some(_) => tone(signal, overall),
    };
    Some(Figure { label, value: Text::new(tone, words), note })
}

fn peak(signal: &SignalSummary) -> String {
    format!("peak {}", value(signal, signal.max.map(|max| max.0)))
}

fn alerts(summary: &Summary) -> Figure {
    let worst = summary.alerts.iter().map(|alert| alert.severity).max();
    let burning = summary.alerts.iter().filter(|alert| alert.resolved_at.is_none()).count();
    let unjudged = unjudged(&summary.signals);
    let note = match (summary.alerts.len(), burning) {
        (_, 1..) if summary.alerts.iter().any(|alert| alert.goes_on) => {
            format!("{burning} not resolved")
        }
        (0, _) if unjudged > 0 => format!("{} not judged", show::plural(unjudged, "rule")),
        (0, _) => "none fired".to_owned(),
        (_, 0) => "all resolved".to_owned(),
        (_, n) => format!("{n} still firing"),
    };
    let calm = if unjudged > 0 { Tone::Unknown } else { Tone::Good };
    let words = show::show(Unit::Count, summary.alerts.len() as f64);
    let tone = worst.map_or(calm, Tone::of_severity);
    Figure { label: "Alerts", value: Text::new(tone, words), note }
}

fn coverage(summary: &Summary) -> Figure {
    let ratio = summary.coverage.health_ratio.0;
    let tone = if is_enough(ratio) { Tone::Plain } else { Tone::Unknown };
    let note = "of the window seen".to_owned();
    Figure { label: "Coverage", value: Text::new(tone, show::share(ratio)), note }
}
