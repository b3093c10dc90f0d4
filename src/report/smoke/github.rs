//! Annotations of a GitHub workflow: lines of its log that GitHub shows at the
//! place which they name.

use std::fmt::Write;

use super::{SmokeRun, kind, line};
use crate::check::{Miss, StepResult, StepState};

/// One line for each assertion that did not hold, and for each flaky step.
pub(super) fn render(runs: &[SmokeRun]) -> String {
    let mut text = String::new();
    for run in runs {
        for result in &run.results {
            match result.state {
                StepState::Failed if kind(result) == "must" => {
                    annotate(&mut text, "error", run, result, &result.misses);
                }
                StepState::Failed => annotate(&mut text, "warning", run, result, &result.misses),
                StepState::Passed => annotate(&mut text, "notice", run, result, &result.earlier),
                StepState::Skipped => {}
            }
        }
    }
    text
}

fn annotate(text: &mut String, level: &str, run: &SmokeRun, result: &StepResult, misses: &[Miss]) {
    let flaky = if result.is_flaky() { " (flaky)" } else { "" };
    let title = format!("{}: {}{flaky}", run.title(), result.step);
    for miss in misses {
        let mut keys = Vec::new();
        if let Some(place) = run.places.of(&result.step, &miss.assertion) {
            keys.push(format!("file={}", property(&place.file)));
            keys.push(format!("line={}", place.line));
        }
        keys.push(format!("title={}", property(&title)));
        let _ = writeln!(text, "::{level} {}::{}", keys.join(","), message(&line(miss)));
    }
}

/// What a message must not hold, as the runner's own toolkit escapes it.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
