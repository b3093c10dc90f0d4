//! A letter: what one channel is told at once, complete but for its secrets.

use crate::model::Name;

/// A letter, with holes where secrets go: the sender looks them up in the
/// channel at each attempt, signs, and forgets them.
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
    /// A mail with text and HTML alike in content.
    Mail {
        /// State, severity, service, release.
        subject: String,
        /// The plain text.
        text: String,
        /// The HTML.
        html: String,
        /// Further headers, in order: `In-Reply-To`, `References`, `Auto-Submitted`, …
        headers: Vec<(String, String)>,
    },
}
