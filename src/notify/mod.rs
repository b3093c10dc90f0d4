//! Who is told, when, and in which words. What an alert *is* was decided in
//! `judge`; how a letter travels is `daemon`'s business.

mod card;
mod channel;
mod digest;
mod due;
#[cfg(test)]
mod fixture;
mod letter;
mod overview;
mod owed;
mod retry;
mod steps;
mod words;

pub use channel::{content_type, not_stored, objection, webhook};
pub use due::{Due, Rush, due};
pub use letter::{Body, Letter, hash};
pub use owed::{Owed, owed, waited};
pub use retry::{TIMEOUT, next_try};
pub use steps::{Steps, steps};
