//! Log lines: one for each fact that people care about, where it became true.

use tracing::{error, info, warn};

use crate::check::{HealthState, StepResult, StepState};
use crate::judge::Phase;
use crate::model::{Labels, Name, Severity, Target, Timestamp, TlsFacts, WatchId};
use crate::record::{Ending, Fact, Found, Matched, Outcome, Overview, Record};

/// Says a fact, if it is one that somebody reads logs for.
pub fn say(watch: &WatchId, at: Timestamp, fact: &Fact, record: &Record) {
    let at = at.rfc3339();
    match fact {
        Fact::Opened { by, .. } => {
            info!(%watch, at, targets = record.plan.targets.len(), by, "watch opened");
        }
        Fact::Resumed { quiet_since, why } => {
            warn!(%watch, at, %quiet_since, "watch resumed: {why}");
        }
        Fact::Stopped {} => info!(%watch, at, "watch stopped in order"),
        Fact::Settled { answered: true } => info!(%watch, at, "the service answers"),
        Fact::Settled { answered: false } => warn!(%watch, at, "nothing answered in the grace"),
        Fact::Found(found) => paths(watch, &at, found),
        Fact::Dropped { step, reason } => info!(%watch, at, %step, "smoke left out: {reason}"),
        Fact::Smoked(result) => smoked(watch, &at, result),
        Fact::Matched(matched) => found(watch, &at, matched),
        Fact::Health { .. }
        | Fact::Version { .. }
        | Fact::Scraping { .. }
        | Fact::Sourcing { .. }
        | Fact::Checked { .. }
        | Fact::Certificate { .. }
        | Fact::Discovery { .. } => looked(watch, &at, fact, record),
        Fact::Targets { source, added, removed } => moved(watch, &at, source, added, removed),
        Fact::Limit { target, what, detail } => {
            let target = target.as_ref().map(ToString::to_string).unwrap_or_default();
            warn!(%watch, at, target, limit = %what, "{detail}");
        }
        Fact::Evidence { rule, missing: Some(why) } => {
            warn!(%watch, at, %rule, ?why, "nothing to judge");
        }
        Fact::Evidence { rule, missing: None } => info!(%watch, at, %rule, "judged again"),
        Fact::Alert { rule, labels, phase, value } => {
            alert(watch, &at, (rule.as_str(), labels), *phase, value.0, record);
        }
        Fact::Acknowledged { .. }
        | Fact::Reminded { .. }
        | Fact::Escalated { .. }
        | Fact::FellBack { .. } => insisted(watch, &at, fact),
        Fact::Measured(_) | Fact::Sent { .. } => {}
        Fact::Receipt { channel, key, outcome } => receipt(watch, &at, channel, key, outcome),
        Fact::Digest(overview) => digest(watch, &at, overview),
        Fact::WindowClosed { window, summary } => {
            let why = summary.reasons.first().map(|reason| reason.text.as_str()).unwrap_or("");
            info!(%watch, at, %window, verdict = %summary.verdict, "window closed: {why}");
        }
        Fact::Published { window, error: Some(why), .. } => {
            error!(%watch, at, %window, "report not written: {why}");
        }
        Fact::Published { window, files, error: None } => {
            info!(%watch, at, %window, files = files.join(" "), "report written");
        }
        Fact::ClockStepped { by } => warn!(%watch, at, %by, "the wall clock was set"),
        Fact::PlanChanged { .. } | Fact::ReloadFailed { .. } => reread(watch, &at, fact),
        Fact::StoreFailed { error } => error!(%watch, at, "facts could not be stored: {error}"),
        Fact::Held { .. } | Fact::Freed { .. } | Fact::Flapping { .. } => held(watch, &at, fact),
        Fact::Silenced(_) | Fact::Unsilenced { .. } | Fact::Replayed { .. } => {
            ordered(watch, &at, fact)
        }
        Fact::Superseded { .. }
        | Fact::Inherited { .. }
        | Fact::Baseline(_)
        | Fact::Rehearsed(_)
        | Fact::Ended { .. } => followed(watch, &at, fact, record),
        Fact::Poisoned { message } => {
            error!(%watch, at, "bakewatch itself failed, nothing is judged any more: {message}");
        }
    }
}

/// Targets that came and went.
fn moved(watch: &WatchId, at: &str, source: &Name, added: &[Target], removed: &[Name]) {
    let added: Vec<Name> = added.iter().map(|target| target.name.clone()).collect();
    let (added, removed) = (names(&added), names(removed));
    info!(%watch, at, %source, added, removed, "targets found");
}

