//! One holder a state directory: two would write one record.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The file's name in a state directory.
pub const FILE: &str = "lock";

/// Held as long as it lives. The kernel lets go when the process ends,
/// however it ends; the file stays.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock and writes this process's id into it.
    ///
    /// # Errors
    /// Another process holds it (the words name its id), or the file cannot
    /// be made.
    pub fn take(dir: &Path) -> Result<Lock, String> {
        let path = dir.join(FILE);
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| at(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(|error| at(&error))?;
                let holder = holder.trim();
                let who = if holder.is_empty() { "another process" } else { holder };
                return Err(format!(
                    "{}: {who} is watching with this state directory; stop it, or give \
                     another --state-dir",
                    dir.display()
                ));
            }
            Err(TryLockError::Error(error)) => return Err(at(&error)),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "pid {}", std::process::id())
        };
        write(&mut file).map_err(|error| at(&error))?;
        Ok(Lock { file })
    }

    /// The file's time becomes now, without a write: whoever reads it knows
    /// that its holder lives.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn stamp(&self) -> io::Result<()> {
        self.file.set_modified(SystemTime::now())
    }
}

impl Drop for Lock {
    /// An empty file: its holder has ended in order. Where that fails the
    /// stamp grows old and says the same.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

/// What a lock says of its holder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holder {
    /// Nobody has ever held it, or its holder has ended in order.
    None,
    /// Its words (`pid 12`) and the age of its stamp; `None`: it lies in the
    /// future, since the wall clock was set back.
    Stamped {
        /// `pid 12`.
        who: String,
        /// Since its last stamp.
        age: Option<Duration>,
    },
}

/// Looks at a state directory's lock without taking it.
///
/// # Errors
/// The file cannot be read.
pub fn holder(dir: &Path) -> Result<Holder, String> {
    let path = dir.join(FILE);
    let at = |error: io::Error| format!("{}: {error}", path.display());
    let who = match fs::read_to_string(&path) {
        Ok(who) => who.trim().to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Holder::None),
        Err(error) => return Err(at(error)),
    };
    if who.is_empty() {
        return Ok(Holder::None);
    }
    let stamped = fs::metadata(&path).and_then(|file| file.modified()).map_err(at)?;
    Ok(Holder::Stamped { who, age: SystemTime::now().duration_since(stamped).ok() })
}
