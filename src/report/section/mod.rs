//! The sections of a report, in order. Another one is a file and a line.

mod alerts;
mod availability;
mod changes;
mod checks;
mod coverage;
mod deliveries;
mod head;
mod limits;
mod replicas;
mod signals;
mod smoke;
mod verdict;

pub use head::{figures, headline, subject};

use super::page::Section;
use crate::record::Summary;

/// What makes a section; `None`: it has nothing to say.
type Make = fn(&Summary) -> Option<Section>;

/// In the order in which they are read.
const SECTIONS: [Make; 11] = [
    verdict::section,
    smoke::section,
    availability::section,
    checks::section,
    signals::section,
    alerts::section,
    replicas::section,
    coverage::section,
    deliveries::section,
    changes::section,
    limits::section,
];

/// All sections of a report.
pub fn sections(summary: &Summary) -> Vec<Section> {
    SECTIONS.iter().filter_map(|make| make(summary)).collect()
}
