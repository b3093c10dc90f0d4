//! A digest in words: quiet or not at first sight, then a row for each thing.
//! It comes also when all is well, and says so: a digest is how people know
//! that somebody still looks.

use super::card::{Card, Row, Tone, row};
use super::words::{NAME_CHARS_MAX, TEXT_CHARS_MAX, alert_name_of, cut};
use crate::metrics::{Unit, show};
use crate::model::{MINUTE, Severity, Span};
use crate::record::{AlertSummary, Limit, Overview, SignalNow};

/// A digest is on time within this: the loop may be held up for a moment.
const LATE_MIN: Span = MINUTE;

/// What a digest amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Something burns.
    Firing,
    /// Too little was seen to call it quiet.
    Blind,
    /// Nothing burns, and not every replica is healthy.
    Degraded,
    /// Nothing burns now, but something did.
    Over,
    /// Nothing happened, and somebody looked.
    Quiet,
}

impl Standing {
    /// How a digest stands.
    pub fn of(overview: &Overview) -> Standing {
        let is_whole = overview.healthy >= overview.targets && overview.targets > 0;
        match (overview.firing, overview.is_seen(), is_whole, overview.ended) {
            (1.., _, _, _) => Standing::Firing,
            (0, false, _, _) => Standing::Blind,
            (0, true, false, _) => Standing::Degraded,
            (0, true, true, 1..) => Standing::Over,
            (0, true, true, 0) => Standing::Quiet,
        }
    }

    /// For receivers.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Firing => "firing",
            Standing::Blind => "inconclusive",
            Standing::Degraded => "degraded",
            Standing::Over => "resolved",
            Standing::Quiet => "quiet",
        }
    }
}

/// `2 firing, 1 ended, 1 of 2 replicas healthy`.
pub fn about(overview: &Overview) -> String {
    let seen = show(Unit::Ratio, overview.coverage.health_ratio.0);
    let first = match (Standing::of(overview), overview.ended) {
        (Standing::Firing, 0) => format!("{} firing", overview.firing),
        (Standing::Firing, ended) => format!("{} firing, {ended} ended", overview.firing),
        (Standing::Blind, _) => format!("health was known for {seen} of the time"),
        (Standing::Degraded, 0) => "nothing fires".to_owned(),
        (Standing::Degraded | Standing::Over, ended) => format!("{ended} ended, nothing fires"),
        (Standing::Quiet, _) => "quiet".to_owned(),
    };
    format!("{first}, {}", replicas(overview))
}

fn replicas(overview: &Overview) -> String {
    format!("{} of {} replicas healthy", overview.healthy, overview.targets)
}

/// All of it.
pub fn card(overview: &Overview) -> Card {
    let standing = Standing::of(overview);
    let mut rows = vec![row("alerts", counts(overview))];
    rows.extend(overview.alerts.iter().map(|alert| row(state(alert), course(alert))));
    if overview.left_out() > 0 {
        rows.push(row("left out", format!("{} alerts more", overview.left_out())));
    }
    rows.push(row("health", health(overview)));
    rows.extend(overview.signals.iter().map(signal));
    rows.push(row("seen", seen(overview)));
    rows.extend(overview.troubles.iter().map(|text| row("told", cut(text, TEXT_CHARS_MAX))));
    rows.push(row("window", window(overview)));
    rows.push(row("digest", format!("{} ({})", name(overview), overview.schedule)));
    Card {
        tag: "DIGEST".to_owned(),
        tone: tone(overview, standing),
        title: about(overview),
        lead: lead(overview, standing),
        rows,
    }
}

fn name(overview: &Overview) -> String {
    cut(overview.digest.as_str(), NAME_CHARS_MAX)
}

fn tone(overview: &Overview, standing: Standing) -> Tone {
    let is_critical = |alert: &AlertSummary| alert.severity == Severity::Critical;
    let is_burning = |alert: &&AlertSummary| alert.resolved_at.is_none();
    match standing {
        Standing::Firing if overview.alerts.iter().filter(is_burning).any(is_critical) => Tone::Bad,
        Standing::Firing | Standing::Blind | Standing::Degraded => Tone::Warn,
        Standing::Over => Tone::Plain,
        Standing::Quiet => Tone::Good,
    }
}

