//! Orders to a running watch: who gives them, and how they reach it.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::Value;

use super::exit::Exit;
use super::out;
use crate::daemon::api::client;
use crate::daemon::lock::{self, Holder};

/// What was done of an order; or how to end, where that is said already.
///
/// # Errors
/// The lock cannot be read, or what came back is no answer.
pub async fn give(dir: &Path, what: &str, order: &Value) -> Result<Result<Value, Exit>, String> {
    if lock::holder(dir)? == Holder::None {
        let dir = dir.display();
        out::complain(format_args!(
            "{dir}: no watch is running with this state directory; start one first, or name \
             another with --state-dir"
        ));
        return Ok(Err(Exit::Unreachable));
    }
    let path = format!("/api/v1/control/{what}");
    let answered = match client::order(dir, &path, order).await {
        Ok(answered) => answered,
        Err(why) => {
            out::complain(format_args!("the watch cannot be reached: {why}"));
            return Ok(Err(Exit::Unreachable));
        }
    };
    let body: Value = serde_json::from_str(&answered.body).map_err(|error| {
        format!("the watch answered {} and what is no JSON: {error}", answered.status)
    })?;
    let warnings = body["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    warnings.for_each(|what| out::complain(format_args!("warning: {what}")));
    if body["status"] != "success" {
        out::complain(body["error"].as_str().unwrap_or("it did not say why"));
        let is_away = answered.status == 503;
        return Ok(Err(if is_away { Exit::Unreachable } else { Exit::Usage }));
    }
    Ok(Ok(body["data"].clone()))
}

/// Who gives it: as said, or the user, who in a container has a number and no name.
///
/// # Errors
/// Nobody knows.
pub fn author(given: Option<&str>) -> Result<String, String> {
    let named = || ["USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok());
    let numbered = || fs::metadata("/proc/self").ok().map(|own| format!("uid {}", own.uid()));
    let author = given.map(str::to_owned).or_else(named).filter(|name| !name.trim().is_empty());
    author.or_else(numbered).ok_or_else(|| "nobody knows who you are; give --by NAME".to_owned())
}

/// Texts of a list, with commas.
pub fn joined(list: &Value) -> String {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.collect::<Vec<_>>().join(", ")
}
