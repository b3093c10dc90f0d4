//! `[heartbeat]`: who is to notice when bakewatch itself is gone.

use super::address;
use super::secret::Vault;
use super::walk::{Said, Table};
use crate::model::{HOUR, Heartbeat, MINUTE, SECOND, Span};

/// Where nobody says how often.
const EVERY: Span = MINUTE;

/// More often tells nobody anything sooner: whoever watches has a grace of minutes.
const EVERY_MIN: Span = Span::from_millis(10 * SECOND.millis());

/// Reads it.
pub(super) fn read(top: &Table, vault: &Vault) -> Option<Heartbeat> {
    let table = top.get("heartbeat")?.table("heartbeat")?;
    let url = table.need("url", "url = { env = \"HEARTBEAT_URL\" }");
    let url = url.and_then(|value| vault.secret(value, |text| address::web(text).map(|_| ())));
    let every = Said::of(table.get("every"), |value| {
        let every = value.span()?;
        if !(EVERY_MIN..=HOUR).contains(&every) {
            value.error(format!("{every} is not between {EVERY_MIN} and {HOUR}"));
            return None;
        }
        Some(every)
    });
    Some(Heartbeat { url: url?, every: every.or(EVERY)? })
}
