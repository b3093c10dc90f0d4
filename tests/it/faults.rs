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
