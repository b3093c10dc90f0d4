//! Any text as a file of Prometheus's rules, and as a file of tests of them:
//! errors that say something, or a plan that can be stored and followed, and
//! the same verdict twice.
#![no_main]

mod follow;

use bakewatch::config::{Given, Source, read_with, trial};
use libfuzzer_sys::fuzz_target;

const CONFIG: &str = "url = \"http://127.0.0.1:1\"\nrules = [\"rules.yml\"]\n\
                      severities = { page = \"critical\", ticket = \"warning\" }\n";

fuzz_target!(|text: &str| {
    let source = |file: &str, text: &str| Source { file: file.into(), text: text.into() };
    let beside = |name: &str| Ok(vec![source(name, text)]);
    let config = source("bakewatch.toml", CONFIG);
    match read_with(Some(&config), &Given::default(), &beside) {
        Err(complaints) => {
            assert!(!complaints.is_empty(), "refused without a word");
            let lines = text.lines().count().max(1) + 1;
            for complaint in complaints {
                assert!(!complaint.what.is_empty(), "an error that says nothing");
                let is_ours = complaint.file == config.file;
                assert!(is_ours || complaint.line <= lines, "line {}", complaint.line);
            }
        }
        Ok(checked) => follow::follow(checked),
    }
    let run = || trial::show(&trial::run(&source("t.yml", text), &beside));
    assert_eq!(run(), run(), "the same tests, run twice");
});
