//! Who is told: webhooks and mails.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::address;
use super::complaint::instead;
use super::secret::Vault;
use super::service::{claim, free_name};
use super::severities::Severities;
use super::walk::{Said, Table, Value};
use crate::model::{Channel, Medium, Severity, Smtp, SmtpTls};

/// Keys of one type that mean nothing in the other.
const WEBHOOK_KEYS: [&str; 2] = ["url", "secret"];
const EMAIL_KEYS: [&str; 5] = ["to", "from", "smtp", "password", "ca-file"];

const TYPES: [&str; 2] = ["email", "webhook"];

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
    let is_told = |severity| channels.iter().any(|channel| channel.takes(severity));
    if !channels.is_empty() && !is_told(Severity::Critical) {
        top.sink.warn_whole("channel", "none takes critical alerts: nobody would be woken");
    }
    channels
}

fn channel(table: &Table, name: &str, words: &Severities, vault: &Vault) -> Option<Channel> {
    let severities = Said::of(table.get("severities"), |value| severities(value, words));
    let severities = severities.or(Severity::ALL.to_vec());
    let kind = table.need("type", "type = \"email\"")?;
    let medium = match kind.text()? {
        "webhook" => {
            foreign(table, &EMAIL_KEYS, "webhook", "email");
            webhook(table, vault)
        }
        "email" => {
            foreign(table, &WEBHOOK_KEYS, "email", "webhook");
            email(table, vault)
        }
        other => {
            kind.error(format!("unknown type {other:?}; {}", instead(other, &TYPES)));
            None
        }
    };
    Some(Channel { name: name.into(), medium: medium?, severities: severities? })
}

fn foreign(table: &Table, keys: &[&str], own: &str, other: &str) {
    for value in keys.iter().filter_map(|key| table.get(key)) {
        value.error(format!("belongs to type = \"{other}\", this is type = \"{own}\""));
    }
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
    let value = table.need("url", "url = { env = \"WEBHOOK_URL\" }")?;
    let url = vault.secret(value, |text| address::web(text).map(|_| ()));
    if let Some(host) = value.as_text().and_then(plain_host) {
        let what = format!("sends alerts to {host} in the open; write https://");
        value.sink.warn(value.at, &value.key, what);
    }
    Some(Medium::Webhook { url: url?, secret: optional(secret)? })
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

fn email(table: &Table, vault: &Vault) -> Option<Medium> {
    let to = table.need("to", "to = [\"oncall@example.com\"]").and_then(recipients);
    let smtp = table.need("smtp", "smtp = \"smtps://user@mail.example.com\"");
    let smtp = smtp.and_then(|value| server(table, value, vault));
    let from = match table.get("from") {
        Some(value) => {
            let text = value.text()?;
            address::mail(text).map_err(|what| value.error(what)).ok()?;
            text.to_owned()
        }
        None => sender(smtp.as_ref()?),
    };
    Some(Medium::Email { to: to?, from, smtp: smtp? })
}

/// The user, where that is an address; else `bakewatch` at the server.
fn sender(smtp: &Smtp) -> String {
    let user = smtp.user.as_ref().filter(|user| address::mail(user).is_ok());
    let is_name = smtp.host.contains(|c: char| c.is_ascii_alphabetic() && c != ':');
    let host = if is_name && !smtp.host.contains(':') { &smtp.host } else { "localhost" };
    user.cloned().unwrap_or_else(|| format!("bakewatch@{host}"))
}

fn recipients(value: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| {
        let text = value.text()?;
        address::mail(text).map_err(|what| value.error(what)).ok()?;
        Some(text.to_owned())
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
        if all.contains(&address) {
            member.error(format!("{address} is listed twice"));
        }
        all.push(address);
    }
    Some(all)
}

fn server(table: &Table, value: &Value, vault: &Vault) -> Option<Smtp> {
    let password = Said::of(table.get("password"), |value| {
        vault.secret(value, |text| match text {
            "" => Err("is empty; leave it out".to_owned()),
            _ => Ok(()),
        })
    });
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
