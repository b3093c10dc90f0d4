//! What time it is. A real clock starts at the wall's time and then counts
//! elapsed time alone, so that nobody who sets the wall clock can stretch an
//! alert; the demo's clock jumps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

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
    look: Box<dyn Fn() -> Look + Send + Sync>,
    start: Timestamp,
    started: Duration,
    /// How far the wall clock is known to have been set.
    stepped: Span,
}

/// What the machine's clocks show at once.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The wall clock, which somebody may set.
    pub wall: Timestamp,
    /// Time since boot, sleep included, which nobody can.
    pub boot: Duration,
}

impl Real {
    /// A clock that looks by `look`; see `Clock::real`.
    pub fn new(
        look: impl Fn() -> Look + Send + Sync + 'static,
        at_least: Timestamp,
        stepped: Span,
    ) -> Real {
        let Look { wall, boot } = look();
        let start = (wall - stepped).max(at_least);
        Real { look: Box::new(look), start, started: boot, stepped: wall.since(start) }
    }

    fn now(&self) -> Timestamp {
        self.start + Span::from((self.look)().boot.saturating_sub(self.started))
    }

    fn step(&mut self) -> Option<Span> {
        let off = (self.look)().wall.since(self.now());
        let by = off - self.stepped;
        if by.millis().abs() < STEP_MIN.millis() {
            return None;
        }
        self.stepped = off;
        Some(by)
    }
}

impl Clock {
    /// The machine's clock; never earlier than `at_least`, the latest fact's
    /// time, so that a record never runs backwards. `stepped`: how far the wall
    /// clock has been set since the record began, which is no time that passed.
    pub fn real(at_least: Timestamp, stepped: Span) -> Clock {
        let look = || Look { wall: wall(), boot: since_boot() };
        Clock::Real(Real::new(look, at_least, stepped))
    }

    /// A clock that starts at `start` and jumps.
    pub fn compressed(start: Timestamp) -> Clock {
        Clock::Compressed(Arc::new(AtomicI64::new(start.millis())))
    }

    /// The time of the record.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::Real(real) => real.now(),
            Clock::Compressed(now) => Timestamp::from_millis(now.load(Ordering::SeqCst)),
        }
    }

    /// The time that others go by, in seconds since the epoch: what a receiver
    /// compares with its own clock.
    pub fn wall_s(&self) -> i64 {
        let wall = match self {
            Clock::Real(real) => (real.look)().wall,
            Clock::Compressed(_) => self.now(),
        };
        wall.millis().div_euclid(1000)
    }

    /// By how much the wall clock was set since this was last asked.
    pub fn step(&mut self) -> Option<Span> {
        match self {
            Clock::Real(real) => real.step(),
            Clock::Compressed(_) => None,
        }
    }
}

/// The wall clock's time.
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Time since boot, sleep included. Asked of the kernel and not of `/proc`,
/// which the units hide.
fn since_boot() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::{HOUR, SECOND};

    const T0: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    /// A machine whose clocks are set by hand.
    struct Machine(Arc<Mutex<Look>>);

    impl Machine {
        fn new() -> Machine {
            Machine(Arc::new(Mutex::new(Look { wall: T0, boot: Duration::from_secs(7) })))
        }

        fn clock(&self, at_least: Timestamp, stepped: Span) -> Clock {
            let shown = self.0.clone();
            Clock::Real(Real::new(move || *shown.lock().unwrap(), at_least, stepped))
        }

        /// Time passes, awake or asleep.
        fn pass(&self, span: Span) {
            let mut shown = self.0.lock().unwrap();
            shown.wall += span;
            shown.boot += span.to_std();
        }

        fn set(&self, by: Span) {
            self.0.lock().unwrap().wall += by;
        }
    }

    #[test]
    fn counts_what_elapses_and_says_once_that_the_wall_clock_was_set() {
        for by in [HOUR, Span::ZERO - HOUR, 5 * SECOND, Span::ZERO - 26 * HOUR] {
            let machine = Machine::new();
            let mut clock = machine.clock(T0, Span::ZERO);
            machine.pass(60 * SECOND);
            machine.set(by);
            assert_eq!(clock.now(), T0 + 60 * SECOND);
            assert_eq!((clock.step(), clock.step()), (Some(by), None));
            machine.pass(60 * SECOND);
            assert_eq!((clock.now(), clock.step()), (T0 + 120 * SECOND, None));
            assert_eq!(clock.wall_s(), (T0 + 120 * SECOND + by).millis() / 1000);
        }
    }

    #[test]
    fn lets_a_time_daemon_slew() {
        let machine = Machine::new();
        let mut clock = machine.clock(T0, Span::ZERO);
        machine.set(SECOND);
        assert_eq!(clock.step(), None);
    }

    #[test]
    fn takes_sleep_for_time_that_passed_and_not_for_a_step() {
        let machine = Machine::new();
        let mut clock = machine.clock(T0, Span::ZERO);
        machine.pass(2 * HOUR);
        assert_eq!((clock.now(), clock.step()), (T0 + 2 * HOUR, None));
    }

    #[test]
    fn goes_on_after_a_restart_as_if_the_wall_clock_had_never_been_set() {
        for by in [HOUR, Span::ZERO - HOUR] {
            let machine = Machine::new();
            machine.set(by);
            let latest = T0 + 60 * SECOND;
            machine.pass(90 * SECOND);
            let mut clock = machine.clock(latest, by);
            assert_eq!((clock.now(), clock.step()), (T0 + 90 * SECOND, None));
        }
    }

    #[test]
    fn never_starts_before_the_latest_fact() {
        let later = wall() + HOUR;
        let mut clock = Clock::real(later, Span::ZERO);
        assert!(clock.now() >= later);
        assert_eq!(clock.step(), None);
    }
}
