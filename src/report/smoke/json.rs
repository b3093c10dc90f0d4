//! All there is to know of the runs, as JSON.

use serde::Serialize;

use super::{SmokeRun, kind, outcome};
use crate::check::{Miss, StepResult};

#[derive(Serialize)]
struct Document<'r> {
    runs: Vec<Run<'r>>,
}

#[derive(Serialize)]
struct Run<'r> {
    service: &'r str,
    release: Option<&'r str>,
    run_id: &'r str,
    verdict: &'r str,
    steps: Vec<Step<'r>>,
}

#[derive(Serialize)]
struct Step<'r> {
    name: &'r str,
    kind: &'static str,
    outcome: &'static str,
    attempts: u32,
    elapsed_ms: i64,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'r str>,
    misses: Vec<Line<'r>>,
    /// Of a flaky step: what did not hold in the try before the last.
    earlier_misses: Vec<Line<'r>>,
}

#[derive(Serialize)]
struct Line<'r> {
    assertion: &'r str,
    actual: &'r str,
    expected: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

/// The document, indented.
pub(super) fn render(runs: &[SmokeRun]) -> String {
    let document = Document { runs: runs.iter().map(run).collect() };
    let mut text = serde_json::to_string_pretty(&document).expect("it has no odd keys");
    text.push('\n');
    text
}

fn run(run: &SmokeRun) -> Run<'_> {
    Run {
        service: run.service.as_str(),
        release: run.release.as_ref().map(|release| release.as_str()),
        run_id: &run.run_id,
        verdict: run.verdict.as_str(),
        steps: run.results.iter().map(|result| step(run, result)).collect(),
    }
}

fn step<'r>(run: &'r SmokeRun, result: &'r StepResult) -> Step<'r> {
    let lines = |misses: &'r [Miss]| misses.iter().map(|miss| line(run, result, miss)).collect();
    Step {
        name: result.step.as_str(),
        kind: kind(result),
        outcome: outcome(result),
        attempts: result.attempts,
        elapsed_ms: result.elapsed.millis(),
        why: Some(result.why_skipped()).filter(|why| !why.is_empty()),
        misses: lines(&result.misses),
        earlier_misses: lines(&result.earlier),
    }
}

fn line<'r>(run: &'r SmokeRun, result: &StepResult, miss: &'r Miss) -> Line<'r> {
    let place = run.places.of(&result.step, &miss.assertion);
    Line {
        assertion: &miss.assertion,
        actual: &miss.actual,
        expected: &miss.expected,
        file: place.map(|place| place.file.as_str()),
        line: place.map(|place| place.line),
    }
}
