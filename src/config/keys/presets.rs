//! Keys of `[[preset]]`.

use super::Takes::{self, Query, Tables, Text, Word};
use super::{Table, key};

const NAMES: Takes = Takes::List(&Text);

/// `[[preset]]`.
pub(super) const TABLE: Table = Table {
    name: "preset",
    about: "What a stack of one's own calls its metrics. It is tried before those that are known; \
            one that is named as a known one takes its place.",
    keys: &[
        key("name", Text, "the preset's name").needed().such_as("\"our-gateway\""),
        key("signs", NAMES, "metrics of which one must be there, or it is another stack")
            .or("none is needed")
            .such_as("[\"gateway_build_info\"]"),
        key("requests", NAMES, "counters of requests; the first that is there")
            .such_as("[\"gateway_requests_total\"]"),
        key("errors", Takes::Table("preset.errors"), "which of them are errors"),
        key("latency", Tables("preset.latency"), "histograms; the first that is there"),
        key(
            "route",
            NAMES,
            "labels that may hold the route; probes and scrapes are left out by it",
        )
        .such_as("[\"path\"]"),
        key("only", NAMES, "matchers; the first that fits keeps what is not told twice")
            .such_as("['side=\"server\"']"),
        key("signal", Tables("preset.signal"), "other signals, each a query"),
    ],
};

/// `errors` of a preset.
pub(super) const ERRORS: Table = Table {
    name: "preset.errors",
    about: "How errors are told from other requests; one of them.",
    keys: &[
        key("matcher", Text, "by a label of the counter of requests").such_as("'code=~\"5..\"'"),
        key("matchers", Takes::Some(&Text), "the first whose label is there")
            .such_as("['code=~\"5..\"', 'outcome=\"SERVER_ERROR\"']"),
        key("counters", Takes::Some(&Text), "counted apart; the first that is there")
            .such_as("[\"worker_failures_total\"]"),
    ],
};

/// A member of `latency` of a preset.
pub(super) const LATENCY: Table = Table {
    name: "preset.latency",
    about: "A histogram of how long requests take.",
    keys: &[
        key("name", Text, "its name, without _bucket")
            .needed()
            .such_as("\"gateway_request_duration_milliseconds\""),
        key("unit", Word(&["s", "ms"]), "what its bounds are counted in")
            .needed()
            .such_as("\"ms\""),
    ],
};

/// `[[preset.signal]]`.
pub(super) const SIGNAL: Table = Table {
    name: "preset.signal",
    about: "Another signal that presets give, such as `token_rate` or `memory_ratio`.",
    keys: &[
        key("name", Text, "which signal").needed().such_as("\"token_rate\""),
        key("needs", Takes::Some(&Text), "metrics that must all be there")
            .needed()
            .such_as("[\"gateway_tokens_total\"]"),
        key("query", Query, "how it is measured; `$range` stands for the range")
            .needed()
            .such_as("\"sum(rate(gateway_tokens_total[$range]))\""),
    ],
};
