//! What an answer amounts to when it is held against a step.

use super::{Miss, Step};
use crate::model::{Exchange, Failure, Span};

/// A try, judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// How many assertions were held against something. Zero: no evidence.
    pub asserted: u32,
    /// Those that did not hold.
    pub misses: Vec<Miss>,
}

impl Judged {
    /// Whether something was asserted, and all of it held.
    pub fn is_pass(&self) -> bool {
        self.asserted > 0 && self.misses.is_empty()
    }
}

/// What every step wants before anything else. No assertion of a user's reads so.
const AN_ANSWER: &str = "an answer";

/// Holds a reply against a step. A missing answer is one miss; a step without
/// assertions asserts nothing, and that is one miss too.
pub fn judge(step: &Step, reply: &Result<Exchange, Failure>) -> Judged {
    let exchange = match reply {
        Ok(exchange) => exchange,
        Err(failure) => return no_answer(failure, step.request.timeout),
    };
    if step.expect.is_empty() {
        return Judged { asserted: 0, misses: vec![nothing_asserted()] };
    }
    let misses = step.expect.iter().filter_map(|assertion| assertion.check(exchange)).collect();
    Judged { asserted: step.expect.len() as u32, misses }
}

/// A missing answer is one miss; where the fault is ours, it is no evidence.
pub(super) fn no_answer(failure: &Failure, timeout: Span) -> Judged {
    let miss = Miss {
        assertion: AN_ANSWER.to_owned(),
        actual: super::excerpt::excerpt(&failure.to_string()),
        expected: format!("a whole answer within {timeout}"),
    };
    Judged { asserted: u32::from(!failure.is_ours()), misses: vec![miss] }
}

/// Whether these misses only say that we could not ask, which says nothing
/// about the service.
pub(super) fn is_unasked(misses: &[Miss]) -> bool {
    let unasked = Failure::NotAsked(String::new()).to_string();
    matches!(misses, [miss] if miss.assertion == AN_ANSWER && miss.actual.starts_with(&unasked))
}

fn nothing_asserted() -> Miss {
    Miss {
        assertion: "an assertion".to_owned(),
        actual: "none".to_owned(),
        expected: "at least one, for example `status == 200`".to_owned(),
    }
}
