//! Slack by a bot: <https://docs.slack.dev/reference/methods/chat.postMessage>. A
//! message an incident, which is brought up to date when it ends, with a word in
//! its thread so that whoever follows it is told. An edit alone tells nobody.
//!
//! Where an incident's message stands is known from the receipt of its letter.

use serde_json::{Value, json};

use super::chat::slack;
use crate::notify::digest::{Content, Digest, State, Telling};
use crate::notify::letter::{Body, Request};
use crate::notify::words;
use crate::record::Posted;

/// A new message, or one under another.
pub const POST: &str = "/chat.postMessage";
const UPDATE: &str = "/chat.update";

/// A digest as messages in a channel of theirs.
pub fn compose(to: &str, digest: &Digest) -> Body {
    let Content::News { tellings, notices, .. } = &digest.content else {
        return Body::Requests(vec![post(to, digest, String::new())]);
    };
    let mut requests: Vec<Request> =
        tellings.iter().flat_map(|telling| turns(to, digest, telling)).collect();
    if !notices.is_empty() {
        let (tellings, notices, others) = (Vec::new(), notices.clone(), Vec::new());
        let content = Content::News { tellings, notices, others, reason: None };
        requests.push(post(to, &Digest { content, ..digest.clone() }, String::new()));
    }
    Body::Requests(requests)
}

/// As it is sent: with a word if the facts behind it could not be stored.
pub fn filled(json: &str, not_stored: bool) -> String {
    match serde_json::from_str::<Value>(json) {
        Ok(mut body) if not_stored => {
            slack::add(&mut body, super::NOT_STORED);
            body.to_string()
        }
        _ => json.to_owned(),
    }
}

/// What Slack says of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It is done; the message stands in this channel under this stamp.
    Done {
        /// The channel's id.
        channel: String,
        /// The message's.
        ts: String,
    },
    /// The message to be changed is gone, or too old: its end is told all the same.
    Gone(String),
    /// It objects to the words.
    Words(String),
    /// It takes nothing of us until somebody puts that right.
    Pointless(String),
    /// Not now.
    Later(String),
}

/// Reads an answer, which is 200 whatever it says.
pub fn answer(body: &str) -> Answer {
    let said: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
    if said["ok"] == true {
        return Answer::Done { channel: text("channel"), ts: text("ts") };
    }
    let error = words::cut(&text("error"), words::NAME_CHARS_MAX);
    match error.as_str() {
        "message_not_found" | "cant_update_message" | "edit_window_closed" | "thread_not_found" => {
            Answer::Gone(error)
        }
        "invalid_blocks"
        | "invalid_blocks_format"
        | "msg_too_long"
        | "msg_blocks_too_long"
        | "no_text" => Answer::Words(error),
        "account_inactive" | "channel_not_found" | "invalid_auth" | "is_archived"
        | "missing_scope" | "no_permission" | "not_authed" | "not_in_channel"
        | "restricted_action" | "token_expired" | "token_revoked" => Answer::Pointless(error),
        "" => Answer::Later("an answer that is none of Slack's".to_owned()),
        _ => Answer::Later(error),
    }
}

fn turns(to: &str, digest: &Digest, telling: &Telling) -> Vec<Request> {
    let tellings = vec![telling.clone()];
    let (others, reason) = match &digest.content {
        Content::News { others, reason, .. } => (others.clone(), *reason),
        _ => (Vec::new(), None),
    };
    let content = Content::News { tellings, notices: Vec::new(), others, reason };
    let one = Digest { content, ..digest.clone() };
    let about = telling.alert.incident.clone();
    let message = digest.messages.and_then(|messages| messages.get(&about));
    let is_acked = telling.is_known && telling.alert.insisting.acked.is_some();
    match (telling.state, message) {
        // Somebody is on it: that stands where it burns, and calls nobody.
        (State::Firing, Some(message)) if is_acked => {
            let mut update = body(&message.channel, &one);
            update["ts"] = message.ts.as_str().into();
            let (json, less) = (update.to_string(), Some(least(&update)));
            vec![Request { path: UPDATE, about, json, less }]
        }
        // A reminder calls those who read the channel, from where it burns.
        (State::Firing, Some(message)) if telling.is_known => {
            vec![reply(message, body(to, &one), about, true)]
        }
        (State::Firing, _) | (_, None) => vec![post(to, &one, about)],
        (State::Resolved | State::Closed, Some(message)) => {
            let mut update = body(&message.channel, &one);
            update["ts"] = message.ts.as_str().into();
            let (json, less) = (update.to_string(), Some(least(&update)));
            let update = Request { path: UPDATE, about: about.clone(), json, less };
            vec![update, reply(message, body(to, &one), about, false)]
        }
    }
}

/// Under a message; where that is gone, as one of its own.
fn reply(message: &Posted, whole: Value, about: String, calls: bool) -> Request {
    let mut reply = json!({
        "channel": message.channel, "thread_ts": message.ts, "text": whole["text"],
    });
    if calls {
        reply["reply_broadcast"] = true.into();
    }
    Request { path: POST, about, json: reply.to_string(), less: Some(whole.to_string()) }
}

fn post(to: &str, digest: &Digest, about: String) -> Request {
    let body = body(to, digest);
    Request { path: POST, about, json: body.to_string(), less: Some(least(&body)) }
}

fn body(to: &str, digest: &Digest) -> Value {
    let mut body: Value = serde_json::from_str(&slack::compose(digest)).expect("it was just made");
    body["channel"] = to.into();
    body["unfurl_links"] = false.into();
    body["unfurl_media"] = false.into();
    body
}

