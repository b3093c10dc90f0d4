//! What time it is. A real clock starts at the wall's time and then counts
//! elapsed time alone, so that nobody who sets the wall clock can stretch an
//! alert; the demo's clock jumps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{Span, Timestamp};

/// Smaller differences are the slewing of a time daemon.
const STEP_MIN: Span = Span::from_secs(2);

/// A clock for the loop.
pub enum Clock {
    /// The machine's.
    Real(Real),
    /// Stands still, and jumps when told to. Shared, so that an invented
    /// service can live by it.
    Compressed(Arc<AtomicI64>),
}

/// Wall time at the start plus time elapsed since, sleep of the machine included.
pub struct Real {
    start: Timestamp,
    started: Instant,
    /// Time since boot, sleep included, less what `Instant` counted.
    slept: Duration,
    slept_at_start: Option<Duration>,
    /// How far the wall clock is known to have been set.
    stepped: Span,
}

impl Clock {
    /// The machine's clock; never earlier than `at_least`, the latest fact's
    /// time, so that a record never runs backwards.
    pub fn real(at_least: Timestamp) -> Clock {
        let wall = wall();
        let start = wall.max(at_least);
        Clock::Real(Real {
            start,
            started: Instant::now(),
            slept: Duration::ZERO,
            slept_at_start: uptime().map(|up| up.saturating_sub(monotonic())),
            stepped: wall.since(start),
        })
    }

    /// A clock that starts at `start` and jumps.
    pub fn compressed(start: Timestamp) -> Clock {
        Clock::Compressed(Arc::new(AtomicI64::new(start.millis())))
    }

    /// The time of the record.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::Real(real) => real.start + Span::from(real.started.elapsed() + real.slept),
            Clock::Compressed(now) => Timestamp::from_millis(now.load(Ordering::SeqCst)),
        }
    }

    /// The time that others go by, in seconds since the epoch: what a receiver
    /// compares with its own clock.
    pub fn wall_s(&self) -> i64 {
        match self {
            Clock::Real(_) => wall().millis().div_euclid(1000),
            Clock::Compressed(_) => self.now().millis().div_euclid(1000),
        }
    }

    /// Takes in a sleep of the machine, and gives by how much the wall clock
    /// was set since this was last asked.
    pub fn step(&mut self) -> Option<Span> {
        let Clock::Real(real) = self else { return None };
        let asleep = uptime().map(|up| up.saturating_sub(monotonic()));
        if let (Some(start), Some(asleep)) = (real.slept_at_start, asleep) {
            let slept = asleep.saturating_sub(start);
            if slept > real.slept + STEP_MIN.to_std() {
                real.slept = slept;
            }
        }
        let off = wall().since(self.now());
        let Clock::Real(real) = self else { return None };
        let by = off - real.stepped;
        if by.millis().abs() < STEP_MIN.millis() {
            return None;
        }
        real.stepped = off;
        Some(by)
    }
}

/// The wall clock's time.
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Time since boot, sleep included, where the system tells it.
fn uptime() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// What `Instant` counts, from this process's first look.
fn monotonic() -> Duration {
    use std::sync::OnceLock;
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_that_the_wall_clock_was_set_and_says_it_once() {
        let Clock::Real(mut real) = Clock::real(Timestamp::default()) else { unreachable!() };
        real.stepped = real.stepped - 90 * crate::model::SECOND; // as if set forward by 90 s
        let mut clock = Clock::Real(real);
        let by = clock.step().expect("a step is noticed");
        assert!((by.millis() - 90_000).abs() < 1_000, "{by}");
        assert_eq!(clock.step(), None);
    }

    #[test]
    fn never_starts_before_the_latest_fact() {
        let later = wall() + crate::model::HOUR;
        let mut clock = Clock::real(later);
        assert!(clock.now() >= later);
        assert_eq!(clock.step(), None);
    }
}
