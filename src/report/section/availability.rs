//! Health probes over the window.

use crate::record::Summary;
use crate::report::page::{Section, Text, Tone};
use crate::report::show;

/// One or two sentences.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let known = &summary.availability;
    let all = known.ok + known.failed;
    let mut paragraphs = Vec::new();
    match known.ratio {
        None => paragraphs.push(Text::new(Tone::Unknown, "No health probe is known.")),
        Some(ratio) => paragraphs.push(Text::from(format!(
            "{} of {} health probes found their target up ({}); {} found it down.",
            show::count(known.ok as f64),
            show::count(all as f64),
            show::share(ratio.0),
            if known.failed == 0 { "none".to_owned() } else { show::count(known.failed as f64) },
        ))),
    }
    let more = [
        (known.flaky, "was up only at a second try", "were up only at a second try"),
        (known.unknown, "has no known answer", "have no known answer"),
    ];
    let more: Vec<String> = more
        .into_iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, one, many)| {
            format!("{} {}", show::count(count as f64), if count == 1 { one } else { many })
        })
        .collect();
    if !more.is_empty() {
        paragraphs.push(Text::from(format!("Of the probes {}.", more.join("; "))));
    }
    Some(Section { title: "Availability", paragraphs, ..Section::default() })
}
