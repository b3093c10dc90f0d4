//! What is asked besides HTTP: `[[check]]`, and the certificates of the https
//! addresses that are asked anyway.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;

use super::outside;
use super::service::{Service, claim, free_name};
use super::walk::{Said, Table, Value};
use super::windows::{Times, most_below, timeout};
use crate::check::{Check, template};
use crate::model::{Ask, DnsType, HOUR, SECOND, Span};

/// Certificates change once in weeks, and a handshake is not free.
const CERTIFICATE_EVERY: Span = HOUR;

/// Asked more often, the watch would be a load of its own.
const EVERY_MIN: Span = SECOND;

/// A check that is asked more seldom is as good as none in a first day.
const EVERY_MAX: Span = Span::from_millis(24 * HOUR.millis());

/// The keys that say what is asked; one of them.
const KINDS: [&str; 4] = ["tcp", "tls", "dns", "grpc"];

/// All checks: the file's in their order, then those that nobody asked for.
pub(super) fn read(top: &Table, service: &Service, times: &Times) -> Vec<Check> {
    let tables = top.get("check").map_or_else(Vec::new, |value| value.tables("check"));
    let (mut taken, mut checks) = (BTreeMap::new(), Vec::new());
    for table in &tables {
        let Some(value) = table.need("name", "name = \"cache\"") else { continue };
        let Some(name) = value.text() else { continue };
        if let Err(what) = free_name(name) {
            value.error(what);
        } else if claim(&mut taken, name, value, top.sink) {
            checks.extend(check(table, name, times));
        }
    }
    let looked_at = |address: &str| {
        let mut known = checks.iter().map(|check: &Check| &check.ask);
        known.any(|ask| matches!(ask, Ask::Tls { address: known, .. } if known == address))
    };
    let implied = service.https.iter().filter(|address| !looked_at(address));
    let implied: Vec<Check> = implied.map(|address| certificate(address, &taken, times)).collect();
    checks.into_iter().chain(implied).collect()
}

/// A look at the certificate of an https address.
fn certificate(address: &str, taken: &BTreeMap<&str, usize>, times: &Times) -> Check {
    let name = if taken.contains_key(address) { format!("{address} tls") } else { address.into() };
    let ask = Ask::Tls { address: address.to_owned(), ca_file: None };
    let (every, timeout) = (Some(CERTIFICATE_EVERY), times.timeout);
    let expect = Vec::new();
    Check { name: name.into(), ask, every, timeout, expect, must: false, is_implied: true }
}

fn check(table: &Table, name: &str, times: &Times) -> Option<Check> {
    let ask = asked(table).filter(|ask| is_whole(ask, table));
    let every = Said::of(table.get("every"), |value| every(value).map(Some)).or(None);
    let interval = every.flatten().unwrap_or_else(|| times.fastest());
    let default = times.timeout.min(most_below(interval));
    let timeout = Said::of(table.get("timeout"), |value| timeout(value, interval, "the interval"))
        .or(default);
    let expect =
        Said::of(table.get("expect"), |value| Some(outside::assertions(value))).or(Vec::new());
    let must = Said::of(table.get("must"), Value::flag).or(true);
    Some(Check {
        name: name.into(),
        ask: ask?,
        every: every?,
        timeout: timeout?,
        expect: expect?,
        must: must?,
        is_implied: false,
    })
}

/// Whether nothing in it waits for what somebody captured.
fn is_whole(ask: &Ask, table: &Table) -> bool {
    let mut holes = ask.texts().into_iter().flat_map(template::holes);
    let Some(hole) = holes.next() else { return true };
    let what = format!(
        "nothing fills `{{{{{}}}}}` here: only steps of [[smoke]] hand on what they captured",
        hole.name
    );
    key(table).expect("what is asked has a key").error(what);
    false
}

/// Whether a table says what is asked, by one of four keys.
pub(super) fn asks(table: &Table) -> bool {
    KINDS.iter().any(|kind| table.get(kind).is_some())
}

/// The key that says what is asked, if one does.
pub(super) fn key<'t>(table: &Table<'t>) -> Option<Value<'t>> {
    KINDS.into_iter().find_map(|kind| table.get(kind)).cloned()
}

