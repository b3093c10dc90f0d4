//! The smoke suite's results as text, for a terminal or a pipeline's log.

use std::fmt::Write;

use super::judged::HALT_IF;
use super::{Assertion, Miss, Places, StepResult, StepState};

/// A line a step, under a failure the user's own line of each assertion that
/// did not hold, with what came and what was wanted under it, and the counts
/// at the end.
pub fn show(results: &[StepResult], places: &Places) -> String {
    if results.is_empty() {
        return "no steps: nothing was tried\n".to_owned();
    }
    let width = results.iter().map(|result| title(result).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for result in results {
        let (word, title, cost) = (word(result), title(result), cost(result));
        let _ = writeln!(text, "{word:5}  {title:width$}  {cost}");
        // A pass at last tells what its failure was.
        for miss in result.misses.iter().chain(&result.earlier) {
            let place = places.of(&result.step, &miss.assertion);
            let place = place.map(|place| format!("{}:{}", place.file, place.line));
            for line in reading(miss, place.as_deref()).lines() {
                let _ = writeln!(text, "       {line}");
            }
        }
    }
    text.push_str(&counts(results));
    text
}

/// An assertion that did not hold, as a person reads it: where it stands, the
/// line itself with a mark under what it wants, what came and what was wanted.
pub fn reading(miss: &Miss, place: Option<&str>) -> String {
    let Miss { assertion, actual, expected } = miss;
    let mut text = String::new();
    if let Some(place) = place {
        let _ = writeln!(text, "--> {place}");
    }
    let _ = writeln!(text, "| {assertion}");
    if let Some((at, len)) = wanted(assertion) {
        let _ = writeln!(text, "| {:at$}{}", "", "^".repeat(len));
    }
    let _ = writeln!(text, "|   actual    {actual}\n|   expected  {expected}");
    text
}

/// Where an assertion says what is wanted, and how long that is, in characters.
fn wanted(text: &str) -> Option<(usize, usize)> {
    if text.starts_with(HALT_IF) {
        return None; // it does hold
    }
    let at = Assertion::parse(text).ok()?.wanted_at();
    Some((at, text.chars().count().saturating_sub(at))).filter(|(_, len)| *len > 0)
}

fn word(result: &StepResult) -> &'static str {
    match result.state {
        StepState::Passed if result.is_flaky() => "FLAKY",
        StepState::Passed => "PASS",
        StepState::Failed => "FAIL",
        StepState::Skipped => "SKIP",
    }
}

/// The name, and whether its failure only degrades, or nothing.
fn title(result: &StepResult) -> String {
    let hint = match (result.cleanup, result.must) {
        (true, _) => " (cleanup)",
        (false, true) => "",
        (false, false) => " (should)",
    };
    format!("{}{hint}", result.step)
}

/// How long the last try took, and how many there were.
fn cost(result: &StepResult) -> String {
    match (result.state, result.attempts) {
        (StepState::Skipped, _) => format!("not tried: {}", result.why_skipped()),
        (_, 0 | 1) => result.elapsed.to_string(),
        (_, tries) => format!("{}, {tries} tries", result.elapsed),
    }
}

/// `4 steps: 2 passed (1 flaky), 1 failed, 1 skipped`, as a line.
pub fn counts(results: &[StepResult]) -> String {
    let count = |state| results.iter().filter(|result| result.state == state).count();
    let flaky = results.iter().filter(|result| result.is_flaky()).count();
    let plural = if results.len() == 1 { "" } else { "s" };
    let hint = if flaky == 0 { String::new() } else { format!(" ({flaky} flaky)") };
    format!(
        "{} step{plural}: {} passed{hint}, {} failed, {} skipped\n",
        results.len(),
        count(StepState::Passed),
        count(StepState::Failed),
        count(StepState::Skipped),
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::model::{SECOND, Span};

    fn result(step: &str, must: bool, state: StepState, attempts: u32) -> StepResult {
        let elapsed = Span::from_millis(12);
        StepResult {
            step: step.into(),
            must,
            state,
            attempts,
            elapsed,
            misses: Vec::new(),
            earlier: Vec::new(),
            why: String::new(),
            cleanup: false,
        }
    }

    #[test]
    fn lines_up_steps_and_explains_failures() {
        let miss = |assertion: &str, actual: &str, expected: &str| Miss {
            assertion: assertion.to_owned(),
            actual: actual.to_owned(),
            expected: expected.to_owned(),
        };
        let failed = StepResult {
            elapsed: SECOND,
            misses: vec![
                miss("status == 200", "503", "200"),
                miss("json $.success == true", "nothing at $.success", "true"),
            ],
            ..result("answers a question", true, StepState::Failed, 4)
        };
        let results = [
            result("is healthy", true, StepState::Passed, 1),
            result("is reädy", false, StepState::Passed, 3),
            failed,
            result("cleans up", true, StepState::Skipped, 0),
        ];
        expect![[r#"
            PASS   is healthy          12ms
            FLAKY  is reädy (should)   12ms, 3 tries
            FAIL   answers a question  1s, 4 tries
                   | status == 200
                   |        ^^^^^^
                   |   actual    503
                   |   expected  200
                   | json $.success == true
                   |                ^^^^^^^
                   |   actual    nothing at $.success
                   |   expected  true
            SKIP   cleans up           not tried: a must before it failed
            4 steps: 2 passed (1 flaky), 1 failed, 1 skipped
        "#]]
        .assert_eq(&show(&results, &Places::default()));
    }

    #[test]
    fn says_that_nothing_was_tried() {
        assert_eq!(show(&[], &Places::default()), "no steps: nothing was tried\n");
    }

    #[test]
    fn counts_one_step_as_one() {
        let text = show(&[result("is healthy", true, StepState::Passed, 1)], &Places::default());
        assert_eq!(text, "PASS   is healthy  12ms\n1 step: 1 passed, 0 failed, 0 skipped\n");
    }
}
