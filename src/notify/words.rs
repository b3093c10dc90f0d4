//! Words that all media share: headlines, values against bounds, courses.
//! All text from outside is cut and freed of control characters on its way in.

use super::digest::{Content, Digest, State, Telling};
use super::overview;
use crate::check::StepResult;
use crate::judge::Bound;
use crate::metrics::show;
use crate::model::{Labels, Name, Severity, Span, Timestamp};
use crate::record::{Ack, AlertNews, Waited};

pub use crate::model::cut;

/// Characters of a free text (a summary, a reason, a notice).
pub const TEXT_CHARS_MAX: usize = 600;

/// Characters of a short text: a name, a label's value.
pub const NAME_CHARS_MAX: usize = 120;

/// Labels of one alert; the rest is counted.
pub const LABELS_MAX: usize = 16;

/// What a letter says at first sight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headline {
    /// `FIRING`, `RESOLVED`, `CLOSED`, `SMOKE FAILED`, `RELEASED`, `NOTICE`, `DIGEST` or a verdict.
    pub tag: &'static str,
    /// The worst of what it tells.
    pub severity: Option<Severity>,
    /// What it is about: `HighErrorRate and 2 more`.
    pub about: String,
}

/// The first sight of a letter.
pub fn headline(digest: &Digest) -> Headline {
    match &digest.content {
        Content::News { tellings, notices, .. } => match (tellings.first(), notices.first()) {
            (Some(first), _) => {
                let what = format!("{}{}", alert_name(first.alert), merged(first));
                let about = and_more(what, tellings.len() + notices.len());
                let severity = Some(first.alert.severity);
                Headline { tag: tag(first.state), severity, about }
            }
            (None, Some(first)) => {
                let about = and_more(cut(first.text, NAME_CHARS_MAX), notices.len());
                let severity = notices.iter().map(|notice| notice.severity).max();
                Headline { tag: "NOTICE", severity, about }
            }
            (None, None) => unreachable!("a digest of nothing is none"),
        },
        Content::Released => {
            let about = format!("out since {}", digest.release.at.for_people());
            Headline { tag: "RELEASED", severity: None, about }
        }
        Content::Smoke(steps) => {
            // What failed a must is what failed the release.
            let worst = steps.iter().find(|step| step.must).or(steps.first());
            let name =
                worst.map_or_else(String::new, |step| cut(step.step.as_str(), NAME_CHARS_MAX));
            let about = and_more(name, steps.len());
            Headline { tag: "SMOKE FAILED", severity: Some(Severity::Critical), about }
        }
        Content::Overview(overview) => {
            let about = overview::about(overview);
            Headline { tag: "DIGEST", severity: None, about }
        }
        Content::Summary(summary) => {
            let about = match &summary.superseded {
                Some(next) => format!("superseded by {}", cut(next.by.as_str(), NAME_CHARS_MAX)),
                None => format!("{} summary", cut(summary.window.as_str(), NAME_CHARS_MAX)),
            };
            Headline { tag: verdict_tag(summary.verdict), severity: None, about }
        }
    }
}

/// An incident's state in capitals.
pub fn tag(state: State) -> &'static str {
    match state {
        State::Firing => "FIRING",
        State::Closed => "CLOSED",
        State::Resolved => "RESOLVED",
    }
}

fn verdict_tag(verdict: crate::model::Verdict) -> &'static str {
    use crate::model::Verdict;
    match verdict {
        Verdict::Healthy => "HEALTHY",
        Verdict::Degraded => "DEGRADED",
        Verdict::Failed => "FAILED",
        Verdict::Inconclusive => "INCONCLUSIVE",
    }
}

fn and_more(first: String, count: usize) -> String {
    if count <= 1 { first } else { format!("{first} and {} more", count - 1) }
}

/// A resolve of which no letter told the fire says so at first sight, and so
/// does a reminder.
fn merged(telling: &Telling) -> String {
    match (telling.state, telling.is_known, telling.why.reminder) {
        (State::Resolved | State::Closed, false, _) => " (fired and ended)".to_owned(),
        (State::Firing, true, Some(number)) => format!(" (reminder {number})"),
        _ => String::new(),
    }
}

/// The rule and the labels: `HighErrorRate {path="/api/chat"}`.
pub fn alert_name(alert: &AlertNews) -> String {
    alert_name_of(&alert.rule, &alert.labels)
}

