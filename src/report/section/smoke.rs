//! The smoke suite: what was tried at once.

use crate::check::{Miss, StepResult, StepState};
use crate::metrics::Unit;
use crate::record::Summary;
use crate::report::page::{Section, Side, Table, Text, Tone};
use crate::report::show;

/// Each step with its outcome, and what did not hold.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let passed = summary.smoke.iter().filter(|step| step.state == StepState::Passed).count();
    let flaky = summary.smoke.iter().filter(|step| step.is_flaky()).count();
    let said = match (summary.smoke.len(), flaky) {
        (0, _) => "No smoke test has a result: nothing was asserted.".to_owned(),
        (all, 0) => format!("{passed} of {} passed.", show::plural(all, "test")),
        (all, n) => {
            format!("{passed} of {} passed, {n} not at the first try.", show::plural(all, "test"))
        }
    };
    Some(Section {
        title: "Smoke tests",
        paragraphs: vec![Text::from(said)],
        table: Some(Table {
            caption: "Steps of the smoke suite",
            columns: vec![
                ("Test", Side::Left),
                ("Result", Side::Left),
                ("Tries", Side::Right),
                ("Time", Side::Right),
            ],
            rows: summary.smoke.iter().map(row).collect(),
        }),
        list: summary.smoke.iter().flat_map(told).collect(),
        ..Section::default()
    })
}

/// The same, where there is something to look at.
pub(super) fn unless_passed(summary: &Summary) -> Option<Section> {
    let has_passed = |step: &StepResult| step.state == StepState::Passed;
    let is_worth_it = summary.smoke.is_empty() || !summary.smoke.iter().all(has_passed);
    section(summary).filter(|_| is_worth_it)
}

fn row(step: &StepResult) -> Vec<Text> {
    let kind = match (step.cleanup, step.must) {
        (true, _) => " (cleanup)",
        (false, true) => "",
        (false, false) => " (optional)",
    };
    let (tone, word) = match step.state {
        StepState::Passed if step.is_flaky() => (Tone::Warn, "passed, flaky"),
        StepState::Passed => (Tone::Good, "passed"),
        StepState::Failed => (Tone::Bad, "failed"),
        StepState::Skipped => (Tone::Quiet, "skipped"),
    };
    let (tries, time) = match step.state {
        StepState::Skipped => ("–".to_owned(), "–".to_owned()),
        StepState::Passed | StepState::Failed => {
            (step.attempts.to_string(), show::show(Unit::Seconds, step.elapsed.seconds_f64()))
        }
    };
    vec![
        Text::from(format!("{}{kind}", step.step)),
        Text::new(tone, word),
        Text::from(tries),
        Text::from(time),
    ]
}

/// What did not hold, at last or in the try before the pass, and why a step
/// was not tried where it is not for a `must` that failed.
fn told(step: &StepResult) -> impl Iterator<Item = Text> + '_ {
    let miss = |miss: &Miss, when: &str| {
        Text::from(format!(
            "{}{when}: {}: got {}, wanted {}",
            step.step, miss.assertion, miss.actual, miss.expected
        ))
    };
    let skipped = Some(&step.why).filter(|why| !why.is_empty());
    let last = step.misses.iter().map(move |one| miss(one, ""));
    let before = step.earlier.iter().map(move |one| miss(one, ", the try before"));
    let skipped = skipped.map(|why| Text::from(format!("{}: not tried: {why}", step.step)));
    last.chain(before).chain(skipped)
}
