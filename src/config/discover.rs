//! Where targets are looked for: a file, an address, a name in the DNS.

use std::collections::BTreeSet;

use super::found::Form;
use super::reach::{self, Reach};
use super::secret::Vault;
use super::walk::{Table, Value};
use super::{address, checks};
use crate::model::{Name, Paths, Records, SECOND, Source, Span, Way};

/// How often a source is asked, unless it says so itself: a file may change
/// with each deploy, and half a minute is soon enough for a replica.
const EVERY: Span = Span::from_secs(30);

/// Rarer, and replicas come and go without anybody noticing.
const EVERY_MAX: Span = Span::from_secs(3600);

/// Reads `targets.discover`: a table, or a list of them.
pub(super) fn read(value: &Value, paths: &Paths, usual: &Reach, vault: &Vault) -> Vec<Source> {
    let members = match value.is_list() {
        true => value.list().unwrap_or_default(),
        false => vec![value.clone()],
    };
    if members.is_empty() {
        value.error("names no source; write for example { file = \"targets.json\" }");
    }
    let mut taken: BTreeSet<Name> = BTreeSet::new();
    let mut sources = Vec::new();
    for member in &members {
        let Some(table) = called(member).table("targets.discover") else { continue };
        let Some(source) = source(&table, paths, usual, vault) else { continue };
        if !taken.insert(source.name.clone()) {
            table.error(&format!("{} is given twice; keep one", source.name));
            continue;
        }
        sources.push(source);
    }
    sources
}

/// A source is called by where it looks.
fn called<'t>(member: &Value<'t>) -> Value<'t> {
    let http = member.peek(&["http"]).and_then(|url| address::web(url).ok());
    let names = [
        http.map(|url| format!("http {}", address::place(url.as_str()))),
        member.peek(&["file"]).map(|path| format!("file {path}")),
        member.peek(&["dns", "name"]).map(|name| match member.peek(&["dns", "type"]) {
            Some(kind) => format!("dns {} {name}", kind.to_uppercase()),
            None => format!("dns {name}"),
        }),
    ];
    let name = names.into_iter().flatten().next();
    name.map_or(member.clone(), |name| member.called(&name))
}

fn source(table: &Table, paths: &Paths, usual: &Reach, vault: &Vault) -> Option<Source> {
    let ways = ["file", "http", "dns"].map(|key| table.get(key));
    let mut given = ways.iter().flatten();
    let (Some(value), None) = (given.next(), given.next()) else {
        table.error("says where to look in one way: `file`, `http` or `dns`");
        return None;
    };
    let every = every(table);
    let scheme = table.get("scheme").map_or(Some("http".to_owned()), scheme);
    let [file, http, _] = ways;
    if http.is_none() {
        for key in ["auth", "tls", "proxy", "http2", "headers"] {
            if let Some(value) = table.get(key) {
                value.error("says how an address is asked, and goes with `http`; leave it out");
            }
        }
    }
    let (name, way) = match (file.is_some(), http.is_some()) {
        (true, _) => file_way(value)?,
        (_, true) => http_way(table, value, vault)?,
        (false, false) => dns_way(value)?,
    };
    let own = table.get("targets").and_then(|value| value.table("targets.discover.targets"));
    let own = own.map(|own| reach::own(&own, usual, vault).approach());
    let paths = Paths { scheme: scheme?, ..paths.clone() };
    Some(Source { name: Name::from(name), way, every: every?, paths, own })
}

fn every(table: &Table) -> Option<Span> {
    let Some(value) = table.get("every") else { return Some(EVERY) };
    let span = value.span()?;
    if !(SECOND..=EVERY_MAX).contains(&span) {
        value.error(format!("{span} is no sensible cadence; write \"1s\" to \"{EVERY_MAX}\""));
        return None;
    }
    Some(span)
}

fn scheme(value: &Value) -> Option<String> {
    let text = value.text()?;
    if !matches!(text, "http" | "https") {
        value.error("is neither \"http\" nor \"https\"");
        return None;
    }
    Some(text.to_owned())
}

fn file_way(value: &Value) -> Option<(String, Way)> {
    let path = value.text()?;
    if Form::of(path).is_none() {
        value.error(format!("{path:?} tells no form; it ends in .json, .yml or .yaml"));
        return None;
    }
    let (folder, last) = path.rsplit_once('/').unwrap_or(("", path));
    if folder.contains('*') || last.matches('*').count() > 1 {
        value.error("one `*` may stand in the last part of the path, and nowhere else");
        return None;
    }
    Some((format!("file {path}"), Way::File { path: path.to_owned() }))
}

fn http_way(table: &Table, value: &Value, vault: &Vault) -> Option<(String, Way)> {
    let url = address::web(value.text()?).map_err(|what| value.error(what)).ok()?;
    let reach = reach::read(table, vault);
    // Without its query, which may hold a token.
    let name = format!("http {}", address::place(url.as_str()));
    let (url, headers) = (String::from(url), reach.headers());
    Some((name, Way::Http { url, headers, transport: reach.transport }))
}

fn dns_way(value: &Value) -> Option<(String, Way)> {
    let table = value.table("targets.discover.dns")?;
    let said = table.need("name", "name = \"_http._tcp.agent.example.com\"")?;
    let name = said.text()?.trim_end_matches('.');
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 253 || !name.chars().all(fits) {
        said.error(format!("{name:?} is no name in the DNS; write for example agent.example.com"));
        return None;
    }
    let kind = match table.get("type") {
        None if name.starts_with('_') => Records::Srv,
        None => Records::A,
        Some(value) => records(value)?,
    };
    let port = table.get("port").and_then(|value| value.whole(1, 65_535));
    let port = port.and_then(|port| u16::try_from(port).ok());
    match (kind, port) {
        (Records::Srv, Some(_)) => table.error("SRV records bear their own port; leave it out"),
        (Records::A | Records::Aaaa, None) if table.get("port").is_none() => {
            table.error("`port` is missing: an address alone is no target; write port = 8000");
        }
        _ => {}
    }
    let server = match table.get("server") {
        None => None,
        Some(value) => Some(checks::server(value)?),
    };
    let label = format!("dns {} {name}", kind.as_str());
    Some((label, Way::Dns { name: name.to_owned(), kind, port, server }))
}

fn records(value: &Value) -> Option<Records> {
    let text = value.text()?;
    let known = Records::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
    if known.is_none() {
        let names = Records::ALL.map(Records::as_str);
        let instead = super::complaint::instead(text, &names);
        value.error(format!("unknown type {text:?}; {instead}"));
    }
    known
}
