//! Alert phases: what one rule's readings amount to over time.
//! Who is told, and when, is decided in `notify`.

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::model::{Reading, Span, Timestamp};

/// Where an alert stands. `since` is always the time of the sample that led there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Nothing is wrong, as far as is known.
    #[default]
    Inactive,
    /// Broken, not yet for long enough.
    Pending {
        /// First breach.
        since: Timestamp,
    },
    /// Broken for long enough: somebody is told.
    Firing {
        /// First breach, not the time of telling.
        since: Timestamp,
    },
    /// Calm again, not yet for long enough.
    Recovering {
        /// First breach.
        since: Timestamp,
        /// First calm reading.
        calm: Timestamp,
    },
}

impl Phase {
    /// Firing, or on the way out of it: told, and not yet taken back.
    pub fn is_firing(self) -> bool {
        matches!(self, Phase::Firing { .. } | Phase::Recovering { .. })
    }

    /// `inactive`, `pending`, `firing` or `recovering`.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Inactive => "inactive",
            Phase::Pending { .. } => "pending",
            Phase::Firing { .. } => "firing",
            Phase::Recovering { .. } => "recovering",
        }
    }
}

/// Readings of one kind in a row, this one included; kept beside the phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Streak {
    /// Breaches since the last calm reading.
    pub breaches: u32,
    /// Calm readings since the last breach.
    pub calms: u32,
    /// When the last of them was counted.
    pub at: Timestamp,
}

impl Streak {
    /// With one more reading. Silence neither adds nor breaks. A second look
    /// less than `apart` after the last that counted has hardly seen anything
    /// new: it counts only if it says something else.
    pub fn with(self, reading: Reading, now: Timestamp, apart: Span) -> Streak {
        let is_again = |before: u32| before > 0 && now.since(self.at) < apart;
        match reading {
            Reading::NoData(_) => self,
            Reading::Calm(_) if is_again(self.calms) => self,
            Reading::Breach(_) if is_again(self.breaches) => self,
            Reading::Calm(_) => {
                Streak { breaches: 0, calms: self.calms.saturating_add(1), at: now }
            }
            Reading::Breach(_) => {
                Streak { breaches: self.breaches.saturating_add(1), calms: 0, at: now }
            }
        }
    }
}

impl Phase {
    /// When the clock of `rule` lets it go on, if no reading says otherwise.
    pub fn ripe_at(self, rule: &Rule) -> Option<Timestamp> {
        match self {
            Phase::Inactive | Phase::Firing { .. } => None,
            Phase::Pending { since } => Some(since + rule.hold),
            Phase::Recovering { calm, .. } => Some(calm + rule.recover),
        }
    }
}

