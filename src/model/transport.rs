//! How an address is reached, beside what is asked there: which certificates
//! are trusted and shown, through which proxy, by which version of HTTP.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{HeaderValue, Secret};

/// Requests of the same transport share connections. The default is what
/// holds without a word: the system's authorities, no proxy, HTTP as it comes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transport {
    /// A PEM file of authorities that are trusted besides the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// The name that is asked for, instead of the address's host: in the
    /// handshake, in the certificate, and as `Host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// No certificate is checked. Told wherever it can be told.
    #[serde(skip_serializing_if = "is_false")]
    pub insecure: bool,
    /// What we show of ourselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Through whom; `None`: directly, whatever the environment says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// HTTP/2 without asking first, for servers that speak nothing else.
    #[serde(skip_serializing_if = "is_false")]
    pub http2_only: bool,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Transport {
    /// Whether nothing is special about it.
    pub fn is_plain(&self) -> bool {
        *self == Transport::default()
    }
}

/// How a target is reached that has a way of its own among its siblings.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Approach {
    /// Headers of its probes and scrapes, credentials among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, HeaderValue)>,
    /// Which way they take; `None`: the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<Arc<Transport>>,
}

/// A client certificate and its key: PEM files, read again when they change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// The certificate, with those between it and the authority.
    pub cert_file: String,
    /// Its private key.
    pub key_file: String,
}

/// Through whom requests go.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proxy {
    /// As `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    Environment,
    /// This one, for everything.
    At(String),
    /// The same, where its address holds a password.
    Secret(Secret),
}

/// How a request begins that goes to a Unix socket.
pub const UNIX: &str = "unix://";

/// The socket and the path of `unix:///run/app.sock:/health`; `None`: the URL
/// goes to a host.
pub fn unix_parts(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix(UNIX)?;
    Some(rest.split_once(':').unwrap_or((rest, "/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_socket_from_the_path_that_is_asked_there() {
        assert_eq!(unix_parts("unix:///run/a.sock:/m?x=1:2"), Some(("/run/a.sock", "/m?x=1:2")));
        assert_eq!(unix_parts("http://a:80/m"), None);
    }

    #[test]
    fn writes_nothing_of_what_is_as_usual() {
        assert_eq!(serde_json::to_string(&Transport::default()).unwrap(), "{}");
        let own = Transport { proxy: Some(Proxy::Environment), ..Transport::default() };
        let text = serde_json::to_string(&own).unwrap();
        assert_eq!(text, r#"{"proxy":"environment"}"#);
        assert_eq!(serde_json::from_str::<Transport>(&text).unwrap(), own);
    }
}
