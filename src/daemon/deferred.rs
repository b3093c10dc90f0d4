//! What is remembered of letters that were taken in part, so that the next try
//! sends the rest alone. Volatile: after a crash a receiver may get a part twice.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::smtp;
use crate::model::hex_of;
use crate::notify::{Letter, Request};
use crate::record::Posted;

/// Requests of which something is remembered; a letter has a few dozen at most.
const REQUESTS_MAX: usize = 4096;

/// What of letters was taken, and what was put off.
#[derive(Default)]
pub struct Deferred {
    /// By recipients of mails.
    pub mails: smtp::Deferred,
    /// By receivers of several requests a letter.
    pub requests: Requests,
}

/// Requests that were taken, of letters that were not, each with where its message
/// stands.
#[derive(Default)]
pub struct Requests {
    taken: Mutex<BTreeMap<String, Option<Posted>>>,
}

/// Those of one letter. They are told apart by what they say and by the bookmark
/// that the letter begins at, for a letter that was refused comes again under
/// another key: what it says of something else may be another by then.
pub struct OfLetter<'a> {
    all: &'a Requests,
    channel: &'a str,
    after: String,
}

impl Requests {
    /// Those of a letter.
    pub fn of<'a>(&'a self, letter: &'a Letter) -> OfLetter<'a> {
        let (channel, after) = (letter.channel.as_str(), letter.after.to_string());
        OfLetter { all: self, channel, after }
    }
}

impl OfLetter<'_> {
    /// Whether an earlier try got it through, and where its message stands then.
    pub fn recall(&self, request: &Request) -> Option<Option<Posted>> {
        self.known(|taken| taken.get(&self.name(request)).cloned())
    }

    /// It was taken.
    pub fn remember(&self, request: &Request, message: Option<Posted>) {
        self.known(|taken| {
            while taken.len() >= REQUESTS_MAX {
                taken.pop_first();
            }
            taken.insert(self.name(request), message);
        });
    }

    /// The letter was taken: whatever says the same from now on is news.
    pub fn forget(&self, requests: &[Request]) {
        self.known(|taken| requests.iter().for_each(|one| drop(taken.remove(&self.name(one)))));
    }

    fn known<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Option<Posted>>) -> T) -> T {
        act(&mut self.all.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn name(&self, request: &Request) -> String {
        hex_of([self.channel, &self.after, request.path, &request.about, &request.json])
    }
}
