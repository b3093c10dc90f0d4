//! Where the user wrote a step and each of its assertions, so that a failure
//! can be read beside the line that asked for it.

use std::collections::BTreeMap;

use crate::model::Name;

/// A line of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The file as its user calls it.
    pub file: String,
    /// From 1.
    pub line: usize,
}

/// The places of a suite. What is built in has none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    steps: BTreeMap<Name, Place>,
    lines: BTreeMap<(Name, String), Place>,
}

impl Places {
    /// Nothing was written.
    pub const NONE: Places = Places { steps: BTreeMap::new(), lines: BTreeMap::new() };

    /// A step stands here.
    pub fn add_step(&mut self, step: &Name, place: Place) {
        self.steps.insert(step.clone(), place);
    }

    /// A line of a step, by what its miss would be called, stands here.
    pub fn add_line(&mut self, step: &Name, assertion: &str, place: Place) {
        self.lines.insert((step.clone(), assertion.trim().to_owned()), place);
    }

    /// Where an assertion of a step stands, or at least the step.
    pub fn of(&self, step: &Name, assertion: &str) -> Option<&Place> {
        let key = (step.clone(), assertion.to_owned());
        self.lines.get(&key).or_else(|| self.steps.get(step))
    }
}
