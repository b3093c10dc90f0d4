//! What a service's health has to show, beside its status: which components,
//! in which states, which details. What an answer lacks of it is *unmet*.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dialect::{self, Part};
use super::version::{self, VersionSource, VersionWanted};
use super::{HealthState, NAMED_MAX};
use crate::check::Assertion;
use crate::model::{Exchange, Name};

/// How a health endpoint speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Whichever of the others the answer is in; else its code counts.
    #[default]
    Auto,
    /// `{"status": "healthy", "components": [{"name": …, "status": …}]}`.
    Checklist,
    /// `{"status": "UP", "components": {"db": {"status": "UP"}}}`.
    Spring,
    /// `Healthy` as text, or JSON with `entries`.
    Aspnet,
    /// `{"status": "pass", "checks": {"cpu": [{"status": "pass"}]}}`.
    #[serde(rename = "health+json")]
    HealthJson,
    /// Nothing in the body counts.
    Code,
}

impl Dialect {
    /// Each with its name in a configuration.
    pub const ALL: [(&str, Dialect); 6] = [
        ("auto", Dialect::Auto),
        ("checklist", Dialect::Checklist),
        ("spring", Dialect::Spring),
        ("aspnet", Dialect::Aspnet),
        ("health+json", Dialect::HealthJson),
        ("code", Dialect::Code),
    ];

    /// Its name in a configuration.
    pub fn as_str(self) -> &'static str {
        let named = Dialect::ALL.iter().find(|(_, dialect)| *dialect == self);
        named.map_or("auto", |(name, _)| name)
    }
}

/// What is expected of every answer of a health endpoint. The default asks
/// for nothing but its status.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Expected {
    /// How it speaks. An answer in another way is *unknown*, not healthy.
    pub dialect: Dialect,
    /// Status words of the service's own, folded, before those of the field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, HealthState>,
    /// Components that have to be there, and up unless `allow` says otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<Name>,
    /// In which states a component is as it should be.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub allow: BTreeMap<Name, Vec<HealthState>>,
    /// What else has to hold of the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Assertion>,
    /// Where the running version is to be read, when it is to be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionWanted>,
}

impl Expected {
    /// Whether it asks for nothing.
    pub fn is_default(&self) -> bool {
        *self == Expected::default()
    }

    /// Whether something can be unmet.
    pub fn wants_something(&self) -> bool {
        !(self.require.is_empty() && self.allow.is_empty() && self.expect.is_empty())
    }

    /// The metric that tells the version, where one does.
    pub fn version_metric(&self) -> Option<&str> {
        match &self.version.as_ref()?.source {
            VersionSource::Metric { name, .. } => Some(name),
            VersionSource::Body(_) | VersionSource::Header(_) => None,
        }
    }

    /// Whether a replica that tells this version runs the release.
    pub fn is_of(&self, release: &str, told: &str) -> bool {
        let strip = self.version.as_ref().map_or(version::STRIP, |wanted| &wanted.strip);
        version::is_same(release, told, strip)
    }

    /// A word as keys of `words` are written.
    pub fn folded(word: &str) -> String {
        dialect::folded(word)
    }

    /// What a status word means; `None`: nothing that is known.
    pub(super) fn state_of(&self, word: &str) -> Option<HealthState> {
        match self.words.get(&dialect::folded(word)) {
            Some(state) => Some(*state),
            None => dialect::state_of(word),
        }
    }

    /// Whether everything that ails the whole is a component in a state that
    /// is allowed: then the whole is as it should be.
    pub(super) fn allows(&self, parts: &[Part]) -> bool {
        let mut bad = parts.iter().filter(|part| part.is_bad()).peekable();
        bad.peek().is_some() && bad.all(|part| self.is_allowed(part) == Some(true))
    }

    /// Whether `allow` has this component in this state; `None`: it says nothing of it.
    fn is_allowed(&self, part: &Part) -> Option<bool> {
        self.allow.get(part.name.as_str()).map(|states| states.contains(&part.state))
    }

    /// All that is unmet, in words that stay the same for the same cause.
    pub(super) fn unmet(&self, parts: &[Part], exchange: &Exchange) -> Vec<String> {
        let is_there = |name: &Name| parts.iter().any(|part| part.name == name.as_str());
        let missing = self.require.iter().filter(|name| !is_there(name));
        let missing = missing.map(|name| format!("{name} is missing"));
        let is_wrong = |part: &&Part| {
            let is_required = || self.require.iter().any(|name| part.name == name.as_str());
            match self.is_allowed(part) {
                Some(is_allowed) => !is_allowed,
                None => part.state.is_up() != Some(true) && is_required(),
            }
        };
        let wrong = parts.iter().filter(is_wrong);
        let wrong = wrong.map(|part| format!("{} is \"{}\"", part.name, part.word));
        let false_ones = self.expect.iter().filter(|assertion| assertion.check(exchange).is_some());
        let false_ones = false_ones.map(|assertion| format!("not so: {assertion}"));
        missing.chain(wrong).chain(false_ones).collect()
    }
}

/// The unmet as the end of a reason: `; adls is missing`.
pub(super) fn in_words(unmet: &[String]) -> String {
    let mut words: String = unmet.iter().take(NAMED_MAX).map(|one| format!("; {one}")).collect();
    if unmet.len() > NAMED_MAX {
        words.push_str(&format!("; {} more", unmet.len() - NAMED_MAX));
    }
    words
}
