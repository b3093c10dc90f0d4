//! What holds of any text.

use proptest::prelude::*;

use super::{Assertion, Exchange, answer};

/// What assertions are made of, and what breaks them.
const PIECES: &str = r#"
    status header etag body json $.a $..[*] $[?@.x==' latency size health count
    not == != < in contains startsWith isEmpty exists is
    200 1..2 1s..2s 10s 1MB "é" ' " \ healthy ﻿ 𝄞 .. -0 1e999 xx
"#;

/// Texts that are nearly assertions, so that the depths of the parser are met.
fn nearly() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = PIECES.split_whitespace().chain([" ", "or absent"]).collect();
    proptest::collection::vec(proptest::sample::select(pieces), 0..7)
        .prop_flat_map(|words| (Just(words), any::<bool>()))
        .prop_map(|(words, spaced)| words.join(if spaced { " " } else { "" }))
}

fn reads_back(text: &str) -> Result<(), TestCaseError> {
    match Assertion::parse(text) {
        Ok(assertion) => {
            let again = Assertion::parse(&assertion.to_string());
            prop_assert_eq!(again, Ok(assertion.clone()));
            let _ = assertion.check(&answer());
        }
        Err(complaint) => {
            prop_assert!(complaint.column >= 1);
            prop_assert!(complaint.column <= text.chars().count() + 1, "{complaint}");
        }
    }
    Ok(())
}

#[test]
fn refuses_a_path_that_would_keep_the_parser_busy_for_years() {
    for (open, close) in [("(", ")"), ("!(", ")"), ("@[?", "]"), ("count(@", ")>1")] {
        let text = format!("json $[?{}@.a{}] exists", open.repeat(50), close.repeat(50));
        let complaint = Assertion::parse(&text).unwrap_err().what;
        assert_eq!(complaint, "a path nests at most 8 brackets; ask something simpler");
    }
    let deepest = format!("json ${}@.a{} exists", "[?@".repeat(8), "]".repeat(8));
    assert!(!Assertion::parse(&deepest).is_err_and(|complaint| complaint.what.contains("nests")));
}

proptest! {
    #[test]
    fn never_panics_and_reads_back_what_it_shows(text in nearly()) {
        reads_back(&text)?;
    }

    #[test]
    fn never_panics_on_any_text(text in "\\PC{0,60}") {
        reads_back(&text)?;
    }

    #[test]
    fn never_panics_on_any_path(path in "[$@.\\[\\]*?,:'\"a1()&|!=< -]{0,30}") {
        reads_back(&format!("json ${path} exists"))?;
    }

    #[test]
    fn holds_either_as_it_is_or_negated(status in 100_u16..600, bound in 100..600) {
        let exchange = Exchange { status, ..answer() };
        for predicate in [format!("== {bound}"), format!("< {bound}"), format!("in 100..{bound}")] {
            let [plain, negated] = ["", "not "].map(|not| {
                let text = format!("status {not}{predicate}");
                Assertion::parse(&text).unwrap().check(&exchange).is_none()
            });
            prop_assert_ne!(plain, negated);
        }
    }
}
