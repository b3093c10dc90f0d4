//! Replicas together, and each target.

use crate::metrics::Unit;
use crate::model::{Number, Timestamp};
use crate::record::{Summary, TargetSummary};
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
    let mut paragraphs = vec![said];
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

    /// A target that came after so many minutes, and left after so many.
    fn target(name: &str, came: i64, left: Option<i64>, times: u32) -> TargetSummary {
        let at = |minutes: i64| Timestamp::default() + minutes * MINUTE;
        let stays = Some(Stays { came: at(came), left: left.map(at), times });
        let (availability, scraped) = (Some(Number(1.0)), None);
        TargetSummary { name: name.into(), availability, scraped, health: "left".into(), stays }
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
}
