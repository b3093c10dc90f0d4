//! `ack`: somebody is on an incident. No more reminders of it, no further step;
//! its end is told as always.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::order::{author, give, joined};
use super::{out, place};

/// Options of `ack`.
#[derive(Args)]
pub struct Ack {
    /// Which, as letters name it: service/Rule{label="value"}; or the rule alone,
    /// where no other alert of it fires
    incident: String,
    /// Who is on it [default: the user's name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// In your words, for those who read the next letter
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Of this service alone, where several are watched
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Where facts are kept
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// No state directory is known, nobody knows who asks, or the output cannot be
/// written.
pub async fn run(given: &Ack) -> Result<Exit, String> {
    let dir = place::reading(given.state_dir.as_deref())?;
    let by = author(given.by.as_deref())?;
    let mut order = json!({ "incident": given.incident, "by": by, "comment": given.comment });
    if let Some(service) = &given.service {
        order["service"] = service.as_str().into();
    }
    match give(&dir, "acknowledge", &order).await? {
        Ok(data) => {
            let incidents = joined(&data["incidents"]);
            out::print(&format!("acknowledged by {by}: {incidents}\n"))?;
            Ok(Exit::Good)
        }
        Err(exit) => Ok(exit),
    }
}
