//! What was measured: exposition → series → PromQL → signal, and the presets.

mod page;
mod scrape;
mod signal;

pub use page::{Family, Kind, Page, Slot};
pub use scrape::{Table, Wanted};
pub use signal::{Shape, Signal, Unit};
