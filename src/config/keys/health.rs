//! Keys of `[health]` and of its `version`.

use super::Takes::{Assertion, Each, List, Some, Table as Keys, Text, Word};
use super::{Table, key};

const STATES: super::Takes = Word(&["healthy", "degraded", "unhealthy", "unknown"]);

/// The ways in which a health endpoint may speak.
const DIALECTS: super::Takes =
    Word(&["auto", "checklist", "spring", "aspnet", "health+json", "code"]);

/// `[health]`.
pub(super) const TABLE: Table = Table {
    name: "health",
    about: "What the health of each replica has to show. What is unmet degrades it.",
    keys: &[
        key(
            "dialect",
            DIALECTS,
            "how it speaks; another answer is unknown, with `code` no body \
             counts",
        )
        .or("auto: whichever it is")
        .such_as("\"spring\""),
        key("words", Each(&STATES), "status words of its own, and what they mean")
            .such_as("{ warming-up = \"degraded\" }"),
        key("require", List(&Text), "components that have to be there, and up")
            .such_as("[\"redis\", \"adls\"]"),
        key("allow", Each(&Some(&STATES)), "the states in which a component may be")
            .such_as("{ redis = [\"healthy\", \"degraded\"] }"),
        key("expect", List(&Assertion), "what each answer has to be besides")
            .such_as("[\"json $.components[?@.name=='mcp'].details.tool_count > 0\"]"),
        key("version", Keys("health.version"), "where it tells which version runs")
            .or("a version in the body is noted, not judged"),
    ],
};

/// `version` in `[health]`.
pub(super) const VERSION: Table = Table {
    name: "health.version",
    about: "Where a replica tells the version that it runs: in one of three places.",
    keys: &[
        key("body", Text, "a JSON path in the answer of its health").such_as("\"$.version\""),
        key("header", Text, "a header of that answer").such_as("\"x-version\""),
        key("metric", Text, "a metric and its label").such_as("\"target_info{service_version}\""),
        key("strip", Text, "what does not count at the start of both versions")
            .or("v: v1.2.3 is 1.2.3")
            .such_as("\"v\""),
    ],
};
