//! Any text as a file of Prometheus's rules, and as a file of tests of them:
//! errors that say something, or a plan that can be stored and followed, and
//! the same verdict twice.
#![no_main]

use bakewatch::config::{Checked, Given, Source, read_with, trial};
use bakewatch::model::{Release, SECOND, Timestamp};
use bakewatch::record::Plan;
use bakewatch::watch::Watch;
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
        Ok(checked) => follow(checked),
    }
    let run = || trial::show(&trial::run(&source("t.yml", text), &beside));
    assert_eq!(run(), run(), "the same tests, run twice");
});

fn follow(checked: Checked) {
    let stored = serde_json::to_string(&checked.plan).expect("a plan can be stored");
    let again: Plan = serde_json::from_str(&stored).expect("a stored plan can be read");
    assert_eq!(again, checked.plan, "it is another plan when it comes back");
    let mut now = Timestamp::from_millis(1_700_000_000_000);
    let (service, version) = (checked.plan.service.clone(), "v1".into());
    let mut watch = Watch::open(Release { service, version, at: now }, checked.plan, None, now);
    let mut next_id = 0;
    for _ in 0..3 {
        watch.hear(now, Vec::new());
        watch.ask(now, &mut next_id);
        now = watch.wake().unwrap_or(now).max(now + SECOND);
    }
}
