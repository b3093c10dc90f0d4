//! What was tried: requests with assertions, the smoke suite, checks beyond
//! HTTP, and what a health endpoint's answer amounts to.

mod assertion;
mod beyond;
mod checklist;
mod excerpt;
pub mod grpc;
pub mod health;
mod judged;
mod show;
mod step;
mod suite;

pub use assertion::{Assertion, Complaint, KINDS, Kind};
pub use beyond::{Check, judge_ask};
pub use checklist::checklist;
pub use health::{Health, HealthState};
pub use judged::{Judged, judge};
pub use show::show;
pub use step::{Miss, Retry, Step, StepResult, StepState};
pub use suite::{Advance, Passed, Progress, Running, advance, begin, heard, passed, skipped};
