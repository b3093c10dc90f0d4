//! What was asked besides HTTP, and the certificates that were seen.

use crate::model::{DAY, Timestamp};
use crate::record::{CheckSummary, Summary};
use crate::report::page::{Section, Side, Table, Text, Tone};
use crate::report::show;

/// Nearer to its end a certificate is worth a look.
const DAYS_FEW: i64 = 14;

/// Each check with what it came to; nothing where there is none.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    if summary.checks.is_empty() {
        return None;
    }
    let asked = || summary.checks.iter().filter(|check| !check.is_implied);
    let good = asked().filter(|check| check.passes == Some(true)).count();
    let said = match asked().count() {
        0 => "Nothing was asked besides HTTP but for certificates.".to_owned(),
        all => format!("{good} of {} passed at the end.", show::plural(all, "check")),
    };
    Some(Section {
        title: "Checks",
        paragraphs: vec![Text::from(said)],
        table: Some(Table {
            caption: "Checks beyond HTTP",
            columns: vec![
                ("Check", Side::Left),
                ("Asked", Side::Left),
                ("Passed", Side::Right),
                ("Certificate", Side::Left),
                ("At the end", Side::Left),
            ],
            rows: summary.checks.iter().map(|check| row(check, summary.to)).collect(),
        }),
        ..Section::default()
    })
}

fn row(check: &CheckSummary, to: Timestamp) -> Vec<Text> {
    let should = if check.must || check.is_implied { "" } else { " (optional)" };
    let passed = match check.passed {
        Some(ratio) => Text::from(show::share(ratio.0)),
        None => Text::new(Tone::Unknown, "not known"),
    };
    let end = match check.passes {
        Some(true) => Text::new(Tone::Good, "passes"),
        Some(false) if check.must => Text::new(Tone::Bad, &*check.reason),
        Some(false) => Text::new(Tone::Warn, &*check.reason),
        None => Text::new(Tone::Unknown, "not known"),
    };
    vec![
        Text::from(format!("{}{should}", check.name)),
        Text::from(&*check.asked),
        passed,
        certificate(check, to),
        end,
    ]
}

/// `TLS 1.3, by CN=…, 76 days left`.
fn certificate(check: &CheckSummary, to: Timestamp) -> Text {
    let Some(tls) = &check.tls else { return Text::new(Tone::Quiet, "–") };
    let Some(leaf) = tls.leaf() else { return Text::new(Tone::Quiet, "–") };
    let left = leaf.not_after.since(to);
    let days = left.millis().div_euclid(DAY.millis());
    let end = match days {
        ..0 => format!("ended {}", show::instant(leaf.not_after)),
        _ => format!("{} left", show::plural(days as usize, "day")),
    };
    let trust = tls.distrust.as_ref().map_or_else(String::new, |why| format!("; {why}"));
    let tone = if days < DAYS_FEW || tls.distrust.is_some() { Tone::Warn } else { Tone::Plain };
    Text::new(tone, format!("TLS {}, by {}, {end}{trust}", tls.version, leaf.issuer))
}
