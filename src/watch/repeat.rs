//! Alerts that an Alertmanager is told again, so that it does not take them for
//! over. No fact says so while it works; a failure and its end are receipts.

use std::collections::BTreeMap;

use super::flight::{Asked, Due};
use super::{Question, Watch};
use crate::model::{Channel, Medium, Name, Timestamp};
use crate::notify::{self, REPEAT_EVERY};
use crate::record::{ChannelRecord, Fact, Outcome};

/// When each channel was last told again. Volatile: after a restart it is told
/// at once, which does no harm.
#[derive(Default)]
pub(super) struct Repeats {
    at: BTreeMap<Name, Timestamp>,
}

impl Watch {
    pub(super) fn ask_repeats(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        for index in 0..self.record.plan.channels.len() {
            let channel = &self.record.plan.channels[index];
            if self.next_repeat_to(channel).is_none_or(|at| now < at) {
                continue;
            }
            let (name, channel) = (channel.name.clone(), channel.clone());
            self.repeats.at.insert(name.clone(), now);
            let Some(letter) = notify::repeat(&self.record, &channel, now) else { continue };
            let timeout = notify::TIMEOUT;
            due.push(Due {
                asked: Asked::Repeat { channel: name, key: letter.key.clone() },
                question: Question::Deliver {
                    channel: Box::new(channel),
                    letter: Box::new(letter),
                    timeout,
                    not_stored: false,
                },
                timeout,
            });
        }
    }

    pub(super) fn next_repeat(&self) -> Option<Timestamp> {
        let channels = self.record.plan.channels.iter();
        channels.filter_map(|channel| self.next_repeat_to(channel)).min()
    }

    /// `None`: it is of no such kind, or a letter goes before.
    fn next_repeat_to(&self, channel: &Channel) -> Option<Timestamp> {
        if !matches!(channel.medium, Medium::Alertmanager { .. }) || !self.is_standing() {
            return None;
        }
        let known = self.record.channels.get(&channel.name)?;
        if known.frozen.is_some() || self.flight.has_letter_to(&channel.name) {
            return None;
        }
        let Some(last) = self.repeats.at.get(&channel.name).copied() else {
            return Some(self.record.at);
        };
        let again = (known.failures > 0).then(|| self.next_try(&channel.name));
        Some(again.filter(|again| last < *again).unwrap_or(last + REPEAT_EVERY))
    }

    /// Whether what burns by this watch's record burns still, as far as it knows.
    fn is_standing(&self) -> bool {
        !self.stopping && self.record.ended.is_none() && self.record.succession.by.is_none()
    }

    /// What is worth a receipt: that it fails, that it works again, or that
    /// others than before are not reached.
    pub(super) fn hear_repeat(
        &mut self,
        now: Timestamp,
        channel: Name,
        key: String,
        outcome: Outcome,
    ) {
        let Some(known) = self.record.channels.get(&channel) else { return };
        if is_telling(known, &outcome) {
            self.note(now, Fact::Receipt { channel, key, outcome });
        }
    }
}

fn is_telling(known: &ChannelRecord, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Accepted { .. } | Outcome::Posted { .. } => {
            known.failures > 0 || !known.missing.is_empty()
        }
        Outcome::Partly { missed, .. } => {
            let is_known = |who: &String| known.missing.contains_key(who);
            known.failures > 0
                || missed.len() != known.missing.len()
                || !missed.iter().all(|one| is_known(&one.recipient))
        }
        Outcome::Refused { .. } | Outcome::Unknown { .. } => true,
    }
}
