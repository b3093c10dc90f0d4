//! What became of each letter: the receipts, as the record keeps them.

use super::{Fact, LetterState, LetterSummary, Outcome, Record, Waited, WrittenBy};
use crate::model::{Channel, Name, Timestamp};

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
    /// What it waited for.
    pub waited: Option<Waited>,
    /// What of the plan it was written by, where a reload has changed that.
    pub written_by: Option<WrittenBy>,
}

/// Letters that are named where another is asked for that never left.
const KEYS_SHOWN: usize = 5;

impl Record {
    /// A letter leaves, or comes to an end.
    pub(super) fn apply_letter(&mut self, fact: Fact) {
        match fact {
            Fact::Sent { channel, key, after, up_to, waited, .. } => {
                self.apply_sent(channel, key, (after, up_to), waited);
            }
            Fact::Replayed { channel, key, .. } => self.apply_replayed(channel, key),
            Fact::Receipt { channel, key, outcome } => self.apply_receipt(&channel, &key, outcome),
            other => unreachable!("{other:?} is about no letter"),
        }
    }

    /// It leaves, perhaps once more, and nothing later before its receipt.
    fn apply_sent(
        &mut self,
        channel: Name,
        key: String,
        stretch: (u64, u64),
        waited: Option<Waited>,
    ) {
        let at = self.at;
        self.letter_left(&channel, &key, stretch, waited);
        self.channels.entry(channel).or_default().freeze(key, stretch, waited, at);
    }

    fn letter_left(
        &mut self,
        channel: &Name,
        key: &str,
        (after, up_to): (u64, u64),
        waited: Option<Waited>,
    ) {
        let at = self.at;
        match self.letter_mut(channel, key) {
            Some(known) => (known.tries, known.last) = (known.tries + 1, None),
            None => {
                let (channel, key) = (channel.clone(), key.to_owned());
                let (tries, last, written_by) = (1, None, None);
                self.letters.push(LetterRecord {
                    channel,
                    key,
                    after,
                    up_to,
                    at,
                    tries,
                    last,
                    waited,
                    written_by,
                });
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

    /// It is to leave once more, which is a try more of it.
    fn apply_replayed(&mut self, channel: Name, key: String) {
        if let Some(known) = self.letter_mut(&channel, &key) {
            (known.tries, known.last) = (known.tries + 1, None);
            self.replays.push((channel, key));
        }
    }

    /// Whether it had left once more, and nothing is owed by how that ended.
    pub(super) fn end_replay(&mut self, channel: &Name, key: &str) -> bool {
        let before = self.replays.len();
        self.replays.retain(|(to, replayed)| !(to == channel && replayed == key));
        self.replays.len() < before
    }

    /// What was to leave once more to a channel that is another now does not.
    pub(super) fn drop_replays(&mut self, channel: &Name) {
        let keys: Vec<String> =
            self.replays.iter().filter(|(to, _)| to == channel).map(|one| one.1.clone()).collect();
        let detail = "the channel was changed meanwhile".to_owned();
        for key in keys {
            self.letter_ended(channel, &key, &Outcome::Unknown { detail: detail.clone() });
            self.end_replay(channel, &key);
        }
    }

    /// Letters to a channel stay written as they were, whatever holds from now on.
    pub(super) fn keep_words_of(&mut self, channel: &Channel, url: &str) {
        let own = self.letters.iter_mut().filter(|letter| letter.channel == channel.name);
        for letter in own.filter(|letter| letter.written_by.is_none()) {
            let (url, channel) = (url.to_owned(), channel.clone());
            letter.written_by = Some(WrittenBy { url, channel });
        }
    }

    /// The letter that may leave once more under this key, and to whom.
    ///
    /// # Errors
    /// In words: there is none, its channel is gone, or it is told anyhow.
    pub fn replayable(&self, key: &str) -> Result<(&LetterRecord, &Channel), String> {
        let Some(letter) = self.letters.iter().rfind(|letter| letter.key == *key) else {
            let last = self.letters.iter().rev().take(KEYS_SHOWN);
            let last: Vec<&str> = last.map(|letter| letter.key.as_str()).collect();
            let watch = self.release.watch();
            return Err(match last.is_empty() {
                true => format!("no letter of {watch} has left"),
                false => format!("no letter of {watch} is {key}; the last are {}", last.join(", ")),
            });
        };
        let name = &letter.channel;
        let channel = self.plan.channels.iter().find(|channel| channel.name == *name);
        let channel =
            channel.ok_or_else(|| format!("{key} went to {name}, which is no channel any more"))?;
        let told = self.channels.get(name).map_or(0, |known| known.told);
        if letter.last.is_none() {
            return Err(format!("{key} is out to {name}; wait for its receipt"));
        }
        if letter.up_to > told {
            return Err(format!(
                "what {key} tells is owed to {name} still, and is tried by itself"
            ));
        }
        Ok((letter, channel))
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
