//! Chats: what a message says, before a chat's own markup. Each has limits of
//! its own: what does not fit is told in a line, and then cut with a mark.

pub mod discord;
pub mod ntfy;
pub mod slack;
pub mod teams;

use crate::metrics::show;
use crate::model::{Severity, Verdict};
use crate::notify::card::{Card, Row, Tone, cards, footer, row};
use crate::notify::digest::{Content, Digest};
use crate::notify::words::{self, NAME_CHARS_MAX, TEXT_CHARS_MAX, cut};
use crate::record::{SignalSummary, Summary};

/// Signals that a summary's card shows; the report has all.
const SIGNALS_MAX: usize = 10;

/// Reasons of a verdict, in a sentence each.
const REASONS_MAX: usize = 5;

/// What a message says.
#[derive(Clone, Debug)]
struct Sheet {
    /// `FIRING critical: chat-agent v1.2.3: HighErrorRate`.
    title: String,
    tone: Tone,
    severity: Option<Severity>,
    cards: Vec<Card>,
    /// What is told in a line each.
    lines: Vec<String>,
    footer: Vec<Row>,
}

/// A digest with at most so many cards.
fn sheet(digest: &Digest, cards_max: usize) -> Sheet {
    let headline = words::headline(digest);
    let short = |name: &crate::model::Name| cut(name.as_str(), NAME_CHARS_MAX);
    let (service, version) = (short(&digest.release.service), short(&digest.release.version));
    let tag = match (&digest.content, headline.severity) {
        (Content::News { .. }, Some(severity)) => format!("{} {severity}", headline.tag),
        _ => headline.tag.to_owned(),
    };
    let (mut cards, mut lines) = cards(digest, cards_max);
    if let Content::Summary(summary) = &digest.content {
        match cards_max {
            0 => lines.extend(summary.reasons.first().map(|why| cut(&why.text, TEXT_CHARS_MAX))),
            _ => cards.push(of_summary(summary, headline.tag, &headline.about)),
        }
    }
    let tone = match (cards.first(), &digest.content) {
        (Some(first), _) => first.tone,
        (None, Content::Smoke(_)) => Tone::Bad,
        (None, _) => Tone::Plain,
    };
    Sheet {
        title: format!("{tag}: {service} {version}: {}", headline.about),
        tone,
        severity: headline.severity,
        cards,
        lines,
        footer: footer(digest),
    }
}

/// A summary in short: its verdict, why, and what was measured.
fn of_summary(summary: &Summary, tag: &str, about: &str) -> Card {
    let tone = match summary.verdict {
        Verdict::Healthy => Tone::Good,
        Verdict::Degraded | Verdict::Inconclusive => Tone::Warn,
        Verdict::Failed => Tone::Bad,
    };
    let reasons = summary.reasons.iter().take(REASONS_MAX);
    let reasons = reasons.map(|reason| cut(&reason.text, TEXT_CHARS_MAX));
    let mut lead = reasons.collect::<Vec<_>>().join("; ");
    if summary.reasons.len() > REASONS_MAX {
        lead.push_str(&format!("; and {} more reasons", summary.reasons.len() - REASONS_MAX));
    }
    let value = |signal: &SignalSummary| match (signal.overall, signal.missing) {
        (Some(value), _) => show(signal.unit, value.0),
        (None, Some(why)) => why.to_string(),
        (None, None) => "no data".to_owned(),
    };
    let shown = summary.signals.iter().take(SIGNALS_MAX);
    let mut rows: Vec<Row> = shown
        .map(|signal| row(&cut(signal.name.as_str(), NAME_CHARS_MAX), value(signal)))
        .collect();
    if summary.signals.len() > SIGNALS_MAX {
        let more = summary.signals.len() - SIGNALS_MAX;
        rows.push(row("signals", format!("{more} more in the report")));
    }
    rows.push(row("alerts", format!("{} fired", summary.alerts.len())));
    Card { tag: tag.to_owned(), tone, title: about.to_owned(), lead, rows }
}

/// A sign that is seen before anything is read.
fn sign(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "\u{1f534}",
        Tone::Warn => "\u{1f7e0}",
        Tone::Good => "\u{1f7e2}",
        Tone::Plain => "\u{1f535}",
    }
}

/// The most cards with which a body is small enough; with none it is cut to fit.
fn fitted<B>(
    digest: &Digest,
    counts: &[usize],
    compose: impl Fn(&Sheet) -> B,
    fits: impl Fn(&B) -> bool,
) -> B {
    let (last, before) = counts.split_last().expect("there is some count");
    let made = before.iter().map(|count| compose(&sheet(digest, *count)));
    made.into_iter().find(|body| fits(body)).unwrap_or_else(|| compose(&sheet(digest, *last)))
}

#[cfg(test)]
mod tests;
