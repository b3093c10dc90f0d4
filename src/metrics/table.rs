//! What is remembered of a target's page from one scrape to the next: which
//! bytes are which series. It travels with the scrape and comes back with the
//! answer, so nobody waits for it; what replicas have in common is shared.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Weak};

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
    /// By slot: the page that had it last.
    pub(super) shown: Vec<u32>,
    pub(super) page: u32,
    /// Since it was last shared.
    pub(super) has_changed: bool,
}

/// Series by their bytes.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Shape {
    pub(super) slots: HashMap<Arc<[u8]>, Slot, Hash>, // lookup only
    /// By slot: its bytes.
    pub(super) known: Vec<Arc<[u8]>>,
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
    /// Gives a table that learned something the memory of another one that
    /// has learned the same.
    pub fn share(&mut self, table: &mut Table) {
        if !std::mem::take(&mut table.has_changed) {
            return;
        }
        table.shown.shrink_to_fit();
        self.known.retain(|_, (shape, _)| shape.strong_count() > 0);
        let mut hasher = ByteHasher::default();
        table.shape.known.iter().for_each(|bytes| hasher.write(bytes));
        let known = self.known.entry(hasher.finish()).or_default();
        match known.0.upgrade() {
            Some(shape) if shape == table.shape => table.shape = shape,
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
    for (name, labels, value) in samples {
        if let Some(slot) = table.slot_of(name, labels, &mut page) {
            page.samples.push((slot, value));
        }
    }
    page
}

impl Table {
    /// Whether it has learned something since it was last shared.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// The slot of a series, a new one if need be; `None` when it has been on
    /// this page before (the first of a series wins) or there are too many.
    pub(super) fn slot_of(&mut self, name: &str, labels: &Labels, page: &mut Page) -> Option<Slot> {
        if let Some(slot) = self.shape.by_labels.get(name).and_then(|named| named.get(labels)) {
            return self.take(*slot);
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
        page.fresh.push((slot, name.clone(), labels.clone()));
        shape.known.push(Arc::from([]));
        shape.by_labels.entry(name).or_default().insert(labels.clone(), slot);
        self.shown.push(self.page);
        Some(slot)
    }

    /// Marks a slot as seen on this page; `None`: for the second time.
    pub(super) fn take(&mut self, slot: Slot) -> Option<Slot> {
        let shown = &mut self.shown[slot as usize];
        (std::mem::replace(shown, self.page) != self.page).then_some(slot)
    }

    pub(super) fn shape_mut(&mut self) -> &mut Shape {
        self.has_changed = true;
        Arc::make_mut(&mut self.shape)
    }
}
