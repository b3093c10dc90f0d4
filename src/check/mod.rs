//! What was tried: requests with assertions, the smoke suite, and what a
//! health endpoint's answer amounts to.

mod assertion;
mod health;
mod step;

pub use assertion::Assertion;
pub use health::HealthState;
pub use step::{Miss, Retry, Step, StepResult, StepState};
