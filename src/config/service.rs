//! What is watched: the service, its address, its replicas.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::complaint::Sink;
use super::reach::{self, Reach};
use super::secret::Vault;
use super::walk::{Table, Value};
use super::{Given, Notes, address, discover, sources};
use crate::model::{HeaderValue, Labels, Name, Paths, Source, Target, Transport};

/// The service and its replicas.
pub(super) struct Service {
    pub name: Name,
    /// Without a slash at its end.
    pub url: String,
    pub targets: Vec<Target>,
    pub sources: Vec<Source>,
    pub expect: u32,
    /// Paths that the checklist's smoke tests ask; `None`: switched off.
    pub health: Option<String>,
    pub ready: Option<String>,
    /// Of probes and scrapes, credentials among them.
    pub headers: Vec<(String, HeaderValue)>,
    /// Hosts and ports of https addresses that are asked, each once.
    pub https: Vec<String>,
    /// Paths that nobody said.
    pub guesses: Vec<Name>,
    /// The way of targets that have none of their own.
    pub transport: Option<Arc<Transport>>,
    /// How `url` is reached.
    pub home: Reach,
}

/// A replica that is listed.
struct Replica {
    base: String,
    /// How it is reached, where that is not as all are.
    own: Option<Reach>,
}

/// More replicas than one process asks in 15 s with room to spare.
const TARGETS_MAX: usize = 1000;

/// Reads the top of the file and `[targets]`. After an error what it returns
/// only serves to find more errors.
pub(super) fn read(top: &Table, given: &Given, vault: &Vault, notes: &Notes) -> Service {
    let table = top.get("targets").and_then(|value| value.table("targets"));
    let get = |key: &str| table.as_ref().and_then(|table| table.get(key));
    let listed = get("static").map(|value| listed(value));
    let is_found = get("discover").is_some();
    let url = url(top, given, listed.as_deref(), notes);
    let name = name(top, given, &url, notes);
    vault.belongs_to(&name);
    let reach = table.as_ref().map_or_else(Reach::default, |table| reach::read(table, vault));
    let listed = listed.unwrap_or_else(|| match is_found {
        true => Vec::new(),
        false => vec![(Some(url.clone()), None)],
    });
    let replica = |(base, own): (Option<String>, Option<Table>)| {
        let own = own.map(|own| reach::own(&own, &reach, vault));
        Some(Replica { base: base?, own })
    };
    let replicas: Vec<Replica> = listed.into_iter().filter_map(replica).collect();
    let path = |key: &str, default: &str| match get(key) {
        None => Some(default.to_owned()),
        Some(value) if value.as_flag() == Some(false) => None,
        Some(value) => Some(path(value).unwrap_or_else(|| default.to_owned())),
    };
    let is_asked = sources::is_usual(top) && get("metrics").is_none();
    let (health, metrics) = (path("health", "/health"), path("metrics", "/metrics"));
    let metrics = metrics.filter(|_| !is_asked); // somebody else scrapes it
    if let (None, None, Some(table)) = (&health, &metrics, &table) {
        table.error("neither health nor metrics are asked: nothing would be watched");
    }
    let guesses = ["health", "ready", "metrics"].into_iter().filter(|key| get(key).is_none());
    let guesses = guesses.filter(|key| *key != "metrics" || !is_asked);
    let target = |Replica { base, own }: &Replica| Target {
        name: Name::from(address::place(base)),
        health: health.as_ref().map(|path| format!("{base}{path}")),
        metrics: metrics.as_ref().map(|path| format!("{base}{path}")),
        labels: Labels::default(),
        own: own.as_ref().map(Reach::approach),
    };
    let paths = Paths { health: health.clone(), metrics: metrics.clone(), ..Paths::default() };
    let sources = get("discover").map(|value| discover::read(value, &paths, &reach, vault));
    let sources = sources.unwrap_or_default();
    let targets: Vec<Target> = replicas.iter().map(target).collect();
    let expect = get("expect").and_then(|value| expect(value, targets.len(), is_found));
    let least = targets.len().max(1); // of those that are looked for: at least one
    if let (Some(value), None) = (get("expect"), &health) {
        value.error("health is not asked, so no replica can be healthy; leave one of them out");
    }
    let is_looked_at = get("certificates").is_none_or(|value| value.switched_on());
    let https = replicas.iter().map(|one| &one.base).chain([&url]);
    let https = https.filter_map(|base| address::tls_place(base));
    let https: BTreeSet<String> = https.filter(|_| is_looked_at).collect();
    Service {
        https: https.into_iter().collect(),
        name,
        expect: expect.unwrap_or(u32::try_from(least).unwrap_or(u32::MAX)),
        ready: path("ready", "/health/ready"),
        home: home(&replicas, &url, &reach),
        headers: reach.headers(),
        transport: reach.transport,
        guesses: guesses.map(Name::from).collect(),
        url,
        targets,
        sources,
        health,
    }
}

/// A replica in the file: its base URL, unless that is wrong, and the table that
/// it stands in, if it does.
type Listed<'t> = (Option<String>, Option<Table<'t>>);

/// The service's address: what is said, or that of its first target.
fn url(top: &Table, given: &Given, listed: Option<&[Listed]>, notes: &Notes) -> String {
    let first = || {
        let first = listed?.iter().find_map(|(base, _)| base.clone())?;
        notes.say("url", &first, "the first target");
        Some(first)
    };
    let url = said_url(top, given).or_else(first);
    let has_tried = top.get("url").is_some() || given.url.is_some() || listed.is_some();
    if url.is_none() && !has_tried {
        let remedy = "write url = \"https://…\", or give it on the command line";
        top.sink.whole("url", format!("is missing; {remedy}"));
    }
    url.unwrap_or_else(|| "http://127.0.0.1".to_owned())
}

