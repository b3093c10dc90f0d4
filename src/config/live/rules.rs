//! Which rules can never fire on what a service shows, and why. A rule that
//! can is not thereby certain to: it has only something to look at.

use serde::Serialize;

use crate::config::explain::query;
use crate::config::explain::rule::read_by;
use crate::judge::{Bound, Rule, pack};
use crate::metrics::presets::Matched;
use crate::metrics::promql::histogram::quantile_of_mended;
use crate::metrics::{Family, Measured, Meter, Series, Shape, Signal, Unit, health, show};
use crate::model::{Measurement, Name, Timestamp, Why};
use crate::record::Plan;

/// A rule, held against one look.
#[derive(Debug, Serialize)]
pub struct RuleLive {
    /// Which.
    pub name: Name,
    /// What it judges: `latency p99 above 10s`.
    pub judges: String,
    /// Why it can never fire as things are; `None`: it can.
    pub never: Option<String>,
    /// Whether the user wrote it, so that it has to be observable.
    #[serde(skip)]
    pub is_own: bool,
}

/// What rules are held against.
pub(super) struct Ground<'g> {
    pub plan: &'g Plan,
    pub families: &'g [Family],
    pub series: &'g Series,
    /// Whether some health answer bears a time or an uptime.
    pub moves: bool,
    pub now: Timestamp,
}

/// Every rule of the plan.
pub(super) fn all(
    ground: &Ground,
    meters: &mut [(Signal, Meter)],
    matched: &Matched,
) -> Vec<RuleLive> {
    let own = health::signals();
    let rule = |rule: &Rule| {
        let place = meters.iter().position(|(signal, _)| signal.name == rule.signal);
        let unit = place.map(|at| meters[at].0.unit);
        let by_checks = own.iter().find(|signal| signal.name == rule.signal);
        let unit = unit.or(by_checks.map(|signal| signal.unit)).unwrap_or_else(|| unit_of(rule));
        let never = match (by_checks, place) {
            (Some(signal), _) => checks(ground, rule, signal),
            (None, None) => Some(absent(rule, matched)),
            (None, Some(at)) => {
                let (signal, meter) = &mut meters[at];
                let mut asked = |meter: &mut Meter| meter.read(ground.series, ground.now);
                metrics(ground, rule, signal, meter, &mut asked)
            }
        };
        let quantile = rule.quantile.map(crate::config::rules::percentile);
        let what = [Some(rule.signal.to_string()), quantile].into_iter().flatten();
        let bound = match rule.of_baseline {
            Some(_) => crate::config::rules::bounds_shown(rule, unit),
            None => crate::config::rules::bound_shown(rule.bound, unit),
        };
        let judges = what.chain([bound]).collect::<Vec<_>>().join(" ");
        let is_own = !pack::NAMES.contains(&rule.name.as_str());
        RuleLive { name: rule.name.clone(), judges, never, is_own }
    };
    ground.plan.rules.iter().map(rule).collect()
}

fn unit_of(rule: &Rule) -> Unit {
    let known = crate::metrics::presets::SIGNALS.iter().find(|(name, _)| rule.signal == *name);
    known.map_or(Unit::Count, |(_, unit)| *unit)
}

/// Signals of our own checks are there as soon as somebody is asked.
fn checks(ground: &Ground, rule: &Rule, signal: &Signal) -> Option<String> {
    let targets = &ground.plan.targets;
    let is_probed = targets.iter().any(|target| target.health.is_some());
    let is_scraped = targets.iter().any(|target| target.metrics.is_some());
    let never = match signal.name.as_str() {
        "up" | health::PRESENT if is_scraped => return None,
        health::PRESENT | health::SOURCE_UP if !ground.plan.data_sources.is_empty() => {
            return None;
        }
        "up" | health::PRESENT => "no target is scraped",
        name if health::is_of_checks(name) => return None, // they stand in the plan
        _ if !is_probed => "no target's health is asked",
        "replicas" if ground.plan.sources.is_empty() => return too_few(rule, targets.len()),
        "health_age" if !ground.moves => {
            "no health answer bears a time or an uptime that could stand still"
        }
        _ => return None,
    };
    Some(never.to_owned())
}

/// Those that are named, all of them, may be fewer than a rule waits for.
fn too_few(rule: &Rule, named: usize) -> Option<String> {
    let Bound::Above(bound) = rule.bound else { return None };
    let targets = if named == 1 { "target is" } else { "targets are" };
    let why = || format!("{named} {targets} named, and more than {bound} would have to answer");
    (named as f64 <= bound).then(why)
}

fn absent(rule: &Rule, matched: &Matched) -> String {
    let signal = &rule.signal;
    let limit = matched.signals.iter().any(|found| found.name == *"memory_bytes");
    if *signal == *"memory_ratio" && limit {
        return "the memory in use is known, but no metric tells its limit".to_owned();
    }
    if *signal == *"error_ratio" && matched.signals.iter().any(|f| f.name == *"request_rate") {
        return "requests are counted, but no label or counter tells errors".to_owned();
    }
    format!("no metric for {signal} was found")
}

