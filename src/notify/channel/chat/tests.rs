//! How each form looks, and that it keeps its receiver's limits.

use expect_test::expect_file;
use serde_json::Value;

use crate::model::{Channel, Form, Labels, Medium, Number, Secret, Severity, Timestamp};
use crate::notify::fixture::{Story, overview, summary};
use crate::notify::letter::Body;
use crate::notify::owed::{Owed, owed};
use crate::record::{AlertSummary, Fact, Overview};

fn forms() -> [Form; 5] {
    let ntfy = Form::Ntfy { topic: "on-call".to_owned() };
    [Form::Slack, Form::Teams, Form::Discord, ntfy, Form::CloudEvents]
}

fn body(story: &Story, form: &Form) -> String {
    let url = Secret::Env("URL".to_owned());
    let medium = Medium::Post { form: form.clone(), url, token: None };
    let channel = Channel { medium, ..story.channel("chat") };
    match owed(&story.record, &channel) {
        Owed::Letter(letter) => match letter.body {
            Body::Post { json } => json,
            other => panic!("{other:?}"),
        },
        other => panic!("owed {other:?}"),
    }
}

fn value(story: &Story, form: &Form) -> Value {
    serde_json::from_str(&body(story, form)).unwrap()
}

#[test]
fn looks_as_it_did() {
    let mut story = Story::new();
    story.fire("SlowAnswers", &[], 10.0).fire("HighErrorRate", &[("path", "/api/<*_x>")], 0.0712);
    story.lose_disk();
    let mut closed = Story::new();
    closed.close_window();
    for form in forms() {
        let shown = [&story, &closed].map(|story| value(story, &form));
        let shown = shown.map(|body| serde_json::to_string_pretty(&body).unwrap() + "\n");
        let name = format!("../../../../tests/goldens/letters/{}.json", form.as_str());
        expect_file![name].assert_eq(&shown.concat());
    }
}

/// A hundred incidents with labels as long as they come, in wide characters.
fn crowd() -> Story {
    let mut story = Story::new();
    let long = "ü*_<|".repeat(2_000);
    for index in 0..120 {
        let instance = format!("a{index}{long}");
        story.fire("TargetDown", &[("instance", &instance), ("long", &long)], 0.0);
    }
    story
}

/// Characters of every text below a key.
fn chars(value: &Value, keys: &[&str]) -> usize {
    match value {
        Value::Array(all) => all.iter().map(|one| chars(one, keys)).sum(),
        Value::Object(fields) => {
            let counted = |(key, value): (&String, &Value)| match value {
                Value::String(text) if keys.contains(&key.as_str()) => text.chars().count(),
                other => chars(other, keys),
            };
            fields.iter().map(counted).sum()
        }
        _ => 0,
    }
}

#[test]
fn keeps_every_receivers_limits_whatever_is_told() {
    for story in [crowd(), {
        let mut one = Story::new();
        one.digest(overview());
        one
    }] {
        let slack = value(&story, &Form::Slack);
        assert!(slack["blocks"].as_array().unwrap().len() <= 50);
        assert!(chars(&slack, &["text"]) <= 9_000, "{}", chars(&slack, &["text"]));
        let teams = body(&story, &Form::Teams);
        assert!(teams.len() <= 28_000, "{} bytes", teams.len());
        let discord = value(&story, &Form::Discord);
        let embeds = discord["embeds"].as_array().unwrap();
        let counted = chars(&discord["embeds"], &["title", "description", "name", "value"]);
        assert!(embeds.len() <= 10 && counted <= 6_000, "{counted} characters");
        assert!(discord["content"].as_str().unwrap().chars().count() <= 2_000);
        let ntfy = value(&story, &Form::Ntfy { topic: "x".to_owned() });
        let message = ntfy["message"].as_str().unwrap();
        assert!(message.len() <= 4_096, "{} bytes", message.len());
    }
    let ntfy = value(&crowd(), &Form::Ntfy { topic: "x".to_owned() });
    assert!(ntfy["message"].as_str().unwrap().ends_with('…'), "what is cut is marked");
}

#[test]
fn keeps_what_stands_at_the_end_of_a_long_card() {
    let mut story = Story::new();
    let alert = |index: usize| AlertSummary {
        rule: "TargetSilent".into(),
        labels: Labels::from_pairs([("instance", format!("a{index}").as_str())]),
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
    let alerts = (0..24).map(alert).collect();
    story.digest(Overview { firing: 24, alerts, ..overview() });
    let message = body(&story, &Form::Discord);
    let value: Value = serde_json::from_str(&message).unwrap();
    assert!(value["embeds"][0]["fields"].as_array().unwrap().len() <= 25);
    for row in [r#""name":"health""#, r#""name":"seen""#, r#""name":"…""#] {
        assert!(message.contains(row), "{row} is not in {message}");
    }
}

#[test]
fn a_summary_of_many_words_still_fits() {
    let mut story = Story::new();
    let mut long = summary(story.record.release.clone());
    long.reasons[0].text = "*_".repeat(300);
    long.reasons = vec![long.reasons[0].clone(); 9];
    let window = long.window.clone();
    story.fact(crate::model::SECOND, Fact::WindowClosed { window, summary: Box::new(long) });
    let discord = value(&story, &Form::Discord);
    let counted = chars(&discord["embeds"], &["title", "description", "name", "value"]);
    assert!(counted <= 6_000, "{counted} characters");
    assert!(body(&story, &Form::Discord).contains("\\\\*"), "it says why");
}

#[test]
fn says_that_it_could_not_be_stored_where_people_look() {
    let mut story = Story::new();
    story.fire("HighErrorRate", &[], 0.5);
    for form in forms() {
        let marked = crate::notify::not_stored(&form, &body(&story, &form));
        assert!(marked.contains("could not be stored") || marked.contains("notstored"), "{marked}");
        assert!(marked.len() > body(&story, &form).len());
    }
}

#[test]
fn wakes_only_for_what_is_critical_and_burns() {
    let priority = |story: &Story| value(story, &forms()[3])["priority"].as_u64().unwrap();
    let mut story = Story::new();
    story.fire("HighErrorRate", &[], 0.5);
    assert_eq!(priority(&story), 5);
    story.calm("HighErrorRate", &[], 0.0);
    assert_eq!(priority(&story), 3);
    let mut story = Story::new();
    story.fire("SlowAnswers", &[], 10.0);
    assert_eq!(priority(&story), 4);
    let mut story = Story::new();
    story.fail_smoke();
    assert_eq!(priority(&story), 5);
}

#[test]
fn an_event_has_one_id_on_whatever_channel_and_another_for_other_news() {
    let mut story = Story::new();
    story.fire("HighErrorRate", &[], 0.5);
    let id = |story: &Story| value(story, &Form::CloudEvents)["id"].as_str().unwrap().to_owned();
    let first = id(&story);
    assert_eq!(first, id(&story));
    story.calm("HighErrorRate", &[], 0.0);
    assert_ne!(first, id(&story));
}
