//! PagerDuty, Events API v2: <https://developer.pagerduty.com/docs/events-api-v2-overview>.
//! One event an incident, under a key that is the same for its trigger and its
//! resolve, over all releases; what pages nobody is a change event, which stands
//! beside the incidents.
//!
//! | told | sent |
//! |---|---|
//! | an alert fires | `trigger` |
//! | it resolved, or the watch ended | `resolve`; after a `trigger`, if that was never told |
//! | the smoke suite failed | `trigger`, under a key of the service |
//! | the next release is out | a change event, and `resolve` of a failed suite before it |
//! | a critical notice of itself | `trigger`, under a key of its words; a person closes it |
//! | other notices, summaries, digests | a change event |
//!
//! Who may send is told by the routing key, which is put in at each try.

use serde_json::{Map, Value, json};

use crate::model::{Name, Severity, Timestamp};
use crate::notify::card::{self, Card};
use crate::notify::digest::{Content, Digest, Notice, State, Telling};
use crate::notify::letter::{Body, Request, hex_of};
use crate::notify::words::{self, NAME_CHARS_MAX, TEXT_CHARS_MAX, cut};
use crate::record::AlertNews;

/// Of an event's first line.
const SUMMARY_CHARS_MAX: usize = 1024;

/// Of a whole event; beyond it the least of it is sent.
const EVENT_BYTES_MAX: usize = 512_000;

const EVENTS: &str = "/v2/enqueue";
const CHANGES: &str = "/v2/change/enqueue";

/// A digest as events.
pub fn compose(digest: &Digest) -> Body {
    Body::Requests(match &digest.content {
        Content::News { tellings, notices, .. } => {
            let alerts = tellings.iter().flat_map(|telling| turns(digest, telling));
            alerts.chain(notices.iter().map(|one| notice(digest, one))).collect()
        }
        Content::Smoke(_) => vec![smoke(digest)],
        Content::Released => {
            let key = smoke_key(&digest.release.service);
            vec![
                change(digest, digest.release.at),
                event("the smoke suite before", &key, "resolve"),
            ]
        }
        Content::Summary(_) | Content::Overview(_) => vec![change(digest, digest.at)],
    })
}

/// An unfilled event with its routing key, and a word if the facts behind it
/// could not be stored.
pub fn filled(json: &str, key: &str, not_stored: bool) -> String {
    let Ok(Value::Object(mut event)) = serde_json::from_str(json) else { return json.to_owned() };
    event.insert("routing_key".to_owned(), key.into());
    if let Some(payload) = event.get_mut("payload").filter(|_| not_stored) {
        payload["custom_details"]["not stored"] = "the disk of bakewatch is failing".into();
    }
    Value::Object(event).to_string()
}

/// What an answer objects to, though its status is one of success.
pub fn objection(words: &str) -> Option<String> {
    let said: Value = serde_json::from_str(words).unwrap_or_default();
    let is_taken = said["status"].as_str().is_none_or(|status| status == "success");
    (!is_taken).then(|| format!("success, and yet: {words}"))
}

/// At most 255 characters, and of no other incident.
fn dedup_key(incident: &str) -> String {
    format!("bw-{}", &hex_of(["incident", incident])[..32])
}

fn smoke_key(service: &Name) -> String {
    format!("bw-{}", &hex_of(["smoke", service.as_str()])[..32])
}

fn turns(digest: &Digest, telling: &Telling) -> Vec<Request> {
    let about = telling.alert.incident.clone();
    let key = dedup_key(&telling.alert.incident);
    match (telling.state, telling.is_known) {
        (State::Firing, is_known) => {
            let acked = telling.alert.insisting.acked.is_some();
            let acked = acked.then(|| event(&about, &key, "acknowledge"));
            let fired = (acked.is_none() || !is_known).then(|| alert(digest, telling, &key));
            fired.into_iter().chain(acked).collect()
        }
        (State::Resolved | State::Closed, true) => vec![event(&about, &key, "resolve")],
        // Nobody was told while it burned; it is not to be lost either.
        (State::Resolved | State::Closed, false) => {
            vec![alert(digest, telling, &key), event(&about, &key, "resolve")]
        }
    }
}

fn alert(digest: &Digest, telling: &Telling, key: &str) -> Request {
    let news: &AlertNews = telling.alert;
    let is_over = if telling.state == State::Firing { "" } else { " (fired and ended)" };
    let name = words::alert_name(news);
    let mut summary = format!("{}: {name}{is_over}", release(digest));
    if !news.summary.is_empty() {
        summary = format!("{summary}: {}", cut(&news.summary, TEXT_CHARS_MAX));
    }
    let source = news.labels.get("instance").unwrap_or(digest.release.service.as_str());
    let (cards, _) = card::cards(&one(digest, telling), 1);
    // What is over is no reason to wake anybody.
    let severity = if is_over.is_empty() { news.severity } else { Severity::Info };
    let mut payload = payload(digest, &summary, source, severity, news.fired_at);
    payload["class"] = cut(news.rule.as_str(), NAME_CHARS_MAX).into();
    let mut event = trigger(digest, key, payload);
    if let Some(runbook) = news.runbook.as_deref() {
        add_link(&mut event, runbook, "runbook");
    }
    request(EVENTS, news.incident.clone(), event, Some(details(digest, &cards)))
}

/// A digest of this alone, for the rows of its card.
fn one<'a>(digest: &Digest<'a>, telling: &Telling<'a>) -> Digest<'a> {
    let tellings = vec![telling.clone()];
    let content = Content::News { tellings, notices: Vec::new(), others: Vec::new(), reason: None };
    Digest { content, ..digest.clone() }
}

