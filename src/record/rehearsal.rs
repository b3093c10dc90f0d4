//! A rehearsal: a test alert sent through every channel before it matters, and
//! what came of it. The production checklist asks for it: "alerts firing
//! correctly" is shown by a test alert that was received.

use serde::{Deserialize, Serialize};

use crate::model::{Name, Timestamp};

/// A test of a service's channels.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rehearsal {
    /// When it began.
    pub at: Timestamp,
    /// Each letter that was sent, or could not be, by channel and in order.
    pub letters: Vec<Rehearsed>,
}

/// One letter of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rehearsed {
    /// To whom.
    pub channel: Name,
    /// What it told.
    pub stage: Stage,
    /// How often it left.
    pub tries: u32,
    /// Whether everybody that it was for took it.
    pub is_taken: bool,
    /// The receiver's words, or what happened.
    pub answer: String,
    /// Whether a link was in it, by which a person says that it arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
    /// When somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
}

/// What is played.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// An alert was pending, and fires.
    Firing,
    /// It fires still.
    Reminder,
    /// It is over.
    Resolved,
}

impl Stage {
    /// All, in order.
    pub const ALL: [Stage; 3] = [Stage::Firing, Stage::Reminder, Stage::Resolved];

    /// `firing`, `reminder` or `resolved`.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Firing => "firing",
            Stage::Reminder => "reminder",
            Stage::Resolved => "resolved",
        }
    }
}

impl Rehearsal {
    /// The channels that were tested, each with what was not taken there first;
    /// `None`: all was.
    pub fn by_channel(&self) -> Vec<(&Name, Option<&Rehearsed>)> {
        let mut channels: Vec<(&Name, Option<&Rehearsed>)> = Vec::new();
        for letter in &self.letters {
            let missed = (!letter.is_taken).then_some(letter);
            match channels.iter_mut().find(|(channel, _)| **channel == letter.channel) {
                Some((_, known)) => *known = known.or(missed),
                None => channels.push((&letter.channel, missed)),
            }
        }
        channels
    }

    /// The channels in which a person was asked whether it arrived, and when the
    /// first said so; `None`: nobody has yet.
    pub fn seen(&self) -> Vec<(&Name, Option<Timestamp>)> {
        let mut channels: Vec<(&Name, Option<Timestamp>)> = Vec::new();
        // Whatever the receiver answered: what was seen has arrived.
        let asks = |one: &&Rehearsed| one.asks && (one.is_taken || one.seen_at.is_some());
        for letter in self.letters.iter().filter(asks) {
            match channels.iter_mut().find(|(channel, _)| **channel == letter.channel) {
                Some((_, at)) => *at = (*at).into_iter().chain(letter.seen_at).min(),
                None => channels.push((&letter.channel, letter.seen_at)),
            }
        }
        channels
    }

    /// Whether every channel took all of it.
    pub fn is_received(&self) -> bool {
        self.letters.iter().all(|letter| letter.is_taken)
    }
}
