//! `check`: is the configuration right, and what would be watched?

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::{load, out};
use crate::config::{self, Given};

/// Options of `check`.
#[derive(Args)]
pub struct Check {
    /// The service's address; with it no file is needed
    url: Option<String>,
    /// A configuration file, or a directory with one service a file
    #[arg(short, long)]
    config: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// The output cannot be written.
pub fn run(given: &Check) -> Result<Exit, String> {
    let from = Given { url: given.url.clone(), ..Given::default() };
    match load::load(given.config.as_deref(), &from) {
        Ok(all) => {
            for checked in &all {
                for warning in &checked.warnings {
                    out::complain(format_args!("warning: {warning}"));
                }
                out::print(&config::explain(checked))?;
            }
            Ok(Exit::Good)
        }
        Err(complaints) => {
            complaints.iter().for_each(out::complain);
            Ok(Exit::Usage)
        }
    }
}
