//! Where state and reports are kept.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The state directory: as given, or as the system asks for it.
///
/// # Errors
/// Neither a directory nor a home is known, or it cannot be made.
pub fn state_dir(given: Option<PathBuf>) -> Result<PathBuf, String> {
    let dir = named(given, var)?;
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    Ok(dir)
}

/// For commands that only read: the state directory's name; nothing is made.
///
/// # Errors
/// Neither a directory nor a home is known.
pub fn reading(given: Option<&Path>) -> Result<PathBuf, String> {
    named(given.map(Path::to_owned), var)
}

fn var(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The state directory's name.
///
/// # Errors
/// Neither a directory nor a home is known.
fn named(
    given: Option<PathBuf>,
    var: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, String> {
    if let Some(dir) = given {
        return Ok(dir);
    }
    // A unit file with several state directories has them separated by colons.
    if let Some(dirs) = var("STATE_DIRECTORY") {
        return Ok(env::split_paths(&dirs).next().unwrap_or_default());
    }
    if let Some(base) = var("XDG_STATE_HOME") {
        return Ok(Path::new(&base).join("bakewatch"));
    }
    let home = var("HOME").ok_or("no home directory is known; give --state-dir")?;
    Ok(Path::new(&home).join(".local/state/bakewatch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(vars: &[(&str, &str)]) -> Result<PathBuf, String> {
        let find = |name: &str| vars.iter().find(|(known, _)| *known == name);
        named(None, |name| find(name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn prefers_what_the_service_manager_gives_then_the_users_own() {
        let all = [("STATE_DIRECTORY", "/a:/b"), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(check(&all), Ok("/a".into()));
        assert_eq!(check(&all[1..]), Ok("/x/bakewatch".into()));
        assert_eq!(check(&all[2..]), Ok("/h/.local/state/bakewatch".into()));
        assert!(check(&[]).unwrap_err().contains("--state-dir"));
    }
}
