//! What is remembered of a target's page from one scrape to the next: which
//! bytes are which series. It travels with the scrape and comes back with the
//! answer, so nobody waits for it; what replicas have in common is shared.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Weak};

use memchr::memmem;

use super::spelling::Spellings;
use super::{Page, Slot};
use crate::model::Labels;

/// Most series of one target. Ten times the largest we have met.
pub(super) const SERIES_MAX: usize = 200_000;

/// One target's series, by the bytes that they are written with.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What replicas of one service have in common: see `Shapes`.
    pub(super) shape: Arc<Shape>,
    /// Slots in the order of the last page.
    pub(super) order: Arc<Vec<Slot>>,
    /// By slot: the page that had it last; 0 for none yet.
    pub(super) shown: Vec<u32>,
    pub(super) page: u32,
    /// Since it was last shared.
    pub(super) has_changed: bool,
}

/// Series by their bytes.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Shape {
    pub(super) spelled: Spellings,
    /// By slot: its name and its labels.
    named: Arc<Vec<(Arc<str>, Labels)>>,
    /// Series whose bytes differ and whose labels do not share a slot.
    by_labels: HashMap<Arc<str>, HashMap<Labels, Slot, Hash>, Hash>, // lookup only
}

/// The shapes of all targets there are: replicas write the same series in the
/// same order, and need to be remembered once.
#[derive(Debug, Default)]
pub struct Shapes {
    known: BTreeMap<u64, (Weak<Shape>, Weak<Vec<Slot>>)>,
}

impl Shapes {
    /// Gives a table that has read nothing yet the memory of one whose series
    /// are on this page too: the page then costs what a later one does. Where
    /// the rest of it differs, the table learns that for itself.
    pub fn lend(&self, table: &mut Table, body: &[u8]) {
        let living = self.known.values();
        let mut living =
            living.filter_map(|(shape, order)| Some((shape.upgrade()?, order.upgrade()?)));
        let is_on_page =
            |shape: &Shape, slot: Slot| memmem::find(body, shape.spelled.of(slot)).is_some();
        let fitting = living.find(|(shape, order)| {
            let samples = [order.first(), order.get(order.len() / 2), order.last()];
            !order.is_empty() && samples.iter().flatten().all(|slot| is_on_page(shape, **slot))
        });
        if let Some((shape, order)) = fitting {
            table.shown = vec![0; shape.spelled.len()];
            (table.shape, table.order) = (shape, order);
        }
    }

    /// Gives a table that learned something the memory of another one that
    /// has learned the same, and its page the labels from there: when all
    /// targets are met at once, what is new of each waits to be taken in.
    pub fn share(&mut self, table: &mut Table, page: Option<&mut Page>) {
        if !std::mem::take(&mut table.has_changed) {
            return;
        }
        table.shown.shrink_to_fit();
        self.known.retain(|_, (shape, _)| shape.strong_count() > 0);
        if let Some(shape) = Arc::get_mut(&mut table.shape) {
            shape.spelled.shrink_to_fit();
        }
        let known = self.known.entry(table.shape.spelled.hash()).or_default();
        match known.0.upgrade() {
            Some(shape) if shape == table.shape => {
                if let Some(page) = page {
                    page.fresh.named = shape.named.clone();
                }
                table.shape = shape;
            }
            Some(_) => return, // another shape with that hash
            None => known.0 = Arc::downgrade(&table.shape),
        }
        match known.1.upgrade() {
            Some(order) if order == table.order => table.order = order,
            Some(_) => {}
            None => known.1 = Arc::downgrade(&table.order),
        }
    }
}

/// A fast hash of short texts. (The multiplier is that of FxHash; collisions
/// only cost a comparison, since keys are compared.)
#[derive(Default)]
pub(super) struct ByteHasher(u64);
pub(super) type Hash = BuildHasherDefault<ByteHasher>;

impl Hasher for ByteHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        for byte in chunks.remainder() {
            let word = u64::from(*byte);
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// The same page without its text: for worlds that are made up.
pub fn page_of<'a>(
    samples: impl Iterator<Item = (&'a str, &'a Labels, f64)>,
    table: &mut Table,
) -> Page {
    let mut page = Page::default();
    page.samples.reserve(table.shown.len());
    table.page += 1;
    let mut next: Slot = 0;
    for (name, labels, value) in samples {
        // Nearly always it is the one that came next the last time, too.
        let is_it = |(known, of): &(Arc<str>, Labels)| **known == *name && of == labels;
        let slot = match table.shape.named.get(next as usize).is_some_and(is_it) {
            true => table.take(next, &mut page),
            false => table.slot_of(name, labels, &mut page),
        };
        if let Some(slot) = slot {
            next = slot + 1;
            page.samples.push((slot, value));
        }
    }
    table.name(&mut page);
    page
}

impl Table {
    /// Whether it has read nothing yet.
    pub fn is_blank(&self) -> bool {
        self.page == 0
    }

