//! One request and what came of it, as values: the world's failures are data.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Beyond, Secret, Span, Transport};

/// HTTP methods that a check may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 7] = [
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
        Method::Options,
    ];

    /// `GET`, `POST`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A header's value: in the open, or a secret that only the sender fills in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeaderValue {
    /// As written.
    Plain(String),
    /// Filled in at each attempt.
    Secret(Secret),
    /// `Bearer` and the token.
    Bearer {
        /// The token.
        bearer: Secret,
    },
    /// `Basic` and user and password, in base64.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// One HTTP request, complete but for its secrets.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Request {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// The full URL.
    pub url: String,
    /// Names as written, values perhaps secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, HeaderValue)>,
    /// The body, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// For the whole exchange, connect to last byte.
    pub timeout: Span,
    /// How the URL's host is reached; `None`: as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Arc<Transport>>,
    /// How many redirects are followed. None: a service that moved is told.
    #[serde(default, skip_serializing_if = "is_none")]
    pub follow: u8,
}

fn is_none(count: &u8) -> bool {
    *count == 0
}

/// An answer that came whole. (It may still say that all is lost.)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exchange {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body, decoded from gzip, as UTF-8 (bad bytes replaced).
    pub body: String,
    /// From before the connect to the last byte.
    pub elapsed: Span,
    /// How many redirects were followed to come here.
    pub redirects: u8,
    /// Where the answer came from; empty where nobody noted it.
    pub url: String,
    /// Secrets that the request held and the answer may repeat.
    pub hidden: Hidden,
    /// What was learned beyond HTTP, where that was asked for.
    pub beyond: Option<Box<Beyond>>,
}

/// Values that are never to be shown. Nobody can print them by mistake.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Hidden(pub Vec<String>);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hidden({} redacted)", self.0.len())
    }
}

impl Exchange {
    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why no whole answer came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Nothing listens there.
    Refused,
    /// No whole answer within this time.
    Timeout(Span),
    /// The name could not be resolved.
    Dns(String),
    /// No TLS session came about.
    Tls(String),
    /// The connection broke, or what came was no HTTP.
    Broken(String),
    /// The body went past this many bytes, after gunzip.
    TooLarge(u64),
    /// A scrape whose status is not 200.
    Status(u16),
    /// A scrape whose body is no exposition, or is cut off.
    Unreadable(String),
    /// A source of metrics that answers, and says why it has no result.
    Says(String),
    /// We could not ask: our own fault, says nothing about the target.
    NotAsked(String),
}

impl Failure {
    /// Whether the target is out of it: a sample after such a failure is
    /// *unknown*, neither up nor down.
    pub fn is_ours(&self) -> bool {
        matches!(self, Failure::NotAsked(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused => f.write_str("connection refused"),
            Failure::Timeout(after) => write!(f, "timeout after {after}"),
            Failure::Dns(why) => write!(f, "name not resolved: {why}"),
            Failure::Tls(why) => write!(f, "TLS: {why}"),
            Failure::Broken(why) => write!(f, "connection broke: {why}"),
            Failure::TooLarge(bytes) => write!(f, "body larger than {bytes} bytes"),
            Failure::Status(code) => write!(f, "status {code}"),
            Failure::Unreadable(why) => write!(f, "unreadable: {why}"),
            Failure::Says(why) => write!(f, "it says: {why}"),
            Failure::NotAsked(why) => write!(f, "not asked: {why}"),
        }
    }
}