/// Who is told besides, and who is on it.
fn insisted(watch: &WatchId, at: &str, fact: &Fact) {
    match fact {
        Fact::Acknowledged { rule, labels, by, comment } => {
            info!(%watch, at, %rule, %labels, by, "acknowledged: {comment}");
        }
        Fact::Reminded { rule, labels, number, to } => {
            info!(%watch, at, %rule, %labels, number, to = names(to), "fires still");
        }
        Fact::Escalated { rule, labels, to, after } => {
            warn!(%watch, at, %rule, %labels, %to, %after, "nobody acknowledged it");
        }
        Fact::FellBack { rule, labels, from, to } => {
            error!(%watch, at, %rule, %labels, %from, %to, "could not be told, told elsewhere");
        }
        _ => {}
    }
}

/// Alerts that nobody is told of, and that somebody is again.
fn held(watch: &WatchId, at: &str, fact: &Fact) {
    match fact {
        Fact::Held { rule, labels, why } => {
            info!(%watch, at, %rule, %labels, "nobody is told: {why}");
        }
        Fact::Freed { rule, labels } => info!(%watch, at, %rule, %labels, "told from here on"),
        Fact::Flapping { rule, labels, on: true } => warn!(%watch, at, %rule, %labels, "flaps"),
        Fact::Flapping { rule, labels, on: false } => {
            info!(%watch, at, %rule, %labels, "flaps no more");
        }
        _ => {}
    }
}

/// What people wanted.
fn ordered(watch: &WatchId, at: &str, fact: &Fact) {
    match fact {
        Fact::Silenced(one) => {
            let (id, matchers, by, until) = (&one.id, &one.matchers, &one.by, one.until);
            info!(%watch, at, %id, %matchers, by, %until, "silenced: {}", one.comment);
        }
        Fact::Unsilenced { id, by } => info!(%watch, at, %id, by, "no longer silenced"),
        Fact::Replayed { channel, key, by } => {
            info!(%watch, at, %channel, key, by, "sent once more");
        }
        _ => {}
    }
}

/// One release after another.
fn followed(watch: &WatchId, at: &str, fact: &Fact, record: &Record) {
    match fact {
        Fact::Superseded { by, handed } => {
            info!(%watch, at, %by, alerts = handed.len(), "a newer release takes its place");
        }
        Fact::Inherited { from, alerts, silences } => {
            let (alerts, silences) = (alerts.len(), silences.len());
            info!(%watch, at, %from, alerts, silences, "goes on from the release before");
        }
        Fact::Baseline(baseline) => {
            for line in crate::report::baseline_lines(record) {
                match baseline.from.is_some() || baseline.past.is_some() {
                    true => info!(%watch, at, "{line}"),
                    false => warn!(%watch, at, "{line}"),
                }
            }
        }
        Fact::Rehearsed(rehearsal) => {
            let (rehearsed, received) = (rehearsal.at.rfc3339(), rehearsal.is_received());
            let seen = rehearsal.seen().into_iter().filter(|(_, at)| at.is_some());
            let seen: Vec<&str> = seen.map(|(channel, _)| channel.as_str()).collect();
            let seen = seen.join(", ");
            info!(%watch, at, rehearsed, received, seen, "the channels were tested before");
        }
        Fact::Ended { reason: Ending::Complete } => info!(%watch, at, "watch complete"),
        Fact::Ended { reason: Ending::Superseded { by } } => {
            info!(%watch, at, %by, "watch superseded");
        }
        _ => {}
    }
}

/// What became of the configuration.
fn reread(watch: &WatchId, at: &str, fact: &Fact) {
    match fact {
        Fact::PlanChanged { changes, .. } => {
            info!(%watch, at, "configuration followed from here on: {}", changes.join("; "));
        }
        Fact::ReloadFailed { errors } => {
            error!(%watch, at, "configuration not followed, as before: {}", errors.join("; "));
        }
        _ => {}
    }
}

