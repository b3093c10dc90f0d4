//! One holder a state directory: two would write one record.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// The file's name in a state directory.
pub const FILE: &str = "lock";

/// Held as long as it lives. The kernel lets go when the process ends,
/// however it ends; the file stays.
#[derive(Debug)]
pub struct Lock {
    _file: File,
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
        Ok(Lock { _file: file })
    }
}
