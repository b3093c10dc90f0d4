//! What of a window was seen, and what was not: together exactly the window.

use crate::model::{Number, Span, Timestamp};
use crate::record::{Blind, Block, Coverage, Record};

/// Why time is dark that no fact accounts for.
const UNACCOUNTED: &str = "nothing was recorded";

/// A window as it was seen.
pub(super) struct Sight<'a> {
    /// The window's start.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Blocks that reach into the window, in order.
    pub blocks: Vec<&'a Block>,
    /// For each block the time that it speaks for: inside the window, in no
    /// other block and in no blind stretch.
    pub lengths: Vec<Span>,
    /// What is left: disjoint, in order.
    pub blind: Vec<Blind>,
}

impl<'a> Sight<'a> {
    /// The window `from..to` of `record`.
    pub(super) fn of(record: &'a Record, from: Timestamp, to: Timestamp) -> Sight<'a> {
        let all = record.blocks.iter().map(|block| &**block);
        let mut blocks: Vec<&Block> =
            all.filter(|b| b.from < to && b.to > from && b.from < b.to).collect();
        blocks.sort_by_key(|block| (block.from, block.to));
        let dark = disjoint(&record.blind, from, to);
        let mut lengths = Vec::with_capacity(blocks.len());
        let mut blind = dark.clone();
        let mut reached = from; // all before it is accounted for
        let mut first = 0; // stretches before this one end before `reached`
        for block in &blocks {
            let (start, end) = (block.from.max(reached), block.to.min(to));
            while dark.get(first).is_some_and(|stretch| stretch.to <= reached) {
                first += 1;
            }
            unaccounted(&mut blind, &dark[first..], reached, start);
            lengths.push(lit(&dark[first..], start, end));
            reached = reached.max(end);
        }
        unaccounted(&mut blind, &dark, reached, to);
        blind.sort_by_key(|stretch| stretch.from);
        Sight { from, to, blocks, lengths, blind: joined(blind) }
    }

    /// The window's length.
    pub(super) fn whole(&self) -> Span {
        self.to.since(self.from)
    }

    /// Time that some block speaks for. With the blind stretches: the window.
    #[cfg(test)]
    pub(super) fn seen(&self) -> Span {
        self.lengths.iter().fold(Span::ZERO, |sum, length| sum + *length)
    }

    /// Share of the window in which a thing was seen, when it was at so many
    /// of the looks of these blocks (index and count).
    pub(super) fn share(&self, looks: impl IntoIterator<Item = (usize, u32)>) -> f64 {
        self.share_since(self.from, looks)
    }

    /// The same of the window's rest from `start` on.
    pub(super) fn share_since(
        &self,
        start: Timestamp,
        looks: impl IntoIterator<Item = (usize, u32)>,
    ) -> f64 {
        let start = start.max(self.from);
        let mut seen = 0.0;
        for (index, looks) in looks {
            let block = self.blocks[index];
            let (from, to) = (block.from.max(self.from), block.to.min(self.to));
            let (rest, all) = (to.since(from.max(start)), to.since(from));
            if block.slots > 0 && rest > Span::ZERO {
                let share = f64::from(looks.min(block.slots)) / f64::from(block.slots);
                let part = rest.millis() as f64 / all.millis() as f64;
                seen += self.lengths[index].millis() as f64 * part * share;
            }
        }
        let whole = self.to.since(start).millis();
        if whole <= 0 { 0.0 } else { (seen / whole as f64).min(1.0) }
    }

    /// For the summary.
    pub(super) fn coverage(&self) -> Coverage {
        let looks = self.blocks.iter().map(|block| block.seen).enumerate();
        let health_ratio = Number(self.share(looks));
        Coverage { health_ratio, blind: self.blind.clone() }
    }
}

/// Blind stretches clipped to the window; of two that overlap the earlier
/// one keeps its words.
fn disjoint(blind: &[Blind], from: Timestamp, to: Timestamp) -> Vec<Blind> {
    let mut sorted: Vec<&Blind> = blind.iter().collect();
    sorted.sort_by_key(|stretch| (stretch.from, stretch.to));
    let mut found: Vec<Blind> = Vec::new();
    let mut reached = from;
    for stretch in sorted {
        let (start, end) = (stretch.from.max(reached), stretch.to.min(to));
        if start < end {
            found.push(Blind { from: start, to: end, why: stretch.why.clone() });
            reached = end;
        }
    }
    found
}

/// How much of `start..end` lies in no dark stretch.
fn lit(dark: &[Blind], start: Timestamp, end: Timestamp) -> Span {
    let mut left = end.since(start).max(Span::ZERO);
    for stretch in dark.iter().take_while(|stretch| stretch.from < end) {
        let overlap = stretch.to.min(end).since(stretch.from.max(start));
        left = left - overlap.max(Span::ZERO);
    }
    left
}

/// Adds what of `start..end` lies in no dark stretch as dark without words.
fn unaccounted(blind: &mut Vec<Blind>, dark: &[Blind], start: Timestamp, end: Timestamp) {
    let mut add = |from: Timestamp, to: Timestamp| {
        if from < to {
            blind.push(Blind { from, to, why: UNACCOUNTED.to_owned() });
        }
    };
    let mut reached = start;
    for stretch in dark.iter().take_while(|stretch| stretch.from < end) {
        add(reached, stretch.from.min(end));
        reached = reached.max(stretch.to);
    }
    add(reached, end);
}

/// Neighbours with the same words become one.
fn joined(blind: Vec<Blind>) -> Vec<Blind> {
    let mut found: Vec<Blind> = Vec::new();
    for stretch in blind {
        match found.last_mut() {
            Some(last) if last.to == stretch.from && last.why == stretch.why => {
                last.to = stretch.to;
            }
            _ => found.push(stretch),
        }
    }
    found
}
