//! The difference between two plans, in words: what a reload has changed.

use std::fmt::Display;

use super::Plan;
use crate::judge::{Bound, Rule, Window};
use crate::model::{Channel, Name, Routing, Severity, Target};

/// What `new` has otherwise than `old`, a line each, in the order in which a
/// configuration is read. Empty only where nothing differs.
pub fn changes(old: &Plan, new: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let mut value = |what: &str, old: &dyn Display, new: &dyn Display| {
        lines.extend(turned(what, old, new));
    };
    value("service", &old.service, &new.service);
    value("url", &old.url, &new.url);
    value("expect", &old.expect, &new.expect);
    value("settle", &old.settle, &new.settle);
    value("timeout", &old.timeout, &new.timeout);
    value("body-limit", &old.body_bytes_max, &new.body_bytes_max);
    lines.extend(named("target", &old.targets, &new.targets, |one| &one.name, target));
    lines.extend(named("source", &old.sources, &new.sources, |one| &one.name, other));
    lines.extend(named("window", &old.windows, &new.windows, |one| &one.name, window));
    lines.extend(named(
        "source of metrics",
        &old.data_sources,
        &new.data_sources,
        |one| &one.name,
        other,
    ));
    lines.extend(named("check", &old.checks, &new.checks, |one| &one.name, other));
    lines.extend(named("signal", &old.signals, &new.signals, |one| &one.name, other));
    lines.extend(named("rule", &old.rules, &new.rules, |one| &one.name, rule));
    lines.extend(named("channel", &old.channels, &new.channels, |one| &one.name, channel));
    lines.extend(named("maintenance", &old.maintenance, &new.maintenance, |one| &one.name, other));
    lines.extend(named("digest", &old.digests, &new.digests, |one| &one.name, other));
    let parts = [
        ("health", old.health == new.health),
        ("smoke", old.smoke == new.smoke),
        ("smoke-header", old.run_header == new.run_header),
        ("guessed paths", old.guesses == new.guesses),
        ("targets.headers and targets.auth", old.headers == new.headers),
        ("how targets are reached", old.transport == new.transport),
        ("presets", old.presets == new.presets && old.own_presets == new.own_presets),
        ("metrics", old.measured_by == new.measured_by),
        ("rules.range", old.range == new.range),
        ("inhibit", old.inhibits == new.inhibits),
        ("require", old.require == new.require),
        ("recording rules", old.recordings == new.recordings),
    ];
    let differing = parts.iter().filter(|(_, is_same)| !is_same);
    lines.extend(differing.map(|(what, _)| format!("{what}: another")));
    if lines.is_empty() && old != new {
        lines.push("the order of what is listed is another".to_owned());
    }
    lines
}

/// `for: 5m → 10m`, where the two are not the same.
fn turned(what: &str, old: impl Display, new: impl Display) -> Option<String> {
    let (old, new) = (old.to_string(), new.to_string());
    (old != new).then(|| format!("{what}: {old} → {new}"))
}

/// What came, what is another under its name, what went.
fn named<T: PartialEq>(
    kind: &str,
    old: &[T],
    new: &[T],
    name: impl Fn(&T) -> &Name,
    how: impl Fn(&T, &T) -> Vec<String>,
) -> Vec<String> {
    let find = |all: &'_ [T], wanted: &T| all.iter().position(|one| name(one) == name(wanted));
    let mut lines = Vec::new();
    for one in new {
        match find(old, one).map(|at| &old[at]) {
            None => lines.push(format!("{kind} {}: added", name(one))),
            Some(before) if before != one => {
                lines.push(format!("{kind} {}: {}", name(one), how(before, one).join(", ")));
            }
            Some(_) => {}
        }
    }
    let gone = old.iter().filter(|one| find(new, one).is_none());
    lines.extend(gone.map(|one| format!("{kind} {}: removed", name(one))));
    lines
}

fn other<T>(_: &T, _: &T) -> Vec<String> {
    vec!["another".to_owned()]
}

fn target(old: &Target, new: &Target) -> Vec<String> {
    let labels = (old.labels != new.labels).then(|| "other labels".to_owned());
    let asked = (old.health.as_deref(), old.metrics.as_deref())
        != (new.health.as_deref(), new.metrics.as_deref());
    let reached = (old.own != new.own).then(|| "reached in another way".to_owned());
    let asked = asked.then(|| "asked elsewhere".to_owned());
    [asked, labels, reached].into_iter().flatten().collect()
}

fn window(old: &Window, new: &Window) -> Vec<String> {
    let length = turned("length", old.length, new.length);
    let traffic = turned("traffic", old.traffic, new.traffic);
    length.into_iter().chain(turned("every", old.every, new.every)).chain(traffic).collect()
}

fn rule(old: &Rule, new: &Rule) -> Vec<String> {
    let quantile = |rule: &Rule| match rule.quantile {
        Some(quantile) => format!("{} at {quantile}", rule.signal),
        None => rule.signal.to_string(),
    };
    let mut lines: Vec<String> = [
        turned("signal", quantile(old), quantile(new)),
        turned("bound", bound(old.bound), bound(new.bound)),
        turned("for", old.hold, new.hold),
        turned("recover", old.recover, new.recover),
        turned("breaches", old.breaches_min, new.breaches_min),
        turned("calms", old.calms_min, new.calms_min),
        turned("min-events", old.evidence_min, new.evidence_min),
        turned("severity", old.severity, new.severity),
    ]
    .into_iter()
    .flatten()
    .collect();
    if old.of_baseline != new.of_baseline {
        lines.push("another part of the baseline".to_owned());
    }
    if old.by_window != new.by_window {
        lines.push("other bounds by window".to_owned());
    }
    let words = |rule: &Rule| {
        let more = rule.imported.clone();
        (rule.summary.clone(), rule.runbook.clone(), rule.labels.clone(), more)
    };
    if words(old) != words(new) {
        lines.push("other words".to_owned());
    }
    lines
}

fn bound(bound: Bound) -> String {
    match bound {
        Bound::Above(value) => format!("above {value}"),
        Bound::Below(value) => format!("below {value}"),
        Bound::Expression => "its expression".to_owned(),
    }
}

fn channel(old: &Channel, new: &Channel) -> Vec<String> {
    let list = |channel: &Channel| {
        let words: Vec<&str> =
            channel.severities.iter().map(|one| Severity::as_str(*one)).collect();
        words.join(" ")
    };
    // Of an address no more than that it is another: it may be a secret.
    let medium = (old.medium != new.medium).then(|| "goes elsewhere".to_owned());
    let severities = turned("severities", list(old), list(new));
    let routing = routing(&old.routing, &new.routing).map(|what| format!("another {what}"));
    medium.into_iter().chain(severities).chain(routing).collect()
}

/// Keys of which something else is said.
fn routing(old: &Routing, new: &Routing) -> impl Iterator<Item = &'static str> {
    let keys = [
        ("matchers", old.matchers == new.matchers),
        ("group-wait", old.group_wait == new.group_wait),
        ("group-interval", old.group_interval == new.group_interval),
        ("reminders", old.reminders == new.reminders),
        ("after", old.after == new.after),
        ("quiet", old.quiet == new.quiet),
        ("fallback", old.fallback == new.fallback),
        ("limit", old.limit == new.limit),
    ];
    keys.into_iter().filter(|(_, is_same)| !is_same).map(|(what, _)| what)
}
