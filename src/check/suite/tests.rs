//! The state machine of a smoke run, case by case.

use super::*;
use crate::check::{Assertion, Retry, checklist};
use crate::model::SECOND;

const DEADLINE: Span = Span::from_secs(10);
const INTERVAL: Span = Span::from_secs(2);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + seconds * 1_000)
}

fn step(name: &str, must: bool, expect: &[&str]) -> Step {
    let [_, _, chat] = &checklist("http://127.0.0.1", SECOND)[..] else { panic!("three steps") };
    let expect = expect.iter().map(|text| Assertion::parse(text).unwrap()).collect();
    let retry = Retry { deadline: DEADLINE, interval: INTERVAL };
    Step { name: name.into(), must, request: chat.request.clone(), expect, retry }
}

fn answer(status: u16) -> Result<Exchange, Failure> {
    Ok(Exchange { status, elapsed: Span::from_millis(7), ..Exchange::default() })
}

fn unasked() -> Result<Exchange, Failure> {
    Err(Failure::NotAsked("no file descriptors".to_owned()))
}

fn wants_200() -> Step {
    step("works", true, &["status == 200"])
}

fn ended(step: &Step, reply: &Result<Exchange, Failure>) -> StepResult {
    let once = Step { retry: Retry { deadline: Span::ZERO, interval: INTERVAL }, ..step.clone() };
    match heard(&once, begin(0, at(0)), reply, at(1)) {
        Progress::Done(result) => result,
        Progress::Again(running) => panic!("one try only, but {running:?}"),
    }
}

#[test]
fn begins_with_a_try_that_is_due_at_once() {
    let running = begin(2, at(5));
    assert_eq!(running, Running { step: 2, attempts: 0, started: at(5), next_at: at(5) });
}

#[test]
fn ends_at_the_first_pass() {
    let Progress::Done(result) = heard(&wants_200(), begin(0, at(0)), &answer(200), at(1)) else {
        panic!("it passed");
    };
    assert_eq!((result.state, result.attempts), (StepState::Passed, 1));
    assert_eq!((result.elapsed, result.misses.len()), (Span::from_millis(7), 0));
    assert!(!result.is_flaky());
}

#[test]
fn tries_a_failure_again_after_the_interval_from_its_end() {
    let progress = heard(&wants_200(), begin(3, at(0)), &answer(503), at(1));
    let again = Running { step: 3, attempts: 1, started: at(0), next_at: at(3) };
    assert_eq!(progress, Progress::Again(again));
}

#[test]
fn calls_a_pass_after_a_failure_flaky() {
    let running = Running { attempts: 1, next_at: at(3), ..begin(0, at(0)) };
    let Progress::Done(result) = heard(&wants_200(), running, &answer(200), at(4)) else {
        panic!("it passed");
    };
    assert!(result.is_flaky() && result.attempts == 2 && result.misses.is_empty());
}

#[test]
fn gives_up_when_the_next_try_would_start_after_the_deadline() {
    let running = Running { attempts: 4, next_at: at(7), ..begin(0, at(0)) };
    let at_deadline = heard(&wants_200(), running, &answer(503), at(8));
    assert!(matches!(at_deadline, Progress::Again(next) if next.next_at == at(10)));
    let Progress::Done(result) = heard(&wants_200(), running, &answer(503), at(9)) else {
        panic!("11 s is too late");
    };
    assert_eq!((result.state, result.attempts), (StepState::Failed, 5));
    assert_eq!(result.misses[0].assertion, "status == 200");
}

#[test]
fn tries_once_when_no_time_is_given() {
    let retry = Retry { deadline: Span::ZERO, interval: Span::ZERO };
    let once = Step { retry, ..wants_200() };
    assert!(matches!(heard(&once, begin(0, at(0)), &answer(503), at(0)), Progress::Done(_)));
}

#[test]
fn comes_to_an_end_even_when_no_time_passes_between_tries() {
    let retry = Retry { deadline: Span::from_millis(5), interval: Span::ZERO };
    let eager = Step { retry, ..wants_200() };
    let mut running = begin(0, at(0));
    let result = loop {
        match heard(&eager, running, &answer(503), running.next_at) {
            Progress::Again(next) => running = next,
            Progress::Done(result) => break result,
        }
    };
    assert_eq!(result.attempts, 6);
}

#[test]
fn makes_a_missing_answer_one_miss_and_measures_the_wait() {
    let step = step("works", true, &["status == 200", "latency < 1s", "body contains ok"]);
    let result = ended(&step, &Err(Failure::Timeout(SECOND)));
    assert_eq!((result.state, result.elapsed), (StepState::Failed, SECOND));
    let [miss] = &result.misses[..] else { panic!("one miss, not {:?}", result.misses) };
    assert_eq!(
        (miss.assertion.as_str(), miss.actual.as_str(), miss.expected.as_str()),
        ("an answer", "timeout after 1s", "a whole answer within 1s")
    );
}

