//! The results of smoke suites in the forms that pipelines and people read.
//! One file a form; what they share stands here. Each is a reading of the
//! results alone, without a clock: the same run gives the same bytes.

mod github;
mod gitlab;
mod html;
mod json;
mod junit;
mod markdown;
mod tap;

use std::fmt::Write;

use crate::check::{self, Miss, Places, StepResult, StepState};
use crate::model::{Name, Verdict};

/// One suite that was run.
#[derive(Clone, PartialEq, Debug)]
pub struct SmokeRun {
    /// The service.
    pub service: Name,
    /// The release, where one is known.
    pub release: Option<Name>,
    /// Names the run in each of its requests.
    pub run_id: String,
    /// What it amounts to.
    pub verdict: Verdict,
    /// Where its steps were written.
    pub places: Places,
    /// What came of each step.
    pub results: Vec<StepResult>,
}

/// A form of the results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For a terminal.
    Text,
    /// JUnit's XML, which nearly every pipeline reads.
    Junit,
    /// TAP version 14.
    Tap,
    /// All there is to know.
    Json,
    /// A page that stands for itself.
    Html,
    /// Annotations of a GitHub workflow.
    Github,
    /// A code quality report of GitLab, shown at the lines of a merge request.
    Gitlab,
    /// For a job's summary or a comment.
    Markdown,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 8] = [
        Format::Text,
        Format::Junit,
        Format::Tap,
        Format::Json,
        Format::Html,
        Format::Github,
        Format::Gitlab,
        Format::Markdown,
    ];

    /// What the command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Junit => "junit",
            Format::Tap => "tap",
            Format::Json => "json",
            Format::Html => "html",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::Markdown => "markdown",
        }
    }

    /// The results in this form.
    pub fn render(self, runs: &[SmokeRun]) -> String {
        match self {
            Format::Text => text(runs),
            Format::Junit => junit::render(runs),
            Format::Tap => tap::render(runs),
            Format::Json => json::render(runs),
            Format::Html => html::render(runs),
            Format::Github => github::render(runs),
            Format::Gitlab => gitlab::render(runs),
            Format::Markdown => markdown::render(runs),
        }
    }
}

/// One suite as it is; of several each under its service's name.
fn text(runs: &[SmokeRun]) -> String {
    let mut text = String::new();
    for run in runs {
        if runs.len() > 1 {
            let _ = writeln!(text, "{}", run.title());
        }
        text.push_str(&check::show(&run.results, &run.places));
    }
    text
}

impl SmokeRun {
    /// `chat-agent v1.2.3`.
    fn title(&self) -> String {
        match &self.release {
            Some(release) => format!("{} {release}", self.service),
            None => self.service.to_string(),
        }
    }

    /// `bakewatch.toml:31`, where an assertion stands, or at least its step.
    fn place(&self, result: &StepResult, miss: &Miss) -> Option<String> {
        let place = self.places.of(&result.step, &miss.assertion)?;
        Some(format!("{}:{}", place.file, place.line))
    }

    /// Every assertion of a step that did not hold, each under its line.
    fn readings(&self, result: &StepResult, misses: &[Miss]) -> String {
        let one = |miss: &Miss| check::reading(miss, self.place(result, miss).as_deref());
        misses.iter().map(one).collect()
    }
}

/// `passed`, `flaky`, `failed` or `skipped`.
fn outcome(result: &StepResult) -> &'static str {
    match result.state {
        StepState::Passed if result.is_flaky() => "flaky",
        state => state.as_str(),
    }
}

/// `must`, `should` or `cleanup`.
fn kind(result: &StepResult) -> &'static str {
    match (result.cleanup, result.must) {
        (true, _) => "cleanup",
        (false, true) => "must",
        (false, false) => "should",
    }
}

/// `status == 200: got 503, wanted 200`, on one line.
fn line(miss: &Miss) -> String {
    format!("{}: got {}, wanted {}", miss.assertion, miss.actual, miss.expected)
}

#[cfg(test)]
mod tests;
