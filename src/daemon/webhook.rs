//! A letter by POST: after the Standard Webhooks specification, signed at each
//! try, or in another receiver's form. Redirects are not followed.

use reqwest::header::HeaderMap;

use super::http::{self, Http};
use super::packed::Body;
use super::secrets::Secrets;
use crate::model::{Failure, Form, Secret, Span};
use crate::notify::{self, Letter};
use crate::record::Outcome;

/// As much of a receiver's answer as a person wants to read.
const WORDS_MAX: usize = 200;

/// The rest of an answer is of no interest.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// One try of one letter.
pub struct Try<'a> {
    /// The letter.
    pub letter: &'a Letter,
    /// Its body.
    pub json: &'a str,
    /// For the whole try.
    pub timeout: Span,
    /// The facts behind it could not be stored.
    pub not_stored: bool,
    /// The time of this try, in seconds since the epoch.
    pub now_s: i64,
}

/// A POST that is ready to leave, and what of it no answer may show.
pub(super) struct Ready {
    pub request: reqwest::RequestBuilder,
    pub hidden: Vec<String>,
}

/// POSTs the letter and says what became of it. Refused: it was surely not
/// taken. Unknown: it left, and no answer came.
pub async fn deliver(
    http: &Http,
    secrets: &Secrets,
    url: &Secret,
    secret: Option<&Secret>,
    content_type: &str,
    one: Try<'_>,
) -> Outcome {
    let signed = async {
        let mut ready = at(http, secrets, url, &one).await?;
        ready.request = ready
            .request
            .header("content-type", content_type)
            .header("webhook-id", &one.letter.key)
            .header("webhook-timestamp", one.now_s.to_string())
            .body(one.json.to_owned());
        if let Some(secret) = secret {
            let secret = secrets.resolve(secret).await?;
            let signature = notify::webhook::sign(&secret, &one.letter.key, one.now_s, one.json)?;
            ready.request = ready.request.header("webhook-signature", signature);
        }
        Ok(ready)
    };
    match signed.await {
        Ok(ready) => post(ready, &one, |_| None).await,
        Err(detail) => refused(detail, false),
    }
}

/// The same in the form of another receiver.
pub async fn deliver_as(
    form: &Form,
    http: &Http,
    secrets: &Secrets,
    url: &Secret,
    token: Option<&Secret>,
    one: Try<'_>,
) -> Outcome {
    let formed = async {
        let mut ready = at(http, secrets, url, &one).await?;
        let json = match one.not_stored {
            true => notify::not_stored(form, one.json),
            false => one.json.to_owned(),
        };
        ready.request = ready.request.header("content-type", notify::content_type(form)).body(json);
        if let Some(token) = token {
            let token = secrets.resolve(token).await?;
            ready.request = ready.request.bearer_auth(&token);
            ready.hidden.push(token);
        }
        Ok(ready)
    };
    match formed.await {
        Ok(ready) => post(ready, &one, |words| notify::objection(form, words)).await,
        Err(detail) => refused(detail, false),
    }
}

/// To where it goes.
async fn at(http: &Http, secrets: &Secrets, url: &Secret, one: &Try<'_>) -> Result<Ready, String> {
    to(http, secrets.resolve(url).await?, one.not_stored)
}

/// To this address.
pub(super) fn to(http: &Http, address: String, not_stored: bool) -> Result<Ready, String> {
    let parsed = reqwest::Url::parse(&address);
    let parsed = parsed.map_err(|error| format!("the URL is none: {error}"))?;
    let mut request = http.letters().post(parsed);
    if not_stored {
        // A body that is frozen and signed cannot; a header may still say it.
        request = request.header("bakewatch-not-stored", "true");
    }
    Ok(Ready { request, hidden: vec![address] })
}

/// Sends it. What a receiver says with success may be an objection.
async fn post(ready: Ready, one: &Try<'_>, objection: impl Fn(&str) -> Option<String>) -> Outcome {
    exchange(ready, one.timeout, one.now_s, objection).await.0
}

/// The same, with the status of the answer.
pub(super) async fn exchange(
    ready: Ready,
    timeout: Span,
    now_s: i64,
    objection: impl Fn(&str) -> Option<String>,
) -> (Outcome, Option<u16>) {
    let (outcome, status, _) = whole(ready, timeout, now_s, objection).await;
    (outcome, status)
}

