//! The links in letters of a rehearsal, by which a person says that one came to
//! where people look. A link is a token that nobody can guess; kept is its hash,
//! so that whoever reads the store cannot follow it.

use std::fmt::Write as _;

use reqwest::Url;
use sha2::{Digest as _, Sha256};

use crate::config::Checked;
use crate::model::Name;
use crate::record::{Plan, Stage};

/// What precedes the token in a link's path.
pub const PATH: &str = "/rehearsal/";

/// Bytes of chance in a token: as many as an address of IPv6 has.
const TOKEN_BYTES: usize = 16;

/// The link of one letter. It has no `Debug`: nobody is to print it by mistake.
pub struct Link {
    /// The channel of the letter.
    pub channel: Name,
    /// What the letter tells.
    pub stage: Stage,
    /// The whole of it.
    pub address: String,
    /// What is kept of its token.
    pub hash: String,
    token: String,
}

impl Link {
    /// One that leads nowhere.
    #[cfg(test)]
    pub fn of(channel: Name, stage: Stage, hash: String) -> Link {
        Link { channel, stage, address: String::new(), hash, token: String::new() }
    }

    /// A text without it, for whatever is kept or shown.
    pub fn hidden_in(&self, text: &str) -> String {
        text.replace(&self.token, "…")
    }
}

/// The names by which people reach it to confirm a test alert: those of the
/// addresses that `rehearse.confirm` gives.
pub fn names(all: &[Checked]) -> Vec<String> {
    let bases = all.iter().filter_map(|one| one.confirm.as_ref());
    let hosts = bases.filter_map(|base| Some(Url::parse(base).ok()?.host_str()?.to_owned()));
    let mut names: Vec<String> = hosts.collect();
    names.sort();
    names.dedup();
    names
}

/// One for each letter of a rehearsal that people read, below this address.
///
/// # Errors
/// The machine has no chance to give.
pub fn links(plan: &Plan, base: &str) -> Result<Vec<Link>, String> {
    let read = plan.channels.iter().filter(|channel| channel.medium.is_read_by_people());
    let letters = read.flat_map(|channel| Stage::ALL.map(|stage| (channel.name.clone(), stage)));
    letters.map(|(channel, stage)| link(channel, stage, base)).collect()
}

fn link(channel: Name, stage: Stage, base: &str) -> Result<Link, String> {
    let mut bytes = [0; TOKEN_BYTES];
    let chance = rustls::crypto::ring::default_provider().secure_random;
    let filled = chance.fill(&mut bytes);
    filled
        .map_err(|_| "no link for a test letter: the machine gives no random bytes".to_owned())?;
    let token = hex(&bytes);
    let (address, hash) = (format!("{base}{PATH}{token}"), hash(&token));
    Ok(Link { channel, stage, address, hash, token })
}

/// What is kept of a token.
pub fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Given, Source, read};

    #[test]
    fn gives_each_letter_another_and_shows_none_to_whoever_asks_for_the_hash() {
        let letters = [Stage::Firing, Stage::Firing, Stage::Resolved];
        let links = letters.map(|stage| link("team".into(), stage, "https://a.example/x"));
        let links = links.map(|link| link.expect("chance"));
        let [one, other, _] = &links;
        assert!(one.address != other.address && one.hash != other.hash);
        let token = one.address.strip_prefix("https://a.example/x/rehearsal/").expect("below it");
        assert_eq!((token.len(), hash(token)), (32, one.hash.clone()));
        let answer = one.hidden_in(&format!("no such thing: {}", one.address));
        assert_eq!(answer, "no such thing: https://a.example/x/rehearsal/…");
    }

    #[test]
    fn is_called_by_the_names_that_people_are_given() {
        let checked = |rest: &str| {
            let text = format!("url = \"http://127.0.0.1:1\"\n{rest}");
            let source = Source { file: "a.toml".to_owned(), text };
            read(Some(&source), &Given::default()).expect("it is right")
        };
        let asks = |base: &str| {
            checked(&format!("listen = \"127.0.0.1:1\"\n[rehearse]\nconfirm = {base:?}\n"))
        };
        let all = [asks("https://b.example:8443/x"), checked(""), asks("http://[::1]:9797")];
        assert_eq!(names(&all), ["[::1]", "b.example"]);
    }
}
