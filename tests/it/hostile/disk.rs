//! A disk that is full, a directory that is read-only, and a database that is
//! torn, under the built program: what it says, that nothing is thrown away,
//! and that it goes on telling while nothing can be stored.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use bakewatch::daemon::store::{FILE, Reader, Store};
use bakewatch::model::{Timestamp, WatchId};
use bakewatch::record::{Fact, Record};
use bakewatch::watch::Noted;

/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program in a mount namespace of its own, where `before` has been done to
/// the directory, `$0`; whoever may not mount may at least be root in there.
fn confined(before: &str, dir: &Path, args: &[&str]) -> Option<Command> {
    let script = format!("{before} && exec \"$@\"");
    let may = |flags: &str| {
        let run = Command::new("unshare").args([flags, "sh", "-c", before]).arg(dir).output();
        run.is_ok_and(|run| run.status.success())
    };
    let flags = ["-m", "-rm"].into_iter().find(|flags| may(flags))?;
    let mut command = Command::new("unshare");
    command.args([flags, "sh", "-c", &script]).arg(dir);
    command.arg(env!("CARGO_BIN_EXE_bakewatch")).args(args);
    command.env("STATE_DIRECTORY", dir).stdin(Stdio::null());
    Some(command)
}

fn bakewatch(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
    command.env("STATE_DIRECTORY", dir).stdin(Stdio::null());
    command
}

const RUN: [&str; 6] = ["run", "http://127.0.0.1:1", "--release", "v1", "--until", "smoke"];

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

#[test]
fn a_read_only_state_directory_is_said_before_anything_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let read_only = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"";
    let run = match confined(read_only, dir.path(), &RUN) {
        Some(mut command) => command.output().unwrap(),
        None => {
            // Who may not mount is not root: for him a mode is enough.
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o555)).unwrap();
            bakewatch(dir.path()).args(RUN).output().unwrap()
        }
    };
    assert_eq!(run.status.code(), Some(2), "{}", words(&run));
    let lock = dir.path().join("lock").display().to_string();
    let told = words(&run);
    assert!(told.contains(&format!("{lock}: ")), "{told}");
    let remedy = "; the state directory has to be writable, or give another --state-dir";
    assert!(told.ends_with(remedy), "{told}");
}

#[test]
fn a_disk_that_is_full_at_the_start_is_said_before_anything_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let full = "mount -t tmpfs -o size=64k tmpfs \"$0\" && \
                { cat /dev/zero > \"$0/ballast\" 2>/dev/null || true; }";
    let Some(mut command) = confined(full, dir.path(), &RUN) else {
        return assert!(Store::open_bounded(dir.path(), 1).is_err(), "no room for its tables");
    };
    let run = command.output().unwrap();
    let told = words(&run);
    assert_eq!(run.status.code(), Some(2), "{told}");
    assert!(told.ends_with("; make room, or give another --state-dir"), "{told}");
}

/// Ended by its drop, whatever became of the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A service that is ill when it is told to be, and a receiver of letters: for
/// each what it is about, and whether it says that it is not stored.
#[derive(Clone, Default)]
struct World {
    is_ill: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Instant>>>,
    came: Arc<Mutex<Vec<(String, bool)>>>,
}

impl World {
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (world, hooked) = (self.clone(), self.clone());
        let service = move || async move {
            world.asked.lock().unwrap().push(Instant::now());
            let is_ill = world.is_ill.load(Ordering::SeqCst);
            let status = if is_ill { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
            (status, r#"{"status":"healthy","success":true}"#)
        };
        let hook = move |headers: HeaderMap, body: String| async move {
            let is_marked = headers.contains_key("bakewatch-not-stored");
            hooked.came.lock().unwrap().push((body, is_marked));
        };
        let router = Router::new().route("/hook", axum::routing::post(hook)).fallback(service);
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// A letter that has these words, one that is marked if that is wanted.
    fn letter(&self, words: &[&str], marked: bool) -> Option<String> {
        let came = self.came.lock().unwrap();
        let has = |body: &str| words.iter().all(|word| body.contains(word));
        let found = came.iter().find(|(body, is_marked)| has(body) && (*is_marked || !marked));
        found.map(|(body, _)| body.clone())
    }
}

async fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: it never comes");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A program whose disk can be filled up, and given room again.
struct Confined {
    daemon: Daemon,
    /// Its state directory, as it is seen from here.
    inside: PathBuf,
    /// What is said of a disk that is full.
    words: &'static str,
    is_mounted: bool,
}

impl Confined {
    /// In a small file system of its own; `None`: nobody may mount one here.
    fn mounted(dir: &Path, args: &[&str], log: &Path) -> Option<Confined> {
        // Room for the log, which is taken in when it has 4 MB, and for little else.
        let command = confined("mount -t tmpfs -o size=8m tmpfs \"$0\"", dir, args)?;
        let daemon = started(command, log);
        // What is mounted is seen through the process alone.
        let inside = PathBuf::from(format!("/proc/{}", daemon.0.id()));
        let inside = inside.join("root").join(dir.strip_prefix("/").unwrap());
        let words = "database or disk is full";
        Some(Confined { daemon, inside, words, is_mounted: true })
    }

    /// With files that may not grow, for that can be had anywhere.
    fn limited(dir: &Path, args: &[&str], log: &Path) -> Confined {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ && exec \"$@\"", "sh"]);
        command.arg(env!("CARGO_BIN_EXE_bakewatch")).args(args);
        command.env("STATE_DIRECTORY", dir).stdin(Stdio::null());
        let daemon = started(command, log);
        let words = "disk I/O error";
        Confined { daemon, inside: dir.to_owned(), words, is_mounted: false }
    }

