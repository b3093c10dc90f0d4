//! The smoke suite's results as text, for a terminal or a pipeline's log.

use std::fmt::Write;

use super::{Miss, StepResult, StepState};

/// A line a step, under a failure the assertions that did not hold, and the
/// counts at the end.
pub fn show(results: &[StepResult]) -> String {
    if results.is_empty() {
        return "no steps: nothing was tried\n".to_owned();
    }
    let width = results.iter().map(|result| title(result).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for result in results {
        let (word, title, cost) = (word(result), title(result), cost(result));
        let _ = writeln!(text, "{word:5}  {title:width$}  {cost}");
        for miss in &result.misses {
            text.push_str(&show_miss(miss));
        }
    }
    text.push_str(&counts(results));
    text
}

fn word(result: &StepResult) -> &'static str {
    match result.state {
        StepState::Passed if result.is_flaky() => "FLAKY",
        StepState::Passed => "PASS",
        StepState::Failed => "FAIL",
        StepState::Skipped => "SKIP",
    }
}

/// The name, and whether its failure only degrades.
fn title(result: &StepResult) -> String {
    let hint = if result.must { "" } else { " (should)" };
    format!("{}{hint}", result.step)
}

/// How long the last try took, and how many there were.
fn cost(result: &StepResult) -> String {
    match (result.state, result.attempts) {
        (StepState::Skipped, _) => "not tried: a must before it failed".to_owned(),
        (_, 0 | 1) => result.elapsed.to_string(),
        (_, tries) => format!("{}, {tries} tries", result.elapsed),
    }
}

fn show_miss(miss: &Miss) -> String {
    let Miss { assertion, actual, expected } = miss;
    format!("       {assertion}\n         actual    {actual}\n         expected  {expected}\n")
}

fn counts(results: &[StepResult]) -> String {
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
        StepResult { step: step.into(), must, state, attempts, elapsed, misses: Vec::new() }
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
                   status == 200
                     actual    503
                     expected  200
                   json $.success == true
                     actual    nothing at $.success
                     expected  true
            SKIP   cleans up           not tried: a must before it failed
            4 steps: 2 passed (1 flaky), 1 failed, 1 skipped
        "#]]
        .assert_eq(&show(&results));
    }

    #[test]
    fn says_that_nothing_was_tried() {
        assert_eq!(show(&[]), "no steps: nothing was tried\n");
    }

    #[test]
    fn counts_one_step_as_one() {
        let text = show(&[result("is healthy", true, StepState::Passed, 1)]);
        assert_eq!(text, "PASS   is healthy  12ms\n1 step: 1 passed, 0 failed, 0 skipped\n");
    }
}