/// The next phase, `None` when it stays. One row a case; `streak` includes
/// this reading. The states are those of Prometheus with `keep_firing_for`
/// as a state of its own, and with counts beside the clocks, so that one slow
/// sample cannot satisfy a `for`.
pub fn next(
    rule: &Rule,
    phase: Phase,
    streak: Streak,
    reading: Reading,
    now: Timestamp,
) -> Option<Phase> {
    use Phase::{Firing, Inactive, Pending, Recovering};
    use Reading::{Breach, Calm, NoData};
    let held = |since| now.since(since) >= rule.hold && streak.breaches >= rule.breaches_min;
    let calmed = |calm| now.since(calm) >= rule.recover && streak.calms >= rule.calms_min;
    match (phase, reading) {
        (_, NoData(_)) => None, // silence proves nothing
        (Inactive, Calm(_)) => None,
        (Inactive, Breach(_)) if held(now) => Some(Firing { since: now }),
        (Inactive, Breach(_)) => Some(Pending { since: now }),
        (Pending { since }, Breach(_)) if held(since) => Some(Firing { since }),
        (Pending { .. }, Breach(_)) => None,
        (Pending { .. }, Calm(_)) => Some(Inactive), // no message: nobody had been told
        (Firing { .. }, Breach(_)) => None,
        (Firing { .. }, Calm(_)) if calmed(now) => Some(Inactive),
        (Firing { since }, Calm(_)) => Some(Recovering { since, calm: now }),
        (Recovering { calm, .. }, Calm(_)) if calmed(calm) => Some(Inactive),
        (Recovering { .. }, Calm(_)) => None,
        (Recovering { since, .. }, Breach(_)) => Some(Firing { since }), // the same incident
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Bound;
    use crate::model::{MINUTE, SECOND, Severity, Why};

    const T0: Timestamp = Timestamp::from_millis(1_000_000);

    fn rule(hold: Span, recover: Span) -> Rule {
        Rule {
            name: "R".into(),
            signal: "s".into(),
            quantile: None,
            bound: Bound::Above(1.0),
            hold,
            recover,
            breaches_min: 2,
            calms_min: 2,
            evidence_min: 0.0,
            severity: Severity::Critical,
            summary: String::new(),
            runbook: None,
            by_window: Vec::new(),
            labels: Default::default(),
            imported: None,
            of_baseline: None,
        }
    }

    /// Plays readings, one every 30 s: `B` breach, `c` calm, `-` nothing.
    /// Gives the phase after each: `.` inactive, `p`, `F`, `r`.
    fn play(rule: &Rule, readings: &str) -> String {
        let (mut phase, mut streak, mut now) = (Phase::Inactive, Streak::default(), T0);
        let mut phases = String::new();
        for letter in readings.chars() {
            let reading = match letter {
                'B' => Reading::Breach(2.0),
                'c' => Reading::Calm(0.0),
                _ => Reading::NoData(Why::Stale),
            };
            streak = streak.with(reading, now, 20 * SECOND);
            phase = next(rule, phase, streak, reading, now).unwrap_or(phase);
            phases.push(match phase {
                Phase::Inactive => '.',
                Phase::Pending { .. } => 'p',
                Phase::Firing { .. } => 'F',
                Phase::Recovering { .. } => 'r',
            });
            now += 30 * SECOND;
        }
        phases
    }

    #[test]
    fn fires_after_its_hold_and_resolves_after_its_recovery() {
        let minute = rule(MINUTE, MINUTE);
        assert_eq!(play(&minute, "cBBBBcccc"), ".ppFFrr..");
        assert_eq!(play(&minute, "BBcBB"), "pp.pp"); // a calm reading begins it anew
        assert_eq!(play(&minute, "BBBccBcc"), "ppFrrFrr"); // a relapse is the same incident
    }

    #[test]
    fn changes_nothing_on_silence_whatever_the_phase() {
        let minute = rule(MINUTE, MINUTE);
        assert_eq!(play(&minute, "-B--BB--c--cc"), ".pppFFFFrrr..");
    }

    #[test]
    fn needs_as_many_breaches_as_its_rule_says_however_long_one_lasts() {
        // One breach and a minute of silence satisfy the clock, not the count.
        assert_eq!(play(&rule(MINUTE, MINUTE), "B---B"), "ppppF");
        let mut patient = rule(MINUTE, MINUTE);
        patient.breaches_min = 4;
        assert_eq!(play(&patient, "BBBB"), "pppF");
    }

    #[test]
    fn counts_samples_and_not_looks() {
        let looks = |apart: &[i64]| {
            let (mut streak, mut now) = (Streak::default(), T0);
            for seconds in apart {
                now += *seconds * SECOND;
                streak = streak.with(Reading::Breach(2.0), now, 5 * SECOND);
            }
            streak.breaches
        };
        assert_eq!(looks(&[0, 0, 1, 3]), 1);
        assert_eq!(looks(&[0, 2, 3, 2, 3]), 3);
        let calm = Streak::default().with(Reading::Breach(2.0), T0, MINUTE);
        assert_eq!(calm.with(Reading::Calm(0.0), T0, MINUTE).calms, 1, "a turn always counts");
    }

    #[test]
    fn fires_and_resolves_at_once_where_the_rule_asks_for_no_time() {
        let mut hasty = rule(Span::ZERO, Span::ZERO);
        (hasty.breaches_min, hasty.calms_min) = (1, 1);
        assert_eq!(play(&hasty, "BcBc"), "F.F.");
    }

    #[test]
    fn keeps_the_first_breach_as_the_incidents_beginning() {
        let minute = rule(MINUTE, MINUTE);
        let firing = Phase::Firing { since: T0 };
        let calm = Streak { breaches: 0, calms: 1, at: T0 };
        let recovering = next(&minute, firing, calm, Reading::Calm(0.0), T0 + MINUTE);
        assert_eq!(recovering, Some(Phase::Recovering { since: T0, calm: T0 + MINUTE }));
        let breach = Streak { breaches: 1, calms: 0, at: T0 };
        let again =
            next(&minute, recovering.unwrap(), breach, Reading::Breach(2.0), T0 + 2 * MINUTE);
        assert_eq!(again, Some(firing));
    }
}
