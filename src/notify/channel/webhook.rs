//! A JSON body after the Standard Webhooks specification, and its signature:
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
//!
//! | `type` | `data.status` | in `data`, with `watch`, `release` and `text` |
//! |---|---|---|
//! | `release.alert` | `firing` while one is, else `resolved` | `alerts`, `notices`, … |
//! | `release.notice` | `notice` | `notices` |
//! | `release.smoke_failed` | `failed` | `smoke` |
//! | `release.digest` | `firing`, `inconclusive`, `degraded`, `resolved` or `quiet` | `digest` |
//! | `release.summary` | the verdict | `window`, `reasons`, `figures`, `summary` |
//!
//! `timestamp` is when the latest of the news became true, not when it was
//! sent: the body is the same to the byte on every try.

mod sign;
pub mod template;

use serde::Serialize;

pub use sign::sign;

use crate::judge::Bound;
use crate::metrics::{Unit, show};
use crate::model::{Name, Number, Severity, Span, Template, Timestamp, Verdict};
use crate::notify::digest::{self, Content, Digest, Reason, State, Telling};
use crate::notify::letter::Body;
use crate::notify::overview::Standing;
use crate::notify::words::{self, NAME_CHARS_MAX, TEXT_CHARS_MAX, cut};
use crate::record::{AlertNews, Overview, Summary, Waited};

/// Receivers commonly refuse more than a few hundred KiB; beyond this, parts
/// are left out and named in `truncated`.
const BODY_BYTES_MAX: usize = 256 << 10;

/// Of alerts told in full; those beyond are told in short.
const ALERTS_BYTES_MAX: usize = 128 << 10;

/// Alerts told in short; more can only come from one fact (the watch's end).
const SHORT_MAX: usize = 200;

/// A digest as the body of a webhook.
pub fn compose(digest: &Digest, template: Option<&Template>) -> Body {
    let json = json_of(digest);
    match template {
        Some(template) => template::body(template, json),
        None => Body::Webhook { json },
    }
}

/// The body itself.
pub fn json_of(digest: &Digest) -> String {
    match &digest.content {
        Content::Summary(summary) => summary_json(digest, summary),
        Content::Overview(overview) => overview_json(digest, overview),
        Content::News { .. } | Content::Released | Content::Smoke(_) => {
            json(&envelope(digest, None))
        }
    }
}

/// The whole of it where it fits, else without the course of the signals,
/// else without all that can be read in the summary's files.
fn summary_json(digest: &Digest, summary: &Summary) -> String {
    let whole = json(&envelope(digest, Some(summary)));
    if whole.len() <= BODY_BYTES_MAX {
        return whole;
    }
    let mut less = summary.clone();
    less.signals.iter_mut().for_each(|signal| signal.points.clear());
    let mut envelope_less = envelope(digest, Some(&less));
    envelope_less.data.truncated = vec!["summary.signals.points".to_owned()];
    let less = json(&envelope_less);
    if less.len() <= BODY_BYTES_MAX {
        return less;
    }
    let mut least = envelope(digest, None);
    least.data.truncated = vec!["summary".to_owned()];
    json(&least)
}

/// The whole of it where it fits, else without its alerts one by one.
fn overview_json(digest: &Digest, overview: &Overview) -> String {
    let whole = json(&envelope(digest, None));
    if whole.len() <= BODY_BYTES_MAX {
        return whole;
    }
    let less = Overview { alerts: Vec::new(), ..overview.clone() };
    let mut envelope = envelope(digest, None);
    envelope.data.digest = Some(&less);
    envelope.data.truncated = vec!["digest.alerts".to_owned()];
    json(&envelope)
}

fn json(envelope: &Envelope) -> String {
    serde_json::to_string(envelope).expect("an envelope has texts and numbers only")
}

#[derive(Serialize)]
struct Envelope<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    watch: String,
    release: Release,
    /// `firing`, `resolved`, `failed`, `notice`, how a digest stands, or the verdict.
    status: &'static str,
    /// The first sight, for receivers that show one line.
    text: String,
    /// Why it is told now, in Alertmanager's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// What held it up besides others that might have joined it.
    #[serde(skip_serializing_if = "Option::is_none")]
    waited: Option<Waited>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<Alert<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts_in_short: Vec<Short>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also_firing: Vec<Short>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notices: Vec<Notice>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    smoke: Vec<Smoke>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a Overview>,
    #[serde(flatten)]
    window: Option<Closed<'a>>,
    /// What was left out for its size; never silently.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    truncated: Vec<String>,
}

