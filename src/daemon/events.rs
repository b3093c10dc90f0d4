//! A letter that is several requests to one receiver, such as events for
//! PagerDuty: sent one after the other, since a resolve must not go before its
//! trigger.
//!
//! The rule: *accepted* when all were taken; what is put off ends the try, and
//! the next one sends it and what follows; what is refused for what it says alone
//! (400, 413) is tried once with less in it, and then left, so that it holds up
//! none of the others.

use super::deferred::{OfLetter, Requests};
use super::http::Http;
use super::secrets::Secrets;
use super::webhook::{self, refused};
use crate::model::{Secret, Span};
use crate::notify::{Letter, Request, pagerduty};
use crate::record::{Missed, Outcome};

/// Where PagerDuty takes events, unless the channel says otherwise.
const PAGERDUTY: &str = "https://events.pagerduty.com";

/// One try of one letter that is several requests.
pub struct Try<'a> {
    /// The letter.
    pub letter: &'a Letter,
    /// Its requests.
    pub requests: &'a [Request],
    /// What earlier tries of letters got through.
    pub known: &'a Requests,
    /// For the whole try.
    pub timeout: Span,
    /// The facts behind it could not be stored.
    pub not_stored: bool,
    /// The time of this try, in seconds since the epoch.
    pub now_s: i64,
}

/// Where to, and in whose name.
struct Place {
    base: String,
    key: String,
}

/// Sends all requests of a letter, and says what became of it.
pub async fn deliver(
    http: &Http,
    secrets: &Secrets,
    key: &Secret,
    url: Option<&Secret>,
    one: Try<'_>,
) -> Outcome {
    let place = async {
        let base = match url {
            Some(url) => secrets.resolve(url).await?,
            None => PAGERDUTY.to_owned(),
        };
        // Whoever copied the address of an event means the same.
        let base = base.trim_end_matches('/').trim_end_matches("/v2/enqueue").to_owned();
        Ok(Place { base, key: secrets.resolve(key).await? })
    };
    let place: Result<Place, String> = place.await;
    let place = match place {
        Ok(place) => place,
        Err(detail) => return refused(detail, false),
    };
    let known = one.known.of(one.letter, one.requests);
    let mut taken = 0;
    let all = send(http, &place, &one, &known, &mut taken);
    match tokio::time::timeout(one.timeout.to_std(), all).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let of = one.requests.len();
            let detail = format!("timeout after {}, {taken} of {of} events taken", one.timeout);
            Outcome::Unknown { detail }
        }
    }
}

async fn send(
    http: &Http,
    place: &Place,
    one: &Try<'_>,
    known: &OfLetter<'_>,
    taken: &mut usize,
) -> Outcome {
    let mut missed: Vec<Missed> = Vec::new();
    let mut last = String::new();
    for request in one.requests {
        if known.recall(request).is_some() {
            *taken += 1;
            continue;
        }
        let (mut outcome, mut status) = post(http, place, one, request.path, &request.json).await;
        if let (true, Some(less)) = (is_for_its_words(status), &request.less) {
            (outcome, status) = post(http, place, one, request.path, less).await;
        }
        match outcome {
            Outcome::Accepted { detail } => {
                *taken += 1;
                known.remember(request, None);
                last = detail;
            }
            Outcome::Refused { detail, .. } if is_for_its_words(status) => {
                missed.push(Missed { recipient: request.about.clone(), reason: detail });
            }
            outcome => return outcome,
        }
    }
    known.forget();
    match (*taken, missed.first()) {
        (_, None) => Outcome::Accepted { detail: last },
        (0, Some(first)) => refused(first.reason.clone(), true),
        (taken, Some(_)) => {
            let detail = format!("{taken} of {} events taken", one.requests.len());
            Outcome::Partly { detail, missed }
        }
    }
}

/// Whether the receiver has something against this event, not against us.
fn is_for_its_words(status: Option<u16>) -> bool {
    matches!(status, Some(400 | 413))
}

async fn post(
    http: &Http,
    place: &Place,
    one: &Try<'_>,
    path: &str,
    json: &str,
) -> (Outcome, Option<u16>) {
    let address = format!("{}{path}", place.base);
    let mut ready = match webhook::to(http, address, one.not_stored) {
        Ok(ready) => ready,
        Err(detail) => return (refused(detail, false), None),
    };
    let body = pagerduty::filled(json, &place.key, one.not_stored);
    ready.request = ready.request.header("content-type", "application/json").body(body);
    ready.hidden.push(place.key.clone());
    webhook::exchange(ready, one.timeout, one.now_s, pagerduty::objection).await
}