fn smoke(digest: &Digest) -> Request {
    let headline = words::headline(digest);
    let summary = format!("{}: smoke failed: {}", release(digest), headline.about);
    let source = digest.release.service.as_str();
    let payload = payload(digest, &summary, source, Severity::Critical, digest.at);
    let event = trigger(digest, &smoke_key(&digest.release.service), payload);
    let (cards, _) = card::cards(digest, 20);
    request(EVENTS, "the smoke suite".to_owned(), event, Some(details(digest, &cards)))
}

fn notice(digest: &Digest, notice: &Notice) -> Request {
    let text = cut(notice.text, TEXT_CHARS_MAX);
    let summary = format!("{}: bakewatch itself: {text}", release(digest));
    match notice.severity {
        Severity::Critical => {
            let key = hex_of(["notice", digest.release.service.as_str(), notice.text]);
            let payload = payload(digest, &summary, "bakewatch", notice.severity, digest.at);
            request(EVENTS, text, trigger(digest, &format!("bw-{}", &key[..32]), payload), None)
        }
        Severity::Warning | Severity::Info => changed(digest, &summary, digest.at, text, None),
    }
}

fn change(digest: &Digest, at: Timestamp) -> Request {
    let headline = words::headline(digest);
    let summary = format!("{}: {} {}", release(digest), headline.tag, headline.about);
    let (mut cards, _) = card::cards(digest, 1);
    if let Content::Summary(summary) = &digest.content {
        let reasons = summary.reasons.iter().take(5);
        let rows = reasons.map(|why| card::row("reason", cut(&why.text, TEXT_CHARS_MAX))).collect();
        let (tag, title, lead) = (headline.tag.to_owned(), String::new(), String::new());
        cards.push(Card { tag, tone: card::Tone::Plain, title, lead, rows });
    }
    changed(digest, &summary, at, headline.tag.to_lowercase(), Some(details(digest, &cards)))
}

fn changed(
    digest: &Digest,
    summary: &str,
    at: Timestamp,
    about: String,
    details: Option<Value>,
) -> Request {
    let mut event = json!({ "payload": {
        "summary": cut(summary, SUMMARY_CHARS_MAX), "source": "bakewatch",
        "timestamp": at.rfc3339(),
    } });
    add_link(&mut event, digest.url, "service");
    request(CHANGES, about, event, details)
}

fn trigger(digest: &Digest, key: &str, payload: Value) -> Value {
    let mut event = json!({
        "event_action": "trigger", "dedup_key": key, "client": "bakewatch", "payload": payload,
    });
    add_link(&mut event, digest.url, "service");
    event
}

/// A turn of an incident that PagerDuty knows.
fn event(about: &str, key: &str, action: &str) -> Request {
    let event = json!({ "event_action": action, "dedup_key": key });
    request(EVENTS, about.to_owned(), event, None)
}

fn payload(
    digest: &Digest,
    summary: &str,
    source: &str,
    severity: Severity,
    at: Timestamp,
) -> Value {
    json!({
        "summary": cut(summary, SUMMARY_CHARS_MAX), "source": cut(source, NAME_CHARS_MAX),
        "severity": severity.as_str(), "timestamp": at.rfc3339(),
        "component": cut(digest.release.service.as_str(), NAME_CHARS_MAX),
        "group": cut(digest.release.version.as_str(), NAME_CHARS_MAX),
    })
}

/// Only what a browser would be opened for.
fn add_link(event: &mut Value, address: &str, text: &str) {
    let address = cut(address, TEXT_CHARS_MAX);
    if ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme)) {
        let link = json!({ "href": address, "text": text });
        match event["links"].as_array_mut() {
            Some(links) => links.push(link),
            None => event["links"] = json!([link]),
        }
    }
}

/// Cards as PagerDuty shows them: a table of names and values.
fn details(digest: &Digest, cards: &[Card]) -> Value {
    let mut table = Map::new();
    for card in cards {
        if !card.lead.is_empty() {
            add(&mut table, &card.title, &card.lead);
        }
        for row in &card.rows {
            let is_alone = cards.len() == 1;
            let name =
                if is_alone { row.name.clone() } else { format!("{} {}", card.title, row.name) };
            add(&mut table, name.trim(), &row.value);
        }
    }
    for row in card::footer(digest).into_iter().filter(|row| row.name == "release") {
        add(&mut table, &row.name, &row.value);
    }
    Value::Object(table)
}

/// A name that is taken holds a list, one line each.
fn add(table: &mut Map<String, Value>, name: &str, value: &str) {
    let before = table.get(name).and_then(Value::as_str).map(|text| format!("{text}\n"));
    table.insert(name.to_owned(), (before.unwrap_or_default() + value).into());
}

/// Whole, and without what nobody needs to be woken by.
fn request(path: &'static str, about: String, event: Value, details: Option<Value>) -> Request {
    let least = event.to_string();
    let Some(details) = details else {
        return Request { path, about, json: least, less: None };
    };
    let mut whole = event;
    whole["payload"]["custom_details"] = details;
    let json = whole.to_string();
    match json.len() <= EVENT_BYTES_MAX {
        true => Request { path, about, json, less: Some(least) },
        false => Request { path, about, json: least, less: None },
    }
}

fn release(digest: &Digest) -> String {
    let short = |name: &Name| cut(name.as_str(), NAME_CHARS_MAX);
    format!("{} {}", short(&digest.release.service), short(&digest.release.version))
}

#[cfg(test)]
mod tests;
