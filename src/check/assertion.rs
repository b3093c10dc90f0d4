//! Assertions, in the user's words. (The real room replaces this file.)
use serde::{Deserialize, Serialize};

/// One assertion; serde as its own text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Assertion(String);

impl Assertion {
    /// Parses `status == 200` and the like.
    pub fn parse(text: &str) -> Result<Assertion, String> {
        Ok(Assertion(text.to_owned()))
    }
    /// The user's words.
    pub fn text(&self) -> &str {
        &self.0
    }
}
