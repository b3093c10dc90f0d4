//! JUnit's XML as Jenkins, GitLab and most others read it: the attributes of
//! the surefire report, with its `flakyFailure` for a pass at a later try.

use std::fmt::Write;

use super::{SmokeRun, kind, line};
use crate::check::{StepResult, StepState};
use crate::model::Span;

/// The document: a suite for each service.
pub(super) fn render(runs: &[SmokeRun]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = || runs.iter().flat_map(|run| &run.results);
    let _ = writeln!(xml, "<testsuites name=\"bakewatch smoke\" {}>", totals(all()));
    for run in runs {
        let (service, totals) = (escape(run.service.as_str()), totals(run.results.iter()));
        let _ = writeln!(xml, "  <testsuite name=\"{service}\" {totals}>");
        let _ = writeln!(xml, "    <properties>");
        let mut property = |name: &str, value: &str| {
            let value = escape(value);
            let _ = writeln!(xml, "      <property name=\"{name}\" value=\"{value}\"/>");
        };
        property("run_id", &run.run_id);
        property("verdict", run.verdict.as_str());
        if let Some(release) = &run.release {
            property("release", release.as_str());
        }
        let _ = writeln!(xml, "    </properties>");
        for result in &run.results {
            case(&mut xml, run, result);
        }
        let _ = writeln!(xml, "  </testsuite>");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// The counts of a suite. A cleanup that fails judges nothing: it is no failure.
fn totals<'r>(results: impl Iterator<Item = &'r StepResult> + Clone) -> String {
    let count = |wanted: fn(&StepResult) -> bool| results.clone().filter(|one| wanted(one)).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{}\"",
        results.clone().count(),
        count(StepResult::has_failed),
        count(|one| one.state == StepState::Skipped),
        seconds(results.clone().fold(Span::ZERO, |sum, one| sum + one.elapsed)),
    )
}

fn case(xml: &mut String, run: &SmokeRun, result: &StepResult) {
    let first = result.misses.iter().chain(&result.earlier).next();
    let place = first.and_then(|miss| run.places.of(&result.step, &miss.assertion));
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
        escape(run.service.as_str()),
        escape(result.step.as_str()),
        seconds(result.elapsed)
    );
    if let Some(place) = place {
        let _ = write!(xml, " file=\"{}\" line=\"{}\"", escape(&place.file), place.line);
    }
    let _ = write!(
        xml,
        ">\n      <properties>\n        \
         <property name=\"kind\" value=\"{}\"/>\n        \
         <property name=\"attempts\" value=\"{}\"/>\n      </properties>\n",
        kind(result),
        result.attempts
    );
    let fault = |misses: &[crate::check::Miss]| {
        let message = escape(&misses.iter().map(line).collect::<Vec<_>>().join("; "));
        (message, escape(&run.readings(result, misses)))
    };
    match result.state {
        StepState::Passed if result.is_flaky() => {
            let (message, text) = fault(&result.earlier);
            let _ = writeln!(
                xml,
                "      <flakyFailure message=\"{message}\" type=\"assertion\">{text}</flakyFailure>"
            );
        }
        StepState::Passed => {}
        StepState::Failed if result.cleanup => {
            let (_, text) = fault(&result.misses);
            let _ = writeln!(xml, "      <system-err>cleanup failed\n{text}</system-err>");
        }
        StepState::Failed => {
            let (message, text) = fault(&result.misses);
            let _ = writeln!(
                xml,
                "      <failure message=\"{message}\" type=\"{}\">{text}</failure>",
                kind(result)
            );
        }
        StepState::Skipped => {
            let why = escape(result.why_skipped());
            let _ = writeln!(xml, "      <skipped message=\"{why}\"/>");
        }
    }
    let _ = writeln!(xml, "    </testcase>");
}

fn seconds(span: Span) -> String {
    format!("{:.3}", span.seconds_f64())
}

/// XML 1.0 has no way to write most control characters, not even escaped.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c < ' ' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
