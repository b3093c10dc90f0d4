//! One step of a smoke suite, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Assertion, Capture};
use crate::model::{Ask, Hidden, Name, Request, Span};

/// A request with assertions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// What it shows, as a sentence without its subject: `answers a question`.
    pub name: Name,
    /// Whether its failure fails the release (`must`) or only degrades it (`should`).
    pub must: bool,
    /// What is sent.
    pub request: Request,
    /// What is asked instead of HTTP; of the request only the time-out counts then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Ask>,
    /// What has to hold. No assertion, no pass, but for what `ask` wants by itself.
    pub expect: Vec<Assertion>,
    /// How often it is tried.
    pub retry: Retry,
    /// What it takes out of its answer for the steps after it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capture: BTreeMap<Name, Capture>,
    /// Those of its captures whose values are never shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redact: Vec<Name>,
    /// When one of these holds, trying on is pointless: the suite ends, failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub halt_if: Vec<Assertion>,
    /// Tried at the end, whatever came before; its failure is told and judges
    /// nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cleanup: bool,
    /// Captured values that its answer may repeat. Only while it is tried.
    #[serde(skip)]
    pub hidden: Hidden,
}

impl Step {
    /// A step that asserts, and no more.
    pub fn new(name: Name, request: Request, expect: Vec<Assertion>, retry: Retry) -> Step {
        Step {
            name,
            must: true,
            request,
            ask: None,
            expect,
            retry,
            capture: BTreeMap::new(),
            redact: Vec::new(),
            halt_if: Vec::new(),
            cleanup: false,
            hidden: Hidden::default(),
        }
    }
}

impl Step {
    /// Whether something is asserted, by the user or by what is asked.
    pub fn asserts(&self) -> bool {
        !self.expect.is_empty() || self.ask.is_some()
    }

    /// Whether the TLS session has to be looked at besides the exchange.
    pub fn looks_at_tls(&self) -> bool {
        let mut assertions = self.expect.iter().chain(&self.halt_if);
        self.ask.is_none() && assertions.any(|assertion| assertion.is_about("tls"))
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
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
    /// Not tried.
    Skipped,
}

impl StepState {
    /// `passed`, `failed`, `skipped`.
    pub fn as_str(self) -> &'static str {
        match self {
            StepState::Passed => "passed",
            StepState::Failed => "failed",
            StepState::Skipped => "skipped",
        }
    }
}

/// Why a step was not tried, where nothing else is said.
const MUST_FAILED: &str = "a must before it failed";

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
    /// Passed at last: what did not hold in the try before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Miss>,
    /// Skipped: why; empty when a `must` before it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Whether it cleans up, and so judges nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cleanup: bool,
}

impl StepResult {
    /// A step that was not tried.
    pub fn skipped(step: &Step, why: String) -> StepResult {
        StepResult {
            step: step.name.clone(),
            must: step.must,
            state: StepState::Skipped,
            attempts: 0,
            elapsed: Span::ZERO,
            misses: Vec::new(),
            earlier: Vec::new(),
            why,
            cleanup: step.cleanup,
        }
    }

    /// Why it was not tried; empty when it was.
    pub fn why_skipped(&self) -> &str {
        match (self.state, self.why.as_str()) {
            (StepState::Skipped, "") => MUST_FAILED,
            (StepState::Skipped, why) => why,
            (StepState::Passed | StepState::Failed, _) => "",
        }
    }

    /// Whether it failed and that counts: cleanup judges nothing.
    pub fn has_failed(&self) -> bool {
        self.state == StepState::Failed && !self.cleanup
    }

    /// Passed, but not at the first try.
    pub fn is_flaky(&self) -> bool {
        self.state == StepState::Passed && self.attempts > 1
    }
}
