//! What is judged: the pack, changed and added to.

pub mod file;
pub(super) mod import;

use std::collections::BTreeMap;

use super::address;
use super::complaint::{instead, nearest};
use super::service::{claim, free_name};
use super::severities::Severities;
use super::shares::{hold_to_baseline, limit, shares};
use super::signals::{self, Catalogue, Known};
use super::sources::DataSources;
use super::walk::{Said, Table, Value};
use crate::judge::demands::{self, Demands};
use crate::judge::{Bound, OfBaseline, Rule, pack};
use crate::metrics::{Shape, Signal, Unit, show};
use crate::model::{Labels, Name, Severity, Span};

/// `[rules]`: what holds for every rule that does not say its own.
#[derive(Clone, Copy, Default)]
pub(super) struct Defaults {
    hold: Option<Span>,
    recover: Option<Span>,
    pub range: Option<Span>,
    events: Option<f64>,
}

/// `[rules]`, where it is no list of files.
pub(super) fn table<'t>(top: &Table<'t>) -> Option<Table<'t>> {
    top.get("rules").filter(|value| !value.is_list())?.table("rules")
}

/// Reads `[rules]`.
pub(super) fn defaults(top: &Table) -> Defaults {
    let Some(table) = table(top) else {
        return Defaults::default();
    };
    Defaults {
        hold: table.span("for"),
        recover: table.span("recover"),
        range: table.get("range").and_then(Value::some_span),
        events: table.get("min-events").and_then(events),
    }
}

fn events(value: &Value) -> Option<f64> {
    value.whole(0, 1_000_000_000).map(|count| count as f64)
}

/// What rules are read against.
pub(super) struct Ground {
    pub defaults: Defaults,
    /// What the pack needs to know of the service.
    pub scope: pack::Scope,
    /// The windows, shortest first.
    pub windows: Vec<Name>,
    /// What is promised and given.
    pub demands: Demands,
    /// The words for how bad things are.
    pub severities: Severities,
    /// Who can be asked.
    pub sources: DataSources,
}

/// All rules, the pack's first, and the signals of those that bear a query.
pub(super) fn read(
    top: &Table,
    ground: &Ground,
    catalogue: &mut Catalogue,
) -> (Vec<Rule>, Vec<Signal>) {
    let mut rules = pack::pack(ground.scope);
    ground.demands.apply(&mut rules);
    rules.iter_mut().for_each(|rule| ground.defaults.apply(rule));
    let tables = top.get("rule").map_or_else(Vec::new, |value| value.tables("rule"));
    let (mut taken, mut signals) = (BTreeMap::new(), Vec::new());
    for table in &tables {
        let Some(value) = table.need("name", "name = \"QueueBacklog\"") else { continue };
        let Some(name) = value.text() else { continue };
        if let Err(what) = free_name(name) {
            value.error(what);
            continue;
        }
        if !claim(&mut taken, name, value, top.sink) {
            continue;
        }
        let place = rules.iter().position(|rule| rule.name == *name);
        if table.flag("off") == Some(true) {
            match place {
                Some(place) => drop(rules.remove(place)),
                None if is_of_pack(name) => {} // off already: the service has nothing of it
                None => value.error(unknown(name, "only rules of the pack can be switched off")),
            }
            continue;
        }
        let reading = Reading { table, name, ground, catalogue };
        let made = match place {
            Some(place) => reading.changed(rules[place].clone(), &mut signals),
            None if is_of_pack(name) => {
                let condition = pack::condition_of(name);
                value.error(format!("`{name}` is judged where {condition}"));
                None
            }
            None => reading.fresh(value, &mut signals),
        };
        match (made, place) {
            (Some(rule), Some(place)) => rules[place] = rule,
            (Some(rule), None) => rules.push(rule),
            (None, _) => {}
        }
    }
    (rules, signals)
}

fn is_of_pack(name: &str) -> bool {
    pack::NAMES.contains(&name) || demands::NAMES.contains(&name)
}

