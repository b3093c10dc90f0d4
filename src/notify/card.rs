//! News as cards: a tag, a title, a sentence, rows of facts. Written once and
//! shown by every medium that people read, so that none says less.

use super::digest::{Content, Digest, Notice, State, Telling};
use super::overview;
use super::words::{self, NAME_CHARS_MAX, TEXT_CHARS_MAX, cut};
use crate::check::StepResult;
use crate::model::{Severity, Span, Timestamp};
use crate::record::{AlertNews, Ending};

/// Told in a line each; the rest is counted.
const LINES_MAX: usize = 120;

/// One thing that is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Card {
    /// `FIRING critical`.
    pub tag: String,
    /// How it looks.
    pub tone: Tone,
    /// `HighErrorRate {path="/api/chat"}`.
    pub title: String,
    /// What is wrong, in the user's terms. May be empty.
    pub lead: String,
    /// What is known of it.
    pub rows: Vec<Row>,
}

/// A name and what it is; a link where it is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// `value`, `since`, …
    pub name: String,
    /// In words.
    pub value: String,
    /// Whether the value is an address to be followed.
    pub is_link: bool,
}

/// How bad a card looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Somebody is woken.
    Bad,
    /// Somebody should look.
    Warn,
    /// It is over.
    Good,
    /// Worth knowing.
    Plain,
}

/// A letter's cards, at most `cards_max`, then what is told in a line each.
pub fn cards(digest: &Digest, cards_max: usize) -> (Vec<Card>, Vec<String>) {
    let mut all: Vec<Card> = match &digest.content {
        Content::News { tellings, notices, .. } => {
            let alerts = tellings.iter().map(|telling| alert(digest, telling));
            alerts.chain(notices.iter().map(notice)).collect()
        }
        Content::Smoke(steps) => steps.iter().filter(|step| step.has_failed()).map(smoke).collect(),
        Content::Overview(overview) => vec![overview::card(overview)],
        Content::Released | Content::Summary(_) => Vec::new(),
    };
    let rest = all.split_off(all.len().min(cards_max));
    let mut lines: Vec<String> =
        rest.iter().take(LINES_MAX).map(|card| format!("{}: {}", card.tag, card.title)).collect();
    if rest.len() > LINES_MAX {
        lines.push(format!("and {} more", rest.len() - LINES_MAX));
    }
    (all, lines)
}

/// What the release is, and what burns besides.
pub fn footer(digest: &Digest) -> Vec<Row> {
    let release = digest.release;
    let short = |name: &crate::model::Name| cut(name.as_str(), NAME_CHARS_MAX);
    let name = format!("{} {}", short(&release.service), short(&release.version));
    let mut rows = vec![
        row("release", format!("{name}, out since {}", release.at.for_people())),
        link("service", digest.url),
    ];
    if let Content::News { others, reason, .. } = &digest.content {
        rows.push(row("also firing", also_firing(others)));
        let why = [reason.map(|reason| reason.as_str()), digest.waited.map(words::waited)];
        let why: Vec<&str> = why.into_iter().flatten().collect();
        if !why.is_empty() {
            rows.push(row("reason", why.join(", ")));
        }
    }
    rows
}

fn also_firing(others: &[&AlertNews]) -> String {
    const NAMED_MAX: usize = 10;
    let named = others.iter().take(NAMED_MAX);
    let named = named.map(|alert| {
        let acked = alert.insisting.acked.as_ref();
        let acked = acked.map(|ack| format!(", acknowledged by {}", words::by(ack)));
        let (name, severity) = (words::alert_name(alert), alert.severity);
        format!("{name} ({severity}{})", acked.unwrap_or_default())
    });
    let mut parts: Vec<String> = named.collect();
    if others.len() > NAMED_MAX {
        parts.push(format!("{} more", others.len() - NAMED_MAX));
    }
    if parts.is_empty() { "nothing else".to_owned() } else { parts.join(", ") }
}

fn alert(digest: &Digest, telling: &Telling) -> Card {
    let news = telling.alert;
    let tone = match (telling.state, news.severity) {
        (State::Resolved, _) => Tone::Good,
        (State::Firing, Severity::Critical) => Tone::Bad,
        (State::Firing, Severity::Warning) => Tone::Warn,
        (State::Firing, Severity::Info) | (State::Closed, _) => Tone::Plain,
    };
    let is_firing = telling.state == State::Firing;
    let mut rows = vec![
        row(&words::signal(news), words::value_against_bound(news, is_firing)),
        row("since", with_delay(news.since, digest.release.at, "the release")),
        row("fired", with_delay(news.fired_at, news.since, "the first breach")),
    ];
    if let Some(ended) = news.ended_at {
        let what = if telling.state == State::Closed { "closed" } else { "resolved" };
        rows.push(row(what, with_delay(ended, news.fired_at, "firing")));
        rows.push(row("worst", words::breach(news, news.peak.0)));
    }
    rows.extend(acked_row(news));
    rows.extend(label_row(news));
    rows.extend(news.runbook.as_deref().map(|runbook| link("runbook", runbook)));
    let mut lead = vec![sentence(&news.summary)];
    if telling.state == State::Closed {
        lead.push(closing(news, digest.ending));
    }
    lead.extend(words::course(telling));
    lead.extend(words::insistence(telling, digest.at));
    Card {
        tag: format!("{} {}", words::tag(telling.state), news.severity),
        tone,
        title: words::alert_name(news),
        lead: lead.join(" ").trim().to_owned(),
        rows,
    }
}

