//! `deliveries`: which channel was told what, when, after how many tries, and
//! with which answer.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::order::{author, give};
use super::{out, place};
use crate::daemon::store::Reader;
use crate::model::WatchId;
use crate::record::{LetterSummary, Record};

/// Options of `deliveries`.
#[derive(Args)]
pub struct Deliveries {
    /// Where facts are kept
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Of which release: its version, or service@version; without it of every
    /// watch that is open, or of the latest where none is
    #[arg(long)]
    release: Option<String>,
    /// Only letters to this channel
    #[arg(long)]
    channel: Option<String>,
    /// Only letters that told of this alert: a rule's name, or a part of it
    #[arg(long, value_name = "TEXT")]
    about: Option<String>,
    /// Only letters that were not taken by everybody they were for
    #[arg(long)]
    failed: bool,
    /// All of it, as JSON
    #[arg(long)]
    json: bool,
    /// Sends this letter once more, with the same words under the same key, to the
    /// channel that it went to; `--json` shows the keys
    #[arg(long, value_name = "KEY",
          conflicts_with_all = ["release", "channel", "about", "failed", "json"])]
    replay: Option<String>,
    /// Who wants it [default: the user's name]
    #[arg(long, value_name = "NAME", requires = "replay")]
    by: Option<String>,
}

/// Runs it.
///
/// # Errors
/// There is no store, no such release, or no such channel.
pub async fn run(given: &Deliveries) -> Result<Exit, String> {
    if let Some(key) = &given.replay {
        return replay(given, key).await;
    }
    let reader = Reader::open(&place::reading(given.state_dir.as_deref())?)?;
    let mut letters: Vec<(WatchId, LetterSummary)> = Vec::new();
    let mut channels: Vec<String> = Vec::new();
    for id in meant(&reader, given.release.as_deref())? {
        let record = Record::replay(reader.facts(&id)?)?;
        channels.extend(record.channels.keys().map(ToString::to_string));
        let all = record.letters.iter().map(|letter| record.letter_summary(letter));
        letters.extend(all.map(|letter| (id.clone(), letter)));
    }
    if let Some(channel) = given.channel.as_ref().filter(|channel| !channels.contains(channel)) {
        channels.sort();
        channels.dedup();
        return Err(format!("no channel {channel:?}; there is {}", channels.join(", ")));
    }
    letters.retain(|(_, letter)| given.takes(letter));
    letters.sort_by_key(|(_, letter)| letter.at);
    let text = match given.json {
        true => {
            let all = letters.iter().map(|(watch, letter)| {
                let mut one = json!(letter);
                one["watch"] = watch.to_string().into();
                one
            });
            format!("{:#}\n", json!(all.collect::<Vec<_>>()))
        }
        false => table(&letters),
    };
    out::print(&text)?;
    Ok(Exit::Good)
}

async fn replay(given: &Deliveries, key: &str) -> Result<Exit, String> {
    let dir = place::reading(given.state_dir.as_deref())?;
    let by = author(given.by.as_deref())?;
    match give(&dir, "replay", &json!({ "key": key, "by": by })).await? {
        Ok(_) => {
            out::print(&format!("{key} leaves once more; `deliveries` shows its receipt\n"))?;
            Ok(Exit::Good)
        }
        Err(exit) => Ok(exit),
    }
}

impl Deliveries {
    fn takes(&self, letter: &LetterSummary) -> bool {
        let is_to = |channel: &String| letter.channel == **channel;
        let is_about = |text: &String| letter.tells.iter().any(|told| told.contains(&**text));
        self.channel.as_ref().is_none_or(is_to)
            && self.about.as_ref().is_none_or(is_about)
            && !(self.failed && letter.state == crate::record::LetterState::Taken)
    }
}

/// The watches that are asked about.
fn meant(reader: &Reader, release: Option<&str>) -> Result<Vec<WatchId>, String> {
    let all = reader.watches(false)?;
    let Some(release) = release else {
        let open = reader.watches(true)?;
        return match open.is_empty() {
            true => Ok(reader.latest()?.into_iter().collect()),
            false => Ok(open),
        };
    };
    let ends = format!("@{release}");
    let is_meant = |id: &&WatchId| id.0.as_str() == release || id.0.as_str().ends_with(&ends);
    let meant: Vec<WatchId> = all.iter().filter(is_meant).cloned().collect();
    if meant.is_empty() {
        let known: Vec<String> = all.iter().map(ToString::to_string).collect();
        return Err(format!("no release {release:?}; known are {}", known.join(", ")));
    }
    Ok(meant)
}

fn table(letters: &[(WatchId, LetterSummary)]) -> String {
    if letters.is_empty() {
        return "no letter\n".to_owned();
    }
    let several = letters.iter().any(|(watch, _)| *watch != letters[0].0);
    let head = ["left", "watch", "channel", "tries", "receipt", "told", "key"];
    let mut rows = vec![row(several, head)];
    for (watch, letter) in letters {
        let colon = if letter.answer.is_empty() { "" } else { ": " };
        let receipt = format!("{}{colon}{}", letter.state.as_str(), letter.answer);
        let (at, tries) = (letter.at.for_people(), letter.tries.to_string());
        let (watch, told) = (watch.to_string(), letter.tells.join("; "));
        let channel = letter.channel.as_str();
        rows.push(row(several, [&at, &watch, channel, &tries, &receipt, &told, &letter.key]));
    }
    out::aligned(&rows)
}

/// Of several watches each line says which.
fn row(several: bool, cells: [&str; 7]) -> Vec<String> {
    let shown = cells.iter().enumerate().filter(|(at, _)| several || *at != 1);
    shown.map(|(_, cell)| (*cell).to_owned()).collect()
}
