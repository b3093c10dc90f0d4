//! Keys of `[[check]]`, of its `dns` and of its `grpc`.

use super::Takes::{Assertion, Duration, File, Flag, List, Place, Table as Keys, Text, Word};
use super::{Key, Table, key};

/// What is asked besides HTTP, by a `[[check]]` or a `[[smoke]]` step.
pub(super) const TCP_KEY: Key =
    key("tcp", Place, "a host and port that has to accept a connection")
        .such_as("\"redis.internal:6379\"");
pub(super) const TLS_KEY: Key =
    key("tls", Place, "a host and port that has to show a certificate to be trusted")
        .such_as("\"agent.example.com:443\"");
pub(super) const DNS_KEY: Key = key("dns", Keys("check.dns"), "a name that has to have records");
pub(super) const GRPC_KEY: Key =
    key("grpc", Keys("check.grpc"), "a server that has to say SERVING (grpc.health.v1)");

/// `[[check]]`.
pub(super) const TABLE: Table = Table {
    name: "check",
    about: "Something that is asked through the windows besides HTTP; one of `tcp`, `tls`, `dns` \
            and `grpc`.",
    keys: &[
        key("name", Text, "the check's name, and the `check` label of its samples")
            .needed()
            .such_as("\"cache\""),
        TCP_KEY,
        TLS_KEY,
        DNS_KEY,
        GRPC_KEY,
        key("ca-file", File, "a PEM file with an authority to trust besides the system's")
            .such_as("\"/etc/ssl/our-ca.pem\""),
        key("every", Duration, "how often it is asked")
            .or("as often as targets are")
            .such_as("\"1m\""),
        key("timeout", Duration, "for a whole answer; below its interval")
            .or("as of a probe")
            .such_as("\"5s\""),
        key("expect", List(&Assertion), "what has to hold besides")
            .or("nothing besides")
            .such_as("[\"latency < 50ms\"]"),
        key("must", Flag, "whether its failing is critical, or a warning")
            .or("true")
            .such_as("false"),
    ],
};

/// `dns` in `[[check]]`.
pub(super) const DNS: Table = Table {
    name: "check.dns",
    about: "A question to the domain name system.",
    keys: &[
        key("name", Text, "the name").needed().such_as("\"agent.example.com\""),
        key("type", Word(&["A", "AAAA", "CNAME", "SRV", "TXT"]), "the type of record")
            .or("A")
            .such_as("\"SRV\""),
        key("expect", List(&Text), "records that have to be among those found")
            .or("at least one, whatever it says")
            .such_as("[\"203.0.113.7\"]"),
        key("server", Text, "the address of a server to ask")
            .or("the system's")
            .such_as("\"10.0.0.2:53\""),
    ],
};

/// `grpc` in `[[check]]`.
pub(super) const GRPC: Table = Table {
    name: "check.grpc",
    about: "A call of grpc.health.v1.Health/Check.",
    keys: &[
        key("address", Place, "a host and port").needed().such_as("\"agent.internal:50051\""),
        key("service", Text, "one of its services")
            .or("the server as a whole")
            .such_as("\"chat.v1.Chat\""),
        key("tls", Flag, "whether it is called over TLS").or("false").such_as("true"),
    ],
};
