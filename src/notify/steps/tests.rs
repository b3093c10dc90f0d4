//! What time makes due, and who learns of the end.

use super::*;
use crate::model::{HOUR, Labels, SECOND};
use crate::notify::Owed;
use crate::notify::fixture::Story;
use crate::record::{Hold, Item, Meant, Outcome};

const RULE: &str = "HighErrorRate";

/// What is due by then, in words; noted, as the conductor does.
fn pass(story: &mut Story, long: Span) -> Vec<String> {
    story.pass(long);
    let due = steps(&story.record, &[], story.now()).due;
    let words = due.iter().map(|fact| match fact {
        Fact::Reminded { number, to, .. } => {
            let to: Vec<&str> = to.iter().map(Name::as_str).collect();
            format!("reminder {number} to {}", to.join(" "))
        }
        Fact::Escalated { to, after, .. } => format!("to {to} after {after}"),
        Fact::FellBack { from, to, .. } => format!("to {to} for {from}"),
        other => format!("{other:?}"),
    });
    let words = words.collect();
    for fact in due {
        story.fact(Span::ZERO, fact);
    }
    words
}

fn next(story: &Story) -> Option<Span> {
    steps(&story.record, &[], story.now()).next.map(|next| next.since(story.now()))
}

fn refuse(story: &mut Story, channel: &str) {
    let letter = story.send(channel);
    let detail = "503".to_owned();
    story.receipt(&letter, Outcome::Refused { detail, retry_after: None, permanent: false });
}

#[test]
fn reminds_of_a_critical_with_longer_and_longer_waits_until_it_is_over() {
    let mut story = Story::new();
    story.burst(RULE, &[]);
    assert_eq!(next(&story), Some(30 * MINUTE));
    assert_eq!(pass(&mut story, 30 * MINUTE - SECOND), [""; 0]);
    assert_eq!(pass(&mut story, SECOND), ["reminder 1 to on-call chat page"]);
    let mut numbers = Vec::new();
    for hours in [1, 2, 4, 4] {
        assert_eq!(pass(&mut story, hours * HOUR - SECOND), [""; 0]);
        numbers.extend(pass(&mut story, SECOND));
    }
    assert_eq!(numbers, [2, 3, 4, 5].map(|n| format!("reminder {n} to on-call chat page")));
    story.end(RULE, &[]);
    assert_eq!((pass(&mut story, 9 * HOUR), next(&story)), (vec![], None));
    // The next time it begins anew.
    story.burst(RULE, &[]);
    assert_eq!(pass(&mut story, HOUR), ["reminder 1 to on-call chat page"]);
}

#[test]
fn reminds_of_a_warning_where_somebody_wants_it_and_once_for_all_time_that_nobody_looked() {
    let mut story = Story::new();
    story.burst("SlowAnswers", &[]);
    assert_eq!((pass(&mut story, 24 * HOUR), next(&story)), (vec![], None));
    story.route("chat", |routing| routing.reminders = [(Severity::Warning, vec![HOUR])].into());
    assert_eq!(pass(&mut story, Span::ZERO), ["reminder 1 to chat"]);
    assert_eq!(pass(&mut story, HOUR), ["reminder 2 to chat"]);
}

