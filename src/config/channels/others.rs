//! Receivers with keys of their own: PagerDuty, Alertmanager, programs; and the
//! template of a webhook.

use super::{not_empty, optional, web, web_at};
use crate::config::secret::{Vault, is_variable};
use crate::config::walk::{Said, Table, Value};
use crate::model::{Medium, Template};
use crate::notify;

/// Events for PagerDuty.
pub fn pagerduty(table: &Table, vault: &Vault) -> Option<Medium> {
    let key = table.need("routing-key", "routing-key = { env = \"PAGERDUTY_KEY\" }");
    let key = key.and_then(|value| vault.secret(value, routing_key));
    let url = Said::of(table.get("url"), |_| web(table, vault));
    Some(Medium::Pagerduty { key: key?, url: optional(url)? })
}

/// 32 letters and digits; not repeated, for it is a secret.
fn routing_key(text: &str) -> Result<(), String> {
    let is_key = text.len() == 32 && text.chars().all(|char| char.is_ascii_alphanumeric());
    if is_key {
        return Ok(());
    }
    Err("is no routing key; write the 32 letters and digits of an \"Events API v2\" integration"
        .to_owned())
}

/// A bot of Slack's.
pub fn slack_bot(table: &Table, vault: &Vault) -> Option<Medium> {
    let bot = |text: &str| match text.starts_with("xox") || text.is_empty() {
        true => not_empty(text),
        false => Err("is no token of a bot; they begin with `xoxb-`".to_owned()),
    };
    let token = Said::of(table.get("token"), |value| vault.secret(value, bot));
    let url = Said::of(table.get("url"), |_| web(table, vault));
    let value = table.need("channel", "channel = \"#ops\"")?;
    let channel = value.text()?;
    if channel.chars().any(|char| char.is_whitespace() || char.is_control()) {
        value.error(format!("{channel:?} is no channel; write its name, \"#ops\", or its id"));
        return None;
    }
    Some(Medium::SlackBot {
        token: optional(token)??,
        channel: channel.to_owned(),
        url: optional(url)?,
    })
}

/// A site's Alertmanager, with all its replicas.
pub fn alertmanager(table: &Table, vault: &Vault) -> Option<Medium> {
    let token = Said::of(table.get("token"), |value| vault.secret(value, not_empty));
    let value = table.need("url", "url = [\"http://alertmanager-0:9093\"]")?;
    let urls = match value.is_list() {
        false => vec![web_at(value, vault)?],
        true => {
            let members = value.list()?;
            if members.is_empty() {
                value.error("lists no replica; write for example [\"http://alertmanager-0:9093\"]");
                return None;
            }
            let urls: Vec<_> = members.iter().map(|member| web_at(member, vault)).collect();
            urls.into_iter().collect::<Option<_>>()?
        }
    };
    Some(Medium::Alertmanager { urls, token: optional(token)? })
}

/// A program of the site's own.
pub fn command(table: &Table, vault: &Vault) -> Option<Medium> {
    let env = table.get("env").map_or_else(|| Some(Vec::new()), |value| variables(value, vault));
    let value = table.need("run", "run = [\"/usr/local/bin/page\"]")?;
    let members = value.list()?;
    let run: Vec<String> =
        members.iter().filter_map(|part| part.text()).map(str::to_owned).collect();
    let Some(program) = run.first() else {
        value.error("names no program; write for example [\"/usr/local/bin/page\", \"--loud\"]");
        return None;
    };
    if !program.starts_with('/') {
        members[0].error(format!(
            "{program:?} is not looked for; write its whole path, for example \"/usr/bin/page\""
        ));
        return None;
    }
    if run.iter().any(|part| part.contains('\0')) {
        value.error("has a zero byte in it, which no argument can have");
        return None;
    }
    (run.len() == members.len()).then_some(())?;
    Some(Medium::Command { run, env: env? })
}

fn variables(value: &Value, vault: &Vault) -> Option<Vec<(String, crate::model::Secret)>> {
    let entries = value.entries()?;
    let one = |(name, value): &(&str, Value)| {
        if !is_variable(name) {
            value.error("no variable has such a name; write letters, digits and `_`");
            return None;
        }
        let check = |text: &str| match text.contains('\0') {
            true => Err("has a zero byte in it, which no variable can have".to_owned()),
            false => not_empty(text),
        };
        Some(((*name).to_owned(), vault.secret(value, check)?))
    };
    let all: Vec<_> = entries.iter().map(one).collect();
    all.into_iter().collect()
}

/// The body of a webhook in the receiver's own words.
pub fn template(table: &Table) -> Said<Template> {
    let kind = Said::of(table.get("content-type"), |value| {
        let text = value.text()?;
        let is_kind = text.is_ascii()
            && text.split(';').next().is_some_and(|kind| kind.trim().split('/').count() == 2)
            && !text.contains(|char: char| char.is_control());
        if !is_kind {
            value.error(format!("{text:?} is no media type; write for example \"text/plain\""));
            return None;
        }
        Some(text.to_owned())
    });
    let Some(value) = table.get("template") else {
        if let Some(value) = table.get("content-type") {
            value.error("there is no `template`; without one the body is application/json");
        }
        return Said::Nothing;
    };
    Said::of(Some(value), |value| {
        let text = value.text()?.to_owned();
        let content_type = kind.or("application/json".to_owned())?;
        let template = Template { text, content_type };
        if let Some(why) = notify::webhook::template::objection(&template) {
            value.error(why);
            return None;
        }
        Some(template)
    })
}