/// What keeps a rule over metrics from ever firing.
fn metrics(
    ground: &Ground,
    rule: &Rule,
    signal: &Signal,
    meter: &mut Meter,
    read: &mut dyn FnMut(&mut Meter) -> Measured,
) -> Option<String> {
    if let Some(source) = meter.source().cloned() {
        return match read(meter) {
            Measured::None(Why::Absent) => Some(format!("{source} has nothing of it")),
            Measured::None(Why::Unanswered) => Some(format!("{source} did not answer")),
            Measured::None(_) | Measured::One(_) | Measured::Each(_) | Measured::Split { .. } => {
                meter.trouble().map(str::to_owned)
            }
        };
    }
    let is_there = |name: &str| {
        ground.families.iter().any(|f| f.name == name || f.samples.iter().any(|s| s == name))
    };
    let declared = |name: &str| {
        let base = name.strip_suffix("_bucket").unwrap_or(name);
        ground.families.iter().any(|family| family.name == base && family.samples.is_empty())
    };
    let names = read_by(meter.needs(), &ground.plan.recordings).into_iter();
    let is_recorded = |name: &String| ground.plan.recordings.iter().any(|one| one.name == **name);
    let names: Vec<String> = names.map(|(name, _)| name).filter(|n| !is_recorded(n)).collect();
    if names.iter().any(|name| is_own(name)) {
        return None; // our own checks show it as soon as somebody is asked
    }
    let missing: Vec<&str> =
        names.iter().map(String::as_str).filter(|n| !is_there(n) && !declared(n)).collect();
    if missing.len() == names.len() && !names.is_empty() {
        return Some(format!("there is no metric {}", missing.join(", ")));
    }
    if let Some(beyond) = beyond_top(ground, rule, signal, &names) {
        return Some(beyond);
    }
    let is_single = matches!(signal.shape, Shape::Gauge { .. } | Shape::Alert { .. });
    if !is_single || signal_reads_range(signal) {
        return None; // of counters one look tells nothing
    }
    let without = match missing[..] {
        [] => String::new(),
        _ => format!(" (there is no metric {})", missing.join(", ")),
    };
    match read(meter) {
        Measured::None(Why::Absent) => Some(format!(
            "its metrics are there, but the query gives nothing: a limit of 0 or -1, \
                 or labels that do not match{without}: {}",
            query(signal)
        )),
        Measured::None(_) | Measured::One(_) | Measured::Each(_) | Measured::Split { .. } => {
            meter.trouble().map(str::to_owned)
        }
    }
}

/// Whether our own checks make series of this name.
pub(super) fn is_own(name: &str) -> bool {
    let meters = health::signals().into_iter().filter_map(|signal| Meter::compile(&signal).ok());
    meters.flat_map(|meter| meter.needs()).any(|(own, _)| own == name)
}

fn signal_reads_range(signal: &Signal) -> bool {
    query(signal).contains('[')
}

/// A quantile above the top finite bucket can never be shown: a rule judges
/// the share above its bound, and there that share is not known.
fn beyond_top(ground: &Ground, rule: &Rule, signal: &Signal, names: &[String]) -> Option<String> {
    let Shape::Buckets { scale, .. } = signal.shape else { return None };
    if rule.of_baseline.is_some() {
        return None; // it is known when the watch opens
    }
    let Bound::Above(bound) = rule.bound else { return None };
    let histogram = names.iter().find_map(|name| name.strip_suffix("_bucket"))?;
    let family = ground.families.iter().find(|family| family.name == histogram)?;
    let top = family.bounds.last()?.0 * scale;
    // The same slack as judging has: 250 ms times 0.001 is 0.25 s.
    (bound > top * (1.0 + 1e-9)).then(|| {
        let [top, bound] = [top, bound].map(|value| show(signal.unit, value));
        format!(
            "judged by the share above the bound: the top finite bucket of {histogram} is {top}, \
             so a bound of {bound} cannot be shown; add a bucket of {bound}, or write `above` \
             of at most {top}"
        )
    })
}

/// What a signal reads at one look; `None` for what counts over time.
pub(super) fn now(
    signal: &Signal,
    meter: &mut Meter,
    series: &Series,
    at: Timestamp,
) -> Option<String> {
    let is_single = matches!(signal.shape, Shape::Gauge { .. } | Shape::Alert { .. });
    let is_asked = meter.source().is_some(); // of one that has a past
    if !is_asked && (!is_single || signal_reads_range(signal)) {
        return None;
    }
    match meter.read(series, at) {
        Measured::One(Measurement::Ratio { num, den }) => {
            Some(format!("{}, of {:.0}", show(signal.unit, num.0 / den.0), den.0))
        }
        Measured::One(Measurement::Buckets { bounds, counts }) => {
            let pairs = bounds.iter().zip(&counts).map(|(bound, count)| (bound.0, count.0));
            let p99 = quantile_of_mended(0.99, &pairs.collect::<Vec<_>>());
            let all = counts.last().map_or(0.0, |count| count.0);
            Some(format!("{} at p99, of {all:.0}", show(signal.unit, p99)))
        }
        Measured::None(why) if is_asked => Some(why.to_string()),
        Measured::One(Measurement::Gauge { max, .. }) => Some(show(signal.unit, max.0)),
        Measured::Each(all) => {
            let worst = all.iter().map(|(_, value)| *value).reduce(f64::max)?;
            Some(format!("{} at most, of {}", show(signal.unit, worst), all.len()))
        }
        Measured::Split { broken, calm } => {
            let all = broken.iter().chain(calm.iter().flatten());
            let worst = all.map(|(_, value)| *value).reduce(f64::max)?;
            Some(format!("{} at most, broken: {}", show(signal.unit, worst), broken.len()))
        }
        Measured::None(_) => None,
    }
}
