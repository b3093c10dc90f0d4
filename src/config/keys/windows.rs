//! Keys of each window in `[windows]`.

use super::Takes::{Duration, Flag};
use super::{Table, key};

/// `NAME = { … }` in `[windows]`.
pub(super) const TABLE: Table = Table {
    name: "windows.*",
    about: "A window, under a name of your own. It begins with the release.",
    keys: &[
        key("length", Duration, "from the release to its end")
            .or("24h for first-day, 7d for first-week; needed for others")
            .such_as("\"24h\""),
        key("every", Duration, "how often targets are asked")
            .or("15s; 30s for first-week")
            .such_as("\"15s\""),
        key("traffic", Flag, "false: none is expected in it, and none held against the release")
            .or("true")
            .such_as("false"),
    ],
};
