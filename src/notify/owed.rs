//! What a channel is owed now. There is one bookmark a channel and no queue:
//! a letter is composed from what the record holds beyond the bookmark.

use std::collections::BTreeSet;

use super::channel::compose;
use super::digest::{Stretch, digest, turn};
use super::due::{self, Rush};
use super::letter::{Letter, key};
use crate::model::{Channel, Medium, Timestamp};
use crate::record::{Item, LetterRecord, Record, Waited, WrittenBy};

/// Incidents and notices in one letter; what is beyond them is told by the next. Mail
/// clients clip what is larger than about 100 kB, and nobody reads it.
const THINGS_MAX: usize = 100;

/// The same where each is a request of its own, all of which have to be answered
/// in the time of one try.
const REQUESTS_MAX: usize = 10;

/// The same where nothing tells the receiver that it has had a message before:
/// one that is put off takes none with it that was told.
const MESSAGES_MAX: usize = 1;

/// What is to be done for a channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Owed {
    /// It has been told everything.
    Nothing,
    /// There is news, none of which it takes: the bookmark may move to
    /// `up_to`. Whoever lets it stand loses nothing but a little time.
    Skip {
        /// The latest of that news.
        up_to: u64,
    },
    /// This letter, and nothing later before it has been taken or refused.
    Letter(Box<Letter>),
}

/// What `channel` is owed, whether or not it is due. The same record gives the
/// same letter to the byte; a letter that is out (`frozen`) comes again as it was.
pub fn owed(record: &Record, channel: &Channel) -> Owed {
    let known = record.channels.get(&channel.name);
    if let Some(frozen) = known.and_then(|known| known.frozen.as_ref()) {
        let stretch = Stretch { after: frozen.after, up_to: frozen.up_to, waited: frozen.waited };
        return match as_it_was(record, channel, frozen.written_by.as_ref(), stretch) {
            // Under its first key, also where a newer version words it otherwise.
            Some(letter) => Owed::Letter(Box::new(Letter { key: frozen.key.clone(), ..letter })),
            None => Owed::Skip { up_to: frozen.up_to },
        };
    }
    let told = known.map_or(0, |known| known.told);
    let url = &record.plan.url;
    let end = end(record, channel, told);
    let letter = end.and_then(|up_to| {
        let waited = waited(record, channel);
        letter(record, channel, url, Stretch { after: told, up_to, waited })
    });
    match letter {
        Some(letter) => Owed::Letter(Box::new(letter)),
        None if told < record.news_end() => Owed::Skip { up_to: record.news_end() },
        None => Owed::Nothing,
    }
}

/// A letter that left, written once more. Its key is another where its words
/// are: the channel, or this program, writes otherwise by now.
pub fn again(record: &Record, channel: &Channel, left: &LetterRecord) -> Option<Letter> {
    let stretch = Stretch { after: left.after, up_to: left.up_to, waited: left.waited };
    as_it_was(record, channel, left.written_by.as_ref(), stretch)
}

/// In the words that it left with, whatever a reload has changed since.
fn as_it_was(
    record: &Record,
    channel: &Channel,
    written_by: Option<&WrittenBy>,
    stretch: Stretch,
) -> Option<Letter> {
    let channel = written_by.map_or(channel, |by| &by.channel);
    let url = written_by.map_or(&record.plan.url, |by| &by.url);
    letter(record, channel, url, stretch)
}

/// What the letter that comes next has waited for, or the one that is out.
pub fn waited(record: &Record, channel: &Channel) -> Option<Waited> {
    let known = record.channels.get(&channel.name);
    if let Some(frozen) = known.and_then(|known| known.frozen.as_ref()) {
        return frozen.waited;
    }
    // By what it told alone: not by when somebody asks.
    due::due(record, channel, Timestamp::default(), Rush::No)?.waited
}

fn letter(record: &Record, channel: &Channel, url: &str, stretch: Stretch) -> Option<Letter> {
    let digest = digest(record, channel, url, stretch)?;
    let Stretch { after, up_to, .. } = stretch;
    let body = compose(channel, &digest);
    let watch = record.release.watch().to_string();
    let key = key(&watch, &channel.name, after, up_to, &body);
    Some(Letter { key, channel: channel.name.clone(), after, up_to, body })
}

/// The last item that the next letter tells; `None` when there is none to
/// tell. Always an item that the channel takes: what it skips must not give
/// the same words another key.
fn end(record: &Record, channel: &Channel, told: u64) -> Option<u64> {
    let rest = &record.news[record.news.partition_point(|news| news.seq <= told)..];
    let things_max = match channel.medium {
        Medium::Pagerduty { .. } => REQUESTS_MAX,
        Medium::SlackBot { .. } => MESSAGES_MAX,
        Medium::Webhook { .. }
        | Medium::Post { .. }
        | Medium::Alertmanager { .. }
        | Medium::Command { .. }
        | Medium::Email { .. } => THINGS_MAX,
    };
    let mut end = None;
    let mut things: BTreeSet<&str> = BTreeSet::new();
    for news in rest.iter().filter(|news| news.item.concerns(channel)) {
        if stands_alone(&news.item) {
            return end.or(Some(news.seq));
        }
        if let Some((alert, _)) = turn(&news.item) {
            things.insert(&alert.incident);
        } else if let Item::Notice { text, .. } = &news.item {
            things.insert(text);
        }
        if things.len() > things_max {
            return end; // with all items of that fact: bookmarks count in facts
        }
        end = Some(news.seq);
    }
    end
}

/// A letter of its own: receivers tell these by the letter's type.
fn stands_alone(item: &Item) -> bool {
    match item {
        Item::Released | Item::SmokeFailed(_) | Item::Summary(_) | Item::Overview { .. } => true,
        Item::Fired(_)
        | Item::Resolved(_)
        | Item::Closed(_)
        | Item::Flapping(_)
        | Item::Standing { .. }
        | Item::Reminder { .. }
        | Item::Escalated { .. }
        | Item::FellBack { .. }
        | Item::Acknowledged(_)
        | Item::Notice { .. } => false,
    }
}

#[cfg(test)]
mod tests;
