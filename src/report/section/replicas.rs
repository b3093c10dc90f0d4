//! Replicas together, and each target.

use crate::metrics::Unit;
use crate::model::Number;
use crate::record::{Runs, Summary, TargetSummary};
use crate::report::page::{Section, Side, Table, Text, Tone};
use crate::report::show;

/// How many were healthy, and how each target did.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let known = &summary.replicas;
    let count = |value: Option<Number>| show::show_known(Unit::Count, value);
    let said = match known.mean {
        None => Text::new(Tone::Unknown, "How many replicas were healthy is not known."),
        Some(_) => {
            let is_short = known.min.is_some_and(|min| min.0 < f64::from(known.expected));
            let tone = if is_short { Tone::Warn } else { Tone::Plain };
            let words = format!(
                "Healthy at once: {} at least, {} on average, {} at most; {} expected.",
                count(known.min),
                count(known.mean),
                count(known.max),
                known.expected
            );
            Text::new(tone, words)
        }
    };
    Some(Section {
        title: "Replicas and targets",
        paragraphs: std::iter::once(said).chain(versions(summary)).collect(),
        table: Some(Table {
            caption: "Targets",
            columns: vec![
                ("Target", Side::Left),
                ("Up", Side::Right),
                ("Scrapes read", Side::Right),
                ("At the end", Side::Left),
            ],
            rows: summary.targets.iter().map(row).collect(),
        }),
        ..Section::default()
    })
}

/// `2 of 3 replicas say that they run v1.2.3; b:8000 says 1.2.2.` Nothing
/// where no replica tells a version.
fn versions(summary: &Summary) -> Vec<Text> {
    let told: Vec<(&str, &Runs)> = summary
        .targets
        .iter()
        .filter_map(|target| Some((target.name.as_str(), target.runs.as_ref()?)))
        .collect();
    let Some((_, first)) = told.first() else { return Vec::new() };
    let of = summary.targets.len();
    let right = told.iter().filter(|(_, runs)| runs.is_release).count();
    let says = if right == 1 || of == 1 { "says that it runs" } else { "say that they run" };
    let all = if of == 1 { "replica" } else { "replicas" };
    let mut words = format!("{right} of {of} {all} {says} {}", summary.release.version);
    let wrong = told.iter().filter(|(_, runs)| !runs.is_release);
    for (name, runs) in wrong.clone().take(NAMED_MAX) {
        words.push_str(&format!("; {name} says {}", runs.version));
    }
    let more = wrong.count().saturating_sub(NAMED_MAX);
    if more > 0 {
        words.push_str(&format!("; {more} more say another"));
    }
    if told.len() < of {
        words.push_str(&format!("; {} told none", of - told.len()));
    }
    let is_right = right == of;
    let tone = if first.is_judged && !is_right { Tone::Warn } else { Tone::Plain };
    let mut lines = vec![Text::new(tone, format!("{words}."))];
    if !first.is_judged && !is_right {
        let why = "This is only noted: many services tell a version that never changes. \
                   `health.version` says where the release's is to be read.";
        lines.push(Text::new(Tone::Quiet, why));
    }
    lines
}

/// Replicas named in a sentence; the table below has no version of its own.
const NAMED_MAX: usize = 5;

fn row(target: &TargetSummary) -> Vec<Text> {
    let share = |ratio: Option<Number>| match ratio {
        Some(ratio) => Text::from(show::share(ratio.0)),
        None => Text::new(Tone::Unknown, "not known"),
    };
    vec![
        Text::from(target.name.as_str()),
        share(target.availability),
        share(target.scraped),
        Text::from(&*target.health),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::fixture;

    /// What is said of versions where each target tells one of these.
    fn check(told: [Option<&str>; 3], is_judged: bool, expected: &[&str]) {
        let [(_, mut summary), ..] = fixture::all();
        for (target, told) in summary.targets.iter_mut().zip(told) {
            target.runs = told.map(|version| Runs {
                version: version.to_owned(),
                is_release: version == "v1.2.3",
                is_judged,
            });
        }
        summary.release.version = "v1.2.3".into();
        let said = versions(&summary);
        assert_eq!(said.iter().map(|text| &*text.words).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn counts_who_runs_the_release_and_names_who_does_not() {
        let new = Some("v1.2.3");
        check([None; 3], true, &[]);
        check([new; 3], true, &["3 of 3 replicas say that they run v1.2.3."]);
        check(
            [new, Some("1.2.2"), None],
            true,
            &["1 of 3 replicas says that it runs v1.2.3; 10.0.0.12:8000 says 1.2.2; 1 told none."],
        );
        check(
            [Some("1.0.0"); 3],
            false,
            &[
                "0 of 3 replicas say that they run v1.2.3; 10.0.0.11:8000 says 1.0.0; \
                 10.0.0.12:8000 says 1.0.0; 10.0.0.13:8000 says 1.0.0.",
                "This is only noted: many services tell a version that never changes. \
                 `health.version` says where the release's is to be read.",
            ],
        );
    }
}
