//! What a channel is owed now. There is one bookmark a channel and no queue:
//! a letter is composed from what the record holds beyond the bookmark.

use std::collections::BTreeSet;

use super::channel::compose;
use super::digest::{digest, turn};
use super::letter::{Letter, key};
use crate::model::Channel;
use crate::record::{Item, Record};

/// Incidents and notices in one letter; what is beyond them is told by the next. Mail
/// clients clip what is larger than about 100 kB, and nobody reads it.
const THINGS_MAX: usize = 100;

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

/// What `channel` is owed. The same record gives the same letter to the byte;
/// a letter that is out (`frozen`) comes again as it was.
pub fn owed(record: &Record, channel: &Channel) -> Owed {
    let known = record.channels.get(&channel.name);
    if let Some(frozen) = known.and_then(|known| known.frozen.as_ref()) {
        // In the words that it left with, whatever a reload has changed since.
        let written_by = frozen.written_by.as_ref();
        let severities = written_by.map_or(&channel.severities, |by| &by.severities);
        let url = written_by.map_or(&record.plan.url, |by| &by.url);
        let channel = &Channel { severities: severities.clone(), ..channel.clone() };
        return match letter(record, channel, url, frozen.after, frozen.up_to) {
            // Under its first key, also where a newer version words it otherwise.
            Some(letter) => Owed::Letter(Box::new(Letter { key: frozen.key.clone(), ..letter })),
            None => Owed::Skip { up_to: frozen.up_to },
        };
    }
    let told = known.map_or(0, |known| known.told);
    let url = &record.plan.url;
    let end = end(record, channel, told);
    let letter = end.and_then(|end| letter(record, channel, url, told, end));
    match letter {
        Some(letter) => Owed::Letter(Box::new(letter)),
        None if told < record.news_end() => Owed::Skip { up_to: record.news_end() },
        None => Owed::Nothing,
    }
}

fn letter(record: &Record, channel: &Channel, url: &str, after: u64, up_to: u64) -> Option<Letter> {
    let digest = digest(record, channel, url, after, up_to)?;
    let body = compose(&channel.medium, &digest);
    let watch = record.release.watch().to_string();
    let key = key(&watch, &channel.name, after, up_to, &body);
    Some(Letter { key, channel: channel.name.clone(), after, up_to, body })
}

/// The last item that the next letter tells; `None` when there is none to
/// tell. Always an item that the channel takes: what it skips must not give
/// the same words another key.
fn end(record: &Record, channel: &Channel, told: u64) -> Option<u64> {
    let rest = &record.news[record.news.partition_point(|news| news.seq <= told)..];
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
        if things.len() > THINGS_MAX {
            return end; // with all items of that fact: bookmarks count in facts
        }
        end = Some(news.seq);
    }
    end
}

/// A letter of its own: receivers tell these by the letter's type.
fn stands_alone(item: &Item) -> bool {
    match item {
        Item::SmokeFailed(_) | Item::Summary(_) | Item::Overview { .. } => true,
        Item::Fired(_)
        | Item::Resolved(_)
        | Item::Closed(_)
        | Item::Flapping(_)
        | Item::Standing { .. }
        | Item::Notice { .. } => false,
    }
}

#[cfg(test)]
mod tests;