#[derive(Serialize)]
struct Release {
    service: String,
    version: String,
    at: String,
    url: String,
}

#[derive(Serialize)]
struct Alert<'a> {
    status: &'static str,
    incident: String,
    rule: String,
    labels: std::collections::BTreeMap<String, String>,
    severity: Severity,
    summary: String,
    runbook: Option<String>,
    signal: String,
    quantile: Option<f64>,
    unit: Unit,
    value: Number,
    bound: &'a Bound,
    peak: Number,
    /// Value and bound for people.
    shown: String,
    since: String,
    fired_at: String,
    ended_at: Option<String>,
    /// Why it is over, where it has not resolved and the watch goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_because: Option<&'static str>,
    told_before: bool,
    flips: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged: Option<Acknowledged>,
    /// The how many-th reminder it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reminder: Option<u32>,
    /// Nobody acknowledged it for so long, and this is the next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    unacknowledged_for_ms: Option<i64>,
    /// The channel that could not be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_place_of: Option<String>,
}

#[derive(Serialize)]
struct Acknowledged {
    by: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
    at: String,
}

#[derive(Serialize)]
struct Short {
    status: &'static str,
    incident: String,
    severity: Severity,
    fired_at: String,
}

#[derive(Serialize)]
struct Notice {
    severity: Severity,
    text: String,
    times: u32,
}

#[derive(Serialize)]
struct Smoke {
    step: String,
    must: bool,
    attempts: u32,
    elapsed_ms: i64,
    misses: Vec<String>,
}

#[derive(Serialize)]
struct Closed<'a> {
    window: String,
    verdict: Verdict,
    reasons: Vec<Ground>,
    figures: Vec<Figure>,
    summary: Option<&'a Summary>,
}

#[derive(Serialize)]
struct Ground {
    text: String,
    evidence: String,
}

#[derive(Serialize)]
struct Figure {
    name: Name,
    unit: Unit,
    value: Option<Number>,
    shown: String,
}

fn envelope<'a>(digest: &Digest<'a>, whole: Option<&'a Summary>) -> Envelope<'a> {
    let release = digest.release;
    let headline = words::headline(digest);
    let about = &headline.about;
    let name = |name: &Name| cut(name.as_str(), NAME_CHARS_MAX);
    let (service, version) = (name(&release.service), name(&release.version));
    let text = match headline.severity {
        Some(severity) => format!("{} {severity}: {service} {version}: {about}", headline.tag),
        None => format!("{}: {service} {version}: {about}", headline.tag),
    };
    let url = cut(digest.url, TEXT_CHARS_MAX);
    let mut data = Data {
        watch: cut(release.watch().0.as_str(), 2 * NAME_CHARS_MAX),
        release: Release { service, version, at: release.at.rfc3339(), url },
        status: "",
        text,
        reason: None,
        waited: digest.waited,
        alerts: Vec::new(),
        alerts_in_short: Vec::new(),
        also_firing: Vec::new(),
        notices: Vec::new(),
        smoke: Vec::new(),
        digest: None,
        window: None,
        truncated: Vec::new(),
    };
    let r#type = fill(&mut data, &digest.content, whole);
    Envelope { r#type, timestamp: digest.at.rfc3339(), data }
}

/// Puts the content in, and says what it is.
fn fill<'a>(
    data: &mut Data<'a>,
    content: &Content<'a>,
    whole: Option<&'a Summary>,
) -> &'static str {
    match content {
        Content::News { tellings, notices, others, reason } => {
            data.reason = reason.map(Reason::as_str);
            fill_alerts(data, tellings, others);
            data.notices = notices.iter().map(notice).collect();
            if tellings.is_empty() {
                data.status = "notice";
                return "release.notice";
            }
            let is_firing = tellings.iter().any(|telling| telling.state == State::Firing);
            // A closed alert is over for whoever holds its state.
            data.status = if is_firing { "firing" } else { "resolved" };
            "release.alert"
        }
        Content::Released => {
            data.status = "released";
            "release.out"
        }
        Content::Smoke(steps) => {
            data.status = "failed";
            data.smoke = steps.iter().filter(|step| step.has_failed()).map(smoke).collect();
            "release.smoke_failed"
        }
        Content::Overview(overview) => {
            data.status = Standing::of(overview).as_str();
            data.digest = Some(overview);
            "release.digest"
        }
        Content::Summary(summary) => {
            data.status = summary.verdict.as_str();
            data.window = Some(closed(summary, whole));
            "release.summary"
        }
    }
}

