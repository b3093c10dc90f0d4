//! What an answer amounts to when it is held against a step.

use super::beyond::fault;
use super::excerpt::excerpt;
use super::redact::Redactor;
use super::{Assertion, Miss, Step};
use crate::model::{Exchange, Failure, Span};

/// A try, judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// How many assertions were held against something. Zero: no evidence.
    pub asserted: u32,
    /// Those that did not hold.
    pub misses: Vec<Miss>,
    /// Whether one of `halt_if` holds, so that nothing is tried any more.
    pub halts: bool,
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
    if !step.asserts() {
        return Judged { asserted: 0, misses: vec![nothing_asserted()], halts: false };
    }
    let redactor = redactor(step, exchange);
    let check = |assertion: &Assertion| assertion.check_hiding(exchange, &redactor);
    let own = step.ask.as_ref().and_then(|ask| fault(ask, exchange));
    let mut misses: Vec<Miss> =
        own.into_iter().chain(step.expect.iter().filter_map(check)).collect();
    misses.extend(step.capture.iter().filter_map(|(name, capture)| {
        let why = capture.take(exchange).err()?;
        Some(Miss {
            assertion: format!("capture {name} = {}", capture.as_str()),
            actual: excerpt(&redactor.clean(&why)),
            expected: "a value".to_owned(),
        })
    }));
    let halt = step.halt_if.iter().find(|assertion| assertion.check(exchange).is_none());
    if let Some(assertion) = halt {
        misses.insert(0, halted(assertion));
    }
    let asserted = step.expect.len() as u32 + u32::from(step.ask.is_some());
    Judged { asserted, misses, halts: halt.is_some() }
}

/// What an answer may repeat and nobody is to read.
fn redactor(step: &Step, exchange: &Exchange) -> Redactor {
    let mut redactor = Redactor::default();
    for value in step.hidden.0.iter().chain(&exchange.hidden.0) {
        redactor.hide(value);
    }
    for name in &step.redact {
        let value = step.capture.get(name).and_then(|capture| capture.take(exchange).ok());
        if let Some(serde_json::Value::String(text)) = &value {
            redactor.hide(text);
        }
    }
    redactor
}

/// Before the condition that ended the suite. No assertion of a user's reads so.
pub const HALT_IF: &str = "halt-if ";

fn halted(assertion: &Assertion) -> Miss {
    Miss {
        assertion: format!("{HALT_IF}{assertion}"),
        actual: "it holds".to_owned(),
        expected: "not so: the suite is not continued".to_owned(),
    }
}

/// A missing answer is one miss; where the fault is ours, it is no evidence.
pub(super) fn no_answer(failure: &Failure, timeout: Span) -> Judged {
    let miss = Miss {
        assertion: AN_ANSWER.to_owned(),
        actual: excerpt(&failure.to_string()),
        expected: format!("a whole answer within {timeout}"),
    };
    Judged { asserted: u32::from(!failure.is_ours()), misses: vec![miss], halts: false }
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
