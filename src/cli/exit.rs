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
pub const HELP: &str = "Exit codes:
    0  healthy, or degraded without --strict; the command did its work
    1  failed
    2  the command line, the configuration or the state directory is at fault
    3  inconclusive: too little evidence for a verdict
    4  the daemon or metrics server that was asked cannot be reached
    5  degraded, with --strict
  130  interrupted";

impl Exit {
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
    fn prints_every_code_in_its_help() {
        let all = [
            Exit::Good,
            Exit::Failed,
            Exit::Usage,
            Exit::Inconclusive,
            Exit::Unreachable,
            Exit::Degraded,
            Exit::Interrupted,
        ];
        for exit in all {
            let start = format!("{:>5}  ", exit.code());
            assert!(HELP.lines().any(|line| line.starts_with(&start)), "{exit:?}");
        }
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