/// What targets and checks answer.
fn looked(watch: &WatchId, at: &str, fact: &Fact, record: &Record) {
    match fact {
        Fact::Health { target, state, reason } => match state {
            HealthState::Healthy => info!(%watch, at, %target, "healthy: {reason}"),
            HealthState::Degraded | HealthState::Unknown => {
                warn!(%watch, at, %target, ?state, "{reason}");
            }
            HealthState::Unhealthy => error!(%watch, at, %target, "unhealthy: {reason}"),
        },
        Fact::Version { target, version } => match record.is_of_release(version) {
            true => info!(%watch, at, %target, version, "runs the release"),
            false => warn!(%watch, at, %target, version, "tells another version"),
        },
        Fact::Scraping { target, failure: Some(failure) } => {
            warn!(%watch, at, %target, "scrape failed: {failure}");
        }
        Fact::Sourcing { source, failure: Some(failure) } => {
            warn!(%watch, at, %source, %failure, "source silent");
        }
        Fact::Sourcing { source, failure: None } => info!(%watch, at, %source, "source answers"),
        Fact::Scraping { target, failure: None } => info!(%watch, at, %target, "scraped"),
        Fact::Checked { check, passed: Some(true), .. } => info!(%watch, at, %check, "passes"),
        Fact::Checked { check, passed: Some(false), reason } => {
            error!(%watch, at, %check, "fails: {reason}");
        }
        Fact::Checked { check, passed: None, reason } => warn!(%watch, at, %check, "{reason}"),
        Fact::Discovery { source, failure: Some(why) } => {
            warn!(%watch, at, %source, "targets cannot be looked up: {why}");
        }
        Fact::Discovery { source, failure: None } => {
            info!(%watch, at, %source, "targets can be looked up again");
        }
        Fact::Certificate { check, tls } => certificate(watch, at, check, tls),
        _ => {}
    }
}

fn names(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

fn smoked(watch: &WatchId, at: &str, result: &StepResult) {
    let (step, must) = (&result.step, result.must);
    match result.state {
        StepState::Passed => {
            let (took, tries) = (result.elapsed, result.attempts);
            info!(%watch, at, %step, %took, tries, "smoke passed");
        }
        StepState::Failed => {
            let why = result.misses.first();
            let why = why.map(|m| format!("{}: got {}", m.assertion, m.actual));
            error!(%watch, at, %step, must, "smoke failed: {}", why.unwrap_or_default());
        }
        StepState::Skipped => {
            warn!(%watch, at, %step, "smoke skipped: {}", result.why_skipped());
        }
    }
}

fn certificate(watch: &WatchId, at: &str, check: &Name, tls: &TlsFacts) {
    let end = tls.leaf().map(|leaf| leaf.not_after.rfc3339()).unwrap_or_default();
    let issuer = tls.leaf().map(|leaf| leaf.issuer.as_str()).unwrap_or_default();
    match &tls.distrust {
        None => info!(%watch, at, %check, end, issuer, "certificate seen"),
        Some(why) => warn!(%watch, at, %check, end, issuer, "{why}"),
    }
}

fn found(watch: &WatchId, at: &str, matched: &Matched) {
    let (presets, unmatched) = (names(&matched.presets), names(&matched.unmatched));
    info!(%watch, at, presets, unmatched, "presets matched");
    for note in &matched.notes {
        warn!(%watch, at, "{note}");
    }
}

fn alert(
    watch: &WatchId,
    at: &str,
    (rule, labels): (&str, &Labels),
    phase: Phase,
    value: f64,
    record: &Record,
) {
    let labels = labels.to_string();
    let phase_name = phase.as_str();
    let severity = record.rule(&rule.into()).severity;
    match (phase, severity) {
        (Phase::Firing { .. }, Severity::Critical) => {
            error!(%watch, at, rule, labels, value, %severity, "alert firing");
        }
        (Phase::Firing { .. }, Severity::Warning | Severity::Info) => {
            warn!(%watch, at, rule, labels, value, %severity, "alert firing");
        }
        (Phase::Inactive | Phase::Pending { .. } | Phase::Recovering { .. }, _) => {
            info!(%watch, at, rule, labels, value, %severity, "alert {phase_name}");
        }
    }
}

fn paths(watch: &WatchId, at: &str, Found { health, ready, metrics }: &Found) {
    let or_none = |path: &Option<String>| path.clone().unwrap_or_else(|| "none".to_owned());
    let (health, ready, metrics) = (or_none(health), or_none(ready), or_none(metrics));
    info!(%watch, at, health, ready, metrics, "paths found");
}

fn digest(watch: &WatchId, at: &str, overview: &Overview) {
    let Overview { digest, due, missed, firing, .. } = overview;
    info!(%watch, at, %digest, due = due.rfc3339(), missed, firing, "digest due");
}

fn receipt(watch: &WatchId, at: &str, channel: &Name, key: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Accepted { detail } | Outcome::Posted { detail, .. } => {
            info!(%watch, at, %channel, key, "letter taken: {detail}");
        }
        Outcome::Partly { detail, .. } => {
            warn!(%watch, at, %channel, key, "letter taken in part: {detail}");
        }
        Outcome::Refused { detail, permanent, .. } => {
            warn!(%watch, at, %channel, key, permanent, "letter refused: {detail}");
        }
        Outcome::Unknown { detail } => {
            warn!(%watch, at, %channel, key, "letter left, outcome unknown: {detail}");
        }
    }
}
