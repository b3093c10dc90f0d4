//! Reads configuration from disk and hands the texts to `config`.

use std::fs;
use std::path::{Path, PathBuf};

use super::{log, out};
use crate::config::{self, Checked, Complaint, Given, Source};
use crate::daemon::files;

/// One service for each file; the URL alone without any.
///
/// # Errors
/// Every complaint about every file, each in words of its own.
pub fn load(path: Option<&Path>, given: &Given) -> Result<Vec<Checked>, Vec<String>> {
    let Some(path) = path else {
        return config::read(None, given).map(|one| vec![one]).map_err(|all| words(&all));
    };
    let files = files(path).map_err(|error| vec![error])?;
    if files.len() > 1 && given.url.is_some() {
        return Err(vec!["a URL goes with one service; the directory has several".to_owned()]);
    }
    let (mut checked, mut wrong) = (Vec::<Checked>::new(), Vec::new());
    for file in files {
        let name = file.display().to_string();
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let named = |pattern: &str| sources(&folder.join(pattern));
        match config::read_with(Some(&Source { file: name.clone(), text }), given, &named) {
            Ok(one) if checked.iter().any(|known| known.plan.service == one.plan.service) => {
                wrong
                    .push(format!("{name}: service {:?} is in another file too", one.plan.service));
            }
            Ok(one) => checked.push(one),
            Err(complaints) => wrong.extend(words(&complaints)),
        }
    }
    if wrong.is_empty() { Ok(checked) } else { Err(wrong) }
}

/// The same for a command: complaints and warnings are told. `None`: it is wrong.
pub fn told(path: Option<&Path>, given: &Given) -> Option<Vec<Checked>> {
    match load(path, given) {
        Ok(all) => {
            for warning in all.iter().flat_map(|one| &one.warnings) {
                log::warn(warning);
            }
            Some(all)
        }
        Err(complaints) => {
            complaints.iter().for_each(out::complain);
            None
        }
    }
}

/// The texts of the files that a path or a pattern fits.
///
/// # Errors
/// None does, or one cannot be read.
pub fn sources(pattern: &Path) -> Result<Vec<Source>, String> {
    let source = |file: PathBuf| {
        let name = file.display().to_string();
        let text = files::text_of(&file).map_err(|error| format!("{name}: {error}"))?;
        Ok(Source { file: name, text })
    };
    files::matching(pattern)?.into_iter().map(source).collect()
}

/// The file itself, or the `.toml` files of a directory by name.
fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    let at = |error: std::io::Error| format!("{}: {error}", path.display());
    if !fs::metadata(path).map_err(at)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(at)? {
        let file = entry.map_err(at)?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: no .toml file in this directory", path.display()));
    }
    Ok(files)
}

fn words(complaints: &[Complaint]) -> Vec<String> {
    complaints.iter().map(ToString::to_string).collect()
}
