//! Keys of `[rehearse]`.

use super::Takes::Url;
use super::{Table, key};

/// `[rehearse]`.
pub(super) const TABLE: Table = Table {
    name: "rehearse",
    about: "The test of the channels, `bakewatch rehearse`: whether what was taken also came to \
            where people look.",
    keys: &[key("confirm", Url, "where people reach `listen`: test letters bear links to it")
        .needed()
        .such_as("\"https://bakewatch.example.com\"")],
};
