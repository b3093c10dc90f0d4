//! What the configuration says of alerts that nobody is to be told of: windows
//! of the calendar, and alerts that others explain.

use serde::{Deserialize, Serialize};

use super::{Matchers, Name, Schedule, Span, Timestamp};

/// A window that comes again and again, in which nothing new is told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Maintenance {
    /// Its name.
    pub name: Name,
    /// When it begins.
    pub schedule: Schedule,
    /// How long it lasts.
    pub length: Span,
    /// Of which alerts; without any of all.
    #[serde(default, skip_serializing_if = "Matchers::is_empty")]
    pub matchers: Matchers,
}

/// Windows that follow one another without a gap are looked at so far ahead.
const JOINED_MAX: u32 = 1000;

impl Maintenance {
    /// When the window that is open now ends, with those that follow it without
    /// a gap; `None`: none is open.
    pub fn ends(&self, now: Timestamp) -> Option<Timestamp> {
        let begins = |after: Timestamp, until: Timestamp| {
            self.schedule.next(after).filter(|begin| *begin <= until)
        };
        let mut begin = begins(now - self.length, now)?;
        for _ in 0..JOINED_MAX {
            match begins(begin, begin + self.length) {
                Some(next) => begin = next,
                None => break,
            }
        }
        Some(begin + self.length)
    }

    /// When the next begins.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.schedule.next(now)
    }
}

/// Alerts that explain others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Inhibit {
    /// Those that explain.
    pub source: Matchers,
    /// Those that are explained.
    pub target: Matchers,
    /// Labels that both have alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equal: Vec<Name>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HOUR, MINUTE};

    fn check(cron: &str, length: Span, now: &str, ends: Option<&str>) {
        let window = Maintenance {
            name: "nightly".into(),
            schedule: Schedule::new(cron, "Europe/Berlin").unwrap(),
            length,
            matchers: Matchers::default(),
        };
        let end = window.ends(now.parse().unwrap()).map(|at| at.rfc3339());
        assert_eq!(end.as_deref(), ends, "{cron} for {length} at {now}");
    }

    #[test]
    fn is_open_from_its_beginning_to_before_its_end() {
        let end = Some("2026-01-04T03:00:00Z"); // 02:00 in Berlin is 01:00 in winter
        check("0 2 * * SUN", 2 * HOUR, "2026-01-04T00:59:59Z", None);
        check("0 2 * * SUN", 2 * HOUR, "2026-01-04T01:00:00Z", end);
        check("0 2 * * SUN", 2 * HOUR, "2026-01-04T02:59:59Z", end);
        check("0 2 * * SUN", 2 * HOUR, "2026-01-04T03:00:00Z", None);
        check("0 2 * * SUN", 2 * HOUR, "2026-01-05T01:30:00Z", None);
    }

    #[test]
    fn lasts_as_long_as_it_is_said_when_clocks_are_set() {
        // From 02:00 on 29 March there is no such time: the clock is set at 01:00 UTC.
        check("0 2 * * *", 2 * HOUR, "2026-03-29T02:59:00Z", Some("2026-03-29T03:00:00Z"));
        // On 25 October 02:00 comes twice, and the window once.
        check("0 2 * * *", 2 * HOUR, "2026-10-25T01:30:00Z", Some("2026-10-25T02:00:00Z"));
        check("0 2 * * *", 2 * HOUR, "2026-10-25T02:00:00Z", None);
    }

    #[test]
    fn joins_windows_that_overlap() {
        let end = Some("2026-01-01T09:15:00Z");
        check("*/5 8-9 * * *", 20 * MINUTE, "2026-01-01T07:01:00Z", end);
    }
}