#[test]
fn tells_every_assertion_that_does_not_hold() {
    let step = step("works", true, &["status == 200", "latency < 1s", "body contains ok"]);
    let misses = ended(&step, &answer(404)).misses;
    let texts: Vec<&str> = misses.iter().map(|miss| miss.assertion.as_str()).collect();
    assert_eq!(texts, ["status == 200", "body contains ok"]);
}

#[test]
fn never_passes_a_step_that_asserts_nothing_nor_tries_it_again() {
    let silent = step("works", true, &[]);
    let Progress::Done(result) = heard(&silent, begin(0, at(0)), &answer(200), at(1)) else {
        panic!("another try cannot help");
    };
    assert_eq!((result.state, result.attempts), (StepState::Failed, 1));
    assert_eq!(result.misses[0].assertion, "an assertion");
    assert_eq!(judge(&silent, &answer(200)).asserted, 0);
}

#[test]
fn skips_the_rest_after_a_must_that_fails_and_only_then() {
    let steps = [wants_200(), step("more", false, &["status == 200"]), wants_200()];
    let after = |must, status| {
        let result = ended(&step("works", must, &["status == 200"]), &answer(status));
        match advance(&steps, 0, &result, at(9)) {
            Advance::Next(running) => format!("next {} at {}", running.step, running.next_at),
            Advance::Over(rest) => {
                format!("over, {:?}", rest.iter().map(|step| step.state).collect::<Vec<_>>())
            }
        }
    };
    let next = format!("next 1 at {}", at(9));
    assert_eq!(after(true, 200), next);
    assert_eq!(after(false, 200), next);
    assert_eq!(after(false, 503), next);
    assert_eq!(after(true, 503), "over, [Skipped, Skipped]");
}

#[test]
fn is_over_after_the_last_step() {
    let result = ended(&wants_200(), &answer(200));
    assert_eq!(advance(&[wants_200()], 0, &result, at(9)), Advance::Over(Vec::new()));
}

/// A suite of a `must` and a `should` against what came of them: `+` passed,
/// `-` failed, `?` could not be asked by our own fault, `s` skipped, ` ` no result yet.
fn sum(outcomes: &str) -> Passed {
    let steps = [wants_200(), step("more", false, &["status == 200"])];
    let result = |(step, outcome): (&Step, char)| match outcome {
        '+' => Some(ended(step, &answer(200))),
        '-' => Some(ended(step, &answer(503))),
        '?' => Some(ended(step, &unasked())),
        's' => skipped(std::slice::from_ref(step)).pop(),
        _ => None,
    };
    let results: Vec<StepResult> = steps.iter().zip(outcomes.chars()).filter_map(result).collect();
    passed(&results, &steps)
}

#[test]
fn keeps_pass_failure_and_no_evidence_apart() {
    let rows = [
        ("++", 2, Some(true), Some(true)),
        ("+-", 2, Some(true), Some(false)),
        ("+?", 1, Some(true), None),
        ("+ ", 1, Some(true), None),
        ("-s", 1, Some(false), None),
        ("- ", 1, Some(false), None),
        ("?s", 0, None, None),
        ("? ", 0, None, None),
        ("  ", 0, None, None),
        (" +", 1, None, Some(true)),
        (" -", 1, None, Some(false)),
    ];
    for (outcomes, tried, musts, shoulds) in rows {
        assert_eq!(sum(outcomes), Passed { tried, musts, shoulds }, "{outcomes:?}");
    }
}

#[test]
fn has_nothing_to_say_about_a_suite_without_steps() {
    assert_eq!(passed(&[], &[]), Passed { tried: 0, musts: None, shoulds: None });
}

#[test]
fn counts_a_refused_connection_as_evidence() {
    let steps = [wants_200()];
    let results = [ended(&steps[0], &Err(Failure::Refused))];
    assert_eq!(passed(&results, &steps).musts, Some(false));
}

#[test]
fn asserts_that_there_is_an_answer_unless_we_could_not_ask() {
    assert_eq!(judge(&wants_200(), &Err(Failure::Refused)).asserted, 1);
    assert_eq!(judge(&wants_200(), &unasked()).asserted, 0);
}

#[test]
fn keeps_a_step_readable_in_the_record() {
    let step = step("works", true, &["status in 200..299", "body contains \"ok\""]);
    let json = serde_json::to_string(&step).unwrap();
    assert!(json.contains(r#""expect":["status in 200..299","body contains \"ok\""]"#), "{json}");
    assert_eq!(serde_json::from_str::<Step>(&json).unwrap(), step);
}
