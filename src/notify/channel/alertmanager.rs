//! Alerts as Prometheus's Alertmanager knows them: what it takes from others
//! (`/api/v2/alerts`), and what it tells its own receivers (the webhook, version
//! 4), so that whatever was made for it works here.
//!
//! An alert is told apart by its labels, so that none of them is cut here, and the
//! release, which changes while an alert burns, is an annotation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::check::StepResult;
use crate::model::{HOUR, MINUTE, Name, Severity, Span, Timestamp};
use crate::notify::digest::{Content, Digest, Notice, Reason, State};
use crate::notify::letter::hex_of;
use crate::notify::words::{self, NAME_CHARS_MAX, TEXT_CHARS_MAX, cut};
use crate::record::AlertNews;

/// An alert burns there for so long after it was last sent, four times the
/// interval: as Prometheus has it.
const BURNS_FOR: Span = Span::from_millis(4 * MINUTE.millis());

/// What bakewatch says of itself has no end that anybody could see.
const NOTICE_FOR: Span = HOUR;

/// Of one body; what is beyond is counted in it.
const BODY_BYTES_MAX: usize = 512 << 10;

/// When an alert that burns ends, in the webhook.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// One alert, with what stands on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    /// `None`: it burns.
    ends_at: Option<Timestamp>,
}

impl Alert {
    fn burns_at(&self, at: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| at < end)
    }
}

/// A digest for `/api/v2/alerts`.
pub fn push(digest: &Digest) -> String {
    body(&alerts(digest), digest.url)
}

/// Alerts for `/api/v2/alerts`. Those that burn have no end yet: it is counted
/// from each try, and put in by `filled`.
pub fn body(alerts: &[Alert], url: &str) -> String {
    let one = |alert: &Alert| {
        let mut value = json!({
            "labels": alert.labels, "annotations": alert.annotations,
            "startsAt": alert.starts_at.rfc3339(),
        });
        if let Some(at) = alert.ends_at {
            value["endsAt"] = at.rfc3339().into();
        }
        if is_web(url) {
            value["generatorURL"] = url.into();
        }
        value
    };
    Value::Array(alerts.iter().map(one).collect()).to_string()
}

/// The same as it is sent at this time.
pub fn filled(json: &str, now: Timestamp) -> String {
    let Ok(Value::Array(mut alerts)) = serde_json::from_str(json) else { return json.to_owned() };
    for alert in alerts.iter_mut().filter(|alert| alert["endsAt"].is_null()) {
        // The clock may have been set back since it began: an end before that is refused.
        let began = alert["startsAt"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let from = began.map_or(now, |began| now.max(began));
        alert["endsAt"] = (from + BURNS_FOR).rfc3339().into();
    }
    Value::Array(alerts).to_string()
}

/// A digest as Alertmanager's receivers get it, in the name of this receiver.
pub fn webhook(receiver: &Name, digest: &Digest) -> String {
    let mut all = alerts(digest);
    if let Content::News { others, .. } = &digest.content {
        // A group is told whole.
        let firing = others.iter().map(|news| of_news(digest, news, State::Firing));
        all.extend(firing);
    }
    let is_firing = all.iter().any(|alert| alert.burns_at(digest.at));
    let mut shown: Vec<Value> = Vec::new();
    let mut bytes = 0;
    for alert in &all {
        let value = in_group(alert, digest);
        bytes += value.to_string().len();
        if bytes > BODY_BYTES_MAX && !shown.is_empty() {
            break;
        }
        shown.push(value);
    }
    let service = digest.release.service.as_str();
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{service={service:?}}}"),
        "truncatedAlerts": all.len() - shown.len(),
        "status": if is_firing { "firing" } else { "resolved" },
        "receiver": receiver.as_str(),
        "groupLabels": { "service": service },
        "commonLabels": common(all.iter().map(|alert| &alert.labels)),
        "commonAnnotations": common(all.iter().map(|alert| &alert.annotations)),
        "externalURL": digest.url,
        "notification_reason": reason(digest),
        "alerts": shown,
    })
    .to_string()
}

/// An incident of the news, as it is pushed.
pub fn of_news(digest: &Digest, news: &AlertNews, state: State) -> Alert {
    let mut labels = own_labels(digest, news.rule.as_str(), news.severity);
    for (name, value) in news.all_labels().shared() {
        let mut name = label_name(name);
        if labels.contains_key(&name) {
            name = format!("exported_{name}"); // as Prometheus has it
        }
        labels.insert(name, value.to_string());
    }
    let mut annotations = annotations(digest, cut(&news.summary, TEXT_CHARS_MAX));
    let shown = words::value_against_bound(news, state == State::Firing);
    annotations.insert("description".to_owned(), format!("{}: {shown}", words::signal(news)));
    if let Some(runbook) = &news.runbook {
        annotations.insert("runbook_url".to_owned(), cut(runbook, TEXT_CHARS_MAX));
    }
    let ends_at = match state {
        State::Firing => None,
        State::Resolved | State::Closed => Some(news.ended_at.unwrap_or(digest.at)),
    };
    Alert { labels, annotations, starts_at: news.fired_at, ends_at }
}

