//! The verdict of a window, and its reasons in words with their numbers.

use std::collections::BTreeMap;

use super::{HEALTH, requests_from};
use crate::check::{StepResult, StepState};
use crate::judge::Window;
use crate::judge::verdict::{Evidence, Fired, ReasonKind, Seen, SmokeEnd, is_enough, verdict};
use crate::metrics::{Shape, presets};
use crate::model::{Name, Span, Verdict, Why};
use crate::record::{AlertSummary, Heritage, Reason, Record, SignalSummary, Summary};
use crate::report::page::value;
use crate::report::show;

/// Judges what `summary` says of the window.
pub(super) fn judged(
    record: &Record,
    window: &Window,
    summary: &Summary,
) -> (Verdict, Vec<Reason>) {
    let evidence = evidence(record, summary);
    let (verdict, kinds) = verdict(&evidence);
    let mut reasons: Vec<Reason> = Vec::new();
    let (mut without_metric, mut without_value) = (Vec::new(), Vec::new());
    for kind in kinds {
        match kind {
            ReasonKind::NotWatched(name) if is_hollow(record, &name) => without_value.push(name),
            ReasonKind::NotWatched(name) => without_metric.push(name),
            kind => reasons.push(told(record, summary, &kind)),
        }
    }
    let no_metric = match &record.matched {
        Some(_) => "the service shows no metric for it",
        None => "no scrape was read",
    };
    let no_value = "its metric never had a value, as that of a limit that is not set";
    for (names, why) in [(without_metric, no_metric), (without_value, no_value)] {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(Name::as_str).collect();
            let text = format!("not watched: {}", names.join(", "));
            reasons.push(Reason { text, evidence: why.to_owned() });
        }
    }
    reasons.extend(idle(record, window, summary));
    let lacking = record.plan.rules.iter().filter(|rule| record.lacks_baseline(rule));
    let lacking: Vec<&str> = lacking.map(|rule| rule.name.as_str()).collect();
    if !lacking.is_empty() {
        let why = match &record.baseline {
            None => "none was taken when the watch was opened",
            Some(baseline) if baseline.why.is_empty() => "the earlier release does not show it",
            Some(baseline) => &baseline.why,
        };
        let text = format!("not watched, for want of a baseline: {}", lacking.join(", "));
        reasons.push(Reason { text, evidence: why.to_owned() });
    }
    (verdict, reasons)
}