fn closing(news: &AlertNews, ending: Option<&Ending>) -> String {
    if news.is_rule_removed {
        return "Its rule was removed from the configuration while it was firing.".to_owned();
    }
    match ending {
        Some(Ending::Superseded { by }) => {
            let by = cut(by.as_str(), NAME_CHARS_MAX);
            format!("It was firing when {by} took this release's place.")
        }
        Some(Ending::Complete) | None => "It was firing when the watch ended.".to_owned(),
    }
}

/// `2026-11-25 01:22:00 UTC, 2m after the first breach`.
fn with_delay(at: Timestamp, from: Timestamp, what: &str) -> String {
    match to_seconds(at.since(from)) {
        Span::ZERO => format!("{}, at {what}", at.for_people()),
        // An incident that the release before handed on.
        early if early < Span::ZERO => {
            format!("{}, {} before {what}", at.for_people(), to_seconds(from.since(at)))
        }
        delay => format!("{}, {delay} after {what}", at.for_people()),
    }
}

/// People read seconds; a millisecond beside them is noise.
fn to_seconds(span: Span) -> Span {
    Span::from_secs(span.millis().div_euclid(1000))
}

/// Who is on it.
fn acked_row(news: &AlertNews) -> Option<Row> {
    let ack = news.insisting.acked.as_ref()?;
    let mut text = format!("by {}, {}", words::by(ack), ack.at.for_people());
    if !ack.comment.is_empty() {
        text.push_str(&format!(": {}", cut(&ack.comment, TEXT_CHARS_MAX)));
    }
    Some(row("acknowledged", text))
}

fn label_row(news: &AlertNews) -> Option<Row> {
    let (labels, left_out) = words::labels(&news.all_labels());
    if labels.is_empty() {
        return None;
    }
    let shown: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let more = if left_out == 0 { String::new() } else { format!(", and {left_out} more") };
    let shown = cut(&shown.join(", "), TEXT_CHARS_MAX);
    Some(row("labels", format!("{shown}{more}")))
}

fn notice(notice: &Notice) -> Card {
    let tone = match notice.severity {
        Severity::Critical => Tone::Bad,
        Severity::Warning => Tone::Warn,
        Severity::Info => Tone::Plain,
    };
    let mut lead = capitalised(&sentence(notice.text));
    if notice.times > 1 {
        lead.push_str(&format!(" This came {} times.", notice.times));
    }
    Card {
        tag: format!("NOTICE {}", notice.severity),
        tone,
        title: "bakewatch itself".to_owned(),
        lead,
        rows: Vec::new(),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn smoke(step: &StepResult) -> Card {
    let (what, tone) = if step.must { ("must", Tone::Bad) } else { ("should", Tone::Warn) };
    let tries =
        if step.attempts == 1 { "1 try".to_owned() } else { format!("{} tries", step.attempts) };
    let mut rows: Vec<Row> =
        words::misses(step).into_iter().map(|miss| row("failed", miss)).collect();
    rows.push(row("tried", format!("{tries}, the last took {}", step.elapsed)));
    let title = cut(step.step.as_str(), NAME_CHARS_MAX);
    Card { tag: format!("FAILED {what}"), tone, title, lead: String::new(), rows }
}

/// A row of plain words.
pub fn row(name: &str, value: String) -> Row {
    Row { name: name.to_owned(), value, is_link: false }
}

/// Followed only where a browser would be opened for it: never `javascript:`.
fn link(name: &str, address: &str) -> Row {
    let value = cut(address, TEXT_CHARS_MAX);
    let is_link = ["https://", "http://"].iter().any(|scheme| value.starts_with(scheme));
    Row { name: name.to_owned(), value, is_link }
}

/// With a full stop, so that another sentence can follow.
fn sentence(text: &str) -> String {
    let text = cut(text.trim(), TEXT_CHARS_MAX);
    let is_whole = text.is_empty() || text.ends_with(['.', '!', '?', '…']);
    if is_whole { text } else { text + "." }
}
