//! A checked configuration in words: what would be watched, judged and told.
//! Secrets appear as references. Warnings are the caller's to show.

pub mod asked;
pub mod rule;

use std::fmt::Write;

use super::outside;
use super::rules::{bounds_shown, percentile};
use super::{Checked, Until};
use crate::check::{Check, HALT_IF, Step};
use crate::judge::Rule;
use crate::metrics::promql::one_line;
use crate::metrics::{Shape, Signal, Unit};
use crate::model::{
    Approach, Channel, Form, HeaderValue, Heartbeat, Medium, Proxy, Routing, Secret, Severity,
    Smtp, SmtpTls, Source, Target, Transport, Way,
};
use crate::record::{Plan, PresetChoice};

/// The whole of it, as plain aligned text for a terminal.
pub fn explain(checked: &Checked) -> String {
    let plan = &checked.plan;
    let mut text = format!("{}  {}\n", plan.service, plan.url);
    section(&mut text, &targets_title(plan), targets(plan));
    section(&mut text, "Health of each", super::health::explained(&plan.health));
    section(&mut text, "Windows", windows(checked));
    section(&mut text, &smoke_title(plan), plan.smoke.iter().flat_map(step).collect());
    section(&mut text, "Checks beyond HTTP", plan.checks.iter().flat_map(check).collect());
    section(&mut text, "Rules", rules(plan));
    section(&mut text, "Sources of metrics", asked::sources(plan));
    section(&mut text, "Signals", signals(plan));
    section(&mut text, "Channels", plan.channels.iter().map(channel).collect());
    section(&mut text, "Digests", super::digests::explained(plan));
    section(&mut text, "Not told", super::suppression::explained(plan));
    let answers = |at| vec![format!("http://{at}"), "to whoever reaches it, read only".to_owned()];
    section(&mut text, "Answers queries", checked.listen.map(answers).into_iter().collect());
    let asks = |base: &String| vec![base.clone(), "by links in mails and chats".to_owned()];
    let asks = checked.confirm.iter().map(asks).collect();
    section(&mut text, "Asks people whether a test alert arrived", asks);
    let calls = |one: &Heartbeat| vec![place(&one.url), format!("every {}", one.every)];
    let calls = checked.heartbeat.iter().map(calls).collect();
    section(&mut text, "Called while all is well with bakewatch", calls);
    section(&mut text, "Taken for want of other words", lines(&checked.defaults));
    text
}

pub(super) type Row = Vec<String>;

fn lines(texts: &[String]) -> Vec<Row> {
    texts.iter().map(|text| vec![text.clone()]).collect()
}

/// A title and rows under it, in columns as wide as their widest cell.
pub(super) fn section(text: &mut String, title: &str, rows: Vec<Row>) {
    if rows.is_empty() {
        return;
    }
    let _ = write!(text, "\n{title}\n");
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| row.len() > column + 1); // the last may run on
        cells.map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let cell = |(cell, width): (&String, &usize)| format!("{cell:width$}");
        let cells: Vec<String> = row.iter().zip(&widths).map(cell).collect();
        let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
    }
}

fn targets_title(plan: &Plan) -> String {
    let headers: Vec<String> =
        plan.headers.iter().map(|(name, value)| header(name, value)).collect();
    let with =
        if headers.is_empty() { String::new() } else { format!(", with {}", headers.join(", ")) };
    let listed = match (plan.targets.len(), plan.sources.is_empty()) {
        (count, true) => count.to_string(),
        (0, false) => "as they are found".to_owned(),
        (count, false) => format!("{count} and as they are found"),
    };
    format!(
        "Targets: {listed}, of which {} healthy, {} at most for an answer{with}",
        plan.expect, plan.timeout
    )
}

fn header(name: &str, value: &HeaderValue) -> String {
    match value {
        HeaderValue::Plain(text) => format!("{name}: {text}"),
        HeaderValue::Secret(secret) => format!("{name} {}", place(secret)),
        HeaderValue::Bearer { bearer } => format!("{name}: Bearer {}", place(bearer)),
        HeaderValue::Basic { user, password } => {
            format!("{name}: Basic as {user}, password {}", place(password))
        }
    }
}

