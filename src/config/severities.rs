//! Severities in words of the user's own: each stands for one of the three that
//! there are, and travels with what is told as the label `severity`.

use std::collections::BTreeMap;

use super::complaint::instead;
use super::walk::{Table, Value};
use crate::model::{Labels, Severity};

/// The label that bears an own word.
const LABEL: &str = "severity";

/// The words that a file may use.
#[derive(Default)]
pub(super) struct Severities {
    own: BTreeMap<String, Severity>,
}

impl Severities {
    /// Reads `[severities]`.
    pub fn read(top: &Table) -> Severities {
        let entries = top.get("severities").and_then(|value| value.entries()).unwrap_or_default();
        let mut own = BTreeMap::new();
        for (word, value) in entries {
            if named(word).is_some() {
                value.error(format!("`{word}` means what it says; leave this out"));
            } else if let Some(severity) = Severities::default().find(&value) {
                own.insert(word.to_owned(), severity);
            }
        }
        Severities { own }
    }

    /// What a word stands for.
    pub fn find(&self, value: &Value) -> Option<Severity> {
        let text = value.text()?;
        let found = self.named(text);
        if found.is_none() {
            let words: Vec<&str> = self.words().collect();
            value.error(format!("unknown severity {text:?}; {}", instead(text, &words)));
        }
        found
    }

    /// All words that there are.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let own = self.own.keys().map(String::as_str);
        Severity::ALL.map(Severity::as_str).into_iter().chain(own)
    }

    /// What a word stands for, if it stands for something.
    pub fn named(&self, text: &str) -> Option<Severity> {
        named(text).or_else(|| self.own.get(text).copied())
    }

    /// The labels of a rule whose severity is `value`: with the word, where it
    /// is an own one and the rule does not say otherwise.
    pub fn label(&self, value: Option<&Value>, labels: Labels) -> Labels {
        let word =
            value.and_then(|value| value.as_text()).filter(|word| self.own.contains_key(*word));
        match word {
            Some(word) if labels.get(LABEL).is_none() => labels.with(LABEL, word),
            Some(_) | None => labels,
        }
    }
}

fn named(text: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity.as_str() == text)
}
