//! Who is told: mails, webhooks, and receivers with a form of their own.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

mod others;

use super::address;
use super::complaint::instead;
use super::routing;
use super::secret::Vault;
use super::service::{claim, free_name};
use super::severities::Severities;
use super::walk::{Said, Table, Value};
use crate::model::{Channel, Form, Medium, Secret, Severity, Smtp, SmtpTls};

/// The types, each with the keys that mean something there.
const TYPES: [(&str, &[&str]); 11] = [
    ("email", &["to", "from", "smtp", "password", "ca-file"]),
    ("webhook", &["url", "secret", "template", "content-type"]),
    ("slack", &["url", "token", "channel"]),
    ("teams", &["url"]),
    ("discord", &["url"]),
    ("ntfy", &["url", "topic", "token"]),
    ("cloudevents", &["url", "token"]),
    ("pagerduty", &["routing-key", "url"]),
    ("alertmanager", &["url", "token"]),
    ("alertmanager-webhook", &["url", "token"]),
    ("command", &["run", "env"]),
];

/// Reads every `[[channel]]`.
pub(super) fn read(top: &Table, words: &Severities, vault: &Vault) -> Vec<Channel> {
    let tables = top.get("channel").map_or_else(Vec::new, |value| value.tables("channel"));
    if top.get("channel").is_none() {
        top.sink.warn_whole("channel", "there is none: alerts are noted, and nobody is told");
    }
    let mut taken = BTreeMap::new();
    let channels = tables.iter().filter_map(|table| {
        let value = table.need("name", "name = \"on-call\"")?;
        let name = value.text()?;
        free_name(name).map_err(|what| value.error(what)).ok()?;
        let is_new = claim(&mut taken, name, value, top.sink);
        let channel = channel(table, name, words, vault)?;
        is_new.then_some(channel)
    });
    let channels: Vec<Channel> = channels.collect();
    routing::hold_against(&tables, &channels);
    let is_told = |severity| {
        let first = channels.iter().filter(|channel| channel.routing.after.is_none());
        first.into_iter().any(|channel| channel.takes(severity))
    };
    if !channels.is_empty() && !is_told(Severity::Critical) {
        top.sink.warn_whole("channel", "none takes critical alerts: nobody would be woken at once");
    }
    channels
}

fn channel(table: &Table, name: &str, words: &Severities, vault: &Vault) -> Option<Channel> {
    let severities = Said::of(table.get("severities"), |value| severities(value, words));
    let severities = severities.or(Severity::ALL.to_vec());
    let kind = table.need("type", "type = \"email\"")?;
    let word = kind.text()?;
    let Some((_, own)) = TYPES.iter().find(|(known, _)| *known == word) else {
        let known = TYPES.map(|(known, _)| known);
        kind.error(format!("unknown type {word:?}; {}", instead(word, &known)));
        return None;
    };
    foreign(table, word, own);
    let routing = routing::read(table, words);
    let medium = match word {
        "webhook" => webhook(table, vault),
        "email" => email(table, vault),
        "pagerduty" => others::pagerduty(table, vault),
        "alertmanager" => others::alertmanager(table, vault),
        "command" => others::command(table, vault),
        "slack" if table.get("token").is_some() => others::slack_bot(table, vault),
        form => post(table, form, vault),
    };
    let name = name.into();
    Some(Channel { name, medium: medium?, severities: severities?, routing: routing? })
}

/// Keys of other types mean nothing here.
fn foreign(table: &Table, own: &str, keys: &[&str]) {
    let others = TYPES.iter().flat_map(|(_, keys)| keys.iter());
    let mut others: Vec<&str> = others.copied().filter(|key| !keys.contains(key)).collect();
    others.sort_unstable();
    others.dedup();
    for (key, value) in others.iter().filter_map(|key| Some((*key, table.get(key)?))) {
        let takes = TYPES.iter().filter(|(_, keys)| keys.contains(&key));
        let takes: Vec<String> = takes.map(|(word, _)| format!("\"{word}\"")).collect();
        let other = match &takes[..] {
            [before @ .., last] if !before.is_empty() => format!("{} or {last}", before.join(", ")),
            takes => takes.concat(),
        };
        value.error(format!("belongs to type = {other}, this is type = \"{own}\""));
    }
}

/// A receiver with a form of its own.
fn post(table: &Table, form: &str, vault: &Vault) -> Option<Medium> {
    let token = Said::of(table.get("token"), |value| vault.secret(value, not_empty));
    if let Some(value) = table.get("channel") {
        value.error("is said of a bot, by its `token`; an incoming webhook has its own channel");
    }
    let form = match form {
        "slack" => Some(Form::Slack),
        "teams" => Some(Form::Teams),
        "discord" => Some(Form::Discord),
        "alertmanager-webhook" => Some(Form::Alertmanager),
        "ntfy" => topic(table).map(|topic| Form::Ntfy { topic }),
        _ => Some(Form::CloudEvents),
    };
    let url = web(table, vault);
    Some(Medium::Post { form: form?, url: url?, token: optional(token)? })
}

/// As ntfy takes it.
fn topic(table: &Table) -> Option<String> {
    let value = table.need("topic", "topic = \"bakewatch\"")?;
    let text = value.text()?;
    let fits = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    if text.is_empty() || text.len() > 64 || !text.chars().all(fits) {
        value.error("is no topic; write up to 64 letters, digits, - and _");
        return None;
    }
    Some(text.to_owned())
}

