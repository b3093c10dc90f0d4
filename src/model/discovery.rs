//! Where targets are found that nobody lists: a file, an address, a name.

use core::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Approach, HeaderValue, Name, Span, Target, Transport};

/// A source of targets, asked again and again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Source {
    /// For people, and unique in its plan: `file targets.json`.
    pub name: Name,
    /// Where to look.
    pub way: Way,
    /// How often.
    pub every: Span,
    /// What is asked at each target, where the source does not say it.
    pub paths: Paths,
    /// How those that it names are reached, where that is not as all targets are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Arc<Approach>>,
}

/// What is asked at a target.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Paths {
    /// Of its health endpoint; `None`: health is not asked.
    pub health: Option<String>,
    /// Of its exposition; `None`: it is not scraped.
    pub metrics: Option<String>,
    /// `http` or `https`.
    pub scheme: String,
}

/// Where to look.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A file in the form of Prometheus's `file_sd`, JSON or YAML by its
    /// name. A `*` in its last part stands for anything.
    File {
        /// Its path.
        path: String,
    },
    /// An address that answers in the form of Prometheus's `http_sd`.
    Http {
        /// Its URL.
        url: String,
        /// With which headers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(String, HeaderValue)>,
        /// How it is reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transport: Option<Arc<Transport>>,
    },
    /// A name whose records are the targets' addresses.
    Dns {
        /// The name.
        name: String,
        /// Which records.
        kind: Records,
        /// The targets' port; SRV records bear their own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        /// Whom to ask; `None`: the system's servers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<SocketAddr>,
    },
}

/// Kinds of DNS records that name a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Records {
    A,
    Aaaa,
    Srv,
}

impl Records {
    /// All of them.
    pub const ALL: [Records; 3] = [Records::A, Records::Aaaa, Records::Srv];

    /// `A`, `AAAA`, `SRV`.
    pub fn as_str(self) -> &'static str {
        match self {
            Records::A => "A",
            Records::Aaaa => "AAAA",
            Records::Srv => "SRV",
        }
    }
}

/// What a source answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// The targets, each once, by name.
    pub targets: Vec<Target>,
    /// For so long the answer holds, where it says so.
    pub holds_for: Option<Span>,
    /// What was left out, and why.
    pub left_out: Option<String>,
}