/// The same of one that is told without its turns.
pub fn alert_name_of(rule: &Name, labels: &Labels) -> String {
    let rule = cut(rule.as_str(), NAME_CHARS_MAX);
    if labels.is_empty() {
        return rule;
    }
    cut(&format!("{rule} {labels}"), 2 * NAME_CHARS_MAX)
}

/// Labels within their limits, and how many were left out.
pub fn labels(labels: &Labels) -> (Vec<(String, String)>, usize) {
    let shown = labels.iter().take(LABELS_MAX);
    let shown = shown.map(|(name, value)| (cut(name, NAME_CHARS_MAX), cut(value, NAME_CHARS_MAX)));
    (shown.collect(), labels.len().saturating_sub(LABELS_MAX))
}

/// `error_ratio`, or `latency p99`.
pub fn signal(alert: &AlertNews) -> String {
    let name = cut(alert.signal.as_str(), NAME_CHARS_MAX);
    match alert.quantile {
        Some(quantile) => format!("{name} p{}", (quantile * 1e6).round() / 1e4),
        None => name,
    }
}

/// `7.1% (limit: at most 5%)`.
pub fn value_against_bound(alert: &AlertNews, is_breach: bool) -> String {
    let value =
        if is_breach { breach(alert, alert.value.0) } else { show(alert.unit, alert.value.0) };
    let side = match alert.bound {
        Bound::Above(_) => "at most",
        Bound::Below(_) => "at least",
        Bound::Expression => return value,
    };
    let bound = show(alert.unit, alert.bound.value());
    format!("{value} (limit: {side} {bound})")
}

/// A reading that broke the bound. A histogram cannot show more than its last
/// finite bound: a quantile that is not above the rule's lies somewhere beyond.
pub fn breach(alert: &AlertNews, value: f64) -> String {
    let or_more = match (alert.quantile, alert.bound) {
        (Some(_), Bound::Above(bound)) if value <= bound => " or more",
        _ => "",
    };
    format!("{}{or_more}", show(alert.unit, value))
}

/// What happened since it was last told, where that is more than one turn.
pub fn course(telling: &Telling) -> Option<String> {
    let flips = telling.flips;
    match (telling.is_known, telling.state, flips) {
        (_, _, 1) => None,
        (false, State::Resolved, 2) => {
            Some("It fired and resolved before it could be told.".to_owned())
        }
        (false, State::Closed, 2) => {
            let end = if telling.alert.is_rule_removed {
                "its rule was removed"
            } else {
                "the watch ended"
            };
            Some(format!("It fired, and {end}, before it could be told."))
        }
        (false, State::Firing | State::Resolved | State::Closed, _) => Some(format!(
            "It changed {flips} times before it could be told; this is how it stands."
        )),
        (true, State::Firing | State::Resolved | State::Closed, _) => {
            Some(format!("It changed {flips} times since it was last told; this is how it stands."))
        }
    }
}

/// Why it is told again, or here, in sentences.
pub fn insistence(telling: &Telling, at: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    if let (State::Firing, Some(number)) = (telling.state, telling.why.reminder) {
        let burning = whole_seconds(at.since(telling.alert.fired_at));
        said.push(format!(
            "Reminder {number}: it has fired for {burning}, and nobody has acknowledged it."
        ));
    }
    if let Some(after) = telling.why.unacknowledged_for {
        said.push(format!("Nobody acknowledged it within {after}: that is why it is told here."));
    }
    if let Some(from) = telling.why.in_place_of {
        let from = cut(from.as_str(), NAME_CHARS_MAX);
        said.push(format!("Channel {from} could not be told of it: this is in its place."));
    }
    said
}

/// What a letter waited for.
pub fn waited(waited: Waited) -> &'static str {
    match waited {
        Waited::Quiet => "held for quiet hours",
        Waited::Limit => "held, since this channel had its number of letters for ten minutes",
    }
}

/// Who has acknowledged something.
pub fn by(ack: &Ack) -> String {
    cut(&ack.by, NAME_CHARS_MAX)
}

fn whole_seconds(span: Span) -> Span {
    Span::from_secs(span.millis().div_euclid(1000))
}

/// How a smoke step failed, in one line for each assertion that did not hold.
pub fn misses(step: &StepResult) -> Vec<String> {
    let short = |text: &str| cut(text, TEXT_CHARS_MAX / 2);
    let line = |miss: &crate::check::Miss| {
        let (assertion, actual) = (short(&miss.assertion), short(&miss.actual));
        format!("{assertion}: got {actual}, wanted {}", short(&miss.expected))
    };
    step.misses.iter().map(line).collect()
}
