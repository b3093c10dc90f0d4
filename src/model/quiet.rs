//! Quiet hours: a stretch of the clock on the wall, on some days of the week.
//! Where clocks are set, it is the wall that counts: from 22:00 to 07:00 is
//! eight hours in one night of the year, and ten in another.

use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Timestamp, schedule};

/// Days by their English names, as in a crontab line.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// A stretch of each of some days. One that ends earlier than it begins ends
/// on the next day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Quiet {
    from: u16,
    to: u16,
    days: Vec<Weekday>,
    written: Written,
    zone: TimeZone,
}

/// As it is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Written {
    /// `22:00`.
    pub from: String,
    /// `07:00`; `24:00` is the end of the day.
    pub to: String,
    /// `Europe/Berlin`.
    pub zone: String,
    /// `mon`, …; empty: every day. It is the day on which the stretch begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
}

impl Quiet {
    /// The end of the stretch that this instant lies in, if it lies in one.
    pub fn until(&self, at: Timestamp) -> Option<Timestamp> {
        let instant = jiff::Timestamp::from_millisecond(at.millis()).ok()?;
        let today = self.zone.to_datetime(instant).date();
        let days = [today.yesterday().ok(), Some(today)].into_iter().flatten();
        let began = days.filter(|day| self.days.is_empty() || self.days.contains(&day.weekday()));
        let stretches = began.filter_map(|day| {
            let end = if self.to <= self.from { day.tomorrow().ok()? } else { day };
            Some((self.instant(day, self.from)?, self.instant(end, self.to)?))
        });
        stretches.filter(|(from, to)| *from <= at && at < *to).map(|(_, to)| to).max()
    }

    /// When the clock on the wall shows it; the first time where it does twice,
    /// and when it is set where it never does.
    fn instant(&self, day: Date, minutes: u16) -> Option<Timestamp> {
        let (day, minutes) = match minutes {
            DAY_MINUTES => (day.tomorrow().ok()?, 0),
            minutes => (day, minutes),
        };
        let (hour, minute) = (minutes / 60, minutes % 60);
        let wall = day.to_datetime(Time::new(hour as i8, minute as i8, 0, 0).ok()?);
        let at = self.zone.to_ambiguous_timestamp(wall).compatible().ok()?;
        Some(Timestamp::from_millis(at.as_millisecond()))
    }
}

/// `22:00 to 07:00 Europe/Berlin, mon tue`.
impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written { from, to, zone, days } = &self.written;
        write!(f, "{from} to {to} {zone}")?;
        if days.is_empty() { Ok(()) } else { write!(f, ", {}", days.join(" ")) }
    }
}

impl TryFrom<Written> for Quiet {
    type Error = String;

    fn try_from(written: Written) -> Result<Quiet, String> {
        let (from, to) = (minutes(&written.from)?, minutes(&written.to)?);
        if from == to {
            return Err(format!(
                "begins and ends at {}; write \"00:00\" and \"24:00\" for whole days",
                written.from
            ));
        }
        let zone = schedule::zone(&written.zone)?;
        let days = written.days.iter().map(|day| weekday(day)).collect::<Result<_, _>>()?;
        Ok(Quiet { from, to, days, written, zone })
    }
}

impl From<Quiet> for Written {
    fn from(quiet: Quiet) -> Written {
        quiet.written
    }
}

/// `22:00` as minutes of the day.
pub fn minutes(text: &str) -> Result<u16, String> {
    let number = |digits: &str| -> Option<u16> {
        let is_two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_two.then(|| digits.parse().ok()).flatten()
    };
    let parts = text.split_once(':').and_then(|(h, m)| Some((number(h)?, number(m)?)));
    let minutes = parts.filter(|(_, minute)| *minute < 60).map(|(hour, minute)| 60 * hour + minute);
    minutes.filter(|minutes| *minutes <= DAY_MINUTES).ok_or_else(|| {
        format!("{text:?} is not a time of day; write it from \"00:00\" to \"24:00\"")
    })
}

