//! Bodies at their limits.

use crate::model::{Labels, Number, Severity, Timestamp};
use crate::notify::fixture::{Story, overview, summary};
use crate::notify::letter::Body;
use crate::record::{AlertSummary, Fact, Overview};

fn body(story: &Story) -> serde_json::Value {
    let Body::Webhook { json } = story.letter("chat").body else { panic!() };
    assert!(json.len() <= super::BODY_BYTES_MAX, "{} bytes", json.len());
    serde_json::from_str(&json).unwrap()
}

#[test]
fn leaves_the_course_of_the_signals_out_of_a_large_summary_and_says_so() {
    let mut story = Story::new();
    let mut long = summary(story.record.release.clone());
    let point = |at| (Timestamp::from_millis(at), Some(Number(0.123_456_789)));
    long.signals[0].points = (0..20_000).map(point).collect();
    let window = long.window.clone();
    story.fact(crate::model::SECOND, Fact::WindowClosed { window, summary: Box::new(long) });
    let body = body(&story);
    assert_eq!(body["data"]["truncated"][0], "summary.signals.points");
    assert_eq!(body["data"]["summary"]["signals"][0]["points"], serde_json::json!([]));
    assert_eq!(body["data"]["figures"][0]["shown"], "0.12%");
}

#[test]
fn leaves_the_alerts_out_of_a_digest_that_is_too_large_and_says_so() {
    let mut story = Story::new();
    let long = "x".repeat(20_000);
    let alert = |index: usize| AlertSummary {
        rule: "TargetSilent".into(),
        labels: Labels::from_pairs([("instance", format!("{index}{long}").as_str())]),
        severity: Severity::Warning,
        since: Timestamp::default(),
        fired_at: Timestamp::default(),
        resolved_at: None,
        peak: Number(0.0),
        summary: String::new(),
        heritage: None,
        held: Vec::new(),
        goes_on: false,
        acked: None,
    };
    story.digest(Overview { firing: 40, alerts: (0..40).map(alert).collect(), ..overview() });
    let body = body(&story);
    assert_eq!(body["data"]["truncated"][0], "digest.alerts");
    assert_eq!(body["data"]["digest"]["firing"], 40);
    assert_eq!(body["data"]["digest"]["alerts"], serde_json::json!([]));
}

#[test]
fn leaves_a_summary_out_that_is_too_large_without_them_and_says_so() {
    let mut story = Story::new();
    let mut long = summary(story.record.release.clone());
    long.limits = vec!["series".repeat(100); 500];
    let window = long.window.clone();
    story.fact(crate::model::SECOND, Fact::WindowClosed { window, summary: Box::new(long) });
    let body = body(&story);
    assert_eq!(body["data"]["truncated"][0], "summary");
    assert_eq!(body["data"]["summary"], serde_json::Value::Null);
    assert_eq!(body["data"]["verdict"], "degraded");
}

#[test]
fn bounds_a_letter_whatever_the_labels_are() {
    let mut story = Story::new();
    let long = "ü".repeat(5_000);
    let names: Vec<String> = (0..40).map(|index| format!("label_{index:02}")).collect();
    let labels: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), &*long)).collect();
    story.fire("HighErrorRate", &labels, f64::INFINITY);
    let body = body(&story);
    let alert = &body["data"]["alerts"][0];
    assert_eq!(alert["labels"].as_object().unwrap().len(), 17);
    assert_eq!(alert["labels"]["…"], "24 more labels");
    assert_eq!(alert["value"], "+Inf");
}

#[test]
fn tells_alerts_in_short_where_they_do_not_fit_in_full() {
    let mut story = Story::new();
    let long = "ü".repeat(5_000);
    let names: Vec<String> = (0..16).map(|index| format!("label_{index:02}")).collect();
    for index in 0..80 {
        let instance = format!("a{index}");
        let mut labels: Vec<(&str, &str)> = vec![("zone", &instance)];
        labels.extend(names.iter().map(|name| (name.as_str(), &*long)));
        story.fire("TargetDown", &labels, 0.0);
    }
    let body = body(&story);
    let incidents = |list: &str| -> Vec<String> {
        let list = body["data"][list].as_array().unwrap();
        list.iter().map(|alert| alert["incident"].as_str().unwrap().to_owned()).collect()
    };
    let (full, short) = (incidents("alerts"), incidents("alerts_in_short"));
    assert!(full.len() > 10 && full.len() + short.len() == 80, "{} in full", full.len());
    let all: std::collections::BTreeSet<_> = full.iter().chain(&short).collect();
    assert_eq!(all.len(), 80, "two incidents became one");
}
