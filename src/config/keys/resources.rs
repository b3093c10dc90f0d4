//! Keys of `[resources]` and of what it measures, and of the SLA in `[rules]`.

use super::Takes::{Limit, Number, Query, Size, Table as Keys, Whole, Word};
use super::{Table, key};

const BASES: super::Takes = Word(&["limit", "request"]);

/// `[resources]`.
pub(super) const TABLE: Table = Table {
    name: "resources",
    about: "What each replica is given, where its metrics do not tell.",
    keys: &[
        key("memory", Keys("resources.memory"), "of what its memory is a share")
            .or("what a preset finds"),
        key("cpu", Keys("resources.cpu"), "of what its CPU is a share").or("not judged"),
        key("max-replicas", Whole(1, 100_000), "how many replicas there may be")
            .or("not judged")
            .such_as("10"),
    ],
};

/// `memory` in `[resources]`.
pub(super) const MEMORY: Table = Table {
    name: "resources.memory",
    about: "Memory as a share, the largest of any replica.",
    keys: &[
        key("basis", BASES, "what the whole is").or("limit").such_as("\"limit\""),
        key("bytes", Size, "the whole").such_as("\"2GiB\""),
        key("of", Query, "the whole, instead of `bytes`")
            .such_as("\"container_spec_memory_limit_bytes\""),
        key("used", Query, "what is used")
            .or("the process's resident memory, under the names that clients have for it")
            .such_as("\"container_memory_working_set_bytes\""),
    ],
};

/// `cpu` in `[resources]`.
pub(super) const CPU: Table = Table {
    name: "resources.cpu",
    about: "CPU as a share, the largest of any replica.",
    keys: &[
        key("basis", BASES, "what the whole is").or("limit").such_as("\"request\""),
        key("cores", Number, "the whole").such_as("0.5"),
        key("of", Query, "the whole, instead of `cores`").such_as("\"container_cpu_limit_cores\""),
        key("used", Query, "what is used")
            .or("the rate of the process's CPU seconds, under the names that clients have")
            .such_as("\"rate(container_cpu_usage_seconds_total[$range])\""),
    ],
};

/// `sla` in `[rules]`.
pub(super) const SLA: Table = Table {
    name: "rules.sla",
    about: "What is promised. Of an availability a the share 1 - a may fail: SlaErrorsFast is \
            above 14.4 times that, SlaErrors above it for an hour.",
    keys: &[
        key("availability", Limit, "share of requests that succeed").such_as("\"99.9%\""),
        key("p99", Limit, "within which 99% of requests are answered").such_as("\"10s\""),
    ],
};
