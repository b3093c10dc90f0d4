//! Each letter with its receipt.

use crate::record::{LetterState, LetterSummary, Summary};
use crate::report::page::{Section, Side, Table, Text, Tone};

/// Characters of an answer; all of it stands in the JSON.
const ANSWER_CHARS_MAX: usize = 80;

/// Only where any left.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    if summary.letters.is_empty() {
        return None;
    }
    let all: u32 = summary.deliveries.iter().map(|channel| channel.accepted).sum();
    let shown = summary.letters.iter().filter(|letter| letter.is_taken()).count();
    let mut paragraphs = Vec::new();
    if usize::try_from(all).is_ok_and(|all| all > shown) {
        let line = format!(
            "The last {} letters; `bakewatch deliveries` lists all.",
            summary.letters.len()
        );
        paragraphs.push(Text::new(Tone::Quiet, line));
    }
    Some(Section {
        title: "Receipts",
        paragraphs,
        table: Some(Table {
            caption: "Letters in the order in which they left, each with what became of it",
            columns: vec![
                ("Left", Side::Left),
                ("Channel", Side::Left),
                ("What it told", Side::Left),
                ("Tries", Side::Right),
                ("Receipt", Side::Left),
            ],
            rows: summary.letters.iter().map(row).collect(),
        }),
        ..Section::default()
    })
}

fn row(letter: &LetterSummary) -> Vec<Text> {
    let tone = match letter.state {
        LetterState::Taken => Tone::Good,
        LetterState::Out => Tone::Plain,
        LetterState::Partly | LetterState::Unknown => Tone::Warn,
        LetterState::Refused => Tone::Bad,
    };
    let tries = if letter.tries > 1 { Tone::Warn } else { Tone::Plain };
    vec![
        Text::from(letter.at.for_people()),
        Text::from(letter.channel.as_str()),
        Text::from(letter.tells.join("; ")),
        Text::new(tries, letter.tries.to_string()),
        Text::new(tone, receipt(letter)),
    ]
}

/// `taken: 200 OK`.
fn receipt(letter: &LetterSummary) -> String {
    let colon = if letter.answer.is_empty() { "" } else { ": " };
    let mut answer: String = letter.answer.chars().take(ANSWER_CHARS_MAX).collect();
    if answer.len() < letter.answer.len() {
        answer.push('…');
    }
    format!("{}{colon}{answer}", letter.state.as_str())
}
