//! The rules that hold without a word of configuration: the checklist's quick
//! reference, and two that watch over the watching.

use super::{Bound, Rule};
use crate::check::Check;
use crate::model::{Ask, MINUTE, SECOND, Severity, Span};

/// Events in the range below which a share or a quantile says nothing: one
/// error among two requests is no error rate of 50%.
pub const EVENTS_MIN: f64 = 20.0;

/// How long a rule has to be broken, unless it says so itself. A critical one
/// wakes somebody, so it must last, but not long; a warning is for the day.
pub const fn hold_of(severity: Severity) -> Span {
    match severity {
        Severity::Critical => Span::from_secs(2 * 60),
        Severity::Warning | Severity::Info => Span::from_secs(10 * 60),
    }
}

/// How long a rule has to be calm again, unless it says so itself.
pub const fn recover_of(severity: Severity) -> Span {
    match severity {
        Severity::Critical => Span::from_secs(2 * 60),
        Severity::Warning | Severity::Info => Span::from_secs(5 * 60),
    }
}

/// Broken readings in a row that are needed besides the time.
pub const BREACHES_MIN: u32 = 3;

/// Calm readings in a row that are needed besides the time.
pub const CALMS_MIN: u32 = 2;

/// The names of all rules of the pack.
pub const NAMES: [&str; 13] = [
    "ServiceDown",
    "ReplicasMissing",
    "HighErrorRate",
    "ElevatedErrors",
    "HighLatency",
    "IncreasedLatency",
    "MemoryPressure",
    "TargetSilent",
    "SignalVanished",
    "CheckFailing",
    "OptionalCheckFailing",
    "CertificateExpiring",
    "CertificateNearlyExpired",
];

/// What there is to judge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope {
    /// How many replicas there should be.
    pub expect: u32,
    /// How often they are asked; the longest, where windows differ.
    pub interval: Span,
    /// Some check beyond HTTP is a `must`.
    pub musts: bool,
    /// Some is not.
    pub shoulds: bool,
    /// Some certificate is looked at.
    pub certificates: bool,
}

impl Scope {
    /// What there is to judge of checks beyond HTTP, with one replica.
    pub fn of(checks: &[Check]) -> Scope {
        let asked = |must| checks.iter().any(|check| check.must == must && !check.is_implied);
        Scope {
            expect: 1,
            interval: 15 * SECOND,
            musts: asked(true),
            shoulds: asked(false),
            certificates: checks.iter().any(|check| matches!(check.ask, Ask::Tls { .. })),
        }
    }
}

/// In which scope a rule of the pack is judged, where that is not any.
pub fn condition(name: &str) -> &'static str {
    match name {
        "ReplicasMissing" => "`targets.expect` is above 1",
        "CheckFailing" => "there is a [[check]]",
        "OptionalCheckFailing" => "there is a [[check]] with must = false",
        "CertificateExpiring" | "CertificateNearlyExpired" => {
            "there is an https target, or a [[check]] with `tls`"
        }
        _ => "anything is",
    }
}

/// The pack for what there is to judge.
pub fn pack(scope: Scope) -> Vec<Rule> {
    use Severity::{Critical, Warning};
    let Scope { expect, interval, .. } = scope;
    let mut rules = vec![
        // A failed probe has been asked again within its cycle, so two in a
        // row are four refusals: on-call hears of it within a minute.
        Rule {
            hold: 30 * SECOND,
            breaches_min: 2,
            ..rule("ServiceDown", "healthy_replicas", Bound::Below(1.0), Critical)
        },
        rule("HighErrorRate", "error_ratio", Bound::Above(0.05), Critical),
        rule("ElevatedErrors", "error_ratio", Bound::Above(0.01), Warning),
        p99(rule("HighLatency", "latency", Bound::Above(10.0), Critical)),
        p99(rule("IncreasedLatency", "latency", Bound::Above(5.0), Warning)),
        rule("MemoryPressure", "memory_ratio", Bound::Above(0.95), Critical),
        Rule {
            hold: (3 * interval).max(90 * SECOND),
            ..rule("TargetSilent", "up", Bound::Below(1.0), Warning)
        },
        Rule {
            hold: 5 * MINUTE,
            ..rule("SignalVanished", "bakewatch_signal_present", Bound::Below(1.0), Warning)
        },
    ];
    if expect > 1 {
        let few = Bound::Below(f64::from(expect));
        let missing = rule("ReplicasMissing", "healthy_replicas", few, Warning);
        // A rolling restart takes a replica out for a minute or so.
        rules.insert(1, Rule { hold: 2 * MINUTE, ..missing });
    }
    rules.extend(of_checks(scope));
    rules
}

