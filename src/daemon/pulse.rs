//! The loop's pulse, for those who watch the watcher: systemd, which is told
//! of readiness, life and progress over its notification socket, and the
//! lock's time stamp, by which `status --check` knows that the loop turns.
//!
//! Nothing here has a timer or a task of its own: all of it is sent by the
//! turns themselves, so a loop that hangs falls silent. A slow disk or channel
//! does not hang it.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use super::lock::Lock;

/// How often the lock is stamped and the status line sent. Nobody needs to
/// know it sooner, and it costs two system calls.
pub const BEAT: Duration = Duration::from_secs(10);

/// A loop whose last beat is older has missed five of them: it hangs, or is gone.
pub const STALE: Duration = Duration::from_secs(60);

/// A turn may wait for the disk twice, 3 s each. A watchdog that is not well
/// above that would kill a loop for a disk's slowness.
const WATCHDOG_MIN: Duration = Duration::from_secs(15);

/// Longer than the loop needs to end once everything is told.
const MARGIN: Duration = Duration::from_secs(5);

/// What a loop shows of itself.
#[derive(Default)]
pub struct Pulse {
    manager: Option<UnixDatagram>,
    watchdog: Option<Duration>,
    lock: Option<Lock>,
    is_ready: bool,
    is_stopping: bool,
    fed_at: Option<Instant>,
    beat_at: Option<Instant>,
    status: String,
    has_complained: bool,
}

impl Pulse {
    /// Of a process that holds a state directory, and that a service manager
    /// may have started.
    ///
    /// # Errors
    /// The manager's socket cannot be reached, or its watchdog is no number.
    pub fn new(lock: Lock) -> Result<Pulse, String> {
        let manager = match env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) {
            Some(name) => Some(
                connect(&name)
                    .map_err(|error| format!("NOTIFY_SOCKET {}: {error}", name.display()))?,
            ),
            None => None,
        };
        let watchdog = watchdog(|name| env::var(name).ok(), std::process::id())?;
        let watchdog = watchdog.filter(|_| manager.is_some());
        if let Some(limit) = watchdog.filter(|limit| *limit < WATCHDOG_MIN) {
            tracing::warn!(
                "the watchdog's {limit:?} is short: a slow disk may cost as much; \
                 write WatchdogSec={}s or more",
                WATCHDOG_MIN.as_secs()
            );
        }
        Ok(Pulse { manager, watchdog, lock: Some(lock), ..Pulse::default() })
    }

    /// A turn is over. `status` is asked for at most every `BEAT`.
    pub fn turned(&mut self, now: Instant, status: impl FnOnce() -> String) {
        let mut words = Vec::new();
        if !self.is_ready {
            self.is_ready = true;
            words.push("READY=1".to_owned());
        }
        if is_due(self.fed_at, self.watchdog.map(|limit| limit / 2), now) {
            self.fed_at = Some(now);
            words.push("WATCHDOG=1".to_owned());
        }
        if is_due(self.beat_at, self.beats(), now) {
            self.beat_at = Some(now);
            self.stamp();
            let status = status().replace('\n', " ");
            if status != self.status {
                words.push(format!("STATUS={status}"));
                self.status = status;
            }
        }
        self.send(&words);
    }

    /// The configuration is being read. The time tells the manager which of
    /// several requests this is the answer to.
    pub fn reloading(&mut self) {
        let now = clock_gettime(ClockId::Monotonic);
        let us = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        self.send(&["RELOADING=1".to_owned(), format!("MONOTONIC_USEC={us}")]);
    }

    /// It was read: the next turn that ends says that all is ready again.
    pub fn reloaded(&mut self) {
        self.is_ready = false;
    }

    /// It ends, and may still tell what is owed for as long as `limit`.
    pub fn stopping(&mut self, limit: Duration) {
        if !std::mem::replace(&mut self.is_stopping, true) {
            let extended = (limit + MARGIN).as_micros();
            self.send(&["STOPPING=1".to_owned(), format!("EXTEND_TIMEOUT_USEC={extended}")]);
        }
    }

    /// When the next turn is due for the pulse's own sake.
    pub fn due(&self) -> Option<Instant> {
        let fed = self.fed_at.zip(self.watchdog).map(|(at, limit)| at + limit / 2);
        let beat = self.beat_at.zip(self.beats()).map(|(at, every)| at + every);
        fed.into_iter().chain(beat).min()
    }

    fn beats(&self) -> Option<Duration> {
        (self.manager.is_some() || self.lock.is_some()).then_some(BEAT)
    }

    fn stamp(&mut self) {
        let Some(Err(error)) = self.lock.as_ref().map(Lock::stamp) else { return };
        if !std::mem::replace(&mut self.has_complained, true) {
            tracing::warn!("the lock cannot be stamped, `status --check` will fail: {error}");
        }
    }

    /// The manager may be slow to read: what does not fit is said again later,
    /// for each is said twice within its time.
    fn send(&mut self, words: &[String]) {
        let Some(manager) = self.manager.as_ref().filter(|_| !words.is_empty()) else { return };
        if let Err(error) = manager.send(words.join("\n").as_bytes())
            && !std::mem::replace(&mut self.has_complained, true)
        {
            tracing::warn!("the service manager cannot be told: {error}");
        }
    }
}

