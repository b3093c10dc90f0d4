//! `check --live`: what a service that was asked once shows of itself, held
//! against a plan. What was found, what was not, and which rules can never
//! fire, each with its reason. Who asks is somebody else.

mod rules;
mod sourced;
mod text;

use serde::Serialize;

use super::Checked;
use super::explain::{rule, section};
use crate::check::health::{self, Expected};
use crate::metrics::presets::Matched;
use crate::metrics::{Family, Feed, Meter, Page, Recorder, Recording, Series, Signal};
use crate::model::{Exchange, Failure, Name, Span, Timestamp};
use crate::record::Plan;

pub use rules::RuleLive;
pub use sourced::{SourceLive, Sourced, families, search, wanted};
pub use text::show;

/// What one target answered. `None`: it was not asked.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Which.
    pub target: Name,
    /// Its health endpoint: where, and what came.
    pub health: Option<(String, Result<Exchange, Failure>)>,
    /// Its readiness endpoint.
    pub ready: Option<(String, Result<Exchange, Failure>)>,
    /// Its exposition.
    pub metrics: Option<(String, Result<Shown, Failure>)>,
    /// Health paths that were tried before, in vain.
    pub tried: Vec<String>,
}

/// An exposition, read whole.
#[derive(Clone, Debug)]
pub struct Shown {
    /// All of it.
    pub page: Page,
    /// What type it says it has.
    pub content_type: Option<String>,
}

/// Whom a source of targets named.
#[derive(Clone, Debug, Serialize)]
pub struct Sought {
    /// Which source.
    pub source: Name,
    /// How many targets; `None`: it did not answer.
    pub targets: Option<usize>,
    /// Why it did not, or what was left out.
    pub words: String,
}

/// All that one look amounts to.
#[derive(Debug, Serialize)]
pub struct Live {
    /// The service.
    pub service: Name,
    /// Each source of targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sought: Vec<Sought>,
    /// Each target.
    pub targets: Vec<TargetLive>,
    /// Each source of metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceLive>,
    /// Presets that gave a signal.
    pub presets: Vec<Name>,
    /// Signals that can be measured.
    pub signals: Vec<SignalLive>,
    /// Signals for which there is no metric.
    pub unmatched: Vec<Name>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// Each rule: whether it can fire.
    pub rules: Vec<RuleLive>,
    /// What it comes to.
    pub standing: Standing,
}

/// One target.
#[derive(Debug, Serialize)]
pub struct TargetLive {
    /// Which.
    pub target: Name,
    /// Whether anything of it answered.
    pub reachable: bool,
    /// Lines: `health /health: 200, "healthy"`.
    pub lines: Vec<(String, String)>,
}

/// One signal.
#[derive(Debug, Serialize)]
pub struct SignalLive {
    /// Which.
    pub name: Name,
    /// What it is made of, and by which preset; the query of a user's own.
    pub of: String,
    /// What it reads now, where one look can tell.
    pub now: Option<String>,
}

/// What a look comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// All that was asked for can be watched.
    Observable,
    /// Something that was asked for cannot be.
    Blind,
    /// A target or a source does not answer at all.
    Unreachable,
}

