//! The verdict's table: every combination of the conditions it rests on.

use super::*;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Critical {
    None,
    TenMinutes,
    Longer,
    Burning,
}

/// One dimension a condition; the test walks all of them together.
#[derive(Clone, Copy, Debug)]
struct Case {
    must_failed: bool,
    should_failed: bool,
    smoke: SmokeEnd,
    critical: Critical,
    warned: bool,
    health_ratio: f64,
    signal_ratio: f64,
    observable: bool,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        let yes_no = [false, true];
        for must_failed in yes_no {
            for should_failed in yes_no {
                for smoke in [SmokeEnd::Nothing, SmokeEnd::Unfinished, SmokeEnd::Finished] {
                    for critical in
                        [Critical::None, Critical::TenMinutes, Critical::Longer, Critical::Burning]
                    {
                        for warned in yes_no {
                            for health_ratio in [0.0, 0.899, 0.9, 1.0, f64::NAN] {
                                for signal_ratio in [0.0, 0.899, 0.9, 1.0] {
                                    for observable in yes_no {
                                        cases.push(Case {
                                            must_failed,
                                            should_failed,
                                            smoke,
                                            critical,
                                            warned,
                                            health_ratio,
                                            signal_ratio,
                                            observable,
                                        });
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        cases
    }

    fn evidence(self) -> Evidence {
        let named =
            |name: &str, is_there: bool| is_there.then(|| name.into()).into_iter().collect();
        let mut alerts = Vec::new();
        if self.warned {
            alerts.push(fired("Elevated", Severity::Warning, true, 3 * CRITICAL_MAX));
        }
        let (burning, total) = match self.critical {
            Critical::None | Critical::TenMinutes => (false, CRITICAL_MAX),
            Critical::Longer => (false, CRITICAL_MAX + Span::from_millis(1)),
            Critical::Burning => (true, Span::from_secs(1)),
        };
        if self.critical != Critical::None {
            alerts.push(fired("Down", Severity::Critical, burning, total));
        }
        Evidence {
            smoke: self.smoke,
            musts_failed: named("answers", self.must_failed),
            shoulds_failed: named("is quick", self.should_failed),
            alerts,
            health_ratio: self.health_ratio,
            signals: vec![Seen {
                signal: "error_ratio".into(),
                ratio: self.signal_ratio,
                observable: self.observable,
            }],
        }
    }

    /// The design's sentence, said once more and otherwise.
    fn wanted(self) -> Verdict {
        let is_fatal = matches!(self.critical, Critical::Longer | Critical::Burning);
        let is_health_known = self.health_ratio == 0.9 || self.health_ratio == 1.0;
        let is_signal_known = !self.observable || self.signal_ratio >= 0.9;
        let is_known = is_health_known && is_signal_known && self.smoke == SmokeEnd::Finished;
        let has_trouble = self.warned || self.should_failed || self.critical != Critical::None;
        match (self.must_failed || is_fatal, is_known, has_trouble) {
            (true, _, _) => Verdict::Failed,
            (false, false, _) => Verdict::Inconclusive,
            (false, true, true) => Verdict::Degraded,
            (false, true, false) => Verdict::Healthy,
        }
    }
}

fn fired(rule: &str, severity: Severity, burning: bool, total: Span) -> Fired {
    Fired { rule: rule.into(), labels: Labels::default(), severity, burning, total }
}

#[test]
fn follows_the_table_in_every_combination() {
    for case in Case::all() {
        assert_eq!(verdict(&case.evidence()).0, case.wanted(), "{case:?}");
    }
}

#[test]
fn always_has_a_reason_and_the_first_one_is_the_verdicts() {
    for case in Case::all() {
        let (verdict, reasons) = verdict(&case.evidence());
        let first = reasons.first().expect("a reason").verdict().unwrap_or(Verdict::Healthy);
        assert_eq!(first, verdict, "{case:?}");
    }
}

#[test]
fn names_every_lesser_reason_beside_the_decisive_one() {
    let evidence = Evidence {
        smoke: SmokeEnd::Unfinished,
        musts_failed: vec!["answers".into()],
        shoulds_failed: vec!["is quick".into()],
        alerts: vec![
            fired("Elevated", Severity::Warning, false, CRITICAL_MAX),
            fired("Brief", Severity::Critical, false, CRITICAL_MAX),
            fired("Long", Severity::Critical, false, 2 * CRITICAL_MAX),
            fired("Down", Severity::Critical, true, CRITICAL_MAX),
        ],
        health_ratio: 0.5,
        signals: vec![
            Seen { signal: "error_ratio".into(), ratio: 0.2, observable: true },
            Seen { signal: "token_rate".into(), ratio: 0.0, observable: false },
        ],
    };
    let (verdict, reasons) = verdict(&evidence);
    let names: Vec<String> = reasons
        .iter()
        .map(|reason| match reason {
            ReasonKind::CriticalBurning(f)
            | ReasonKind::CriticalLong(f)
            | ReasonKind::AlertFired(f) => f.rule.to_string(),
            ReasonKind::MustFailed(n) | ReasonKind::ShouldFailed(n) => n.to_string(),
            ReasonKind::SignalUnseen(seen) => seen.signal.to_string(),
            ReasonKind::NotWatched(name) => format!("not {name}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(verdict, Verdict::Failed);
    assert_eq!(
        names.join(", "),
        "answers, Down, Long, HealthUnseen, SmokeUnfinished, error_ratio, Brief, Elevated, \
         is quick, not token_rate"
    );
}
