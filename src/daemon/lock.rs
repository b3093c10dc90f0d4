//! One holder a state directory: two would write one record.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;

/// The file's name in a state directory.
pub const FILE: &str = "lock";

/// How often a lock that is to be taken over is tried.
const GLANCE: Duration = Duration::from_millis(100);

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
        Lock::try_take(dir)?.map_err(|holder| {
            let who = if holder.is_empty() { "another process" } else { &holder };
            format!(
                "{}: {who} is watching with this state directory; stop it, give --take-over, or \
                 give another --state-dir",
                dir.display()
            )
        })
    }

    /// The same, once a process that holds it has ended: it is asked to, as
    /// by `kill`, tells what it owes, and is waited for.
    ///
    /// # Errors
    /// As `take`; the holder cannot be asked, or does not end in time.
    pub async fn take_over(dir: &Path, patience: Duration) -> Result<Lock, String> {
        let until = Instant::now() + patience;
        let mut asked = String::new();
        loop {
            let who = match Lock::try_take(dir)? {
                Ok(lock) => return Ok(lock),
                Err(who) => who,
            };
            if Instant::now() >= until {
                let dir = dir.display();
                return Err(format!("{dir}: {who} did not end within {patience:?}; stop it"));
            }
            // An empty one is just being written, or just let go.
            if !who.is_empty() && who != asked {
                tracing::info!("taking over from {who}");
                ask_to_end(&who).map_err(|error| format!("{}: {who}: {error}", dir.display()))?;
                asked = who;
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// The lock, or its holder's words.
    fn try_take(dir: &Path) -> Result<Result<Lock, String>, String> {
        let path = dir.join(FILE);
        let at = |error: &io::Error| match error.kind() {
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => format!(
                "{}: {error}; the state directory has to be writable, or give another --state-dir",
                path.display()
            ),
            ErrorKind::StorageFull => {
                format!("{}: {error}; make room, or give another --state-dir", path.display())
            }
            _ => format!("{}: {error}", path.display()),
        };
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
                return Ok(Err(holder.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(at(&error)),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "pid {}", std::process::id())
        };
        write(&mut file).map_err(|error| at(&error))?;
        Ok(Ok(Lock { file }))
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
    /// stamp grows old and says the same. Closing the file alone would leave the
    /// lock to a process that is being started just now, until it has begun.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// Sends SIGTERM to a lock's holder.
///
/// # Errors
/// It is not this program, as far as this process can see: the directory may
/// be shared with another container, whose ids mean others here.
fn ask_to_end(who: &str) -> Result<(), String> {
    let id = who.strip_prefix("pid ").and_then(|id| id.parse::<i32>().ok());
    let id = id.ok_or("the lock names no process")?;
    let name = |id: &str| fs::read_to_string(format!("/proc/{id}/comm")).ok();
    let is_foreign = u32::try_from(id) == Ok(std::process::id())
        || name(&id.to_string()).is_none_or(|found| Some(found) != name("self"));
    let pid = Pid::from_raw(id).filter(|_| !is_foreign);
    let pid = pid.ok_or("is not visible from here as this program; stop it where it runs")?;
    kill_process(pid, Signal::TERM).map_err(|error| error.to_string())
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
