//! Targets in files. They are read whole each time: a few kilobytes twice a
//! minute cost less than it costs to be told of changes, and a mounted file
//! that is swapped for another is seen as well.

use std::path::Path;

use crate::config::found::{self, Form};
use crate::daemon::files::{matching, text_of};
use crate::model::{Found, Paths};

pub(super) async fn look(pattern: &str, paths: &Paths) -> Result<Found, String> {
    let (pattern, paths) = (pattern.to_owned(), paths.clone());
    let read = tokio::task::spawn_blocking(move || read_all(&pattern, &paths)).await;
    read.unwrap_or_else(|error| Err(error.to_string()))
}

fn read_all(pattern: &str, paths: &Paths) -> Result<Found, String> {
    let mut all = Found::default();
    for file in matching(Path::new(pattern))? {
        let name = file.display().to_string();
        let form = Form::of(&name).ok_or_else(|| format!("{name} is neither JSON nor YAML"))?;
        let text = text_of(&file).map_err(|error| format!("{name}: {error}"))?;
        let found = found::found(&text, form, paths).map_err(|what| format!("{name}: {what}"))?;
        for target in found.targets {
            if !all.targets.iter().any(|known| known.name == target.name) {
                all.targets.push(target);
            }
        }
        all.left_out = all.left_out.or(found.left_out.map(|what| format!("{name}: {what}")));
    }
    Ok(all)
}
