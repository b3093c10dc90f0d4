//! What is wrong with the text of an assertion, and what would be right.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An assertion that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Complaint {
    /// Where, in characters, from 1.
    pub column: usize,
    /// What is wrong there, and what would be right.
    pub what: String,
}

impl Complaint {
    /// At a column.
    pub(super) fn at(column: usize, what: impl Into<String>) -> Complaint {
        Complaint { column, what: what.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.what)
    }
}

impl std::error::Error for Complaint {}

/// What to write instead of `word`: the nearest of the known words if one is
/// near, else all of them.
pub(super) fn instead<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let folded = word.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&folded, &name.to_lowercase());
    let nearest = known.clone().min_by_key(|name| distance(name));
    match nearest {
        // A third of the letters wrong is still a slip of the finger.
        Some(name) if 3 * distance(name) <= name.chars().count().max(3) => {
            format!("did you mean `{name}`?")
        }
        _ => {
            let all: Vec<String> = known.map(|name| format!("`{name}`")).collect();
            format!("write one of {}", all.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_word_or_all_when_none_is_near() {
        let known = ["startsWith", "in", "exists"];
        let check = |word| instead(word, known.into_iter());
        assert_eq!(check("startswith"), "did you mean `startsWith`?");
        assert_eq!(check("exist"), "did you mean `exists`?");
        assert_eq!(check("resembles"), "write one of `startsWith`, `in`, `exists`");
    }
}