fn said_url(top: &Table, given: &Given) -> Option<String> {
    // The file's is checked even where the command line's goes before it.
    let in_file = top.get("url").and_then(|value| {
        let read = address::base(value.text()?);
        read.map_err(|what| value.error(what)).ok()
    });
    let Some(text) = &given.url else { return in_file };
    address::base(text).map_err(|what| top.sink.given("URL", what)).ok()
}

fn name(top: &Table, given: &Given, url: &str, notes: &Notes) -> Name {
    let written = top.get("service").and_then(|value| {
        let text = value.text()?;
        file_name(text).map_err(|what| value.error(what)).ok()?;
        Some(text)
    });
    if let Some(text) = &given.service {
        let checked = file_name(text).map_err(|what| top.sink.given("--service", what));
        return checked.map_or_else(|()| "service".into(), |()| Name::from(text.as_str()));
    }
    written.map(Name::from).unwrap_or_else(|| {
        let fits = |c: char| if c.is_ascii_alphanumeric() || ".-:".contains(c) { c } else { '-' };
        let place = address::place(url).replace(['[', ']'], "");
        let place = place.trim_start_matches('/'); // of a socket
        let name: String = place.chars().map(fits).take(NAME_CHARS_MAX).collect();
        notes.say("service", &name, "from the url");
        Name::from(name)
    })
}

/// Longer names break lines, subjects and file names.
pub(super) const NAME_CHARS_MAX: usize = 100;

/// A name that also names files, and stands before an `@` in a watch's id.
pub(super) fn file_name(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_alphanumeric() || "._:-".contains(c);
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(format!("a name has at most {NAME_CHARS_MAX} characters"));
    }
    if text.chars().all(fits) && text.starts_with(char::is_alphanumeric) {
        return Ok(());
    }
    Err(format!("{text:?} cannot name files; write letters, digits and `.`, `_`, `-`, `:`"))
}

/// A name that people read.
pub(super) fn free_name(text: &str) -> Result<(), String> {
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(format!("a name has at most {NAME_CHARS_MAX} characters"));
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err(format!("{text:?}: a name is one line without space around it"));
    }
    Ok(())
}

/// How `url` is reached, which is perhaps one of the replicas. If it is not, the
/// name in its certificate is its own and not theirs.
fn home(all: &[Replica], url: &str, usual: &Reach) -> Reach {
    let at_url = all.iter().find(|one| one.base == url);
    at_url.and_then(|one| one.own.clone()).unwrap_or_else(|| usual.under_its_own_name())
}

fn listed<'t>(value: &Value<'t>) -> Vec<Listed<'t>> {
    let members = value.list().unwrap_or_default();
    if value.is_list() && members.is_empty() {
        value.error("lists no target; write at least one URL, or leave it out to watch `url`");
    }
    if members.len() > TARGETS_MAX {
        value.error(format!("lists {} targets, {TARGETS_MAX} at most", members.len()));
        return Vec::new();
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut base = |said: &Value| {
        let base = address::base(said.text()?).map_err(|what| said.error(what)).ok()?;
        let place = address::place(&base);
        if !seen.insert(place.clone()) {
            said.error(format!("target {place} is listed twice; two samples would be one"));
            return None;
        }
        Some(base)
    };
    let mut one = |member: &Value<'t>| {
        if !member.is_table() {
            return (base(member), None);
        }
        let place = member.peek(&["url"]).and_then(|url| address::base(url).ok());
        let member = place.map_or(member.clone(), |base| member.called(&address::place(&base)));
        let table = member.table("targets.static");
        let said = table.as_ref().and_then(|t| t.need("url", "url = \"http://10.0.0.11:8000\""));
        (said.and_then(&mut base), table)
    };
    members.iter().map(&mut one).collect()
}

/// A path below a base.
fn path(value: &Value) -> Option<String> {
    let text = match value.as_text() {
        Some(text) => text,
        None => {
            value.error("expected a path such as \"/health\", or false to switch it off");
            return None;
        }
    };
    is_path(text).map_err(|what| value.error(what)).ok()?;
    Some(text.to_owned())
}

/// Whether a text can follow a base URL.
pub(super) fn is_path(text: &str) -> Result<(), String> {
    let fits = |c: char| ('!'..='~').contains(&c) && c != '#';
    if text.starts_with('/') && text.chars().all(fits) {
        return Ok(());
    }
    Err(format!("{text:?} is no path; write for example \"/health\", other signs as %20"))
}

fn expect(value: &Value, targets: usize, is_found: bool) -> Option<u32> {
    let count = value.whole(1, TARGETS_MAX as u64)?;
    if count > targets as u64 && !is_found {
        value.error(format!(
            "{count} healthy replicas are expected of {targets} {}; list every replica in \
             targets.static",
            if targets == 1 { "target" } else { "targets" }
        ));
    }
    u32::try_from(count).ok()
}

/// Names that have been taken, and a complaint about the second of each.
pub(super) fn claim<'t>(
    taken: &mut BTreeMap<&'t str, usize>,
    name: &'t str,
    value: &Value,
    sink: &Sink,
) -> bool {
    if let Some(first) = taken.insert(name, value.at) {
        let line = sink.line(first);
        value
            .error(format!("the name {name:?} is taken by the one in line {line}; choose another"));
        return false;
    }
    true
}
