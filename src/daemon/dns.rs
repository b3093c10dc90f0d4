//! One question to the domain name system, to the system's servers or to one
//! that is named. Nothing is kept: each call asks anew, since a check wants to
//! know what is answered now, and discovery minds the time to live itself.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};

use crate::model::{DnsData, DnsRecord, DnsType, Failure, Span};

/// A datagram that is lost must not fail a check: so often it is sent in all.
const SENDS: u32 = 2;

/// Asks for all records of one type that `name` has; `server`: one to ask
/// instead of the system's (whose `hosts` file and search list then do not
/// count). In the answer's own order, names without the dot at their end. A
/// name that is there but has no such record is an empty answer.
///
/// # Errors
/// `Failure::Dns` where the server says no (`no such name`, `SERVFAIL`),
/// `Failure::Timeout` where none answers within `deadline`, and
/// `Failure::NotAsked` where this machine cannot ask.
pub async fn lookup(
    name: &str,
    of: DnsType,
    server: Option<SocketAddr>,
    deadline: Span,
) -> Result<Vec<DnsRecord>, Failure> {
    let asked = Name::from_utf8(name)
        .map_err(|error| Failure::NotAsked(format!("{name:?} is no domain name: {error}")))?;
    let builder = match server {
        Some(server) => one_server(server),
        None => TokioResolver::builder_tokio()
            .map_err(|error| Failure::NotAsked(format!("no name server is configured: {error}")))?,
    };
    let resolver = impatient(builder, deadline)
        .build()
        .map_err(|error| Failure::NotAsked(format!("no resolver: {error}")))?;
    let asking = resolver.lookup(asked, wire_type(of));
    match tokio::time::timeout(deadline.to_std(), asking).await {
        Err(_) => Err(Failure::Timeout(deadline)),
        Ok(Ok(found)) => {
            let records = found.answers().iter();
            Ok(records.filter_map(|record| known(of, record.ttl, &record.data)).collect())
        }
        Ok(Err(error)) => refusal(error, deadline),
    }
}

fn one_server(server: SocketAddr) -> ResolverBuilder<TokioRuntimeProvider> {
    let connection = |protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = server.port();
        connection
    };
    // UDP first; TCP where the answer does not fit into a datagram.
    let both = vec![connection(ProtocolConfig::Udp), connection(ProtocolConfig::Tcp)];
    let server = NameServerConfig::new(server.ip(), true, both);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let provider = TokioRuntimeProvider::default();
    let mut builder = TokioResolver::builder_with_config(config, provider);
    builder.options_mut().use_hosts_file = ResolveHosts::Never;
    builder
}

fn impatient(
    mut builder: ResolverBuilder<TokioRuntimeProvider>,
    deadline: Span,
) -> ResolverBuilder<TokioRuntimeProvider> {
    let options = builder.options_mut();
    options.attempts = SENDS as usize - 1;
    options.timeout = (deadline.to_std() / SENDS).max(Duration::from_millis(1));
    options.cache_size = 0;
    builder
}

fn wire_type(of: DnsType) -> RecordType {
    match of {
        DnsType::A => RecordType::A,
        DnsType::Aaaa => RecordType::AAAA,
        DnsType::Cname => RecordType::CNAME,
        DnsType::Srv => RecordType::SRV,
        DnsType::Txt => RecordType::TXT,
    }
}

/// A record of the type that was asked for; the names on the way to it are none.
fn known(of: DnsType, ttl: u32, data: &RData) -> Option<DnsRecord> {
    let data = match (of, data) {
        (DnsType::A, RData::A(address)) => DnsData::A(address.0),
        (DnsType::Aaaa, RData::AAAA(address)) => DnsData::Aaaa(address.0),
        (DnsType::Cname, RData::CNAME(name)) => DnsData::Cname(plain(&name.0)),
        (DnsType::Srv, RData::SRV(found)) => DnsData::Srv {
            priority: found.priority,
            weight: found.weight,
            port: found.port,
            target: plain(&found.target),
        },
        (DnsType::Txt, RData::TXT(text)) => {
            DnsData::Txt(String::from_utf8_lossy(&text.txt_data.concat()).into_owned())
        }
        _ => return None,
    };
    Some(DnsRecord { ttl: Span::from_secs(i64::from(ttl)), data })
}

/// A name without the dot at its end.
fn plain(name: &Name) -> String {
    let text = name.to_utf8();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

/// What an answer without records amounts to.
fn refusal(error: NetError, deadline: Span) -> Result<Vec<DnsRecord>, Failure> {
    let said = |code: ResponseCode| match code {
        ResponseCode::NXDomain => "no such name (NXDOMAIN)".to_owned(),
        ResponseCode::ServFail => "the server failed (SERVFAIL)".to_owned(),
        ResponseCode::Refused => "the server refuses to answer (REFUSED)".to_owned(),
        other => format!("the server says: {other}"),
    };
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. })) => {
            match response_code {
                ResponseCode::NoError => Ok(Vec::new()),
                code => Err(Failure::Dns(said(code))),
            }
        }
        NetError::Dns(DnsError::ResponseCode(code)) => Err(Failure::Dns(said(code))),
        NetError::Timeout => Err(Failure::Timeout(deadline)),
        NetError::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err(Failure::Refused)
        }
        NetError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            Err(Failure::Timeout(deadline))
        }
        other => Err(Failure::Dns(other.to_string())),
    }
}
