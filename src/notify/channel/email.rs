//! Mails: subject, text and HTML alike in content, and the headers that let
//! mail programs thread, filter and not answer them.

mod figure;
mod html;

use self::figure::{Figure, figures};
use crate::model::Name;
use crate::notify::card::{Card, Row, cards, footer};
use crate::notify::digest::{Content, Digest};
use crate::notify::letter::{Body, hex_of};
use crate::notify::words::{self, Headline, NAME_CHARS_MAX, cut};
use crate::report;

/// Characters of a subject; phones show some 40, nobody shows more than this.
const SUBJECT_CHARS_MAX: usize = 180;

/// Mail programs clip what is larger (Gmail at about 102 kB).
const HTML_BYTES_MAX: usize = 100_000;

/// Cards in a mail, the rest in a line each; fewer where the page is too large.
const CARDS_MAX: [usize; 3] = [20, 5, 0];

/// Roots in `References`; more would break the line length that RFC 5322 sets.
const ROOTS_MAX: usize = 8;

/// Of ids that are no addresses: a domain that RFC 2606 keeps from existing.
const DOMAIN: &str = "bakewatch.invalid";

/// A digest as a mail.
pub fn compose(digest: &Digest) -> Body {
    let headline = words::headline(digest);
    let subject = subject(digest, &headline);
    let figures = figures(digest);
    let (text, html) = match &digest.content {
        Content::Summary(summary) => (report::text(summary), report::mail_html(summary)),
        Content::News { .. } | Content::Released | Content::Smoke(_) | Content::Overview(_) => {
            news(digest, &subject, &figures)
        }
    };
    // A report's own page is small; this is for what nobody foresaw.
    let is_small = html.len() <= HTML_BYTES_MAX;
    let html = if is_small { html } else { html::of_text(&subject, &cut_lines(&text)) };
    // A picture that the page does not show would be an attachment.
    let shown = figures.iter().filter(|one| html.contains(&format!("cid:{}", one.id)));
    let images = shown.map(Figure::image).collect();
    Body::Mail { headers: headers(digest, &headline), subject, text, html, images }
}

/// `[FIRING critical] chat-agent v1.2.3: HighErrorRate`.
fn subject(digest: &Digest, headline: &Headline) -> String {
    let tag = match (&digest.content, headline.severity) {
        (Content::News { .. }, Some(severity)) => format!("{} {severity}", headline.tag),
        (
            Content::News { .. }
            | Content::Released
            | Content::Smoke(_)
            | Content::Summary(_)
            | Content::Overview(_),
            _,
        ) => headline.tag.to_owned(),
    };
    let about = &headline.about;
    cut(&format!("[{tag}] {}: {about}", release_name(digest)), SUBJECT_CHARS_MAX)
}

fn release_name(digest: &Digest) -> String {
    let short = |name: &Name| cut(name.as_str(), NAME_CHARS_MAX);
    format!("{} {}", short(&digest.release.service), short(&digest.release.version))
}

/// Text and HTML, with as many cards as fit.
fn news(digest: &Digest, subject: &str, figures: &[Figure]) -> (String, String) {
    let footer = footer(digest);
    let mut both = (String::new(), String::new());
    for cards_max in CARDS_MAX {
        let (cards, lines) = cards(digest, cards_max);
        both = (
            text(&cards, figures, &lines, &footer),
            html::page(subject, &cards, figures, &lines, &footer),
        );
        if both.1.len() <= HTML_BYTES_MAX {
            break;
        }
    }
    both
}

/// The start of a text, such that it fits into a page with each of its
/// characters escaped, and says that it is the start.
fn cut_lines(text: &str) -> String {
    const CHARS_MAX: usize = HTML_BYTES_MAX / 7;
    let mut start: String = text.chars().take(CHARS_MAX).collect();
    if start.len() < text.len() {
        start.push_str("…\nThe rest is in the plain text of this mail.");
    }
    start
}