    /// Whether it has learned something since it was last shared.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// The slot of a series, a new one if need be; `None` when it has been on
    /// this page before (the first of a series wins) or there are too many.
    pub(super) fn slot_of(&mut self, name: &str, labels: &Labels, page: &mut Page) -> Option<Slot> {
        if let Some(slot) = self.shape.by_labels.get(name).and_then(|named| named.get(labels)) {
            return self.take(*slot, page);
        }
        let slot = Slot::try_from(self.shown.len()).ok()?;
        if self.shown.len() >= SERIES_MAX {
            page.limit("series", || format!("more than {SERIES_MAX} series; the rest is dropped"));
            return None;
        }
        let shape = self.shape_mut();
        let name = match shape.by_labels.get_key_value(name) {
            Some((name, _)) => name.clone(),
            None => Arc::from(name),
        };
        page.fresh.slots.push(slot);
        shape.spelled.push();
        Arc::make_mut(&mut shape.named).push((name.clone(), labels.clone()));
        shape.by_labels.entry(name).or_default().insert(labels.clone(), slot);
        self.shown.push(self.page);
        Some(slot)
    }

    /// Marks a slot as seen on this page; `None`: for the second time. What a
    /// lent memory holds is new to this target the first time it is seen.
    pub(super) fn take(&mut self, slot: Slot, page: &mut Page) -> Option<Slot> {
        let shown = &mut self.shown[slot as usize];
        let before = std::mem::replace(shown, self.page);
        if before == 0 {
            page.fresh.slots.push(slot);
        }
        (before != self.page).then_some(slot)
    }

    /// The page is read: what is new on it gets its names.
    pub(super) fn name(&self, page: &mut Page) {
        if !page.fresh.is_empty() {
            page.fresh.named = self.shape.named.clone();
        }
    }

    /// The page is given up: what was new on it is new on the next one.
    pub(super) fn unlearn(&mut self, page: &Page) {
        page.fresh.slots.iter().for_each(|slot| self.shown[*slot as usize] = 0);
    }

    pub(super) fn shape_mut(&mut self) -> &mut Shape {
        self.has_changed = true;
        Arc::make_mut(&mut self.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Wanted, read_page};

    const PAGE: &str = "x{p=\"/a\"} 1\nx{p=\"/b\"} 2\nx{p=\"/c\"} 3\n";

    /// Reads a page with a memory from `shapes`, and gives what is new on it
    /// and whether something had to be learned.
    fn read(shapes: &mut Shapes, table: &mut Table, text: &str) -> (Vec<String>, bool) {
        if table.is_blank() {
            shapes.lend(table, text.as_bytes());
        }
        let wanted = Wanted::names(["x", "y"].into_iter());
        let mut page = read_page(text.as_bytes(), None, &wanted, table).expect("a page");
        let has_changed = table.has_changed();
        shapes.share(table, Some(&mut page));
        let fresh = page.fresh.iter();
        (fresh.map(|(slot, name, labels)| format!("{slot} {name}{labels}")).collect(), has_changed)
    }

    #[test]
    fn a_replica_is_lent_what_its_sibling_learned() {
        let (mut shapes, mut first, mut second) =
            (Shapes::default(), Table::default(), Table::default());
        let all = ["0 x{p=\"/a\"}", "1 x{p=\"/b\"}", "2 x{p=\"/c\"}"].map(str::to_owned).to_vec();
        assert_eq!(read(&mut shapes, &mut first, PAGE), (all.clone(), true));
        assert_eq!(read(&mut shapes, &mut second, PAGE), (all, false));
        assert!(Arc::ptr_eq(&first.shape, &second.shape));
        assert_eq!(read(&mut shapes, &mut second, PAGE), (Vec::new(), false));
    }

    #[test]
    fn what_is_lent_is_new_only_when_it_is_seen_and_what_differs_is_learned() {
        let (mut shapes, mut first, mut second) =
            (Shapes::default(), Table::default(), Table::default());
        read(&mut shapes, &mut first, &PAGE.replace("/c\"} 3", "/c\"} 3\nx{p=\"/d\"} 4\nx 5"));
        let other = "x{p=\"/a\"} 1\nx{p=\"/c\"} 3\nx{p=\"/e\"} 7\nx 5\n";
        let (fresh, has_changed) = read(&mut shapes, &mut second, other);
        let new = ["0 x{p=\"/a\"}", "2 x{p=\"/c\"}", "5 x{p=\"/e\"}", "4 x{}"];
        assert_eq!((fresh, has_changed), (new.map(str::to_owned).to_vec(), true));
        let (fresh, _) = read(&mut shapes, &mut second, &format!("{other}x{{p=\"/d\"}} 1\n"));
        assert_eq!(fresh, ["3 x{p=\"/d\"}"]);
    }

    #[test]
    fn another_service_is_lent_nothing() {
        let (mut shapes, mut first, mut other) =
            (Shapes::default(), Table::default(), Table::default());
        read(&mut shapes, &mut first, PAGE);
        let (fresh, has_changed) = read(&mut shapes, &mut other, "x{p=\"/a\"} 1\ny 2\n");
        assert_eq!((fresh.len(), has_changed), (2, true));
        assert_eq!(other.shown.len(), 2, "nothing of the first is there");
    }
}
