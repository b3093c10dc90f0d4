//! Files that a configuration names, by a path or by a pattern with a `*` in
//! its last part; and reading that keeps nobody waiting.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

/// A hundred times the largest list of targets, or file of rules, that we have seen.
const BYTES_MAX: u64 = 16 << 20;

/// So long may a disk take to give a secret or a certificate. It is ours, and
/// whoever is asked with it is not to be called slow for it.
const READ_MAX: Duration = Duration::from_secs(1);

/// So many readings may hang at a time, and so many of one thing: a disk that
/// went away is to hold up neither other disks nor whoever looks up names.
const HANGING_MAX: usize = 32;
const HANGING_OF_ONE_MAX: usize = 2;

static HANGING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(HANGING_MAX)));

/// Places by what is read. There are as many as the configuration has files.
static HANGING_OF_ONE: Mutex<BTreeMap<String, Arc<Semaphore>>> = Mutex::new(BTreeMap::new());

fn places_of(what: &str) -> Arc<Semaphore> {
    let mut all = HANGING_OF_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = || Arc::new(Semaphore::new(HANGING_OF_ONE_MAX));
    all.entry(what.to_owned()).or_insert_with(made).clone()
}

/// Reads aside, on a thread that may hang: a file on a network may do so for
/// good.
///
/// # Errors
/// It was not read in time.
pub(super) async fn read_aside<T: Send + 'static>(
    what: &str,
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let reading = async {
        let of_one = places_of(what).acquire_owned().await.expect("it is never closed");
        let place = HANGING.clone().acquire_owned().await.expect("it is never closed");
        let done = tokio::task::spawn_blocking(move || {
            let read = read();
            drop((of_one, place)); // only now, whoever has stopped waiting
            read
        });
        done.await.map_err(|error| format!("{what}: {error}"))
    };
    let late = |_| format!("{what}: the disk has not answered within {READ_MAX:?}");
    tokio::time::timeout(READ_MAX, reading).await.map_err(late)?
}

/// A file's text, unless it is too large.
///
/// # Errors
/// It cannot be read, or is too large to be what it should.
pub fn text_of(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    fs::File::open(file)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(std::io::Error::other(format!("larger than {BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// The file itself, or those that its pattern fits, by name.
///
/// # Errors
/// There is none.
pub fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
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
