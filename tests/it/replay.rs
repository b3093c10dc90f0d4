//! A letter that left, sent once more because somebody wants it: the same words
//! under the same key, and nothing else is told otherwise for it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use bakewatch::model::{MINUTE, SECOND, Severity, Timestamp};
use bakewatch::notify;
use bakewatch::record::{Fact, Outcome};
use bakewatch::watch::Order;

use crate::io::cli::bakewatch;
use crate::world::channel::{Manner, Taken};
use crate::world::drive::Drive;
use crate::world::script::{self, RELEASED};
use crate::world::target::Mood;

const FILE: &str = r#"
service = "chat"
url = "http://a:8000"
[windows]
first-hour = { length = "1h", every = "15s" }
[[channel]]
name = "ops"
type = "webhook"
url = "https://hooks.example.com/T0"
---
"#;

/// A watch in its 25th minute; that it was down for five is told and over.
fn told() -> Drive {
    let mut drive = script::parse("replay", FILE).start();
    drive.run_to(RELEASED + 10 * MINUTE);
    drive.targets.iter_mut().for_each(|target| target.mood = Mood::Refuses);
    drive.run_to(RELEASED + 15 * MINUTE);
    drive.targets.iter_mut().for_each(|target| target.mood = Mood::Answers);
    drive.run_to(RELEASED + 25 * MINUTE);
    assert!(drive.taken.len() >= 2, "{:?}", drive.taken);
    drive
}

fn replay(drive: &mut Drive, key: &str) -> Result<(), String> {
    let order = Order::Replay { key: key.to_owned(), by: "anna".to_owned() };
    drive
        .order(None, &order)
        .map(|done| assert_eq!(done[0].id.as_ref().map(|id| id.as_str()), Some(key)))
}

fn told_to(drive: &Drive) -> u64 {
    drive.record().channels["ops"].told
}

/// How often it was tried, and how that ended.
fn tries(drive: &Drive, key: &str) -> (u32, Option<Outcome>) {
    let letter = drive.record().letters.iter().find(|letter| letter.key == key).unwrap();
    (letter.tries, letter.last.clone().map(|(_, outcome)| outcome))
}

#[test]
fn sends_the_same_words_under_the_same_key_and_moves_no_bookmark() {
    let mut drive = told();
    let (first, told, count) = (drive.taken[0].clone(), told_to(&drive), drive.taken.len());
    replay(&mut drive, &first.key).unwrap();
    drive.run_to(drive.now + MINUTE);
    let again = drive.taken[count].clone();
    let Taken { at, turns, .. } = again.clone();
    assert_eq!(again, Taken { at, turns, ..first.clone() });
    assert!(at > first.at);
    assert_eq!((drive.taken.len(), told_to(&drive)), (count + 1, told));
    let (times, last) = tries(&drive, &first.key);
    assert!(times == 2 && matches!(last, Some(Outcome::Accepted { .. })), "{times} {last:?}");
    drive.run_out();
    let others = drive.taken[count + 1..].iter().all(|taken| taken.after >= told);
    assert!(others, "what comes later tells what is new: {:?}", drive.taken);
}

#[test]
fn is_tried_once_and_its_failure_is_not_the_channels() {
    let mut drive = told();
    let (key, told, count) = (drive.taken[0].key.clone(), told_to(&drive), drive.taken.len());
    drive.receivers[0].next.push_back(Manner::Refuses);
    let before = drive.record().channels["ops"].clone();
    replay(&mut drive, &key).unwrap();
    drive.run_to(drive.now + 10 * MINUTE);
    assert_eq!((drive.taken.len(), told_to(&drive)), (count, told));
    let (times, last) = tries(&drive, &key);
    assert!(times == 2 && matches!(last, Some(Outcome::Refused { .. })), "{times} {last:?}");
    assert_eq!(drive.record().channels["ops"], before);
}