fn severities(value: &Value, words: &Severities) -> Option<Vec<Severity>> {
    let members = value.list()?;
    if members.is_empty() {
        value.error("names no severity: no alert would be told here; leave it out for all");
    }
    let mut severities: Vec<Severity> =
        members.iter().filter_map(|word| words.find(word)).collect();
    severities.sort();
    severities.dedup();
    Some(severities)
}

fn webhook(table: &Table, vault: &Vault) -> Option<Medium> {
    let secret = Said::of(table.get("secret"), |value| vault.secret(value, signing));
    let url = web(table, vault);
    let template = others::template(table);
    Some(Medium::Webhook { url: url?, secret: optional(secret)?, template: optional(template)? })
}

fn web(table: &Table, vault: &Vault) -> Option<Secret> {
    let value = table.need("url", "url = { env = \"WEBHOOK_URL\" }")?;
    web_at(value, vault)
}

fn web_at(value: &Value, vault: &Vault) -> Option<Secret> {
    let url = vault.secret(value, |text| address::web(text).map(|_| ()));
    if let Some(host) = value.as_text().and_then(plain_host) {
        let what = format!("sends alerts to {host} in the open; write https://");
        value.sink.warn(value.at, &value.key, what);
    }
    url
}

/// The host of an http URL that leaves this machine.
fn plain_host(text: &str) -> Option<String> {
    let url = address::web(text).ok().filter(|url| url.scheme() == "http")?;
    let host = url.host_str()?.to_owned();
    (!address::is_loopback(&host)).then_some(host)
}

/// Standard Webhooks: `whsec_` and base64; several, for a rotation, with
/// spaces between them.
fn signing(text: &str) -> Result<(), String> {
    let is_one = |part: &str| {
        let key = part.strip_prefix("whsec_").map(|encoded| BASE64_STANDARD.decode(encoded));
        matches!(key, Some(Ok(key)) if !key.is_empty())
    };
    if text.split_whitespace().next().is_some() && text.split_whitespace().all(is_one) {
        return Ok(());
    }
    Err("is no signing secret; write `whsec_` and the base64 of 24 to 64 random bytes".to_owned())
}

fn not_empty(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("is empty; leave it out".to_owned()) } else { Ok(()) }
}

fn email(table: &Table, vault: &Vault) -> Option<Medium> {
    let to = table.need("to", "to = [\"oncall@example.com\"]").and_then(recipients);
    let smtp = table.need("smtp", "smtp = \"smtps://user@mail.example.com\"");
    let smtp = smtp.and_then(|value| server(table, value, vault));
    let from = match table.get("from") {
        Some(value) => {
            let text = value.text()?;
            address::mail(text).map_err(|what| value.error(what)).ok()?
        }
        None => sender(smtp.as_ref()?),
    };
    Some(Medium::Email { to: to?, from, smtp: smtp? })
}

/// The user, where that is an address; else `bakewatch` at the server.
fn sender(smtp: &Smtp) -> String {
    let user = smtp.user.as_ref().filter(|user| address::mail(user).is_ok());
    let is_name = smtp.host.contains(|c: char| c.is_ascii_alphabetic());
    let host = if is_name && !smtp.host.contains(':') { &smtp.host } else { "localhost" };
    user.cloned().unwrap_or_else(|| format!("bakewatch@{host}"))
}

fn recipients(value: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| {
        let text = value.text()?;
        address::mail(text).map_err(|what| value.error(what)).ok()
    };
    if value.as_text().is_some() {
        return Some(vec![one(value)?]);
    }
    let members = value.list()?;
    if members.is_empty() {
        value.error("lists nobody; write for example [\"oncall@example.com\"]");
    }
    let mut all: Vec<String> = Vec::new();
    for member in &members {
        let Some(address) = one(member) else { continue };
        let bare = |text: &str| {
            let bare = text.rsplit_once('<').map_or(text, |(_, address)| address);
            bare.trim_end_matches('>').to_owned()
        };
        if all.iter().any(|known| bare(known) == bare(&address)) {
            member.error(format!("{} is listed twice", bare(&address)));
        }
        all.push(address);
    }
    Some(all)
}

fn server(table: &Table, value: &Value, vault: &Vault) -> Option<Smtp> {
    let password = Said::of(table.get("password"), |value| vault.secret(value, not_empty));
    let ca_file = Said::of(table.get("ca-file"), |value| value.text().map(str::to_owned));
    let smtp = address::smtp(value.text()?).map_err(|what| value.error(what)).ok()?;
    match (&smtp.user, table.get("password")) {
        (Some(user), None) => {
            let remedy = "write password = { env = \"SMTP_PASSWORD\" }";
            value.error(format!("has the user {user:?} and no password; {remedy}"));
        }
        (None, Some(value)) => {
            let remedy = "write it as smtps://user@host";
            value.error(format!("there is no user in `smtp`; {remedy}"));
        }
        _ => {}
    }
    if let (Some(value), SmtpTls::None) = (table.get("ca-file"), smtp.tls) {
        value.error("smtp+plain uses no TLS, so there is nothing to trust; leave this out");
    }
    let (password, ca_file) = (optional(password), optional(ca_file));
    Some(Smtp { password: password?, ca_file: ca_file?, ..smtp })
}

/// `Some(None)` where nothing is said, `None` where something wrong is.
fn optional<T>(said: Said<T>) -> Option<Option<T>> {
    match said {
        Said::Nothing => Some(None),
        Said::Wrong => None,
        Said::This(this) => Some(Some(this)),
    }
}
