//! Sources of metrics: who is asked for signals instead of our own scraping,
//! how, and by whom what is not said is measured.

use super::complaint::instead;
use super::secret::Vault;
use super::service::file_name;
use super::walk::{Said, Table, Value};
use super::windows::{SHORTEST, Times, timeout};
use super::{address, reach};
use crate::metrics::presets::Preset;
use crate::metrics::promql::{matchers, narrow};
use crate::metrics::{Shape, Signal};
use crate::model::{DAY, DataSource, HOUR, MINUTE, Name, Span};
use crate::record::PresetChoice;

/// What our own scraping is called where a source could be.
const SCRAPE: &str = "scrape";

/// A week has all its days and nights.
const HISTORY: Span = Span::from_millis(7 * DAY.millis());

/// Longer ago the service was another.
const HISTORY_MAX: Span = Span::from_millis(90 * DAY.millis());

/// A sample that comes later than that is no sign of what is.
const DELAY_MAX: Span = Span::from_millis(10 * MINUTE.millis());

/// All sources, and the one that measures what does not say another.
#[derive(Default)]
pub(super) struct DataSources {
    pub all: Vec<DataSource>,
    pub usual: Option<Name>,
    names: Vec<String>,
}

/// Whether signals are measured by a source unless they say otherwise.
pub(super) fn is_usual(top: &Table) -> bool {
    top.get("metrics").and_then(Value::as_text).is_some_and(|name| name != SCRAPE)
}

/// Reads `[source.NAME]` and `metrics`.
pub(super) fn read(top: &Table, vault: &Vault, times: &Times) -> DataSources {
    let entries = top.get("source").and_then(Value::entries).unwrap_or_default();
    let mut made = DataSources {
        names: entries.iter().map(|(name, _)| (*name).to_owned()).collect(),
        ..DataSources::default()
    };
    for (name, value) in &entries {
        if let Err(what) = file_name(name) {
            value.error(what);
            continue;
        }
        if *name == SCRAPE {
            value.error("`scrape` is what our own scraping is called; choose another name");
            continue;
        }
        let Some(table) = value.table("source.*") else { continue };
        made.all.extend(source(&table, name, vault, times));
    }
    made.usual = top.get("metrics").and_then(|value| made.named(value)).flatten();
    made
}

impl DataSources {
    /// The source that a value names; `Some(None)`: our own scraping.
    fn named(&self, value: &Value) -> Option<Option<Name>> {
        let text = value.text()?;
        if text == SCRAPE {
            return Some(None);
        }
        if self.names.iter().any(|name| name == text) {
            return Some(Some(Name::from(text)));
        }
        let names: Vec<&str> = self.names.iter().map(String::as_str).chain([SCRAPE]).collect();
        value.error(format!("there is no source {text:?}; {}", instead(text, &names)));
        None
    }

    /// The source that a signal says, or the usual one.
    pub fn of(&self, value: Option<&Value>) -> Option<Option<Name>> {
        Said::of(value, |value| self.named(value)).or(self.usual.clone())
    }

    /// A query that this source can be asked.
    pub fn query(&self, value: &Value, source: &Name) -> Option<String> {
        let text = value.text()?;
        let known = self.all.iter().find(|one| one.name == *source);
        let selector = known.and_then(|one| one.selector.as_deref());
        narrow(text, MINUTE, selector).map_err(|what| value.error(what)).ok()?;
        Some(text.to_owned())
    }

    /// Complains of what nobody wrote as a query of its own and cannot be asked.
    pub fn hold_against(
        &self,
        top: &Table,
        signals: &[Signal],
        (presets, own): (&PresetChoice, &[Preset]),
    ) {
        let selector = |name: &Name| {
            let known = self.all.iter().find(|one| one.name == *name);
            known.and_then(|one| one.selector.as_deref())
        };
        for signal in signals {
            let Some(source) = &signal.source else { continue };
            for text in texts(&signal.shape) {
                if let Err(what) = narrow(text, signal.range, selector(source)) {
                    top.sink.whole("metrics", format!("`{}`: {what}", signal.name));
                }
            }
        }
        let usual = self.usual.as_ref();
        for gauge in own.iter().flat_map(|preset| &preset.gauges).filter(|_| usual.is_some()) {
            if let Err(what) = narrow(&gauge.query, MINUTE, usual.and_then(selector)) {
                top.sink.whole("preset.signal", format!("`{}`: {what}", gauge.name));
            }
        }
        let is_asked = |name: &Name| signals.iter().any(|one| one.source.as_ref() == Some(name));
        for source in self.all.iter().filter(|one| usual != Some(&one.name)) {
            let name = &source.name;
            if !is_asked(name) {
                let remedy = format!("write metrics = \"{name}\", or a signal's source");
                let what = format!("nobody asks it anything; {remedy}");
                top.sink.warn_whole(&format!("source.{name}"), what);
            }
        }
        let is_settled = *presets == PresetChoice::Pinned(Vec::new());
        let (Some(value), Some(usual)) = (top.get("metrics"), &self.usual) else { return };
        if selector(usual).is_none() && !is_settled {
            let remedy = format!(
                "unless it holds this service alone, write source.{usual}.selector = \
                 '{{job=\"…\"}}'"
            );
            let what = "what presets find there is of every service that it holds";
            top.sink.warn(value.at, &value.key, format!("{what}; {remedy}"));
        }
    }
}