#[test]
fn waits_its_turn_and_survives_a_crash() {
    let mut drive = told();
    let (one, two) = (drive.taken[0].key.clone(), drive.taken[1].key.clone());
    let (told, before) = (told_to(&drive), drive.receivers[0].tries.len());
    replay(&mut drive, &one).unwrap();
    replay(&mut drive, &two).unwrap();
    let tried =
        |drive: &Drive| -> Vec<(Timestamp, String)> { drive.receivers[0].tries[before..].to_vec() };
    let keys = |drive: &Drive| tried(drive).into_iter().map(|one| one.1).collect::<Vec<_>>();
    assert_eq!(keys(&drive), std::slice::from_ref(&one), "the other waits for its receipt");
    drive.crash();
    drive.run_to(drive.now + MINUTE);
    assert_eq!(keys(&drive), [one.clone(), one, two], "nobody knows how the first try ended");
    assert!(drive.record().replays.is_empty(), "{:?}", drive.record().replays);
    assert_eq!(told_to(&drive), told);
}

#[test]
fn says_what_cannot_leave_once_more_and_why() {
    let mut drive = told();
    let key = drive.taken[0].key.clone();
    let unknown = replay(&mut drive, "none").unwrap_err();
    assert!(unknown.starts_with("no letter of chat@v1 is none; the last are"), "{unknown}");
    assert!(unknown.contains(&key), "{unknown}");
    replay(&mut drive, &key).unwrap();
    let out = replay(&mut drive, &key).unwrap_err();
    assert_eq!(out, format!("{key} is out to ops; wait for its receipt"));
    drive.run_to(drive.now + MINUTE);

    let mut record = drive.record().clone();
    let mut plan = record.plan.clone();
    plan.url = "http://b:8000".to_owned();
    plan.channels[0].severities = vec![Severity::Warning];
    let change = |plan| {
        let (changes, renewed) = (Vec::new(), Vec::new());
        Fact::PlanChanged { plan: Box::new(plan), changes, renewed }
    };
    record.apply(drive.now, change(plan.clone()));
    let (left, channel) = record.replayable(&key).unwrap();
    let again = notify::again(&record, channel, left).expect("it told something");
    assert_eq!(again.key, key, "in the words of the plan that it was written by");
    plan.channels.clear();
    record.apply(drive.now + SECOND, change(plan));
    let gone = record.replayable(&key).unwrap_err();
    assert_eq!(gone, format!("{key} went to ops, which is no channel any more"));
}

/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ended by its drop, whatever became of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(dir: &Path, service: &str, hook: &str) -> Running {
    let text = format!(
        "service = \"chat\"\nurl = \"{service}\"\n[[channel]]\nname = \"ops\"\n\
         type = \"webhook\"\nurl = \"{hook}\"\n"
    );
    let file = dir.join("bakewatch.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
    command.args(["run", "--release", "v1", "-c"]).arg(file).env("STATE_DIRECTORY", dir);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn reaches_a_webhook_from_the_command_line_with_the_same_id_and_body() {
    let dir = tempfile::tempdir().unwrap();
    let came = Arc::new(Mutex::new(Vec::<(String, String)>::new()));
    let taken = came.clone();
    let hook = move |headers: HeaderMap, body: String| async move {
        let id = headers["webhook-id"].to_str().unwrap().to_owned();
        taken.lock().unwrap().push((id, body));
    };
    let down = || async { StatusCode::SERVICE_UNAVAILABLE };
    let hook = serve(Router::new().fallback(hook)).await;
    let _running = start(dir.path(), &serve(Router::new().fallback(down)).await, &hook);
    let until_first = async {
        loop {
            if let Some(first) = came.lock().unwrap().first().cloned() {
                return first;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let first = tokio::time::timeout(PATIENCE, until_first).await.expect("a letter");
    let order = ["deliveries", "--replay", &first.0, "--by", "anna"];
    let until_obeyed = async {
        loop {
            let (code, out, err) = bakewatch(dir.path(), &order).await;
            if code == Some(0) {
                return out;
            }
            assert!(err.contains("is out") || err.contains("is owed"), "{code:?} {err}");
        }
    };
    let out = tokio::time::timeout(PATIENCE, until_obeyed).await.expect("it has its receipt");
    assert!(out.starts_with(&first.0), "{out}");
    let count = || came.lock().unwrap().iter().filter(|one| **one == first).count();
    let until_again = async {
        while count() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, until_again).await.expect("it leaves once more");
    let (code, _, err) = bakewatch(dir.path(), &["deliveries", "--replay", "x", "--by", "a"]).await;
    assert!(code == Some(2) && err.contains(&first.0), "{code:?} {err}");
}
