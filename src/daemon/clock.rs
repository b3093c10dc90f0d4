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
    machine: Box<dyn Machine>,
    start: Timestamp,
    started: Duration,
    /// Time asleep since the start, as far as it is known.
    slept: Duration,
    slept_at_start: Option<Duration>,
    /// How far the wall clock is known to have been set.
    stepped: Span,
}

/// What a machine tells of time. (Tests have one whose clock is set, and that
/// sleeps; no test sets the real one's.)
pub trait Machine: Send {
    /// The wall clock's time, which anybody may set.
    fn wall(&self) -> Timestamp;

    /// Time from some instant on, sleep left out.
    fn awake(&self) -> Duration;

    /// Time since boot, sleep included, where the system tells it.
    fn uptime(&self) -> Option<Duration>;
}

/// The machine that this process runs on.
struct This;

impl Machine for This {
    fn wall(&self) -> Timestamp {
        wall()
    }

    fn awake(&self) -> Duration {
        use std::sync::OnceLock;
        static FIRST: OnceLock<Instant> = OnceLock::new();
        FIRST.get_or_init(Instant::now).elapsed()
    }

    fn uptime(&self) -> Option<Duration> {
        let text = std::fs::read_to_string("/proc/uptime").ok()?;
        let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

impl Clock {
    /// The machine's clock; never earlier than `at_least`, the latest fact's
    /// time, so that a record never runs backwards.
    pub fn real(at_least: Timestamp) -> Clock {
        Clock::of(Box::new(This), at_least)
    }

    /// The same of another machine.
    pub fn of(machine: Box<dyn Machine>, at_least: Timestamp) -> Clock {
        let (wall, started) = (machine.wall(), machine.awake());
        let start = wall.max(at_least);
        let slept_at_start = asleep(&*machine);
        let (slept, stepped) = (Duration::ZERO, wall.since(start));
        Clock::Real(Real { machine, start, started, slept, slept_at_start, stepped })
    }

    /// A clock that starts at `start` and jumps.
    pub fn compressed(start: Timestamp) -> Clock {
        Clock::Compressed(Arc::new(AtomicI64::new(start.millis())))
    }

    /// The time of the record.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::Real(real) => {
                let awake = real.machine.awake().saturating_sub(real.started);
                real.start + Span::from(awake + real.slept)
            }
            Clock::Compressed(now) => Timestamp::from_millis(now.load(Ordering::SeqCst)),
        }
    }

    /// The time that others go by, in seconds since the epoch: what a receiver
    /// compares with its own clock.
    pub fn wall_s(&self) -> i64 {
        match self {
            Clock::Real(real) => real.machine.wall().millis().div_euclid(1000),
            Clock::Compressed(_) => self.now().millis().div_euclid(1000),
        }
    }

    /// Takes in a sleep of the machine, and gives by how much the wall clock
    /// was set since this was last asked.
    pub fn step(&mut self) -> Option<Span> {
        let Clock::Real(real) = self else { return None };
        if let (Some(start), Some(asleep)) = (real.slept_at_start, asleep(&*real.machine)) {
            let slept = asleep.saturating_sub(start);
            if slept > real.slept + STEP_MIN.to_std() {
                real.slept = slept;
            }
        }
        let wall = real.machine.wall();
        let off = wall.since(self.now());
        let Clock::Real(real) = self else { return None };
        let by = off - real.stepped;
        if by.millis().abs() < STEP_MIN.millis() {
            return None;
        }
        real.stepped = off;
        Some(by)
    }
}

/// For how long a machine has slept, from some instant on.
fn asleep(machine: &dyn Machine) -> Option<Duration> {
    machine.uptime().map(|up| up.saturating_sub(machine.awake()))
}

/// The wall clock's time.
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
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
