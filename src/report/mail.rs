//! A report as the HTML part of a mail: tables and inline styles only, since
//! that is all that mail programs agree on. The charts are in the page.

use maud::{DOCTYPE, Markup, html};

use super::page::{Section, Side, Table, Text, Tone};
use super::section;
use crate::record::Summary;

/// Gmail cuts a mail off at 102 kB; a table that long is for the page.
const ROWS_MAX: usize = 40;

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,Arial,sans-serif;";

/// The report as the HTML part of a mail.
pub fn mail_html(summary: &Summary) -> String {
    let tone = Tone::of_verdict(summary.verdict);
    let release = &summary.release;
    let head = format!(
        "padding:24px 28px;background:{};border-left:6px solid {}",
        wash(tone),
        colour(tone)
    );
    let word = format!("font-size:32px;font-weight:bold;line-height:1.2;color:{}", colour(tone));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (section::subject(summary)) }
            }
            body style={ "margin:0;padding:0;background:#f5f4f1;color:#1d2127;" (FONT) } {
                table role="presentation" width="100%" cellpadding="0" cellspacing="0" {
                    tr { td align="center" style="padding:20px 10px" {
                        table role="presentation" width="680" cellpadding="0" cellspacing="0"
                            style="max-width:680px;width:100%;background:#ffffff" {
                            tr { td style=(head) {
                                div style=(word) { (capital(summary.verdict.as_str())) }
                                div style="font-size:18px;font-weight:bold" {
                                    (release.service) " " (release.version)
                                }
                                div style="font-size:14px;color:#59616c" {
                                    (section::headline(summary)) br; (summary.url)
                                }
                            } }
                            @for section in section::sections(summary) {
                                tr { td style="padding:14px 28px 4px" { (print(&section)) } }
                            }
                            tr { td style="padding:18px 28px;font-size:13px;color:#59616c" {
                                "All times are UTC."
                            } }
                        }
                    } }
                }
            }
        }
    };
    page.into_string()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn print(section: &Section) -> Markup {
    let table = section.table.as_ref().filter(|table| !table.rows.is_empty());
    html! {
        h2 style="font-size:17px;margin:10px 0 6px" { (section.title) }
        @for text in &section.paragraphs { (line(text)) }
        @if let Some(table) = table { (print_table(table)) }
        @for item in section.list.iter().take(ROWS_MAX) { (line(item)) }
        @if section.list.len() > ROWS_MAX { (more(section.list.len() - ROWS_MAX)) }
    }
}

fn line(text: &Text) -> Markup {
    let style =
        format!("margin:0 0 4px;font-size:14px;line-height:1.5;color:{}", colour(text.tone));
    html! { p style=(style) { (clip(&text.words)) } }
}

fn more(count: usize) -> Markup {
    html! { p style="margin:0 0 4px;font-size:14px;color:#59616c" {
        "and " (count) " more, in the report"
    } }
}

fn print_table(table: &Table) -> Markup {
    let align = |column: usize| match table.columns[column].1 {
        Side::Left => "left",
        Side::Right => "right",
    };
    const CELL: &str = "padding:5px 12px 5px 0;border-bottom:1px solid #e4e2dd;font-size:14px;";
    html! {
        table width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse" {
            tr { @for (index, (title, _)) in table.columns.iter().enumerate() {
                th scope="col" align=(align(index))
                    style={ (CELL) "font-weight:normal;color:#59616c" } { (title) }
            } }
            @for row in table.rows.iter().take(ROWS_MAX) {
                tr { @for (index, cell) in row.iter().enumerate() {
                    td align=(align(index)) valign="top"
                        style={ (CELL) "color:" (colour(cell.tone)) } { (clip(&cell.words)) }
                } }
            }
        }
        @if table.rows.len() > ROWS_MAX { (more(table.rows.len() - ROWS_MAX)) }
    }
}

/// Enough of a service's own words to know it by.
fn clip(words: &str) -> String {
    const WORDS_MAX: usize = 200;
    match words.char_indices().nth(WORDS_MAX) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// The page's light colours: a mail program darkens them itself.
fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "#1d2127",
        Tone::Good => "#17703f",
        Tone::Warn => "#8a5a00",
        Tone::Bad => "#b3261e",
        Tone::Unknown => "#57508c",
        Tone::Quiet => "#59616c",
    }
}

fn wash(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "#e9f5ee",
        Tone::Warn => "#fcf3df",
        Tone::Bad => "#fcebe9",
        Tone::Unknown => "#efedf8",
        Tone::Plain | Tone::Quiet => "#f5f4f1",
    }
}