fn unknown(name: &str, what: &str) -> String {
    format!("{what}; {}", instead(name, &pack::NAMES))
}

impl Defaults {
    fn apply(&self, rule: &mut Rule) {
        rule.hold = self.hold.unwrap_or(rule.hold);
        rule.recover = self.recover.unwrap_or(rule.recover);
        if rule.evidence_min > 0.0 {
            rule.evidence_min = self.events.unwrap_or(rule.evidence_min);
        }
    }
}

/// One `[[rule]]` being read.
struct Reading<'a, 't> {
    table: &'a Table<'t>,
    name: &'t str,
    ground: &'a Ground,
    catalogue: &'a mut Catalogue,
}

impl Reading<'_, '_> {
    /// A rule of the user's own.
    fn fresh(mut self, name: &Value, signals: &mut Vec<Signal>) -> Option<Rule> {
        let severity = self.severity().or(Severity::Warning);
        let signal = match self.signal(signals) {
            Said::Nothing => {
                let near = nearest(self.name, pack::NAMES).map_or(String::new(), |near| {
                    format!(", or did you mean `{near}` of the pack?")
                });
                name.error(format!("judges nothing; write `query` or `signal`{near}"));
                None
            }
            Said::Wrong => None,
            Said::This(signal) => Some(signal),
        };
        let known = signal.as_ref().map(|(_, known)| *known);
        let bound = match self.bound(known) {
            Said::Nothing => {
                self.table.error("has no bound; write `above` or `below`");
                None
            }
            Said::Wrong => None,
            Said::This(bound) => Some(bound),
        };
        let is_whole = signal.is_some() && bound.is_some() && severity.is_some();
        let severity = severity.unwrap_or(Severity::Warning);
        let has_events = known.is_some_and(|known| known.has_events);
        let mut rule = Rule {
            name: self.name.into(),
            signal: signal.map_or_else(|| self.name.into(), |(name, _)| name),
            quantile: None,
            bound: bound.unwrap_or(Bound::Above(0.0)),
            hold: pack::hold_of(severity),
            recover: pack::recover_of(severity),
            breaches_min: pack::BREACHES_MIN,
            calms_min: pack::CALMS_MIN,
            evidence_min: if has_events { pack::EVENTS_MIN } else { 0.0 },
            severity,
            summary: String::new(),
            runbook: None,
            by_window: Vec::new(),
            labels: Default::default(),
            of_baseline: None,
            imported: None,
        };
        self.ground.defaults.apply(&mut rule);
        self.finish(rule, known).filter(|_| is_whole) // what is missing has been told
    }

    /// A rule of the pack, changed.
    fn changed(mut self, mut rule: Rule, signals: &mut Vec<Signal>) -> Option<Rule> {
        let before = rule.clone();
        let of_pack = self.catalogue.get(rule.signal.as_str()).copied().flatten();
        let known = match self.signal(signals) {
            Said::Nothing => of_pack,
            Said::Wrong => None,
            Said::This((signal, known)) => {
                rule.signal = signal;
                rule.quantile = rule.quantile.filter(|_| known.is_histogram);
                rule.evidence_min = if known.has_events { pack::EVENTS_MIN } else { 0.0 };
                self.ground.defaults.apply(&mut rule);
                Some(known)
            }
        };
        let bound = self.bound(known).or(rule.bound);
        let severity = self.severity().or(rule.severity);
        let is_whole = known.is_some() && bound.is_some() && severity.is_some();
        rule.bound = bound.unwrap_or(rule.bound);
        rule.severity = severity.unwrap_or(rule.severity);
        let by_window = [self.table.get("above"), self.table.get("below")];
        let is_moved = (rule.bound, &rule.signal) != (before.bound, &before.signal)
            || by_window.iter().flatten().any(|value| value.is_table());
        if is_moved || self.table.get("quantile").is_some() {
            rule.summary = String::new(); // it told of the old bound
        }
        self.finish(rule, known).filter(|_| is_whole)
    }

