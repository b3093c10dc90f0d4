//! Letters by a bot of Slack's: what each answer means, and what is kept of it.

use std::time::Duration;

use bakewatch::daemon::deferred::Requests;
use bakewatch::daemon::events::Try;
use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::daemon::slack;
use bakewatch::model::{SECOND, Secret};
use bakewatch::notify::{Body, Letter, Request};
use bakewatch::record::{Outcome, Posted};

use super::http::{answer, servers};

/// Longer than any of it takes, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);

const TOKEN: &str = "xoxb-hunter2";

/// A change and a word in its thread, or a first message, answered in turn.
async fn check(requests: &[(&'static str, &str)], answers: &[&str]) -> (Outcome, Vec<String>) {
    check_again(&Requests::default(), 0, requests, answers).await
}

/// The same where earlier tries got some of it through; `after`: the letter's bookmark.
async fn check_again(
    known: &Requests,
    after: u64,
    requests: &[(&'static str, &str)],
    answers: &[&str],
) -> (Outcome, Vec<String>) {
    let answers = answers.iter().map(|body| answer("200 OK", body.as_bytes())).collect();
    let (url, serving) = servers(answers).await;
    let config = [("url".to_owned(), url), ("token".to_owned(), TOKEN.to_owned())];
    let secrets = Secrets::new(config.into());
    let request = |(path, json): &(&'static str, &str)| Request {
        path,
        about: "chat/Slow".to_owned(),
        json: (*json).to_owned(),
        less: Some(r#"{"text":"in short"}"#.to_owned()),
    };
    let requests: Vec<Request> = requests.iter().map(request).collect();
    let (timeout, http) = (5 * SECOND, Http::new().unwrap());
    let body = Body::Requests(requests.clone());
    let (key, channel) = ("bw-1".to_owned(), "team".into());
    let letter = Letter { key, channel, after, up_to: after + 1, body };
    let (letter, requests) = (&letter, &requests);
    let one = Try { letter, requests, known, timeout, not_stored: false, now_s: 0 };
    let (url, token) = (Secret::Config("url".into()), Secret::Config("token".into()));
    let outcome = slack::deliver(&http, &secrets, &token, Some(&url), one).await;
    let sent = tokio::time::timeout(PATIENCE, serving).await.expect("a request for each answer");
    (outcome, sent.unwrap())
}

const FIRST: (&str, &str) = ("/chat.postMessage", r##"{"channel":"#ops","text":"x"}"##);
const UPDATE: (&str, &str) = ("/chat.update", r#"{"channel":"C1","ts":"17.1","text":"x"}"#);
const REPLY: (&str, &str) = ("/chat.postMessage", r#"{"channel":"C1","thread_ts":"17.1"}"#);
const DONE: &str = r#"{"ok":true,"channel":"C1","ts":"17.1"}"#;

fn error(word: &str) -> String {
    format!(r#"{{"ok":false,"error":"{word}"}}"#)
}

#[tokio::test]
async fn keeps_where_a_first_message_stands() {
    let (outcome, sent) = check(&[FIRST], &[DONE]).await;
    let (about, channel, ts) = ("chat/Slow".to_owned(), "C1".to_owned(), "17.1".to_owned());
    let messages = vec![Posted { about, channel, ts }];
    assert_eq!(outcome, Outcome::Posted { detail: "ok".into(), messages });
    assert!(sent[0].contains("authorization: Bearer xoxb-hunter2"), "{}", sent[0]);
}

#[tokio::test]
async fn brings_it_up_to_date_and_tells_its_thread_in_this_order() {
    let (outcome, sent) = check(&[UPDATE, REPLY], &[DONE, DONE]).await;
    assert_eq!(outcome, Outcome::Accepted { detail: "ok".into() });
    assert!(sent[0].starts_with("POST /chat.update ") && sent[1].starts_with("POST /chat.post"));
}

#[tokio::test]
async fn tells_the_end_of_one_whose_message_somebody_has_deleted() {
    let gone = error("message_not_found");
    let (outcome, sent) = check(&[UPDATE, REPLY], &[&gone, DONE]).await;
    assert_eq!(outcome, Outcome::Accepted { detail: "ok; message_not_found".into() });
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn believes_no_success_and_says_less_where_the_words_are_too_many() {
    let (outcome, sent) = check(&[FIRST], &[&error("msg_blocks_too_long"), DONE]).await;
    assert!(matches!(outcome, Outcome::Posted { .. }), "{outcome:?}");
    assert!(sent[1].contains("in short"), "{}", sent[1]);
    for (word, permanent) in [("not_in_channel", true), ("ratelimited", false)] {
        let (outcome, _) = check(&[FIRST], &[&error(word)]).await;
        let detail = word.to_owned();
        assert_eq!(outcome, Outcome::Refused { detail, retry_after: None, permanent });
    }
}

#[tokio::test]
async fn sends_the_rest_alone_of_what_was_taken_in_part_and_all_of_it_when_it_is_news() {
    let (known, late) = (Requests::default(), error("ratelimited"));
    let all = [FIRST, REPLY];
    let paths = |sent: &[String]| sent.iter().filter(|one| one.contains("thread_ts")).count();
    let (outcome, sent) = check_again(&known, 7, &all, &[DONE, &late]).await;
    assert!(matches!(outcome, Outcome::Refused { permanent: false, .. }), "{outcome:?}");
    assert_eq!((sent.len(), paths(&sent)), (2, 1));
    let (outcome, sent) = check_again(&known, 7, &all, &[DONE]).await;
    assert_eq!((sent.len(), paths(&sent)), (1, 1), "the word in the thread");
    let Outcome::Posted { messages, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(messages[0].ts, "17.1", "where the first stands was not forgotten");
    let (_, sent) = check_again(&known, 7, &all, &[DONE, DONE]).await;
    assert_eq!(sent.len(), 2, "it had been taken as a whole");
    check_again(&known, 7, &all, &[DONE, &late]).await;
    let (_, sent) = check_again(&known, 8, &all, &[DONE, DONE]).await;
    assert_eq!(sent.len(), 2, "another letter that says the same");
}
