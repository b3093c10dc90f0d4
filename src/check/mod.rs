//! What was tried: requests with assertions, the smoke suite, and what a
//! health endpoint's answer amounts to.

mod assertion;
mod checklist;
mod excerpt;
pub mod health;
mod judged;
pub mod paths;
mod show;
mod step;
mod suite;

pub use assertion::{Assertion, Complaint, KINDS, Kind};
pub use checklist::checklist;
pub use health::{Health, HealthState};
pub use judged::{Judged, judge};
pub use show::show;
pub use step::{Miss, Retry, Step, StepResult, StepState};
pub use suite::{Advance, Passed, Progress, Running, advance, begin, heard, passed, skipped};
