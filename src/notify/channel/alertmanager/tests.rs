//! How alerts look to an Alertmanager and to its receivers, and that no two of
//! them become one.

use std::collections::BTreeSet;

use expect_test::expect_file;
use serde_json::Value;

use super::{filled, fingerprint};
use crate::model::{Form, MINUTE, Medium, SECOND, Secret, Span, Timestamp};
use crate::notify::fixture::Story;
use crate::notify::letter::{Body, Letter};
use crate::notify::owed::Owed;
use crate::notify::repeat;

fn pushed() -> Story {
    let urls = vec![Secret::Env("URL".to_owned())];
    Story::by(Medium::Alertmanager { urls, token: None })
}

fn hooked() -> Story {
    let url = Secret::Env("URL".to_owned());
    Story::by(Medium::Post { form: Form::Alertmanager, url, token: None })
}

fn value(letter: &Letter) -> Value {
    let Body::Post { json } = &letter.body else { panic!("{letter:?}") };
    serde_json::from_str(json).unwrap()
}

fn tell(story: &mut Story) {
    story.fire("TargetDown", &[("instance", "a:8000")], 0.0);
    story.deliver("chat");
    story.fire("SlowAnswers", &[], 10.0).fire("HighErrorRate", &[("path", "/api/<*_x>")], 0.0712);
    story.calm("SlowAnswers", &[], 2.5).lose_disk();
}

#[test]
fn looks_as_it_did() {
    let mut shown = String::new();
    for mut story in [pushed(), hooked()] {
        tell(&mut story);
        shown.push_str(&serde_json::to_string_pretty(&value(&story.letter("chat"))).unwrap());
        shown.push('\n');
    }
    let mut closed = hooked();
    closed.close_window();
    shown.push_str(&serde_json::to_string_pretty(&value(&closed.letter("chat"))).unwrap());
    expect_file!["../../../../tests/goldens/letters/alertmanager.json"].assert_eq(&(shown + "\n"));
}

#[test]
fn gives_a_reason_in_alertmanagers_words_and_the_group_whole() {
    let mut story = hooked();
    let said = |story: &mut Story| {
        let body = value(&story.deliver("chat"));
        let count = body["alerts"].as_array().unwrap().len();
        (body["notification_reason"].as_str().unwrap().to_owned(), count)
    };
    let all = [
        said(story.fire("HighErrorRate", &[], 0.5)),
        said(story.fire("SlowAnswers", &[], 11.0)),
        said(story.calm("HighErrorRate", &[], 0.0)),
        said(story.calm("SlowAnswers", &[], 0.0)),
    ];
    let wanted = [
        ("first notification", 1),
        ("new alerts added", 2),
        ("some alerts resolved", 2),
        ("all alerts resolved", 1),
    ];
    assert_eq!(all, wanted.map(|(reason, count)| (reason.to_owned(), count)));
}

#[test]
fn counts_what_does_not_fit() {
    let mut story = hooked();
    let long = "ü".repeat(50_000);
    for index in 0..20 {
        let instance = format!("a{index}");
        story.fire("TargetDown", &[("instance", &instance), ("long", &long)], 0.0);
    }
    let body = value(&story.letter("chat"));
    let shown = body["alerts"].as_array().unwrap().len();
    assert!(shown > 2 && body["truncatedAlerts"] == 20 - shown, "{shown}");
    assert_eq!(body["status"], "firing");
}

#[test]
fn tells_alerts_apart_by_labels_that_it_takes() {
    let mut story = pushed();
    let long = "x".repeat(5_000);
    for last in ["1", "2"] {
        let value = format!("{long}{last}");
        story.fire("TargetDown", &[("http.path", &value), ("severity", "odd")], 0.0);
    }
    let alerts = value(&story.letter("chat"));
    let alerts = alerts.as_array().unwrap();
    let all: BTreeSet<String> = alerts.iter().map(|one| one["labels"].to_string()).collect();
    assert_eq!(all.len(), 2, "two incidents became one");
    for alert in alerts {
        let labels = alert["labels"].as_object().unwrap();
        let is_name = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        assert!(labels.keys().all(is_name), "{:?}", labels.keys());
        assert_eq!(
            (&labels["severity"], &labels["exported_severity"]),
            (&"warning".into(), &"odd".into())
        );
    }
}

/// From Prometheus: `model.LabelSet{"alertname": "a", "b": "c"}.Fingerprint()` is the
/// hash over `alertname\xffa\xffb\xffc\xff`.
#[test]
fn bears_the_fingerprint_that_prometheus_has() {
    assert_eq!(fingerprint(&Default::default()), 0xcbf2_9ce4_8422_2325, "of no labels");
    let labels = [("b", "c"), ("alertname", "a")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    let bytes = b"alertname\xffa\xffb\xffc\xff";
    let wanted = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    assert_eq!(fingerprint(&labels.into()), wanted);
}

#[test]
fn counts_the_end_of_what_burns_from_each_try_and_of_nothing_else() {
    let mut story = pushed();
    story.fire("SlowAnswers", &[], 11.0).fire("HighErrorRate", &[], 0.5);
    story.calm("SlowAnswers", &[], 0.0);
    let Body::Post { json } = story.letter("chat").body else { panic!() };
    let ends = |at: i64| -> Vec<String> {
        let sent: Value = serde_json::from_str(&filled(&json, Timestamp::from_millis(at))).unwrap();
        let all = sent.as_array().unwrap();
        all.iter().map(|one| one["endsAt"].as_str().unwrap().to_owned()).collect()
    };
    let (first, second) = (ends(0), ends(60_000));
    assert_eq!(first[0], "1970-01-01T00:04:00Z");
    assert_eq!(second[0], "1970-01-01T00:05:00Z");
    assert_eq!(first[1], second[1], "it has ended");
}

/// What is said again so long after the last fact: `firing RULE`, `resolved RULE`.
fn again(story: &Story, after: Span) -> Vec<String> {
    let channel = story.channel("chat");
    let Some(letter) = repeat(&story.record, &channel, story.record.at + after) else {
        return Vec::new();
    };
    let one = |alert: &Value| {
        let state = if alert["endsAt"].is_null() { "firing" } else { "resolved" };
        format!("{state} {}", alert["labels"]["alertname"].as_str().unwrap())
    };
    value(&letter).as_array().unwrap().iter().map(one).collect()
}

#[test]
fn says_again_what_was_told_and_burns_and_for_a_while_what_has_ended() {
    let mut story = pushed();
    story.fire("HighErrorRate", &[], 0.5);
    assert_eq!(again(&story, SECOND), [""; 0], "the letter goes first");
    story.deliver("chat");
    assert_eq!(again(&story, 5_000 * MINUTE), ["firing HighErrorRate"]);
    story.calm("HighErrorRate", &[], 0.0);
    assert_eq!(again(&story, SECOND), ["firing HighErrorRate"], "its end is not told yet");
    story.deliver("chat");
    assert_eq!(again(&story, 14 * MINUTE), ["resolved HighErrorRate"]);
    assert_eq!(again(&story, 16 * MINUTE), [""; 0]);
    let mut failed = pushed();
    failed.fail_smoke();
    failed.deliver("chat");
    assert_eq!(again(&failed, MINUTE), ["firing SmokeFailed"]);
}

#[test]
fn takes_no_summary_and_no_other_channel_is_told_again() {
    let mut story = pushed();
    story.close_window();
    assert!(matches!(story.owed("chat"), Owed::Skip { .. }));
    let mut story = hooked();
    story.fire("HighErrorRate", &[], 0.5);
    story.deliver("chat");
    assert_eq!(again(&story, MINUTE), [""; 0]);
}