#[test]
fn reminds_of_nothing_and_tells_nobody_else_once_somebody_is_on_it() {
    let mut story = Story::new();
    story.route("page", |routing| routing.after = Some(10 * MINUTE));
    story.burst(RULE, &[]).pass(9 * MINUTE).acknowledge(RULE);
    assert_eq!((pass(&mut story, 24 * HOUR), next(&story)), (vec![], None));
    story.deliver("chat");
    story.end(RULE, &[]);
    assert!(matches!(story.owed("page"), Owed::Skip { .. }), "it was never told");
    let crate::notify::Body::Webhook { json } = story.letter("chat").body else { panic!() };
    assert!(json.contains(r#""acknowledged":{"by":"ada","comment":"rolling back""#), "{json}");
}

#[test]
fn tells_the_next_step_when_nobody_acknowledged_it_and_that_one_of_the_end_as_well() {
    let mut story = Story::new();
    story.route("page", |routing| routing.after = Some(10 * MINUTE));
    story.burst(RULE, &[]);
    assert!(matches!(story.owed("page"), Owed::Skip { .. }));
    assert_eq!(pass(&mut story, 10 * MINUTE - SECOND), [""; 0]);
    assert_eq!(pass(&mut story, SECOND), ["to page after 10m"]);
    assert_eq!(pass(&mut story, MINUTE), [""; 0]);
    story.deliver("page");
    story.end(RULE, &[]);
    let crate::notify::Body::Webhook { json } = story.letter("page").body else { panic!() };
    assert!(json.contains(r#""status":"resolved""#) && json.contains(r#""told_before":true"#));
    story.deliver("page");
    // The next time it has to be told anew.
    story.burst(RULE, &[]).end(RULE, &[]);
    assert!(matches!(story.owed("page"), Owed::Skip { .. }));
}

#[test]
fn tells_another_channel_of_a_critical_that_did_not_arrive_for_two_minutes() {
    let mut story = Story::new();
    story.route("chat", |routing| routing.fallback = Some("page".into()));
    story.route("page", |routing| routing.after = Some(HOUR));
    story.burst(RULE, &[]);
    refuse(&mut story, "chat"); // a second
    assert_eq!(pass(&mut story, 2 * MINUTE + 8 * SECOND), [""; 0]);
    assert_eq!(pass(&mut story, SECOND), ["to page for chat"]);
    assert_eq!(pass(&mut story, MINUTE), [""; 0]);
    let crate::notify::Body::Webhook { json } = story.deliver("page").body else { panic!() };
    assert!(json.contains(r#""in_place_of":"chat""#), "{json}");
    story.end(RULE, &[]);
    assert!(matches!(story.owed("page"), Owed::Letter(_)), "the end goes there as well");
}

#[test]
fn tells_another_channel_also_when_the_watch_ended_before_two_minutes_were_over() {
    let mut story = Story::new();
    story.route("chat", |routing| routing.fallback = Some("page".into()));
    story.route("page", |routing| routing.after = Some(HOUR));
    story.burst(RULE, &[]);
    refuse(&mut story, "chat"); // a second
    story.deliver("on-call");
    story.fact(MINUTE, Fact::Ended { reason: crate::record::Ending::Complete });
    story.deliver("on-call");
    assert_eq!(pass(&mut story, MINUTE + 6 * SECOND), [""; 0]);
    assert_eq!(pass(&mut story, SECOND), ["to page for chat"]);
    assert_eq!(pass(&mut story, MINUTE), [""; 0]);
    let crate::notify::Body::Webhook { json } = story.deliver("page").body else { panic!() };
    let says = |what: &str| assert!(json.contains(what), "{json}");
    says(r#""in_place_of":"chat""#);
    says(r#""status":"closed""#);
    assert!(!matches!(story.owed("on-call"), Owed::Letter(_)), "it was told of both before");
}

/// A critical that burns on under the next release, of which `chat` was not told:
/// that one's record, and what the earlier one left.
fn handed_on() -> (Story, Vec<Untold>) {
    let story = || {
        let mut story = Story::new();
        story.route("chat", |routing| routing.fallback = Some("page".into()));
        story.route("page", |routing| routing.after = Some(HOUR));
        story
    };
    let (mut before, mut story) = (story(), story());
    before.burst(RULE, &[]);
    refuse(&mut before, "chat");
    let alerts = before.record.to_hand_on(&story.record.plan);
    let (by, handed) = ("v1.2.4".into(), alerts.clone());
    before.fact(SECOND, Fact::Superseded { by, handed });
    let left = untold(&before.record, &before.channel("chat"));
    assert_eq!((alerts.len(), left.len()), (1, 1));
    let (from, silences) = ("v1.2.3".into(), Vec::new());
    story.fact(3 * SECOND, Fact::Inherited { from, alerts, silences });
    (story, left)
}

#[test]
fn tells_another_channel_of_what_was_handed_on_also_when_the_heir_has_ended() {
    let (mut story, left) = handed_on();
    story.fact(MINUTE, Fact::Ended { reason: crate::record::Ending::Complete });
    let due = |left: &[Untold]| steps(&story.record, left, story.now() + 2 * MINUTE).due;
    assert!(matches!(&due(&left)[..], [Fact::FellBack { .. }]), "{:?}", due(&left));
    assert_eq!(due(&[]), [], "without that nobody knows of it");
}

#[test]
fn waits_for_what_was_left_untold_until_another_channel_is_told() {
    let (mut story, left) = handed_on();
    assert!(may_fall_back(&story.record, &left[0]));
    let elsewhere = Untold { channel: "on-call".into(), ..left[0].clone() };
    assert!(!may_fall_back(&story.record, &elsewhere), "it has no other");
    let due = steps(&story.record, &left, story.now() + 2 * MINUTE).due;
    story.fact(2 * MINUTE, due[0].clone());
    assert!(!may_fall_back(&story.record, &left[0]));
    let (mut calm, _) = handed_on();
    calm.end(RULE, &[]);
    assert!(!may_fall_back(&calm.record, &left[0]), "what resolved is told nobody else");
}

#[test]
fn a_later_fire_is_not_told_to_another_channel_for_what_was_left_of_an_earlier_one() {
    let (mut story, left) = handed_on();
    story.end(RULE, &[]);
    story.pass(HOUR);
    story.burst(RULE, &[]).deliver("chat");
    assert_eq!(steps(&story.record, &left, story.now() + 3 * MINUTE).due, []);
    assert!(!may_fall_back(&story.record, &left[0]));
}

#[test]
fn tells_nobody_else_of_what_was_held_back_when_the_watch_ended() {
    let mut story = Story::new();
    story.route("chat", |routing| routing.fallback = Some("page".into()));
    story.route("page", |routing| routing.after = Some(HOUR));
    story.burst(RULE, &[]);
    refuse(&mut story, "chat");
    story.end(RULE, &[]);
    held(&mut story).burst(RULE, &[]);
    story.fact(MINUTE, Fact::Ended { reason: crate::record::Ending::Complete });
    assert_eq!(pass(&mut story, 3 * MINUTE), [""; 0]);
}

#[test]
fn tells_nobody_else_of_what_arrived_and_of_what_is_no_critical() {
    let mut story = Story::new();
    story.route("chat", |routing| routing.fallback = Some("page".into()));
    story.burst(RULE, &[]).deliver("chat");
    story.burst("SlowAnswers", &[]);
    refuse(&mut story, "chat");
    assert_eq!(pass(&mut story, 20 * MINUTE), [""; 0]);
}

#[test]
fn lets_a_reminder_go_after_three_tries_and_nothing_else() {
    let mut story = Story::new();
    story.burst(RULE, &[]);
    for _ in 0..5 {
        refuse(&mut story, "chat");
    }
    story.deliver("chat");
    assert_eq!(pass(&mut story, 30 * MINUTE).len(), 1);
    for _ in 0..3 {
        refuse(&mut story, "chat");
    }
    assert_eq!(story.owed("chat"), Owed::Nothing);
    // One that nobody knows the fate of is let go as well.
    assert_eq!(pass(&mut story, HOUR).len(), 1);
    for _ in 0..3 {
        let letter = story.send("chat");
        story.receipt(&letter, Outcome::Unknown { detail: "timeout".to_owned() });
    }
    assert_eq!(story.owed("chat"), Owed::Nothing);
    // Beside what has to arrive, it goes on.
    assert_eq!(pass(&mut story, 2 * HOUR).len(), 1);
    story.end(RULE, &[]);
    for _ in 0..4 {
        refuse(&mut story, "chat");
    }
    assert!(matches!(story.owed("chat"), Owed::Letter(_)));
}

#[test]
fn tells_only_alerts_that_the_matchers_of_a_channel_are_true_of() {
    let matchers = |texts: &[&str]| crate::model::Matchers::parse(texts).unwrap();
    let cases: [(&[&str], bool); 9] = [
        (&[r#"path="/a""#], true),
        (&[r#"path="/b""#], false),
        (&["alertname=HighErrorRate"], true),
        (&["severity=~\"critical|warning\"", "path=~\"/.*\""], true),
        (&["severity=warning"], false),
        (&["service=chat-agent"], true),
        (&["release=v1.2.3"], true),
        (&["team=\"\""], true),
        (&["team=~\".+\""], false),
    ];
    for (texts, is_told) in cases {
        let mut story = Story::new();
        story.route("chat", |routing| routing.matchers = matchers(texts));
        story.burst(RULE, &[("path", "/a")]);
        assert_eq!(matches!(story.owed("chat"), Owed::Letter(_)), is_told, "{texts:?}");
        story.end(RULE, &[("path", "/a")]);
        assert_eq!(matches!(story.owed("chat"), Owed::Letter(_)), is_told, "{texts:?}");
    }
}

#[test]
fn asks_again_when_what_was_acknowledged_gets_worse() {
    let mut story = Story::new();
    story.burst("SlowAnswers", &[]).acknowledge("SlowAnswers");
    let reload = |story: &mut Story, severity| {
        let mut plan = story.record.plan.clone();
        plan.rules[1].severity = severity;
        let (plan, changes) = (Box::new(plan), vec!["severity".to_owned()]);
        story.fact(SECOND, Fact::PlanChanged { plan, changes, renewed: Vec::new() });
        let key = AlertKey { rule: "SlowAnswers".into(), labels: Labels::default() };
        story.record.alerts[&key].acked().is_some()
    };
    assert!(reload(&mut story, Severity::Info), "it is milder");
    assert!(!reload(&mut story, Severity::Critical), "it is worse");
    let told = story.record.news.iter().any(|news| matches!(news.item, Item::Acknowledged(_)));
    assert!(told, "whoever keeps incidents is told of it");
}

#[test]
fn is_acknowledged_by_the_whole_name_of_an_incident_or_by_its_rule() {
    let mut story = Story::new();
    story.burst(RULE, &[("path", "/a")]).burst(RULE, &[("path", "/b")]).burst("TargetDown", &[]);
    let found = |name: &str| {
        let key = story.record.firing(&Meant::Incident(name.to_owned()));
        key.map(|key| format!("{}{}", key.rule, key.labels))
    };
    assert_eq!(found("TargetDown"), Ok("TargetDown{}".to_owned()));
    assert_eq!(found("chat-agent/TargetDown"), Ok("TargetDown{}".to_owned()));
    let whole = r#"HighErrorRate{path="/b"}"#;
    assert_eq!(found(&format!("chat-agent/{whole}")), Ok(whole.to_owned()));
    let several = found(RULE).unwrap_err();
    assert!(several.contains(r#"name one of chat-agent/HighErrorRate{path="/a"}, "#), "{several}");
    assert!(found("Up").unwrap_err().contains("those that do are "));
    let other = Meant::Incident("Up".to_owned());
    assert!(Story::new().record.firing(&other).unwrap_err().contains("no alert of "));
}

fn held(story: &mut Story) -> &mut Story {
    let (rule, labels) = (RULE.into(), Labels::default());
    let why = Hold::Maintenance { name: "night".into() };
    story.fact(Span::ZERO, Fact::Held { rule, labels, why })
}

fn flapping(story: &mut Story, on: bool) -> &mut Story {
    let (rule, labels) = (RULE.into(), Labels::default());
    story.fact(Span::ZERO, Fact::Flapping { rule, labels, on })
}

fn news(story: &Story, is_it: impl Fn(&Item) -> bool) -> usize {
    story.record.news.iter().filter(|news| is_it(&news.item)).count()
}

#[test]
fn an_acknowledgement_of_what_nobody_was_told_tells_nobody() {
    let mut story = Story::new();
    held(&mut story).burst(RULE, &[]).acknowledge(RULE);
    assert_eq!(news(&story, |_| true), 0);
    assert_eq!(pass(&mut story, 24 * HOUR), [""; 0]);
    let (rule, labels) = (RULE.into(), Labels::default());
    story.fact(SECOND, Fact::Freed { rule, labels });
    assert_eq!(news(&story, |item| matches!(item, Item::Fired(_))), 1);
}

#[test]
fn takes_no_step_while_an_alert_flaps_and_tells_its_end_to_all_who_were_told() {
    let mut story = Story::new();
    story.route("page", |routing| routing.after = Some(10 * MINUTE));
    story.burst(RULE, &[]).pass(11 * MINUTE);
    assert_eq!(pass(&mut story, Span::ZERO), ["to page after 10m"]);
    flapping(&mut story, true).end(RULE, &[]).pass(MINUTE).burst(RULE, &[]);
    assert_eq!((pass(&mut story, 3 * HOUR), next(&story)), (vec![], None));
    story.deliver("page");
    story.end(RULE, &[]).pass(15 * MINUTE);
    flapping(&mut story, false);
    let crate::notify::Body::Webhook { json } = story.letter("page").body else { panic!() };
    assert!(json.contains(r#""status":"resolved""#), "{json}");
}

#[test]
fn tells_an_end_to_those_who_were_told_of_the_beginning_whatever_a_reload_says() {
    let mut story = Story::new();
    story.burst(RULE, &[]);
    story.deliver("page");
    let mut plan = story.record.plan.clone();
    let rule = plan.rules.iter_mut().find(|rule| rule.name == RULE).unwrap();
    rule.severity = Severity::Warning; // of which `page` takes none
    let (plan, changes) = (Box::new(plan), vec!["severity".to_owned()]);
    story.fact(SECOND, Fact::PlanChanged { plan, changes, renewed: Vec::new() });
    story.end(RULE, &[]);
    let crate::notify::Body::Webhook { json } = story.letter("page").body else { panic!() };
    assert!(json.contains(r#""status":"resolved""#), "{json}");
}

#[test]
fn tells_those_who_take_it_only_since_it_is_worse() {
    let mut story = Story::new();
    story.burst("SlowAnswers", &[]); // a warning
    assert!(!matches!(story.owed("page"), Owed::Letter(_)));
    let mut plan = story.record.plan.clone();
    let rule = plan.rules.iter_mut().find(|rule| rule.name == "SlowAnswers").unwrap();
    rule.severity = Severity::Critical;
    let (plan, changes) = (Box::new(plan), vec!["severity".to_owned()]);
    story.fact(SECOND, Fact::PlanChanged { plan, changes, renewed: Vec::new() });
    let crate::notify::Body::Webhook { json } = story.letter("page").body else { panic!() };
    assert!(json.contains(r#""incident":"chat-agent/SlowAnswers""#), "{json}");
    // It waits for the end from then on, also where it takes less by the next reload.
    let mut plan = story.record.plan.clone();
    let page = plan.channels.iter_mut().find(|channel| channel.name == "page").unwrap();
    page.severities = vec![Severity::Info];
    let (plan, changes) = (Box::new(plan), vec!["severities".to_owned()]);
    story.fact(SECOND, Fact::PlanChanged { plan, changes, renewed: Vec::new() });
    let crate::notify::Body::Webhook { json } = story.deliver("page").body else { panic!() };
    assert!(json.contains(r#""status":"firing""#), "{json}");
    story.end("SlowAnswers", &[]);
    let crate::notify::Body::Webhook { json } = story.letter("page").body else { panic!() };
    assert!(json.contains(r#""status":"resolved""#), "{json}");
}
