//! What was tried: requests with assertions, the smoke suite, checks beyond
//! HTTP, and what a health endpoint's answer amounts to.

mod assertion;
mod beyond;
mod checklist;
mod excerpt;
pub mod grpc;
pub mod health;
mod judged;
mod memory;
pub mod paths;
mod place;
mod redact;
mod show;
mod step;
mod suite;
pub mod template;

pub use assertion::{Assertion, Capture, Complaint, KINDS, Kind, predicates};
pub use beyond::{Check, judge_ask};
pub use checklist::checklist;
pub use health::{Dialect, Expected, Health, HealthState, Shown};
pub use judged::{HALT_IF, Judged, judge};
pub use memory::{Memory, Origin, needs};
pub use place::{Place, Places};
pub use redact::Redactor;
pub use show::{counts, reading, show};
pub use step::{Miss, Retry, Step, StepResult, StepState};
pub use suite::{Next, Passed, Progress, Running, begin, given_up, heard, next, passed};
