//! What it means: rules, the alerts that they lead to, and windows' verdicts.
//! Pure; knows nothing of who is told.

pub mod alert;
pub mod demands;
pub mod pack;
pub mod prometheus;
mod read;
mod rule;
pub mod template;
pub mod verdict;
mod window;

pub use alert::{Phase, Streak};
pub use read::{Strain, read, strain};
pub use rule::{ALERTS_MAX, Bound, Imported, OfBaseline, Rule};
pub use window::Window;
