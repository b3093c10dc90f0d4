//! ntfy: <https://docs.ntfy.sh/publish/#publish-as-json>.

use serde_json::{Value, json};

use super::{Sheet, fitted};
use crate::model::Severity;
use crate::notify::card::{Row, Tone};
use crate::notify::digest::Digest;
use crate::notify::words::cut;

/// What is longer becomes a file that nobody opens.
const MESSAGE_BYTES_MAX: usize = 4096;

const TITLE_CHARS_MAX: usize = 200;

/// Cards in a message, then fewer.
const CARDS_MAX: [usize; 4] = [10, 3, 1, 0];

/// A digest as the body of a message to a topic.
pub fn compose(topic: &str, digest: &Digest) -> String {
    let fits = |(_, message): &(Sheet, String)| message.len() <= MESSAGE_BYTES_MAX;
    let made = |sheet: &Sheet| (sheet.clone(), text(sheet));
    let (sheet, message) = fitted(digest, &CARDS_MAX, made, fits);
    let runbook = sheet.cards.iter().flat_map(|card| &card.rows).find(|row| row.is_link);
    let click = runbook.or(sheet.footer.iter().find(|row| row.is_link)).map(|row| &row.value);
    let mut body = json!({
        "topic": topic, "title": cut(&sheet.title, TITLE_CHARS_MAX),
        "message": cut_bytes(message), "priority": priority(&sheet), "tags": [tag(sheet.tone)],
    });
    if let Some(click) = click {
        body["click"] = click.as_str().into();
    }
    body.to_string()
}

/// Adds a line before all else.
pub fn add(body: &mut Value, line: &str) {
    let message = format!("{line}\n{}", body["message"].as_str().unwrap_or_default());
    body["message"] = cut_bytes(message).into();
}

/// 5 goes through a phone's silence.
fn priority(sheet: &Sheet) -> u8 {
    match (sheet.tone, sheet.severity) {
        (Tone::Bad, _) => 5,
        (Tone::Warn, Some(Severity::Critical)) => 5,
        (Tone::Warn, _) => 4,
        (Tone::Good | Tone::Plain, _) => 3,
    }
}

/// Short codes of emojis.
fn tag(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "red_circle",
        Tone::Warn => "orange_circle",
        Tone::Good => "green_circle",
        Tone::Plain => "large_blue_circle",
    }
}

fn text(sheet: &Sheet) -> String {
    let rows = |rows: &[Row]| -> String {
        rows.iter().map(|row| format!("{}: {}\n", row.name, row.value)).collect()
    };
    let mut out = String::new();
    for card in &sheet.cards {
        out.push_str(&format!("{}: {}\n", card.tag, card.title));
        if !card.lead.is_empty() {
            out.push_str(&format!("{}\n", card.lead));
        }
        out.push_str(&rows(&card.rows));
        out.push('\n');
    }
    if !sheet.lines.is_empty() {
        out.push_str(&format!("{}\n\n", sheet.lines.join("\n")));
    }
    out.push_str(&rows(&sheet.footer));
    out.truncate(out.trim_end().len());
    out
}

fn cut_bytes(text: String) -> String {
    const MARK: &str = "…";
    if text.len() <= MESSAGE_BYTES_MAX {
        return text;
    }
    let room = MESSAGE_BYTES_MAX - MARK.len();
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{MARK}", &text[..end])
}
