//! Discord's webhooks: <https://docs.discord.com/developers/resources/webhook>.

use serde_json::{Value, json};

use super::slack::cut_lines;
use super::{Sheet, fitted, sign};
use crate::notify::card::{Card, Row, Tone, row};
use crate::notify::digest::Digest;

/// Limits of a message and its embeds.
const CONTENT_CHARS_MAX: usize = 2000;
const EMBEDS_MAX: usize = 10;
const TITLE_CHARS_MAX: usize = 256;
const DESCRIPTION_CHARS_MAX: usize = 4096;
const FIELDS_MAX: usize = 25;
const VALUE_CHARS_MAX: usize = 1024;

/// Of a card with more rows than fields, so many come first, and some last.
const FIRST_ROWS: usize = 10;

/// Of all that is told in a line each: with the footer it fits where no card does.
const LINES_CHARS_MAX: usize = 3000;
/// Of all embeds together.
const CHARS_MAX: usize = 6000;

/// Cards in a message, then fewer; one embed is for the rest.
const CARDS_MAX: [usize; 4] = [EMBEDS_MAX - 1, 4, 1, 0];

/// A digest as the body of a message. Nobody is mentioned by it.
pub fn compose(digest: &Digest) -> String {
    let (message, _) = fitted(digest, &CARDS_MAX, message, |(_, chars)| *chars <= CHARS_MAX);
    message.to_string()
}

/// The message, and the characters that count.
fn message(sheet: &Sheet) -> (Value, usize) {
    let content = format!("{} **{}**", sign(sheet.tone), escaped(&sheet.title));
    let mut chars = 0;
    let mut embeds: Vec<Value> = sheet.cards.iter().map(|card| embed(card, &mut chars)).collect();
    let lines = escaped(&sheet.lines.join("\n"));
    let lines = cut_lines(&lines, LINES_CHARS_MAX);
    let mut rest = json!({ "fields": fields(&sheet.footer, &mut chars) });
    if !lines.is_empty() {
        chars += lines.chars().count();
        rest["description"] = lines.into();
    }
    embeds.push(rest);
    let message = json!({
        "content": cut_lines(&content, CONTENT_CHARS_MAX), "username": "bakewatch",
        "embeds": embeds, "allowed_mentions": { "parse": [] },
    });
    (message, chars)
}

/// Adds a line before all else.
pub fn add(body: &mut Value, line: &str) {
    let content = format!("{line}\n{}", body["content"].as_str().unwrap_or_default());
    body["content"] = cut_lines(&content, CONTENT_CHARS_MAX).into();
}

fn embed(card: &Card, chars: &mut usize) -> Value {
    let title = cut_lines(&escaped(&format!("{}: {}", card.tag, card.title)), TITLE_CHARS_MAX);
    let description = cut_lines(&escaped(&card.lead), DESCRIPTION_CHARS_MAX);
    *chars += title.chars().count() + description.chars().count();
    let fields = fields(&card.rows, chars);
    let color = color(card.tone);
    json!({ "title": title, "description": description, "color": color, "fields": fields })
}

fn fields(rows: &[Row], chars: &mut usize) -> Vec<Value> {
    let field = |row: &Row| {
        // An address is no markup, and is followed as it stands.
        let value = if row.is_link { row.value.clone() } else { escaped(&row.value) };
        let value = if value.is_empty() { "-".to_owned() } else { value };
        let (name, value) = (escaped(&row.name), cut_lines(&value, VALUE_CHARS_MAX));
        let name = cut_lines(&name, TITLE_CHARS_MAX);
        *chars += name.chars().count() + value.chars().count();
        json!({ "name": name, "value": value, "inline": !row.is_link })
    };
    let Some(left_out) = rows.len().checked_sub(FIELDS_MAX).filter(|more| *more > 0) else {
        return rows.iter().map(field).collect();
    };
    // The first of a long card are alerts, the worst before; the last say how it
    // stands.
    let (first, rest) = rows.split_at(FIRST_ROWS);
    let last = &rest[left_out + 1..];
    let between = row("…", format!("{} more", left_out + 1));
    first.iter().chain([&between]).chain(last).map(field).collect()
}

fn color(tone: Tone) -> u32 {
    match tone {
        Tone::Bad => 0xd9_30_25,
        Tone::Warn => 0xf2_99_00,
        Tone::Good => 0x18_80_38,
        Tone::Plain => 0x5f_63_68,
    }
}

/// With each sign of markdown as itself.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '[' | ']' | '#' | '-') {
            out.push('\\');
        }
        out.push(char);
    }
    out
}
