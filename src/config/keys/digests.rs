//! Keys of `[[digest]]`.

use super::Takes::{Cron, Some, Text};
use super::{Table, key};

/// `[[digest]]`.
pub(super) const TABLE: Table = Table {
    name: "digest",
    about: "What is told by the calendar: what happened since the last time, and how it stands. \
            It comes also when nothing happened, as a proof of life.",
    keys: &[
        key("name", Text, "the digest's name").needed().such_as("\"morning\""),
        key(
            "cron",
            Cron,
            "when, as a crontab line: minute, hour, day of the month, month, weekday",
        )
        .needed()
        .such_as("\"0 9 * * 1-5\""),
        key("zone", Text, "the time zone of `cron`, by its IANA name")
            .or("UTC")
            .such_as("\"Europe/Berlin\""),
        key("channels", Some(&Text), "which channels get it").or("all").such_as("[\"on-call\"]"),
    ],
};
