//! The pages of what is watched and judged: rules, signals, presets,
//! assertions.

use super::{code, table};
use crate::check::{KINDS, predicates};
use crate::judge::pack::Scope;
use crate::judge::{Bound, Rule, pack};
use crate::metrics::{Shape, Unit, health, presets, show};
use crate::model::SECOND;

/// The pack, as two replicas that are asked every 15 s have it.
pub(super) fn rules() -> String {
    let head = "# Rules of the pack\n\n\
        Most hold without a word of configuration, some where there is something for them to \
        judge. A `[[rule]]` of the same name changes one, `off = true` leaves it out.\n\n";
    let tail = "\n`ReplicasMissing` has the bound `targets.expect`. `TargetSilent` waits for three \
        intervals where those are longer. A rule with events needs so many in its range, or there \
        is nothing to judge. Broken (calm) readings in a row are needed besides the time.\n";
    let columns = [
        "rule", "severity", "signal", "broken", "for", "in a row", "calm for", "in a row",
        "events", "told as",
    ];
    let scope = Scope {
        sources: true,
        expect: 2,
        interval: 15 * SECOND,
        has_wants: true,
        has_version: true,
        musts: true,
        shoulds: true,
        certificates: true,
    };
    let (rules, always) = (pack::pack(scope), pack::pack(Scope::of(&[])));
    let mut conditions = String::from("\nSome are judged only under a condition:\n\n");
    for rule in rules.iter().filter(|rule| always.iter().all(|known| known.name != rule.name)) {
        let (name, condition) = (&rule.name, pack::condition_of(rule.name.as_str()));
        conditions.push_str(&format!("- `{name}` where {condition}\n"));
    }
    format!("{head}{}{tail}{conditions}", table(&columns, rules.iter().map(rule)))
}

fn rule(rule: &Rule) -> Vec<String> {
    let signal = match rule.quantile {
        Some(quantile) => format!("`{}` p{}", rule.signal, quantile * 100.0),
        None => code(rule.signal.as_str()),
    };
    let events =
        if rule.evidence_min > 0.0 { rule.evidence_min.to_string() } else { String::new() };
    vec![
        code(rule.name.as_str()),
        rule.severity.to_string(),
        signal,
        bound(rule),
        rule.hold.to_string(),
        rule.breaches_min.to_string(),
        rule.recover.to_string(),
        rule.calms_min.to_string(),
        events,
        rule.summary.clone(),
    ]
}

fn bound(rule: &Rule) -> String {
    let health = health::unit(&rule.signal);
    let preset = presets::SIGNALS.iter().find(|(name, _)| rule.signal == *name);
    let unit = health.or(preset.map(|(_, unit)| *unit)).unwrap_or(Unit::Count);
    match rule.bound {
        Bound::Above(value) => format!("above {}", show(unit, value)),
        Bound::Below(value) => format!("below {}", show(unit, value)),
        Bound::Expression => "by its expression".to_owned(),
    }
}

/// What can be judged without a `[[signal]]` of one's own.
pub(super) fn signals() -> String {
    let head = "# Signals\n\nWhat a `[[rule]]` can name as its `signal`, besides a `[[signal]]` of \
        your own.\n\n## Of our own checks\n\n";
    let own = health::signals().into_iter().map(|signal| {
        let query = match &signal.shape {
            Shape::Gauge { query } | Shape::Buckets { query, .. } | Shape::Alert { query, .. } => {
                query.clone()
            }
            Shape::Ratio { num, den } => format!("{num} / {den}"),
        };
        vec![code(signal.name.as_str()), unit(signal.unit).to_owned(), code(&query)]
    });
    let own = table(&["signal", "unit", "query"], own);
    let middle = "\n## Of presets\n\nTheir queries depend on the [preset](presets.md) that fits; \
        `bakewatch run` prints which did. `latency` is a histogram: a rule names a `quantile`.\n\n";
    let given = presets::SIGNALS.iter().map(|(name, of)| vec![code(name), unit(*of).to_owned()]);
    format!("{head}{own}{middle}{}", table(&["signal", "unit"], given))
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Ratio => "ratio",
        Unit::Seconds => "seconds",
        Unit::PerSecond => "per second",
        Unit::Bytes => "bytes",
        Unit::Count => "count",
        Unit::DollarsPerHour => "dollars per hour",
    }
}

/// Which names a stack uses, as the file that is compiled in has them.
pub(super) fn presets() -> String {
    let mut page = "# Presets\n\nWhich names a stack uses for its metrics. The first scrapes show \
        which fit; `presets = [\"NAME\"]` pins them. Requests, errors and latency come of one \
        preset, the others of any that has them.\n"
        .to_owned();
    let all: toml::Table = include_str!("../../../config/presets.toml")
        .parse()
        .expect("the program reads it at each start");
    let all = all.get("preset").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    for preset in &all {
        let name = preset.get("name").and_then(toml::Value::as_str).unwrap_or_default();
        page.push_str(&format!("\n## `{name}`\n\n{}", table(&["gives", "from"], rows(preset))));
    }
    page
}

fn rows(preset: &toml::Value) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let simple = ["requests", "errors", "latency", "route"];
    for (key, value) in simple.iter().filter_map(|key| Some((*key, preset.get(*key)?))) {
        rows.push(vec![key.to_owned(), names(value).join(", ")]);
    }
    let signals = preset.get("signal").and_then(toml::Value::as_array);
    for signal in signals.into_iter().flatten() {
        let text = |key| signal.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        rows.push(vec![code(text("name")), code(text("query"))]);
    }
    rows
}

/// The names and matchers in a value, whatever form it has.
fn names(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::Array(members) => members.iter().flat_map(names).collect(),
        toml::Value::Table(entries) => match entries.get("name") {
            Some(name) => names(name),
            None => entries.values().flat_map(names).collect(),
        },
        toml::Value::String(text) => vec![code(text)],
        other => vec![code(&other.to_string())],
    }
}

/// What a smoke step can expect.
pub(super) fn assertions() -> String {
    let head = "# Assertions\n\nWhat a `[[smoke]]` step can `expect`: what is asked about, a \
        predicate, a value. `not` before a predicate turns it round, `or absent` at the end \
        lets an answer lack it. [Writing smoke tests](../smoke-tests.md) shows them at work.\n\n\
        ## What is asked about\n\n";
    let kinds =
        KINDS.iter().map(|kind| vec![code(kind.name), kind.about.to_owned(), code(kind.example)]);
    let names: Vec<String> = predicates().map(code).collect();
    let kinds = table(&["word", "means", "for example"], kinds);
    format!("{head}{kinds}\n## Predicates\n\n{}.\n", names.join(", "))
}