/// The rules of checks beyond HTTP.
fn of_checks(scope: Scope) -> impl Iterator<Item = Rule> {
    use Severity::{Critical, Warning};
    let failing = |name, signal, severity| rule(name, signal, Bound::Below(1.0), severity);
    let expiring =
        |name, days, severity| rule(name, "certificate_days", Bound::Below(days), severity);
    let all = [
        (scope.musts, failing("CheckFailing", "check_success", Critical)),
        (scope.shoulds, failing("OptionalCheckFailing", "optional_check_success", Warning)),
        // Renewal is tried from the thirtieth day on: two weeks later it does not work.
        (scope.certificates, expiring("CertificateExpiring", 14.0, Warning)),
        (scope.certificates, expiring("CertificateNearlyExpired", 3.0, Critical)),
    ];
    all.into_iter().filter(|(is_there, _)| *is_there).map(|(_, rule)| rule)
}

/// A hundredth of fewer than a hundred events is no event at all.
const P99_EVENTS_MIN: f64 = 100.0;

fn p99(rule: Rule) -> Rule {
    Rule { quantile: Some(0.99), evidence_min: P99_EVENTS_MIN, ..rule }
}

fn rule(name: &str, signal: &str, bound: Bound, severity: Severity) -> Rule {
    let counts_events = matches!(signal, "error_ratio" | "latency");
    Rule {
        name: name.into(),
        signal: signal.into(),
        quantile: None,
        bound,
        hold: hold_of(severity),
        recover: recover_of(severity),
        breaches_min: BREACHES_MIN,
        calms_min: CALMS_MIN,
        evidence_min: if counts_events { EVENTS_MIN } else { 0.0 },
        severity,
        summary: summary_of(name).to_owned(),
        runbook: None,
    }
}

fn summary_of(name: &str) -> &'static str {
    match name {
        "ServiceDown" => "no replica is healthy",
        "ReplicasMissing" => "fewer replicas are healthy than there should be",
        "HighErrorRate" => "more than 5% of requests fail",
        "ElevatedErrors" => "more than 1% of requests fail",
        "HighLatency" => "more than 1% of requests take longer than 10 s",
        "IncreasedLatency" => "more than 1% of requests take longer than 5 s",
        "MemoryPressure" => "more than 95% of the memory is in use",
        "TargetSilent" => "a replica's metrics cannot be read",
        "SignalVanished" => "a metric that was there is gone",
        "CheckFailing" => "a check does not pass",
        "OptionalCheckFailing" => "an optional check does not pass",
        "CertificateExpiring" => "a certificate ends within 14 days",
        "CertificateNearlyExpired" => "a certificate ends within 3 days, or has ended",
        other => unreachable!("rule {other} of the pack has no summary"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn scope(expect: u32) -> Scope {
        Scope { expect, ..Scope::of(&[]) }
    }

    fn names(scope: Scope) -> Vec<Name> {
        pack(scope).into_iter().map(|rule| rule.name).collect()
    }

    #[test]
    fn is_the_checklists_table() {
        let all = Scope { musts: true, shoulds: true, certificates: true, ..scope(2) };
        let rules = pack(all);
        let row = |rule: &Rule| {
            let (bound, quantile) = (rule.bound, rule.quantile);
            format!(
                "{} {} {quantile:?} {bound:?} {} {}",
                rule.name, rule.signal, rule.severity, rule.hold
            )
        };
        let rows: Vec<String> = rules.iter().map(row).collect();
        assert_eq!(
            rows,
            [
                "ServiceDown healthy_replicas None Below(1.0) critical 30s",
                "ReplicasMissing healthy_replicas None Below(2.0) warning 2m",
                "HighErrorRate error_ratio None Above(0.05) critical 2m",
                "ElevatedErrors error_ratio None Above(0.01) warning 10m",
                "HighLatency latency Some(0.99) Above(10.0) critical 2m",
                "IncreasedLatency latency Some(0.99) Above(5.0) warning 10m",
                "MemoryPressure memory_ratio None Above(0.95) critical 2m",
                "TargetSilent up None Below(1.0) warning 1m 30s",
                "SignalVanished bakewatch_signal_present None Below(1.0) warning 5m",
                "CheckFailing check_success None Below(1.0) critical 2m",
                "OptionalCheckFailing optional_check_success None Below(1.0) warning 10m",
                "CertificateExpiring certificate_days None Below(14.0) warning 10m",
                "CertificateNearlyExpired certificate_days None Below(3.0) critical 2m",
            ]
        );
    }

    #[test]
    fn misses_no_replica_where_there_is_one() {
        assert!(!names(scope(1)).contains(&"ReplicasMissing".into()));
        assert_eq!(names(scope(2)), NAMES[..9], "and nothing of checks where there is none");
        let all = Scope { musts: true, shoulds: true, certificates: true, ..scope(2) };
        assert_eq!(names(all), NAMES);
    }

    #[test]
    fn gives_a_slow_cadence_three_looks_before_a_target_is_silent() {
        let hold = |interval| {
            pack(Scope { interval, ..scope(1) })
                .iter()
                .find(|r| r.name == "TargetSilent")
                .unwrap()
                .hold
        };
        assert_eq!((hold(15 * SECOND), hold(MINUTE)), (90 * SECOND, 3 * MINUTE));
    }
}
