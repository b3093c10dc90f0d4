//! Signals: what can be judged, under which names, and the user's own.

use std::collections::BTreeMap;

use super::complaint::instead;
use super::outside;
use super::service::claim;
use super::sources::DataSources;
use super::walk::{Said, Table, Value};
use crate::metrics::{Shape, Signal, Unit};
use crate::model::Span;

/// Over this rates and quantiles are read, unless `rules.range` says otherwise:
/// a preset's signals and a user's own alike.
pub(super) use crate::metrics::presets::RANGE;

/// What a rule has to know of a signal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Known {
    pub unit: Unit,
    /// A quantile can be asked of it.
    pub is_histogram: bool,
    /// It is made of events, of which there may be too few.
    pub has_events: bool,
}

impl Known {
    pub(super) fn of(signal: &Signal) -> Known {
        let is_histogram = matches!(signal.shape, Shape::Buckets { .. });
        let has_events = is_histogram || matches!(signal.shape, Shape::Ratio { .. });
        Known { unit: signal.unit, is_histogram, has_events }
    }
}

/// Signals by name; `None`: one that was complained about.
pub(super) type Catalogue = BTreeMap<String, Option<Known>>;

/// All signals that need no configuration.
pub(super) fn built_in() -> Catalogue {
    let preset = |(name, unit): &(&str, Unit)| {
        let is_histogram = *name == outside::HISTOGRAM;
        let has_events = is_histogram || *name == "error_ratio";
        ((*name).to_owned(), Some(Known { unit: *unit, is_histogram, has_events }))
    };
    let health = outside::health_signals();
    let own = health.iter().map(|signal| (signal.name.to_string(), Some(Known::of(signal))));
    outside::preset_signals().iter().map(preset).chain(own).collect()
}

/// The signal of that name, or a complaint with the nearest that there is.
pub(super) fn find(catalogue: &Catalogue, value: &Value) -> Option<Known> {
    let name = value.text()?;
    if let Some(known) = catalogue.get(name) {
        return *known; // of a broken one everything has been told
    }
    if let Some(quantile) = name.strip_prefix("latency_p").and_then(|p| p.parse::<u32>().ok()) {
        let quantile = f64::from(quantile) / 10f64.powi(quantile.to_string().len() as i32);
        value.error(format!(
            "unknown signal `{name}`; write signal = \"latency\" and quantile = {quantile}"
        ));
        return None;
    }
    let names: Vec<&str> = catalogue.keys().map(String::as_str).collect();
    value.error(format!("unknown signal `{name}`; {}", instead(name, &names)));
    None
}

/// Reads every `[[signal]]` into the catalogue.
pub(super) fn read(
    top: &Table,
    range: Span,
    sources: &DataSources,
    catalogue: &mut Catalogue,
) -> Vec<Signal> {
    let tables = top.get("signal").map_or_else(Vec::new, |value| value.tables("signal"));
    let reserved = outside::health_signals();
    let mut taken = BTreeMap::new();
    let mut signals = Vec::new();
    for table in &tables {
        let Some(value) = table.need("name", "name = \"queue_depth\"") else { continue };
        let Some(name) = value.text() else { continue };
        if let Err(what) = is_name(name) {
            value.error(what);
            continue;
        }
        if reserved.iter().any(|signal| signal.name == *name) {
            value.error(format!("`{name}` is measured by the checks; choose another name"));
            continue;
        }
        if !claim(&mut taken, name, value, top.sink) {
            continue;
        }
        let signal = signal(table, name, range, sources);
        catalogue.insert(name.to_owned(), signal.as_ref().map(Known::of));
        signals.extend(signal);
    }
    signals
}

fn is_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && name.chars().all(fits) && name.len() <= 100 {
        return Ok(());
    }
    Err(format!("{name:?} is no name of a signal; write letters, digits and `_`"))
}

fn signal(table: &Table, name: &str, range: Span, sources: &DataSources) -> Option<Signal> {
    let range = Said::of(table.get("range"), Value::some_span).or(range);
    let unit = Said::of(table.get("unit"), unit);
    let source = sources.of(table.get("source"));
    let query = |value: &Value| match source.as_ref()? {
        Some(source) => sources.query(value, source),
        None => query(value),
    };
    let shape = shape(table, &query)?;
    let default = match shape {
        Shape::Ratio { .. } => Unit::Ratio,
        Shape::Buckets { .. } => Unit::Seconds,
        Shape::Gauge { .. } | Shape::Alert { .. } => Unit::Count,
    };
    Some(Signal {
        name: name.into(),
        unit: unit.or(default)?,
        shape,
        range: range?,
        source: source?,
    })
}

/// A query that can be evaluated.
pub(super) fn query(value: &Value) -> Option<String> {
    let text = value.text()?;
    outside::query(text).map_err(|what| value.error(what)).ok()?;
    Some(text.to_owned())
}

/// How it is measured.
fn shape(table: &Table, query: &dyn Fn(&Value) -> Option<String>) -> Option<Shape> {
    let (gauge, buckets) = (table.get("query"), table.get("buckets"));
    let (num, den) = (table.get("num"), table.get("den"));
    if let (Some(scale), None) = (table.get("scale"), buckets) {
        scale.error("only `buckets` have a scale");
    }
    match (gauge, buckets, num, den) {
        (Some(value), None, None, None) => Some(Shape::Gauge { query: query(value)? }),
        (None, Some(value), None, None) => {
            let scale = Said::of(table.get("scale"), scale).or(1.0);
            Some(Shape::Buckets { query: query(value)?, scale: scale? })
        }
        (None, None, Some(num), Some(den)) => {
            let (num, den) = (query(num), query(den));
            Some(Shape::Ratio { num: num?, den: den? })
        }
        (None, None, Some(_), None) | (None, None, None, Some(_)) => {
            table.error("a ratio needs both `num` and `den`");
            None
        }
        (None, None, None, None) => {
            table
                .error("says not how it is measured; write `query`, `num` and `den`, or `buckets`");
            None
        }
        _ => {
            table.error("is measured in one way: `query`, or `num` and `den`, or `buckets`");
            None
        }
    }
}

fn scale(value: &Value) -> Option<f64> {
    let scale = value.number()?;
    if scale <= 0.0 {
        value.error("has to be above zero; milliseconds are made seconds by 0.001");
        return None;
    }
    Some(scale)
}

fn unit(value: &Value) -> Option<Unit> {
    const UNITS: [(&str, Unit); 6] = [
        ("ratio", Unit::Ratio),
        ("seconds", Unit::Seconds),
        ("per-second", Unit::PerSecond),
        ("bytes", Unit::Bytes),
        ("count", Unit::Count),
        ("dollars-per-hour", Unit::DollarsPerHour),
    ];
    let text = value.text()?;
    let found = UNITS.iter().find(|(name, _)| *name == text).map(|(_, unit)| *unit);
    if found.is_none() {
        value.error(format!(
            "unknown unit {text:?}; {}",
            instead(text, &UNITS.map(|(name, _)| name))
        ));
    }
    found
}

/// `require`: signals without which a window proves nothing.
pub(super) fn required(top: &Table, catalogue: &Catalogue) -> Vec<crate::model::Name> {
    let members = top.get("require").and_then(Value::list).unwrap_or_default();
    let known = members.iter().filter(|member| find(catalogue, member).is_some());
    let mut names: Vec<crate::model::Name> = Vec::new();
    for name in known.filter_map(|member| member.as_text()) {
        if !names.iter().any(|known| *known == *name) {
            names.push(name.into());
        }
    }
    names
}
