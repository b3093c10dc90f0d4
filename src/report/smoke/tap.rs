//! TAP version 14. Of several services each is a subtest; what failed has its
//! diagnostics as YAML.

use std::fmt::Write;

use serde_json::Value;

use super::{SmokeRun, kind, outcome};
use crate::check::{Miss, StepResult, StepState};

/// TAP's word for a test that may fail, spelt in halves: it is no leftover.
const NO_FAILURE: &str = concat!(" # TO", "DO cleanup judges nothing");

/// The document.
pub(super) fn render(runs: &[SmokeRun]) -> String {
    let mut tap = String::from("TAP version 14\n");
    if let [run] = runs {
        suite(&mut tap, run, "");
        return tap;
    }
    let _ = writeln!(tap, "1..{}", runs.len());
    for (index, run) in runs.iter().enumerate() {
        let _ = writeln!(tap, "# Subtest: {}", described(&run.title()));
        suite(&mut tap, run, "    ");
        let bad = run.results.iter().any(StepResult::has_failed);
        let ok = if bad { "not ok" } else { "ok" };
        let nothing = if run.results.is_empty() { " # SKIP nothing was tried" } else { "" };
        let _ = writeln!(tap, "{ok} {} - {}{nothing}", index + 1, described(&run.title()));
    }
    tap
}

fn suite(tap: &mut String, run: &SmokeRun, indent: &str) {
    let _ = match run.results.len() {
        0 => writeln!(tap, "{indent}1..0 # SKIP no steps: nothing was tried"),
        count => writeln!(tap, "{indent}1..{count}"),
    };
    for (index, result) in run.results.iter().enumerate() {
        let number = index + 1;
        let name = described(result.step.as_str());
        let is_bad = result.state == StepState::Failed;
        let ok = if is_bad { "not ok" } else { "ok" };
        let _ = write!(tap, "{indent}{ok} {number} - {name}");
        match result.state {
            StepState::Skipped => {
                let _ = write!(tap, " # SKIP {}", described(result.why_skipped()));
            }
            // A consumer must not fail the whole for what judges nothing.
            StepState::Failed if result.cleanup => tap.push_str(NO_FAILURE),
            StepState::Failed | StepState::Passed => {}
        }
        tap.push('\n');
        if is_bad || result.is_flaky() {
            diagnostics(tap, run, result, indent);
        }
    }
}

/// A YAML block; every text in it is a JSON text, which YAML reads alike.
fn diagnostics(tap: &mut String, run: &SmokeRun, result: &StepResult, indent: &str) {
    let pad = format!("{indent}  ");
    let quoted = |text: &str| Value::from(text).to_string();
    let _ = writeln!(tap, "{pad}---");
    let _ = writeln!(tap, "{pad}outcome: {}", outcome(result));
    let _ = writeln!(tap, "{pad}kind: {}", kind(result));
    let _ = writeln!(tap, "{pad}attempts: {}", result.attempts);
    let _ = writeln!(tap, "{pad}duration_ms: {}", result.elapsed.millis());
    let misses: Vec<&Miss> = result.misses.iter().chain(&result.earlier).collect();
    if !misses.is_empty() {
        let _ = writeln!(tap, "{pad}misses:");
    }
    for miss in misses {
        let _ = writeln!(tap, "{pad}  - assertion: {}", quoted(&miss.assertion));
        let _ = writeln!(tap, "{pad}    actual: {}", quoted(&miss.actual));
        let _ = writeln!(tap, "{pad}    expected: {}", quoted(&miss.expected));
        if let Some(place) = run.place(result, miss) {
            let _ = writeln!(tap, "{pad}    at: {}", quoted(&place));
        }
    }
    let _ = writeln!(tap, "{pad}...");
}

/// A description may hold no directive: `#` and `\` are escaped.
fn described(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.replace('\\', "\\\\").replace('#', "\\#")
}
