//! What is promised and what is given: the profile, the SLA and the restarts
//! of `[rules]`, and `[resources]`, with the signals that rules over them read.

use super::complaint::instead;
use super::rules::bound;
use super::signals::{Catalogue, Known, query};
use super::sources::DataSources;
use super::walk::{Table, Value};
use crate::judge::demands::{Basis, Demands, Profile};
use crate::metrics::{Shape, Signal, Unit};
use crate::model::{HOUR, Span};

/// Memory of a replica in use, where the file does not say how it is measured:
/// by the first of the names that clients have for it.
const MEMORY_USED: &str = "process_resident_memory_bytes \
                           or on (instance) process_working_set_bytes \
                           or on (instance) dotnet_process_memory_working_set_bytes \
                           or on (instance) process_memory_usage_bytes \
                           or on (instance) sum by (instance) (jvm_memory_used_bytes)";

/// Cores in use, the same.
const CPU_USED: &str = "rate(process_cpu_seconds_total[$range]) \
    or on (instance) sum by (instance) (rate(dotnet_process_cpu_time_seconds_total[$range])) \
    or on (instance) sum by (instance) (rate(process_cpu_time_seconds_total[$range])) \
    or on (instance) process_cpu_usage * on (instance) system_cpu_count";

/// By the start of the process, or as Kubernetes counts.
const RESTARTS: &str = "sum(changes(process_start_time_seconds[1h])) or \
                        sum(increase(kube_pod_container_status_restarts_total[1h]))";

/// More replicas than anything is scaled to.
const REPLICAS_MAX: u64 = 100_000;

/// Reads it all; the signals are entered into the catalogue.
pub(super) fn read(
    top: &Table,
    range: Span,
    sources: &DataSources,
    catalogue: &mut Catalogue,
    signals: &mut Vec<Signal>,
) -> Demands {
    let table = |name: &str| top.get(name).and_then(|value| value.table(name));
    let mut demands = Demands::default();
    let mut made: Vec<(Signal, Value)> = Vec::new();
    if let Some(rules) = super::rules::table(top) {
        demands.profile = rules
            .get("profile")
            .and_then(|v| one_of(v, "profile", &Profile::ALL))
            .unwrap_or_default();
        if let Some(sla) = rules.get("sla").and_then(|value| value.table("rules.sla")) {
            demands.availability = sla.get("availability").and_then(availability);
            demands.p99 = sla.get("p99").and_then(|value| bound(value, Some(Unit::Seconds)));
            if sla.get("availability").is_none() && sla.get("p99").is_none() {
                sla.error("promises nothing; write for example availability = \"99.9%\"");
            }
        }
        if let Some(value) = rules.get("restarts-per-hour") {
            demands.restarts_max = whole(value, 0, 1000);
            let restarts = signal("restarts_per_hour", Unit::Count, RESTARTS.to_owned(), HOUR);
            made.push((restarts, value.clone()));
        }
    }
    if let Some(resources) = table("resources") {
        demands.replicas_max =
            resources.get("max-replicas").and_then(|value| whole(value, 1, REPLICAS_MAX));
        let mut of = |key: &str, name: &str, amount: &str, used: &str| {
            let value = resources.get(key)?;
            let (basis, text) = share(&value.table(&format!("resources.{key}"))?, amount, used)?;
            made.push((signal(name, Unit::Ratio, text, range), value.clone()));
            Some(basis)
        };
        demands.memory = of("memory", "memory_ratio", "bytes", MEMORY_USED);
        demands.cpu = of("cpu", "cpu_ratio", "cores", CPU_USED);
    }
    for (signal, value) in made {
        if signals.iter().any(|known| known.name == signal.name) {
            let name = &signal.name;
            value.error(format!("there is a [[signal]] `{name}` already; leave one of them out"));
            continue;
        }
        catalogue.insert(signal.name.to_string(), Some(Known::of(&signal)));
        signals.push(Signal { source: sources.usual.clone(), ..signal });
    }
    demands
}

fn signal(name: &str, unit: Unit, query: String, range: Span) -> Signal {
    Signal { name: name.into(), unit, shape: Shape::Gauge { query }, range, source: None }
}

fn whole(value: &Value, least: u64, most: u64) -> Option<u32> {
    value.whole(least, most).and_then(|number| u32::try_from(number).ok())
}

/// A word of several.
pub(super) fn one_of<T: Copy>(value: &Value, what: &str, known: &[(&str, T)]) -> Option<T> {
    let text = value.text()?;
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, meant)| *meant);
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        value.error(format!("unknown {what} {text:?}; {}", instead(text, &names)));
    }
    found
}

/// `"99.9%"`, or 0.999.
fn availability(value: &Value) -> Option<f64> {
    let share = bound(value, Some(Unit::Ratio))?;
    if share <= 0.0 {
        value.error("promises nothing; write for example \"99.9%\"");
        return None;
    }
    Some(share)
}

/// The largest share of any replica: what is used, of an amount or of a query.
fn share(table: &Table, amount: &str, used: &str) -> Option<(Basis, String)> {
    let basis = match table.get("basis") {
        Some(value) => one_of(value, "basis", &Basis::ALL)?,
        None => Basis::default(),
    };
    let used = match table.get("used") {
        Some(value) => query(value)?,
        None => used.to_owned(),
    };
    let whole = match (table.get(amount), table.get("of")) {
        (Some(value), None) => some_amount(value, amount)?,
        (None, Some(value)) => format!("(({}) > 0)", query(value)?),
        (Some(value), Some(_)) => {
            value.error(format!("either `{amount}` or `of` says of what; leave one out"));
            return None;
        }
        (None, None) => {
            let example = if amount == "bytes" { "\"2GiB\"" } else { "2" };
            table.error(&format!("says not of what; write for example {amount} = {example}"));
            return None;
        }
    };
    Some((basis, format!("max(({used}) / {whole})")))
}

fn some_amount(value: &Value, amount: &str) -> Option<String> {
    let unit = if amount == "bytes" { Unit::Bytes } else { Unit::Count };
    let number = bound(value, Some(unit))?;
    if number <= 0.0 {
        value.error("has to be above zero");
        return None;
    }
    Some(number.to_string())
}
