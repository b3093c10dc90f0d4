//! The real binary and SIGHUP: a configuration that is read anew while an
//! alert fires, with an error in it, with another bound, and where there is no
//! file at all.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;

use super::cli::{bakewatch, service};

/// Longer than any of it takes, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stopped by its drop, whatever became of the test.
struct Daemon {
    child: Child,
    manager: UnixDatagram,
    heard: Vec<String>,
}

impl Daemon {
    fn start(dir: &Path, args: &[&str]) -> Daemon {
        let socket = dir.join("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
        command.arg("run").args(args).args(["--release", "v1"]);
        command.env("STATE_DIRECTORY", dir).env("NOTIFY_SOCKET", &socket);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let child = command.stderr(log).spawn().unwrap();
        let mut daemon = Daemon { child, manager, heard: Vec::new() };
        daemon.until("READY=1");
        daemon
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Reads what the manager is told until it has the line.
    fn until(&mut self, line: &str) {
        self.heard.clear();
        while !self.heard.iter().any(|heard| heard.starts_with(line)) {
            let mut bytes = [0; 4096];
            let count = self.manager.recv(&mut bytes);
            let count = count.unwrap_or_else(|why| panic!("{line}: {why}; {:?}", self.heard));
            let text = std::str::from_utf8(&bytes[..count]).unwrap();
            self.heard.extend(text.lines().map(str::to_owned));
        }
    }

    /// Asks for another look at the configuration, and waits until it is over.
    fn reload(&mut self) {
        self.signal("-HUP");
        self.until("RELOADING=1");
        let is_time = |line: &String| {
            line.strip_prefix("MONOTONIC_USEC=").is_some_and(|us| us.parse::<u64>().is_ok())
        };
        assert!(self.heard.iter().any(is_time), "{:?}", self.heard);
        self.until("READY=1");
    }

    fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A service that can be ill, and a receiver that keeps what it is told.
struct World {
    dir: tempfile::TempDir,
    is_ill: Arc<AtomicBool>,
    told: Arc<Mutex<Vec<String>>>,
    url: String,
    hook: String,
}

impl World {
    async fn new() -> World {
        let is_ill = Arc::new(AtomicBool::new(false));
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let ill = is_ill.clone();
        let answer = move || async move {
            let is_ill = ill.load(Ordering::SeqCst);
            let status = if is_ill { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
            (status, r#"{"status":"healthy","success":true}"#)
        };
        let taken = told.clone();
        let hook = move |body: String| async move {
            let json: serde_json::Value = serde_json::from_str(&body).unwrap();
            let alerts = json["data"]["alerts"].as_array().cloned().unwrap_or_default();
            let words = |alert: &serde_json::Value| {
                format!("{} {}", alert["status"], alert["rule"]).replace('"', "")
            };
            taken.lock().unwrap().extend(alerts.iter().map(words));
        };
        let (url, hook) = (
            serve(Router::new().fallback(answer)).await,
            serve(Router::new().fallback(hook)).await,
        );
        World { dir: tempfile::tempdir().unwrap(), is_ill, told, url, hook }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("service.toml")
    }

    /// Writes the configuration with this rule for a service that is down.
    fn write(&self, rule: &str) {
        let (url, hook) = (&self.url, &self.hook);
        let text = format!(
            r#"
service = "chat"
url = "{url}"
[targets]
metrics = false
[windows]
hour = {{ length = "1h", every = "1s" }}
[[rule]]
name = "ServiceDown"
for = "0s"
recover = "0s"
breaches = 1
calms = 1
{rule}
[[rule]]
name = "ReplicasMissing"
off = true
[[channel]]
name = "hook"
type = "webhook"
group-wait = "0s"
group-interval = "0s"
url = "{hook}"
"#
        );
        std::fs::write(self.file(), text).unwrap();
    }

    /// Waits until so much was told, and gives it.
    async fn told(&self, count: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let told = self.told.lock().unwrap().clone();
            if told.len() >= count {
                return told;
            }
            assert!(began.elapsed() < PATIENCE, "only {told:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Does what would block the world it asks in a thread of its own.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn reads_its_file_anew_while_an_alert_fires_and_tells_nothing_twice() {
    let world = World::new().await;
    world.write("below = 1");
    let (dir, file) = (world.dir.path().to_owned(), world.file().display().to_string());
    let mut daemon = aside(move || Daemon::start(&dir, &["-c", &file])).await;
    world.is_ill.store(true, Ordering::SeqCst);
    assert_eq!(world.told(1).await, ["firing ServiceDown"]);
    world.write("bellow = 1");
    daemon = aside(move || {
        daemon.reload();
        daemon
    })
    .await;
    let (_, out, _) = bakewatch(world.dir.path(), &["status"]).await;
    assert!(out.contains("configuration: not followed"), "{out}");
    assert!(out.contains("service.toml:") && out.contains("ServiceDown.bellow"), "{out}");
    assert!(out.contains("alert ServiceDown: firing"), "{out}");
    // Mended, with another bound: what fired is calm by it.
    world.write("below = 0");
    daemon = aside(move || {
        daemon.reload();
        daemon
    })
    .await;
    assert_eq!(world.told(2).await, ["firing ServiceDown", "resolved ServiceDown"]);
    let (_, out, _) = bakewatch(world.dir.path(), &["status"]).await;
    assert!(out.contains("rule ServiceDown: bound: below 1 → below 0"), "{out}");
    let code = aside(move || {
        daemon.reload(); // the same file: nothing comes of it
        daemon.stop()
    })
    .await;
    assert_eq!((code, world.told(2).await.len()), (Some(130), 2));
    let log = std::fs::read_to_string(world.dir.path().join("log")).unwrap();
    assert!(log.contains("nothing has changed"), "{log}");
}

#[tokio::test]
async fn goes_on_where_there_is_no_file_to_be_read() {
    let (dir, url) = (tempfile::tempdir().unwrap(), service().await);
    let path = dir.path().to_owned();
    let code = aside(move || {
        let mut daemon = Daemon::start(&path, &[&url]);
        daemon.reload();
        daemon.stop()
    });
    assert_eq!(code.await, Some(130));
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.contains("nothing to read anew"), "{log}");
}
