//! What the record knows of a channel: one bookmark, and how telling goes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Outcome, Waited};
use crate::model::{MINUTE, Routing, Severity, Span, Timestamp};

/// One bookmark, not a queue: while a channel is down, a fire and its resolve
/// become one letter, and nothing expires unread.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChannelRecord {
    /// News up to this fact has been taken by the receiver.
    pub told: u64,
    /// A letter that left, or was about to, and of which nothing is known yet.
    pub frozen: Option<Frozen>,
    /// Tries since the last success.
    pub failures: u32,
    /// The first of them.
    pub failing_since: Option<Timestamp>,
    /// The end of the last try.
    pub last_try: Option<Timestamp>,
    /// The receiver asked not to hear from us before this.
    pub not_before: Option<Timestamp>,
    /// Trying as we are is pointless, or it has failed for a day: tried hourly.
    pub broken: bool,
    /// What the receiver said last, or what happened.
    pub last_words: String,
    /// Recipients that the last letter did not reach, each with why.
    pub missing: BTreeMap<String, String>,
    /// Where messages about incidents stand, for receivers that say so.
    pub messages: BTreeMap<String, Posted>,
    /// Letters that were taken.
    pub accepted: u32,
    /// Tries that failed, in all.
    pub refused: u32,
    /// By severity: when the last letter that told of such an alert was taken.
    pub alerts_at: BTreeMap<Severity, Timestamp>,
    /// When letters were taken in the ten minutes before the last of them.
    pub recent: Vec<Timestamp>,
    /// The end of the letter that was tried last, and how often that failed.
    pub tries: (u64, u32),
}

/// Over this letters are counted, where a channel has a limit.
pub const LIMIT_RANGE: Span = Span::from_millis(10 * MINUTE.millis());

/// A message that stands at a receiver.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Posted {
    /// The incident that it is about.
    pub about: String,
    /// The receiver's name for where it stands.
    pub channel: String,
    /// The receiver's name for it.
    pub ts: String,
}

/// A letter that is out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frozen {
    /// Its idempotency key.
    pub key: String,
    /// It tells the news after this …
    pub after: u64,
    /// … up to this.
    pub up_to: u64,
    /// When it was frozen (again).
    pub at: Timestamp,
    /// A try ended without anybody knowing how.
    pub unknown: bool,
    /// What it waited for.
    pub waited: Option<Waited>,
    /// What of the plan it was written by, where a reload has changed that.
    pub written_by: Option<WrittenBy>,
}

/// What of a plan goes into a letter's words, beside the news.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrittenBy {
    /// The service's address.
    pub url: String,
    /// Which alerts the channel took.
    pub severities: Vec<Severity>,
    /// When, and of which of these.
    pub routing: Routing,
}

/// A channel that failed for this long is *broken*: told elsewhere, tried hourly.
pub const BROKEN_AFTER: Span = crate::model::DAY;

/// No receiver is obeyed that wants more silence than this.
pub const RETRY_AFTER_MAX: Span = Span::from_secs(15 * 60);

impl ChannelRecord {
    /// A letter leaves, perhaps once more.
    pub(super) fn freeze(
        &mut self,
        key: String,
        (after, up_to): (u64, u64),
        waited: Option<Waited>,
        at: Timestamp,
    ) {
        if self.tries.0 != up_to {
            self.tries = (up_to, 0);
        }
        // One more try does not make it known how an earlier one ended.
        let before = self.frozen.take().filter(|out| out.key == key);
        let unknown = before.as_ref().is_some_and(|out| out.unknown);
        let written_by = before.and_then(|out| out.written_by);
        self.frozen = Some(Frozen { key, after, up_to, at, unknown, waited, written_by });
    }

    /// A try has ended at `at`.
    pub(super) fn apply(&mut self, key: &str, outcome: Outcome, at: Timestamp) {
        self.last_try = Some(at);
        let is_ours = self.frozen.as_ref().is_some_and(|frozen| frozen.key == key);
        match outcome {
            Outcome::Accepted { detail } => {
                self.missing.clear();
                self.accept(is_ours, detail, at);
            }
            Outcome::Posted { detail, messages } => {
                self.missing.clear();
                self.messages.extend(messages.into_iter().map(|one| (one.about.clone(), one)));
                self.accept(is_ours, detail, at);
            }
            Outcome::Partly { detail, missed } => {
                let missed = missed.into_iter().map(|one| (one.recipient, one.reason));
                self.missing = missed.collect();
                self.accept(is_ours, detail, at);
            }
            Outcome::Refused { detail, retry_after, permanent } => {
                // Dissolved, what it told is owed anew; but not where an earlier
                // try of it may have been taken: the receiver would be told the
                // same under another key, or of an end as if it were news.
                self.frozen.take_if(|frozen| is_ours && !frozen.unknown);
                self.not_before = retry_after.map(|wait| at + wait.min(RETRY_AFTER_MAX));
                self.fail(at, detail);
                self.broken |= permanent;
            }
            Outcome::Unknown { detail } => {
                if let Some(frozen) = self.frozen.as_mut().filter(|_| is_ours) {
                    frozen.unknown = true; // exactly this letter is tried again
                }
                self.fail(at, detail);
            }
        }
    }

    fn accept(&mut self, is_ours: bool, words: String, at: Timestamp) {
        self.recent.retain(|before| at.since(*before) < LIMIT_RANGE);
        self.recent.push(at);
        if let Some(frozen) = self.frozen.take_if(|_| is_ours) {
            self.told = frozen.up_to;
        }
        self.accepted += 1;
        (self.failures, self.failing_since, self.not_before) = (0, None, None);
        (self.broken, self.last_words) = (false, words);
    }

    fn fail(&mut self, at: Timestamp, words: String) {
        self.failures += 1;
        self.refused += 1;
        self.tries.1 += 1;
        let since = *self.failing_since.get_or_insert(at);
        self.broken |= at.since(since) >= BROKEN_AFTER;
        self.last_words = words;
    }
}
