//! Silences: who wants to hear nothing new of which alerts, and until when.

use super::Record;
use crate::model::{Labels, Name, Severity, Silence, Timestamp};

/// A silence, and what became of it.
#[derive(Clone, PartialEq, Debug)]
pub struct SilenceRecord {
    /// As it was made.
    pub silence: Silence,
    /// When it was ended before its time, and by whom.
    pub ended: Option<(Timestamp, String)>,
}

impl SilenceRecord {
    /// Until when it holds: its own end needs no fact.
    pub fn until(&self) -> Timestamp {
        self.ended.as_ref().map_or(self.silence.until, |(at, _)| *at)
    }

    /// Whether it holds at this time.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.silence.from <= now && now < self.until()
    }
}

impl Record {
    /// Silences that hold at this time.
    pub fn silences_at(&self, now: Timestamp) -> impl Iterator<Item = &Silence> {
        let holding = self.silences.iter().filter(move |known| known.holds(now));
        holding.map(|known| &known.silence)
    }

    /// The silence that covers an alert with these labels for longest.
    pub fn silence_over(
        &self,
        labels: &Labels,
        severity: Severity,
        now: Timestamp,
    ) -> Option<&Silence> {
        let covers = self.silences_at(now).filter(|silence| silence.may_hold(severity));
        let covers = covers.filter(|silence| silence.matchers.fit(labels));
        covers.max_by_key(|silence| silence.until)
    }

    pub(super) fn apply_silenced(&mut self, silence: Silence) {
        if !self.silences.iter().any(|known| known.silence.id == silence.id) {
            self.silences.push(SilenceRecord { silence, ended: None });
        }
    }

    pub(super) fn apply_unsilenced(&mut self, id: &Name, by: String) {
        let at = self.at;
        let known = self.silences.iter_mut().find(|known| known.silence.id == *id);
        if let Some(known) = known.filter(|known| known.ended.is_none()) {
            known.ended = Some((at, by));
        }
    }
}