fn targets(plan: &Plan) -> Vec<Row> {
    let mut rows: Vec<Row> = plan.targets.iter().map(target).collect();
    rows.extend(plan.sources.iter().map(source));
    rows.extend(plan.transport.iter().map(|way| vec!["reached".to_owned(), transport(way)]));
    rows
}

fn source(source: &Source) -> Row {
    let mut how = format!("every {}", source.every);
    match &source.way {
        Way::File { .. } => {}
        Way::Http { headers, transport: way, .. } => {
            how.extend(
                headers.iter().map(|(name, value)| format!(", with {}", header(name, value))),
            );
            how.extend(way.iter().map(|way| format!(", {}", transport(way))));
        }
        Way::Dns { port, server, .. } => {
            how.extend(port.iter().map(|port| format!(", port {port}")));
            how.extend(server.iter().map(|server| format!(", asked of {server}")));
        }
    }
    let own = source.own.as_deref().map(approach);
    how.extend(own.map(|own| format!("; they are asked {own}")));
    vec![format!("those of {}", source.name), how]
}

fn transport(way: &Transport) -> String {
    let mut all: Vec<String> = Vec::new();
    all.extend(way.insecure.then(|| "without checking any certificate".to_owned()));
    all.extend(way.ca_file.iter().map(|path| format!("trusting {path}")));
    all.extend(way.server_name.iter().map(|name| format!("as {name}")));
    all.extend(way.identity.iter().map(|own| format!("showing {}", own.cert_file)));
    all.extend(way.http2_only.then(|| "by HTTP/2 without asking".to_owned()));
    all.extend(way.proxy.iter().map(|proxy| match proxy {
        Proxy::Environment => "through the environment's proxies".to_owned(),
        Proxy::At(url) => format!("through {url}"),
        Proxy::Secret(secret) => format!("through a proxy {}", place(secret)),
    }));
    all.join(", ")
}

fn target(target: &Target) -> Row {
    let or_not = |what: &str, url: &Option<String>| match url {
        Some(url) => format!("{what} {url}"),
        None => format!("{what} not asked"),
    };
    let (health, metrics) = (or_not("health", &target.health), or_not("metrics", &target.metrics));
    let own = target.own.as_deref().map_or_else(String::new, approach);
    vec![target.name.to_string(), health, metrics, own]
}

fn approach(own: &Approach) -> String {
    let headers = own.headers.iter().map(|(name, value)| format!("with {}", header(name, value)));
    let ways = own.transport.iter().map(|way| transport(way));
    let how = headers.chain(ways).collect::<Vec<_>>().join(", ");
    if how.is_empty() { "without any header".to_owned() } else { how }
}

fn windows(checked: &Checked) -> Vec<Row> {
    let last = checked.plan.windows.last().map(|window| &window.name);
    let awaited = match &checked.until {
        Some(Until::Smoke) => None,
        Some(Until::Window(name)) => Some(name),
        None => last,
    };
    let mut rows: Vec<Row> = Vec::new();
    if checked.until == Some(Until::Smoke) {
        rows.push(vec!["smoke".to_owned(), "the verdict is awaited here".to_owned()]);
    }
    rows.extend(checked.plan.windows.iter().map(|window| {
        let here = (awaited == Some(&window.name)).then_some("the verdict is awaited here");
        let idle = (!window.traffic).then_some("no traffic is expected");
        vec![
            window.name.to_string(),
            format!("every {}", window.every),
            format!("ends {} after the release", window.length),
            idle.into_iter().chain(here).collect::<Vec<_>>().join(", "),
        ]
    }));
    rows
}

fn smoke_title(plan: &Plan) -> String {
    format!("Smoke tests, begun at the first answer or after {}", plan.settle)
}

