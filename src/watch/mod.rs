//! The conductor: asks, hears, and says when to be woken. No arithmetic of its own.

mod job;

pub use job::{Heard, Job, JobId, Question, Reply};
