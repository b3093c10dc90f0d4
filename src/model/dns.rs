//! What is asked of the domain name system, and what it answers.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Span;

/// A type of record that can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DnsType {
    /// IPv4 addresses.
    #[default]
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Another name for the same.
    Cname,
    /// Hosts and ports of a service.
    Srv,
    /// Texts.
    Txt,
}

impl DnsType {
    /// All of them.
    pub const ALL: [DnsType; 5] =
        [DnsType::A, DnsType::Aaaa, DnsType::Cname, DnsType::Srv, DnsType::Txt];

    /// `A`, `AAAA`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            DnsType::A => "A",
            DnsType::Aaaa => "AAAA",
            DnsType::Cname => "CNAME",
            DnsType::Srv => "SRV",
            DnsType::Txt => "TXT",
        }
    }
}

impl fmt::Display for DnsType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One record of an answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DnsRecord {
    /// How long it may be kept.
    pub ttl: Span,
    /// What it says.
    pub data: DnsData,
}

/// What a record says. Names are without the dot at their end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DnsData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The name that is meant.
    Cname(String),
    /// Where a service is.
    Srv {
        /// The lowest is to be tried first.
        priority: u16,
        /// The share among equals.
        weight: u16,
        /// The port.
        port: u16,
        /// The host.
        target: String,
    },
    /// A text, its parts put together; bad UTF-8 replaced.
    Txt(String),
}

/// As `dig +short` writes it, but for the dots at the end of names:
/// `10.0.0.1`, `0 5 8080 node-a.example.com`.
impl fmt::Display for DnsData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DnsData::A(address) => address.fmt(f),
            DnsData::Aaaa(address) => address.fmt(f),
            DnsData::Cname(text) | DnsData::Txt(text) => f.write_str(text),
            DnsData::Srv { priority, weight, port, target } => {
                write!(f, "{priority} {weight} {port} {target}")
            }
        }
    }
}
