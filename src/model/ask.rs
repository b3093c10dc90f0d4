//! What can be asked of a service besides an HTTP request, and what its
//! answer says beyond HTTP.

use core::net::SocketAddr;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DnsRecord, DnsType, TlsFacts};

/// One question beyond HTTP.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Does a connection come about?
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// Does a TLS session come about, and by which certificates?
    Tls {
        /// `host:port`.
        address: String,
        /// A PEM file with authorities to trust besides the system's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_file: Option<String>,
    },
    /// What does a name stand for?
    Dns {
        /// The name.
        name: String,
        /// Which of its records.
        #[serde(rename = "type")]
        of: DnsType,
        /// Each of these has to be among the records.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        expect: Vec<String>,
        /// A server to ask; `None`: the system's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<SocketAddr>,
    },
    /// Does it say of itself that it serves (`grpc.health.v1.Health/Check`)?
    Grpc {
        /// `host:port`.
        address: String,
        /// Which of its services; empty: the server as a whole.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        service: String,
        /// Whether the session is TLS.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        tls: bool,
        /// A PEM file with authorities to trust besides the system's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_file: Option<String>,
    },
}

impl Ask {
    /// The texts of which it is made and that an earlier answer may fill.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Ask::Tcp { address } | Ask::Tls { address, .. } => vec![address],
            Ask::Dns { name, expect, .. } => {
                std::iter::once(name).chain(expect).map(String::as_str).collect()
            }
            Ask::Grpc { address, service, .. } => vec![address, service],
        }
    }

    /// The same, to be filled.
    pub fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Ask::Tcp { address } | Ask::Tls { address, .. } => vec![address],
            Ask::Dns { name, expect, .. } => std::iter::once(name).chain(expect).collect(),
            Ask::Grpc { address, service, .. } => vec![address, service],
        }
    }
}

/// `tcp redis.internal:6379`, `dns A agent.example.com at 10.0.0.2:53`.
impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ask::Tcp { address } => write!(f, "tcp {address}"),
            Ask::Tls { address, .. } => write!(f, "tls {address}"),
            Ask::Dns { name, of, server: None, .. } => write!(f, "dns {of} {name}"),
            Ask::Dns { name, of, server: Some(server), .. } => {
                write!(f, "dns {of} {name} at {server}")
            }
            Ask::Grpc { address, service, tls, .. } => {
                let kind = if *tls { "grpc+tls" } else { "grpc" };
                let of = if service.is_empty() { "" } else { " " };
                write!(f, "{kind} {address}{of}{service}")
            }
        }
    }
}

/// What an answer says beyond status, headers and body.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Beyond {
    /// The TLS session, where one was looked at.
    pub tls: Option<TlsFacts>,
    /// The records of a DNS answer.
    pub dns: Option<Vec<DnsRecord>>,
    /// What a gRPC server says of itself.
    pub serving: Option<Serving>,
}

/// The states of `grpc.health.v1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Serving {
    /// It does not know yet.
    Unknown,
    /// It serves.
    Serving,
    /// It does not.
    NotServing,
    /// It has no service of that name.
    ServiceUnknown,
}

impl Serving {
    /// `SERVING`, as the protocol calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Serving::Unknown => "UNKNOWN",
            Serving::Serving => "SERVING",
            Serving::NotServing => "NOT_SERVING",
            Serving::ServiceUnknown => "SERVICE_UNKNOWN",
        }
    }
}