/// The same, with the whole of what was said, for receivers that say by it what
/// became of a letter.
pub(super) async fn exchange_whole(ready: Ready, timeout: Span, now_s: i64) -> (Outcome, String) {
    let (outcome, _, body) = whole(ready, timeout, now_s, |_| None).await;
    (outcome, body)
}

async fn whole(
    ready: Ready,
    timeout: Span,
    now_s: i64,
    objection: impl Fn(&str) -> Option<String>,
) -> (Outcome, Option<u16>, String) {
    let exchange = async {
        match ready.request.send().await {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                let words = Body::of(response, ANSWER_BYTES_MAX).await;
                let body =
                    words.and_then(|body| body.unpacked(ANSWER_BYTES_MAX)).unwrap_or_default();
                let words = words_of(&body, &ready.hidden);
                let outcome = match objection(&words).filter(|_| status.is_success()) {
                    Some(detail) => refused(detail, false),
                    None => answered(status, &headers, &words, now_s),
                };
                (outcome, Some(status.as_u16()), String::from_utf8_lossy(&body).into_owned())
            }
            Err(error) => (unanswered(&error, timeout), None, String::new()),
        }
    };
    match tokio::time::timeout(timeout.to_std(), exchange).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let detail = Failure::Timeout(timeout).to_string();
            (Outcome::Unknown { detail }, None, String::new())
        }
    }
}

fn answered(status: reqwest::StatusCode, headers: &HeaderMap, words: &str, now_s: i64) -> Outcome {
    let reason = status.canonical_reason().unwrap_or("");
    let colon = if words.is_empty() { "" } else { ": " };
    let detail = format!("{} {reason}{colon}{words}", status.as_u16());
    let retry_after = headers
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, now_s));
    match status.as_u16() {
        200..=299 => Outcome::Accepted { detail },
        // A letter follows nobody: its address is what was checked.
        300..=399 => Outcome::Refused {
            detail: format!("{detail} (redirects are not followed)"),
            retry_after,
            permanent: false,
        },
        408 | 425 | 429 | 500..=599 => Outcome::Refused { detail, retry_after, permanent: false },
        _ => Outcome::Refused { detail, retry_after, permanent: true },
    }
}

fn unanswered(error: &reqwest::Error, timeout: Span) -> Outcome {
    let failure = http::failure(error, timeout);
    match failure {
        _ if error.is_connect() || error.is_builder() => refused(failure.to_string(), false),
        Failure::Refused | Failure::Dns(_) | Failure::NotAsked(_) => {
            refused(failure.to_string(), false)
        }
        _ => Outcome::Unknown { detail: failure.to_string() },
    }
}

pub(super) fn refused(detail: String, permanent: bool) -> Outcome {
    Outcome::Refused { detail, retry_after: None, permanent }
}

/// Seconds, or a date in HTTP's form. A date that has passed means now.
fn retry_after(value: &str, now_s: i64) -> Option<Span> {
    if let Ok(seconds) = value.trim().parse::<u32>() {
        return Some(Span::from_secs(i64::from(seconds)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
    Some(Span::from_secs((date.as_second() - now_s).max(0)))
}

/// The start of an answer on one line, without what it may not repeat.
pub(super) fn words_of(body: &[u8], hidden: &[String]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in hidden.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "…");
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_retry_after_in_seconds_and_as_a_date() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after("120", 0), Some(Span::from_secs(120)));
        assert_eq!(retry_after(date, 784_111_777 - 30), Some(Span::from_secs(30)));
        assert_eq!(retry_after(date, 784_111_777 + 30), Some(Span::ZERO));
        assert_eq!(retry_after("soon", 0), None);
    }

    #[test]
    fn repeats_a_receivers_words_on_one_line_and_without_secrets() {
        let body = b"no such hook:\n  https://x.example/T0K3N of hunter2 gone";
        let hidden = ["https://x.example/T0K3N".to_owned(), "hunter2".to_owned()];
        assert_eq!(words_of(body, &hidden), "no such hook: … of … gone");
    }
}
