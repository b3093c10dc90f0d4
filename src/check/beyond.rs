//! Checks beyond HTTP: what is asked, how often, and what an answer amounts
//! to. Each kind of question has one rule of its own (a name has a record, a
//! certificate can be trusted), and the user's assertions come besides.

use serde::{Deserialize, Serialize};

use super::judged::no_answer;
use super::{Assertion, Judged, Miss};
use crate::model::{Ask, Beyond, Exchange, Failure, Name, Serving, Span};

/// A question that is asked again and again through the windows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// The `check` label of its samples.
    pub name: Name,
    /// What is asked.
    pub ask: Ask,
    /// How often; `None`: as often as targets are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// For a whole answer.
    pub timeout: Span,
    /// What has to hold besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Assertion>,
    /// Whether its failing is critical, or a warning.
    pub must: bool,
    /// Nobody asked for it: it looks at the certificate of an https address
    /// that is probed anyway. Probes tell when that cannot be reached, so only
    /// the days to expiry are judged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_implied: bool,
}

/// Holds an answer against what was asked and what is expected of it.
pub fn judge_ask(
    ask: &Ask,
    expect: &[Assertion],
    reply: &Result<Exchange, Failure>,
    timeout: Span,
) -> Judged {
    let exchange = match reply {
        Ok(exchange) => exchange,
        Err(failure) => return no_answer(failure, timeout),
    };
    let own = fault(ask, exchange);
    let theirs = expect.iter().filter_map(|assertion| assertion.check(exchange));
    Judged {
        asserted: 1 + expect.len() as u32,
        misses: own.into_iter().chain(theirs).collect(),
        halts: false,
    }
}

/// What is wrong with an answer by the rule of its kind.
pub(super) fn fault(ask: &Ask, exchange: &Exchange) -> Option<Miss> {
    let beyond = exchange.beyond.as_deref();
    match ask {
        Ask::Tcp { .. } => None, // that it came about was all that was asked
        Ask::Tls { .. } => {
            let distrust = beyond?.tls.as_ref()?.distrust.as_ref()?;
            Some(miss("tls verified", distrust.to_string(), "a certificate that can be trusted"))
        }
        Ask::Dns { of, expect, .. } => records(beyond, expect, &of.to_string()),
        Ask::Grpc { .. } => match beyond?.serving? {
            Serving::Serving => None,
            other => {
                Some(miss("grpc is SERVING", other.as_str().to_owned(), Serving::Serving.as_str()))
            }
        },
    }
}

fn records(beyond: Option<&Beyond>, expect: &[String], of: &str) -> Option<Miss> {
    let records = beyond?.dns.as_ref()?;
    let found: Vec<String> = records.iter().map(|record| record.data.to_string()).collect();
    if found.is_empty() {
        return Some(miss("a record", format!("no {of} record"), "at least one"));
    }
    let missing: Vec<&str> = expect
        .iter()
        .filter(|wanted| !found.iter().any(|known| known.eq_ignore_ascii_case(wanted)))
        .map(String::as_str)
        .collect();
    (!missing.is_empty()).then(|| {
        miss(
            "the records expected",
            found.join(", "),
            &format!("{} among them", missing.join(", ")),
        )
    })
}

fn miss(assertion: &str, actual: String, expected: &str) -> Miss {
    let actual = super::excerpt::excerpt(&actual);
    Miss { assertion: assertion.to_owned(), actual, expected: expected.to_owned() }
}

#[cfg(test)]
mod tests;
