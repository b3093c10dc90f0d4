//! The state machine of a smoke run, case by case.

use super::*;
use crate::check::{Assertion, Capture, Retry, checklist};
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
    Step { must, ..Step::new(name.into(), chat.request.clone(), expect, retry) }
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
    let (started, next_at) = (at(5), at(5));
    assert_eq!(running, Running { step: 2, attempts: 0, started, next_at, misses: Vec::new() });
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
    let Progress::Again(again) = progress else { panic!("it failed") };
    assert_eq!((again.step, again.attempts, again.started, again.next_at), (3, 1, at(0), at(3)));
    assert_eq!(again.misses[0].assertion, "status == 200");
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
    let at_deadline = heard(&wants_200(), running.clone(), &answer(503), at(8));
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
        match heard(&eager, running.clone(), &answer(503), running.next_at) {
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

/// What comes after these results: the step that is tried, or why it is not.
fn after(steps: &[Step], results: &[StepResult], memory: &Memory) -> String {
    match next(steps, results, memory) {
        Next::Try(step) => format!("try {}", step.name),
        Next::Skip(result) => format!("skip {}: {}", result.step, result.why_skipped()),
        Next::Over => "over".to_owned(),
    }
}

#[test]
fn skips_the_rest_after_a_must_that_fails_and_only_then() {
    let steps = [wants_200(), step("more", false, &["status == 200"])];
    let check = |must, status| {
        let result = ended(&step("works", must, &["status == 200"]), &answer(status));
        after(&steps, &[result], &Memory::default())
    };
    assert_eq!(check(true, 200), "try more");
    assert_eq!(check(false, 200), "try more");
    assert_eq!(check(false, 503), "try more");
    assert_eq!(check(true, 503), "skip more: a must before it failed");
}

#[test]
fn is_over_after_the_last_step() {
    let result = ended(&wants_200(), &answer(200));
    assert_eq!(after(&[wants_200()], &[result], &Memory::default()), "over");
}

/// Logs in, reads with what it got, and cleans up with it.
fn chain() -> [Step; 3] {
    let mut login = step("logs in", false, &["status == 200"]);
    login.capture = [("token".into(), Capture::parse("json $.t").unwrap())].into();
    let mut read = step("reads", true, &["status == 200", "body contains \"{{token}}\""]);
    read.request.url = "http://127.0.0.1/{{token}}".to_owned();
    let cleanup = Step { cleanup: true, ..step("cleans up", false, &["status == 200"]) };
    [login, read, cleanup]
}

fn body(text: &str) -> Exchange {
    Exchange { body: text.to_owned(), ..answer(200).unwrap() }
}

#[test]
fn hands_on_what_a_step_captured() {
    let steps = chain();
    let reply = body(r#"{"t":"a/b"}"#);
    let result = ended(&steps[0], &Ok(reply.clone()));
    let mut memory = Memory::default();
    memory.learn(&steps[0], &reply);
    let Next::Try(read) = next(&steps, &[result], &memory) else { panic!("it can be tried") };
    assert_eq!(read.request.url, "http://127.0.0.1/a%2Fb");
    assert!(ended(&read, &Ok(body("it is a/b"))).state == StepState::Passed);
    let miss = &ended(&read, &Ok(body("it is not"))).misses[0];
    let told = (miss.assertion.as_str(), miss.expected.as_str());
    assert_eq!(told, ("body contains \"{{token}}\"", "contains \"a/b\""));
}

#[test]
fn skips_what_waits_for_a_value_that_nobody_captured() {
    let steps = chain();
    let check = |reply: &Result<Exchange, Failure>| {
        let result = ended(&steps[0], reply);
        after(&steps, &[result], &Memory::default())
    };
    assert_eq!(check(&answer(503)), "skip reads: `token` comes of \"logs in\", which failed");
    let passed = check(&Ok(body(r#"{"t":"x"}"#)));
    assert!(passed.ends_with("before a restart, which it did not outlive"), "{passed}");
}

#[test]
fn fails_a_step_whose_capture_finds_nothing() {
    let result = ended(&chain()[0], &Ok(body(r#"{"u":"x"}"#)));
    assert_eq!(result.misses[0].assertion, "capture token = json $.t");
    assert_eq!(result.misses[0].actual, "nothing at $.t");
}

#[test]
fn cleans_up_whatever_came_before() {
    let mut steps = chain();
    steps[1] = wants_200();
    let passed = ended(&steps[0], &Ok(body(r#"{"t":"x"}"#)));
    let failed = ended(&steps[1], &answer(503));
    assert_eq!(after(&steps, &[passed.clone(), failed], &Memory::default()), "try cleans up");
    let mut stopped = Memory::default();
    stopped.is_interrupted = true;
    assert_eq!(after(&steps, std::slice::from_ref(&passed), &stopped), "skip works: interrupted");
    let skipped = StepResult::skipped(&steps[1], "interrupted".to_owned());
    assert_eq!(after(&steps, &[passed, skipped], &stopped), "try cleans up");
}

#[test]
fn judges_nothing_by_a_cleanup_that_fails() {
    let cleanup = Step { cleanup: true, ..step("cleans up", false, &["status == 200"]) };
    let steps = [wants_200(), cleanup];
    let results = [ended(&steps[0], &answer(200)), ended(&steps[1], &answer(503))];
    assert!(results[1].state == StepState::Failed && !results[1].has_failed());
    assert_eq!(passed(&results, &steps), Passed { tried: 1, musts: Some(true), shoulds: None });
}

#[test]
fn halts_without_another_try_and_fails_even_what_only_should() {
    let mut hopeless = step("is let in", false, &["status == 200"]);
    hopeless.halt_if = vec![Assertion::parse("status == 403").unwrap()];
    let steps = [hopeless, step("more", false, &["status == 200"])];
    let Progress::Done(result) = heard(&steps[0], begin(0, at(0)), &answer(403), at(1)) else {
        panic!("it is not tried again");
    };
    assert_eq!(result.misses[0].assertion, "halt-if status == 403");
    assert_eq!(passed(std::slice::from_ref(&result), &steps).musts, Some(false));
    let next = after(&steps, &[result], &Memory::default());
    assert_eq!(next, "skip more: halted by \"is let in\"");
    let again = heard(&steps[0], begin(0, at(0)), &answer(503), at(1));
    assert!(matches!(again, Progress::Again(_)), "a 503 may pass");
}

#[test]
fn remembers_of_a_flaky_step_what_did_not_hold_before() {
    let Progress::Again(running) = heard(&wants_200(), begin(0, at(0)), &answer(503), at(1)) else {
        panic!("it is tried again");
    };
    let Progress::Done(result) = heard(&wants_200(), running, &answer(200), at(4)) else {
        panic!("it passed");
    };
    assert!(result.is_flaky() && result.earlier[0].actual.starts_with("503"));
}

#[test]
fn shows_no_secret_of_what_it_captured_or_sent() {
    let mut login = step("logs in", true, &["body == nothing", "json $.t startsWith x"]);
    login.capture = [("token".into(), Capture::parse("json $.t").unwrap())].into();
    login.redact = vec!["token".into()];
    let mut reply = body(r#"{"t":"s3cret-of-today","sent":"hunter22"}"#);
    reply.hidden.0.push("hunter22".to_owned());
    let told = format!("{:?}", ended(&login, &Ok(reply)));
    assert!(!told.contains("s3cret") && !told.contains("hunter22"), "{told}");
    assert!(told.contains("***"), "{told}");
}

/// A suite of a `must` and a `should` against what came of them: `+` passed,
/// `-` failed, `?` could not be asked by our own fault, `s` skipped, ` ` no result yet.
fn sum(outcomes: &str) -> Passed {
    let steps = [wants_200(), step("more", false, &["status == 200"])];
    let result = |(step, outcome): (&Step, char)| match outcome {
        '+' => Some(ended(step, &answer(200))),
        '-' => Some(ended(step, &answer(503))),
        '?' => Some(ended(step, &unasked())),
        's' => Some(StepResult::skipped(step, String::new())),
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
