//! Targets in files. They are read whole each time: a few kilobytes twice a
//! minute cost less than it costs to be told of changes, and a mounted file
//! that is swapped for another is seen as well.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::BYTES_MAX;
use crate::config::found::{self, Form};
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

fn text_of(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    fs::File::open(file)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(std::io::Error::other(format!("larger than {BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// The file itself, or those that its pattern fits, by name.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let last = pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some((before, after)) = last.split_once('*') else { return Ok(vec![pattern.to_owned()]) };
    let folder = pattern.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    let at = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(at)? {
        let entry = entry.map_err(at)?;
        let name = entry.file_name();
        let fits = name.to_str().is_some_and(|name| {
            let rest = name.strip_prefix(before);
            rest.is_some_and(|rest| rest.ends_with(after) && !name.starts_with('.'))
        });
        if fits {
            files.push(entry.path());
        }
    }
    if files.is_empty() {
        return Err(format!("no file is called {}", pattern.display()));
    }
    files.sort();
    Ok(files)
}
