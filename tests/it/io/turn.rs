//! The loop itself: a real fleet over loopback on a compressed clock, with
//! stores that fill up, hang and recover, stops, and receivers that hang.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use bakewatch::config::{self, Checked, Given, Source};
use bakewatch::daemon::carry::{self, Carrier};
use bakewatch::daemon::clock::Clock;
use bakewatch::daemon::desk::desk;
use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::daemon::store::{FILE, Reader, Store};
use bakewatch::daemon::turn::{End, Observer, Turns};
use bakewatch::judge::Phase;
use bakewatch::model::{
    Channel, HOUR, MINUTE, Matchers, Medium, Release, SECOND, Secret, Timestamp, WatchId,
};
use bakewatch::notify::{Body, Letter};
use bakewatch::record::{Fact, Outcome, Record};
use bakewatch::watch::{Fleet, Job, JobId, Order, Question, Reply, Until};
use tokio::sync::watch as signals;

const RELEASED: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Longer than any of these tests takes, even on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes more room than a bounded store has.
const BALLAST: &str = "CREATE TABLE ballast (x BLOB) STRICT;
    INSERT INTO ballast VALUES (randomblob(400000))";

/// A letter as it came in.
#[derive(Clone, Debug)]
struct Came {
    key: String,
    kind: String,
    is_marked: bool,
}

/// A service that is ill for a while, a receiver, and a directory.
struct World {
    dir: tempfile::TempDir,
    now: Arc<AtomicI64>,
    url: String,
    hook: String,
    came: Arc<Mutex<Vec<Came>>>,
    hangs: signals::Sender<bool>,
}

