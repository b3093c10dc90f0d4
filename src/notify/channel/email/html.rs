//! The HTML of a mail: tables and inline styles, since mail programs drop
//! style sheets; no colour for text and ground, so that light and dark hold.

use maud::{DOCTYPE, Markup, html};

use super::figure::Figure;
use crate::notify::card::{Card, Row, Tone};

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";

/// Columns of a figure's table.
const COLUMNS: usize = 3;

/// Cards with their figures, lines and footer as a page.
pub fn page(
    subject: &str,
    cards: &[Card],
    figures: &[Figure],
    lines: &[String],
    footer: &[Row],
) -> String {
    let body = html! {
        @for (index, card) in cards.iter().enumerate() {
            (card_html(card, figures.iter().find(|figure| figure.card == index)))
        }
        @if !lines.is_empty() {
            ul style="margin:0 0 20px;padding-left:20px;font-size:14px;line-height:1.6" {
                @for line in lines { li { (line) } }
            }
        }
        div style="border-top:1px solid #8c959f66;padding:14px 4px 0" {
            (rows_html(footer, "font-size:13px"))
        }
    };
    document(subject, &body)
}

/// A text as a page; the way out where a report's own HTML is too large.
pub fn of_text(subject: &str, text: &str) -> String {
    let body =
        html! { pre style="font-size:13px;line-height:1.45;white-space:pre-wrap" { (text) } };
    document(subject, &body)
}

fn document(subject: &str, body: &Markup) -> String {
    let ground = format!("margin:0;padding:24px 12px;{FONT}font-size:15px;line-height:1.5");
    html! {
        (DOCTYPE)
        html lang="en" style="color-scheme:light dark" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (subject) }
            }
            body style=(ground) {
                div style="max-width:640px;margin:0 auto" { (body) }
            }
        }
    }
    .into_string()
}

fn card_html(card: &Card, figure: Option<&Figure>) -> Markup {
    let colour = colour(card.tone);
    let frame = format!(
        "border:1px solid #8c959f66;border-left:5px solid {colour};border-radius:6px;\
         padding:16px 18px;margin:0 0 20px"
    );
    let badge = format!(
        "display:inline-block;background:{colour};color:#ffffff;font-size:12px;font-weight:600;\
         letter-spacing:.03em;padding:2px 9px;border-radius:10px"
    );
    html! {
        div style=(frame) {
            div { span style=(badge) { (card.tag) } }
            h2 style="margin:8px 0 2px;font-size:19px;line-height:1.3;overflow-wrap:anywhere" {
                (card.title)
            }
            @if !card.lead.is_empty() { p style="margin:0 0 8px" { (card.lead) } }
            (rows_html(&card.rows, "font-size:14px"))
            @if let Some(figure) = figure { (figure_html(figure)) }
        }
    }
}

/// The picture, what it shows, and the same numbers as a table.
fn figure_html(figure: &Figure) -> Markup {
    let source = format!("cid:{}", figure.id);
    let length = figure.rows.len().div_ceil(COLUMNS).max(1);
    html! {
        div style="margin:14px 0 0" {
            img src=(source) alt=(figure.about) width="600" height="160"
                style="display:block;width:100%;max-width:600px;height:auto;border:0";
            p style="margin:4px 0 6px;font-size:13px;opacity:.8" { (figure.about) }
            table role="presentation" cellpadding="0" cellspacing="0" style="font-size:12px" {
                tr {
                    @for column in figure.rows.chunks(length) {
                        td style="vertical-align:top;padding:0 22px 0 0" {
                            table style="border-collapse:collapse;line-height:1.5" {
                                @for (when, value) in column {
                                    tr {
                                        td style="padding:0 10px 0 0;white-space:nowrap;\
                                                  opacity:.7" { (when) }
                                        td style="white-space:nowrap" { (value) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn rows_html(rows: &[Row], size: &str) -> Markup {
    let table = format!("border-collapse:collapse;{size};line-height:1.45");
    html! {
        @if !rows.is_empty() {
            table role="presentation" cellpadding="0" cellspacing="0" style=(table) {
                @for (index, row) in rows.iter().enumerate() {
                    // The first row is what it is about: the reading, the miss.
                    @let weight = if index == 0 { 600 } else { 400 };
                    tr {
                        td style="padding:3px 18px 3px 0;vertical-align:top;white-space:nowrap;\
                                  opacity:.7" { (row.name) }
                        td style=(format!(
                            "padding:3px 0;vertical-align:top;overflow-wrap:anywhere;\
                             font-weight:{weight}"
                        )) {
                            @if row.is_link {
                                a href=(row.value) style="color:#2f81f7" { (row.value) }
                            } @else { (row.value) }
                        }
                    }
                }
            }
        }
    }
}

/// White on each has a contrast of 4.5 or more (WCAG AA).
fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "#cf222e",
        Tone::Warn => "#9a6700",
        Tone::Good => "#1a7f37",
        Tone::Plain => "#57606a",
    }
}
