//! The report as a whole: goldens of three watches, and what holds of any.

pub(super) mod fixture;
mod idle;
mod property;

use expect_test::expect_file;

use super::*;
use crate::model::Verdict;

/// Checks one rendering against `tests/goldens/reports/`.
fn check(name: &str, extension: &str, actual: &str) {
    let path = format!("{}/tests/goldens/reports/{name}.{extension}", env!("CARGO_MANIFEST_DIR"));
    expect_file![path].assert_eq(actual);
}

#[test]
fn renders_three_watches_as_their_goldens() {
    for (name, summary) in fixture::all() {
        for (extension, render) in FORMATS {
            // Some thousands of points as JSON show no more than sixty do.
            if extension != "json" || summary.signals.iter().all(|s| s.points.len() < 100) {
                check(name, extension, &render(&summary));
            }
        }
        check(name, "mail.html", &mail_html(&summary));
    }
}

#[test]
fn comes_to_the_verdict_that_each_watch_deserves() {
    let verdicts = fixture::all().map(|(_, summary)| summary.verdict);
    assert_eq!(verdicts, [Verdict::Healthy, Verdict::Failed, Verdict::Inconclusive]);
}

#[test]
fn reads_a_summary_back_from_its_json() {
    for (name, summary) in fixture::all() {
        let back: Summary = serde_json::from_str(&json(&summary)).unwrap();
        assert_eq!(back, summary, "{name}");
    }
}

#[test]
fn keeps_text_within_a_mails_columns_and_a_mail_within_what_is_shown() {
    for (name, summary) in fixture::all() {
        for line in text(&summary).lines() {
            assert!(line.chars().count() <= 78, "{name}: {line}");
        }
        assert!(mail_html(&summary).len() < 100_000, "{name}");
    }
}

#[test]
fn loses_no_peak_to_the_chart() {
    for (_, summary) in fixture::all() {
        for signal in summary.signals.iter().filter(|signal| signal.missing.is_none()) {
            let is_low_bad = signal.bounds.iter().any(|line| !line.above);
            let known = signal.points.iter().filter_map(|(_, value)| *value).map(|value| value.0);
            let (worst, wanted) = if is_low_bad {
                (known.reduce(f64::min), signal.min)
            } else {
                (known.reduce(f64::max), signal.max)
            };
            assert_eq!(worst, wanted.map(|value| value.0), "{}", signal.name);
            assert!(signal.points.len() <= 300, "{}", signal.name);
        }
    }
}

#[test]
fn shows_blind_time_as_a_gap() {
    let [_, (_, summary), _] = fixture::all();
    let blind = &summary.coverage.blind[0];
    let signal = summary.signals.iter().find(|signal| signal.name == "error_ratio").unwrap();
    let dark = signal.points.iter().filter(|(at, _)| *at > blind.from && *at < blind.to);
    let dark: Vec<_> = dark.skip(1).collect(); // the first bin may reach back into the light
    assert!(dark.len() > 10 && dark.iter().rev().skip(1).all(|(_, value)| value.is_none()));
}

#[test]
fn lets_no_markup_of_a_service_into_a_page() {
    let [_, (_, mut summary), _] = fixture::all();
    summary.targets[0].health = "<script>alert(1)</script>".to_owned();
    summary.alerts[0].rule = "a\"><svg onload=x>".into();
    summary.signals[0].bounds[0].rule = summary.alerts[0].rule.clone();
    for page in [html(&summary), mail_html(&summary)] {
        assert!(!page.contains("<script") && !page.contains("<svg onload"));
    }
}