/// A day by its name.
pub fn weekday(text: &str) -> Result<Weekday, String> {
    let at = DAYS.iter().position(|day| *day == text);
    let day = at.and_then(|at| Weekday::from_monday_zero_offset(at as i8).ok());
    day.ok_or_else(|| format!("{text:?} is no day; there is {}", DAYS.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(from: &str, to: &str, days: &[&str]) -> Quiet {
        let days = days.iter().map(|day| (*day).to_owned()).collect();
        let (from, to, zone) = (from.to_owned(), to.to_owned(), "Europe/Berlin".to_owned());
        Quiet::try_from(Written { from, to, zone, days }).unwrap()
    }

    fn check(quiet: &Quiet, cases: &[(&str, &str)]) {
        for (at, wanted) in cases {
            let until = quiet.until(at.parse().unwrap()).map(Timestamp::rfc3339);
            assert_eq!(until.as_deref().unwrap_or("-"), *wanted, "{quiet} at {at}");
        }
    }

    #[test]
    fn goes_over_midnight_and_ends_by_the_clock_on_the_wall() {
        let night = quiet("22:00", "07:00", &[]);
        check(
            &night,
            &[
                ("2026-01-15T20:59:59.999Z", "-"),
                ("2026-01-15T21:00:00Z", "2026-01-16T06:00:00Z"),
                ("2026-01-16T05:59:59.999Z", "2026-01-16T06:00:00Z"),
                ("2026-01-16T06:00:00Z", "-"),
                ("2026-07-15T20:00:00Z", "2026-07-16T05:00:00Z"), // summer
            ],
        );
    }

    #[test]
    fn is_an_hour_shorter_or_longer_in_the_nights_in_which_clocks_are_set() {
        let night = quiet("22:00", "07:00", &[]);
        check(&night, &[("2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z")]);
        check(&night, &[("2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z")]);
        // 02:30 does not exist on 29 March, and comes twice on 25 October.
        let early = quiet("02:30", "05:00", &[]);
        check(
            &early,
            &[("2026-03-29T00:59:00Z", "-"), ("2026-03-29T01:30:00Z", "2026-03-29T03:00:00Z")],
        );
        check(&early, &[("2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z")]);
    }

    #[test]
    fn holds_on_its_days_by_the_day_on_which_it_begins() {
        let weekend = quiet("00:00", "24:00", &["sat", "sun"]);
        check(
            &weekend,
            &[
                ("2026-01-16T22:59:00Z", "-"), // a Friday, 23:59 there
                ("2026-01-16T23:00:00Z", "2026-01-17T23:00:00Z"),
                ("2026-01-18T12:00:00Z", "2026-01-18T23:00:00Z"),
                ("2026-01-18T23:00:00Z", "-"),
            ],
        );
        let nights = quiet("22:00", "07:00", &["fri"]);
        check(&nights, &[("2026-01-17T05:00:00Z", "2026-01-17T06:00:00Z")]); // Saturday morning
        check(&nights, &[("2026-01-17T21:00:00Z", "-")]);
    }

    #[test]
    fn is_stored_as_it_is_written() {
        let night = quiet("22:00", "07:00", &["mon"]);
        let text = serde_json::to_string(&night).unwrap();
        let wanted = r#"{"from":"22:00","to":"07:00","zone":"Europe/Berlin","days":["mon"]}"#;
        assert_eq!(text, wanted);
        assert_eq!(serde_json::from_str::<Quiet>(&text).unwrap(), night);
    }

    #[test]
    fn says_what_is_no_time_and_no_day() {
        for text in ["7:00", "25:00", "24:01", "07:60", "0700", "", "-1:00"] {
            assert!(minutes(text).unwrap_err().contains("is not a time of day"), "{text}");
        }
        assert!(weekday("monday").unwrap_err().contains("is no day; there is mon, tue"));
        let written = |from: &str, to: &str| Written {
            from: from.to_owned(),
            to: to.to_owned(),
            zone: "UTC".to_owned(),
            days: Vec::new(),
        };
        let same = Quiet::try_from(written("07:00", "07:00")).unwrap_err();
        assert!(same.contains("for whole days"), "{same}");
    }
}
