//! Targets as the records of a name. An answer holds as long as it says.

use super::TIMEOUT;
use crate::config::found;
use crate::daemon::dns::lookup;
use crate::model::{DnsData, DnsRecord, DnsType, Found, Paths, Records, Way};

pub(super) async fn look(way: &Way, paths: &Paths) -> Result<Found, String> {
    let Way::Dns { name, kind, port, server } = way else {
        return Err("is asked by name and has none".to_owned());
    };
    let of = match kind {
        Records::A => DnsType::A,
        Records::Aaaa => DnsType::Aaaa,
        Records::Srv => DnsType::Srv,
    };
    let records = lookup(name, of, *server, TIMEOUT).await.map_err(|error| error.to_string())?;
    let addresses: Vec<String> =
        records.iter().filter_map(|record| address(&record.data, port.unwrap_or(0))).collect();
    let mut found = found::at(addresses.iter().map(String::as_str), paths);
    found.holds_for = records.iter().map(|record: &DnsRecord| record.ttl).min();
    Ok(found)
}

fn address(data: &DnsData, port: u16) -> Option<String> {
    match data {
        DnsData::A(ip) => Some(format!("{ip}:{port}")),
        DnsData::Aaaa(ip) => Some(format!("[{ip}]:{port}")),
        // RFC 2782: a lone dot says that the service is not offered.
        DnsData::Srv { target, .. } if target.is_empty() => None,
        DnsData::Srv { target, port, .. } => Some(format!("{target}:{port}")),
        DnsData::Cname(_) | DnsData::Txt(_) => None,
    }
}
