//! Replicas together, and each target.

use crate::metrics::Unit;
use crate::model::{Number, Timestamp};
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
    let mut columns = vec![
        ("Target", Side::Left),
        ("Up", Side::Right),
        ("Scrapes read", Side::Right),
        ("At the end", Side::Left),
    ];
    let is_found = summary.targets.iter().any(|target| target.stays.is_some());
    if is_found {
        columns.extend([("Came", Side::Left), ("Left", Side::Left)]);
    }
    let (shown, rest) = chosen(&summary.targets);
    let mut paragraphs: Vec<Text> = std::iter::once(said).chain(versions(summary)).collect();
    if rest > 0 {
        paragraphs.push(Text::from(format!("{rest} more came and left; they are not shown.")));
    }
    let rows = shown.into_iter().map(|target| row(target, is_found)).collect();
    Some(Section {
        title: "Replicas and targets",
        paragraphs,
        table: Some(Table { caption: "Targets", columns, rows }),
        ..Section::default()
    })
}

/// `2 of 3 replicas say that they run v1.2.3; b:8000 says 1.2.2.` Nothing
/// where no replica tells a version.
fn versions(summary: &Summary) -> Vec<Text> {
    let is_here = |target: &&TargetSummary| target.stays.is_none_or(|stays| stays.left.is_none());
    let here = || summary.targets.iter().filter(is_here);
    let told: Vec<(&str, &Runs)> =
        here().filter_map(|target| Some((target.name.as_str(), target.runs.as_ref()?))).collect();
    let Some((_, first)) = told.first() else { return Vec::new() };
    let of = here().count();
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

/// So many targets that have left are shown, the last to leave; a service that
/// scales all week has hundreds.
const LEFT_MAX: usize = 20;

/// All that were here at the end and some that were not, and how many are left out.
fn chosen(targets: &[TargetSummary]) -> (Vec<&TargetSummary>, usize) {
    let left = |target: &TargetSummary| target.stays.and_then(|stays| stays.left);
    let mut ends: Vec<Timestamp> = targets.iter().filter_map(left).collect();
    ends.sort_unstable_by(|a, b| b.cmp(a));
    let Some(last) = ends.get(LEFT_MAX) else { return (targets.iter().collect(), 0) };
    let is_shown = |target: &&TargetSummary| left(target).is_none_or(|at| at > *last);
    let shown: Vec<&TargetSummary> = targets.iter().filter(is_shown).collect();
    let rest = targets.len() - shown.len();
    (shown, rest)
}

fn row(target: &TargetSummary, is_found: bool) -> Vec<Text> {
    let share = |ratio: Option<Number>| match ratio {
        Some(ratio) => Text::from(show::share(ratio.0)),
        None => Text::new(Tone::Unknown, "not known"),
    };
    let mut cells = vec![
        Text::from(target.name.as_str()),
        share(target.availability),
        share(target.scraped),
        Text::from(&*target.health),
    ];
    if is_found {
        cells.extend(stays(target));
    }
    cells
}

/// When it came and when it left.
fn stays(target: &TargetSummary) -> [Text; 2] {
    let Some(stays) = target.stays else { return ["listed", "-"].map(Text::from) };
    let came = match stays.times {
        1 => show::instant(stays.came),
        times => format!("{}, {times} times", show::instant(stays.came)),
    };
    let left = stays.left.map_or_else(|| "-".to_owned(), show::instant);
    [came, left].map(Text::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MINUTE;
    use crate::record::Stays;
    use crate::report::tests::fixture;

    /// A target that came after so many minutes, and left after so many.
    fn target(name: &str, came: i64, left: Option<i64>, times: u32) -> TargetSummary {
        let at = |minutes: i64| Timestamp::default() + minutes * MINUTE;
        let stays = Some(Stays { came: at(came), left: left.map(at), times });
        let (availability, scraped) = (Some(Number(1.0)), None);
        TargetSummary {
            name: name.into(),
            availability,
            scraped,
            health: "left".into(),
            runs: None,
            stays,
        }
    }

    #[test]
    fn shows_when_a_target_came_how_often_and_when_it_left() {
        let cells = |target: TargetSummary| -> Vec<String> {
            row(&target, true).into_iter().skip(4).map(|cell| cell.words).collect()
        };
        let (came, left) = ("1 Jan 00:01", "1 Jan 00:03");
        assert_eq!(cells(target("a", 1, Some(3), 1)), [came, left]);
        assert_eq!(cells(target("a", 1, None, 4)), [&format!("{came}, 4 times"), "-"]);
        assert_eq!(
            cells(TargetSummary { stays: None, ..target("a", 1, None, 1) }),
            ["listed", "-"]
        );
    }

    #[test]
    fn leaves_out_those_that_left_long_ago_when_there_are_many_and_says_how_many() {
        let mut all: Vec<TargetSummary> =
            (0..30).map(|n| target(&format!("t{n}"), n, Some(n + 1), 1)).collect();
        all.push(target("here", 0, None, 1));
        let (shown, rest) = chosen(&all);
        assert_eq!((shown.len(), rest), (21, 10));
        assert!(shown.iter().any(|one| one.name == "here"));
        assert!(shown.iter().any(|one| one.name == "t29"));
        assert!(!shown.iter().any(|one| one.name == "t9"));
        assert_eq!(chosen(&all[..20]).1, 0);
    }

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
