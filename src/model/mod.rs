//! The vocabulary: plain values that every other room speaks in.
//! Nothing here decides anything, and nothing here does IO.

mod ask;
mod channel;
pub mod cron;
mod data_source;
mod digest;
mod discovery;
mod dns;
mod hash;
mod http;
mod labels;
mod matcher;
mod measurement;
mod name;
mod number;
mod release;
pub mod schedule;
mod secret;
mod severity;
mod target;
mod time;
mod tls;
mod transport;
mod verdict;

pub use ask::{Ask, Beyond, Serving};
pub use channel::{Channel, Form, Medium, Smtp, SmtpTls};
pub use data_source::{DataSource, Inquiry, Rows, Told};
pub use digest::Digest;
pub use discovery::{Found, Paths, Records, Source, Way};
pub use dns::{DnsData, DnsRecord, DnsType};
pub use hash::stable_hash;
pub use http::{Exchange, Failure, HeaderValue, Hidden, Method, Request};
pub use labels::Labels;
pub use matcher::{Matcher, all_match};
pub use measurement::{Measurement, Reading, Why};
pub use name::Name;
pub use number::Number;
pub use release::{Release, WatchId};
pub use schedule::Schedule;
pub use secret::Secret;
pub use severity::Severity;
pub use target::Target;
pub use time::{DAY, HOUR, MILLISECOND, MINUTE, SECOND, Span, Timestamp};
pub use tls::{Certificate, Distrust, TlsFacts};
pub use transport::{Identity, Proxy, Transport, UNIX, unix_parts};
pub use verdict::Verdict;
