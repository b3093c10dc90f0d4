//! Any text as a configuration: errors that say something, or a plan that can
//! be shown, stored and followed.
#![no_main]

use bakewatch::config::{Checked, Given, Source, explain, read};
use bakewatch::model::{Release, SECOND, Timestamp};
use bakewatch::record::Plan;
use bakewatch::watch::Watch;
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
        Ok(checked) => follow(checked),
    }
});

fn follow(checked: Checked) {
    assert!(!explain(&checked).is_empty());
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
