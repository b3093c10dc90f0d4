//! Any text as a configuration: errors that say something, or a plan that can
//! be shown, stored and followed.
#![no_main]

mod follow;

use bakewatch::config::{Given, Source, explain, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Source { file: "bakewatch.toml".to_owned(), text: text.to_owned() };
    let once = read(Some(&source), &Given::default());
    assert_eq!(once, read(Some(&source), &Given::default()), "the same text, read twice");
    match once {
        Err(complaints) => {
            assert!(!complaints.is_empty(), "refused without a word");
            let lines = text.lines().count().max(1) + 1;
            for complaint in complaints {
                assert!(!complaint.what.is_empty(), "an error that says nothing");
                assert!(complaint.line <= lines, "line {} of {lines}", complaint.line);
            }
        }
        Ok(checked) => {
            assert!(!explain(&checked).is_empty());
            follow::follow(checked);
        }
    }
});
