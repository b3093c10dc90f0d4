//! Who is told, when, and in which words. What an alert *is* was decided in
//! `judge`; how a letter travels is `daemon`'s business.

mod card;
mod channel;
mod chart;
mod digest;
mod due;
#[cfg(test)]
mod fixture;
mod letter;
mod overview;
mod owed;
pub mod rehearsal;
mod repeat;
mod retry;
mod steps;
mod words;

pub use channel::{
    alertmanager, content_type, not_stored, objection, pagerduty, slack_bot, webhook,
};
pub use due::{Due, Rush, due};
pub use letter::{Body, Image, Letter, Request, hash};
pub use owed::{Owed, again, owed, waited};
pub use repeat::{EVERY as REPEAT_EVERY, repeat};
pub use retry::{TIMEOUT, next_try};
pub use steps::{Steps, Untold, may_fall_back, steps, untold};
pub use words::value_against_bound;
