//! One release after another: which incidents go on under the next, and which
//! are closed in words.

use bakewatch::judge::Phase;
use bakewatch::model::{MINUTE, Name, Release};
use bakewatch::record::{Fact, Item, Plan};

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
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"
"#;

/// Half of the replicas hang until v2 comes, under another plan. Gives what
/// went on, and what was closed.
fn check(then: &str, goes_on: &[&str], closed: &[&str]) {
    let plan = script::plan("before", CONFIG);
    let release = Release { service: "chat".into(), version: "v1".into(), at: RELEASED };
    let mut drive = Drive::open(release, plan, RELEASED);
    drive.run_to(RELEASED + MINUTE);
    drive.target("b:8000").mood = Mood::Hangs;
    drive.run_to(RELEASED + 20 * MINUTE);
    drive.supersede("v2", Some(script::plan("after", then)));
    let record = drive.record();
    let handed = record.succession.handed.iter().map(|one| one.rule.as_str());
    assert_eq!(handed.collect::<Vec<_>>(), goes_on, "{then}");
    let ended = record.news.iter().filter_map(|news| match &news.item {
        Item::Closed(alert) => Some(alert.rule.as_str()),
        _ => None,
    });
    assert_eq!(ended.collect::<Vec<_>>(), closed, "{then}");
    assert!(record.alerts.values().all(|alert| alert.phase == Phase::Inactive));
    let heir = drive.record_of(&drive.ids[1]);
    let burning = heir.alerts.iter().filter(|(_, alert)| alert.phase.is_firing());
    let burning: Vec<&str> = burning.map(|(key, _)| key.rule.as_str()).collect();
    assert_eq!(burning, goes_on, "{then}");
    assert!(heir.news.is_empty(), "nobody is told again: {:?}", heir.news);
}

#[test]
fn hands_on_what_the_next_plan_judges_and_tells_alike() {
    check(CONFIG, &["ReplicasMissing", "TargetSilent"], &[]);
    let off = format!("{CONFIG}[[rule]]\nname = \"TargetSilent\"\noff = true\n");
    check(&off, &["ReplicasMissing"], &["TargetSilent"]);
    // A receiver that never heard of the beginning is not told the end.
    let less = format!("{CONFIG}severities = [\"critical\"]\n");
    check(&less, &[], &["ReplicasMissing", "TargetSilent"]);
    // What is about a replica ends with it.
    let c = CONFIG.replace("b:8000", "c:8000");
    check(&c, &["ReplicasMissing"], &["TargetSilent"]);
}

#[test]
fn takes_on_once_what_a_release_left() {
    let plan: Plan = script::plan("before", CONFIG);
    let release = Release { service: "chat".into(), version: "v1".into(), at: RELEASED };
    let mut drive = Drive::open(release, plan, RELEASED);
    drive.run_to(RELEASED + MINUTE);
    drive.supersede("v2", None);
    drive.crash();
    drive.run_to(RELEASED + 3 * MINUTE);
    let before = &drive.record_of(&drive.ids[1]).succession.before;
    assert_eq!(*before, [Name::from("v1")]);
}

#[test]
fn a_stop_before_a_fallback_leaves_a_watch_that_is_over_to_be_taken_up_again() {
    let text = include_str!("../scenarios/ends-before-the-fallback.txt");
    let stopped = text.replace("at 10m  all refuses\n", "at 10m  all refuses\nat 11m30s stops\n");
    assert_ne!(stopped, text);
    let scenario = script::parse("stopped", &stopped);
    let mut drive = scenario.start();
    scenario.play(&mut drive);
    assert!(drive.fleet.is_drained(), "it may go");
    assert!(!drive.fleet.is_done(), "and is not over for good");
    let told =
        |drive: &Drive| drive.facts().iter().any(|(_, fact)| matches!(fact, Fact::FellBack { .. }));
    assert!(!told(&drive));
    drive.crash();
    drive.run_out();
    assert!(told(&drive) && drive.fleet.is_done());
}
