//! What is remembered of letters that were taken in part, so that the next try
//! sends the rest alone. Volatile: after a crash a receiver may get a part twice.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::smtp;
use crate::model::hex_of;
use crate::notify::{Letter, Request};
use crate::record::Posted;

/// Letters of which something is remembered: each channel is at one at a time.
const LETTERS_MAX: usize = 256;

/// What of letters was taken, and what was put off.
#[derive(Default)]
pub struct Deferred {
    /// By recipients of mails.
    pub mails: smtp::Deferred,
    /// By receivers of several requests a letter.
    pub requests: Requests,
}

/// Requests that were taken, of letters that were not: by letter, and by what they
/// say, each with where its message stands.
#[derive(Default)]
pub struct Requests {
    letters: Mutex<BTreeMap<String, BTreeMap<String, Option<Posted>>>>,
}

/// Those of one letter. It is known by the bookmark that it begins at, for one that
/// was refused comes again under another key: what it says of something else may be
/// another by then.
pub struct OfLetter<'a> {
    all: &'a Requests,
    letter: String,
}

impl Requests {
    /// Those of a letter. What it says no more is forgotten: should that come true
    /// again, it is news.
    pub fn of<'a>(&'a self, letter: &Letter, requests: &[Request]) -> OfLetter<'a> {
        let letter = hex_of([letter.channel.as_str(), &letter.after.to_string()]);
        let said: Vec<String> = requests.iter().map(name).collect();
        let of = OfLetter { all: self, letter };
        of.known(|letters| {
            if let Some(taken) = letters.get_mut(&of.letter) {
                taken.retain(|request, _| said.contains(request));
            }
        });
        of
    }

    /// Channels may lead elsewhere from now on, where nothing was taken yet.
    pub fn clear(&self) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl OfLetter<'_> {
    /// Whether an earlier try got it through, and where its message stands then.
    pub fn recall(&self, request: &Request) -> Option<Option<Posted>> {
        self.known(|letters| letters.get(&self.letter)?.get(&name(request)).cloned())
    }

    /// It was taken.
    pub fn remember(&self, request: &Request, message: Option<Posted>) {
        self.known(|letters| {
            while letters.len() >= LETTERS_MAX && !letters.contains_key(&self.letter) {
                letters.pop_first();
            }
            letters.entry(self.letter.clone()).or_default().insert(name(request), message);
        });
    }

    /// The letter was taken: whatever says the same from now on is news.
    pub fn forget(&self) {
        self.known(|letters| drop(letters.remove(&self.letter)));
    }

    fn known<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<String, BTreeMap<String, Option<Posted>>>) -> T,
    ) -> T {
        act(&mut self.all.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn name(request: &Request) -> String {
    hex_of([request.path, &request.about, &request.json])
}
