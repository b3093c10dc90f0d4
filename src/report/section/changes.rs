//! What became of the configuration while the watch was open.

use crate::record::Summary;
use crate::report::page::{Section, Text};

/// Only where it was read anew.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    if summary.changes.is_empty() {
        return None;
    }
    let list = summary.changes.iter().map(|line| Text::from(&**line)).collect();
    Some(Section { title: "Configuration", list, ..Section::default() })
}
