//! What each answer of a receiver means for a letter.

use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::daemon::webhook::{self, Try};
use bakewatch::model::{Form, MILLISECOND, SECOND, Secret, Span};
use bakewatch::notify::{self, Body, Letter};
use bakewatch::record::Outcome;

use super::http::{answer, server};

const JSON: &str = r#"{"type":"alert.firing"}"#;
const SIGNED: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn deliver(url: &str, timeout: Span) -> Outcome {
    let config = [("url".to_owned(), url.to_owned()), ("secret".to_owned(), SIGNED.to_owned())];
    let secrets = Secrets::new(config.into());
    let letter = Letter {
        key: "key-1".into(),
        channel: "chat".into(),
        after: 0,
        up_to: 1,
        body: Body::Webhook { json: JSON.into() },
    };
    let one = Try { letter: &letter, json: JSON, timeout, not_stored: true, now_s: 1_700_000_000 };
    let (url, secret) = (Secret::Config("url".into()), Secret::Config("secret".into()));
    let (http, kind) = (Http::new().unwrap(), "application/json");
    webhook::deliver(&http, &secrets, &url, Some(&secret), kind, one).await
}

/// `accepted`, `refused`, `refused for good` or `unknown`, and how long to wait.
async fn check(head: &str) -> (&'static str, Option<i64>) {
    let (url, _serving) = server(answer(head, b"words")).await;
    match deliver(&url, 5 * SECOND).await {
        Outcome::Accepted { .. } | Outcome::Posted { .. } => ("accepted", None),
        Outcome::Refused { retry_after, permanent, .. } => {
            let word = if permanent { "refused for good" } else { "refused" };
            (word, retry_after.map(|wait| wait.millis() / 1000))
        }
        Outcome::Unknown { .. } => ("unknown", None),
        Outcome::Partly { .. } => ("taken in part", None),
    }
}

#[tokio::test]
async fn reads_every_status_as_the_specification_wants() {
    for head in ["200 OK", "202 Accepted", "204 No Content"] {
        assert_eq!(check(head).await.0, "accepted", "{head}");
    }
    for head in ["301 Moved\r\nlocation: /x", "408 T", "425 E", "429 T", "500 I", "502 B", "503 S"]
    {
        assert_eq!(check(head).await.0, "refused", "{head}");
    }
    for head in ["400 B", "401 U", "403 F", "404 N", "410 G", "413 P", "422 U"] {
        assert_eq!(check(head).await.0, "refused for good", "{head}");
    }
}

#[tokio::test]
async fn obeys_retry_after_in_both_forms() {
    assert_eq!(check("429 T\r\nretry-after: 7").await, ("refused", Some(7)));
    let date = "503 S\r\nretry-after: Tue, 14 Nov 2023 22:14:00 GMT"; // 40 s after the try
    assert_eq!(check(date).await, ("refused", Some(40)));
}

#[tokio::test]
async fn signs_the_letter_at_each_try_and_says_that_it_is_not_stored() {
    let (url, serving) = server(answer("200 OK", b"")).await;
    let taken = deliver(&format!("{url}/hook/T0K3N"), 5 * SECOND).await;
    assert_eq!(taken, Outcome::Accepted { detail: "200 OK".into() });
    let head = serving.await.unwrap().remove(0);
    let signature = notify::webhook::sign(SIGNED, "key-1", 1_700_000_000, JSON).unwrap();
    for line in [
        "POST /hook/T0K3N ",
        "webhook-id: key-1",
        "webhook-timestamp: 1700000000",
        &format!("webhook-signature: {signature}"),
        "content-type: application/json",
        "bakewatch-not-stored: true",
    ] {
        assert!(head.contains(line), "{line} is not in {head}");
    }
}

#[tokio::test]
async fn knows_a_letter_that_never_left_from_one_that_may_have_been_taken() {
    let (url, _serving) = server(None).await;
    let silent = deliver(&url, 300 * MILLISECOND).await;
    assert!(matches!(silent, Outcome::Unknown { .. }), "{silent:?}");
    let (url, _serving) = server(Some(Vec::new())).await;
    let broken = deliver(&url, 5 * SECOND).await;
    assert!(matches!(broken, Outcome::Unknown { .. }), "{broken:?}");
    let closed = deliver("http://127.0.0.1:1/T0K3N", 5 * SECOND).await;
    let detail = "connection refused".to_owned();
    assert_eq!(closed, Outcome::Refused { detail, retry_after: None, permanent: false });
}

#[tokio::test]
async fn never_prints_its_address() {
    let (url, _serving) = server(answer("404 Not Found", b"no hook T0K3N here")).await;
    for url in [format!("{url}/T0K3N"), "https://127.0.0.1:1/T0K3N".into(), "no url T0K3N".into()] {
        let outcome = format!("{:?}", deliver(&url, SECOND).await);
        assert!(!outcome.contains(&url), "{outcome}");
        assert!(!outcome.contains("127.0.0.1:1/"), "{outcome}");
    }
}

async fn deliver_as(form: Form, answered: &'static [u8]) -> (Outcome, String) {
    let (url, serving) = server(answer("200 OK", answered)).await;
    let config = [("url".to_owned(), url), ("token".to_owned(), "hunter2".to_owned())];
    let (secrets, body) = (Secrets::new(config.into()), Body::Post { json: JSON.into() });
    let letter = Letter { key: "key-1".into(), channel: "team".into(), after: 0, up_to: 1, body };
    let timeout = 5 * SECOND;
    let one = Try { letter: &letter, json: JSON, timeout, not_stored: false, now_s: 0 };
    let (url, token) = (Secret::Config("url".into()), Secret::Config("token".into()));
    let http = Http::new().unwrap();
    let outcome = webhook::deliver_as(&form, &http, &secrets, &url, Some(&token), one).await;
    (outcome, serving.await.unwrap().remove(0))
}

#[tokio::test]
async fn takes_a_chats_word_for_what_became_of_a_message() {
    let (taken, head) = deliver_as(Form::Slack, b"ok").await;
    assert_eq!(taken, Outcome::Accepted { detail: "200 OK: ok".into() });
    assert!(head.contains("authorization: Bearer hunter2"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let (refused, _) = deliver_as(Form::Slack, b"channel_is_archived").await;
    let detail = "success, and yet: channel_is_archived".to_owned();
    assert_eq!(refused, Outcome::Refused { detail, retry_after: None, permanent: false });
    let (taken, head) = deliver_as(Form::CloudEvents, b"").await;
    assert!(matches!(taken, Outcome::Accepted { .. }), "{taken:?}");
    assert!(head.contains("content-type: application/cloudevents+json"), "{head}");
}