fn lead(overview: &Overview, standing: Standing) -> String {
    let length = whole_seconds(overview.to.since(overview.from));
    let since = format!("Since {} ({length})", overview.from.for_people());
    let mut parts = vec![match standing {
        Standing::Firing => format!("{since}: something is wrong still."),
        Standing::Blind => format!("{since}: too little was seen to call it quiet."),
        Standing::Degraded => format!("{since}: nothing fires, and not every replica is healthy."),
        Standing::Over => format!("{since}: what was wrong is over."),
        Standing::Quiet => format!("{since}: nothing fired."),
    }];
    if overview.late_by >= LATE_MIN {
        let (due, late) = (overview.due.for_people(), whole_seconds(overview.late_by));
        parts.push(format!("It was due at {due} and is {late} late."));
    }
    match overview.missed {
        0 => {}
        1 => parts.push("One before it was missed: nobody was there to write it.".to_owned()),
        missed => {
            parts.push(format!("{missed} before it were missed: nobody was there to write them."));
        }
    }
    parts.join(" ")
}

fn counts(overview: &Overview) -> String {
    let (firing, fired, ended) = (overview.firing, overview.fired, overview.ended);
    format!("{firing} firing now, {fired} fired, {ended} ended")
}

fn state(alert: &AlertSummary) -> &'static str {
    if alert.resolved_at.is_some() { "ended" } else { "firing" }
}

/// `HighErrorRate critical, since 2026-11-26 01:22:00 UTC, for 12m`.
fn course(alert: &AlertSummary) -> String {
    let name = alert_name_of(&alert.rule, &alert.labels);
    let fired = alert.fired_at.for_people();
    let end = match alert.resolved_at {
        Some(end) => format!(", for {}", whole_seconds(end.since(alert.fired_at))),
        None => String::new(),
    };
    format!("{name} {}, since {fired}{end}", alert.severity)
}

fn health(overview: &Overview) -> String {
    let probes = &overview.availability;
    let answered = match probes.ratio {
        Some(ratio) => {
            let count = |count: u64| show(Unit::Count, count as f64);
            let (ok, all) = (count(probes.ok), count(probes.ok + probes.failed));
            format!("{} of probes ok ({ok} of {all})", show(Unit::Ratio, ratio.0))
        }
        None => "no probe was answered, or failed".to_owned(),
    };
    format!("{}, {answered}", replicas(overview))
}

/// `0.12% now, 0.1% in all this time (limits: at most 5%, at most 1%)`.
fn signal(signal: &SignalNow) -> Row {
    let shown = |value: f64| show(signal.unit, value);
    let now = match (signal.now, signal.missing) {
        (Some(now), _) => format!("{} now", shown(now.0)),
        (None, Some(why)) => format!("{why} now"),
        (None, None) => "no data now".to_owned(),
    };
    let overall = signal
        .overall
        .map_or_else(String::new, |value| format!(", {} in all this time", shown(value.0)));
    let limit = |limit: &Limit| {
        let side = if limit.above { "at most" } else { "at least" };
        let is_broken = signal.now.is_some_and(|now| limit.is_broken_by(now.0));
        let broken = if is_broken { ", broken" } else { "" };
        format!("{side} {}{broken}", shown(limit.value.0))
    };
    let limits: Vec<String> = signal.limits.iter().map(limit).collect();
    let limits = match limits.len() {
        0 => String::new(),
        1 => format!(" (limit: {})", limits[0]),
        _ => format!(" (limits: {})", limits.join("; ")),
    };
    row(&cut(signal.name.as_str(), NAME_CHARS_MAX), format!("{now}{overall}{limits}"))
}

fn seen(overview: &Overview) -> String {
    let coverage = &overview.coverage;
    let known = show(Unit::Ratio, coverage.health_ratio.0);
    let dark = coverage.blind.iter().map(|blind| blind.to.since(blind.from));
    let dark = dark.fold(Span::ZERO, |sum, span| sum + span);
    let longest = coverage.blind.iter().max_by_key(|blind| blind.to.since(blind.from));
    match longest {
        Some(longest) if dark >= MINUTE => {
            let why = cut(&longest.why, NAME_CHARS_MAX);
            let dark = whole_seconds(dark);
            format!("health known for {known} of the time; nobody looked for {dark}: {why}")
        }
        _ => format!("health known for {known} of the time"),
    }
}

fn window(overview: &Overview) -> String {
    let name = cut(overview.window.as_str(), NAME_CHARS_MAX);
    format!("{name}, until {}", overview.window_to.for_people())
}

/// People read seconds; a millisecond beside them is noise.
fn whole_seconds(span: Span) -> Span {
    Span::from_secs(span.millis().div_euclid(1000))
}
