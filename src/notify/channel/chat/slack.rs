//! Slack's incoming webhooks, with Block Kit: <https://docs.slack.dev/reference/block-kit/blocks>.
//! Texts are plain, so that nothing from outside is markup; links alone are not.

use serde_json::{Value, json};

use super::{Sheet, fitted, sign};
use crate::notify::card::{Card, Row};
use crate::notify::digest::Digest;
use crate::notify::words::cut;

/// Limits of blocks.
const HEADER_CHARS_MAX: usize = 150;
const SECTION_CHARS_MAX: usize = 3000;
const FIELD_CHARS_MAX: usize = 2000;
const FIELDS_MAX: usize = 10;
const BLOCKS_MAX: usize = 50;

/// Of a whole message; not documented, seen to be refused from some 9 600 on
/// (`msg_blocks_too_long`).
const CHARS_MAX: usize = 9000;

/// Cards in a message, then fewer.
const CARDS_MAX: [usize; 4] = [12, 5, 2, 0];

/// A digest as the body of a message.
pub fn compose(digest: &Digest) -> String {
    let fits = |body: &Value| {
        let blocks = body["blocks"].as_array().map_or(0, Vec::len);
        blocks <= BLOCKS_MAX && chars(body) <= CHARS_MAX
    };
    fitted(digest, &CARDS_MAX, message, fits).to_string()
}

fn message(sheet: &Sheet) -> Value {
    let header = cut(&format!("{} {}", sign(sheet.tone), sheet.title), HEADER_CHARS_MAX);
    let mut blocks = vec![json!({ "type": "header", "text": plain(&header) })];
    for card in &sheet.cards {
        add_card(&mut blocks, card);
        blocks.push(json!({ "type": "divider" }));
    }
    if !sheet.lines.is_empty() {
        let lines = cut_lines(&sheet.lines.join("\n"), SECTION_CHARS_MAX);
        blocks.push(json!({ "type": "section", "text": plain(&lines) }));
    }
    let about = sheet.footer.iter().map(|row| plain(&field(row, ": ")));
    blocks.push(json!({ "type": "context", "elements": about.collect::<Vec<_>>() }));
    // Shown in notifications, where it is markup.
    json!({ "text": escaped(&sheet.title), "blocks": blocks })
}

/// Adds a line at the end.
pub fn add(body: &mut Value, line: &str) {
    if let Some(blocks) = body["blocks"].as_array_mut() {
        blocks.truncate(BLOCKS_MAX - 1);
        blocks.push(json!({ "type": "section", "text": plain(line) }));
    }
}

fn add_card(blocks: &mut Vec<Value>, card: &Card) {
    let mut text = format!("{}: {}", card.tag, card.title);
    if !card.lead.is_empty() {
        text = format!("{text}\n{}", card.lead);
    }
    let text = cut_lines(&text, SECTION_CHARS_MAX);
    blocks.push(json!({ "type": "section", "text": plain(&text) }));
    let (links, rows): (Vec<&Row>, Vec<&Row>) = card.rows.iter().partition(|row| row.is_link);
    for rows in rows.chunks(FIELDS_MAX) {
        let fields: Vec<Value> = rows.iter().map(|row| plain(&field(row, "\n"))).collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    if !links.is_empty() {
        let links: Vec<String> = links.into_iter().map(link).collect();
        let text = json!({ "type": "mrkdwn", "text": links.join("  ") });
        blocks.push(json!({ "type": "context", "elements": [text] }));
    }
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

fn field(row: &Row, between: &str) -> String {
    cut_lines(&format!("{}{between}{}", row.name, row.value), FIELD_CHARS_MAX)
}

/// `<https://…|runbook>`. What would end it early is written as in an address.
fn link(row: &Row) -> String {
    let address = row.value.replace('|', "%7C").replace('<', "%3C").replace('>', "%3E");
    format!("<{}|{}>", address.replace('&', "&amp;"), escaped(&row.name))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As `cut`, of a text of several lines.
pub(super) fn cut_lines(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max - 1).chain(['…']).collect()
}

/// Characters of all texts.
fn chars(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(all) => all.iter().map(chars).sum(),
        Value::Object(fields) => fields.values().map(chars).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
