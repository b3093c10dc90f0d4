//! `report`: a closed window's summary, printed.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::{out, place};
use crate::daemon::store::Reader;
use crate::model::WatchId;
use crate::record::{Record, WindowRecord};
use crate::report::FORMATS;

/// Options of `report`.
#[derive(Args)]
pub struct Report {
    /// Where facts are kept
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Of which release: its version, or service@version; the latest without
    #[arg(long)]
    release: Option<String>,
    /// Of which window; the latest that is closed without
    #[arg(long)]
    window: Option<String>,
    /// In which form
    #[arg(long, default_value = "txt", value_parser = ["txt", "md", "html", "json"])]
    format: String,
}

/// Runs it.
///
/// # Errors
/// There is no store, no such release, or no closed window of it.
pub fn run(given: &Report) -> Result<Exit, String> {
    let reader = Reader::open(&place::reading(given.state_dir.as_deref())?)?;
    let (id, record) = find(&reader, given.release.as_deref())?;
    let closed = match &given.window {
        Some(name) => record.windows.get(name.as_str()),
        None => record.windows.values().max_by_key(|closed| closed.summary.to),
    };
    let closed: &WindowRecord = closed.ok_or_else(|| {
        let known: Vec<&str> = record.plan.windows.iter().map(|w| w.name.as_str()).collect();
        let which = given.window.as_deref().unwrap_or("of any name");
        format!("{id}: no closed window {which}; its windows are {}", known.join(", "))
    })?;
    let (_, render) = FORMATS
        .iter()
        .find(|(extension, _)| *extension == given.format)
        .ok_or_else(|| format!("no report is written as {:?}", given.format))?;
    out::print(&render(&closed.summary))?;
    Ok(Exit::Good)
}

/// The release that is meant; without one the latest.
fn find(reader: &Reader, release: Option<&str>) -> Result<(WatchId, Record), String> {
    let mut found: Option<(WatchId, Record)> = None;
    let all = reader.watches(false)?;
    for id in &all {
        let name = id.0.as_str();
        let is_meant = |meant: &str| name == meant || name.ends_with(&format!("@{meant}"));
        if !release.is_none_or(is_meant) {
            continue;
        }
        let record = Record::replay(reader.facts(id)?)?;
        if found.as_ref().is_none_or(|(_, best)| best.release.at <= record.release.at) {
            found = Some((id.clone(), record));
        }
    }
    found.ok_or_else(|| {
        let known: Vec<String> = all.iter().map(ToString::to_string).collect();
        format!("no such release; known are {}", known.join(", "))
    })
}
