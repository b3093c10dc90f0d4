//! Log lines on standard error: for people on a terminal, JSON for machines.
//! A progress line steps aside for them.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

use super::out;

/// How log lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Says which lines are written (`warn`, `bakewatch=debug`); `info` without.
const FILTER: &str = "BAKEWATCH_LOG";

static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Starts logging. Without a format: human on a terminal, else JSON.
///
/// # Errors
/// A filter that cannot be read.
pub fn start(format: Option<Format>) -> Result<(), String> {
    let filter = match std::env::var(FILTER) {
        Ok(text) => EnvFilter::try_new(&text).map_err(|error| format!("{FILTER}: {error}"))?,
        Err(_) => EnvFilter::new("bakewatch=info"),
    };
    let is_terminal = io::stderr().is_terminal();
    let default = if is_terminal { Format::Human } else { Format::Json };
    let building = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Aside);
    let done = match format.unwrap_or(default) {
        Format::Human => building.with_target(false).with_ansi(is_terminal).try_init(),
        Format::Json => building.json().flatten_event(true).with_target(false).try_init(),
    };
    done.map_err(|error| format!("logging cannot start: {error}"))
}

/// A warning: a line of the log where that is written, else words on standard error.
pub fn warn(what: impl Display) {
    if tracing::dispatcher::has_been_set() {
        tracing::warn!("{what}");
    } else {
        out::complain(format_args!("warning: {what}"));
    }
}

/// The progress line, where standard error is a terminal.
pub fn bar() -> Option<&'static ProgressBar> {
    if !io::stderr().is_terminal() {
        return None;
    }
    Some(BAR.get_or_init(|| {
        let style = ProgressStyle::with_template("{spinner} {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        ProgressBar::new_spinner().with_style(style)
    }))
}

/// Writes past the progress line.
struct Aside;

impl Write for Aside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || io::stderr().lock().write_all(bytes).map(|()| bytes.len());
        match BAR.get() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