    fn fill(&self) {
        use std::io::Write;
        if !self.is_mounted {
            let log = std::fs::metadata(self.inside.join(format!("{FILE}-wal"))).unwrap();
            return self.may_grow_to(Some(log.len()));
        }
        let mut file = std::fs::File::create(self.inside.join("ballast")).unwrap();
        for size in [4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        match self.is_mounted {
            true => std::fs::remove_file(self.inside.join("ballast")).unwrap(),
            false => self.may_grow_to(None),
        }
    }

    fn may_grow_to(&self, bytes: Option<u64>) {
        use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
        let pid = Pid::from_raw(i32::try_from(self.daemon.0.id()).unwrap());
        let maximum = getrlimit(Resource::Fsize).maximum; // as it has it from here
        let limit = Rlimit { current: bytes.or(maximum), maximum };
        prlimit(pid, Resource::Fsize, limit).unwrap();
    }
}

fn started(mut command: Command, log: &Path) -> Daemon {
    command.stdout(Stdio::null()).stderr(std::fs::File::create(log).unwrap());
    Daemon(command.spawn().unwrap())
}

const ID: &str = "full@v1";

/// What is on that disk now. (Copied, for SQLite would follow the way there to
/// the same path outside. A copy that is taken amid a write may be none.)
fn facts(dir: &Path) -> Vec<(Timestamp, Fact)> {
    let copy = tempfile::tempdir().unwrap();
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        let _ = std::fs::copy(dir.join(&name), copy.path().join(&name));
    }
    let read = || Reader::open(copy.path())?.facts(&WatchId(ID.into()));
    read().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_is_told_and_so_is_all_else_until_there_is_room_again() {
    lives_through_a_full_disk(|dir, args, log| Some(Confined::limited(dir, args, log))).await;
    lives_through_a_full_disk(Confined::mounted).await;
}

async fn lives_through_a_full_disk(start: impl FnOnce(&Path, &[&str], &Path) -> Option<Confined>) {
    let (dir, config) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let world = World::default();
    let url = world.serve().await;
    let file = config.path().join("full.toml");
    let text = format!(
        "service = \"full\"\nurl = \"{url}\"\ntimeout = \"700ms\"\n[targets]\nmetrics = false\n\
         [windows]\nhour = {{ length = \"1h\", every = \"1s\" }}\n\
         [rules]\nfor = \"2s\"\nrecover = \"2s\"\n\
         [[channel]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{url}/hook\"\n\
         group-wait = \"0s\"\ngroup-interval = \"0s\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let run = ["run", "-c", &file, "--release", "v1"];
    let Some(confined) = start(dir.path(), &run, &config.path().join("log")) else {
        return; // nobody may mount here: the other way has been tried
    };
    let inside = &confined.inside;
    until("its first facts", || (8 < facts(inside).len()).then_some(())).await;

    confined.fill();
    let told =
        until("the full disk is told", || world.letter(&["could not be stored"], true)).await;
    assert!(told.contains(confined.words), "{told}");
    world.is_ill.store(true, Ordering::SeqCst);
    let fired = ["alert", "ServiceDown", "\"status\":\"firing\""];
    until("the outage is told, as not stored", || world.letter(&fired, true)).await;
    let asked = world.asked.lock().unwrap().len();
    until("it goes on asking", || (asked + 5 < world.asked.lock().unwrap().len()).then_some(()))
        .await;
    let before = facts(inside);
    assert!(!before.is_empty(), "what was stored is there");
    assert!(!before.iter().any(|(_, fact)| matches!(fact, Fact::StoreFailed { .. })));

    confined.make_room();
    world.is_ill.store(false, Ordering::SeqCst);
    let resolved = ["alert", "ServiceDown", "\"status\":\"resolved\""];
    until("its end is told", || world.letter(&resolved, false)).await;
    let is_stored = || {
        let facts = facts(inside);
        let has = |wanted: fn(&Fact) -> bool| facts.iter().any(|(_, fact)| wanted(fact));
        let fails = has(|fact| matches!(fact, Fact::StoreFailed { .. }));
        let fires = has(|fact| matches!(fact, Fact::Alert { phase, .. } if phase.is_firing()));
        (fails && fires).then_some(facts)
    };
    let facts = until("all of it is stored after all", is_stored).await;
    Record::replay(facts).expect("a record without a gap");
}

fn noted(seq: u64) -> Noted {
    let detail = "y".repeat(500);
    let fact = Fact::Limit { target: None, what: "series".into(), detail };
    Noted {
        watch: WatchId("a@1".into()),
        seq,
        at: Timestamp::from_millis(1_000 + seq as i64),
        decision: true,
        fact: fact.encode(),
        told: Arc::new(fact),
    }
}

/// A store with three hundred facts; with `is_killed` most are in its log, as a
/// process leaves them that is killed.
async fn store(is_killed: bool) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for first in [1, 101, 201] {
        store.append((first..first + 100).map(noted).collect()).await.unwrap();
    }
    if !is_killed {
        drop(store);
        return dir;
    }
    let left = tempfile::tempdir().unwrap();
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        std::fs::copy(dir.path().join(&name), left.path().join(&name)).unwrap();
    }
    left
}

