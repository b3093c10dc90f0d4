//! What a TLS handshake shows: the session, the certificates, and whether
//! they can be trusted. How it is shaken is the daemon's.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Span, Timestamp};

/// What was learned from one handshake.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TlsFacts {
    /// `1.2` or `1.3`; what is older is refused in the handshake already.
    pub version: String,
    /// The cipher suite by its registered name, `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// The protocol that was agreed on (`h2`), if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// The server's certificates as it sent them, its own first. Never empty.
    pub chain: Vec<Certificate>,
    /// Why the chain is not to be trusted for this host; `None`: it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distrust: Option<Distrust>,
    /// From the handshake to the end of the server's own certificate. (Not of
    /// the chain: servers send expired cross-signatures for years, and no
    /// client minds. A chain that cannot be verified is told by `distrust`.)
    pub expires_in: Span,
}

impl TlsFacts {
    /// The server's own certificate.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()
    }
}

/// A certificate's fields.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Certificate {
    /// Whose it is: `CN=agent.example.com`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Hosts and addresses that it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// It holds from here …
    pub not_before: Timestamp,
    /// … to here.
    pub not_after: Timestamp,
    /// Whether it says that it signed itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_self_signed: bool,
}

/// Why a chain is not to be trusted: three different mistakes, three different
/// remedies, and the rest in the library's words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distrust {
    /// Its time is over, or has not begun.
    Expired,
    /// See `Expired`: the other end of it.
    NotYetValid,
    /// It is for other hosts than the one that was asked.
    WrongHost,
    /// No authority that is trusted here signed it.
    UnknownAuthority,
    /// Anything else.
    Other(String),
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Distrust::Expired => "the certificate has expired",
            Distrust::NotYetValid => "the certificate is not valid yet",
            Distrust::WrongHost => "the certificate is for another host",
            Distrust::UnknownAuthority => "the certificate is signed by an unknown authority",
            Distrust::Other(why) => why,
        })
    }
}