fn fill_alerts<'a>(data: &mut Data<'a>, tellings: &[Telling<'a>], others: &[&'a AlertNews]) {
    let mut bytes = 0;
    for telling in tellings {
        let alert = alert(telling);
        bytes += serde_json::to_string(&alert).expect("texts and numbers only").len();
        if bytes > ALERTS_BYTES_MAX {
            break;
        }
        data.alerts.push(alert);
    }
    let rest = &tellings[data.alerts.len()..];
    let in_short = rest.iter().take(SHORT_MAX);
    data.alerts_in_short = in_short.map(|telling| short(telling.alert, telling.state)).collect();
    let standing = others.iter().take(SHORT_MAX);
    data.also_firing = standing.map(|alert| short(alert, State::Firing)).collect();
    for (what, count) in [("alerts", rest.len()), ("also_firing", others.len())] {
        if count > SHORT_MAX {
            data.truncated.push(format!("{what}: {} left out", count - SHORT_MAX));
        }
    }
}

fn short(news: &AlertNews, state: State) -> Short {
    Short {
        status: state.as_str(),
        incident: news.incident.clone(),
        severity: news.severity,
        fired_at: news.fired_at.rfc3339(),
    }
}

fn alert<'a>(telling: &Telling<'a>) -> Alert<'a> {
    let news = telling.alert;
    let (mut labels, left_out) = words::labels(&news.all_labels());
    if left_out > 0 {
        labels.push(("…".to_owned(), format!("{left_out} more labels")));
    }
    Alert {
        status: telling.state.as_str(),
        incident: news.incident.clone(),
        rule: cut(news.rule.as_str(), NAME_CHARS_MAX),
        labels: labels.into_iter().collect(),
        severity: news.severity,
        summary: cut(&news.summary, TEXT_CHARS_MAX),
        runbook: news.runbook.as_deref().map(|link| cut(link, TEXT_CHARS_MAX)),
        signal: cut(news.signal.as_str(), NAME_CHARS_MAX),
        quantile: news.quantile,
        unit: news.unit,
        value: news.value,
        bound: &news.bound,
        peak: news.peak,
        shown: words::value_against_bound(news, telling.state == State::Firing),
        since: news.since.rfc3339(),
        fired_at: news.fired_at.rfc3339(),
        ended_at: news.ended_at.map(Timestamp::rfc3339),
        closed_because: (telling.state == State::Closed && news.is_rule_removed)
            .then_some("rule removed"),
        told_before: telling.is_known,
        flips: telling.flips,
        acknowledged: news.insisting.acked.as_ref().map(|ack| Acknowledged {
            by: words::by(ack),
            comment: cut(&ack.comment, TEXT_CHARS_MAX),
            at: ack.at.rfc3339(),
        }),
        reminder: telling.why.reminder.filter(|_| telling.state == State::Firing),
        unacknowledged_for_ms: telling.why.unacknowledged_for.map(Span::millis),
        in_place_of: telling.why.in_place_of.map(|name| cut(name.as_str(), NAME_CHARS_MAX)),
    }
}

fn notice(notice: &digest::Notice) -> Notice {
    let text = cut(notice.text, TEXT_CHARS_MAX);
    Notice { severity: notice.severity, text, times: notice.times }
}

fn smoke(step: &crate::check::StepResult) -> Smoke {
    Smoke {
        step: cut(step.step.as_str(), NAME_CHARS_MAX),
        must: step.must,
        attempts: step.attempts,
        elapsed_ms: step.elapsed.millis(),
        misses: words::misses(step),
    }
}

fn closed<'a>(summary: &Summary, whole: Option<&'a Summary>) -> Closed<'a> {
    let reason = |reason: &crate::record::Reason| Ground {
        text: cut(&reason.text, TEXT_CHARS_MAX),
        evidence: cut(&reason.evidence, TEXT_CHARS_MAX),
    };
    let figure = |signal: &crate::record::SignalSummary| Figure {
        name: signal.name.clone(),
        unit: signal.unit,
        value: signal.overall,
        shown: match (signal.overall, signal.missing) {
            (Some(value), _) => show(signal.unit, value.0),
            (None, Some(why)) => why.to_string(),
            (None, None) => "no data".to_owned(),
        },
    };
    Closed {
        window: cut(summary.window.as_str(), NAME_CHARS_MAX),
        verdict: summary.verdict,
        reasons: summary.reasons.iter().map(reason).collect(),
        figures: summary.signals.iter().map(figure).collect(),
        summary: whole,
    }
}

#[cfg(test)]
mod tests;