fn texts(shape: &Shape) -> Vec<&str> {
    match shape {
        Shape::Ratio { num, den } => vec![num, den],
        Shape::Buckets { query, .. } | Shape::Gauge { query } => vec![query],
        Shape::Alert { query, all, .. } => {
            std::iter::once(query).chain(all).map(String::as_str).collect()
        }
    }
}

fn source(table: &Table, name: &str, vault: &Vault, times: &Times) -> Option<DataSource> {
    let kind = table.need("type", "type = \"prometheus\"").and_then(kind);
    let url = table.need("url", "url = \"http://prometheus.example.com:9090\"").and_then(url);
    let selector = Said::of(table.get("selector"), |value| selector(value).map(Some)).or(None);
    let reach = reach::read(table, vault);
    let timeout = Said::of(table.get("timeout"), |value| timeout(value, times.fastest(), SHORTEST));
    let delay = Said::of(table.get("delay"), delay).or(Span::ZERO);
    let history = Said::of(table.get("history"), history).or(HISTORY);
    let takes_partial = table.flag("partial-response").unwrap_or(false);
    // A Thanos that is not told otherwise gives half an answer for a whole one.
    let mut params = vec![("partial_response".to_owned(), takes_partial.to_string())];
    params.extend(table.flag("dedup").map(|dedup| ("dedup".to_owned(), dedup.to_string())));
    params.extend(table.get("params").map_or_else(Vec::new, |value| more(value, &params)));
    kind?;
    Some(DataSource {
        name: Name::from(name),
        url: url?,
        headers: reach.headers(),
        transport: reach.transport,
        params,
        takes_partial,
        selector: selector?,
        delay: delay?,
        timeout: timeout.or(times.timeout)?,
        history: history?,
    })
}

fn kind(value: &Value) -> Option<()> {
    match value.text()? {
        "prometheus" => Some(()),
        other => {
            value.error(format!(
                "unknown type {other:?}; Prometheus, Thanos, Mimir, VictoriaMetrics and Azure \
                 Monitor are all type = \"prometheus\""
            ));
            None
        }
    }
}

fn url(value: &Value) -> Option<String> {
    let base = address::base(value.text()?).map_err(|what| value.error(what)).ok()?;
    if let Some(at) = base.find("/api/v1") {
        value.error(format!("`/api/v1/query` is added to it; write \"{}\"", &base[..at]));
        return None;
    }
    Some(base)
}

fn selector(value: &Value) -> Option<String> {
    let text = value.text()?;
    matchers(text).map_err(|what| value.error(what)).ok()?;
    Some(text.trim().to_owned())
}

/// Nothing, or long enough for a median.
fn history(value: &Value) -> Option<Span> {
    let span = value.span()?;
    if span != Span::ZERO && !(HOUR..=HISTORY_MAX).contains(&span) {
        value.error(format!(
            "{span} is no past to go by; write \"0s\" for none, or \"1h\" to \"{HISTORY_MAX}\""
        ));
        return None;
    }
    Some(span)
}

fn delay(value: &Value) -> Option<Span> {
    let span = value.span()?;
    if span > DELAY_MAX {
        value.error(format!("{span} is too far back to judge by; write at most \"{DELAY_MAX}\""));
        return None;
    }
    Some(span)
}

/// What else is sent; what questions are made of themselves is not to be said.
fn more(value: &Value, known: &[(String, String)]) -> Vec<(String, String)> {
    const OURS: [&str; 6] = ["query", "time", "start", "end", "step", "timeout"];
    let entries = value.entries().unwrap_or_default();
    let pair = |(name, value): (&str, Value)| {
        if OURS.contains(&name) || known.iter().any(|(known, _)| known == name) {
            value.error(format!("`{name}` is sent anyway, as it has to be; leave it out"));
            return None;
        }
        Some((name.to_owned(), value.text()?.to_owned()))
    };
    entries.into_iter().filter_map(pair).collect()
}
