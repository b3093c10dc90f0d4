//! One step of a smoke suite, and what came of it.

use serde::{Deserialize, Serialize};

use super::Assertion;
use crate::model::{Name, Request, Span};

/// A request with assertions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// What it shows, as a sentence without its subject: `answers a question`.
    pub name: Name,
    /// Whether its failure fails the release (`must`) or only degrades it (`should`).
    pub must: bool,
    /// What is sent.
    pub request: Request,
    /// What has to hold. Never empty: no assertion, no pass.
    pub expect: Vec<Assertion>,
    /// How often it is tried.
    pub retry: Retry,
}

/// A failed try is repeated every `interval` until `deadline` after the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Retry {
    /// From the first try's start; zero: one try.
    pub deadline: Span,
    /// Between the end of a try and the start of the next.
    pub interval: Span,
}

/// An assertion that did not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Miss {
    /// The assertion, in the user's own words.
    pub assertion: String,
    /// What came.
    pub actual: String,
    /// What was wanted.
    pub expected: String,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// Every assertion held.
    Passed,
    /// Some did not, or there was no answer.
    Failed,
    /// Not tried, since a `must` before it failed.
    Skipped,
}

/// What came of a step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepResult {
    /// The step's name.
    pub step: Name,
    /// Whether it was a `must`.
    pub must: bool,
    /// How it ended.
    pub state: StepState,
    /// How many tries it took. Passed after more than one is *flaky*.
    pub attempts: u32,
    /// Of the last try.
    pub elapsed: Span,
    /// What did not hold in the last try; a missing answer is one miss.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misses: Vec<Miss>,
}

impl StepResult {
    /// Passed, but not at the first try.
    pub fn is_flaky(&self) -> bool {
        self.state == StepState::Passed && self.attempts > 1
    }
}
