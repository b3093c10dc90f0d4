//! Seven cases in which a well-known alert manager loses a letter, sends one
//! twice, or serves nobody, on the virtual clock. `tests/peers/case_delivery.py`
//! plays the same with real processes.
//!
//! | case | what happens | measured there |
//! |---|---|---|
//! | A | fire, delivered, killed, started again, burning still | the fire is told again |
//! | B | fire, delivered, killed, started again, calm | the resolve is never told |
//! | C | the same, stopped in order | told |
//! | D | one 429 with `Retry-After: 1` | tried again after the group's interval |
//! | D2 | one 500 | tried again at once |
//! | E | one 429, and calm before the next try | nothing is ever told |
//! | G | three recipients, one refused | tried again and again, nobody is served |

use expect_test::expect;

use bakewatch::record::{Fact, Outcome};

use crate::world::drive::{Crash, Drive, Mishap};
use crate::world::oracle;
use crate::world::script::parse;

/// A hold of half a minute, a recovery of a minute: both ends lie within the hour.
const CONFIG: &str = r#"
service = "chat"
url = "http://a:8000"
[windows]
first-hour = { length = "1h", every = "5s" }
[rules]
for = "30s"
recover = "1m"
[[rule]]
name = "TargetSilent"
off = true
[[rule]]
name = "ReplicasMissing"
off = true
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"
[[channel]]
name = "mail"
type = "email"
to = ["a@ops.example", "b@ops.example", "nobody@ops.example"]
smtp = "smtps://mail.example.com"
"#;

const CASES: [(&str, &str); 7] = [
    ("A", "at 10m a refuses\nat 12m crash\nat 20m a answers"),
    ("B", "at 10m a refuses\nat 12m crash\nat 12m10s a answers"),
    ("C", "at 10m a refuses\nat 12m stops\nat 12m1s crash\nat 12m10s a answers"),
    ("D", "at 10m a refuses\nat 10m hook once brakes\nat 20m a answers"),
    ("D2", "at 10m a refuses\nat 10m hook once fails\nat 20m a answers"),
    // Refused until the alert is over: no try in between is taken.
    ("E", "at 10m a refuses\nat 10m hook throttles\nat 11m a answers\nat 13m hook takes"),
    ("G", "at 0s mail knows no nobody@ops.example\nat 10m a refuses\nat 20m a answers"),
];

fn play(script: &str, mishap: Option<Mishap>) -> Drive {
    let scenario = parse("cases", &format!("{CONFIG}\n---\n{script}\n---\n"));
    let mut drive = scenario.start();
    drive.mishaps = mishap.into_iter().collect();
    scenario.play(&mut drive);
    assert_eq!(oracle::complaints(&drive), Vec::<String>::new(), "{script}");
    drive
}

/// What a channel holds of the alerts: when, what, and how often.
fn held(drive: &Drive, channel: &str) -> Vec<String> {
    let taken = drive.taken.iter().filter(|taken| taken.channel == channel);
    let mut lines: Vec<(String, String, u32)> = Vec::new();
    for taken in taken {
        let Some(what) = alerts(&taken.words) else { continue };
        match lines.iter_mut().find(|(_, key, _)| *key == taken.key) {
            Some((_, _, times)) => *times += 1,
            None => lines.push((what, taken.key.clone(), 1)),
        }
    }
    let show = |(what, _, times)| if times == 1 { what } else { format!("{what} x{times}") };
    lines.into_iter().map(show).collect()
}

