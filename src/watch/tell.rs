//! Letters: what each channel is owed, frozen by a fact before it leaves.

use std::collections::BTreeMap;

use super::flight::{Asked, Due};
use super::{Question, Watch};
use crate::model::{Channel, Name, Timestamp};
use crate::notify::{self, Due as LetterDue, Letter, Owed, Rush};
use crate::record::{ChannelRecord, Fact, LetterRecord, Plan, Waited};

/// Letters written in this turn, and what need not be looked at again.
#[derive(Default)]
pub(super) struct Tell {
    ready: Vec<(Box<Channel>, Box<Letter>)>,
    /// Letters that are out, as they left: the next try takes them from here. After
    /// a crash they are written once more, to the same byte.
    out: BTreeMap<Name, Box<Letter>>,
    /// News up to here held nothing for the channel.
    nothing_to: BTreeMap<Name, u64>,
    /// The record's last fact when nobody was owed anything: until the next
    /// one that holds.
    nothing_at: Option<u64>,
    /// Facts cannot be stored now: letters say so.
    pub(super) not_stored: bool,
    /// What is owed and not due yet: from when on, and what it waits for.
    waits: BTreeMap<Name, LetterDue>,
}

impl Tell {
    /// Channels may take what they did not take before.
    pub fn look_again(&mut self) {
        self.nothing_to.clear();
        self.nothing_at = None;
    }
}

impl Watch {
    /// Freezes what is owed and due. The letters leave with the next `ask`,
    /// when the facts that freeze them are stored.
    pub(super) fn write_letters(&mut self, now: Timestamp) {
        if self.tell.nothing_at == Some(self.record.seq) {
            return;
        }
        let channels = &self.record.channels;
        let is_out = |to: &Name, letter: &mut Box<Letter>| {
            channels[to].frozen.as_ref().is_some_and(|frozen| frozen.key == letter.key)
        };
        self.tell.out.retain(is_out);
        for index in 0..self.record.plan.channels.len() {
            let channel = &self.record.plan.channels[index];
            if self.tell.ready.iter().any(|(ready, _)| ready.name == channel.name) {
                continue;
            }
            if self.flight.has_letter_to(&channel.name) || !self.may_owe(channel) {
                continue;
            }
            if self.left.letters_to.contains(&channel.name) {
                continue;
            }
            if now < self.next_try(&channel.name) || self.has_to_wait(now, index) {
                continue;
            }
            let channel = &self.record.plan.channels[index];
            match self.owed_to(channel) {
                Owed::Letter(letter) => self.freeze(now, Box::new(channel.clone()), letter),
                Owed::Nothing | Owed::Skip { .. } => {
                    self.tell.nothing_to.insert(channel.name.clone(), self.record.news_end());
                }
            }
        }
        if !self.record.plan.channels.iter().any(|channel| self.may_owe(channel)) {
            self.tell.nothing_at = Some(self.record.seq);
        }
    }

    fn owed_to(&self, channel: &Channel) -> Owed {
        match self.tell.out.get(&channel.name) {
            Some(letter) => Owed::Letter(letter.clone()),
            None => notify::owed(&self.record, channel),
        }
    }

    fn freeze(&mut self, now: Timestamp, channel: Box<Channel>, letter: Box<Letter>) {
        self.note(
            now,
            Fact::Sent {
                channel: channel.name.clone(),
                key: letter.key.clone(),
                after: letter.after,
                up_to: letter.up_to,
                hash: notify::hash(&letter),
                waited: notify::waited(&self.record, &channel),
            },
        );
        self.tell.out.insert(channel.name.clone(), letter.clone());
        self.tell.ready.push((channel, letter));
    }

    pub(super) fn ask_letters(&mut self, due: &mut Vec<Due>) {
        for (channel, letter) in std::mem::take(&mut self.tell.ready) {
            let asked = Asked::Letter { channel: channel.name.clone(), key: letter.key.clone() };
            let timeout = notify::TIMEOUT;
            let not_stored = self.tell.not_stored;
            due.push(Due {
                asked,
                question: Question::Deliver { channel, letter, timeout, not_stored },
                timeout,
            });
        }
    }

    /// Letters that are to leave once more, one at a time to a channel: each waits
    /// for what is out. A crash makes nothing of it: they leave at the next start.
    pub(super) fn ask_replays(&self, due: &mut Vec<Due>) {
        for (name, key) in &self.record.replays {
            let is_to = |due: &Due| match &due.asked {
                Asked::Letter { channel, .. } | Asked::Repeat { channel, .. } => channel == name,
                _ => false,
            };
            if self.flight.has_letter_to(name) || due.iter().any(is_to) {
                continue;
            }
            let Some(letter) = self.replayed(name, key) else { continue };
            let channel = self.record.plan.channels.iter().find(|channel| channel.name == *name);
            let Some(channel) = channel.cloned().map(Box::new) else { continue };
            let (timeout, not_stored) = (notify::TIMEOUT, self.tell.not_stored);
            let asked = Asked::Letter { channel: name.clone(), key: key.clone() };
            let letter = Box::new(letter);
            let question = Question::Deliver { channel, letter, timeout, not_stored };
            due.push(Due { asked, question, timeout });
        }
    }

