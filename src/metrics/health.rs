//! Signals of our own checks. The watch pushes the series: `probe_success`,
//! `probe_duration_seconds`, `up`, and what health answers show besides, with the
//! label `instance`, `source_up` with the label `source`, `check_success` (with
//! `must`), `check_duration_seconds` and `tls_cert_expiry_seconds` with the
//! label `check`, and `bakewatch_signal_present` with the label `signal`;
//! judging them is then the same as judging anything that the service measures.

use super::{Shape, Signal, Unit};
use crate::model::{MINUTE, Name};

/// 1 while a signal that was once seen still is, by `signal`.
pub const PRESENT: &str = "bakewatch_signal_present";

/// Components that a target's health lists.
pub const COMPONENTS: &str = "health_components";

/// Of what its health has to show: how much is unmet.
pub const UNMET: &str = "health_unmet";

/// Seconds since something last moved in the answers of its health.
pub const AGE: &str = "health_age_seconds";

/// 1 while a target says that it runs the release, 0 while it says otherwise.
pub const VERSION: &str = "version_match";

/// 1 while a source of metrics answers, by `source`.
pub const SOURCE_UP: &str = "source_up";

/// How many targets there are, where they come and go.
pub const TARGETS: &str = "bakewatch_targets";

/// Name, unit and query.
const SIGNALS: [(&str, Unit, &str); 15] = [
    ("probe_success", Unit::Count, "probe_success"),
    ("healthy_replicas", Unit::Count, "sum(probe_success)"),
    ("replicas", Unit::Count, "count(probe_success)"),
    ("probe_duration", Unit::Seconds, "max(probe_duration_seconds)"),
    ("up", Unit::Count, "up"),
    (SOURCE_UP, Unit::Count, SOURCE_UP),
    (PRESENT, Unit::Count, PRESENT),
    (COMPONENTS, Unit::Count, COMPONENTS),
    (UNMET, Unit::Count, UNMET),
    ("health_age", Unit::Seconds, AGE),
    (VERSION, Unit::Count, VERSION),
    ("check_success", Unit::Count, r#"max by (check) (check_success{must="true"})"#),
    ("optional_check_success", Unit::Count, r#"max by (check) (check_success{must="false"})"#),
    ("check_duration", Unit::Seconds, "max by (check) (check_duration_seconds)"),
    ("certificate_days", Unit::Count, "max by (check) (tls_cert_expiry_seconds) / 86400"),
];

/// All of them.
pub fn signals() -> Vec<Signal> {
    let signal = |(name, unit, query): (&str, Unit, &str)| Signal {
        name: name.into(),
        unit,
        shape: Shape::Gauge { query: query.to_owned() },
        range: 5 * MINUTE, // none of them reads a range
        source: None,
    };
    SIGNALS.into_iter().map(signal).collect()
}

/// The same where targets come and go: with none left there are no series of
/// theirs, and still it is known that no replica is healthy.
pub fn signals_of_found() -> Vec<Signal> {
    let none = format!("sum({TARGETS} == 0)");
    let mut all = signals();
    for signal in &mut all {
        if let Shape::Gauge { query } = &mut signal.shape
            && ["healthy_replicas", "replicas"].contains(&signal.name.as_str())
        {
            *query = format!("{query} or {none}");
        }
    }
    all
}

/// The unit of one of them.
pub fn unit(name: &Name) -> Option<Unit> {
    SIGNALS.iter().find(|(known, _, _)| *name == *known).map(|(_, unit, _)| *unit)
}

/// Whether the record counts it a target, a check or a signal at a time, so that its
/// measurements need not be kept besides.
pub fn is_tallied(name: &Name) -> bool {
    let by_target = ["probe_success", "up", SOURCE_UP, COMPONENTS, UNMET, "health_age", VERSION];
    let by_check = is_of_checks(name.as_str()) && name != "check_duration";
    name == PRESENT || by_target.contains(&name.as_str()) || by_check
}

/// Whether it comes of checks beyond HTTP.
pub fn is_of_checks(name: &str) -> bool {
    ["check_success", "optional_check_success", "check_duration", "certificate_days"]
        .contains(&name)
}

/// Whether a rule over it is not missed where it has nothing to judge: there
/// is nothing that the service would have to show for it.
pub fn is_quiet(name: &Name) -> bool {
    is_tallied(name) && ![COMPONENTS, VERSION].contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Meter;

    #[test]
    fn can_all_be_measured() {
        for signal in signals().into_iter().chain(signals_of_found()) {
            assert!(Meter::compile(&signal).is_ok(), "{}", signal.name);
        }
        assert!(is_tallied(&PRESENT.into()) && !is_tallied(&"healthy_replicas".into()));
    }
}
