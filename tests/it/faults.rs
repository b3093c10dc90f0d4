//! Exhaustive before random: of a one-hour scenario each job fails once, each
//! answer is lost once, and the process dies in each turn, at each place.

use crate::world::drive::{Crash, Mishap};
use crate::world::oracle;
use crate::world::script::{Scenario, parse};

const HOUR: &str = include_str!("../scenarios/one-hour.txt");

fn survives(scenario: &Scenario, mishap: Mishap) {
    let mut drive = scenario.start();
    drive.mishaps = [mishap].into();
    scenario.play(&mut drive);
    let complaints = oracle::complaints(&drive);
    assert!(complaints.is_empty(), "{mishap:?}:\n{}", complaints.join("\n"));
}

/// Two releases in a row while an incident burns and a suite is under way; the
/// second is the cure.
const SUPERSEDED: &str = r#"
service = "chat"
url = "http://a:8000"
[windows]
short = { length = "4m", every = "15s" }
[[smoke]]
name = "opens"
request = { method = "GET", path = "/health" }
expect = ["status == 200"]
[[smoke]]
name = "waits"
request = { method = "GET", path = "/health" }
expect = ["status == 299"]
retry = { deadline = "9m", interval = "30s" }
must = false
[[smoke]]
name = "closes"
request = { method = "GET", path = "/health" }
expect = ["status == 200"]
cleanup = true
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"

---
at 5s  all refuses
at 70s  superseded by v2
at 80s  all answers
at 90s  superseded by v3
---
"#;

#[test]
fn an_incident_goes_on_under_the_next_release_wherever_the_process_dies() {
    let scenario = parse("superseded", SUPERSEDED);
    let (jobs, turns) = extent(&scenario);
    let mut drive = scenario.start();
    scenario.play(&mut drive);
    assert_eq!(drive.record_of(&drive.ids[1]).succession.handed.len(), 1, "it burns on");
    for turn in 2..=turns {
        for place in [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk] {
            survives(&scenario, Mishap::CrashAt(turn, place));
        }
    }
    for job in 1..=jobs {
        survives(&scenario, Mishap::FailJob(job));
        survives(&scenario, Mishap::LoseAnswer(job));
    }
}

/// How many jobs and turns the undisturbed scenario has.
fn extent(scenario: &Scenario) -> (u64, u64) {
    let mut drive = scenario.start();
    scenario.play(&mut drive);
    assert_eq!(oracle::complaints(&drive), Vec::<String>::new());
    assert!(drive.taken.len() >= 4, "the scenario must tell something");
    (drive.jobs, drive.turns)
}

#[test]
fn no_letter_is_lost_whichever_job_fails() {
    let scenario = parse("one-hour.txt", HOUR);
    for job in 1..=extent(&scenario).0 {
        survives(&scenario, Mishap::FailJob(job));
    }
}

#[test]
fn no_letter_is_lost_whichever_answer_is_lost() {
    let scenario = parse("one-hour.txt", HOUR);
    for job in 1..=extent(&scenario).0 {
        survives(&scenario, Mishap::LoseAnswer(job));
    }
}

#[test]
fn no_letter_is_lost_wherever_the_process_dies() {
    let scenario = parse("one-hour.txt", HOUR);
    for turn in 2..=extent(&scenario).1 {
        for place in [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk] {
            survives(&scenario, Mishap::CrashAt(turn, place));
        }
    }
}