    /// In the words, and under the key, that it left with.
    fn replayed(&self, channel: &Name, key: &str) -> Option<Letter> {
        let channel = self.record.plan.channels.iter().find(|known| known.name == *channel)?;
        let is_it = |left: &&LetterRecord| left.channel == channel.name && left.key == key;
        let left = self.record.letters.iter().rfind(is_it)?;
        let letter = notify::again(&self.record, channel, left)?;
        Some(Letter { key: key.to_owned(), ..letter })
    }

    /// When the first channel that is owed something may be tried again.
    pub(super) fn next_letter(&self) -> Option<Timestamp> {
        let waits = |(channel, key): &(Name, String)| {
            !self.flight.has_letter_to(channel) && self.replayed(channel, key).is_some()
        };
        if !self.tell.ready.is_empty() || self.record.replays.iter().any(waits) {
            return Some(self.record.at);
        }
        if self.tell.nothing_at == Some(self.record.seq) {
            return None;
        }
        let waiting = self.record.plan.channels.iter().filter(|channel| {
            self.may_owe(channel)
                && !self.flight.has_letter_to(&channel.name)
                && !self.left.letters_to.contains(&channel.name)
        });
        let due =
            |name: &Name| self.tell.waits.get(name).map_or_else(Timestamp::default, |due| due.at);
        waiting.map(|channel| self.next_try(&channel.name).max(due(&channel.name))).min()
    }

    /// Whether some channel has something coming that can still be delivered:
    /// a broken one is tried hourly as long as we live, but nobody waits for it.
    pub(super) fn is_owing(&self) -> bool {
        let owes = self.record.plan.channels.iter().any(|channel| {
            let known = self.channel(&channel.name);
            // What waits while we leave is the next process's.
            let waits = self.stopping && self.tell.waits.contains_key(&channel.name);
            !known.broken && !waits && (known.frozen.is_some() || self.may_owe(channel))
        });
        let mut replays = self.record.replays.iter();
        owes || replays.any(|(channel, key)| self.replayed(channel, key).is_some())
    }

    /// Whether what a channel is owed is to wait; noted, so that we wake then.
    fn has_to_wait(&mut self, now: Timestamp, index: usize) -> bool {
        let channel = &self.record.plan.channels[index];
        let rush = if self.stopping { Rush::Leaving } else { Rush::No };
        let due = notify::due(&self.record, channel, now, rush);
        let name = channel.name.clone();
        let Some(due) = due.filter(|due| due.at > now) else {
            self.tell.waits.remove(&name);
            return false;
        };
        if due.waited == Some(Waited::Limit) {
            let limit = channel.routing.limit();
            let detail = format!(
                "{name}: {limit} letters in ten minutes is its limit; what came besides was \
                 told in one letter"
            );
            self.limit(now, None, &format!("letters to {name}"), &detail);
        }
        self.tell.waits.insert(name, due);
        true
    }

    /// The channels of the next release's watch that this one still has to tell
    /// something. One that is broken keeps nobody waiting.
    pub(super) fn owing_to<'a>(&'a self, heir: &'a Plan) -> impl Iterator<Item = Name> + 'a {
        let is_alike = |channel: &&Channel| {
            let same =
                |other: &Channel| other.name == channel.name && other.medium == channel.medium;
            heir.channels.iter().any(same)
        };
        let owes = |channel: &&Channel| {
            let known = self.channel(&channel.name);
            // What it keeps back itself, for the one before it, comes first as well.
            let owes = known.frozen.is_some()
                || self.may_owe(channel)
                || self.left.letters_to.contains(&channel.name);
            !self.is_dead() && !known.broken && owes
        };
        let channels = self.record.plan.channels.iter();
        channels.filter(is_alike).filter(owes).map(|channel| channel.name.clone())
    }

    pub(super) fn may_owe(&self, channel: &Channel) -> bool {
        let known = self.channel(&channel.name);
        let nothing_to = self.tell.nothing_to.get(&channel.name).copied().unwrap_or(0);
        known.frozen.is_some() || known.told.max(nothing_to) < self.record.news_end()
    }

    pub(super) fn next_try(&self, channel: &Name) -> Timestamp {
        let seed = [self.id.0.as_str(), "/", channel.as_str()];
        notify::next_try(self.channel(channel), &seed)
    }

    fn channel(&self, name: &Name) -> &ChannelRecord {
        &self.record.channels[name]
    }
}