    /// What both kinds may say besides. `known`: the signal, if it is one.
    fn finish(&self, mut rule: Rule, known: Option<Known>) -> Option<Rule> {
        let get = |key: &str| self.table.get(key);
        let count = |key, default| {
            let whole = |value: &Value| value.whole(1, 1000).and_then(|n| u32::try_from(n).ok());
            Said::of(get(key), whole).or(default)
        };
        let hold = Said::of(get("for"), Value::span).or(rule.hold);
        let recover = Said::of(get("recover"), Value::span).or(rule.recover);
        let breaches = count("breaches", rule.breaches_min);
        let calms = count("calms", rule.calms_min);
        let evidence = Said::of(get("min-events"), events).or(rule.evidence_min);
        let runbook =
            Said::of(get("runbook"), |value| runbook(value).map(Some)).or(rule.runbook.clone());
        let summary = |value: &Value| value.text().map(str::to_owned);
        let summary = Said::of(get("summary"), summary).or(rule.summary.clone());
        let known = known?;
        rule.quantile = self.quantile(&rule.signal, rule.quantile, known);
        if let (Some(value), false) = (get("min-events"), known.has_events) {
            value.error(format!("`{}` counts no events; leave this out", rule.signal));
        }
        rule.by_window = self.by_window(known.unit).unwrap_or_default();
        rule.of_baseline = self.of_baseline(&rule, known.unit);
        rule.labels = self.ground.severities.label(get("severity"), self.labels());
        (rule.hold, rule.recover) = (hold?, recover?);
        (rule.breaches_min, rule.calms_min) = (breaches?, calms?);
        (rule.evidence_min, rule.runbook) = (evidence?, runbook?);
        rule.summary = match summary? {
            text if text.is_empty() => describe(&rule, known.unit),
            text => text,
        };
        Some(rule)
    }

    /// A histogram has to be asked for a quantile, and nothing else may be.
    fn quantile(&self, signal: &Name, before: Option<f64>, known: Known) -> Option<f64> {
        let said = self.table.get("quantile").map(|value| quantile(value, signal, known));
        if said.is_none() && before.is_none() && known.is_histogram {
            let say = "write for example quantile = 0.99";
            let what = format!("`{signal}` is a histogram: say which quantile is meant; {say}");
            self.table.error(&what);
        }
        said.unwrap_or(before)
    }

    /// The signal that it judges.
    fn signal(&mut self, signals: &mut Vec<Signal>) -> Said<(Name, Known)> {
        if let (Some(source), None) = (self.table.get("source"), self.table.get("query")) {
            source.error("says who is asked for a rule's `query`; a [[signal]] has its own");
        }
        let found = match (self.table.get("query"), self.table.get("signal")) {
            (None, None) => return Said::Nothing,
            (Some(query), Some(_)) => {
                query.error("a rule judges either a `query` or a `signal`; leave one out");
                None
            }
            (None, Some(value)) => signals::find(self.catalogue, value)
                .and_then(|known| Some((value.as_text()?.into(), known))),
            (Some(value), None) => self.query(value, signals),
        };
        found.map_or(Said::Wrong, Said::This)
    }

    fn query(&mut self, value: &Value, signals: &mut Vec<Signal>) -> Option<(Name, Known)> {
        let source = self.ground.sources.of(self.table.get("source"))?;
        let query = match &source {
            Some(source) => self.ground.sources.query(value, source)?,
            None => signals::query(value)?,
        };
        let range = self.ground.defaults.range.unwrap_or(signals::RANGE);
        let (name, shape) = (Name::from(self.name), Shape::Gauge { query });
        if self.catalogue.contains_key(self.name) {
            let what = format!("there is a signal `{name}`; judge it by signal = \"{name}\"");
            value.error(format!("{what}, or rename the rule"));
            return None;
        }
        let signal = Signal { name: name.clone(), unit: Unit::Count, shape, range, source };
        let known = Known::of(&signal);
        self.catalogue.insert(name.to_string(), Some(known));
        signals.push(signal);
        Some((name, known))
    }

