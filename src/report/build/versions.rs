//! Which version a target told at the end of the window.

use crate::model::Name;
use crate::record::{Block, Record, Runs};

/// By the last stretch of time in which it told one. The versions themselves
/// are kept as they were first heard, so that of several that are not the
/// release's the latest to appear stands for the end.
pub(super) fn runs(record: &Record, blocks: &[&Block], target: &Name) -> Option<Runs> {
    let tallies = blocks.iter().rev().flat_map(|block| &block.tallies);
    let mut told = tallies.filter(|(name, _)| name == target).map(|(_, tally)| tally);
    let last = told.find(|tally| tally.matching + tally.differing > 0)?;
    let known = &record.targets.get(target)?.versions;
    let latest = |is_release: bool| {
        known.iter().rev().find(move |told| record.is_of_release(told) == is_release)
    };
    let ran = latest(true).filter(|_| last.matching > 0);
    let other = latest(false).filter(|_| last.differing > 0);
    let versions: Vec<&str> = ran.into_iter().chain(other).map(String::as_str).collect();
    Some(Runs {
        version: versions.join(" and "),
        is_release: last.differing == 0,
        is_judged: record.plan.health.version.is_some(),
    })
}
