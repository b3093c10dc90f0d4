//! What it means: rules, the alerts that they lead to, and windows' verdicts.
//! Pure; knows nothing of who is told.

pub mod alert;
mod rule;
mod window;

pub use alert::{Phase, Streak};
pub use rule::{Bound, Rule};
pub use window::Window;
