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
        // With its year, which may be long past.
        ..0 => format!("ended {:.10}", leaf.not_after.rfc3339()),
        _ => format!("{} left", show::plural(days as usize, "day")),
    };
    let trust = tls.distrust.as_ref().map_or_else(String::new, |why| format!("; {why}"));
    let tone = if days < DAYS_FEW || tls.distrust.is_some() { Tone::Warn } else { Tone::Plain };
    Text::new(tone, format!("TLS {}, by {}, {end}{trust}", tls.version, leaf.issuer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Certificate, Distrust, Number, Span, TlsFacts};

    fn seen(days_left: i64, distrust: Option<Distrust>) -> CheckSummary {
        let end = Timestamp::default() + days_left * DAY;
        let leaf = Certificate {
            subject: "CN=agent".to_owned(),
            issuer: "CN=Our CA".to_owned(),
            names: Vec::new(),
            not_before: Timestamp::default(),
            not_after: end,
            is_self_signed: false,
        };
        let tls = TlsFacts {
            version: "1.3".to_owned(),
            cipher: String::new(),
            alpn: None,
            chain: vec![leaf],
            distrust,
            expires_in: Span::ZERO,
        };
        CheckSummary {
            name: "cache".into(),
            asked: "tls redis:6379".to_owned(),
            must: false,
            is_implied: false,
            passed: Some(Number(0.5)),
            passes: Some(false),
            reason: "an answer: connection refused".to_owned(),
            tls: Some(tls),
        }
    }

    fn words(check: &CheckSummary) -> Vec<String> {
        row(check, Timestamp::default()).into_iter().map(|text| text.words).collect()
    }

    #[test]
    fn tells_what_was_asked_what_came_of_it_and_whose_certificate_it_was() {
        let good = words(&seen(76, None));
        let cert = "TLS 1.3, by CN=Our CA, 76 days left";
        let end = "an answer: connection refused";
        assert_eq!(good, ["cache (optional)", "tls redis:6379", "50%", cert, end]);
        let tone = |check: &CheckSummary| certificate(check, Timestamp::default()).tone;
        assert_eq!((tone(&seen(76, None)), tone(&seen(13, None))), (Tone::Plain, Tone::Warn));
        let other = &words(&seen(76, Some(Distrust::WrongHost)))[3];
        assert!(other.ends_with("; the certificate is for another host"), "{other}");
        let over = &words(&seen(-1, Some(Distrust::Expired)))[3];
        assert!(over.contains("ended 1969-12-31"), "{over}");
    }

    #[test]
    fn calls_what_was_never_heard_not_known() {
        let none = CheckSummary { passed: None, passes: None, tls: None, ..seen(1, None) };
        assert_eq!(words(&none)[2..], ["not known", "–", "not known"]);
    }
}
