//! The heartbeat, sent by a real loop to a real server: as long as all is well
//! with bakewatch itself, and no longer.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use bakewatch::config::{self, Checked, Given, Source};
use bakewatch::daemon::carry::Carrier;
use bakewatch::daemon::clock::Clock;
use bakewatch::daemon::desk::{Desk, desk};
use bakewatch::daemon::heartbeat::{self, Heartbeats};
use bakewatch::daemon::http::Http;
use bakewatch::daemon::reload::Reload;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::daemon::store::{FILE, Store};
use bakewatch::daemon::turn::{End, Observer, Turns};
use bakewatch::model::{MILLISECOND, Release, Timestamp, WatchId};
use bakewatch::record::{Fact, Outcome};
use bakewatch::watch::Fleet;
use tokio::sync::watch as signals;

const RELEASED: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Longer than any of these tests takes, even on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// For so long the loop is kept turning where it must not call: many times as
/// long as it would wait between two calls.
const WHILE: Duration = Duration::from_millis(100);

/// A service that is down, so that there is a letter at once, and its receiver,
/// which keeps the loop where it is as long as it does not answer.
struct World {
    dir: tempfile::TempDir,
    service: String,
    hook: String,
    letters: Arc<Mutex<Vec<bool>>>,
    answer: signals::Sender<Option<StatusCode>>,
}

impl World {
    async fn new(answer: Option<StatusCode>) -> World {
        let (answer, answers) = signals::channel(answer);
        let letters = Arc::new(Mutex::new(Vec::new()));
        let came = letters.clone();
        let hook = move |headers: HeaderMap| async move {
            came.lock().unwrap().push(headers.contains_key("bakewatch-not-stored"));
            let mut answers = answers.clone();
            let status = *answers.wait_for(Option::is_some).await.unwrap();
            status.unwrap()
        };
        let down = || async { StatusCode::SERVICE_UNAVAILABLE };
        World {
            dir: tempfile::tempdir().unwrap(),
            service: serve(Router::new().fallback(down)).await,
            hook: serve(Router::new().fallback(hook)).await,
            letters,
            answer,
        }
    }

    /// The least that a configuration may ask for is longer than a test may take.
    fn checked(&self, calls: &Calls) -> Checked {
        let (service, hook, beat) = (&self.service, &self.hook, &calls.url);
        let text = format!(
            r#"
service = "chat"
url = "{service}"
[targets]
metrics = false
[windows]
hour = {{ length = "1h", every = "60s" }}
[[channel]]
name = "hook"
type = "webhook"
url = "{hook}"
[heartbeat]
url = "{beat}"
"#
        );
        let source = Source { file: "heartbeat".to_owned(), text };
        let mut checked = config::read(Some(&source), &Given::default()).unwrap();
        checked.heartbeat.as_mut().unwrap().every = MILLISECOND;
        checked
    }

    fn turns(&self, calls: &Calls) -> Turns {
        let checked = self.checked(calls);
        let heartbeats = Heartbeats::new(heartbeat::of(std::slice::from_ref(&checked)));
        let release = Release { service: "chat".into(), version: "v1".into(), at: RELEASED };
        let mut fleet = Fleet::new();
        fleet.open(release, checked.plan, RELEASED).unwrap();
        let carrier = Carrier {
            http: Http::new().unwrap(),
            secrets: Secrets::new(checked.secrets),
            deferred: Arc::default(),
            report_dir: self.dir.path().join("reports"),
        };
        let clock = Clock::Compressed(Arc::new(AtomicI64::new(RELEASED.millis())));
        let store = Store::open(self.dir.path()).unwrap();
        Turns::new(fleet, clock, store, carrier).with_heartbeats(heartbeats)
    }

    async fn letter(&self) -> bool {
        until(|| !self.letters.lock().unwrap().is_empty()).await;
        self.letters.lock().unwrap()[0]
    }
}

/// Who takes the calls.
struct Calls {
    url: String,
    count: Arc<AtomicU32>,
}

impl Calls {
    async fn new() -> Calls {
        let count = Arc::new(AtomicU32::new(0));
        let taken = count.clone();
        let take = move || async move {
            taken.fetch_add(1, Ordering::SeqCst);
        };
        let router = Router::new().route("/ping", axum::routing::get(take));
        Calls { url: serve(router).await + "/ping", count }
    }

    fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    async fn more(&self) {
        let before = self.count();
        until(|| self.count() > before + 2).await;
    }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn until(is_so: impl Fn() -> bool) {
    let look = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("it comes about");
}

/// The loop turns for a while.
async fn turns_on(desk: &Desk) {
    let began = Instant::now();
    while began.elapsed() < WHILE {
        desk.ask(|_, _| ()).await.unwrap();
    }
}

struct At<F: FnMut(&Fact)>(F);

impl<F: FnMut(&Fact)> Observer for At<F> {
    fn fact(&mut self, _: &WatchId, _: Timestamp, fact: &Fact, _: &Fleet) {
        (self.0)(fact);
    }

    fn turn(&mut self, _: Timestamp, _: &Fleet) -> bool {
        false
    }
}

async fn run(turns: &mut Turns, stops: signals::Receiver<u32>, at: impl FnMut(&Fact)) -> End {
    let mut observer = At(at);
    let run = turns.run(&mut observer, stops);
    tokio::time::timeout(PATIENCE, run).await.expect("the loop comes to an end")
}

#[tokio::test]
async fn calls_as_long_as_all_is_well_and_no_more_after_a_stop() {
    let (world, calls) = (World::new(None).await, Calls::new().await);
    let ((stop, stops), (desk, readers)) = (signals::channel(0), desk());
    let mut turns = world.turns(&calls).with_readers(readers);
    let (is_stopped, stopped) = (AtomicU32::new(0), AtomicU32::new(0));
    let driven = async {
        world.letter().await;
        calls.more().await;
        stop.send_replace(1);
        until(|| is_stopped.load(Ordering::SeqCst) == 1).await;
        turns_on(&desk).await; // the letter is still out: the loop has not ended
        world.answer.send_replace(Some(StatusCode::OK));
    };
    let ran = run(&mut turns, stops, |fact| {
        if matches!(fact, Fact::Stopped {}) {
            stopped.store(calls.count(), Ordering::SeqCst);
            is_stopped.store(1, Ordering::SeqCst);
        }
    });
    let (end, ()) = tokio::join!(ran, driven);
    assert_eq!(end, End::Stopped);
    let (then, now) = (stopped.into_inner(), calls.count());
    assert!(now <= then + 1, "one may have been out: {then} at the stop, {now} in the end");
}

#[tokio::test]
async fn does_not_call_while_the_disk_takes_nothing_and_does_when_it_takes_it() {
    let (world, calls) = (World::new(None).await, Calls::new().await);
    let ((stop, stops), (desk, readers)) = (signals::channel(0), desk());
    let mut turns = world.turns(&calls).with_readers(readers);
    let other = rusqlite::Connection::open(world.dir.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let driven = async {
        assert!(world.letter().await, "the letter says that it is not stored");
        turns_on(&desk).await;
        assert_eq!(calls.count(), 0);
        other.execute_batch("COMMIT").unwrap();
        calls.more().await;
        world.answer.send_replace(Some(StatusCode::OK));
        stop.send_replace(1);
    };
    let (end, ()) = tokio::join!(run(&mut turns, stops, |_| {}), driven);
    assert_eq!(end, End::Stopped);
}

#[tokio::test]
async fn does_not_call_while_a_channel_is_broken() {
    let (world, calls) = (World::new(Some(StatusCode::GONE)).await, Calls::new().await);
    let mut turns = world.turns(&calls);
    let mut broken = None;
    let end = run(&mut turns, signals::channel(0).1, |fact| {
        if let Fact::Receipt { outcome: Outcome::Refused { permanent: true, .. }, .. } = fact {
            broken.get_or_insert(calls.count());
        }
    });
    assert_eq!(end.await, End::Done, "an hour that nobody hears of");
    let (then, now) = (broken.expect("it refuses for good"), calls.count());
    assert!(now <= then + 1, "one may have been out: {then} when it broke, {now} in the end");
}

#[tokio::test]
async fn calls_at_the_address_that_a_reload_brings() {
    let (world, calls, others) = (World::new(None).await, Calls::new().await, Calls::new().await);
    let ((stop, stops), (ask, asked)) = (signals::channel(0), signals::channel(0));
    let next = world.checked(&others);
    let reload = Reload::new(asked, move || Ok(Some(vec![next.clone()])));
    let mut turns = world.turns(&calls).with_reload(reload);
    let driven = async {
        calls.more().await;
        ask.send_replace(1);
        others.more().await;
        let then = calls.count();
        others.more().await;
        world.answer.send_replace(Some(StatusCode::OK));
        stop.send_replace(1);
        (then, calls.count())
    };
    let (end, (then, now)) = tokio::join!(run(&mut turns, stops, |_| {}), driven);
    assert_eq!(end, End::Stopped);
    assert!(now <= then + 1, "one may have been out: {then} at the reload, {now} in the end");
}
