//! What a turn waits for while the disk takes its time, and what it does not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bakewatch::daemon::backlog::Backlog;
use bakewatch::daemon::store::{FILE, Reader, Store};
use bakewatch::model::{Timestamp, WatchId};
use bakewatch::record::{Block, Fact};
use bakewatch::watch::Noted;

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn noted(seq: u64, fact: &Fact) -> Noted {
    let (watch, decision) = (WatchId("a@1".into()), fact.is_decision());
    Noted { watch, seq, at: NOW, decision, fact: fact.encode(), told: Arc::new(fact.clone()) }
}

fn measured() -> Fact {
    Fact::Measured(Block::default().into())
}

#[tokio::test]
async fn waits_for_the_disk_with_a_decision_but_not_with_measurements() {
    let dir = tempfile::tempdir().unwrap();
    let mut backlog = Backlog::new(Store::open(dir.path()).unwrap());
    let other = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap(); // nobody else can write

    assert_eq!(backlog.keep(vec![noted(1, &measured())], NOW).await, None);
    assert_eq!(backlog.keep(vec![noted(2, &measured())], NOW).await, None);
    assert!(backlog.is_stored() && backlog.len() == 2, "nothing rests on them");

    let news = backlog.keep(vec![noted(3, &Fact::Stopped {})], NOW).await;
    let said = news.expect("it is told that it fails").expect("with why");
    assert!(said.contains("not written within"), "{said}");
    assert!(!backlog.is_stored());
    assert!(!backlog.finish(&WatchId("a@1".into())).await, "its facts come first");

    other.execute_batch("COMMIT").unwrap();
    let mut news = None;
    while !backlog.is_empty() {
        backlog.answered().await;
        news = backlog.keep(Vec::new(), NOW).await;
    }
    assert_eq!(news, Some(None), "it works again");
    assert!(backlog.is_stored());
    let facts = Reader::open(dir.path()).unwrap().facts(&WatchId("a@1".into())).unwrap();
    let kinds: Vec<String> = facts.into_iter().map(|(_, fact)| fact.encode().kind).collect();
    assert_eq!(kinds, ["measured", "measured", "stopped"]);
}

/// One that takes no measurements either has failed, if nobody hears of it otherwise.
#[tokio::test]
async fn tells_of_a_disk_that_takes_no_measurements_for_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let mut backlog = Backlog::new(Store::open(dir.path()).unwrap());
    let other = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut news = backlog.keep(vec![noted(1, &measured())], NOW).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while news.is_none() && Instant::now() < deadline {
        let _ = tokio::time::timeout(Duration::from_millis(50), backlog.answered()).await;
        news = backlog.keep(Vec::new(), NOW).await;
    }
    assert!(matches!(news, Some(Some(_))), "{news:?}");
    assert!(!backlog.is_stored());
}
