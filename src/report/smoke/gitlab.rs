//! A code quality report of GitLab: a list of findings, each at a line. What
//! GitLab shows of tests it takes from JUnit.

use serde::Serialize;

use super::{SmokeRun, kind, line};
use crate::check::{Miss, StepResult, StepState};
use crate::model::stable_hash;

#[derive(Serialize)]
struct Finding {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// The list; empty when all is well.
pub(super) fn render(runs: &[SmokeRun]) -> String {
    let each = runs.iter().flat_map(|run| run.results.iter().map(move |result| (run, result)));
    let findings: Vec<Finding> = each.flat_map(|(run, result)| findings(run, result)).collect();
    let mut text = serde_json::to_string_pretty(&findings).expect("it has no odd keys");
    text.push('\n');
    text
}

fn findings(run: &SmokeRun, result: &StepResult) -> Vec<Finding> {
    let severity = match (result.state, kind(result)) {
        (StepState::Failed, "must") => "blocker",
        (StepState::Failed, _) => "major",
        (StepState::Passed | StepState::Skipped, _) => "minor",
    };
    let misses = result.misses.iter().chain(&result.earlier);
    misses.map(|miss| finding(run, result, miss, severity)).collect()
}

fn finding(run: &SmokeRun, result: &StepResult, miss: &Miss, severity: &'static str) -> Finding {
    // Steps that nobody wrote have no line; GitLab wants one.
    let place = run.places.of(&result.step, &miss.assertion);
    let path = place.map_or_else(|| "bakewatch.toml".to_owned(), |place| relative(&place.file));
    let flaky = if result.is_flaky() { " (flaky)" } else { "" };
    let service = run.service.as_str();
    let parts = ["smoke", service, result.step.as_str(), miss.assertion.as_str()];
    Finding {
        description: format!("{service}: {}{flaky}: {}", result.step, line(miss)),
        check_name: format!("bakewatch smoke {}", kind(result)),
        fingerprint: format!("{:016x}", stable_hash(&parts)),
        severity,
        location: Location { path, lines: Lines { begin: place.map_or(1, |place| place.line) } },
    }
}

/// GitLab wants a path from the repository's root, without `./`.
fn relative(file: &str) -> String {
    file.strip_prefix("./").unwrap_or(file).to_owned()
}
