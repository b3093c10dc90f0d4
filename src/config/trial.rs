//! Unit tests of rules, in the form that Prometheus's `promtool test rules`
//! takes: series are invented, rules are evaluated as Prometheus would, and
//! what fires is held against what was expected.

mod file;
mod run;
#[cfg(test)]
mod tests;

use super::complaint::Complaint;
use super::{Files, Source};

/// What a file of tests came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    /// The file.
    pub file: String,
    /// Expectations that were tried.
    pub tried: usize,
    /// Those that did not hold, in words.
    pub failures: Vec<Failure>,
    /// Why nothing could be tried.
    pub wrong: Vec<Complaint>,
    /// What works and is not what anybody would want.
    pub warnings: Vec<String>,
}

/// An expectation that did not hold.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// Its line in the file.
    pub line: usize,
    /// The test's name, if it has one.
    pub test: String,
    /// What was expected: `alert Down at 5m`.
    pub what: String,
    /// What was expected, a line each.
    pub expected: Vec<String>,
    /// What came, a line each.
    pub got: Vec<String>,
}

/// Runs the tests of a file.
pub fn run(source: &Source, files: Files) -> Outcome {
    let mut outcome = Outcome { file: source.file.clone(), ..Outcome::default() };
    match file::read(source, files) {
        Ok((suite, warnings)) => {
            outcome.warnings = warnings;
            run::run(&suite, &mut outcome);
        }
        Err(wrong) => outcome.wrong = wrong,
    }
    outcome
}

/// An outcome in words.
pub fn show(outcome: &Outcome) -> String {
    let Outcome { file, tried, failures, .. } = outcome;
    let failed = failures.len();
    let mut text = match (failed, tried) {
        (0, 0) => format!("{file}: nothing is expected, so nothing was tried\n"),
        (0, 1) => format!("{file}: 1 expectation holds\n"),
        (0, _) => format!("{file}: {tried} expectations hold\n"),
        (_, _) => format!("{file}: {failed} of {} do not hold\n", (*tried).max(failed)),
    };
    for failure in failures {
        let of = if failure.test.is_empty() { "" } else { &format!(" ({})", failure.test) };
        text.push_str(&format!("  {file}:{}: {}{of}\n", failure.line, failure.what));
        for (title, lines) in [("expected", &failure.expected), ("got", &failure.got)] {
            for (at, line) in lines.iter().enumerate() {
                let title = if at == 0 { title } else { "" };
                text.push_str(&format!("    {title:8}  {line}\n"));
            }
        }
    }
    text
}
