//! What a digest says: a window's arithmetic over the time since the last one.

use super::coverage::Sight;
use super::{alerts, availability, deliveries, signals};
use crate::check::HealthState;
use crate::model::{Digest, MINUTE, Span, Timestamp};
use crate::record::{Limit, Overview, Record, SignalNow, SignalSummary};

/// "Now" is as long as rates are usually read over.
const NOW: Span = Span::from_millis(5 * MINUTE.millis());

/// More are read by nobody in a mail; they are counted.
const ALERTS_MAX: usize = 40;

/// What `digest` tells at `to`: all since its last time, or since the release.
/// It was due at `due`, after `missed` instants at which nobody wrote it.
/// `now` is when this is written.
pub fn overview(
    record: &Record,
    digest: &Digest,
    (due, missed): (Timestamp, u32),
    to: Timestamp,
    now: Timestamp,
) -> Overview {
    let from = record.digests.get(&digest.name).map_or(record.release.at, |known| known.to);
    let sight = Sight::of(record, from, to);
    let last = Sight::of(record, (to - NOW).max(record.release.at), to);
    let open = record.plan.windows.iter().find(|window| !record.windows.contains_key(&window.name));
    let window = open.or(record.plan.windows.last());
    let mut alerts = alerts(record, from, to);
    alerts.sort_by_key(|alert| alert.resolved_at.is_some()); // stable: by firing within
    let firing = alerts.iter().filter(|alert| alert.resolved_at.is_none()).count();
    let (all, fired) = (alerts.len(), alerts.iter().filter(|alert| alert.fired_at > from).count());
    alerts.truncate(ALERTS_MAX);
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let troubles = deliveries(record, to).into_iter().filter_map(|known| {
        known.trouble.map(|trouble| format!("channel {} {trouble}", known.channel))
    });
    Overview {
        digest: digest.name.clone(),
        schedule: digest.schedule.to_string(),
        due,
        missed,
        from,
        to,
        late_by: now.since(due),
        window: window.map_or_else(|| "none".into(), |window| window.name.clone()),
        window_to: window.map_or(to, |window| record.release.at + window.length),
        healthy: count(healthy(record)),
        targets: count(record.live().count()),
        availability: availability(&sight.blocks),
        firing: count(firing),
        fired: count(fired),
        ended: count(all - firing),
        alerts,
        signals: signals_now(
            &signals::summaries(record, &sight, Some(from)),
            &signals::summaries(record, &last, Some(from)),
        ),
        coverage: sight.coverage(),
        troubles: troubles.collect(),
    }
}

fn healthy(record: &Record) -> usize {
    let is_up = |state| matches!(state, HealthState::Healthy | HealthState::Degraded);
    record.targets.values().filter(|target| target.is_here() && is_up(target.health)).count()
}

/// Those that somebody asks for: a rule, or a verdict.
fn signals_now(whole: &[SignalSummary], now: &[SignalSummary]) -> Vec<SignalNow> {
    let is_asked = |signal: &&SignalSummary| signal.required || !signal.bounds.is_empty();
    let row = |signal: &SignalSummary| {
        let last = now.iter().find(|known| known.name == signal.name);
        SignalNow {
            name: signal.name.clone(),
            unit: signal.unit,
            now: last.and_then(|last| last.overall),
            missing: last.and_then(|last| last.missing),
            overall: signal.overall,
            limits: limits(signal),
        }
    };
    whole.iter().filter(is_asked).map(row).collect()
}

fn limits(signal: &SignalSummary) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    for line in &signal.bounds {
        let limit = Limit { severity: line.severity, value: line.value, above: line.above };
        if !limits.contains(&limit) {
            limits.push(limit);
        }
    }
    limits.sort_by_key(|limit| std::cmp::Reverse(limit.severity));
    limits
}
