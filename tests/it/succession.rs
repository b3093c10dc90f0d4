//! One release after another: which incidents go on under the next, and which
//! are closed in words.

use bakewatch::judge::Phase;
use bakewatch::model::{MINUTE, Name, Release, SECOND};
use bakewatch::record::{Fact, Item, Plan};

use crate::world::drive::Drive;
use crate::world::oracle;
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

/// The hook takes nothing for good, so that nothing is left of the first watch but
/// what it knows: who was not told. The next process has to know that as well.
#[test]
fn a_crash_after_all_was_handed_on_loses_no_fallback_and_doubles_none() {
    let text = include_str!("../scenarios/superseded-before-the-fallback.txt");
    let broken = text.replace("at 9m   hook refuses", "at 9m   hook rejects");
    assert_ne!(broken, text);
    let one = broken.replace("at 12m  superseded by v3\n", "");
    let crash = "at 12m5s crash\nat 20m  all answers";
    let crashed = |text: &str| text.replace("at 20m  all answers", crash);
    for text in [&one, &crashed(&one), &broken, &crashed(&broken)] {
        let scenario = script::parse("crashed", text);
        let mut drive = scenario.start();
        scenario.play(&mut drive);
        assert_eq!(oracle::complaints(&drive), Vec::<String>::new(), "{}", scenario.script);
        let facts = drive.ids.iter().flat_map(|id| drive.facts_of(id));
        let fell = facts.filter(|(_, fact)| matches!(fact, Fact::FellBack { .. }));
        let at: Vec<String> = fell.map(|(at, _)| at.since(RELEASED).to_string()).collect();
        assert_eq!(at, ["12m 44s 197ms"], "{}", scenario.script);
        let spare = drive.taken.iter().filter(|taken| taken.channel == "spare");
        let told: Vec<&str> =
            spare.flat_map(|taken| &taken.turns).map(|(_, status, _)| status.as_str()).collect();
        assert_eq!(told, ["firing", "resolved"], "{}", scenario.script);
    }
}

#[test]
fn a_watch_whose_knowledge_nobody_needs_any_more_is_not_taken_up_again() {
    let text = include_str!("../scenarios/superseded-before-the-fallback.txt");
    let scenario =
        script::parse("kept", &text.replace("at 9m   hook refuses", "at 9m   hook rejects"));
    let mut drive = scenario.start();
    let first = drive.id.clone();
    let mut events = scenario.events.iter().filter(|(at, _)| *at <= 12 * MINUTE);
    for (at, what) in &mut events {
        drive.run_to(RELEASED + *at);
        script::happen(&mut drive, what);
    }
    drive.run_to(RELEASED + 12 * MINUTE + 30 * SECOND);
    assert!(drive.fleet.done().contains(&first), "nothing is left of it to do");
    assert!(!drive.fleet.closed().contains(&first), "and another goes by it");
    drive.run_to(RELEASED + 13 * MINUTE);
    assert!(drive.fleet.closed().contains(&first), "the spare was told");
}
