//! Keys of `[[smoke]]`, of its request and of its retry.

use super::Takes::{Assertion, Captures, Duration, File, Flag, Headers, Json, List, Path};
use super::Takes::{Some, Table as Keys, Text, Url, Whole};
use super::{Table, checks, key};

/// `[[smoke]]`.
pub(super) const TABLE: Table = Table {
    name: "smoke",
    about: "A smoke step. One that bears the name of a step of the checklist takes its place.",
    keys: &[
        key("name", Text, "what the step shows").needed().such_as("\"answers a question\""),
        key("request", Keys("smoke.request"), "what is sent; this or one of the next four"),
        checks::TCP_KEY,
        checks::TLS_KEY,
        checks::DNS_KEY,
        checks::GRPC_KEY,
        key("ca-file", File, "of `tls` and `grpc`: authorities to trust besides the system's")
            .such_as("\"/etc/ssl/our-ca.pem\""),
        key("timeout", Duration, "of `tcp`, `tls`, `dns` and `grpc`; a request has its own")
            .or("10s")
            .such_as("\"5s\""),
        key("expect", Some(&Assertion), "what the answer has to be; needed with a `request`")
            .such_as("[\"status == 200\", \"latency < 10s\"]"),
        key("must", Flag, "whether its failure fails the release").or("true").such_as("false"),
        key("retry", Keys("smoke.retry"), "when it is tried again"),
        key("capture", Captures, "what is taken out of the answer, for `{{name}}` in later steps")
            .such_as("{ token = \"json $.access_token\" }"),
        key("redact", List(&Text), "captures that are never shown, besides tokens and the like")
            .such_as("[\"token\"]"),
        key("halt-if", Some(&Assertion), "when one of these holds, the suite ends, failed")
            .such_as("[\"status == 403\"]"),
        key("cleanup", Flag, "whether it is tried at the end, whatever failed; it judges nothing")
            .or("false")
            .such_as("true"),
        key("off", Flag, "a step of the checklist that is left out").or("false").such_as("true"),
    ],
};

/// `request` in `[[smoke]]`.
pub(super) const REQUEST: Table = Table {
    name: "smoke.request",
    about: "What a smoke step sends.",
    keys: &[
        key("method", Text, "the method").or("GET; POST with a body").such_as("\"POST\""),
        key("path", Path, "where it is sent, below `url`").or("/").such_as("\"/api/chat\""),
        key("url", Url, "a full URL instead of `path`")
            .such_as("\"https://agent.example.com/admin\""),
        key("headers", Headers, "its headers").such_as("{ accept = \"application/json\" }"),
        key("json", Json, "a value that is sent as JSON").such_as("{ message = \"Hello\" }"),
        key("body", Text, "text that is sent as it is").such_as("\"ping\""),
        key("follow", Whole(0, 10), "how many redirects are followed").or("0").such_as("3"),
        key("timeout", Duration, "of the whole exchange").or("30s").such_as("\"30s\""),
    ],
};

/// `retry` in `[[smoke]]`.
pub(super) const RETRY: Table = Table {
    name: "smoke.retry",
    about: "When a smoke step that failed is tried again.",
    keys: &[
        key("deadline", Duration, "from the first try; 0s: one try").or("10s").such_as("\"10s\""),
        key("interval", Duration, "between tries")
            .or("2s; 8s where a request changes things")
            .such_as("\"8s\""),
    ],
};
