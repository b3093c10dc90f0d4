//! Keys of the tables in `[targets]`: where replicas are looked for, and how
//! they are reached.

use super::Takes::{
    self, Address, Duration, Either, File, Flag, Headers, Secret, Text, Url, Whole, Word,
};
use super::{Key, Table, key};

/// Of an address that is reached in a way of its own.
pub(super) const HTTP2: Key =
    key("http2", Word(&["auto", "prior-knowledge"]), "for servers that speak nothing else")
        .or("auto")
        .such_as("\"auto\"");

/// A literal without a password, `"env"`, or a secret.
pub(super) const PROXY: Key = key(
    "proxy",
    Either(&[Url, Word(&["env"]), Secret, Takes::False]),
    "through whom; \"env\": as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say; false: directly",
)
.or("directly, whatever the environment says")
.such_as("\"http://proxy.example.com:3128\"");

const AS_USUAL: &str = "as in `targets`";

const HEADERS: Key = key("headers", Headers, "headers of probes and scrapes");

/// A target in `static` that is a table.
pub(super) const STATIC: Table = Table {
    name: "targets.static",
    about: "A target that is reached in a way of its own. What is not said of it is as in \
            `targets`.",
    keys: &[
        key("url", Address, "its base URL, or unix:///path/of/a.sock")
            .needed()
            .such_as("\"http://10.0.0.13:8000\""),
        HEADERS.such_as("{ x-replica = \"c\" }"),
        key("auth", Takes::Table("targets.auth"), "who we say we are"),
        key("tls", Takes::Table("targets.tls"), "whom we trust"),
        PROXY.or(AS_USUAL),
        HTTP2.or(AS_USUAL),
    ],
};

/// `targets` in `targets.discover`.
pub(super) const FOUND: Table = Table {
    name: "targets.discover.targets",
    about: "How the targets that it names are reached. What is not said is as in `targets`.",
    keys: &[
        HEADERS.such_as("{ x-team = \"agents\" }"),
        key("auth", Takes::Table("targets.auth"), "who we say we are"),
        key("tls", Takes::Table("targets.tls"), "whom we trust"),
        PROXY.or(AS_USUAL),
        HTTP2.or(AS_USUAL),
    ],
};

/// `discover` in `[targets]`.
pub(super) const DISCOVER: Table = Table {
    name: "targets.discover",
    about: "Where replicas are looked for: `file`, `http` or `dns`.",
    keys: &[
        key("file", File, "a Prometheus file_sd: .json, .yml or .yaml, one `*` in its name")
            .such_as("\"/etc/bakewatch/targets.json\""),
        key("http", Url, "an address that answers as a Prometheus http_sd")
            .such_as("\"https://sd.example.com/targets\""),
        key("dns", Takes::Table("targets.discover.dns"), "a name whose records are the targets"),
        key("every", Duration, "how often it is asked; DNS sooner, where records hold for less")
            .or("30s")
            .such_as("\"30s\""),
        key("scheme", Word(&["http", "https"]), "of targets that do not say it")
            .or("http")
            .such_as("\"https\""),
        key("headers", Headers, "with `http`: headers of the question")
            .such_as("{ x-team = \"agents\" }"),
        key("auth", Takes::Table("targets.auth"), "with `http`: who we say we are"),
        key("tls", Takes::Table("targets.tls"), "with `http`: whom we trust"),
        PROXY,
        HTTP2,
        key("targets", Takes::Table("targets.discover.targets"), "how those it names are reached")
            .or("as `targets` says"),
    ],
};

/// `dns` in `targets.discover`.
pub(super) const DNS: Table = Table {
    name: "targets.discover.dns",
    about: "A name whose records are the targets.",
    keys: &[
        key("name", Text, "the name").needed().such_as("\"_http._tcp.agent.example.com\""),
        key("type", Word(&["A", "AAAA", "SRV"]), "which records")
            .or("SRV for a name that begins with `_`, else A")
            .such_as("\"SRV\""),
        key("port", Whole(1, 65_535), "the targets' port; SRV records bear their own")
            .such_as("8000"),
        key("server", Text, "whom to ask, with port 53 unless it says another")
            .or("the system's servers")
            .such_as("\"10.0.0.2:53\""),
    ],
};

/// `auth` in `[targets]` and in `targets.discover`.
pub(super) const AUTH: Table = Table {
    name: "targets.auth",
    about: "Who we say we are. Files are read again when they change.",
    keys: &[
        key("bearer", Secret, "sent as `Authorization: Bearer …`")
            .such_as("{ file = \"/run/secrets/token\" }"),
        key("basic", Takes::Table("targets.auth.basic"), "user and password"),
        key("header", Headers, "headers that are secret, whatever they are called")
            .such_as("{ x-api-key = { env = \"API_KEY\" } }"),
        key("client-cert", File, "a PEM file with our certificate; with `client-key`")
            .such_as("\"/run/secrets/client.pem\""),
        key("client-key", File, "a PEM file with its private key")
            .such_as("\"/run/secrets/client.key\""),
    ],
};

/// `basic` in `auth`.
pub(super) const BASIC: Table = Table {
    name: "targets.auth.basic",
    about: "User and password.",
    keys: &[
        key("user", Text, "the user").needed().such_as("\"bakewatch\""),
        key("password", Secret, "the password").needed().such_as("{ env = \"PASSWORD\" }"),
    ],
};

/// `tls` in `[targets]` and in `targets.discover`.
pub(super) const TLS: Table = Table {
    name: "targets.tls",
    about: "Whom we trust.",
    keys: &[
        key("ca-file", File, "a PEM file with authorities to trust besides the system's")
            .such_as("\"/etc/ssl/our-ca.pem\""),
        key("server-name", Text, "the name in the certificate, which is asked for")
            .or("the address's host")
            .such_as("\"agent.example.com\""),
        key("insecure", Flag, "no certificate is checked; told in every report")
            .or("false")
            .such_as("false"),
    ],
};
