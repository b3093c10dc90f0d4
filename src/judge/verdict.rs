//! What a window amounts to, as one table: evidence in, verdict and reasons out.
//! The evidence is gathered, and the reasons are put into words, in `report`.

use crate::model::{Labels, Name, Severity, Span, Verdict};

/// Below this share of known health nothing good can be said of a release; the
/// same for each required signal: "without evidence for more than 10%".
const SEEN_MIN: f64 = 0.9;

/// A critical alert that fired for longer than this in all fails the release,
/// also when it is over at the close.
pub const CRITICAL_MAX: Span = Span::from_secs(10 * 60);

/// Shares are sums of many small spans; one that misses its bound by less
/// than this has met it.
const ROUNDING: f64 = 1e-9;

/// What a window's verdict rests on.
#[derive(Clone, PartialEq, Debug)]
pub struct Evidence {
    /// How far the smoke suite got.
    pub smoke: SmokeEnd,
    /// The `must` steps that failed.
    pub musts_failed: Vec<Name>,
    /// The `should` steps that failed.
    pub shoulds_failed: Vec<Name>,
    /// Each alert that fired, once, in order of firing.
    pub alerts: Vec<Fired>,
    /// Share of the window in which the health of some target was known.
    pub health_ratio: f64,
    /// Each required signal beside health.
    pub signals: Vec<Seen>,
}

/// How far a smoke suite got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SmokeEnd {
    /// It has no step: nothing was asserted.
    Nothing,
    /// Some step has no result.
    Unfinished,
    /// Every step has a result.
    Finished,
}

/// An alert that fired in the window.
#[derive(Clone, PartialEq, Debug)]
pub struct Fired {
    /// The rule.
    pub rule: Name,
    /// Which of its instances.
    pub labels: Labels,
    /// How bad.
    pub severity: Severity,
    /// Whether it is firing at the close.
    pub burning: bool,
    /// How long it fired, over all its episodes.
    pub total: Span,
}

/// How much of a required signal was seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// The signal.
    pub signal: Name,
    /// Share of the window in which it could be read.
    pub ratio: f64,
    /// Whether the service can show it at all. What it cannot show is listed
    /// as not watched, and not held against the release.
    pub observable: bool,
}

/// One reason for a verdict, in order of weight.
#[derive(Clone, PartialEq, Debug)]
pub enum ReasonKind {
    /// A `must` of the smoke suite failed.
    MustFailed(Name),
    /// A critical alert is firing at the close.
    CriticalBurning(Fired),
    /// A critical alert fired for longer than `CRITICAL_MAX` in all.
    CriticalLong(Fired),
    /// The health of the targets was known for too little of the window.
    HealthUnseen,
    /// No smoke test asserted anything.
    SmokeNothing,
    /// The smoke suite did not come to its end.
    SmokeUnfinished,
    /// A required signal had no evidence for too much of the window.
    SignalUnseen(Seen),
    /// An alert fired, and not so as to fail the release.
    AlertFired(Fired),
    /// A `should` of the smoke suite failed.
    ShouldFailed(Name),
    /// A signal that the service cannot show.
    NotWatched(Name),
    /// Watched, and nothing was wrong.
    AllWell,
}

impl ReasonKind {
    /// The verdict that this reason alone leads to; `None`: it is only said.
    fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::MustFailed(_) | Self::CriticalBurning(_) | Self::CriticalLong(_) => {
                Some(Verdict::Failed)
            }
            Self::HealthUnseen
            | Self::SmokeNothing
            | Self::SmokeUnfinished
            | Self::SignalUnseen(_) => Some(Verdict::Inconclusive),
            Self::AlertFired(_) | Self::ShouldFailed(_) => Some(Verdict::Degraded),
            Self::AllWell | Self::NotWatched(_) => None,
        }
    }
}

/// The verdict and all reasons, most telling first, never none. A worse
/// verdict hides no lesser reason.
pub fn verdict(evidence: &Evidence) -> (Verdict, Vec<ReasonKind>) {
    let failed = evidence.musts_failed.iter().cloned().map(ReasonKind::MustFailed);
    let mut alerts: Vec<ReasonKind> = evidence.alerts.iter().map(weigh).collect();
    alerts.sort_by_key(weight); // stable: in order of firing within a weight
    let (fatal, lesser): (Vec<_>, Vec<_>) =
        alerts.into_iter().partition(|alert| alert.verdict() == Some(Verdict::Failed));

    let mut reasons: Vec<ReasonKind> = failed.chain(fatal).collect();
    reasons.extend(unseen(evidence));
    reasons.extend(lesser);
    reasons.extend(evidence.shoulds_failed.iter().cloned().map(ReasonKind::ShouldFailed));

    // They stand in order of weight, so the first decides.
    let decided = reasons.first().and_then(ReasonKind::verdict);
    if decided.is_none() {
        reasons.push(ReasonKind::AllWell);
    }
    let blind = evidence.signals.iter().filter(|seen| !seen.observable);
    reasons.extend(blind.map(|seen| ReasonKind::NotWatched(seen.signal.clone())));
    (decided.unwrap_or(Verdict::Healthy), reasons)
}

fn weigh(fired: &Fired) -> ReasonKind {
    match fired.severity {
        Severity::Critical if fired.burning => ReasonKind::CriticalBurning(fired.clone()),
        Severity::Critical if fired.total > CRITICAL_MAX => ReasonKind::CriticalLong(fired.clone()),
        Severity::Critical | Severity::Warning | Severity::Info => {
            ReasonKind::AlertFired(fired.clone())
        }
    }
}

fn weight(reason: &ReasonKind) -> u8 {
    match reason {
        ReasonKind::CriticalBurning(_) => 0,
        ReasonKind::CriticalLong(_) => 1,
        ReasonKind::AlertFired(fired) => match fired.severity {
            Severity::Critical => 2,
            Severity::Warning => 3,
            Severity::Info => 4,
        },
        _ => 5,
    }
}

fn unseen(evidence: &Evidence) -> Vec<ReasonKind> {
    let mut reasons = Vec::new();
    if !is_enough(evidence.health_ratio) {
        reasons.push(ReasonKind::HealthUnseen);
    }
    match evidence.smoke {
        SmokeEnd::Nothing => reasons.push(ReasonKind::SmokeNothing),
        SmokeEnd::Unfinished => reasons.push(ReasonKind::SmokeUnfinished),
        SmokeEnd::Finished => {}
    }
    let signals = evidence.signals.iter().filter(|seen| seen.observable);
    let dark = signals.filter(|seen| !is_enough(seen.ratio));
    reasons.extend(dark.cloned().map(ReasonKind::SignalUnseen));
    reasons
}

/// Whether so much of a time was seen that its calm counts. Not a number is not.
pub fn is_enough(seen: f64) -> bool {
    seen >= SEEN_MIN - ROUNDING
}

#[cfg(test)]
mod tests;
