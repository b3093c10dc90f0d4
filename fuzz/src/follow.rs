//! A plan that was taken is one that can be stored, read again and followed.

use bakewatch::config::Checked;
use bakewatch::model::{Release, SECOND, Timestamp};
use bakewatch::record::Plan;
use bakewatch::watch::Watch;

/// Stores it, reads it, and follows it for a few turns.
pub fn follow(checked: Checked) {
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
