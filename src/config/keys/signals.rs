//! Keys of `[[signal]]`.

use super::Takes::{Duration, Number, Query, Text, Word};
use super::{Key, Table, key};

const UNITS: &[&str] = &["ratio", "seconds", "per-second", "bytes", "count", "dollars-per-hour"];

/// Of whatever is measured by a query.
pub(super) const SOURCE: Key = key(
    "source",
    Text,
    "who is asked: a [source.NAME], or \"scrape\" for the targets' own metrics",
)
.or("`metrics`, or scrape")
.such_as("\"main\"");

/// `[[signal]]`.
pub(super) const TABLE: Table = Table {
    name: "signal",
    about: "A named query: `query`, or `num` and `den`, or `buckets`. `$range` stands for `range`.",
    keys: &[
        key("name", Text, "the signal's name").needed().such_as("\"cache_hits\""),
        key("query", Query, "one value, or one for each label set")
            .such_as("\"sum(sessions_open)\""),
        key("num", Query, "of a ratio: the events that count")
            .such_as("\"sum(increase(cache_hits_total[$range]))\""),
        key("den", Query, "of a ratio: all events")
            .such_as("\"sum(increase(cache_lookups_total[$range]))\""),
        key("buckets", Query, "a histogram, by `le`")
            .such_as("\"sum by (le) (increase(tool_duration_seconds_bucket[$range]))\""),
        key("scale", Number, "makes seconds of `le`").or("1").such_as("0.001"),
        key("unit", Word(UNITS), "how values are shown")
            .or("count; ratio with `num`, seconds with `buckets`")
            .such_as("\"count\""),
        key("range", Duration, "what `$range` stands for")
            .or("`rules.range`, or 5m")
            .such_as("\"5m\""),
        SOURCE,
    ],
};
