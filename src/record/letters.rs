//! What became of each letter: the receipts, as the record keeps them.

use super::{LetterState, LetterSummary, Outcome, Record};
use crate::model::{Name, Timestamp};

/// Things told by one letter that are named; the rest is counted.
const NAMED_MAX: usize = 6;

/// A letter that left, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LetterRecord {
    /// To whom.
    pub channel: Name,
    /// Its idempotency key.
    pub key: String,
    /// It tells the news after this fact …
    pub after: u64,
    /// … up to and with this one.
    pub up_to: u64,
    /// When it left first.
    pub at: Timestamp,
    /// How often it left.
    pub tries: u32,
    /// When its last try ended, and how; `None`: it is out.
    pub last: Option<(Timestamp, Outcome)>,
}

impl Record {
    /// A letter leaves, perhaps once more.
    pub(super) fn letter_left(&mut self, channel: &Name, key: &str, after: u64, up_to: u64) {
        let at = self.at;
        match self.letter_mut(channel, key) {
            Some(known) => (known.tries, known.last) = (known.tries + 1, None),
            None => {
                let (channel, key) = (channel.clone(), key.to_owned());
                let left = LetterRecord { channel, key, after, up_to, at, tries: 1, last: None };
                self.letters.push(left);
            }
        }
    }

    /// A try of it has ended.
    pub(super) fn letter_ended(&mut self, channel: &Name, key: &str, outcome: &Outcome) {
        let at = self.at;
        if let Some(known) = self.letter_mut(channel, key) {
            known.last = Some((at, outcome.clone()));
        }
    }

    /// Nearly always among the last.
    fn letter_mut(&mut self, channel: &Name, key: &str) -> Option<&mut LetterRecord> {
        let mut known = self.letters.iter_mut().rev();
        known.find(|letter| letter.key == key && letter.channel == *channel)
    }

    /// A letter as people read of it.
    pub fn letter_summary(&self, letter: &LetterRecord) -> LetterSummary {
        let (state, answer) = match letter.last.as_ref().map(|(_, outcome)| outcome) {
            None => (LetterState::Out, String::new()),
            Some(Outcome::Accepted { detail } | Outcome::Posted { detail, .. }) => {
                (LetterState::Taken, detail.clone())
            }
            Some(Outcome::Partly { detail, missed }) => {
                let missed = missed.iter().map(|one| format!("{}: {}", one.recipient, one.reason));
                let missed: Vec<String> = missed.collect();
                (LetterState::Partly, format!("{detail}; not {}", missed.join("; ")))
            }
            Some(Outcome::Refused { detail, .. }) => (LetterState::Refused, detail.clone()),
            Some(Outcome::Unknown { detail }) => (LetterState::Unknown, detail.clone()),
        };
        LetterSummary {
            channel: letter.channel.clone(),
            key: letter.key.clone(),
            at: letter.at,
            tries: letter.tries,
            ended_at: letter.last.as_ref().map(|(at, _)| *at),
            state,
            answer,
            tells: self.told_by(letter),
        }
    }

    /// What a letter told, each thing in a few words.
    fn told_by(&self, letter: &LetterRecord) -> Vec<String> {
        let channel = self.plan.channels.iter().find(|known| known.name == letter.channel);
        let from = self.news.partition_point(|news| news.seq <= letter.after);
        let stretch = self.news[from..].iter().take_while(|news| news.seq <= letter.up_to);
        // Of a channel that a reload removed it is not known what it took: all of it.
        let taken =
            stretch.filter(|news| channel.is_none_or(|channel| news.item.concerns(channel)));
        let mut words: Vec<String> = Vec::new();
        for one in taken.map(|news| news.item.in_words()) {
            if !words.contains(&one) {
                words.push(one);
            }
        }
        if words.len() > NAMED_MAX {
            let more = words.len() - NAMED_MAX;
            words.truncate(NAMED_MAX);
            words.push(format!("and {more} more"));
        }
        words
    }
}