fn is_due(last: Option<Instant>, every: Option<Duration>, now: Instant) -> bool {
    every.is_some_and(|every| last.is_none_or(|at| now.duration_since(at) >= every))
}

/// A path, or `@` and a name that stands in no file system.
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    match name.as_bytes() {
        [b'@', name @ ..] => socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?,
        [b'/', ..] => socket.connect(name)?,
        _ => {
            let what = "is neither a path nor an abstract name; systemd sets it";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// How long the manager bears silence, if it is meant for this process.
fn watchdog(var: impl Fn(&str) -> Option<String>, own: u32) -> Result<Option<Duration>, String> {
    let number = |name: &str| {
        var(name).map(|text| {
            let what = |_| format!("{name}: {text:?} is not a whole number; systemd sets it");
            text.parse::<u64>().map_err(what)
        })
    };
    let is_ours = number("WATCHDOG_PID").transpose()?.is_none_or(|pid| pid == u64::from(own));
    let limit = number("WATCHDOG_USEC").transpose()?.filter(|limit| is_ours && *limit > 0);
    Ok(limit.map(Duration::from_micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(vars: &[(&str, &str)]) -> Result<Option<Duration>, String> {
        let find = |name: &str| vars.iter().find(|(known, _)| *known == name);
        watchdog(|name| find(name).map(|(_, value)| (*value).to_owned()), 7)
    }

    #[test]
    fn feeds_the_watchdog_that_is_meant_for_this_process() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(limit(&[("WATCHDOG_USEC", "1000000")]), Ok(second));
        assert_eq!(limit(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "7")]), Ok(second));
        assert_eq!(limit(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "8")]), Ok(None));
        assert_eq!(limit(&[]), Ok(None));
        assert!(limit(&[("WATCHDOG_USEC", "1s")]).unwrap_err().contains("WATCHDOG_USEC"));
    }

    #[test]
    fn says_it_is_ready_once_and_lives_only_by_its_turns() {
        let (manager, ours) = UnixDatagram::pair().unwrap();
        let read = || {
            manager.set_nonblocking(true).unwrap();
            let mut bytes = [0; 512];
            let read = manager.recv(&mut bytes).ok();
            read.map(|count| String::from_utf8(bytes[..count].to_vec()).unwrap())
        };
        let watchdog = Some(Duration::from_secs(30));
        let mut pulse = Pulse { manager: Some(ours), watchdog, ..Pulse::default() };
        let began = Instant::now();
        pulse.turned(began, || "one\ntwo".to_owned());
        assert_eq!(read().as_deref(), Some("READY=1\nWATCHDOG=1\nSTATUS=one two"));
        pulse.turned(began, || unreachable!("no beat is due"));
        assert_eq!(read(), None, "nothing is due");
        assert_eq!(pulse.due(), Some(began + BEAT));
        pulse.turned(began + Duration::from_secs(15), || "one two".to_owned());
        assert_eq!(read().as_deref(), Some("WATCHDOG=1"), "the status has not changed");
        pulse.stopping(Duration::from_secs(20));
        pulse.stopping(Duration::from_secs(20));
        assert_eq!(read().as_deref(), Some("STOPPING=1\nEXTEND_TIMEOUT_USEC=25000000"));
        assert_eq!(read(), None);
    }
}
