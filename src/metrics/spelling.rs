//! How a target's pages write its series, so that the next page is compared
//! and not read. The texts lie one behind the other, in the order of the page
//! that they were met on: a page is held against them from front to back, and
//! a processor that has been at other things meanwhile is not kept waiting for
//! each of them.

use std::fmt;
use std::hash::Hasher;

use hashbrown::HashTable;

use super::Slot;
use super::table::{ByteHasher, SERIES_MAX};

/// An exporter that shuffles its labels has many spellings; beyond two each
/// they are read anew, which costs time and no memory.
const SPELLINGS_MAX: usize = 2 * SERIES_MAX;

/// Where in the text, from and to.
type Place = (u32, u32);

/// Series by the bytes that they are written with.
#[derive(Clone, Default)]
pub(super) struct Spellings {
    text: Vec<u8>,
    /// By slot: its last spelling; an empty one for none yet.
    last: Vec<Place>,
    all: HashTable<(Place, Slot)>, // lookup only
}

impl Spellings {
    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.last.len()
    }

    /// One more slot, that nobody has written yet.
    pub fn push(&mut self) {
        self.last.push((0, 0));
    }

    /// How a slot was written last.
    pub fn of(&self, slot: Slot) -> &[u8] {
        self.at(self.last[slot as usize])
    }

    /// What this stands for, if it is known.
    pub fn slot_of(&self, series: &[u8]) -> Option<Slot> {
        self.find(series).map(|(_, slot)| slot)
    }

    /// Whether there is anything in it to be learned.
    pub fn is_news(&self, slot: Slot, series: &[u8]) -> bool {
        self.of(slot) != series && (self.has_room_for(series) || self.find(series).is_some())
    }

    /// From now on this is how a slot is written.
    pub fn learn(&mut self, slot: Slot, series: &[u8]) {
        let text = &self.text;
        let is_it = |(place, _): &(Place, Slot)| text[within(*place)] == *series;
        if let Some((place, of)) = self.all.find_mut(hash(series), is_it) {
            *of = slot;
            self.last[slot as usize] = *place;
        } else if self.has_room_for(series) {
            let from = self.text.len();
            self.text.extend_from_slice(series);
            let place = (from as u32, self.text.len() as u32);
            self.last[slot as usize] = place;
            let text = &self.text;
            let rehash = |(place, _): &(Place, Slot)| hash(&text[within(*place)]);
            self.all.insert_unique(hash(series), (place, slot), rehash);
        }
    }

    /// What was set aside for more is given back.
    pub fn shrink_to_fit(&mut self) {
        let Spellings { text, last, all } = self;
        text.shrink_to_fit();
        last.shrink_to_fit();
        all.shrink_to_fit(|(place, _)| hash(&text[within(*place)]));
    }

    /// The same for the same spellings in the same order.
    pub fn hash(&self) -> u64 {
        hash(&self.text)
    }

    fn find(&self, series: &[u8]) -> Option<(Place, Slot)> {
        self.all.find(hash(series), |(place, _)| self.at(*place) == series).copied()
    }

    fn at(&self, place: Place) -> &[u8] {
        &self.text[within(place)]
    }

    fn has_room_for(&self, series: &[u8]) -> bool {
        let is_text_short = u32::try_from(self.text.len() + series.len()).is_ok();
        self.all.len() < SPELLINGS_MAX && is_text_short
    }
}

fn within((from, to): Place) -> std::ops::Range<usize> {
    from as usize..to as usize
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = ByteHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

impl PartialEq for Spellings {
    fn eq(&self, other: &Spellings) -> bool {
        self.last == other.last && self.text == other.text
    }
}

impl fmt::Debug for Spellings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} spellings of {} series", self.all.len(), self.last.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_leads_to_its_slot_and_the_last_one_is_expected_next() {
        let mut known = Spellings::default();
        let [plain, turned] = [&br#"x{a="1",b="2"}"#[..], br#"x{b="2",a="1"}"#];
        known.push();
        known.push();
        assert_eq!((known.of(0), known.slot_of(plain)), (&b""[..], None));
        known.learn(0, plain);
        known.learn(1, b"y");
        known.learn(0, turned);
        assert_eq!((known.of(0), known.of(1)), (turned, &b"y"[..]));
        assert_eq!([plain, turned, b"y"].map(|one| known.slot_of(one)), [0, 0, 1].map(Some));
        assert!(known.is_news(0, plain) && !known.is_news(0, turned));
        let before = known.text.len();
        known.learn(0, plain);
        assert_eq!((known.of(0), known.text.len()), (plain, before), "no text is kept twice");
        known.shrink_to_fit();
        assert_eq!(known.slot_of(turned), Some(0));
    }
}
