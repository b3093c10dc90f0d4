//! Tests of channels: how the last one of each service went, the links that
//! stood in its letters, and which of them somebody followed. Written also
//! while another process holds the directory.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::{FILE, Reader, in_words, writable};
use crate::daemon::confirm::Link;
use crate::model::{DAY, Name, Span, Timestamp};
use crate::record::Rehearsal;

/// A link is good for as long as the longest watch: whoever finds it later
/// says nothing of the channel as it is.
const GOOD_FOR: Span = Span::from_millis(7 * DAY.millis());

/// Keeps how the test of a service's channels went, in place of the one before.
///
/// # Errors
/// As `Store::open`.
pub fn keep_rehearsal(dir: &Path, service: &Name, rehearsal: &Rehearsal) -> Result<(), String> {
    let path = dir.join(FILE);
    let connection = writable(&path)?;
    let body = serde_json::to_string(rehearsal).expect("a rehearsal has no map with odd keys");
    let insert = "INSERT INTO rehearsals (service, body) VALUES (?1, ?2)
        ON CONFLICT (service) DO UPDATE SET body = excluded.body";
    let done = connection.execute(insert, params![service.as_str(), body]);
    done.map(|_| ()).map_err(|error| in_words(&path, &error))
}

/// The links that are about to leave, in place of those of the test before: on
/// disk, as hashes, before anybody can follow one.
///
/// # Errors
/// As `Store::open`.
pub fn expect_confirmations(
    dir: &Path,
    service: &Name,
    at: Timestamp,
    links: &[Link],
) -> Result<(), String> {
    let path = dir.join(FILE);
    let mut connection = writable(&path)?;
    let mut write = || {
        let transaction = connection.transaction()?;
        let gone = "DELETE FROM confirmations WHERE service = ?1";
        transaction.execute(gone, [service.as_str()])?;
        let insert = "INSERT INTO confirmations (token, service, channel, stage, sent_at)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        for Link { channel, stage, hash, .. } in links {
            let row =
                params![hash, service.as_str(), channel.as_str(), stage.as_str(), at.millis()];
            transaction.execute(insert, row)?;
        }
        transaction.commit()
    };
    write().map_err(|error: rusqlite::Error| in_words(&path, &error))
}

/// A person followed the link of this hash: of which service, and which channel.
/// `None`: there is none, or it is old, or was followed before.
///
/// # Errors
/// What the disk said, with the path.
pub fn confirm(dir: &Path, hash: &str, now: Timestamp) -> Result<Option<(Name, Name)>, String> {
    let reader = Reader::open(dir)?;
    let update = "UPDATE confirmations SET seen_at = ?2
        WHERE token = ?1 AND seen_at IS NULL AND sent_at > ?3 RETURNING service, channel";
    let found = params![hash, now.millis(), (now - GOOD_FOR).millis()];
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let done = reader.connection.query_row(update, found, row).optional();
    let done = done.map_err(|error| in_words(&reader.path, &error))?;
    Ok(done.map(|(service, channel)| (service.into(), channel.into())))
}

impl Reader {
    /// How the last test of a service's channels went, and who has confirmed it.
    ///
    /// # Errors
    /// What the disk said, with the path, or it is a newer bakewatch's.
    pub fn rehearsal(&self, service: &Name) -> Result<Option<Rehearsal>, String> {
        let query = "SELECT body FROM rehearsals WHERE service = ?1";
        let body = self.connection.query_row(query, [service.as_str()], |row| row.get(0));
        let body: Option<String> = body.optional().map_err(|error| in_words(&self.path, &error))?;
        let Some(body) = body else { return Ok(None) };
        let mut rehearsal: Rehearsal = serde_json::from_str(&body)
            .map_err(|error| self.at(&format!("the rehearsal of {service}: {error}")))?;
        let seen = seen(&self.connection, service, rehearsal.at);
        for (channel, stage, at) in seen.map_err(|error| in_words(&self.path, &error))? {
            let is_it = |channel_of: &Name, stage_of: &str| {
                *channel_of.as_str() == *channel && *stage_of == *stage
            };
            let mut letters = rehearsal.letters.iter_mut();
            if let Some(letter) = letters.find(|one| is_it(&one.channel, one.stage.as_str())) {
                letter.seen_at = Some(at);
            }
        }
        Ok(Some(rehearsal))
    }
}

/// Channel, stage and time of each confirmation of the test at this time.
fn seen(
    connection: &Connection,
    service: &Name,
    at: Timestamp,
) -> rusqlite::Result<Vec<(String, String, Timestamp)>> {
    let query = "SELECT channel, stage, seen_at FROM confirmations
        WHERE service = ?1 AND sent_at = ?2 AND seen_at IS NOT NULL";
    let mut query = connection.prepare(query)?;
    let rows = query.query_map(params![service.as_str(), at.millis()], |row| {
        Ok((row.get(0)?, row.get(1)?, Timestamp::from_millis(row.get(2)?)))
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HOUR;
    use crate::record::{Rehearsed, Stage};

    fn link(stage: Stage, hash: &str) -> Link {
        Link::of("team".into(), stage, hash.to_owned())
    }

    #[test]
    fn takes_each_link_once_and_for_a_week_and_only_those_of_the_last_test() {
        let dir = tempfile::tempdir().expect("a folder");
        let (dir, service) = (dir.path(), Name::from("chat"));
        let at = Timestamp::from_millis(1_795_914_000_000);
        let links = [link(Stage::Firing, "one"), link(Stage::Resolved, "two")];
        expect_confirmations(dir, &service, at, &links).expect("it is kept");
        let letter = |stage| Rehearsed {
            channel: "team".into(),
            stage,
            tries: 1,
            is_taken: true,
            answer: String::new(),
            asks: true,
            seen_at: None,
        };
        let letters = vec![letter(Stage::Firing), letter(Stage::Resolved)];
        keep_rehearsal(dir, &service, &Rehearsal { at, letters }).expect("it is kept");
        let seen = || {
            let kept = Reader::open(dir).and_then(|reader| reader.rehearsal(&service));
            let kept = kept.expect("readable").expect("kept");
            kept.seen().into_iter().map(|(_, at)| at).collect::<Vec<_>>()
        };
        assert_eq!(seen(), [None]);
        let ours = Ok(Some((service.clone(), Name::from("team"))));
        assert_eq!(confirm(dir, "three", at), Ok(None));
        assert_eq!(confirm(dir, "two", at + HOUR), ours);
        assert_eq!(confirm(dir, "two", at + HOUR), Ok(None), "once");
        assert_eq!(seen(), [Some(at + HOUR)]);
        assert_eq!(confirm(dir, "one", at + GOOD_FOR), Ok(None), "too old");
        expect_confirmations(dir, &service, at + HOUR, &[]).expect("the next test");
        assert_eq!(confirm(dir, "one", at + HOUR), Ok(None), "of the test before");
    }
}
