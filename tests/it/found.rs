//! Targets that come and go, through every fault there is; and what a report
//! says of them.

use bakewatch::record::Summary;
use bakewatch::report;

use crate::world::drive::{Crash, Mishap};
use crate::world::oracle;
use crate::world::script::{Scenario, parse};

const SHORT: &str = r#"
service = "chat"
url = "http://front"
settle = "10s"
[targets]
discover = { file = "targets.json" }
tls = { insecure = true }
[windows]
short = { length = "9m", every = "15s" }
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"
---
at 0s  sources name a:8000
at 1m  sources name a:8000 b:8000
at 2m  a refuses
at 3m  sources name b:8000
at 4m  sources name nobody
at 5m  sources name b:8000 c:8000
at 6m  sources fail
---
"#;

fn play(scenario: &Scenario, mishap: Option<Mishap>) -> (u64, u64, Summary) {
    let mut drive = scenario.start();
    drive.mishaps = mishap.into_iter().collect();
    scenario.play(&mut drive);
    let complaints = oracle::complaints(&drive);
    assert!(complaints.is_empty(), "{mishap:?}:\n{}", complaints.join("\n"));
    let closed = drive.record().windows.values().next().expect("a window has closed");
    (drive.jobs, drive.turns, closed.summary.clone())
}

#[test]
fn keeps_every_promise_whatever_goes_wrong_while_targets_come_and_go() {
    let scenario = parse("short", SHORT);
    let (jobs, turns, _) = play(&scenario, None);
    for job in 1..=jobs {
        play(&scenario, Some(Mishap::FailJob(job)));
        play(&scenario, Some(Mishap::LoseAnswer(job)));
    }
    for turn in 2..=turns {
        for place in [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk] {
            play(&scenario, Some(Mishap::CrashAt(turn, place)));
        }
    }
}

#[test]
fn tells_in_the_report_who_came_and_left_and_what_cannot_be_relied_on() {
    let (_, _, summary) = play(&parse("short", SHORT), None);
    let text = report::text(&summary);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" "); // whatever its lines
    for words in [
        "file targets.json fails since",
        "no such file; the targets that it named last are watched",
        "no certificate was checked (tls.insecure)",
        "Came",
        "2 times",
        "left",
    ] {
        assert!(text.contains(words), "no word of {words:?} in:\n{text}");
    }
    assert_eq!((summary.replicas.targets, summary.targets.len()), (2, 3));
}
