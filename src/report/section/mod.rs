//! The sections of a report, in order. Another one is a file and a line.

mod alerts;
mod availability;
mod baseline;
mod changes;
mod checks;
mod coverage;
mod deliveries;
mod head;
mod letters;
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
const SECTIONS: [Make; 13] = [
    verdict::section,
    smoke::section,
    availability::section,
    checks::section,
    signals::section,
    baseline::section,
    alerts::section,
    replicas::section,
    coverage::section,
    deliveries::section,
    letters::section,
    changes::section,
    limits::section,
];

/// Of a release that was superseded: the next one is looked at now.
const SHORT: [Make; 5] = [
    verdict::section,
    smoke::unless_passed,
    alerts::section,
    coverage::section,
    deliveries::section,
];

/// All sections of a report.
pub fn sections(summary: &Summary) -> Vec<Section> {
    let sections = if summary.superseded.is_some() { &SHORT[..] } else { &SECTIONS[..] };
    sections.iter().filter_map(|make| make(summary)).collect()
}
