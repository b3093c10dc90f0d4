//! A world to watch, on a virtual clock: targets and channels with faults, a
//! disk, and a driver that asks, answers and crashes. Nothing here sleeps.
#![allow(dead_code)] // each test binary, bench and example uses its own part

pub mod beyond;
pub mod channel;
pub mod drive;
pub mod holds;
pub mod oracle;
pub mod prometheus;
pub mod script;
pub mod simulate;
pub mod sourced;
pub mod target;

/// A small seeded generator (splitmix64): the same seed, the same world.
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Whether something of this chance happens.
    pub fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }
}
