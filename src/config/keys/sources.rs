//! Keys of each source of metrics in `[source]`.

use super::Takes::{self, Duration, Each, Flag, Headers, Text, Url, Word};
use super::{Table, key};

/// `[source.NAME]`.
pub(super) const TABLE: Table = Table {
    name: "source.*",
    about: "A server that is asked for signals instead of scraping for them: whatever answers \
            queries as Prometheus does.",
    keys: &[
        key("type", Word(&["prometheus"]), "how it is asked").needed().such_as("\"prometheus\""),
        key("url", Url, "what `/api/v1/query` follows")
            .needed()
            .such_as("\"http://prometheus.example.com:9090\""),
        key("selector", Text, "matchers that every selector of a query gets besides")
            .or("queries are sent as they are")
            .such_as("'{job=\"chat-agent\"}'"),
        key("headers", Headers, "headers of each question, a tenant's among them")
            .such_as("{ x-scope-orgid = \"agents\" }"),
        key("auth", Takes::Table("targets.auth"), "who we say we are"),
        key("tls", Takes::Table("targets.tls"), "whom we trust"),
        super::targets::PROXY,
        super::targets::HTTP2,
        key("timeout", Duration, "for all answers of a look; below every interval")
            .or("`timeout`")
            .such_as("\"8s\""),
        key("delay", Duration, "so far in the past it is asked, where its samples come late")
            .or("0s")
            .such_as("\"30s\""),
        key("history", Duration, "how long before a release its past is a first watch's baseline")
            .or("7d")
            .such_as("\"7d\""),
        key("dedup", Flag, "whether a Thanos makes one of replicated series")
            .or("as the server does")
            .such_as("true"),
        key("partial-response", Flag, "whether half an answer counts, and is told, or is none")
            .or("false")
            .such_as("false"),
        key("params", Each(&Text), "what else is sent with each question")
            .such_as("{ nocache = \"1\" }"),
    ],
};
