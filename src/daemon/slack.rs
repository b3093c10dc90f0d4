//! A letter by a bot of Slack's: requests in their order, each answered by 200
//! whatever became of it, with the reason in the body. Where a message stands is
//! kept with the receipt.

use super::deferred::OfLetter;
use super::events::Try;
use super::http::Http;
use super::secrets::Secrets;
use super::webhook::{self, refused};
use crate::model::Secret;
use crate::notify::{Request, slack_bot};
use crate::record::{Outcome, Posted};

/// Where Slack takes requests, unless the channel says otherwise.
const SLACK: &str = "https://slack.com/api";

/// Where to, and in whose name.
struct Place {
    base: String,
    token: String,
}

/// Sends all requests of a letter, and says what became of it.
pub async fn deliver(
    http: &Http,
    secrets: &Secrets,
    token: &Secret,
    url: Option<&Secret>,
    one: Try<'_>,
) -> Outcome {
    let place = async {
        let base = match url {
            Some(url) => secrets.resolve(url).await?,
            None => SLACK.to_owned(),
        };
        let base = base.trim_end_matches('/').to_owned();
        Ok::<_, String>(Place { base, token: secrets.resolve(token).await? })
    };
    let place = match place.await {
        Ok(place) => place,
        Err(detail) => return refused(detail, false),
    };
    let known = one.known.of(one.letter, one.requests);
    let (timeout, all) = (one.timeout, send(http, &place, &one, &known));
    match tokio::time::timeout(timeout.to_std(), all).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::Unknown { detail: format!("timeout after {timeout}") },
    }
}

async fn send(http: &Http, place: &Place, one: &Try<'_>, known: &OfLetter<'_>) -> Outcome {
    let mut messages = Vec::new();
    let mut remarks: Vec<String> = Vec::new();
    for request in one.requests {
        if let Some(message) = known.recall(request) {
            messages.extend(message);
            continue;
        }
        let mut said = match post(http, place, one, request.path, &request.json).await {
            Ok(said) => said,
            Err(outcome) => return outcome,
        };
        let again = match &said {
            slack_bot::Answer::Words(why) => Some(format!("{why}, said in short")),
            // Nobody would read it there: it becomes a message of its own.
            slack_bot::Answer::Gone(why) if request.path == slack_bot::POST => {
                Some(format!("{why}, said anew"))
            }
            _ => None,
        };
        if let (Some(remark), Some(less)) = (again, &request.less) {
            remarks.push(remark);
            said = match post(http, place, one, request.path, less).await {
                Ok(said) => said,
                Err(outcome) => return outcome,
            };
        }
        match said {
            slack_bot::Answer::Done { channel, ts } => {
                let about = request.about.clone();
                let message = is_first(request).then_some(Posted { about, channel, ts });
                known.remember(request, message.clone());
                messages.extend(message);
            }
            // Somebody has deleted it: what follows says how it ended.
            slack_bot::Answer::Gone(why) => remarks.push(why),
            slack_bot::Answer::Words(why) | slack_bot::Answer::Pointless(why) => {
                return refused(why, true);
            }
            slack_bot::Answer::Later(why) => return refused(why, false),
        }
    }
    known.forget();
    let mut detail = "ok".to_owned();
    remarks.iter().for_each(|remark| detail.push_str(&format!("; {remark}")));
    match messages.is_empty() {
        true => Outcome::Accepted { detail },
        false => Outcome::Posted { detail, messages },
    }
}

/// Whether it opens a message that will be brought up to date.
fn is_first(request: &Request) -> bool {
    let body: serde_json::Value = serde_json::from_str(&request.json).unwrap_or_default();
    !request.about.is_empty() && body["ts"].is_null() && body["thread_ts"].is_null()
}

/// What Slack said; `Err`: it said nothing, or by its status what it means.
async fn post(
    http: &Http,
    place: &Place,
    one: &Try<'_>,
    path: &str,
    json: &str,
) -> Result<slack_bot::Answer, Outcome> {
    let ready = webhook::to(http, format!("{}{path}", place.base), one.not_stored);
    let mut ready = ready.map_err(|detail| refused(detail, false))?;
    ready.request = ready
        .request
        .header("content-type", "application/json; charset=utf-8")
        .bearer_auth(&place.token)
        .body(slack_bot::filled(json, one.not_stored));
    ready.hidden.push(place.token.clone());
    match webhook::exchange_whole(ready, one.timeout, one.now_s).await {
        (Outcome::Accepted { .. }, body) => Ok(slack_bot::answer(&body)),
        (outcome, _) => Err(outcome),
    }
}
