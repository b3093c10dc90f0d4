//! How events look, under which keys, and that they keep the receiver's limits.

use expect_test::expect_file;
use serde_json::Value;

use super::{CHANGES, EVENTS, SUMMARY_CHARS_MAX, dedup_key, filled};
use crate::model::{Medium, Secret};
use crate::notify::fixture::{Story, overview};
use crate::notify::letter::{Body, Letter, Request};

/// The release has been told.
fn story() -> Story {
    let mut story = fresh();
    story.deliver("chat");
    story
}

fn fresh() -> Story {
    Story::by(Medium::Pagerduty { key: Secret::Env("KEY".to_owned()), url: None })
}

fn requests(letter: &Letter) -> &[Request] {
    let Body::Requests(requests) = &letter.body else { panic!("{letter:?}") };
    requests
}

fn value(request: &Request) -> Value {
    serde_json::from_str(&request.json).unwrap()
}

/// `trigger KEY`, `resolve KEY`, `change SUMMARY`.
fn said(letter: &Letter) -> Vec<String> {
    let one = |request: &Request| {
        let event = value(request);
        match request.path {
            CHANGES => format!("change {}", event["payload"]["summary"].as_str().unwrap()),
            EVENTS => format!("{} {}", event["event_action"], event["dedup_key"]).replace('"', ""),
            other => panic!("{other}"),
        }
    };
    requests(letter).iter().map(one).collect()
}

#[test]
fn looks_as_it_did() {
    let mut story = story();
    story.fire("SlowAnswers", &[], 10.0).fire("HighErrorRate", &[("path", "/api/<*_x>")], 0.0712);
    story.lose_disk();
    let mut shown = String::new();
    for letter in [fresh().letter("chat"), story.letter("chat"), {
        let mut closed = self::story();
        closed.close_window();
        closed.letter("chat")
    }] {
        for request in requests(&letter) {
            let body = serde_json::to_string_pretty(&value(request)).unwrap();
            shown.push_str(&format!("POST {}\n{body}\n", request.path));
        }
    }
    expect_file!["../../../../tests/goldens/letters/pagerduty.txt"].assert_eq(&shown);
}

#[test]
fn ends_an_incident_under_the_key_that_it_began_with() {
    let mut story = story();
    story.fire("HighErrorRate", &[("path", "/a")], 0.5);
    let key = dedup_key(r#"chat-agent/HighErrorRate{path="/a"}"#);
    assert_eq!(said(&story.deliver("chat")), [format!("trigger {key}")]);
    story.calm("HighErrorRate", &[("path", "/a")], 0.0);
    assert_eq!(said(&story.deliver("chat")), [format!("resolve {key}")]);
    story.fire("HighErrorRate", &[("path", "/a")], 0.5);
    story.deliver("chat");
    story.supersede();
    assert_eq!(said(&story.letter("chat")), [format!("resolve {key}")], "the watch has ended");
}

#[test]
fn tells_one_that_is_over_already_without_waking_anybody() {
    let mut story = story();
    story.fire("HighErrorRate", &[], 0.5).calm("HighErrorRate", &[], 0.0);
    let letter = story.letter("chat");
    let key = dedup_key("chat-agent/HighErrorRate");
    assert_eq!(said(&letter), [format!("trigger {key}"), format!("resolve {key}")]);
    assert_eq!(value(&requests(&letter)[0])["payload"]["severity"], "info");
}

#[test]
fn opens_an_incident_for_a_failed_suite_and_ends_it_with_the_next_release() {
    let mut story = story();
    story.fail_smoke();
    let failed = said(&story.letter("chat"));
    assert_eq!(failed.len(), 1);
    let next = said(&fresh().letter("chat"));
    assert!(next[0].starts_with("change chat-agent v1.2.3: RELEASED out since"), "{next:?}");
    assert_eq!(next[1], failed[0].replace("trigger", "resolve"));
}

#[test]
fn pages_nobody_for_what_can_wait() {
    let mut story = story();
    story.digest(overview());
    assert!(said(&story.letter("chat"))[0].starts_with("change chat-agent v1.2.3: DIGEST quiet"));
}

#[test]
fn keeps_the_limits_whatever_is_told() {
    let mut story = story();
    let long = "ü*_<|".repeat(2_000);
    for index in 0..120 {
        let instance = format!("a{index}{long}");
        story.fire("TargetDown", &[("instance", &instance), ("long", &long)], 0.0);
    }
    let letter = story.letter("chat");
    let mut keys = std::collections::BTreeSet::new();
    for request in requests(&letter) {
        let event = value(request);
        let summary = event["payload"]["summary"].as_str().unwrap();
        assert!(summary.chars().count() <= SUMMARY_CHARS_MAX, "{summary}");
        assert!(request.json.len() <= super::EVENT_BYTES_MAX);
        assert!(request.less.as_ref().unwrap().len() < request.json.len());
        keys.insert(event["dedup_key"].as_str().unwrap().to_owned());
    }
    assert_eq!(keys.len(), requests(&letter).len(), "two incidents became one");
    assert_eq!(keys.len(), 10, "as many as can be answered in one try; the next letter has more");
}

#[test]
fn bears_its_routing_key_at_each_try_alone() {
    let mut story = story();
    story.fire("HighErrorRate", &[], 0.5);
    let letter = story.letter("chat");
    let event: Value =
        serde_json::from_str(&filled(&requests(&letter)[0].json, "k3y", true)).unwrap();
    assert_eq!(event["routing_key"], "k3y");
    assert_eq!(
        event["payload"]["custom_details"]["not stored"],
        "the disk of bakewatch is failing"
    );
    assert_eq!(event["payload"]["summary"], value(&requests(&letter)[0])["payload"]["summary"]);
}