/// Holds what was answered against the plan.
pub fn live(
    checked: &Checked,
    sought: Vec<Sought>,
    answered: &[Answered],
    sourced: &[Sourced],
    now: Timestamp,
) -> Live {
    let plan = &checked.plan;
    let Look { families, matched, mut meters, series } = look(plan, answered, sourced, now);
    let sources = sourced::shown(plan, sourced);
    let moves = answered.iter().any(|one| is_moving(one, plan));
    let ground = rules::Ground { plan, families: &families, series: &series, moves, now };
    let rules: Vec<RuleLive> = rules::all(&ground, &mut meters, &matched);
    let expected = &plan.health;
    let targets: Vec<TargetLive> =
        answered.iter().map(|one| target(one, &meters, expected)).collect();
    let shown = meters.iter_mut().map(|(signal, meter)| SignalLive {
        name: signal.name.clone(),
        of: of(plan, &matched, signal),
        now: rules::now(signal, meter, &series, now),
    });
    let signals: Vec<SignalLive> = shown.collect();
    let missing = |name: &Name| signals.iter().all(|signal| signal.name != *name);
    let nobody = |one: &Sought| one.targets == Some(0);
    let is_blind = plan.targets.is_empty() && sought.iter().any(nobody)
        || plan.require.iter().any(missing)
        || rules.iter().any(|rule| rule.is_own && rule.never.is_some())
        || answered.iter().any(|one| matches!(one.metrics, Some((_, Err(_)))));
    let is_silent = sources.iter().any(|source| !source.reachable)
        || sought.iter().any(|one| one.targets.is_none());
    let standing = if is_silent || targets.iter().any(|target| !target.reachable) {
        Standing::Unreachable
    } else if is_blind {
        Standing::Blind
    } else {
        Standing::Observable
    };
    let unmatched = matched.unmatched.into_iter().filter(missing).collect();
    let (presets, notes, service) = (matched.presets, matched.notes, plan.service.clone());
    Live { service, sought, targets, sources, presets, signals, unmatched, notes, rules, standing }
}

/// One rule's plan, with what it selects and reads now.
///
/// # Errors
/// There is no such rule.
pub fn explain(
    checked: &Checked,
    answered: &[Answered],
    sourced: &[Sourced],
    name: &str,
    now: Timestamp,
) -> Result<String, String> {
    let plan = &checked.plan;
    let Look { matched, mut meters, series, .. } = look(plan, answered, sourced, now);
    let mut text = rule::explain_with(checked, name, &matched.signals)?;
    let signal = plan.rules.iter().find(|rule| rule.name == *name).map(|rule| &rule.signal);
    let meter = meters.iter_mut().find(|(known, _)| Some(&known.name) == signal);
    let Some((signal, meter)) = meter else { return Ok(text) };
    let names = rule::read_by(meter.needs(), &plan.recordings);
    let selected = names.keys().map(|name| match series.named(name).count() {
        0 if rules::is_own(name) => vec![name.clone(), "of our own checks".to_owned()],
        1 => vec![name.clone(), "1 series".to_owned()],
        count => vec![name.clone(), format!("{count} series")],
    });
    section(&mut text, "There now", selected.collect());
    let reads = rules::now(signal, meter, &series, now);
    let reads = reads.unwrap_or_else(|| "one look cannot tell".to_owned());
    section(&mut text, "Reads now", vec![vec![reads]]);
    Ok(text)
}

/// What was answered, as signals and series.
struct Look {
    families: Vec<Family>,
    matched: Matched,
    meters: Vec<(Signal, Meter)>,
    series: Series,
}

fn look(plan: &Plan, answered: &[Answered], sourced: &[Sourced], now: Timestamp) -> Look {
    let pages = || answered.iter().filter_map(|one| Some((&one.target, page_of(one)?)));
    let families: Vec<Family> = match plan.measured_by {
        Some(_) => sourced::families(plan, sourced),
        None => pages().flat_map(|(_, page)| page.families.clone()).collect(),
    };
    let matched = sourced::detect(plan, &families);
    let mut meters = sourced::meters(plan, &matched);
    sourced::answer(&mut meters, sourced, now);
    let mut series = series(&meters, &plan.recordings, pages(), now);
    for recording in &plan.recordings {
        // One look makes no rate, and what is recorded of one is nothing yet.
        if let Ok(mut recorder) = Recorder::compile(recording) {
            let _ = recorder.record(&mut series, now);
        }
    }
    Look { families, matched, meters, series }
}

fn page_of(answered: &Answered) -> Option<&Page> {
    match &answered.metrics {
        Some((_, Ok(shown))) => Some(&shown.page),
        Some((_, Err(_))) | None => None,
    }
}