    fn bound(&self, known: Option<Known>) -> Said<Bound> {
        let unit = known.map(|known| known.unit);
        let found = match (self.table.get("above"), self.table.get("below")) {
            (None, None) => return Said::Nothing,
            (Some(above), Some(_)) => {
                above.error("a rule has one bound, `above` or `below`; write two rules");
                None
            }
            (Some(value), None) => self.of_longest(value, unit).map(Bound::Above),
            (None, Some(value)) => self.of_longest(value, unit).map(Bound::Below),
        };
        found.map_or(Said::Wrong, Said::This)
    }

    /// One bound for all windows, or that of the longest: it holds to the end.
    fn of_longest(&self, value: &Value, unit: Option<Unit>) -> Option<f64> {
        if !value.is_table() {
            return limit(value, unit);
        }
        let entries = value.entries()?;
        let longest = self.ground.windows.last()?;
        let Some((_, last)) = entries.iter().find(|(name, _)| *longest == **name) else {
            value.error(format!(
                "says nothing of `{longest}`, the longest window, whose bound holds to \
                 the end"
            ));
            return None;
        };
        limit(last, unit)
    }

    /// The bounds of all windows that are named, shortest first.
    fn by_window(&self, unit: Unit) -> Option<Vec<(Name, Bound)>> {
        let (value, side): (_, fn(f64) -> Bound) = match self.table.get("above") {
            Some(value) => (value, Bound::Above),
            None => (self.table.get("below")?, Bound::Below),
        };
        if !value.is_table() {
            return None;
        }
        let windows = &self.ground.windows;
        let mut found = Vec::new();
        for (name, value) in value.entries()? {
            match windows.iter().position(|window| *window == *name) {
                Some(place) => found.push((place, side(limit(&value, Some(unit))?))),
                None => {
                    let names: Vec<&str> = windows.iter().map(Name::as_str).collect();
                    value.error(format!("unknown window {name:?}; {}", instead(name, &names)));
                }
            }
        }
        found.sort_by_key(|(place, _)| *place);
        Some(found.into_iter().map(|(place, bound)| (windows[place].clone(), bound)).collect())
    }

    /// Whether its bounds are shares of what the last healthy release measured.
    fn of_baseline(&self, rule: &Rule, unit: Unit) -> Option<OfBaseline> {
        let least = self.table.get("at-least");
        let said = self.table.get("above").or_else(|| self.table.get("below"));
        let is_asked = said.map_or(rule.of_baseline.is_some(), |value| shares(value) > 0);
        let is_above = matches!(rule.bound, Bound::Above(_));
        if let (Some(value), false) = (least, is_asked && is_above) {
            value.error("goes with a bound such as above = \"1.5x baseline\"; leave it out");
        }
        if !is_asked {
            return None;
        }
        if let Some(value) = said {
            hold_to_baseline(value, rule);
        }
        Some(OfBaseline { at_least: least.and_then(|value| bound(value, Some(unit))) })
    }

    /// Labels of the rule's own.
    fn labels(&self) -> Labels {
        let entries = self.table.get("labels").and_then(Value::entries).unwrap_or_default();
        let pair = |(name, value): (&str, Value)| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                || !name.chars().all(fits)
            {
                value.error(format!("{name:?} is no label; write letters, digits and `_`"));
            }
            Some((name.to_owned(), value.text()?.to_owned()))
        };
        Labels::from_pairs(entries.into_iter().filter_map(pair))
    }

    fn severity(&self) -> Said<Severity> {
        Said::of(self.table.get("severity"), |value| self.ground.severities.find(value))
    }
}