/// What is asked: by exactly one of four keys.
pub(super) fn asked(table: &Table) -> Option<Ask> {
    let said: Vec<&str> = KINDS.into_iter().filter(|kind| table.get(kind).is_some()).collect();
    let ca_file = table.get("ca-file");
    let authorities = || Said::of(ca_file, |value| Some(Some(value.text()?.to_owned()))).or(None);
    let [kind] = said[..] else {
        table.error(match said[..] {
            [] => "says not what is asked; write `tcp`, `tls`, `dns` or `grpc`",
            _ => "asks one thing: `tcp`, `tls`, `dns` or `grpc`; write several",
        });
        return None;
    };
    let value = table.get(kind)?;
    let ask = match kind {
        "tcp" => Ask::Tcp { address: address(value)? },
        "tls" => Ask::Tls { address: address(value)?, ca_file: authorities()? },
        "dns" => dns(&value.table("check.dns")?)?,
        _ => grpc(&value.table("check.grpc")?, authorities()?)?,
    };
    let is_tls = matches!(&ask, Ask::Tls { .. } | Ask::Grpc { tls: true, .. });
    if let (Some(value), false) = (ca_file, is_tls) {
        value.error("there is no certificate to verify here; leave this out");
    }
    Some(ask)
}

/// `host:port`.
fn address(value: &Value) -> Option<String> {
    let text = value.text()?;
    host_and_port(&without_holes(text)).map_err(|what| value.error(what)).ok()?;
    Some(text.to_owned())
}

/// The text as it is when `1` was captured: that may be a name, and a port.
fn without_holes(text: &str) -> String {
    template::fill(text, |_| Ok::<_, ()>("1".to_owned())).unwrap_or_default()
}

fn host_and_port(text: &str) -> Result<(), String> {
    let such_as = "write for example \"redis.internal:6379\"";
    if text.contains("://") {
        return Err(format!("{text:?} is a URL; a host and a port are wanted, {such_as}"));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(format!("{text:?} has no port; {such_as}"));
    };
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(format!("{port:?} is no port from 1 to 65535; {such_as}"));
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(bare) => bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()),
        None => is_name(host),
    };
    if is_host { Ok(()) } else { Err(format!("{host:?} is no host; {such_as}, or \"[::1]:6379\"")) }
}

fn is_name(host: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "._-".contains(c);
    !host.is_empty() && host.len() <= 253 && host.chars().all(fits) && !host.contains("..")
}

fn dns(table: &Table) -> Option<Ask> {
    let name = table.need("name", "name = \"agent.example.com\"").and_then(|value| {
        let text = value.text()?;
        if !is_name(&without_holes(text)) {
            value.error(format!("{text:?} is no domain name; write for example \"a.example.com\""));
            return None;
        }
        Some(text.to_owned())
    });
    let of = Said::of(table.get("type"), record_type).or(DnsType::A);
    let expect = Said::of(table.get("expect"), |value| {
        let members = value.list()?;
        members.iter().map(|member| Some(member.text()?.to_owned())).collect()
    });
    let server = Said::of(table.get("server"), |value| server(value).map(Some)).or(None);
    Some(Ask::Dns { name: name?, of: of?, expect: expect.or(Vec::new())?, server: server? })
}

fn record_type(value: &Value) -> Option<DnsType> {
    let text = value.text()?;
    let upper = text.to_ascii_uppercase();
    let found = DnsType::ALL.into_iter().find(|of| of.as_str() == upper);
    if found.is_none() {
        let names = DnsType::ALL.map(DnsType::as_str);
        let instead = super::complaint::instead(&upper, &names);
        value.error(format!("unknown type of record {text:?}; {instead}"));
    }
    found
}

/// An address with or without a port; a name would have to be looked up first.
pub(super) fn server(value: &Value) -> Option<SocketAddr> {
    let text = value.text()?;
    let alone = || Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 53));
    let found = text.parse::<SocketAddr>().ok().or_else(alone);
    if found.is_none() {
        value.error(format!("{text:?} is no address; write for example \"10.0.0.2:53\""));
    }
    found
}

fn grpc(table: &Table, ca_file: Option<String>) -> Option<Ask> {
    let address = table.need("address", "address = \"agent.internal:50051\"").and_then(address);
    let service = Said::of(table.get("service"), |value| Some(value.text()?.to_owned()));
    let tls = Said::of(table.get("tls"), Value::flag).or(false);
    Some(Ask::Grpc { address: address?, service: service.or(String::new())?, tls: tls?, ca_file })
}

fn every(value: &Value) -> Option<Span> {
    let every = value.some_span()?;
    if !(EVERY_MIN..=EVERY_MAX).contains(&every) {
        let limits = format!("at least \"{EVERY_MIN}\" and at most \"{EVERY_MAX}\"");
        value.error(format!("{every} is too often, or too seldom; write {limits}"));
        return None;
    }
    Some(every)
}
