//! One row a case: when a letter is due, counted from when the last of what it
//! tells became true.

use super::*;
use crate::model::{HOUR, MINUTE, Quiet, SECOND, Span};
use crate::notify::fixture::Story;
use crate::record::Outcome;

const A: &[(&str, &str)] = &[("path", "/a")];
const B: &[(&str, &str)] = &[("path", "/b")];
const CRITICAL: &str = "HighErrorRate";
const WARNING: &str = "SlowAnswers";

/// How long after now the next letter to `chat` is due; `None`: there is none.
fn wait(story: &Story) -> Option<(Span, Option<Waited>)> {
    let due = due(&story.record, &story.channel("chat"), story.now(), Rush::No)?;
    Some((due.at.since(story.now()), due.waited))
}

fn waits(story: &Story) -> Span {
    wait(story).expect("something is owed").0
}

#[test]
fn waits_for_what_may_join_the_first_longer_where_nobody_is_woken() {
    assert_eq!(wait(&Story::new()), None);
    assert_eq!(waits(Story::new().burst(CRITICAL, A)), 10 * SECOND);
    assert_eq!(waits(Story::new().burst(WARNING, A)), 30 * SECOND);
    // From the first of them on, whatever joins it.
    let mut story = Story::new();
    story.burst(CRITICAL, A).pass(4 * SECOND).burst(CRITICAL, B);
    assert_eq!(waits(&story), 6 * SECOND);
    // A critical does not wait for a warning, which goes along.
    let mut story = Story::new();
    story.burst(WARNING, A).pass(5 * SECOND).burst(CRITICAL, A);
    assert_eq!(waits(&story), 10 * SECOND);
}

#[test]
fn keeps_its_distance_from_the_last_letter_of_the_same_severity_that_was_taken() {
    let told = |rule| {
        let mut story = Story::new();
        story.burst(rule, A).deliver("chat");
        story.pass(20 * SECOND);
        story
    };
    assert_eq!(waits(told(CRITICAL).burst(CRITICAL, B)), 40 * SECOND);
    assert_eq!(waits(told(CRITICAL).end(CRITICAL, A)), 40 * SECOND);
    assert_eq!(waits(told(WARNING).burst(WARNING, B)), 280 * SECOND);
    assert_eq!(waits(told(WARNING).end(WARNING, A)), 280 * SECOND);
    assert_eq!(waits(told(WARNING).burst(CRITICAL, A)), 10 * SECOND);
    assert_eq!(waits(told(CRITICAL).burst(WARNING, A)), 30 * SECOND);
    // Later than that it waits for others alone.
    assert_eq!(waits(told(CRITICAL).pass(HOUR).burst(CRITICAL, B)), 10 * SECOND);
    assert_eq!(waits(told(CRITICAL).pass(HOUR).end(CRITICAL, A)), Span::ZERO);
}

#[test]
fn does_not_keep_its_distance_from_a_letter_that_nobody_took() {
    let mut story = Story::new();
    story.burst(CRITICAL, A);
    let letter = story.send("chat");
    let detail = "503".to_owned();
    story.receipt(&letter, Outcome::Refused { detail, retry_after: None, permanent: false });
    assert_eq!(waits(story.pass(20 * SECOND).end(CRITICAL, A)), Span::ZERO - 11 * SECOND);
}

#[test]
fn waits_with_nothing_else_and_for_nobody_who_leaves_or_is_over() {
    assert_eq!(waits(Story::new().fail_smoke()), Span::ZERO);
    assert_eq!(waits(Story::new().close_window()), Span::ZERO);
    assert_eq!(waits(Story::new().lose_disk()), Span::ZERO);
    assert_eq!(waits(Story::new().lose_disk().burst(WARNING, A)), Span::ZERO);
    let mut story = Story::new();
    story.burst(CRITICAL, A);
    let leaving = due(&story.record, &story.channel("chat"), story.now(), Rush::Leaving);
    assert_eq!(leaving.unwrap().at, story.now());
    story.burst(WARNING, A).supersede();
    assert!(waits(&story) <= Span::ZERO);
}

/// Out at 13:00 in Berlin; the story begins an hour later.
fn quiet(from: &str, to: &str) -> Quiet {
    let text = format!(r#"{{"from":"{from}","to":"{to}","zone":"UTC"}}"#);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn holds_what_is_not_critical_to_the_end_of_quiet_hours() {
    let noon = |story: &Story| story.now().rfc3339();
    let mut story = Story::new();
    story.route("chat", |routing| routing.quiet = vec![quiet("00:00", "24:00")]);
    let now = noon(&story);
    let midnight: Timestamp = format!("{}T00:00:00Z", &now[..10]).parse().unwrap();
    let rest = (midnight + 24 * HOUR).since(story.now());
    assert_eq!(wait(story.burst(WARNING, A)), Some((rest, Some(Waited::Quiet))));
    // What is critical takes along what has waited, and its end is not held.
    assert_eq!(wait(story.burst(CRITICAL, A)), Some((10 * SECOND, None)));
    story.deliver("chat");
    assert_eq!(wait(story.pass(HOUR).end(CRITICAL, A)), Some((Span::ZERO, None)));
    story.deliver("chat");
    let left = (midnight + 24 * HOUR).since(story.now());
    assert_eq!(wait(story.end(WARNING, A)), Some((left, Some(Waited::Quiet))));
    assert_eq!(crate::notify::waited(&story.record, &story.channel("chat")), Some(Waited::Quiet));
}

#[test]
fn counts_the_letters_that_were_taken_and_lets_the_first_of_a_critical_go_in_any_case() {
    let mut story = Story::new();
    story.route("chat", |routing| {
        routing.limit = Some(2);
        routing.group_interval = Severity::ALL.map(|severity| (severity, Span::ZERO)).into();
    });
    story.burst(WARNING, A).deliver("chat"); // taken after a second
    let first = story.now();
    story.end(WARNING, A).deliver("chat");
    let free = (first + 10 * MINUTE).since(story.now());
    assert_eq!(wait(story.burst(WARNING, A)), Some((free, Some(Waited::Limit))));
    assert_eq!(wait(story.end(WARNING, A)), Some((free, Some(Waited::Limit))));
    assert_eq!(wait(story.burst(CRITICAL, A)), Some((10 * SECOND, None)));
    story.deliver("chat");
    // It fires again and again: that is no first time.
    let again = story.end(CRITICAL, A).burst(CRITICAL, A);
    assert!(wait(again).unwrap().0 > 5 * MINUTE);
    assert_eq!(crate::notify::waited(&story.record, &story.channel("chat")), Some(Waited::Limit));
}
