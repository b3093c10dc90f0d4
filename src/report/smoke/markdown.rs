//! Markdown for a job's summary page or a comment.

use std::fmt::Write;

use super::{SmokeRun, kind, outcome};
use crate::check::{self, StepResult};
use crate::model::Verdict;
use crate::report::markdown::escape;

/// A heading, a table and the readings of what failed, for each run.
pub(super) fn render(runs: &[SmokeRun]) -> String {
    runs.iter().map(one).collect()
}

fn one(run: &SmokeRun) -> String {
    let mut text = String::new();
    let (sign, verdict) = (verdict_mark(run.verdict), run.verdict);
    let _ = writeln!(text, "## {sign} Smoke: {} {verdict}\n", escape(&run.title()));
    if run.results.is_empty() {
        text.push_str("No steps: nothing was tried.\n\n");
        return text;
    }
    text.push_str("| | step | kind | tries | time |\n|---|---|---|--:|--:|\n");
    for result in &run.results {
        let note = match result.why_skipped() {
            "" => String::new(),
            why => format!(" ({})", escape(why)),
        };
        let _ = writeln!(
            text,
            "| {} {} | {}{note} | {} | {} | {} |",
            mark(result),
            outcome(result),
            escape(result.step.as_str()),
            kind(result),
            result.attempts,
            result.elapsed
        );
    }
    let _ = write!(text, "\n{}", check::counts(&run.results));
    for result in &run.results {
        for (what, misses) in [("", &result.misses), (" (earlier try)", &result.earlier)] {
            if !misses.is_empty() {
                let readings = run.readings(result, misses);
                let fence = "`".repeat(longest_run(&readings).max(2) + 1);
                let step = escape(result.step.as_str());
                let _ = write!(text, "\n**{step}**{what}\n\n{fence}text\n{readings}{fence}\n");
            }
        }
    }
    let _ = writeln!(text, "\nRun `{}`\n", run.run_id);
    text
}

fn mark(result: &StepResult) -> &'static str {
    match outcome(result) {
        "passed" => "✅",
        "flaky" => "⚠️",
        "failed" if kind(result) == "must" => "❌",
        "failed" => "⚠️",
        _ => "⏭️",
    }
}

fn verdict_mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "✅",
        Verdict::Degraded => "⚠️",
        Verdict::Failed => "❌",
        Verdict::Inconclusive => "❔",
    }
}

/// The longest row of backticks: a fence has to be longer.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
