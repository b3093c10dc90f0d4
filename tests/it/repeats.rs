//! An Alertmanager is told again of what burns, so that it does not take it for
//! over: each minute, without a fact, also by the process after a crash.

use bakewatch::model::{MINUTE, Name, Release, SECOND, Timestamp};
use bakewatch::record::{ChannelRecord, Fact};

use crate::world::channel::Manner;
use crate::world::drive::Drive;
use crate::world::script::{self, RELEASED};
use crate::world::target::Mood;

const CONFIG: &str = r#"
service = "chat"
url = "http://a:8000"
[targets]
static = ["http://a:8000", "http://b:8000"]
expect = 2
[windows]
first-hour = { length = "1h", every = "15s" }
[[channel]]
name = "site"
type = "alertmanager"
url = "http://127.0.0.1:1"
"#;

/// One of two replicas hangs from the first minute on; twenty minutes of it.
fn burning() -> Drive {
    let plan = script::plan("repeats", CONFIG);
    let release = Release { service: "chat".into(), version: "v1".into(), at: RELEASED };
    let mut drive = Drive::open(release, plan, RELEASED);
    drive.run_to(RELEASED + MINUTE);
    drive.target("b:8000").mood = Mood::Hangs;
    drive.run_to(RELEASED + 20 * MINUTE);
    drive
}

/// When it was told again: what moves no bookmark.
fn again(drive: &Drive) -> Vec<Timestamp> {
    let repeats = drive.taken.iter().filter(|taken| taken.after == taken.up_to);
    repeats.map(|taken| taken.at).collect()
}

fn receipts(drive: &Drive) -> usize {
    let facts = drive.facts().iter();
    facts.filter(|(_, fact)| matches!(fact, Fact::Receipt { .. })).count()
}

fn channel(drive: &Drive) -> ChannelRecord {
    drive.record().channels[&Name::from("site")].clone()
}

#[test]
fn what_burns_is_told_again_each_minute_and_no_fact_says_so() {
    let drive = burning();
    let at = again(&drive);
    assert!(at.len() >= 10, "{at:?}");
    for pair in at.windows(2) {
        assert!(pair[1].since(pair[0]) <= MINUTE + SECOND, "{pair:?}");
    }
    let letters = drive.taken.len() - at.len();
    assert_eq!(receipts(&drive), letters, "a receipt a letter, and none for what is said again");
}

#[test]
fn a_failure_is_a_receipt_and_so_is_its_end() {
    let mut drive = burning();
    let before = receipts(&drive);
    drive.receivers[0].manner = Manner::Refuses;
    drive.run_to(RELEASED + 22 * MINUTE);
    assert!(channel(&drive).failures > 0 && receipts(&drive) > before);
    drive.receivers[0].manner = Manner::Takes;
    drive.run_to(RELEASED + 30 * MINUTE);
    assert_eq!(channel(&drive).failures, 0);
    let since = receipts(&drive);
    drive.run_to(RELEASED + 40 * MINUTE);
    assert_eq!(receipts(&drive), since, "it works, and nothing more is to be said of it");
    assert!(again(&drive).last() > Some(&(RELEASED + 38 * MINUTE)));
}

#[test]
fn the_process_after_a_crash_tells_it_at_once() {
    let mut drive = burning();
    let before = again(&drive).len();
    drive.crash();
    let at = drive.now;
    drive.run_to(at + 5 * SECOND);
    let since = &again(&drive)[before..];
    assert!(!since.is_empty(), "not within 5 s");
}

#[test]
fn what_goes_on_under_the_next_release_is_told_by_its_watch() {
    let mut drive = burning();
    drive.supersede("v2", Some(script::plan("repeats", CONFIG)));
    let at = drive.now;
    let before = drive.taken.len();
    drive.run_to(at + 3 * MINUTE);
    let since = drive.taken[before..].iter().filter(|taken| taken.after == taken.up_to);
    let watches: Vec<&str> = since.map(|taken| taken.watch.0.as_str()).collect();
    assert!(watches.len() >= 2, "{watches:?}");
    assert!(watches.iter().all(|watch| *watch == "chat@v2"), "{watches:?}");
}
