//! What was measured: exposition → series → PromQL → signal, and the presets.

mod clocks;
mod excerpt;
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
mod recorder;
mod run;
pub mod sawtooth;
mod scrape;
mod series;
mod signal;
mod spelling;
mod table;
mod values;

pub use excerpt::{Depth, Excerpt, POINTS_MAX, SERIES_MAX, Want};
pub use feed::{AHEAD_MAX, Feed};
pub use format::show;
pub use meter::{Measured, Meter};
pub use page::{Family, Fresh, Kind, Page, Slot};
pub use parts::Parts;
pub use recorder::Recorder;
pub use run::Point;
pub(crate) use run::{Loose, Run};
pub use sawtooth::{Sawtooth, Turns};
pub use scrape::{Wanted, read_page};
pub use series::{LOOKBACK, Series, SeriesId, is_stale, stale_marker};
pub use signal::{Recording, Shape, Signal, Unit};
pub use table::{Shapes, Table, page_of};
