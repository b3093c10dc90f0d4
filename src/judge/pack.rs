//! The rules that come with the program: the checklist's quick reference, three
//! that watch over the watching, and those over what health answers, checks and
//! certificates show. Most hold without a word of configuration.

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
pub const NAMES: [&str; 17] = [
    "ServiceDown",
    "ReplicasMissing",
    "HighErrorRate",
    "ElevatedErrors",
    "HighLatency",
    "IncreasedLatency",
    "MemoryPressure",
    "TargetSilent",
    "SourceSilent",
    "SignalVanished",
    "HealthFrozen",
    "HealthUnmet",
    "WrongVersion",
    "CheckFailing",
    "OptionalCheckFailing",
    "CertificateExpiring",
    "CertificateNearlyExpired",
];

/// What a service has, or says of itself, that some rules need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope {
    /// How many replicas there should be.
    pub expect: u32,
    /// How often they are asked; the longest, where windows differ.
    pub interval: Span,
    /// Whether their health has something to show besides its status.
    pub has_wants: bool,
    /// Whether it is said where they tell their version.
    pub has_version: bool,
    /// Some check beyond HTTP is a `must`.
    pub musts: bool,
    /// Some is not.
    pub shoulds: bool,
    /// Some certificate is looked at.
    pub certificates: bool,
    /// Some source of metrics is asked.
    pub sources: bool,
}

impl Scope {
    /// What there is to judge of checks beyond HTTP, with one replica.
    pub fn of(checks: &[Check]) -> Scope {
        let asked = |must| checks.iter().any(|check| check.must == must && !check.is_implied);
        Scope {
            expect: 1,
            interval: 15 * SECOND,
            has_wants: false,
            has_version: false,
            musts: asked(true),
            shoulds: asked(false),
            certificates: checks.iter().any(|check| matches!(check.ask, Ask::Tls { .. })),
            sources: false,
        }
    }
}

/// When a rule of the pack that is not judged would be.
pub fn condition_of(name: &str) -> &'static str {
    match name {
        "HighLatency" => "no `rules.sla.p99` takes its place, as it does under \"alert-list\"",
        "HealthUnmet" => "[health] requires, allows or expects something",
        "WrongVersion" => "`health.version` says where a replica tells it",
        "CheckFailing" => "there is a [[check]]",
        "SourceSilent" => "there is a [source.NAME]",
        "OptionalCheckFailing" => "there is a [[check]] with must = false",
        "CertificateExpiring" | "CertificateNearlyExpired" => {
            "there is an https target, or a [[check]] with `tls`"
        }
        other => super::demands::condition_of(other).unwrap_or("`targets.expect` is above 1"),
    }
}

/// Six times as long as the checklist's service keeps the answer of its health.
const FROZEN_SECONDS: f64 = 60.0;

/// The pack for such a service.
pub fn pack(scope: Scope) -> Vec<Rule> {
    use Severity::{Critical, Warning};
    let Scope { expect, interval, has_wants, has_version, .. } = scope;
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
        // Its bound has waited a minute already.
        Rule {
            hold: 2 * MINUTE,
            ..rule("HealthFrozen", "health_age", Bound::Above(FROZEN_SECONDS), Warning)
        },
    ];
    if scope.sources {
        // Until it answers again nothing that it measures is judged.
        let silent = rule("SourceSilent", "source_up", Bound::Below(1.0), Warning);
        let after = rules.iter().position(|rule| rule.name == "TargetSilent").unwrap_or(0) + 1;
        rules.insert(after, Rule { hold: (3 * interval).max(90 * SECOND), ..silent });
    }
    if has_wants {
        let unmet = rule("HealthUnmet", "health_unmet", Bound::Above(0.0), Warning);
        rules.push(Rule { hold: 2 * MINUTE, ..unmet });
    }
    if has_version {
        // As long as any warning: a rollout that is under way is no mistake.
        rules.push(rule("WrongVersion", "version_match", Bound::Below(1.0), Warning));
    }
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

pub(super) fn p99(rule: Rule) -> Rule {
    Rule { quantile: Some(0.99), evidence_min: P99_EVENTS_MIN, ..rule }
}

/// A rule as its severity has it, in the words of its name.
pub(super) fn rule(name: &str, signal: &str, bound: Bound, severity: Severity) -> Rule {
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
        by_window: Vec::new(),
        labels: Default::default(),
        imported: None,
        of_baseline: None,
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
        "SourceSilent" => "a source of metrics does not answer",
        "SignalVanished" => "a metric that was there is gone",
        "HealthFrozen" => "a replica's health gives the same answer for more than a minute",
        "HealthUnmet" => "a replica's health lacks something that it has to show",
        "WrongVersion" => "a replica says that it runs another version than the release",
        "CheckFailing" => "a check does not pass",
        "OptionalCheckFailing" => "an optional check does not pass",
        "CertificateExpiring" => "a certificate ends within 14 days",
        "CertificateNearlyExpired" => "a certificate ends within 3 days, or has ended",
        _ => "", // whoever makes it has words of its own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn scope(expect: u32, interval: Span) -> Scope {
        let has = expect > 1;
        Scope {
            expect,
            interval,
            has_wants: has,
            has_version: has,
            musts: has,
            shoulds: has,
            certificates: has,
            sources: has,
        }
    }

    fn names(expect: u32) -> Vec<Name> {
        pack(scope(expect, 15 * SECOND)).into_iter().map(|rule| rule.name).collect()
    }

    #[test]
    fn is_the_checklists_table() {
        let rules = pack(scope(2, 15 * SECOND));
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
                "SourceSilent source_up None Below(1.0) warning 1m 30s",
                "SignalVanished bakewatch_signal_present None Below(1.0) warning 5m",
                "HealthFrozen health_age None Above(60.0) warning 2m",
                "HealthUnmet health_unmet None Above(0.0) warning 2m",
                "WrongVersion version_match None Below(1.0) warning 10m",
                "CheckFailing check_success None Below(1.0) critical 2m",
                "OptionalCheckFailing optional_check_success None Below(1.0) warning 10m",
                "CertificateExpiring certificate_days None Below(14.0) warning 10m",
                "CertificateNearlyExpired certificate_days None Below(3.0) critical 2m",
            ]
        );
    }

    #[test]
    fn judges_only_what_the_service_has() {
        let one = names(1);
        let off = NAMES.into_iter().filter(|name| !one.contains(&(*name).into()));
        let off: Vec<&str> = off.collect();
        assert_eq!(off[..4], ["ReplicasMissing", "SourceSilent", "HealthUnmet", "WrongVersion"]);
        assert_eq!(off[4..], NAMES[13..], "and nothing of checks where there is none");
        assert_eq!(names(2), NAMES);
        let rules = pack(scope(2, 15 * SECOND));
        assert!(rules.iter().all(|rule| !rule.summary.is_empty()));
    }

    #[test]
    fn gives_a_slow_cadence_three_looks_before_a_target_is_silent() {
        let hold = |interval| {
            let rules = pack(scope(1, interval));
            rules.iter().find(|rule| rule.name == "TargetSilent").unwrap().hold
        };
        assert_eq!((hold(15 * SECOND), hold(MINUTE)), (90 * SECOND, 3 * MINUTE));
    }
}
