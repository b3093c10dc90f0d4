//! Every form of the same results, and what each escapes.

use expect_test::{expect, expect_file};

use super::*;
use crate::check::Place;
use crate::model::Span;

fn miss(assertion: &str, actual: &str, expected: &str) -> Miss {
    let (actual, expected) = (actual.to_owned(), expected.to_owned());
    Miss { assertion: assertion.to_owned(), actual, expected }
}

fn result(step: &str, state: StepState, attempts: u32, misses: Vec<Miss>) -> StepResult {
    let is_pass = state == StepState::Passed;
    let (earlier, misses) = if is_pass { (misses, Vec::new()) } else { (Vec::new(), misses) };
    StepResult {
        step: step.into(),
        must: true,
        state,
        attempts,
        elapsed: Span::from_millis(i64::from(attempts) * 120),
        misses,
        earlier,
        why: String::new(),
        cleanup: false,
    }
}

/// One of every kind, with texts that every form has to escape.
fn run() -> SmokeRun {
    let success = miss("json $.success == true", "false at <b>\"#1\"</b> | 50%", "true");
    let mut places = Places::default();
    let place = |line| Place { file: "./conf,a/smoke:1.toml".to_owned(), line };
    places.add_step(&"answers a question".into(), place(30));
    places.add_line(&"answers a question".into(), "json $.success == true", place(33));
    let skipped = StepResult {
        why: "`id` comes of \"answers a question\", which failed".to_owned(),
        ..result("reads # it \\ again", StepState::Skipped, 0, Vec::new())
    };
    let refused = miss("an answer", "connection refused", "a whole answer within 10s");
    let cleanup = StepResult {
        must: false,
        cleanup: true,
        ..result("cleans up", StepState::Failed, 1, vec![refused])
    };
    let starting = vec![miss("status == 200", "503 (saying starting)", "200")];
    let optional = vec![miss("latency < 1s", "1s 200ms", "< 1s")];
    SmokeRun {
        service: "chat-agent".into(),
        release: Some("v1.2.3".into()),
        run_id: "00c0ffee00c0ffee".to_owned(),
        verdict: Verdict::Failed,
        places,
        results: vec![
            result("is healthy", StepState::Passed, 1, Vec::new()),
            result("is ready", StepState::Passed, 3, starting),
            StepResult { must: false, ..result("answers at once", StepState::Failed, 2, optional) },
            result("answers a question", StepState::Failed, 2, vec![success]),
            skipped,
            cleanup,
        ],
    }
}

#[test]
fn writes_every_form_of_the_same_run() {
    for format in Format::ALL {
        let golden = match format {
            Format::Text => expect_file!["../../../tests/goldens/smoke/run.txt"],
            Format::Junit => expect_file!["../../../tests/goldens/smoke/run.junit.xml"],
            Format::Tap => expect_file!["../../../tests/goldens/smoke/run.tap"],
            Format::Json => expect_file!["../../../tests/goldens/smoke/run.json"],
            Format::Html => expect_file!["../../../tests/goldens/smoke/run.html"],
            Format::Github => expect_file!["../../../tests/goldens/smoke/run.github.txt"],
            Format::Gitlab => expect_file!["../../../tests/goldens/smoke/run.gitlab.json"],
            Format::Markdown => expect_file!["../../../tests/goldens/smoke/run.md"],
        };
        golden.assert_eq(&format.render(&[run()]));
    }
}

#[test]
fn makes_a_subtest_of_each_of_several_services() {
    let other = SmokeRun { service: "search".into(), results: Vec::new(), ..run() };
    let tap = Format::Tap.render(&[run(), other]);
    let at_margin: Vec<&str> = tap.lines().filter(|line| !line.starts_with(' ')).collect();
    expect![[r#"
        TAP version 14
        1..2
        # Subtest: chat-agent v1.2.3
        not ok 1 - chat-agent v1.2.3
        # Subtest: search v1.2.3
        ok 2 - search v1.2.3 # SKIP nothing was tried
    "#]]
    .assert_eq(&(at_margin.join("\n") + "\n"));
}

#[test]
fn writes_no_character_that_xml_has_no_way_to_write() {
    let mut bad = run();
    bad.results[3].misses[0].actual = "a\u{1}b\u{1b}[31m]]>\u{ffff}".to_owned();
    let xml = Format::Junit.render(&[bad]);
    assert!(xml.contains("a\u{fffd}b\u{fffd}[31m]]&gt;\u{fffd}"), "{xml}");
}

#[test]
fn fences_a_reading_that_holds_a_fence() {
    let mut bad = run();
    bad.results[3].misses[0].actual = "```\n# owned".to_owned();
    assert!(Format::Markdown.render(&[bad]).contains("\n````text\n"));
}
