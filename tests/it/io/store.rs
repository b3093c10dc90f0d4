//! What is kept, and what is said when it cannot be.

use std::sync::Arc;

use bakewatch::daemon::store::{FILE, Reader, Store};
use bakewatch::model::{SECOND, Timestamp, WatchId};
use bakewatch::record::Fact;
use bakewatch::watch::Noted;

fn noted(watch: &str, seq: u64, fact: &Fact) -> Noted {
    Noted {
        watch: WatchId(watch.into()),
        seq,
        at: Timestamp::from_millis(1_000 + seq as i64),
        decision: fact.is_decision(),
        fact: fact.encode(),
        told: Arc::new(fact.clone()),
    }
}

fn limit(detail: &str) -> Fact {
    Fact::Limit { target: None, what: "series".into(), detail: detail.to_owned() }
}

#[tokio::test]
async fn reads_back_what_was_appended_by_watch_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let facts = [limit("one"), Fact::Stopped {}, Fact::ClockStepped { by: SECOND }];
    store.append(vec![noted("b@1", 1, &facts[0]), noted("a@1", 1, &facts[1])]).await.unwrap();
    store.append(vec![noted("b@1", 2, &facts[2])]).await.unwrap();
    drop(store);
    Store::open(dir.path()).unwrap(); // a second start finds its form up to date
    let loaded = Reader::open(dir.path()).unwrap().load_open().unwrap();
    let at = |seq: i64| Timestamp::from_millis(1_000 + seq);
    let [a, b, c] = facts;
    assert_eq!(
        loaded,
        [
            (WatchId("a@1".into()), vec![(at(1), b)]),
            (WatchId("b@1".into()), vec![(at(1), a), (at(2), c)]),
        ]
    );
}

#[tokio::test]
async fn leaves_out_watches_that_are_over_but_keeps_their_facts() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let facts = vec![noted("a@1", 1, &limit("x")), noted("a@2", 1, &limit("y"))];
    store.append(facts).await.unwrap();
    store.finish(WatchId("a@1".into())).await.unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.watches(true).unwrap(), [WatchId("a@2".into())]);
    assert_eq!(reader.watches(false).unwrap().len(), 2);
}

#[tokio::test]
async fn takes_the_same_fact_twice_and_refuses_another_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.append(vec![noted("a@1", 1, &limit("x"))]).await.unwrap();
    store.append(vec![noted("a@1", 1, &limit("x"))]).await.unwrap();
    let error = store.append(vec![noted("a@1", 1, &limit("y"))]).await.unwrap_err();
    assert!(error.contains("a@1: fact 1 is there already"), "{error}");
}

#[tokio::test]
async fn keeps_nothing_of_a_batch_that_does_not_fit_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_bounded(dir.path(), 12).unwrap();
    store.append(vec![noted("a@1", 1, &limit("fits"))]).await.unwrap();
    let large = limit(&"x".repeat(200_000));
    let batch = vec![noted("a@1", 2, &limit("small")), noted("a@1", 3, &large)];
    let error = store.append(batch).await.unwrap_err();
    assert!(error.contains("full"), "{error}");
    let facts = Reader::open(dir.path()).unwrap().facts(&WatchId("a@1".into())).unwrap();
    assert_eq!(facts.len(), 1);
    store.append(vec![noted("a@1", 2, &limit("fits again"))]).await.unwrap();
}

#[tokio::test]
async fn refuses_a_record_with_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.append(vec![noted("a@1", 1, &limit("x")), noted("a@1", 3, &limit("z"))]).await.unwrap();
    let error = Reader::open(dir.path()).unwrap().load_open().unwrap_err();
    assert!(error.contains("a@1: fact 2 is missing"), "{error}");
}

#[tokio::test]
async fn does_not_start_on_a_damaged_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let facts = (1..200).map(|seq| noted("a@1", seq, &limit(&"y".repeat(500)))).collect();
    store.append(facts).await.unwrap();
    drop(store);
    let path = dir.path().join(FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 4096].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let error = Store::open(dir.path()).err().expect("a damaged file is refused");
    assert!(error.contains(FILE), "{error}");
}

#[test]
fn does_not_start_on_a_file_of_a_newer_version() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let other = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    drop(other);
    let error = Store::open(dir.path()).err().unwrap();
    assert!(error.contains("newer bakewatch"), "{error}");
}

#[test]
fn says_which_file_cannot_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let error = Store::open(&dir.path().join("gone")).err().unwrap();
    assert!(error.contains("gone/bakewatch.db"), "{error}");
    let error = Reader::open(dir.path()).err().unwrap();
    assert!(error.contains("no release has been watched here yet"), "{error}");
}