/// `firing ServiceDown` of a letter that tells of alerts.
fn alerts(words: &str) -> Option<String> {
    let (states, webhook) = (["firing", "resolved"], r#""type":"release."#);
    if words.contains(webhook) && !words.contains(&format!(r#"{webhook}alert""#)) {
        return None; // a notice names what fires besides
    }
    let told = states.iter().find(|state| {
        let json = format!(r#""status":"{state}","incident":"chat/ServiceDown""#);
        words.contains(&json) || words.contains(&format!("[{} critical]", state.to_uppercase()))
    })?;
    let merged = ["fired and resolved before it could be told", "fired and ended"];
    let is_merged = merged.iter().any(|part| words.to_lowercase().contains(part));
    Some(if is_merged { "fired and resolved".to_owned() } else { (*told).to_owned() })
}

/// How long after the first try of a letter that told an alert came the second.
fn wait(drive: &Drive) -> Option<String> {
    let hook = drive.receivers.iter().find(|receiver| receiver.name == "hook")?;
    let mut tries = hook.tries.iter();
    let first = tries.next()?;
    let second = tries.next()?;
    Some(second.0.since(first.0).to_string())
}

#[test]
fn loses_nothing_and_tells_nothing_twice_in_any_case() {
    let mut table = String::new();
    for (case, script) in CASES {
        let drive = play(script, None);
        let (hook, mail) = (held(&drive, "hook"), held(&drive, "mail"));
        table += &format!("{case:2}  hook: {:24} mail: {}\n", hook.join(", "), mail.join(", "));
    }
    expect![[r#"
        A   hook: firing, resolved         mail: firing, resolved
        B   hook: firing, resolved         mail: firing, resolved
        C   hook: firing, resolved         mail: firing, resolved
        D   hook: firing, resolved         mail: firing, resolved
        D2  hook: firing, resolved         mail: firing, resolved
        E   hook: fired and resolved       mail: firing, resolved
        G   hook: firing, resolved         mail: firing, resolved
    "#]]
    .assert_eq(&table);
}

#[test]
fn tries_again_when_the_receiver_wants_it_and_at_once_when_it_says_nothing() {
    let waits = CASES.iter().filter(|(case, _)| case.starts_with('D'));
    for (case, script) in waits {
        let drive = play(script, None);
        let wait = wait(&drive).expect("two tries");
        assert_eq!(wait, "1s 80ms", "{case}: from one try to the next, each takes 80 ms");
    }
}

#[test]
fn holds_in_any_case_wherever_the_process_is_killed() {
    for (case, script) in CASES {
        let turns = play(script, None).letter_turns;
        assert!(turns.len() >= 4, "{case} tells something");
        for turn in turns {
            for place in [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk] {
                let drive = play(script, Some(Mishap::CrashAt(turn, place)));
                for channel in ["hook", "mail"] {
                    let told = held(&drive, channel);
                    let ends = told.iter().filter(|what| !what.starts_with("firing")).count();
                    assert_eq!(ends, 1, "{case}, {place:?} in turn {turn}, {channel}: {told:?}");
                    let doubled = told.iter().filter(|what| what.ends_with("x2")).count();
                    let more = told.iter().any(|what| what.contains('x') && !what.contains("x2"));
                    assert!(doubled <= 1 && !more, "{case}, {place:?} in turn {turn}: {told:?}");
                }
            }
        }
    }
}

#[test]
fn tells_the_others_at_once_whom_a_mail_does_not_reach_and_shows_it() {
    let (_, script) = CASES[6];
    let drive = play(script, None);
    let mail = drive.receivers.iter().find(|receiver| receiver.name == "mail").unwrap();
    let keys: std::collections::BTreeSet<&String> = mail.tries.iter().map(|(_, key)| key).collect();
    assert_eq!(keys.len(), mail.tries.len(), "each letter is sent once");
    // The summary lists what was told.
    let is_summary = |words: &str| words.contains("release.summary") || words.contains("Receipts");
    let notices = |channel: &str| {
        let taken = drive.taken.iter().filter(|taken| taken.channel == channel);
        let taken = taken.filter(|taken| !is_summary(&taken.words));
        taken
            .filter(|taken| taken.words.contains("channel mail does not reach nobody@ops.example"))
            .count()
    };
    assert_eq!((notices("hook"), notices("mail")), (1, 1), "told once to each");
    let summary = &drive.record().windows["first-hour"].summary;
    let mail = summary.deliveries.iter().find(|known| known.channel == "mail").unwrap();
    let trouble = mail.trouble.as_deref().unwrap_or_default();
    assert_eq!(trouble, "does not reach nobody@ops.example: 550 no such person here");
}

#[test]
fn lets_a_channel_that_hangs_for_ten_minutes_disturb_nothing_but_itself() {
    // All that became true, but for the other channel's letters and what is said of it.
    let course = |hook: &str| {
        let drive = play(&format!("at 10m a refuses\n{hook}\nat 20m a answers"), None);
        let is_of_hook = |fact: &Fact| match fact {
            Fact::Sent { channel, .. } | Fact::Receipt { channel, .. } => channel == "hook",
            Fact::WindowClosed { .. } => true, // it tells how each channel fared
            _ => false,
        };
        let kept = drive.facts().iter().filter(|(_, fact)| !is_of_hook(fact));
        // Letters are keyed by the facts that they tell, of which there are more.
        let shown = kept.map(|(at, fact)| match fact {
            Fact::Sent { channel, .. } => format!("{at} sent to {channel}"),
            Fact::Receipt { channel, outcome, .. } => format!("{at} {channel}: {outcome:?}"),
            fact => format!("{at} {}", fact.encode().body),
        });
        let hung = drive.facts().iter().filter(|(_, fact)| {
            matches!(fact, Fact::Receipt { outcome: Outcome::Unknown { .. }, .. })
        });
        (hung.count(), shown.collect::<Vec<_>>())
    };
    let (undisturbed, control) = course("at 10m hook takes");
    let (hung, beside) = course("at 10m hook hangs\nat 20m hook takes");
    assert_eq!((undisturbed, hung > 3), (0, true), "it hung {hung} times");
    assert!(control.len() > 500, "{} facts are no cadence", control.len());
    assert_eq!(beside, control);
}