/// The samples of one look, as series.
fn series<'p>(
    meters: &[(Signal, Meter)],
    recordings: &[Recording],
    pages: impl Iterator<Item = (&'p Name, &'p Page)>,
    now: Timestamp,
) -> Series {
    let mut series = Series::new();
    let needs = meters.iter().flat_map(|(_, meter)| meter.needs()).collect();
    for (name, range) in rule::read_by(needs, recordings) {
        series.keep(&name, range + Span::from_secs(60));
    }
    for (target, page) in pages {
        Feed::new().take(&mut series, target, page, now);
    }
    series
}

fn of(plan: &Plan, matched: &Matched, signal: &Signal) -> String {
    let by_preset = matched.signals.iter().any(|found| found == signal);
    let because = matched.because.iter().find(|(name, _)| *name == signal.name);
    match because.filter(|_| by_preset) {
        Some((_, of)) => of.clone(),
        None => super::explain::asked::measured(plan, signal),
    }
}

/// Whether its health answer bears something that moves in a live service.
fn is_moving(answered: &Answered, plan: &Plan) -> bool {
    let Some((_, Ok(exchange))) = &answered.health else { return false };
    health::judge_answer(exchange, &plan.health).shown.pulses.iter().any(Option::is_some)
}

fn target(answered: &Answered, meters: &[(Signal, Meter)], expected: &Expected) -> TargetLive {
    let mut lines = Vec::new();
    let checks = [("health", &answered.health), ("ready", &answered.ready)];
    for (what, asked) in checks {
        match asked {
            Some((path, reply)) if what == "health" || reply.is_err() => {
                let judged = health::judge(reply, expected);
                lines.push((
                    format!("{what} {path}"),
                    format!("{}: {}", judged.state, judged.reason),
                ));
            }
            Some((path, Ok(exchange))) => {
                let words = health::judge_answer(exchange, expected).reason;
                let is_ready = if exchange.status == 200 { "ready" } else { "not ready" };
                lines.push((format!("{what} {path}"), format!("{is_ready}: {words}")));
            }
            Some((_, Err(_))) => unreachable!("told above"),
            None => lines.push((what.to_owned(), "not asked".to_owned())),
        }
    }
    if !answered.tried.is_empty() {
        let tried = answered.tried.join(", ");
        lines.push((String::new(), format!("there is no health endpoint at {tried}")));
    }
    match &answered.metrics {
        Some((path, reply)) => lines.push((format!("metrics {path}"), metrics(reply, meters))),
        None => lines.push(("metrics".to_owned(), "not asked".to_owned())),
    }
    let came = |asked: &Option<(String, Result<Exchange, Failure>)>| {
        asked.as_ref().is_some_and(|(_, reply)| reply.is_ok())
    };
    let spoke = match &answered.metrics {
        Some((_, Err(failure))) => matches!(failure, Failure::Status(_) | Failure::Unreadable(_)),
        Some((_, Ok(_))) => true,
        None => false,
    };
    let reachable = came(&answered.health) || came(&answered.ready) || spoke;
    TargetLive { target: answered.target.clone(), reachable, lines }
}

fn metrics(reply: &Result<Shown, Failure>, meters: &[(Signal, Meter)]) -> String {
    let shown = match reply {
        Ok(shown) => shown,
        Err(failure) => return failure.to_string(),
    };
    let page = &shown.page;
    let needs: Vec<String> =
        meters.iter().flat_map(|(_, meter)| meter.needs()).map(|(name, _)| name).collect();
    let kept = page.fresh.iter().filter(|(_, name, _)| needs.iter().any(|need| **need == ***name));
    let kind = shown.content_type.as_deref().unwrap_or("no content type");
    let mut words = format!(
        "{kind}, {} bytes, {} families, {} series, {} of them kept",
        page.bytes,
        page.families.len(),
        page.samples.len(),
        kept.count()
    );
    if let Some((line, what)) = &page.first_bad {
        words.push_str(&format!(
            "; {} unreadable, the first in line {line}: {what}",
            page.bad_lines
        ));
    }
    for (_, detail) in &page.limits {
        words.push_str(&format!("; {detail}"));
    }
    words
}
