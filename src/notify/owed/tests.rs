//! Letters as goldens, and what holds for any course of events.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::{ExpectFile, expect_file};
use proptest::prelude::*;

use super::*;
use crate::model::{HOUR, Labels, MINUTE, Number, SECOND, Severity};
use crate::notify::fixture::{Story, overview};
use crate::notify::letter::Body;
use crate::record::{AlertSummary, Blind, Outcome, Overview};

const PATH: &[(&str, &str)] = &[("path", "/api/chat"), ("method", "POST")];

/// What the mail channel and the webhook channel are owed.
fn check(story: &Story, wanted: ExpectFile) {
    let mut out = String::new();
    for channel in ["on-call", "chat"] {
        let letter = story.letter(channel);
        out += &format!("==== {channel}: after {}, up to {}\n", letter.after, letter.up_to);
        match &letter.body {
            Body::Webhook { json } | Body::Post { json } => {
                let value: serde_json::Value = serde_json::from_str(json).unwrap();
                out += &serde_json::to_string_pretty(&value).unwrap();
                out.push('\n');
            }
            Body::Mail { subject, text, headers, .. } => {
                out += &format!("Subject: {subject}\n");
                headers.iter().for_each(|(name, value)| out += &format!("{name}: {value}\n"));
                out += &format!("\n{text}\n");
            }
            other => panic!("{other:?} has a golden of its own"),
        }
    }
    wanted.assert_eq(&out);
}

fn tell_both(story: &mut Story) {
    story.deliver("on-call");
    story.deliver("chat");
}

macro_rules! golden {
    ($name:literal) => {
        expect_file![concat!("../../../tests/goldens/letters/", $name, ".txt")]
    };
}

#[test]
fn tells_that_an_alert_fires() {
    let mut story = Story::new();
    story.fire("HighErrorRate", PATH, 0.0712);
    check(&story, golden!("fire"));
}

#[test]
fn tells_that_a_told_alert_is_over() {
    let mut story = Story::new();
    story.fire("HighErrorRate", PATH, 0.0712);
    tell_both(&mut story);
    story.calm("HighErrorRate", PATH, 0.004);
    check(&story, golden!("resolve"));
}

#[test]
fn tells_a_fire_and_its_resolve_at_once_when_neither_could_be_told() {
    let mut story = Story::new();
    story.fire("SlowAnswers", &[], 10.0).calm("SlowAnswers", &[], 2.5);
    check(&story, golden!("fired-and-resolved"));
}

#[test]
fn tells_the_true_end_of_a_flapping_alert_and_how_often_it_turned() {
    let mut story = Story::new();
    story.fire("TargetDown", &[("instance", "a:8000")], 0.0);
    tell_both(&mut story);
    for _ in 0..3 {
        story.calm("TargetDown", &[("instance", "a:8000")], 1.0);
        story.fire("TargetDown", &[("instance", "a:8000")], 0.0);
    }
    check(&story, golden!("flapping"));
}

#[test]
fn tells_two_incidents_in_one_letter_the_worse_first_and_what_burns_besides() {
    let mut story = Story::new();
    story.fire("TargetDown", &[("instance", "a:8000")], 0.0);
    tell_both(&mut story);
    story.fire("SlowAnswers", &[], 10.0).fire("HighErrorRate", PATH, 0.0712);
    check(&story, golden!("two-incidents"));
}

#[test]
fn tells_what_burned_when_the_watch_was_superseded_as_closed() {
    let mut story = Story::new();
    story.fire("HighErrorRate", &[], 0.0712).fire("SlowAnswers", &[], 12.0);
    tell_both(&mut story);
    story.supersede();
    check(&story, golden!("closed"));
}

