//! Keys of `[heartbeat]`.

use super::Takes::{Duration, Secret};
use super::{Table, key};

/// `[heartbeat]`.
pub(super) const TABLE: Table = Table {
    name: "heartbeat",
    about: "An address that is called as long as all is well with bakewatch itself: its loop \
            turns, its disk takes what it writes, and every channel can be told. Whoever keeps \
            it (a dead man's switch) tells somebody when the calls stop.",
    keys: &[
        key("url", Secret, "what is called, by GET")
            .needed()
            .such_as("{ env = \"HEARTBEAT_URL\" }"),
        key("every", Duration, "how often; from 10s to 1h").or("1m").such_as("\"1m\""),
    ],
};
