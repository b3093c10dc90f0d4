//! What was measured: exposition → series → PromQL → signal, and the presets.

mod exposition;
mod families;
mod feed;
mod format;
pub mod health;
mod meter;
pub mod notation;
mod page;
mod parts;
pub mod presets;
pub mod promql;
pub mod queried;
mod recorder;
pub mod sawtooth;
mod scrape;
mod series;
mod signal;
mod spelling;
mod table;

pub use feed::{AHEAD_MAX, Feed};
pub use format::show;
pub use meter::{Measured, Meter};
pub use page::{Family, Fresh, Kind, Page, Slot};
pub use parts::Parts;
pub use recorder::Recorder;
pub use sawtooth::{Sawtooth, Turns};
pub use scrape::{Wanted, read_page};
pub use series::{LOOKBACK, Point, Series, SeriesId, is_stale, stale_marker};
pub use signal::{Recording, Shape, Signal, Unit};
pub use table::{Shapes, Table, page_of};
