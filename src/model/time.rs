//! Instants and lengths of time, in whole milliseconds (the field's unit).
//! Nobody here knows what time it is: an instant is always handed in.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A length of time in milliseconds. May be negative as a difference.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(i64);

/// One millisecond.
pub const MILLISECOND: Span = Span(1);
/// One second.
pub const SECOND: Span = Span(1_000);
/// One minute.
pub const MINUTE: Span = Span(60_000);
/// One hour.
pub const HOUR: Span = Span(3_600_000);
/// Twenty-four hours: a fixed length, whatever a calendar says.
pub const DAY: Span = Span(86_400_000);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From a date as HTTP writes it: `Wed, 25 Nov 2026 01:23:46 GMT`.
    pub fn from_http_date(text: &str) -> Option<Self> {
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
        Some(Self(at.as_millisecond()))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, as PromQL counts them.
    pub fn seconds_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// How long after `earlier` this is (negative when before).
    pub fn since(self, earlier: Timestamp) -> Span {
        Span(self.0 - earlier.0)
    }

    /// The first multiple of `step` after `origin` that is later than `self`.
    pub fn next_on_grid(self, origin: Timestamp, step: Span) -> Timestamp {
        let passed = (self.0 - origin.0).div_euclid(step.0);
        Timestamp(origin.0 + (passed + 1) * step.0)
    }

    /// `2026-11-25T01:23:46Z`; the form for files and payloads.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map(|at| at.to_string())
            .unwrap_or_else(|_| format!("{}ms", self.0))
    }

    /// `2026-11-25 01:23:46 UTC`, to the second; the form for people.
    pub fn for_people(self) -> String {
        jiff::Timestamp::from_second(self.0.div_euclid(1000))
            .map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
            .unwrap_or_else(|_| format!("{}ms", self.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Timestamp>()
            .map(|at| Timestamp(at.as_millisecond()))
            .map_err(|_| format!("{text:?} is no time; write for example \"2026-11-25T01:23:46Z\""))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// From milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1000)
    }

    /// In milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// In seconds.
    pub fn seconds_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// As the standard library's unsigned duration; negative becomes zero.
    pub fn to_std(self) -> Duration {
        Duration::from_millis(self.0.max(0) as u64)
    }

    /// Share of `whole` that this is; 0 when `whole` is empty.
    pub fn share_of(self, whole: Span) -> f64 {
        if whole.0 <= 0 { 0.0 } else { self.0 as f64 / whole.0 as f64 }
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Span(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
    }
}

/// `2m 30s`, `2d 14h`, `250ms`: short, and read back by `FromStr`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.unsigned_abs();
        let (mut rest, mut space) = (millis, if self.0 < 0 { "-" } else { "" });
        for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
            if rest >= length || (unit == "s" && millis == 0) {
                write!(f, "{space}{}{unit}", rest / length)?;
                (rest, space) = (rest % length, " ");
            }
        }
        if rest > 0 { write!(f, "{space}{rest}ms") } else { Ok(()) }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text).map(Span::from).map_err(|_| {
            format!("{text:?} is not a duration; write for example \"30s\", \"5m\" or \"1h 30m\"")
        })
    }
}

impl Add<Span> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

impl AddAssign<Span> for Timestamp {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Mul<Span> for i64 {
    type Output = Span;
    fn mul(self, span: Span) -> Span {
        Span(self.saturating_mul(span.0))
    }
}

impl Div<i64> for Span {
    type Output = Span;
    fn div(self, by: i64) -> Span {
        Span(self.0 / by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_date_as_http_writes_it() {
        let read = |text| Timestamp::from_http_date(text).map(Timestamp::rfc3339);
        let date = read("Wed, 25 Nov 2026 01:23:46 GMT");
        assert_eq!(date.as_deref(), Some("2026-11-25T01:23:46Z"));
        assert_eq!([read("yesterday"), read(""), read("2026-11-25T01:23:46Z")], [None, None, None]);
    }

    #[test]
    fn finds_the_next_instant_on_a_grid_also_from_on_it_and_before_it() {
        let origin = Timestamp::from_millis(1_000);
        let at = |ms| Timestamp::from_millis(ms).next_on_grid(origin, 15 * SECOND).millis();
        assert_eq!((at(1_000), at(15_999), at(16_000), at(0)), (16_000, 16_000, 31_000, 1_000));
    }

    #[test]
    fn reads_and_prints_lengths_as_people_write_them() {
        let span: Span = "1h 30m".parse().unwrap();
        assert_eq!((span, span.to_string()), (90 * MINUTE, "1h 30m".to_owned()));
        for (millis, text) in [(0, "0s"), (250, "250ms"), (1_500, "1s 500ms"), (86_400_000, "1d")] {
            let span = Span::from_millis(millis);
            assert_eq!((span.to_string().as_str(), text.parse()), (text, Ok(span)));
        }
        assert!("5x".parse::<Span>().unwrap_err().contains("is not a duration"));
    }
}
