//! Microsoft Teams: an Adaptive Card that a workflow posts,
//! <https://learn.microsoft.com/connectors/teams>, in version 1.2 of
//! <https://adaptivecards.io/explorer>.

use serde_json::{Value, json};

use super::slack::cut_lines;
use super::{Sheet, fitted, sign};
use crate::notify::card::{Row, Tone};
use crate::notify::digest::Digest;

/// A post may have some 28 kB.
const BYTES_MAX: usize = 26_000;

/// Cards in a post, then fewer.
const CARDS_MAX: [usize; 4] = [15, 5, 2, 0];

/// Buttons that a card shows; those beyond are in a menu, which phones hide.
const ACTIONS_MAX: usize = 5;

/// Of all that is told in a line each.
const LINES_CHARS_MAX: usize = 6000;

/// A digest as the body of a post.
pub fn compose(digest: &Digest) -> String {
    fitted(digest, &CARDS_MAX, post, |body| body.len() <= BYTES_MAX)
}

fn post(sheet: &Sheet) -> String {
    let title = format!("{} {}", sign(sheet.tone), sheet.title);
    let heading = json!({
        "type": "TextBlock", "text": escaped(&title), "wrap": true, "style": "heading",
        "size": "Large", "weight": "Bolder", "color": color(sheet.tone),
    });
    let mut body = vec![heading];
    let mut actions = Vec::new();
    for card in &sheet.cards {
        let title = format!("{}: {}", card.tag, card.title);
        let title = json!({
            "type": "TextBlock", "text": escaped(&title), "wrap": true, "weight": "Bolder",
            "color": color(card.tone), "separator": true,
        });
        body.push(title);
        if !card.lead.is_empty() {
            body.push(json!({ "type": "TextBlock", "text": escaped(&card.lead), "wrap": true }));
        }
        body.push(facts(card.rows.iter().filter(|row| !row.is_link)));
        actions.extend(card.rows.iter().filter(|row| row.is_link));
    }
    if !sheet.lines.is_empty() {
        // Two ends of a line are one in markdown.
        let lines: Vec<String> = sheet.lines.iter().map(|line| escaped(line)).collect();
        let lines = cut_lines(&lines.join("\n\n"), LINES_CHARS_MAX);
        body.push(json!({ "type": "TextBlock", "text": lines, "wrap": true, "separator": true }));
    }
    let mut about = facts(sheet.footer.iter());
    about["separator"] = true.into();
    body.push(about);
    actions.dedup();
    let actions: Vec<Value> = actions.into_iter().take(ACTIONS_MAX).map(action).collect();
    let content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard",
        "version": "1.2", "fallbackText": sheet.title, "msteams": { "width": "full" },
        "body": body, "actions": actions,
    });
    let card = "application/vnd.microsoft.card.adaptive";
    let attachment = json!({ "contentType": card, "contentUrl": null, "content": content });
    json!({ "type": "message", "attachments": [attachment] }).to_string()
}

/// Adds a line at the end.
pub fn add(body: &mut Value, line: &str) {
    if let Some(blocks) = body["attachments"][0]["content"]["body"].as_array_mut() {
        blocks.push(json!({ "type": "TextBlock", "text": escaped(line), "wrap": true }));
    }
}

fn facts<'r>(rows: impl Iterator<Item = &'r Row>) -> Value {
    let fact = |row: &Row| json!({ "title": escaped(&row.name), "value": escaped(&row.value) });
    json!({ "type": "FactSet", "facts": rows.map(fact).collect::<Vec<_>>() })
}

fn action(row: &Row) -> Value {
    json!({ "type": "Action.OpenUrl", "title": row.name, "url": row.value })
}

fn color(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "Attention",
        Tone::Warn => "Warning",
        Tone::Good => "Good",
        Tone::Plain => "Default",
    }
}

/// Teams takes a part of markdown for markup, and knows no way to write its
/// signs; one that is followed by a joiner which nobody sees is none.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut is_in_word = false;
    while let Some(char) = chars.next() {
        out.push(char);
        let goes_on = chars.peek().is_some_and(|next| next.is_alphanumeric());
        let is_sign = match char {
            '*' | '[' | ']' | '`' | '~' | '#' | '<' => true,
            '_' => !(is_in_word && goes_on), // within a word it is none
            _ => false,
        };
        if is_sign {
            out.push('\u{34f}');
        }
        is_in_word = char.is_alphanumeric();
    }
    out
}
