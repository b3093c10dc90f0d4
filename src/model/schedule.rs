//! When something is due: a crontab line in a time zone. Zones come from the
//! database that is built in, so that every machine means the same by a name.
//!
//! Clocks that are set forward and back: a time that does not exist is due when
//! the clock is set, a time that comes twice is due the first time, and what
//! falls together is due once.

use std::fmt;

use chrono::{DateTime, Utc};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::cron::Cron;

/// A crontab line in a time zone.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Schedule {
    written: Written,
    cron: Cron,
    zone: TimeZone,
}

/// As it is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Written {
    cron: String,
    zone: String,
}

impl Schedule {
    /// From a line that `Cron` takes and the name of a zone.
    pub fn new(cron: &str, zone: &str) -> Result<Schedule, String> {
        let written = Written { cron: cron.to_owned(), zone: zone.to_owned() };
        Schedule::try_from(written)
    }

    /// The first instant later than this; `None` when there is none.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let instant = jiff::Timestamp::from_millisecond(after.millis()).ok()?;
        let wall = self.zone.to_datetime(instant);
        let wall = Offset::UTC.to_timestamp(wall).ok()?.as_second();
        let walls = self.cron.after(DateTime::from_timestamp(wall, 0)?);
        walls.map_while(|wall| self.instant(wall)).find(|at| *at > after)
    }

    /// When a time of the calendar comes about: the earliest instant at which
    /// the clock on the wall shows it or a later one.
    fn instant(&self, wall: DateTime<Utc>) -> Option<Timestamp> {
        let wall = jiff::Timestamp::from_second(wall.timestamp()).ok()?;
        let wall = Offset::UTC.to_datetime(wall);
        let at = match self.zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall),
            AmbiguousOffset::Gap { after, .. } => {
                let early = after.to_timestamp(wall).ok()?;
                Ok(self.zone.following(early).next()?.timestamp())
            }
        };
        at.ok().map(|at| Timestamp::from_millis(at.as_millisecond()))
    }

    /// An instant as the clock on the wall shows it: `Thu 2026-11-26 09:00 CET`.
    pub fn on_the_wall(&self, at: Timestamp) -> String {
        jiff::Timestamp::from_millisecond(at.millis())
            .map(|at| at.to_zoned(self.zone.clone()).strftime("%a %Y-%m-%d %H:%M %Z").to_string())
            .unwrap_or_else(|_| at.rfc3339())
    }
}

/// `0 9 * * 1-5, Europe/Berlin`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.written.cron, self.written.zone)
    }
}

impl TryFrom<Written> for Schedule {
    type Error = String;

    fn try_from(written: Written) -> Result<Schedule, String> {
        let cron = Cron::parse(&written.cron)?;
        Ok(Schedule { cron, zone: zone(&written.zone)?, written })
    }
}

impl From<Schedule> for Written {
    fn from(schedule: Schedule) -> Written {
        schedule.written
    }
}

/// A zone by its name: `Europe/Berlin`.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    let database = TimeZoneDatabase::bundled();
    database.get(name).map_err(|_| format!("unknown zone {name:?}"))
}

/// All names of zones.
pub fn zones() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cron: &str, zone: &str, after: &str, wanted: &[&str]) {
        let schedule = Schedule::new(cron, zone).unwrap();
        let mut at: Timestamp = after.parse().unwrap();
        for wanted in wanted {
            at = schedule.next(at).unwrap();
            assert_eq!(at.rfc3339(), *wanted, "{schedule}");
        }
    }

    const BERLIN: &str = "Europe/Berlin";

    #[test]
    fn is_due_by_the_clock_on_the_wall() {
        let days = ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"];
        check("0 9 * * *", BERLIN, "2026-03-27T08:00:00Z", &days);
        check("0 9 * * *", "UTC", "2026-03-27T09:00:00.001Z", &["2026-03-28T09:00:00Z"]);
        check("30 9 * * *", "Asia/Kolkata", "2026-03-27T03:59:59.999Z", &["2026-03-27T04:00:00Z"]);
    }

    #[test]
    fn is_due_when_the_clock_is_set_where_the_time_does_not_exist_and_once() {
        // 02:00 to 03:00 does not exist on 29 March 2026.
        let days = ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
        check("30 2 * * *", BERLIN, "2026-03-28T12:00:00Z", &days);
        let quarters = ["2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"];
        check("*/15 * * * *", BERLIN, "2026-03-29T00:30:00Z", &quarters);
    }

    #[test]
    fn is_due_once_where_the_time_comes_twice() {
        // 02:00 to 03:00 comes twice on 25 October 2026: from 00:00 and from 01:00 UTC.
        let days = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
        check("30 2 * * *", BERLIN, "2026-10-24T12:00:00Z", &days);
        let within = "2026-10-25T01:10:00Z"; // 02:10, the second time
        check("*/30 * * * *", BERLIN, within, &["2026-10-25T02:00:00Z", "2026-10-25T02:30:00Z"]);
        check("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", &["2026-11-01T05:30:00Z"]);
    }

    #[test]
    fn may_never_be_due() {
        let never = Schedule::new("0 0 31 2 *", "UTC").unwrap();
        assert_eq!(never.next(Timestamp::from_millis(1_767_225_600_000)), None);
    }

    #[test]
    fn is_stored_as_it_is_written() {
        let schedule = Schedule::new("0 9 * * 1-5", BERLIN).unwrap();
        let text = serde_json::to_string(&schedule).unwrap();
        assert_eq!(text, r#"{"cron":"0 9 * * 1-5","zone":"Europe/Berlin"}"#);
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
        let at = Timestamp::from_millis(1_767_225_600_000);
        assert_eq!(schedule.on_the_wall(at), "Thu 2026-01-01 01:00 CET");
        assert!(zones().iter().any(|name| name == BERLIN));
        assert!(Schedule::new("0 9 * * *", "Europe/Bernlin").is_err());
    }
}
