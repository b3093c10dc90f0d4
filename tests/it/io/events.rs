//! Letters that are several requests: their order, and what each answer means.

use std::time::Duration;

use bakewatch::daemon::deferred::Requests;
use bakewatch::daemon::events::{self, Try};
use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::model::{SECOND, Secret};
use bakewatch::notify::{Body, Letter, Request};
use bakewatch::record::{Missed, Outcome};

use super::http::{answer, servers};

/// Longer than any of it takes, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Two events, answered in turn; gives the outcome and what was sent.
async fn check(answers: &[&str]) -> (Outcome, Vec<String>) {
    check_again(&Requests::default(), answers).await
}

/// The same where earlier tries got some of it through.
async fn check_again(known: &Requests, answers: &[&str]) -> (Outcome, Vec<String>) {
    check_of(known, ["one", "two"], answers).await
}

/// The same of other events.
async fn check_of(known: &Requests, abouts: [&str; 2], answers: &[&str]) -> (Outcome, Vec<String>) {
    let body = format!(r#"{{"status":"success","key":"{KEY}"}}"#);
    let answers = answers.iter().map(|head| answer(head, body.as_bytes())).collect();
    let (url, serving) = servers(answers).await;
    let config = [("url".to_owned(), url), ("key".to_owned(), KEY.to_owned())];
    let secrets = Secrets::new(config.into());
    let request = |about: &str| Request {
        path: "/v2/enqueue",
        about: about.to_owned(),
        json: format!(r#"{{"about":"{about}"}}"#),
        less: Some(format!(r#"{{"about":"{about}, in short"}}"#)),
    };
    let requests = abouts.map(request);
    let (timeout, http) = (5 * SECOND, Http::new().unwrap());
    let body = Body::Requests(requests.to_vec());
    let (key, channel) = ("bw-1".to_owned(), "page".into());
    let letter = Letter { key, channel, after: 0, up_to: 1, body };
    let (letter, requests) = (&letter, &requests);
    let one = Try { letter, requests, known, timeout, not_stored: false, now_s: 0 };
    let (url, key) = (Secret::Config("url".into()), Secret::Config("key".into()));
    let outcome = events::deliver(&http, &secrets, &key, Some(&url), one).await;
    let sent = tokio::time::timeout(PATIENCE, serving).await.expect("a request for each answer");
    (outcome, sent.unwrap())
}

fn abouts(sent: &[String]) -> Vec<&str> {
    let about = |head: &'_ str| head.split(r#""about":""#).nth(1).map(|rest| rest.len());
    let rest =
        sent.iter().filter_map(|head| about(head).map(|length| &head[head.len() - length..]));
    rest.map(|rest| rest.split('"').next().unwrap_or_default()).collect()
}

#[tokio::test]
async fn sends_events_in_their_order_with_the_key_and_repeats_the_key_nowhere() {
    let (outcome, sent) = check(&["202 Accepted", "202 Accepted"]).await;
    let Outcome::Accepted { detail } = outcome else { panic!("{outcome:?}") };
    assert!(detail.starts_with("202 Accepted") && !detail.contains(KEY), "{detail}");
    assert_eq!(abouts(&sent), ["one", "two"]);
    for head in &sent {
        assert!(head.starts_with("POST /v2/enqueue "), "{head}");
        assert!(head.contains(&format!(r#""routing_key":"{KEY}""#)), "{head}");
    }
}

#[tokio::test]
async fn ends_at_the_first_that_is_put_off_so_that_nothing_goes_before_it() {
    let (outcome, sent) = check(&["429 Too Many\r\nretry-after: 7"]).await;
    let Outcome::Refused { retry_after, permanent, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((retry_after, permanent), (Some(7 * SECOND), false));
    assert_eq!(abouts(&sent), ["one"]);
}

#[tokio::test]
async fn goes_on_with_the_event_that_was_put_off() {
    let known = Requests::default();
    let (_, sent) = check_again(&known, &["202 Accepted", "503 Busy"]).await;
    assert_eq!(abouts(&sent), ["one", "two"]);
    let (outcome, sent) = check_again(&known, &["202 Accepted"]).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(abouts(&sent), ["two"]);
    let (_, sent) = check_again(&known, &["202 Accepted", "202 Accepted"]).await;
    assert_eq!(abouts(&sent), ["one", "two"], "sent once more it is sent whole");
}

#[tokio::test]
async fn says_again_what_was_over_between_two_tries() {
    let (known, late) = (Requests::default(), ["202 Accepted", "503 Busy"]);
    for ended in ["its end", "its return", "its end"] {
        let (_, sent) = check_of(&known, [ended, "two"], &late).await;
        assert_eq!(abouts(&sent), [ended, "two"]);
    }
    let (_, sent) = check_of(&known, ["its end", "two"], &["202 Accepted"]).await;
    assert_eq!(abouts(&sent), ["two"]);
}

#[tokio::test]
async fn says_less_to_a_receiver_that_objects_to_the_words() {
    let (outcome, sent) = check(&["400 Bad", "202 Accepted", "202 Accepted"]).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(abouts(&sent), ["one", "one, in short", "two"]);
}

#[tokio::test]
async fn lets_one_that_is_never_taken_hold_up_none_of_the_others() {
    let (outcome, sent) = check(&["400 Bad", "413 Large", "202 Accepted"]).await;
    let Outcome::Partly { detail, missed } = outcome else { panic!("{outcome:?}") };
    assert_eq!(detail, "1 of 2 events taken");
    let [Missed { recipient, reason }] = &missed[..] else { panic!("{missed:?}") };
    assert!(recipient == "one" && reason.starts_with("413"), "{recipient}: {reason}");
    assert_eq!(abouts(&sent), ["one", "one, in short", "two"]);
}

#[tokio::test]
async fn a_key_that_is_refused_is_refused_for_good() {
    let (outcome, _) = check(&["403 Forbidden"]).await;
    assert!(matches!(outcome, Outcome::Refused { permanent: true, .. }), "{outcome:?}");
}