type Tear = fn(&mut Vec<u8>);

#[tokio::test]
async fn a_torn_database_is_said_with_what_to_do_and_stays_as_it_is() {
    let rows: [(&str, Tear); 4] = [
        ("cut amid a page", |bytes| bytes.truncate(bytes.len() / 2 + 100)),
        ("another header", |bytes| bytes[..100].fill(b'x')),
        ("a page of something else", |bytes| {
            let half = bytes.len() / 2 / 4096 * 4096;
            bytes[half..half + 4096].fill(0xff);
        }),
        ("the first page alone", |bytes| bytes.truncate(4096)),
    ];
    for (name, tear) in rows {
        let dir = store(false).await;
        let path = dir.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        tear(&mut bytes);
        std::fs::write(&path, &bytes).unwrap();
        for command in [&RUN[..], &["status"]] {
            let run = bakewatch(dir.path()).args(command).output().unwrap();
            let told = words(&run);
            assert_eq!(run.status.code(), Some(2), "{name}, {command:?}: {told}");
            let begins = format!("{}: the file is damaged (", path.display());
            assert!(told.contains(&begins), "{name}, {command:?}: {told}");
            let remedy = "restore a copy, or move it away together with";
            assert!(told.contains(remedy), "{name}, {command:?}: {told}");
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{name}: it was written to");
    }
}

#[tokio::test]
async fn a_database_that_vanished_beside_its_log_is_no_new_one() {
    let dir = store(true).await;
    let (path, log) = (dir.path().join(FILE), dir.path().join(format!("{FILE}-wal")));
    let before = std::fs::read(&log).unwrap();
    for vanish in
        [|path: &Path| std::fs::write(path, b""), |path: &Path| std::fs::remove_file(path)]
    {
        vanish(&path).unwrap();
        let run = bakewatch(dir.path()).args(RUN).output().unwrap();
        let told = words(&run);
        assert_eq!(run.status.code(), Some(2), "{told}");
        assert!(told.contains("the file is damaged (it is empty, and "), "{told}");
        assert!(std::fs::read(&log).unwrap() == before, "the log is thrown away");
    }
}

#[tokio::test]
async fn a_log_whose_last_frame_is_torn_gives_all_facts_before_it() {
    let rows: [(&str, Tear, usize); 3] = [
        ("whole", |_| {}, 300),
        ("cut amid the last frame", |bytes| bytes.truncate(bytes.len() - 1000), 200),
        (
            "garbage in the last frame",
            |bytes| {
                let end = bytes.len();
                bytes[end - 2000..].fill(0xff);
            },
            200,
        ),
    ];
    for (name, tear, kept) in rows {
        let dir = store(true).await;
        let log = dir.path().join(format!("{FILE}-wal"));
        let mut bytes = std::fs::read(&log).unwrap();
        tear(&mut bytes);
        std::fs::write(&log, bytes).unwrap();
        drop(Store::open(dir.path()).unwrap_or_else(|error| panic!("{name}: {error}")));
        // The last hundred were one commit: it counts as never made.
        let facts = Reader::open(dir.path()).unwrap().facts(&WatchId("a@1".into())).unwrap();
        assert_eq!(facts.len(), kept, "{name}");
    }
}
