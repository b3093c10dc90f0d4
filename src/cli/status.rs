//! `status`: each watch, where it stands, what burns, and how telling goes.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::exit::Exit;
use super::{out, place};
use crate::daemon::lock::{self, Holder};
use crate::daemon::pulse::STALE;
use crate::daemon::store::Reader;
use crate::model::{Span, WatchId};
use crate::record::{Ending, Record};

/// Options of `status`.
#[derive(Args)]
pub struct Status {
    /// Where facts are kept
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Only watches that are not over
    #[arg(long)]
    open: bool,
    /// Only whether the process that holds the state directory lives and its
    /// loop turns; exit code 4 where not
    #[arg(long, conflicts_with = "open")]
    check: bool,
}

/// Runs it.
///
/// # Errors
/// There is no store, or it cannot be read.
pub fn run(given: &Status) -> Result<Exit, String> {
    let dir = place::reading(given.state_dir.as_deref())?;
    if given.check {
        let (words, exit) = life(&lock::holder(&dir)?);
        out::print(&format!("{}: {words}\n", dir.display()))?;
        return Ok(exit);
    }
    let reader = Reader::open(&dir)?;
    let mut text = String::new();
    for id in reader.watches(given.open)? {
        let record = Record::replay(reader.facts(&id)?)?;
        text.push_str(&show(&id, &record));
    }
    if text.is_empty() {
        text.push_str("no watch\n");
    }
    out::print(&text)?;
    Ok(Exit::Good)
}

/// Whether a holder lives, by what it leaves in its lock.
fn life(holder: &Holder) -> (String, Exit) {
    match holder {
        Holder::None => ("nobody holds it".to_owned(), Exit::Unreachable),
        Holder::Stamped { who, age: None } => {
            (format!("{who}: its last turn lies in the future"), Exit::Unreachable)
        }
        Holder::Stamped { who, age: Some(age) } => {
            let exit = if *age <= STALE { Exit::Good } else { Exit::Unreachable };
            let age = Span::from(Duration::from_secs(age.as_secs()));
            (format!("{who}: its last turn was {age} ago"), exit)
        }
    }
}

fn show(id: &WatchId, record: &Record) -> String {
    let mut text = format!("{id}: {}, last fact {}\n", phase(record), record.at.for_people());
    if let Some(last) = record.reloads.last() {
        let (what, lines) = match last.errors.is_empty() {
            true => ("changed", &last.changes),
            false => ("not followed", &last.errors),
        };
        let (at, lines) = (last.at.for_people(), lines.join("; "));
        let _ = writeln!(text, "  configuration: {what} at {at}: {lines}");
    }
    for (name, closed) in &record.windows {
        let _ = writeln!(text, "  window {name}: {}", closed.summary.verdict);
    }
    for (name, target) in &record.targets {
        let health = format!("{:?}", target.health).to_lowercase();
        let colon = if target.reason.is_empty() { "" } else { ": " };
        if target.is_here() {
            let _ = writeln!(text, "  target {name}: {health}{colon}{}", target.reason);
        }
    }
    for (name, source) in &record.sources {
        let count = source.targets.len();
        let failure = source.failure.as_ref();
        let failure = failure.map_or_else(String::new, |(why, _)| format!(", fails: {why}"));
        let _ = writeln!(text, "  source {name}: {count} target(s){failure}");
    }
    for (name, failure) in &record.data_sources {
        let how =
            failure.as_ref().map_or_else(|| "answers".to_owned(), |why| format!("fails: {why}"));
        let _ = writeln!(text, "  source of metrics {name}: {how}");
    }
    for (key, alert) in &record.alerts {
        let name = key.labels.of(key.rule.as_str());
        if alert.phase.is_firing() {
            let acked = alert.acked().map(|ack| format!(", acknowledged by {}", ack.by));
            let held = alert.held.as_ref().map(|why| format!(", nobody is told: {why}"));
            let (acked, held) = (acked.unwrap_or_default(), held.unwrap_or_default());
            let phase = alert.phase.as_str();
            let _ = writeln!(text, "  alert {name}: {phase}{acked}{held}");
        }
        if alert.flapping.is_some() {
            let _ = writeln!(text, "  alert {name}: flapping");
        }
    }
    for silence in record.silences_at(record.at) {
        let until = silence.until.for_people();
        let (id, matchers, by) = (&silence.id, &silence.matchers, &silence.by);
        let scope = super::silence::scope(silence);
        let _ = writeln!(text, "  silence {id}: {matchers}{scope} until {until}, by {by}");
    }
    for (name, channel) in &record.channels {
        let state = match (channel.broken, channel.failures) {
            (true, _) => "broken",
            (false, 1..) => "fails",
            (false, 0) => "works",
        };
        let (accepted, refused) = (channel.accepted, channel.refused);
        let words = &channel.last_words;
        let colon = if words.is_empty() { "" } else { ": " };
        let _ = writeln!(
            text,
            "  channel {name}: {state}, {accepted} taken, {refused} failed tries{colon}{words}"
        );
    }
    text
}

fn phase(record: &Record) -> String {
    match &record.ended {
        Some(Ending::Complete) => return "complete".to_owned(),
        Some(Ending::Superseded { by }) => return format!("superseded by {by}"),
        None => {}
    }
    if let Some((by, _)) = &record.succession.by {
        return format!("superseded by {by}, cleaning up");
    }
    let mut windows = record.plan.windows.iter();
    match windows.find(|window| !record.windows.contains_key(&window.name)) {
        _ if record.settled.is_none() => "settling".to_owned(),
        _ if !record.is_smoke_done() => "smoke".to_owned(),
        Some(window) => format!("in its {}", window.name),
        None => "closing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_holder_for_alive_by_its_last_turn_alone() {
        let check = |age| {
            let (words, exit) = life(&Holder::Stamped { who: "pid 7".to_owned(), age });
            (words, exit.code())
        };
        let seconds = |count| Some(Duration::from_secs(count));
        assert_eq!(check(seconds(60)), ("pid 7: its last turn was 1m ago".to_owned(), 0));
        assert_eq!(check(seconds(61)), ("pid 7: its last turn was 1m 1s ago".to_owned(), 4));
        assert_eq!(check(None), ("pid 7: its last turn lies in the future".to_owned(), 4));
        assert_eq!(life(&Holder::None).1, Exit::Unreachable);
    }
}