/// A failed suite. It burns as long as its watch stands.
pub fn of_smoke(digest: &Digest, steps: &[StepResult]) -> Alert {
    let labels = own_labels(digest, "SmokeFailed", Severity::Critical);
    let failed: Vec<String> = steps
        .iter()
        .filter(|step| step.has_failed())
        .map(|step| format!("{}: {}", step.step, words::misses(step).join("; ")))
        .collect();
    let about = words::headline(digest).about;
    let mut annotations = annotations(digest, format!("the smoke suite failed: {about}"));
    annotations.insert("description".to_owned(), cut(&failed.join("; "), 2 * TEXT_CHARS_MAX));
    Alert { labels, annotations, starts_at: digest.at, ends_at: None }
}

/// All that a digest tells, as alerts.
fn alerts(digest: &Digest) -> Vec<Alert> {
    match &digest.content {
        Content::News { tellings, notices, .. } => {
            let told = tellings.iter().map(|one| of_news(digest, one.alert, one.state));
            told.chain(notices.iter().map(|notice| of_notice(digest, notice))).collect()
        }
        Content::Smoke(steps) => vec![of_smoke(digest, steps)],
        Content::Released => vec![of_event(digest, "Release", None)],
        Content::Overview(overview) => vec![of_event(digest, "ReleaseDigest", Some(overview.from))],
        Content::Summary(summary) => vec![of_event(digest, "ReleaseSummary", Some(summary.from))],
    }
}

fn of_notice(digest: &Digest, notice: &Notice) -> Alert {
    let mut labels = own_labels(digest, "BakewatchNotice", notice.severity);
    labels.insert("notice".to_owned(), hex_of([notice.text])[..16].to_owned());
    let annotations = annotations(digest, cut(notice.text, TEXT_CHARS_MAX));
    Alert { labels, annotations, starts_at: digest.at, ends_at: Some(digest.at + NOTICE_FOR) }
}

/// What is worth knowing, and burns nowhere.
fn of_event(digest: &Digest, name: &str, from: Option<Timestamp>) -> Alert {
    let headline = words::headline(digest);
    let labels = own_labels(digest, name, Severity::Info);
    let annotations = annotations(digest, format!("{}: {}", headline.tag, headline.about));
    let starts_at = from.unwrap_or(digest.at);
    Alert { labels, annotations, starts_at, ends_at: Some(digest.at) }
}

fn own_labels(digest: &Digest, name: &str, severity: Severity) -> BTreeMap<String, String> {
    let service = digest.release.service.as_str();
    [("alertname", name), ("severity", severity.as_str()), ("service", service)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn annotations(digest: &Digest, summary: String) -> BTreeMap<String, String> {
    let release = cut(digest.release.version.as_str(), NAME_CHARS_MAX);
    [("summary".to_owned(), summary), ("release".to_owned(), release)].into()
}

/// What Alertmanager takes as a label's name.
fn label_name(name: &str) -> String {
    let safe = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
    let name: String = name.chars().map(safe).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

fn in_group(alert: &Alert, digest: &Digest) -> Value {
    let burns = alert.burns_at(digest.at);
    let ends_at = alert.ends_at.filter(|_| !burns);
    json!({
        "status": if burns { "firing" } else { "resolved" },
        "labels": alert.labels, "annotations": alert.annotations,
        "startsAt": alert.starts_at.rfc3339(),
        "endsAt": ends_at.map_or(NEVER.to_owned(), Timestamp::rfc3339),
        "generatorURL": digest.url,
        "fingerprint": format!("{:016x}", fingerprint(&alert.labels)),
    })
}

/// What all of them have alike.
fn common<'a>(
    mut all: impl Iterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    let mut common = all.next().cloned().unwrap_or_default();
    all.for_each(|other| common.retain(|name, value| other.get(name) == Some(value)));
    common
}

/// Why the group is told now.
fn reason(digest: &Digest) -> &'static str {
    match &digest.content {
        Content::News { reason: Some(reason), .. } => reason.as_str(),
        _ => Reason::First.as_str(),
    }
}

/// As Prometheus has it, so that an alert has the same here and there: FNV-1a
/// over names and values in order, 0xff after each.
fn fingerprint(labels: &BTreeMap<String, String>) -> u64 {
    let parts = labels.iter().flat_map(|(name, value)| [name, value]);
    let bytes = parts.flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn is_web(url: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme))
}

#[cfg(test)]
mod tests;
