//! The real binary under a service manager: what it tells its socket, and what
//! `status --check` makes of its lock.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use bakewatch::daemon::lock::Lock;

use super::cli::{bakewatch, service};

/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Stopped by its drop, whatever became of the test.
struct Daemon(Child);

impl Daemon {
    fn start(dir: &Path, url: &str, socket: &str, watchdog: Duration) -> Daemon {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
        command.args(["run", url, "--release", "v1"]).env("STATE_DIRECTORY", dir);
        command.env("NOTIFY_SOCKET", socket);
        command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Daemon(command.spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads until a message has the line; gives all that came until then.
fn until(manager: &UnixDatagram, line: &str) -> Vec<String> {
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut seen = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        let count =
            manager.recv(&mut bytes).unwrap_or_else(|why| panic!("{line}: {why}; {seen:?}"));
        let text = std::str::from_utf8(&bytes[..count]).unwrap();
        seen.extend(text.lines().map(str::to_owned));
        if seen.iter().any(|seen| seen.starts_with(line)) {
            return seen;
        }
    }
}

#[tokio::test]
async fn tells_a_service_manager_of_its_start_its_life_and_its_end() {
    let (dir, url) = (tempfile::tempdir().unwrap(), service().await);
    let path = dir.path().join("notify");
    let name = format!("bakewatch-test-{}", std::process::id());
    let abstracted = SocketAddr::from_abstract_name(&name).unwrap();
    let managers = [
        (UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap().to_owned()),
        (UnixDatagram::bind_addr(&abstracted).unwrap(), format!("@{name}")),
    ];
    for (manager, socket) in managers {
        let state = dir.path().join("state");
        let mut daemon = Daemon::start(&state, &url, &socket, Duration::from_millis(400));
        let told = tokio::task::spawn_blocking(move || {
            let first = until(&manager, "READY=1");
            assert_eq!(first[..2], ["READY=1", "WATCHDOG=1"], "{first:?}");
            assert!(first[2].starts_with("STATUS=127.0.0.1:"), "{first:?}");
            for _ in 0..4 {
                assert_eq!(until(&manager, "WATCHDOG=1"), ["WATCHDOG=1"]);
            }
            daemon.signal("-TERM");
            let last = until(&manager, "STOPPING=1");
            let extends = |line: &String| line.starts_with("EXTEND_TIMEOUT_USEC=");
            assert!(last.iter().any(extends), "{last:?}");
            daemon.0.wait().unwrap()
        });
        assert_eq!(told.await.unwrap().code(), Some(130));
        let (code, out, _) = bakewatch(&state, &["status", "--check"]).await;
        assert_eq!((code, out.contains("nobody holds it")), (Some(4), true), "{out}");
    }
}

#[tokio::test]
async fn knows_a_loop_that_turns_from_one_that_hangs_or_died() {
    let (dir, url) = (tempfile::tempdir().unwrap(), service().await);
    let (code, out, _) = bakewatch(dir.path(), &["status", "--check"]).await;
    assert_eq!((code, out.contains("nobody holds it")), (Some(4), true), "{out}");
    let path = dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let daemon =
        Daemon::start(dir.path(), &url, path.to_str().unwrap(), Duration::from_millis(400));
    tokio::task::spawn_blocking(move || until(&manager, "READY=1")).await.unwrap();
    let (code, out, err) = bakewatch(dir.path(), &["status", "--check"]).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains(&format!("pid {}", daemon.0.id())), "{out}");
    daemon.signal("-KILL");
    drop(daemon);
    // Its stamp is all that is left, and it grows old.
    let lock = std::fs::File::options().write(true).open(dir.path().join("lock")).unwrap();
    lock.set_modified(SystemTime::now() - Duration::from_secs(61)).unwrap();
    let (code, out, _) = bakewatch(dir.path(), &["status", "--check"]).await;
    assert_eq!((code, out.contains("its last turn was 1m")), (Some(4), true), "{out}");
}

#[tokio::test]
async fn takes_over_from_a_holder_once_that_has_ended_in_order() {
    let (dir, url) = (tempfile::tempdir().unwrap(), service().await);
    let path = dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let watchdog = Duration::from_secs(20);
    let mut first = Daemon::start(dir.path(), &url, path.to_str().unwrap(), watchdog);
    tokio::task::spawn_blocking(move || until(&manager, "READY=1")).await.unwrap();
    let second = ["run", &url, "--release", "v2", "--until", "smoke"];
    let (code, _, err) = bakewatch(dir.path(), &second).await;
    assert_eq!((code, err.contains("--take-over")), (Some(2), true), "{err}");
    let second = ["run", &url, "--release", "v2", "--until", "smoke", "--take-over"];
    let (code, out, err) = bakewatch(dir.path(), &second).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert_eq!(first.0.try_wait().unwrap().unwrap().code(), Some(130));
    let (_, out, _) = bakewatch(dir.path(), &["status"]).await;
    assert!(out.contains("@v1: superseded by v2"), "{out}");
}

#[tokio::test]
async fn asks_no_other_program_to_end() {
    let dir = tempfile::tempdir().unwrap();
    // Its words name a process that this one cannot be: its own.
    let _lock = Lock::take(dir.path()).unwrap();
    let error = Lock::take_over(dir.path(), PATIENCE).await.unwrap_err();
    assert!(error.contains("stop it where it runs"), "{error}");
}
