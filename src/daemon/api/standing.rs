//! How it stands: rules, alerts, and who answers.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Api;
use super::answer::{Beside, Problem, Told, success};
use super::form::Form;
use crate::judge::{Bound, Phase, Rule};
use crate::metrics::Shape;
use crate::metrics::promql::one_line;
use crate::model::{Labels, Name, Timestamp};
use crate::record::{AlertKey, AlertRecord, Record};
use crate::watch::Fleet;

/// The Prometheus whose API and language this is: what clients go by.
const PROMETHEUS: &str = "3.13.0";

/// Every rule, in a group for each release that is watched.
pub(super) async fn rules(State(api): State<Api>, form: Form) -> Told {
    let (service, kind) = (form.get("service").map(str::to_owned), form.get("type"));
    if kind == Some("record") {
        return success(json!({ "groups": [] }), Beside::default());
    }
    let look = move |fleet: &Fleet, now: Timestamp| {
        let groups = records(fleet, service.as_deref())?.map(|record| group(record, now));
        Ok(json!({ "groups": groups.collect::<Vec<_>>() }))
    };
    let groups: Result<Value, String> = api.desk.ask(look).await.map_err(Problem::Unavailable)?;
    success(groups.map_err(Problem::Execution)?, Beside::default())
}

/// Every alert that is pending or fires.
pub(super) async fn alerts(State(api): State<Api>, form: Form) -> Told {
    let service = form.get("service").map(str::to_owned);
    let look = move |fleet: &Fleet, _| {
        let of = |record| active(record).map(move |(key, alert)| shown(record, key, alert));
        let alerts = records(fleet, service.as_deref())?.flat_map(of);
        Ok(json!({ "alerts": alerts.collect::<Vec<_>>() }))
    };
    let alerts: Result<Value, String> = api.desk.ask(look).await.map_err(Problem::Unavailable)?;
    success(alerts.map_err(Problem::Execution)?, Beside::default())
}

/// Who answers, and which Prometheus it is like.
pub(super) async fn build() -> Told {
    let ours = env!("CARGO_PKG_VERSION");
    let data = json!({ "version": PROMETHEUS, "application": "bakewatch", "revision": ours,
        "branch": "", "buildUser": "", "buildDate": "", "goVersion": "" });
    success(data, Beside::default())
}

/// The process lives.
pub(super) async fn healthy() -> &'static str {
    "bakewatch is healthy.\n"
}

/// The loop turns.
pub(super) async fn ready(State(api): State<Api>) -> Response {
    match api.desk.ask(|_, _| ()).await {
        Ok(()) => "bakewatch is ready.\n".into_response(),
        Err(what) => (StatusCode::SERVICE_UNAVAILABLE, what + "\n").into_response(),
    }
}

fn records<'f>(
    fleet: &'f Fleet,
    service: Option<&str>,
) -> Result<impl Iterator<Item = &'f Record>, String> {
    Ok(fleet.meant(service)?.into_iter().filter_map(|id| fleet.record(id)))
}

fn active(record: &Record) -> impl Iterator<Item = (&AlertKey, &AlertRecord)> {
    record.alerts.iter().filter(|(_, alert)| state(alert.phase) != "inactive")
}

fn group(record: &Record, now: Timestamp) -> Value {
    let rules = record.plan.rules.iter().map(|rule| shown_rule(record, rule, now));
    json!({
        "name": record.release.watch().to_string(),
        "file": "",
        "interval": 0,
        "rules": rules.collect::<Vec<_>>(),
    })
}

fn shown_rule(record: &Record, rule: &Rule, now: Timestamp) -> Value {
    let own = |(key, _): &(&AlertKey, &AlertRecord)| key.rule == rule.name;
    let alerts: Vec<(&AlertKey, &AlertRecord)> = active(record).filter(own).collect();
    let states = alerts.iter().map(|(_, alert)| state(alert.phase));
    let state = states.min().unwrap_or("inactive"); // firing before pending
    let quiet = record.quiet.get(&rule.name);
    json!({
        "type": "alerting",
        "name": rule.name.as_str(),
        "query": expression(record, &record.rule_at(rule, now)),
        "duration": rule.hold.seconds_f64(),
        "keepFiringFor": rule.recover.seconds_f64(),
        "labels": labelled(&rule.labels, record, rule),
        "annotations": { "summary": rule.summary },
        "alerts": alerts.iter().map(|(key, alert)| shown(record, key, alert)).collect::<Vec<_>>(),
        "state": state,
        "health": if quiet.is_some() { "unknown" } else { "ok" },
        "lastError": quiet.map_or(String::new(), |(why, _)| format!("no data: {why}")),
    })
}

/// What a rule asks, so that it can be asked here.
fn expression(record: &Record, rule: &Rule) -> String {
    let found = record.plan.signals.iter().find(|signal| signal.name == rule.signal);
    if let Some(Shape::Alert { query, .. }) = found.map(|signal| &signal.shape) {
        return one_line(query);
    }
    let signal = &rule.signal;
    let read = match rule.quantile {
        Some(q) => format!("{signal}{{quantile=\"{q}\"}}"),
        None => signal.to_string(),
    };
    match rule.bound {
        Bound::Above(bound) => format!("{read} > {bound}"),
        Bound::Below(bound) => format!("{read} < {bound}"),
        Bound::Expression => read,
    }
}

fn labelled(labels: &Labels, record: &Record, rule: &Rule) -> Labels {
    let release = &record.release;
    let ours = [
        ("severity", rule.severity.as_str()),
        ("service", release.service.as_str()),
        ("release", release.version.as_str()),
    ];
    let ours = ours.map(|(name, value)| (name.into(), value.into()));
    Labels::from_pairs(labels.shared().iter().cloned().chain(ours))
}

fn shown(record: &Record, key: &AlertKey, alert: &AlertRecord) -> Value {
    let rule: &Rule = record.rule(&key.rule);
    let news = record.alert_news(rule, key, alert.value);
    let since = alert.since().unwrap_or(news.since);
    let mut annotations = json!({ "summary": news.summary });
    if let Some(runbook) = &news.runbook {
        annotations["runbook_url"] = runbook.as_str().into();
    }
    let name: &Name = &key.rule;
    let mut shown = json!({
        "labels": labelled(&news.all_labels(), record, rule).with("alertname", name.as_str()),
        "annotations": annotations,
        "state": state(alert.phase),
        "activeAt": since.rfc3339(),
        "value": alert.value.0.to_string(),
    });
    if let Some(why) = &alert.held {
        shown["held"] = json!({ "reason": why.reason(), "by": why.to_string() });
    }
    shown
}

/// In Prometheus's words.
fn state(phase: Phase) -> &'static str {
    match phase {
        Phase::Inactive => "inactive",
        Phase::Pending { .. } => "pending",
        Phase::Firing { .. } | Phase::Recovering { .. } => "firing",
    }
}