/// A number, `"5%"`, `"10s"`, or `"1GiB"`.
pub(super) fn bound(value: &Value, unit: Option<Unit>) -> Option<f64> {
    let bound = match value.as_text() {
        None => value.number()?,
        Some(text) => match worded(text) {
            Some((number, meant)) if unit.is_none_or(|unit| unit == meant) => number,
            // A query of the user's own is in whatever unit its bound is.
            Some((number, _)) if unit == Some(Unit::Count) => number,
            Some(_) => {
                value.error(format!("{text:?} is in another unit than the signal; write a number"));
                return None;
            }
            None => {
                value.error(format!(
                    "{text:?} is no bound; write a number, \"5%\", \"10s\" or \"1GiB\""
                ));
                return None;
            }
        },
    };
    if unit == Some(Unit::Ratio) && !(0.0..1.0).contains(&bound) {
        let meant = bound / 100.0;
        let hint = if (0.0..1.0).contains(&meant) {
            format!("; {bound} % is written {meant} or \"{bound}%\"")
        } else {
            String::new()
        };
        value.error(format!("a ratio lies between 0 and 1 and never goes past {bound}{hint}"));
        return None;
    }
    Some(bound)
}

/// A bound in words, and the unit that the words mean.
fn worded(text: &str) -> Option<(f64, Unit)> {
    if let Some(percent) = text.strip_suffix('%') {
        let number = percent.trim().parse::<f64>().ok()?;
        return number.is_finite().then_some((number / 100.0, Unit::Ratio));
    }
    if let Some(bytes) = super::bytes(text) {
        return Some((bytes as f64, Unit::Bytes));
    }
    text.parse::<Span>().ok().map(|span| (span.seconds_f64(), Unit::Seconds))
}

fn quantile(value: &Value, signal: &Name, known: Known) -> Option<f64> {
    let quantile = value.number()?;
    if !known.is_histogram {
        value.error(format!("`{signal}` is no histogram and has no quantiles; leave this out"));
        return None;
    }
    if quantile <= 0.0 || quantile >= 1.0 {
        value.error(format!("{quantile} is not between 0 and 1; the 99th percentile is 0.99"));
        return None;
    }
    Some(quantile)
}

fn runbook(value: &Value) -> Option<String> {
    let text = value.text()?;
    address::web(text).map_err(|what| value.error(what)).ok()?;
    Some(text.to_owned())
}

/// A summary for a rule that bears none: `p99 of latency is above 3s`.
fn describe(rule: &Rule, unit: Unit) -> String {
    let what = match rule.quantile {
        Some(quantile) => format!("{} of {}", percentile(quantile), rule.signal),
        None => rule.signal.to_string(),
    };
    format!("{what} is {}", bounds_shown(rule, unit))
}

/// `p99`, `p99.9`.
pub(super) fn percentile(quantile: f64) -> String {
    let percent = (quantile * 1e6).round() / 1e4; // 0.999 * 100 is 99.9, not 99.9000…1
    format!("p{percent}")
}

/// `above 5%`, or `above 5% in first-day, above 3% in first-week`.
pub(super) fn bounds_shown(rule: &Rule, unit: Unit) -> String {
    let each = rule.by_window.iter();
    let shown = |bound: Bound| match (rule.of_baseline, bound) {
        (None, _) => bound_shown(bound, unit),
        (Some(_), Bound::Above(factor)) => format!("above {factor}x baseline"),
        (Some(_), Bound::Below(factor)) => format!("below {factor}x baseline"),
        (Some(_), Bound::Expression) => bound_shown(bound, unit),
    };
    let each: Vec<String> =
        each.map(|(window, bound)| format!("{} in {window}", shown(*bound))).collect();
    let all = if each.is_empty() { shown(rule.bound) } else { each.join(", ") };
    match rule.of_baseline.and_then(|of| of.at_least) {
        Some(least) => format!("{all}, at least {}", show(unit, least)),
        None => all,
    }
}

/// `above 5%`, `below 2`.
pub(super) fn bound_shown(bound: Bound, unit: Unit) -> String {
    match bound {
        Bound::Above(value) => format!("above {}", show(unit, value)),
        Bound::Below(value) => format!("below {}", show(unit, value)),
        Bound::Expression => "where its expression says so".to_owned(),
    }
}
