//! Exit codes: one table for all commands.

use std::process::ExitCode;

use crate::model::Verdict;

/// How a command ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Healthy, or degraded without `--strict`; or the command did its work.
    Good,
    /// The release failed.
    Failed,
    /// The command line, the configuration, or the state directory is at fault.
    Usage,
    /// There was too little evidence.
    Inconclusive,
    /// What was asked cannot be reached.
    Unreachable,
    /// Degraded, and `--strict` was given.
    Degraded,
    /// A signal came before the end.
    Interrupted,
}

/// The table as `--help` prints it.
pub fn help() -> String {
    let row = |exit: Exit| format!("\n{:>5}  {}", exit.code(), exit.about());
    format!("Exit codes:{}", Exit::ALL.map(row).concat())
}

impl Exit {
    /// All of them, by their number.
    pub const ALL: [Exit; 7] = [
        Exit::Good,
        Exit::Failed,
        Exit::Usage,
        Exit::Inconclusive,
        Exit::Unreachable,
        Exit::Degraded,
        Exit::Interrupted,
    ];

    /// What it means.
    pub fn about(self) -> &'static str {
        match self {
            Exit::Good => "healthy, or degraded without --strict; the command did its work",
            Exit::Failed => "failed",
            Exit::Usage => "the command line, the configuration or the state directory is at fault",
            Exit::Inconclusive => "inconclusive: too little evidence for a verdict",
            Exit::Unreachable => {
                "who was asked (a daemon, a target, a metrics server, a channel) cannot be reached"
            }
            Exit::Degraded => "degraded, with --strict",
            Exit::Interrupted => "interrupted",
        }
    }

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Good => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Unreachable => 4,
            Exit::Degraded => 5,
            Exit::Interrupted => 130,
        }
    }

    /// What a verdict amounts to.
    pub fn of(verdict: Verdict, strict: bool) -> Exit {
        match verdict {
            Verdict::Healthy => Exit::Good,
            Verdict::Degraded if strict => Exit::Degraded,
            Verdict::Degraded => Exit::Good,
            Verdict::Failed => Exit::Failed,
            Verdict::Inconclusive => Exit::Inconclusive,
        }
    }
}

/// The verdict that stands for several: the worst. Nothing is inconclusive.
pub fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Healthy => 0,
        Verdict::Degraded => 1,
        Verdict::Inconclusive => 2,
        Verdict::Failed => 3,
    };
    verdicts.into_iter().max_by_key(rank).unwrap_or(Verdict::Inconclusive)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_every_code_in_its_help_once_and_in_order() {
        let numbers: Vec<u8> = Exit::ALL.map(Exit::code).to_vec();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert_eq!(help().lines().count(), 1 + Exit::ALL.len());
        assert!(help().contains("\n    3  inconclusive"), "{}", help());
    }

    #[test]
    fn lets_the_worst_of_a_fleet_decide_and_takes_nothing_for_no_success() {
        use Verdict::{Degraded, Failed, Healthy, Inconclusive};
        assert_eq!(worst([Healthy, Degraded]), Degraded);
        assert_eq!(worst([Degraded, Inconclusive]), Inconclusive);
        assert_eq!(worst([Failed, Inconclusive, Healthy]), Failed);
        assert_eq!(worst([]), Inconclusive);
        assert_eq!(
            (Exit::of(Degraded, true), Exit::of(Degraded, false)),
            (Exit::Degraded, Exit::Good)
        );
    }
}