impl World {
    async fn new() -> World {
        let now = Arc::new(AtomicI64::new(RELEASED.millis()));
        let time = now.clone();
        let service = move || async move {
            let at = Timestamp::from_millis(time.load(Ordering::SeqCst)).since(RELEASED);
            let is_ill = 10 * MINUTE <= at && at < 30 * MINUTE;
            let status = if is_ill { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
            (status, r#"{"status":"healthy","success":true}"#)
        };
        let came = Arc::new(Mutex::new(Vec::new()));
        let (hangs, hung) = signals::channel(false);
        let taken = came.clone();
        let hook = move |headers: HeaderMap, body: String| async move {
            let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap().to_owned());
            let json: serde_json::Value = serde_json::from_str(&body).unwrap();
            taken.lock().unwrap().push(Came {
                key: text("webhook-id").unwrap(),
                kind: format!("{} {}", word(&json["type"]), word(&json["data"]["status"])),
                is_marked: text("bakewatch-not-stored").is_some(),
            });
            let mut hung = hung.clone();
            hung.wait_for(|hangs| !hangs).await.unwrap();
        };
        World {
            dir: tempfile::tempdir().unwrap(),
            now,
            url: serve(Router::new().fallback(service)).await,
            hook: serve(Router::new().fallback(hook)).await,
            came,
            hangs,
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn checked(&self) -> Checked {
        let (url, hook) = (&self.url, &self.hook);
        let text = format!(
            r#"
service = "chat"
url = "{url}"
[targets]
metrics = false
[windows]
hour = {{ length = "1h", every = "60s" }}
[[channel]]
name = "hook"
type = "webhook"
group-wait = "0s"
group-interval = "0s"
url = "{hook}"
"#
        );
        let source = Source { file: "turn".to_owned(), text };
        config::read(Some(&source), &Given::default()).unwrap()
    }

    fn fresh(&self) -> Fleet {
        let checked = self.checked();
        let service = checked.plan.service.clone();
        let release = Release { service, version: "v1".into(), at: RELEASED };
        let mut fleet = Fleet::new();
        fleet.open(release, checked.plan, RELEASED).unwrap();
        fleet
    }

    /// What a new process would take up.
    fn resumed(&self) -> Fleet {
        let mut fleet = Fleet::new();
        for (_, facts) in Reader::open(self.path()).unwrap().load_open().unwrap() {
            let now = Timestamp::from_millis(self.now.load(Ordering::SeqCst));
            fleet.resume(facts, now).unwrap();
        }
        fleet
    }

    fn turns(&self, fleet: Fleet, store: Store) -> Turns {
        let carrier = self.carrier(Secrets::new(self.checked().secrets));
        Turns::new(fleet, Clock::Compressed(self.now.clone()), store, carrier)
    }

    fn carrier(&self, secrets: Secrets) -> Carrier {
        Carrier {
            http: Http::new().unwrap(),
            secrets,
            deferred: Arc::default(),
            report_dir: self.path().join("reports"),
        }
    }

    fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// What is on disk is what the fleet knows, to the last fact.
    fn holds_all(&self, fleet: &Fleet) {
        let id = WatchId("chat@v1".into());
        let facts = Reader::open(self.path()).unwrap().facts(&id).unwrap();
        assert_eq!(&Record::replay(facts).unwrap(), fleet.record(&id).unwrap());
    }
}

fn word(value: &serde_json::Value) -> &str {
    value.as_str().unwrap().trim_start_matches("release.")
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Does something at each fact.
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

/// Nobody will ever ask for a stop.
fn never() -> signals::Receiver<u32> {
    signals::channel(0).1
}

fn fires(fact: &Fact) -> bool {
    matches!(fact, Fact::Alert { rule, phase: Phase::Firing { .. }, .. } if *rule == *"ServiceDown")
}

#[tokio::test]
async fn lives_through_a_window_and_keeps_all_of_it() {
    let world = World::new().await;
    let store = Store::open(world.path()).unwrap();
    let mut turns = world.turns(world.fresh(), store);
    assert_eq!(run(&mut turns, never(), |_| {}).await, End::Done);
    world.holds_all(turns.fleet());
    let kinds: Vec<String> = world.came().into_iter().map(|one| one.kind).collect();
    let has = |kind: &str| kinds.iter().any(|known| known == kind);
    assert!(has("alert firing") && has("alert resolved"), "{kinds:?}");
    assert!(has("summary failed"), "{kinds:?}");
    let over = Reader::open(world.path()).unwrap().watches(true).unwrap();
    assert_eq!(over, [], "it is not taken up again");
}

#[tokio::test]
async fn catches_up_when_a_full_disk_has_room_again() {
    let world = World::new().await;
    let store = Store::open_bounded(world.path(), 30).unwrap();
    let other = rusqlite::Connection::open(world.path().join(FILE)).unwrap();
    let mut turns = world.turns(world.fresh(), store);
    let mut is_told = false;
    let end = run(&mut turns, never(), |fact| match fact {
        Fact::Settled { .. } => other.execute_batch(BALLAST).unwrap(),
        Fact::StoreFailed { error } => {
            assert!(error.contains("full"), "{error}");
            is_told = true;
        }
        fact if fires(fact) => {
            assert!(is_told, "the disk must be full by then");
            other.execute_batch("DROP TABLE ballast").unwrap();
        }
        _ => {}
    });
    assert_eq!(end.await, End::Done);
    world.holds_all(turns.fleet());
    let marked = |kind: &str| {
        let came = world.came();
        came.iter().filter(|one| one.kind == kind).map(|one| one.is_marked).collect::<Vec<_>>()
    };
    assert!(marked("alert firing")[0], "told while nothing could be stored");
    assert_eq!(marked("alert resolved").last(), Some(&false), "told when all was stored");
}

#[tokio::test]
async fn goes_on_looking_and_telling_while_the_disk_hangs() {
    let world = World::new().await;
    let store = Store::open(world.path()).unwrap();
    let other = rusqlite::Connection::open(world.path().join(FILE)).unwrap();
    let mut turns = world.turns(world.fresh(), store);
    let mut failures = 0;
    let end = run(&mut turns, never(), |fact| match fact {
        Fact::Settled { .. } => other.execute_batch("BEGIN IMMEDIATE").unwrap(),
        Fact::StoreFailed { .. } => failures += 1,
        fact if fires(fact) => other.execute_batch("COMMIT").unwrap(),
        _ => {}
    });
    assert_eq!(end.await, End::Done);
    world.holds_all(turns.fleet());
    assert_eq!(failures, 1, "one episode is told once");
    assert!(world.came().iter().any(|one| one.kind == "alert firing"));
}

#[tokio::test]
async fn lets_the_letters_out_when_it_is_stopped_and_tells_nothing_twice() {
    let world = World::new().await;
    let (stop, stops) = signals::channel(0);
    let mut turns = world.turns(world.fresh(), Store::open(world.path()).unwrap());
    let end = run(&mut turns, stops, |fact| {
        if fires(fact) {
            stop.send_modify(|count| *count += 1);
        }
    });
    assert_eq!(end.await, End::Stopped);
    world.holds_all(turns.fleet());
    drop(turns);
    let told = |world: &World| world.came().iter().filter(|c| c.kind == "alert firing").count();
    let before = told(&world);
    assert!(before > 0, "the fire was told before the end");

    let mut turns = world.turns(world.resumed(), Store::open(world.path()).unwrap());
    let mut fired = 0;
    assert_eq!(run(&mut turns, never(), |fact| fired += usize::from(fires(fact))).await, End::Done);
    world.holds_all(turns.fleet());
    let keys: Vec<String> = world.came().into_iter().map(|one| one.key).collect();
    let mut once = keys.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), keys.len(), "each letter came once: {keys:?}");
    assert!(world.came().iter().any(|one| one.kind == "alert resolved"));
}

#[tokio::test]
async fn ends_at_once_at_a_second_signal_and_repeats_the_letter_under_its_key() {
    let world = World::new().await;
    let (stop, stops) = signals::channel(0);
    let mut turns = world.turns(world.fresh(), Store::open(world.path()).unwrap());
    world.hangs.send_replace(true);
    let end = run(&mut turns, stops, |fact| {
        if fires(fact) || matches!(fact, Fact::Stopped {}) {
            stop.send_modify(|count| *count += 1);
        }
    });
    assert_eq!(end.await, End::Interrupted);
    drop(turns);
    world.hangs.send_replace(false);

    let mut turns = world.turns(world.resumed(), Store::open(world.path()).unwrap());
    assert_eq!(run(&mut turns, never(), |_| {}).await, End::Done);
    world.holds_all(turns.fleet());
    let facts = Reader::open(world.path()).unwrap().facts(&WatchId("chat@v1".into())).unwrap();
    let sent = facts.into_iter().find_map(|(_, fact)| match fact {
        Fact::Sent { key, .. } => Some(key),
        _ => None,
    });
    let fire = world.came().into_iter().rfind(|one| one.kind == "alert firing");
    assert_eq!(fire.map(|one| one.key), sent);
}

#[tokio::test]
async fn answers_for_a_task_that_panicked() {
    let world = World::new().await;
    let channel = Channel {
        name: "hook".into(),
        medium: Medium::Webhook { url: Secret::Config("url".into()), secret: None, template: None },
        severities: Vec::new(),
        routing: Default::default(),
    };
    // A mail for a webhook: a mistake that nobody but ourselves can make.
    let mail = Body::Mail {
        subject: String::new(),
        text: String::new(),
        html: String::new(),
        headers: Vec::new(),
        images: Vec::new(),
    };
    let letter = Letter { key: "k".into(), channel: "hook".into(), after: 0, up_to: 1, body: mail };
    let job = Job {
        id: JobId(7),
        watch: WatchId("chat@v1".into()),
        deadline: RELEASED + HOUR,
        question: Question::Deliver {
            channel: Box::new(channel),
            letter: Box::new(letter),
            timeout: SECOND,
            not_stored: false,
        },
    };
    let (home, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let carrier = Arc::new(world.carrier(Secrets::default()));
    carry::spawn(&carrier, job, PATIENCE, 0, home);
    let ((_, id), reply) = arrivals.recv().await.unwrap();
    assert_eq!(id, JobId(7));
    let is_unknown = matches!(reply, Some(Reply::Delivered(Outcome::Unknown { .. })));
    assert!(is_unknown, "it may have left: {reply:?}");
}

fn silence() -> Order {
    Order::Silence {
        matchers: Matchers::parse(&["alertname=ServiceDown"]).unwrap(),
        until: Until::For(20 * MINUTE),
        deploy: false,
        by: "anna".to_owned(),
        comment: String::new(),
    }
}

#[tokio::test]
async fn answers_an_order_when_it_is_on_disk() {
    let world = World::new().await;
    let (desk, readers) = desk();
    let store = Store::open(world.path()).unwrap();
    let mut turns = world.turns(world.fresh(), store).with_readers(readers);
    let ordering = async {
        let obeyed = desk.order(None, silence()).await.unwrap();
        let facts = Reader::open(world.path()).unwrap().facts(&WatchId("chat@v1".into())).unwrap();
        (obeyed, Record::replay(facts).unwrap().silences.len())
    };
    let ((obeyed, on_disk), end) = tokio::join!(ordering, run(&mut turns, never(), |_| {}));
    assert_eq!((on_disk, end), (1, End::Done), "{obeyed:?}");
    let done = &obeyed.done.unwrap()[0];
    assert_eq!(
        done.id,
        turns.fleet().record(&done.watch).map(|r| r.silences[0].silence.id.clone())
    );
    assert!(obeyed.is_stored);
    let refused = desk.order(None, silence()).await.unwrap_err();
    assert!(refused.contains("ends") || refused.contains("come round"), "{refused}");
}

#[tokio::test]
async fn says_of_an_order_that_the_disk_does_not_take_it() {
    let world = World::new().await;
    let (desk, readers) = desk();
    let store = Store::open(world.path()).unwrap();
    let other = rusqlite::Connection::open(world.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut turns = world.turns(world.fresh(), store).with_readers(readers);
    let ordering = async {
        let obeyed = desk.order(None, silence()).await.unwrap();
        other.execute_batch("COMMIT").unwrap();
        obeyed
    };
    let (obeyed, _) = tokio::join!(ordering, run(&mut turns, never(), |_| {}));
    assert!(obeyed.done.is_ok() && !obeyed.is_stored, "{obeyed:?}");
    world.holds_all(turns.fleet());
}
