//! When samples were taken. The series of a page have their stamps in common:
//! a clock is such a list, and a series knows where in it its samples begin. A
//! series that is not there each time gets a clock of its own.

use crate::model::Timestamp;

/// Where a series' stamps are: in which clock, and from which of its ticks on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Place {
    clock: u32,
    from: u32,
}

/// All clocks of a watch.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    all: Vec<Clock>,
    /// Those that no series has any more.
    spare: Vec<u32>,
    /// The one that ticked last.
    recent: u32,
}

#[derive(Debug, Default)]
struct Clock {
    /// The number of the first tick that is kept.
    first: u32,
    stamps: Vec<Timestamp>,
    /// While they are cleaned: the first tick that somebody needs.
    needed: Option<u32>,
}

impl Clock {
    fn end(&self) -> u32 {
        self.first + self.stamps.len() as u32
    }
}

impl Clocks {
    /// The `count` stamps of a series.
    pub fn stamps(&self, place: Place, count: usize) -> &[Timestamp] {
        if count == 0 {
            return &[];
        }
        let clock = &self.all[place.clock as usize];
        let from = (place.from - clock.first) as usize;
        &clock.stamps[from..from + count]
    }

    /// One more stamp, later than the `count` that the series has; gives where
    /// they all are then.
    pub fn tick(&mut self, place: Place, count: usize, at: Timestamp) -> Place {
        if count == 0 {
            return self.joined(&[], at);
        }
        let clock = &mut self.all[place.clock as usize];
        let next = place.from + count as u32;
        if next == clock.end() {
            clock.stamps.push(at);
        } else if next + 1 != clock.end() || clock.stamps.last() != Some(&at) {
            let stamps = self.stamps(place, count).to_vec();
            return self.joined(&stamps, at);
        }
        self.recent = place.clock;
        place
    }

    /// Stamps that end with a new one: in the clock that ticked last, if it has
    /// the same, else in one of their own.
    fn joined(&mut self, stamps: &[Timestamp], at: Timestamp) -> Place {
        if let Some(clock) = self.all.get(self.recent as usize)
            && let Some((last, before)) = clock.stamps.split_last()
            && *last == at
            && before.ends_with(stamps)
        {
            let from = clock.end() - 1 - stamps.len() as u32;
            return Place { clock: self.recent, from };
        }
        let place = self.own(stamps);
        self.all[place.clock as usize].stamps.push(at);
        self.recent = place.clock;
        place
    }

    /// Takes over stamps of a series that was copied: those of its neighbour, if
    /// they are the same.
    pub fn adopt(&mut self, stamps: &[Timestamp]) -> Place {
        if let Some(clock) = self.all.get(self.recent as usize)
            && clock.stamps.ends_with(stamps)
        {
            return Place { clock: self.recent, from: clock.end() - stamps.len() as u32 };
        }
        let place = self.own(stamps);
        self.recent = place.clock;
        place
    }

    fn own(&mut self, stamps: &[Timestamp]) -> Place {
        let clock = self.spare.pop().unwrap_or_else(|| {
            self.all.push(Clock::default());
            u32::try_from(self.all.len() - 1).expect("no more clocks than series")
        });
        self.all[clock as usize] = Clock { first: 0, stamps: stamps.to_vec(), needed: None };
        Place { clock, from: 0 }
    }

    /// The series drops its first `dropped` stamps and keeps `count`. Where its
    /// clock goes on without it, they go elsewhere, so that nobody keeps others'
    /// stamps for them.
    pub fn keep(&mut self, place: Place, dropped: usize, count: usize, is_quiet: bool) -> Place {
        let mut place = Place { from: place.from + dropped as u32, ..place };
        if count == 0 {
            return place;
        }
        if is_quiet && place.from + (count as u32) < self.all[place.clock as usize].end() {
            let stamps = self.stamps(place, count).to_vec();
            place = self.own(&stamps);
        }
        let needed = &mut self.all[place.clock as usize].needed;
        *needed = Some(needed.map_or(place.from, |other| other.min(place.from)));
        place
    }

    /// Drops what no series kept since the last call.
    pub fn clean(&mut self) {
        for (place, clock) in self.all.iter_mut().enumerate() {
            match clock.needed.take() {
                Some(needed) => {
                    clock.stamps.drain(..(needed - clock.first) as usize);
                    clock.first = needed;
                    if clock.stamps.len() < clock.stamps.capacity() / 2 {
                        clock.stamps.shrink_to_fit();
                    }
                }
                None if clock.stamps.is_empty() => {}
                None => {
                    *clock = Clock::default();
                    self.spare.push(place as u32);
                }
            }
        }
    }

    /// Bytes of memory.
    pub fn heap(&self) -> usize {
        let stamps: usize = self.all.iter().map(|clock| clock.stamps.capacity()).sum();
        stamps * size_of::<Timestamp>() + self.all.capacity() * size_of::<Clock>()
    }
}