fn text(cards: &[Card], figures: &[Figure], lines: &[String], footer: &[Row]) -> String {
    let mut out = String::new();
    for (index, card) in cards.iter().enumerate() {
        out.push_str(&format!("{}: {}\n", card.tag, card.title));
        if !card.lead.is_empty() {
            out.push_str(&format!("{}\n", card.lead));
        }
        out.push('\n');
        text_rows(&mut out, &card.rows);
        for figure in figures.iter().filter(|figure| figure.card == index) {
            out.push_str(&format!("{}\n\n", figure.about));
            let width = figure.rows.iter().map(|(when, _)| when.chars().count()).max();
            let width = width.unwrap_or(0);
            for (when, value) in &figure.rows {
                out.push_str(&format!("  {when:width$}  {value}\n"));
            }
            out.push('\n');
        }
    }
    if !lines.is_empty() {
        lines.iter().for_each(|line| out.push_str(&format!("{line}\n")));
        out.push('\n');
    }
    out.push_str("-- \n"); // what follows is folded away by mail programs
    text_rows(&mut out, footer);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn text_rows(out: &mut String, rows: &[Row]) {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in rows {
        out.push_str(&format!("  {:width$}  {}\n", row.name, row.value));
    }
    if !rows.is_empty() {
        out.push('\n');
    }
}

/// In a fixed order. Nothing in a value can end its line: all went through `cut`.
fn headers(digest: &Digest, headline: &Headline) -> Vec<(String, String)> {
    let roots = roots(digest);
    let mut headers = vec![
        ("In-Reply-To", roots[0].clone()),
        ("References", roots.join(" ")),
        ("Auto-Submitted", "auto-generated".to_owned()), // RFC 3834
        ("X-Auto-Response-Suppress", "All".to_owned()),  // Exchange
        ("List-Id", list_id(digest)),
        ("X-Bakewatch-Release", ascii(&release_name(digest))),
        ("X-Bakewatch-Status", headline.tag.to_lowercase().replace(' ', "-")),
    ];
    if let Some(severity) = headline.severity {
        headers.push(("X-Bakewatch-Severity", severity.to_string()));
    }
    if let Content::News { tellings, reason, .. } = &digest.content {
        headers.extend(reason.map(|why| ("X-Bakewatch-Reason", why.as_str().to_owned())));
        // One header: mail libraries keep one of a name.
        let named = tellings.iter().take(ROOTS_MAX);
        let named: Vec<String> = named.map(|telling| ascii(&telling.alert.incident)).collect();
        if !named.is_empty() {
            headers.push(("X-Bakewatch-Incident", named.join("; ")));
        }
    }
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What this mail answers: for each incident a root that no mail bears, so
/// that a thread holds even if its first mail was lost, and over releases. All
/// that is about the release as a whole hangs on one root more.
fn roots(digest: &Digest) -> Vec<String> {
    let root = |of: &str, incident: &str| {
        format!("<incident-{}@{DOMAIN}>", &hex_of(["thread", of, incident])[..32])
    };
    let service = digest.release.service.as_str();
    match &digest.content {
        Content::News { tellings, .. } if !tellings.is_empty() => {
            let named = tellings.iter().take(ROOTS_MAX);
            named.map(|telling| root(service, &telling.alert.incident)).collect()
        }
        Content::News { .. }
        | Content::Released
        | Content::Smoke(_)
        | Content::Summary(_)
        | Content::Overview(_) => {
            vec![root(&digest.release.watch().to_string(), "")]
        }
    }
}

/// RFC 2919: one list a watch, and a common end for all of a service, so that
/// a filter can take either.
fn list_id(digest: &Digest) -> String {
    let label = |name: &Name| {
        let kept = name.as_str().chars().take(60).map(|char| match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' => char.to_ascii_lowercase(),
            _ => '-',
        });
        let label = kept.collect::<String>();
        let label = label.trim_matches('-');
        if label.is_empty() { "x".to_owned() } else { label.to_owned() }
    };
    let (service, version) = (label(&digest.release.service), label(&digest.release.version));
    format!("<{version}.{service}.{DOMAIN}>")
}

/// Further headers are sent as they are: `?` for what is not ASCII.
fn ascii(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii() { char } else { '?' }).collect()
}

#[cfg(test)]
mod tests;