/// What was not seen in a window in which no traffic is expected.
fn idle(record: &Record, window: &Window, summary: &Summary) -> Option<Reason> {
    let mut names: Vec<Name> = Vec::new();
    for signal in summary.signals.iter().filter(|s| !s.required && !is_enough(s.evidence_ratio.0)) {
        let name = base(record, signal);
        if presets::is_of_requests(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    let is_idle = requests_from(record, window, summary.to).is_none();
    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
    (is_idle && !names.is_empty()).then(|| Reason {
        text: format!("not watched, for want of requests: {}", names.join(", ")),
        evidence: "no traffic is expected yet".to_owned(),
    })
}

fn evidence(record: &Record, summary: &Summary) -> Evidence {
    let failed = |must: bool| {
        let steps = record.smoke.iter().filter(move |step| step.must == must);
        steps.filter(|step| step.has_failed()).map(|step| step.step.clone()).collect()
    };
    Evidence {
        smoke: match (record.plan.smoke.is_empty(), record.is_smoke_done()) {
            (true, _) => SmokeEnd::Nothing,
            (false, false) => SmokeEnd::Unfinished,
            (false, true) => SmokeEnd::Finished,
        },
        musts_failed: failed(true),
        shoulds_failed: failed(false),
        alerts: fired(summary),
        health_ratio: summary.coverage.health_ratio.0,
        signals: required(record, summary),
    }
}

/// Each alert once, however often it fired.
fn fired(summary: &Summary) -> Vec<Fired> {
    let mut found: Vec<Fired> = Vec::new();
    for alert in summary.alerts.iter().filter(|alert| is_of_this_release(alert)) {
        let total = firing(alert, summary);
        let burning = alert.resolved_at.is_none();
        let same = |f: &&mut Fired| f.rule == alert.rule && f.labels == alert.labels;
        if let Some(known) = found.iter_mut().find(same) {
            known.total += total;
            known.burning |= burning;
        } else {
            let (rule, labels) = (alert.rule.clone(), alert.labels.clone());
            found.push(Fired { rule, labels, severity: alert.severity, burning, total });
        }
    }
    found
}

/// One that burned before this release, and was over or went on to the next
/// without having been seen to burn under it, is not this one's.
fn is_of_this_release(alert: &AlertSummary) -> bool {
    let was_seen = |heritage: &Heritage| heritage.seen_at.is_some();
    let stays = alert.resolved_at.is_none() && !alert.goes_on;
    stays || alert.heritage.as_ref().is_none_or(was_seen)
}

/// How long it fired inside the window, as far as it was seen to.
fn firing(alert: &AlertSummary, summary: &Summary) -> Span {
    let end = alert.resolved_at.unwrap_or(summary.to);
    let seen_at = alert.heritage.as_ref().and_then(|heritage| heritage.seen_at);
    let from = seen_at.unwrap_or(alert.fired_at).max(summary.from);
    end.since(from).max(Span::ZERO)
}

/// The required signals beside health, each once, and what is not watched.
fn required(record: &Record, summary: &Summary) -> Vec<Seen> {
    let mut found: BTreeMap<Name, Seen> = BTreeMap::new();
    let mut order: Vec<Name> = Vec::new();
    for signal in summary.signals.iter().filter(|s| s.required && s.name != HEALTH) {
        let name = base(record, signal);
        let is_defined = !signal.query.is_empty();
        let observable = match signal.missing {
            None => true,
            Some(Why::Unobservable) => false,
            Some(Why::Absent | Why::Stale) if is_hollow(record, &name) => false,
            Some(_) => is_defined,
        };
        if !found.contains_key(&name) {
            order.push(name.clone());
            let ratio = signal.evidence_ratio.0;
            found.insert(name.clone(), Seen { signal: name, ratio, observable });
        }
    }
    let mut all: Vec<Seen> = order.iter().filter_map(|name| found.remove(name)).collect();
    let unmatched = match &record.matched {
        Some(matched) => record.plan.unmatched(matched),
        None => vec![Name::from("any metric")],
    };
    for name in &unmatched {
        if !all.iter().any(|seen| seen.signal == *name) {
            all.push(Seen { signal: name.clone(), ratio: 0.0, observable: false });
        }
    }
    all
}

/// Whether a preset's gauge was matched by its name and never had a value, though
/// it was looked for all the time: what is left of a share where no limit is set.
/// What somebody asked for, or wrote himself, has to show itself in any case.
fn is_hollow(record: &Record, name: &Name) -> bool {
    let plan = &record.plan;
    let is_asked = plan.require.contains(name)
        || plan.signals.iter().any(|signal| signal.name == *name)
        || plan.own_presets.iter().flat_map(|own| &own.gauges).any(|gauge| *name == *gauge.name);
    // Its query fails, or is odd.
    let is_told = record.limits.contains_key(&(Name::from(format!("signal {name}")), None));
    let mut matched = record.matched.iter().flat_map(|matched| &matched.signals);
    let Some(signal) = matched.find(|signal| signal.name == *name) else { return false };
    let mut rows = record.blocks.iter().flat_map(|block| &block.rows);
    matches!(signal.shape, Shape::Gauge { .. })
        && !is_asked
        && !is_told
        && !presets::is_of_requests(name)
        && was_read(record, signal.source.as_ref())
        && !rows.any(|row| row.signal == *name && row.measured.is_some())
}

/// Whether enough of what was asked for metrics was answered: by targets, or by
/// that source.
fn was_read(record: &Record, source: Option<&Name>) -> bool {
    let (mut read, mut failed) = (0.0, 0.0);
    for block in &record.blocks {
        let all = if source.is_some() { &block.data_sources } else { &block.tallies };
        for (_, tally) in all.iter().filter(|(name, _)| source.is_none_or(|source| name == source))
        {
            read += f64::from(tally.scraped);
            failed += f64::from(tally.unscraped);
        }
    }
    read > 0.0 && is_enough(read / (read + failed))
}

/// The signal that a summary is of: of `latency_p99` it is `latency`.
fn base(record: &Record, signal: &SignalSummary) -> Name {
    let matched = record.matched.iter().flat_map(|matched| &matched.signals);
    let known = matched.chain(&record.plan.signals).map(|signal| &signal.name);
    let of = |name: &&Name| {
        let rest = signal.name.as_str().strip_prefix(name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("_p"))
    };
    known.filter(of).max_by_key(|name| name.as_str().len()).unwrap_or(&signal.name).clone()
}

fn told(record: &Record, summary: &Summary, kind: &ReasonKind) -> Reason {
    let (text, evidence) = match kind {
        ReasonKind::MustFailed(step) => {
            (format!("smoke test \"{step}\" failed"), miss(&summary.smoke, step))
        }
        ReasonKind::ShouldFailed(step) => {
            (format!("optional smoke test \"{step}\" failed"), miss(&summary.smoke, step))
        }
        ReasonKind::CriticalBurning(fired) => {
            (format!("{} is still firing at the close", alert(fired)), course(summary, fired))
        }
        ReasonKind::CriticalLong(fired) | ReasonKind::AlertFired(fired) => {
            let still = if fired.burning { ", and still does" } else { "" };
            let total = show::length(fired.total);
            (format!("{} fired for {total}{still}", alert(fired)), course(summary, fired))
        }
        ReasonKind::HealthUnseen => (
            "health was known for too little of the window".to_owned(),
            format!(
                "known for {}, 90% is needed; {}",
                show::share(summary.coverage.health_ratio.0),
                dark(summary)
            ),
        ),
        ReasonKind::SmokeNothing => (
            "nothing was asserted: there is no smoke test".to_owned(),
            "the smoke suite is empty".to_owned(),
        ),
        ReasonKind::SmokeUnfinished => (
            "the smoke suite did not come to its end".to_owned(),
            format!("{} of {} have a result", summary.smoke.len(), tests(record)),
        ),
        ReasonKind::SignalUnseen(seen) if seen.ratio <= 0.0 => {
            (format!("{} was not seen at all", seen.signal), unseen(summary, seen))
        }
        ReasonKind::SignalUnseen(seen) => (
            format!("{} was seen for too little of the window", seen.signal),
            unseen(summary, seen),
        ),
        ReasonKind::AllWell => ("watched, and nothing was wrong".to_owned(), well(record, summary)),
        ReasonKind::NotWatched(name) => (format!("not watched: {name}"), String::new()),
    };
    Reason { text, evidence }
}

fn tests(record: &Record) -> String {
    show::plural(record.plan.smoke.len(), "smoke test")
}

fn alert(fired: &Fired) -> String {
    fired.labels.of(fired.rule.as_str())
}

fn miss(smoke: &[StepResult], step: &Name) -> String {
    let Some(result) = smoke.iter().find(|result| result.step == *step) else {
        return String::new();
    };
    let tries = if result.attempts == 1 { "try" } else { "tries" };
    let tries = format!("after {} {tries}", result.attempts);
    match result.misses.first() {
        Some(miss) => {
            format!("{}: got {}, wanted {}; {tries}", miss.assertion, miss.actual, miss.expected)
        }
        None => tries,
    }
}

/// When it fired, and its worst reading beside the bound.
fn course(summary: &Summary, fired: &Fired) -> String {
    let is_this = |a: &&AlertSummary| a.rule == fired.rule && a.labels == fired.labels;
    let episodes: Vec<&AlertSummary> = summary.alerts.iter().filter(is_this).collect();
    let Some(first) = episodes.first() else { return String::new() };
    let first_at = show::instant(first.fired_at);
    let times = match episodes.len() {
        1 => format!("fired {first_at}"),
        n => format!("fired {n} times, first {first_at}"),
    };
    let line = summary.signals.iter().find_map(|signal| {
        signal.bounds.iter().find(|line| line.rule == fired.rule).map(|line| (signal, line))
    });
    let Some((signal, line)) = line else { return times };
    let worse = episodes
        .iter()
        .map(|a| a.peak.0)
        .reduce(|a, b| if line.above { a.max(b) } else { a.min(b) });
    let peak = worse.unwrap_or(f64::NAN);
    let than = if line.above { "limit" } else { "wanted at least" };
    format!(
        "{} reached {}, {than} {}; {times}",
        signal.name,
        value(signal, Some(peak)),
        show::show(signal.unit, line.value.0)
    )
}

fn dark(summary: &Summary) -> String {
    let blind = &summary.coverage.blind;
    let total = blind.iter().fold(Span::ZERO, |sum, b| sum + b.to.since(b.from));
    let longest = blind.iter().max_by_key(|b| b.to.since(b.from));
    match longest {
        Some(longest) => {
            format!("nobody looked for {}, most of it: {}", show::length(total), longest.why)
        }
        None => "targets were asked, and we could not tell".to_owned(),
    }
}

/// How much was seen, why not more, and whether it is the scrapes that failed.
fn unseen(summary: &Summary, seen: &Seen) -> String {
    let mut rows = summary.signals.iter();
    let why = rows.find_map(|signal| {
        let is_of = signal.name.as_str().starts_with(seen.signal.as_str());
        signal.missing.filter(|_| is_of)
    });
    let why = why.map_or_else(String::new, |why| format!("{why}; "));
    let reads = summary.targets.iter().filter_map(|target| target.scraped);
    let scrapes = match reads.map(|ratio| ratio.0).reduce(f64::max) {
        Some(best) if best <= 0.0 => "; no scrape could be read",
        Some(best) if !is_enough(best) => "; many scrapes could not be read",
        Some(_) | None => "",
    };
    format!("{why}seen for {}, 90% is needed{scrapes}", show::share(seen.ratio))
}

fn well(record: &Record, summary: &Summary) -> String {
    let passed = summary.smoke.iter().filter(|s| s.state == StepState::Passed).count();
    format!(
        "{passed} of {} passed; no alert fired; health was known for {} of {}",
        tests(record),
        show::share(summary.coverage.health_ratio.0),
        show::length(summary.to.since(summary.from))
    )
}