/// Without blocks, to which it may object.
fn least(body: &Value) -> String {
    let mut least = body.clone();
    if let Some(fields) = least.as_object_mut() {
        fields.remove("blocks");
    }
    least.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Labels, Medium, SECOND, Secret, Severity};
    use crate::notify::fixture::Story;
    use crate::notify::letter::Letter;
    use crate::record::{Fact, Outcome, Plan, Posted};

    fn story() -> Story {
        let token = Secret::Env("TOKEN".to_owned());
        Story::by(Medium::SlackBot { token, channel: "#ops".to_owned(), url: None })
    }

    /// Sends what is owed; Slack takes it and says where it stands.
    fn deliver(story: &mut Story, ts: &str) -> Vec<(&'static str, Value)> {
        let letter: Letter = story.send("chat");
        let Body::Requests(requests) = &letter.body else { panic!("{letter:?}") };
        let messages = requests.iter().filter(|one| !one.about.is_empty()).map(|one| Posted {
            about: one.about.clone(),
            channel: "C1".to_owned(),
            ts: ts.to_owned(),
        });
        let outcome = Outcome::Posted { detail: "ok".into(), messages: messages.collect() };
        let (channel, key) = (letter.channel.clone(), letter.key.clone());
        story.fact(SECOND, Fact::Receipt { channel, key, outcome });
        let parsed = |one: &Request| (one.path, serde_json::from_str(&one.json).unwrap());
        requests.iter().map(parsed).collect()
    }

    #[test]
    fn brings_an_incidents_message_up_to_date_and_tells_its_thread() {
        let mut story = story();
        story.fire("HighErrorRate", &[], 0.5);
        let fire = deliver(&mut story, "17.1");
        assert_eq!((fire.len(), fire[0].0, &fire[0].1["channel"]), (1, POST, &"#ops".into()));
        story.calm("HighErrorRate", &[], 0.0);
        let end = deliver(&mut story, "17.2");
        assert_eq!([end[0].0, end[1].0], [UPDATE, POST]);
        assert_eq!([&end[0].1["channel"], &end[0].1["ts"]], ["C1", "17.1"]);
        assert_eq!([&end[1].1["channel"], &end[1].1["thread_ts"]], ["C1", "17.1"]);
        assert!(end[1].1["text"].as_str().unwrap().starts_with("RESOLVED critical"), "{end:?}");
        story.fire("HighErrorRate", &[], 0.5);
        assert_eq!(deliver(&mut story, "17.3").len(), 1, "it burns anew: a message that is seen");
    }

    #[test]
    fn goes_on_with_the_message_of_an_incident_under_the_next_release() {
        let long = "/über".repeat(100);
        for labels in [&[][..], &[("path", long.as_str())]] {
            let mut before = story();
            before.fire("HighErrorRate", labels, 0.5);
            deliver(&mut before, "17.1");
            let alerts = before.record.to_hand_on(&before.record.plan);
            let mut story = story();
            let (from, silences) = ("v1.2.2".into(), Vec::new());
            story.fact(SECOND, Fact::Inherited { from, alerts, silences });
            story.calm("HighErrorRate", labels, 0.0);
            let end = deliver(&mut story, "17.2");
            assert_eq!(end.iter().map(|one| one.0).collect::<Vec<_>>(), [UPDATE, POST]);
            assert_eq!([&end[0].1["ts"], &end[1].1["thread_ts"]], ["17.1", "17.1"]);
        }
    }

    /// It was told of something that it does not take, in place of another.
    #[test]
    fn hands_a_message_on_only_where_the_next_release_tells_the_same_channel() {
        let mut story = story();
        let chat = story.record.plan.channels.iter_mut().find(|one| one.name == *"chat").unwrap();
        chat.severities = vec![Severity::Critical];
        story.fire("SlowAnswers", &[], 11.0);
        let (rule, labels) = ("SlowAnswers".into(), Labels::default());
        let (from, to) = ("on-call".into(), "chat".into());
        story.fact(SECOND, Fact::FellBack { rule, labels, from, to });
        deliver(&mut story, "17.1");
        let handed = |heir: &Plan| story.record.to_hand_on(heir)[0].messages.len();
        let mut plan = story.record.plan.clone();
        assert_eq!(handed(&plan), 1);
        let chat = plan.channels.iter_mut().find(|one| one.name == *"chat").unwrap();
        let Medium::SlackBot { channel, .. } = &mut chat.medium else { panic!("{chat:?}") };
        *channel = "#others".to_owned();
        assert_eq!(handed(&plan), 0);
    }

    #[test]
    fn tells_each_incident_by_a_letter_of_its_own_so_that_none_is_told_twice() {
        let mut story = story();
        story.fire("HighErrorRate", &[], 0.5).fire("SlowAnswers", &[], 11.0);
        for rule in ["HighErrorRate", "SlowAnswers"] {
            let told = deliver(&mut story, "17.1");
            assert_eq!(told.len(), 1);
            assert!(told[0].1["text"].as_str().unwrap().contains(rule), "{told:?}");
        }
    }

    #[test]
    fn reads_what_slack_says() {
        let done = Answer::Done { channel: "C1".into(), ts: "17.1".into() };
        assert_eq!(answer(r#"{"ok":true,"channel":"C1","ts":"17.1","message":{}}"#), done);
        let error = |word: &str| answer(&format!(r#"{{"ok":false,"error":"{word}"}}"#));
        assert_eq!(error("message_not_found"), Answer::Gone("message_not_found".into()));
        assert_eq!(error("invalid_blocks"), Answer::Words("invalid_blocks".into()));
        assert_eq!(error("not_in_channel"), Answer::Pointless("not_in_channel".into()));
        assert_eq!(error("ratelimited"), Answer::Later("ratelimited".into()));
        assert!(matches!(answer("<html>"), Answer::Later(_)));
    }
}
