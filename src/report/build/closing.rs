//! The short summary of a watch whose release was superseded: what had been
//! seen until then.

use crate::judge::Window;
use crate::model::{Span, Timestamp, Verdict};
use crate::record::{CLOSING, Reason, Record, Summary, Superseded};
use crate::report::show;

/// What the watch came to, up to the release that took its place; `None`:
/// none did. In place of the summaries of all windows that were still open.
pub fn closing(record: &Record, now: Timestamp) -> Option<Summary> {
    let (by, to) = record.succession.by.clone()?;
    let length = to.since(record.release.at).max(Span::ZERO);
    let window = Window { name: CLOSING.into(), length, every: Span::ZERO, traffic: true };
    let mut summary = super::build(record, &window, to, now);
    // The course of each signal is for those who look for what went wrong; they
    // look at the release that is out.
    summary.signals.iter_mut().for_each(|signal| signal.points.clear());
    let so_far = summary.verdict;
    let text = format!("superseded by {by} after {}", show::length(length));
    let reason = Reason { text, evidence: windows(record) };
    match so_far {
        // What went wrong did so, whatever would have come after.
        Verdict::Failed | Verdict::Degraded => summary.reasons.push(reason),
        Verdict::Healthy | Verdict::Inconclusive => {
            summary.verdict = Verdict::Inconclusive;
            summary.reasons.insert(0, reason);
        }
    }
    summary.superseded = Some(Superseded { by, so_far });
    Some(summary)
}

/// Which windows were over, and which were not.
fn windows(record: &Record) -> String {
    let closed = |window: &Window| record.windows.get(&window.name);
    let row = |window: &Window| match closed(window) {
        Some(closed) => format!("{} was {}", window.name, closed.summary.verdict),
        None => format!("{} was not over ({})", window.name, show::length(window.length)),
    };
    record.plan.windows.iter().map(row).collect::<Vec<_>>().join("; ")
}