/// A row for the step, and one for each of its assertions.
fn step(step: &Step) -> Vec<Row> {
    let kind = match (step.cleanup, step.must) {
        (true, _) => "cleanup",
        (false, true) => "must",
        (false, false) => "should",
    };
    let request = match &step.ask {
        Some(ask) => ask.to_string(),
        None => format!("{} {}", step.request.method, step.request.url),
    };
    let mut rows = vec![vec![step.name.to_string(), kind.to_owned(), request]];
    rows.extend(step.request.headers.iter().map(|(name, value)| {
        vec![String::new(), String::new(), format!("  {}", header(name, value))]
    }));
    let halts = step.halt_if.iter().map(|assertion| format!("{HALT_IF}{assertion}"));
    let asserted = step.expect.iter().map(ToString::to_string).chain(halts);
    let captured = step.capture.iter().map(|(name, capture)| {
        let hidden = if step.redact.contains(name) { " (never shown)" } else { "" };
        format!("capture {name} = {}{hidden}", capture.as_str())
    });
    let lines = asserted.chain(captured);
    rows.extend(lines.map(|line| vec![String::new(), String::new(), format!("  {line}")]));
    rows
}

/// A row for the check, and one for each of its assertions.
fn check(check: &Check) -> Vec<Row> {
    let kind = match (check.is_implied, check.must) {
        (true, _) => "certificate",
        (false, true) => "must",
        (false, false) => "should",
    };
    let every = check.every.map_or_else(|| "with targets".to_owned(), |e| format!("every {e}"));
    let row = vec![check.name.to_string(), kind.to_owned(), every, check.ask.to_string()];
    let expect = check.expect.iter().map(|assertion| {
        let blank = || String::new();
        vec![blank(), blank(), blank(), format!("  {}", assertion.as_str())]
    });
    std::iter::once(row).chain(expect).collect()
}

fn rules(plan: &Plan) -> Vec<Row> {
    let health = outside::health_signals();
    let find = |rule: &Rule| {
        let mut all = health.iter().chain(&plan.signals);
        all.find(|signal| signal.name == rule.signal)
    };
    let row = |rule: &Rule| {
        let signal = find(rule);
        let preset = outside::preset_signals().iter().find(|(name, _)| rule.signal == *name);
        let unit = signal.map(|signal| signal.unit).or(preset.map(|(_, unit)| *unit));
        let what = match rule.quantile {
            Some(quantile) => format!("{} {}", rule.signal, percentile(quantile)),
            None => rule.signal.to_string(),
        };
        vec![
            rule.name.to_string(),
            rule.severity.to_string(),
            what,
            bounds_shown(rule, unit.unwrap_or(Unit::Count)),
            format!("for {}", rule.hold),
            signal.map_or_else(|| "by preset".to_owned(), query),
        ]
    };
    plan.rules.iter().map(row).collect()
}

pub(super) fn query(signal: &Signal) -> String {
    match &signal.shape {
        Shape::Ratio { num, den } => format!("{num}  of  {den}"),
        Shape::Buckets { query, .. } | Shape::Gauge { query } => query.clone(),
        Shape::Alert { query, .. } => one_line(query),
    }
}

fn signals(plan: &Plan) -> Vec<Row> {
    let presets = match &plan.presets {
        PresetChoice::Auto => match &plan.measured_by {
            Some(source) => format!("found by what {source} shows"),
            None => "found by what the first scrapes show".to_owned(),
        },
        PresetChoice::Pinned(names) => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            format!("those of {}", names.join(", "))
        }
    };
    let mut rows = vec![vec!["presets".to_owned(), presets]];
    rows.extend(
        plan.signals
            .iter()
            .map(|signal| vec![signal.name.to_string(), asked::measured(plan, signal)]),
    );
    if !plan.require.is_empty() {
        let names: Vec<&str> = plan.require.iter().map(|name| name.as_str()).collect();
        rows.push(vec!["required".to_owned(), names.join(", ")]);
    }
    rows
}

