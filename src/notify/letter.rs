//! A letter: what one channel is told at once, complete but for its secrets.

use crate::model::Name;

pub(super) use crate::model::hex_of;

/// A letter. It holds no secret: the sender looks up address, password and
/// signing secret in the channel at each attempt, and forgets them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// The idempotency key: the same content has the same key on every try.
    /// `[A-Za-z0-9-]`, at most 64 characters; also the mail's Message-ID.
    pub key: String,
    /// To whom.
    pub channel: Name,
    /// It tells the news after this fact …
    pub after: u64,
    /// … up to and with this one.
    pub up_to: u64,
    /// In which words.
    pub body: Body,
}

/// The words, by medium.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// A JSON body to be POSTed, and signed if the channel has a secret.
    Webhook {
        /// The body, final to the byte: the signature covers it.
        json: String,
    },
    /// A JSON body to be POSTed in the receiver's own form.
    Post {
        /// The body, final to the byte.
        json: String,
    },
    /// A body in the receiver's own words, to be POSTed, and signed if the channel
    /// has a secret.
    Text {
        /// The body, final to the byte.
        text: String,
        /// What it is.
        content_type: String,
    },
    /// JSON bodies to be POSTed one after the other: the first that is put off
    /// ends the try, and the next try sends it and those after it.
    Requests(Vec<Request>),
    /// A mail with text and HTML alike in content. The sender sets
    /// `Message-ID` to the letter's key at the domain of the `From` address.
    Mail {
        /// State, severity, service, release.
        subject: String,
        /// The plain text.
        text: String,
        /// The HTML.
        html: String,
        /// Further headers, in order: `In-Reply-To`, `References`, `Auto-Submitted`, …
        headers: Vec<(String, String)>,
        /// Pictures that the HTML shows.
        images: Vec<Image>,
    },
}

/// A picture in a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Its `Content-ID`, without brackets.
    pub id: String,
    /// PNG, in base64.
    pub png: String,
}

/// One of several requests of a letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// What follows the receiver's address.
    pub path: &'static str,
    /// What it is about, for a receipt.
    pub about: String,
    /// The body, but for what is filled in at each try.
    pub json: String,
    /// The least of it, for a receiver that finds it too large or too odd.
    pub less: Option<String>,
}

/// SHA-256 of the unfilled letter, in hex: what the record keeps of it.
pub fn hash(letter: &Letter) -> String {
    let [after, up_to] = [letter.after, letter.up_to].map(|number| number.to_string());
    let mut parts = vec![letter.key.as_str(), letter.channel.as_str(), &after, &up_to];
    parts.extend(letter.body.parts());
    hex_of(parts)
}

/// The key of a letter: the same for the same words to the same channel about
/// the same stretch of the same record, and for no others.
pub(super) fn key(watch: &str, channel: &Name, after: u64, up_to: u64, body: &Body) -> String {
    let [after, up_to] = [after, up_to].map(|number| number.to_string());
    let mut parts = vec![watch, channel.as_str(), &after, &up_to];
    parts.extend(body.parts());
    format!("bw-{}", &hex_of(parts)[..32])
}

impl Body {
    fn parts(&self) -> Vec<&str> {
        match self {
            Body::Webhook { json } => vec!["webhook", json],
            Body::Post { json } => vec!["post", json],
            Body::Text { text, content_type } => vec!["text", text, content_type],
            Body::Requests(requests) => {
                let mut parts = vec!["requests"];
                for Request { path, about, json, less } in requests {
                    parts.extend([path, about.as_str(), json, less.as_deref().unwrap_or_default()]);
                }
                parts
            }
            Body::Mail { subject, text, html, headers, images } => {
                let mut parts = vec!["mail", subject, text, html];
                for (name, value) in headers {
                    parts.extend([name.as_str(), value]);
                }
                for Image { id, png } in images {
                    parts.extend([id.as_str(), png]);
                }
                parts
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SECOND, Span};
    use crate::notify::fixture::Story;
    use crate::record::{Fact, LetterState, Outcome};

    #[test]
    fn leaves_a_receipt_in_the_record_with_its_tries_and_the_last_answer() {
        let mut story = Story::new();
        story.fire("HighErrorRate", &[("path", "/a")], 0.2);
        let key = story.send("chat").key;
        let kept = |story: &Story| {
            let letters = story.record.letters.iter();
            letters.map(|letter| story.record.letter_summary(letter)).collect::<Vec<_>>()
        };
        assert_eq!(kept(&story)[0].state, LetterState::Out);
        let end = |key: &str, outcome| {
            let (channel, key) = ("chat".into(), key.to_owned());
            Fact::Receipt { channel, key, outcome }
        };
        story.fact(SECOND, end(&key, Outcome::Unknown { detail: "no answer".to_owned() }));
        assert_eq!(story.send("chat").key, key, "exactly this one again");
        story.calm("HighErrorRate", &[("path", "/a")], 0.0);
        story.fact(SECOND, end(&key, Outcome::Accepted { detail: "200 OK".to_owned() }));
        story.send("chat");
        story.fact(Span::ZERO, Fact::Stopped {});
        let [first, second] = &kept(&story)[..] else { panic!("two letters") };
        assert_eq!((first.tries, first.state), (2, LetterState::Taken));
        assert_eq!(first.answer, "200 OK");
        assert_eq!(first.tells, ["HighErrorRate{path=\"/a\"} fires"]);
        assert_eq!((second.tries, second.state), (1, LetterState::Out));
        assert_eq!(second.tells, ["HighErrorRate{path=\"/a\"} is resolved"]);
    }

    #[test]
    fn has_another_key_and_hash_for_other_words_channels_and_stretches() {
        let body = |json: &str| Body::Webhook { json: json.to_owned() };
        let chat = Name::from("chat");
        let all = [
            key("a@1", &chat, 0, 12, &body("{}")),
            key("a@2", &chat, 0, 12, &body("{}")),
            key("a@1", &"page".into(), 0, 12, &body("{}")),
            key("a@1", &chat, 0, 1, &body("2{}")),
            key("a@1", &chat, 0, 12, &body("{ }")),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(one.starts_with("bw-") && one.len() == 35, "{one}");
            assert!(!all[index + 1..].contains(one), "{one} twice");
        }
        assert_eq!(all[0], key("a@1", &chat, 0, 12, &body("{}")));
    }
}