#[test]
fn tells_a_failed_smoke_suite_in_a_letter_of_its_own() {
    let mut story = Story::new();
    story.fail_smoke().fire("HighErrorRate", &[], 0.5);
    check(&story, golden!("smoke-failed"));
    tell_both(&mut story);
    assert!(json(&story.letter("chat")).contains(r#""type":"release.alert""#));
}

#[test]
fn tells_a_notice_and_an_alert_together() {
    let mut story = Story::new();
    story.lose_disk();
    check(&story, golden!("notice"));
    story.fire("HighErrorRate", &[], 0.5);
    let json = json(&story.letter("chat"));
    assert!(json.contains(r#""type":"release.alert""#) && json.contains("no space left"), "{json}");
}

#[test]
fn tells_a_notice_once_however_often_it_came() {
    let mut story = Story::new();
    for _ in 0..2_000 {
        story.lose_disk();
    }
    let json = json(&story.deliver("chat"));
    assert!(json.contains(r#""times":2000"#) && json.len() < 1_000, "{json}");
    assert_eq!(story.owed("chat"), Owed::Nothing);
}

#[test]
fn tells_a_summary_in_the_words_of_the_report() {
    let mut story = Story::new();
    story.fire("HighErrorRate", &[], 0.5).close_window().calm("HighErrorRate", &[], 0.0);
    assert!(json(&story.deliver("chat")).contains(r#""status":"firing""#));
    let summary = story.record.windows["first-day"].summary.clone();
    let json = json(&story.deliver("chat"));
    assert!(json.contains(r#""type":"release.summary""#), "{json}");
    assert!(json.contains(&serde_json::to_string(&summary).unwrap()), "{json}");
    story.deliver("on-call");
    let Body::Mail { subject, text, html, .. } = story.letter("on-call").body else { panic!() };
    assert_eq!(subject, "[DEGRADED] chat-agent v1.2.3: first-day summary");
    assert_eq!(text, crate::report::text(&summary));
    assert_eq!(html, crate::report::mail_html(&summary));
}

#[test]
fn tells_a_digest_also_when_all_is_quiet() {
    let mut story = Story::new();
    story.digest(overview());
    check(&story, golden!("digest-quiet"));
    assert_eq!(story.owed("page"), Owed::Skip { up_to: story.record.news_end() });
}

#[test]
fn tells_in_a_digest_what_fires_what_ended_and_what_nobody_saw() {
    let quiet = overview();
    let alert = |rule: &str, resolved_at| AlertSummary {
        rule: rule.into(),
        labels: Labels::from_pairs([("path", "/api/chat")]),
        severity: Severity::Critical,
        since: quiet.from + HOUR,
        fired_at: quiet.from + HOUR,
        resolved_at,
        peak: Number(0.07),
        summary: String::new(),
        heritage: None,
        held: Vec::new(),
        goes_on: false,
        acked: None,
    };
    let (from, to) = (quiet.from + HOUR, quiet.from + 2 * HOUR);
    let mut story = Story::new();
    story.digest(Overview {
        missed: 2,
        to: quiet.due + 20 * MINUTE,
        late_by: 20 * MINUTE,
        healthy: 1,
        firing: 1,
        fired: 52,
        ended: 51,
        alerts: vec![alert("HighErrorRate", None), alert("SlowAnswers", Some(to))],
        coverage: crate::record::Coverage {
            health_ratio: Number(0.9583),
            blind: vec![Blind { from, to, why: "bakewatch was not running".to_owned() }],
        },
        troubles: vec!["channel chat failing: 503".to_owned()],
        ..quiet
    });
    check(&story, golden!("digest-firing"));
}

#[test]
fn calls_a_digest_quiet_only_when_somebody_looked() {
    let mut story = Story::new();
    let mut blind = overview();
    blind.coverage.health_ratio = Number(0.4);
    story.digest(blind).digest(overview());
    let first = json(&story.deliver("chat"));
    assert!(first.contains(r#""status":"inconclusive""#), "{first}");
    let second = json(&story.deliver("chat"));
    assert!(second.contains(r#""status":"quiet""#), "each comes by itself: {second}");
    story.digest(Overview { healthy: 1, ..overview() });
    let third = json(&story.letter("chat"));
    assert!(third.contains(r#""status":"degraded""#), "{third}");
}

#[test]
fn skips_what_a_channel_does_not_take_without_holding_up_what_it_takes() {
    let mut story = Story::new();
    assert_eq!(story.owed("page"), Owed::Nothing);
    story.fire("SlowAnswers", &[], 12.0);
    assert_eq!(story.owed("page"), Owed::Skip { up_to: story.record.news_end() });
    story.close_window().calm("SlowAnswers", &[], 1.0);
    let letter = story.deliver("page");
    assert!(json(&letter).contains("release.summary") && letter.after == 0, "{letter:?}");
    assert_eq!(story.owed("page"), Owed::Skip { up_to: story.record.news_end() });
}

#[test]
fn does_not_tell_a_channel_that_it_is_broken_itself() {
    let mut story = Story::new();
    story.fire("HighErrorRate", &[], 0.5);
    let before = story.send("page");
    let detail = "404 not found".to_owned();
    story.receipt(&before, Outcome::Refused { detail, retry_after: None, permanent: true });
    // Nothing that it takes has come since: the same words under the same key.
    assert_eq!(story.letter("page"), before);
    assert!(json(&story.letter("chat")).contains("channel page is broken: 404 not found"));
}

#[test]
fn repeats_a_letter_of_unknown_fate_to_the_byte_before_anything_later() {
    let mut story = Story::new();
    story.fire("HighErrorRate", PATH, 0.5);
    let first = story.send("on-call");
    story.calm("HighErrorRate", PATH, 0.0);
    assert_eq!(story.letter("on-call"), first);
    story.receipt(&first, Outcome::Unknown { detail: "timeout".to_owned() });
    assert_eq!(story.letter("on-call"), first);
    story.receipt(&first, Outcome::Accepted { detail: String::new() });
    let Body::Mail { subject, .. } = story.letter("on-call").body else { panic!() };
    assert!(subject.starts_with("[RESOLVED critical]"), "{subject}");
}

#[test]
fn keeps_a_letter_that_may_have_arrived_though_a_later_try_of_it_is_refused() {
    let mut story = Story::new();
    story.fire("HighErrorRate", PATH, 0.5);
    let first = story.send("chat");
    story.receipt(&first, Outcome::Unknown { detail: "timeout".to_owned() });
    story.calm("HighErrorRate", PATH, 0.0);
    let again = story.send("chat");
    let detail = "503".to_owned();
    story.receipt(&again, Outcome::Refused { detail, retry_after: None, permanent: false });
    assert_eq!((&again, &story.letter("chat")), (&first, &first));
}

#[test]
fn merges_what_a_refused_letter_told_with_what_came_since_under_a_new_key() {
    let mut story = Story::new();
    story.fire("HighErrorRate", PATH, 0.5);
    let first = story.send("chat");
    story.calm("HighErrorRate", PATH, 0.0);
    let detail = "503".to_owned();
    story.receipt(&first, Outcome::Refused { detail, retry_after: None, permanent: false });
    let merged = story.letter("chat");
    assert_ne!(merged.key, first.key);
    assert_eq!((merged.after, merged.up_to), (0, story.record.news_end()));
    assert!(json(&merged).contains(r#""status":"resolved","text""#), "{}", json(&merged));
}

#[test]
fn tells_a_flood_in_several_letters_and_what_one_fact_brings_in_one() {
    let mut story = Story::new();
    let name = |index: usize| format!("10.0.0.{index}:8000");
    for index in 0..250 {
        story.fire("TargetDown", &[("instance", &name(index))], 0.0);
    }
    let mut letters = 0;
    while story.owed("on-call") != Owed::Nothing {
        let Body::Mail { html, text, .. } = story.deliver("on-call").body else { panic!() };
        assert!(html.len() < 100_000, "{} bytes", html.len());
        assert!((50..=100).contains(&text.matches("FIRING").count()), "{text}");
        letters += 1;
    }
    assert_eq!(letters, 3);
    while story.owed("chat") != Owed::Nothing {
        story.deliver("chat");
    }
    story.supersede();
    assert_eq!(json(&story.letter("chat")).matches(r#""status":"closed""#).count(), 250);
    story.deliver("on-call");
    assert_eq!(story.owed("on-call"), Owed::Nothing);
}

fn json(letter: &Letter) -> String {
    match &letter.body {
        Body::Webhook { json } | Body::Post { json } => json.clone(),
        other => panic!("{other:?} is no webhook"),
    }
}

/// A step of a random course of events.
#[derive(Clone, Copy, Debug)]
enum Event {
    Flip(usize),
    Summary,
    Notice,
    /// A try begins …
    Send,
    /// … and ends as `fate % 4` has it.
    Receive(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..4_usize).prop_map(Event::Flip),
        1 => Just(Event::Summary),
        1 => Just(Event::Notice),
        4 => Just(Event::Send),
        3 => any::<u8>().prop_map(Event::Receive),
    ]
}

/// The receiver's memory of which incidents fire, and what it has seen.
#[derive(Default)]
struct Receiver {
    firing: BTreeMap<String, bool>,
    keys: BTreeMap<String, Letter>,
}

impl Receiver {
    /// Takes a letter once for each key, as receivers are told to.
    fn take(&mut self, letter: &Letter) {
        if let Some(before) = self.keys.insert(letter.key.clone(), letter.clone()) {
            assert_eq!(&before, letter, "one key, two contents");
            return;
        }
        let body: serde_json::Value = serde_json::from_str(&json(letter)).unwrap();
        let name = |alert: &serde_json::Value| alert["incident"].as_str().unwrap().to_owned();
        let list = |name: &str| body["data"][name].as_array().cloned().unwrap_or_default();
        let mut besides = self.firing.clone();
        for alert in &list("alerts") {
            let incident = name(alert);
            besides.remove(&incident);
            let was = self.firing.insert(incident, alert["status"] == "firing").unwrap_or(false);
            assert_eq!(alert["told_before"], was, "no end without its fire: {alert}");
        }
        if body["type"] == "release.alert" || body["type"] == "release.notice" {
            let burning = besides.into_iter().filter(|(_, is_firing)| *is_firing);
            let burning: BTreeSet<String> = burning.map(|(incident, _)| incident).collect();
            assert_eq!(list("also_firing").iter().map(name).collect::<BTreeSet<_>>(), burning);
        }
    }
}

const RULES: [&str; 4] = ["HighErrorRate", "SlowAnswers", "TargetDown", "HighErrorRate"];

fn run(events: &[Event], channel: &str) {
    let mut story = Story::new();
    let mut receiver = Receiver::default();
    let mut firing = [false; 4];
    let mut out: Option<Letter> = None;
    for event in events {
        match *event {
            Event::Flip(index) => {
                let labels: &[(&str, &str)] = if index == 3 { PATH } else { &[] };
                firing[index] = !firing[index];
                match firing[index] {
                    true => story.fire(RULES[index], labels, 11.0),
                    false => story.calm(RULES[index], labels, 2.0),
                };
            }
            Event::Summary => drop(story.close_window()),
            Event::Notice => drop(story.lose_disk()),
            Event::Send if out.is_none() => {
                if let Owed::Letter(owed) = story.owed(channel) {
                    let frozen = story.record.channels[channel].frozen.clone();
                    assert!(frozen.is_none_or(|frozen| frozen.key == owed.key), "another letter");
                    out = Some(story.send(channel));
                }
            }
            Event::Send => {}
            Event::Receive(fate) => {
                if let Some(letter) = out.take() {
                    assert_eq!(story.letter(channel), letter, "not the same while it is out");
                    receive(&mut story, &mut receiver, &letter, fate);
                }
            }
        }
    }
    story.supersede();
    if let Some(letter) = out {
        receive(&mut story, &mut receiver, &letter, 0);
    }
    while let Owed::Letter(_) = story.owed(channel) {
        receiver.take(&story.deliver(channel));
    }
    assert!(receiver.firing.values().all(|is_firing| !is_firing), "an end that was not told");
    for (key, alert) in &story.record.alerts {
        let severity = story.record.rule(&key.rule).severity;
        let incident =
            crate::record::incident(&story.record.release.service, &key.rule, &key.labels);
        let is_known = receiver.firing.contains_key(&incident);
        let is_due = story.channel(channel).takes(severity) && !alert.episodes.is_empty();
        assert_eq!(is_known, is_due, "{incident}");
    }
}

fn receive(story: &mut Story, receiver: &mut Receiver, letter: &Letter, fate: u8) {
    let detail = String::new();
    let outcome = match fate % 4 {
        0 => {
            receiver.take(letter);
            Outcome::Accepted { detail }
        }
        1 => {
            receiver.take(letter); // it was taken, and the answer was lost
            Outcome::Unknown { detail }
        }
        2 => Outcome::Unknown { detail },
        _ => Outcome::Refused { detail, retry_after: Some(SECOND), permanent: fate > 240 },
    };
    story.receipt(letter, outcome);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn tells_every_fire_and_every_end_and_no_end_without_its_fire(
        events in prop::collection::vec(event(), 0..60),
    ) {
        run(&events, "chat");
        run(&events, "page");
    }
}