fn channel(channel: &Channel) -> Row {
    let severities: Vec<&str> = channel.severities.iter().rev().map(|s| s.as_str()).collect();
    let (kind, how) = match &channel.medium {
        Medium::Webhook { url, secret, template } => {
            let signed = match secret {
                Some(secret) => format!("signed {}", place(secret)),
                None => "not signed".to_owned(),
            };
            let own = match template {
                Some(template) => format!(", by a template, as {}", template.content_type),
                None => String::new(),
            };
            ("webhook", format!("address {}, {signed}{own}", place(url)))
        }
        Medium::Alertmanager { urls, token } => {
            let places: Vec<String> = urls.iter().map(place).collect();
            let mut how = format!("replicas {}", places.join(", "));
            if let Some(token) = token {
                let _ = write!(how, ", token {}", place(token));
            }
            ("alertmanager", how)
        }
        Medium::Command { run, env } => {
            let names: Vec<&str> = env.iter().map(|(name, _)| name.as_str()).collect();
            let with = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            ("command", format!("{}, with {with} in its environment", run.join(" ")))
        }
        Medium::Post { form, url, token } => {
            let mut how = format!("address {}", place(url));
            if let Form::Ntfy { topic } = form {
                let _ = write!(how, ", topic {topic}");
            }
            if let Some(token) = token {
                let _ = write!(how, ", token {}", place(token));
            }
            (form.as_str(), how)
        }
        Medium::SlackBot { token, channel, url } => {
            let mut how = format!("in {channel} by a bot, token {}", place(token));
            if let Some(url) = url {
                let _ = write!(how, ", address {}", place(url));
            }
            ("slack", how)
        }
        Medium::Pagerduty { key, url } => {
            let mut how = format!("routing key {}", place(key));
            if let Some(url) = url {
                let _ = write!(how, ", address {}", place(url));
            }
            ("pagerduty", how)
        }
        Medium::Email { to, from, smtp } => {
            ("email", format!("to {}, from {from}, by {}", to.join(", "), server(smtp)))
        }
    };
    let mut how = how;
    for more in routed(&channel.routing) {
        let _ = write!(how, "; {more}");
    }
    vec![channel.name.to_string(), kind.to_owned(), severities.join(" "), how]
}

/// What is not as usual about when it is told, and of what.
fn routed(routing: &Routing) -> Vec<String> {
    let mut said = Vec::new();
    if !routing.matchers.is_empty() {
        said.push(format!("only {}", routing.matchers));
    }
    said.extend(routing.after.map(|after| format!("after {after} without acknowledgement")));
    said.extend(routing.quiet.iter().map(|quiet| format!("quiet {quiet}")));
    said.extend(routing.fallback.iter().map(|name| format!("else {name}")));
    let by_severity =
        [("group-wait", &routing.group_wait), ("group-interval", &routing.group_interval)];
    for (what, waits) in by_severity {
        let mut one = waits.values().collect::<Vec<_>>();
        one.dedup();
        match one[..] {
            [wait] if waits.len() == Severity::ALL.len() => said.push(format!("{what} {wait}")),
            _ => said.extend(waits.iter().map(|(who, wait)| format!("{what} {wait} if {who}"))),
        }
    }
    for (severity, waits) in &routing.reminders {
        let all: Vec<String> = waits.iter().map(ToString::to_string).collect();
        let all = if all.is_empty() { "none".to_owned() } else { all.join(" ") };
        said.push(format!("reminders {all} if {severity}"));
    }
    said.extend(routing.limit.map(|limit| format!("{limit} letters in 10m")));
    said
}

fn server(smtp: &Smtp) -> String {
    let tls = match smtp.tls {
        SmtpTls::Implicit => "TLS",
        SmtpTls::Starttls => "STARTTLS",
        SmtpTls::None => "no TLS",
    };
    let mut text = format!("{}:{} ({tls})", smtp.host, smtp.port);
    if let Some(user) = &smtp.user {
        let _ = write!(text, " as {user}");
    }
    if let Some(password) = &smtp.password {
        let _ = write!(text, ", password {}", place(password));
    }
    if let Some(path) = &smtp.ca_file {
        let _ = write!(text, ", trusting {path}");
    }
    text
}

/// Where a secret is, never what it is.
fn place(secret: &Secret) -> String {
    match secret {
        Secret::Env(name) => format!("from ${name}"),
        Secret::File(path) => format!("from the file {path}"),
        Secret::Config(key) => format!("as written in {key}"),
    }
}
