//! The media, one file each.

pub mod alertmanager;
mod chat;
mod cloudevents;
mod email;
pub mod pagerduty;
pub mod slack_bot;
pub mod webhook;

use super::digest::Digest;
use super::letter::Body;
use crate::model::{Channel, Form, Medium, Name};

/// A digest in a channel's words. A new medium is a file here, a variant of
/// `Medium`, one of `Body` if it travels otherwise than those there are, and
/// a line in this table.
pub fn compose(channel: &Channel, digest: &Digest) -> Body {
    match &channel.medium {
        Medium::Webhook { template, .. } => webhook::compose(digest, template.as_ref()),
        Medium::Post { form, .. } => Body::Post { json: post(&channel.name, form, digest) },
        Medium::Alertmanager { .. } => Body::Post { json: alertmanager::push(digest) },
        Medium::Command { .. } => webhook::compose(digest, None),
        Medium::Pagerduty { .. } => pagerduty::compose(digest),
        Medium::SlackBot { channel, .. } => slack_bot::compose(channel, digest),
        Medium::Email { .. } => email::compose(digest),
    }
}

fn post(to: &Name, form: &Form, digest: &Digest) -> String {
    match form {
        Form::Slack => chat::slack::compose(digest),
        Form::Teams => chat::teams::compose(digest),
        Form::Discord => chat::discord::compose(digest),
        Form::Ntfy { topic } => chat::ntfy::compose(topic, digest),
        Form::CloudEvents => cloudevents::compose(digest),
        Form::Alertmanager => alertmanager::webhook(to, digest),
    }
}

/// What a receiver that answers with success means by its words, if it did not
/// take the message after all.
pub fn objection(form: &Form, words: &str) -> Option<String> {
    let is_taken = match form {
        Form::Slack => words.is_empty() || words.eq_ignore_ascii_case("ok") || is_success(words),
        Form::Teams => !words.contains("returned HTTP error"),
        Form::Discord | Form::Ntfy { .. } | Form::CloudEvents | Form::Alertmanager => true,
    };
    (!is_taken).then(|| format!("success, and yet: {words}"))
}

/// Rocket.Chat's `{"success":true}`.
fn is_success(words: &str) -> bool {
    let said: serde_json::Value = serde_json::from_str(words).unwrap_or_default();
    said["success"] == true || said["ok"] == true
}

/// Said where a letter's facts are not on disk.
const NOT_STORED: &str = "(This could not be stored: the disk of bakewatch is failing.)";

/// A frozen body with a word of what was found out since: that the facts behind
/// it could not be stored.
pub fn not_stored(form: &Form, json: &str) -> String {
    let Ok(mut body) = serde_json::from_str::<serde_json::Value>(json) else {
        return json.to_owned();
    };
    match form {
        Form::Slack => chat::slack::add(&mut body, NOT_STORED),
        Form::Teams => chat::teams::add(&mut body, NOT_STORED),
        Form::Discord => chat::discord::add(&mut body, NOT_STORED),
        Form::Ntfy { .. } => chat::ntfy::add(&mut body, NOT_STORED),
        Form::CloudEvents => body["notstored"] = true.into(),
        Form::Alertmanager => body["commonAnnotations"]["not_stored"] = NOT_STORED.into(),
    }
    body.to_string()
}

/// The media type of a POST's body.
pub fn content_type(form: &Form) -> &'static str {
    match form {
        Form::CloudEvents => "application/cloudevents+json; charset=utf-8",
        Form::Slack | Form::Teams | Form::Discord | Form::Ntfy { .. } | Form::Alertmanager => {
            "application/json"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believes_no_success_that_says_otherwise() {
        let teams = "Webhook message delivery failed with error: Microsoft Teams endpoint \
                     returned HTTP error 429";
        let cases = [
            (Form::Slack, "ok", false),
            (Form::Slack, "", false),
            (Form::Slack, "channel_is_archived", true),
            (Form::Slack, r#"{"success":true}"#, false),
            (Form::Slack, r#"{"success":false}"#, true),
            (Form::Teams, "1", false),
            (Form::Teams, teams, true),
            (Form::Discord, "{}", false),
        ];
        for (form, words, refused) in cases {
            assert_eq!(objection(&form, words).is_some(), refused, "{form:?} {words}");
        }
    }
}
