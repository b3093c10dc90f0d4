//! Keys of the top of the file and of `[targets]`.

use super::Takes::{
    self, Address, Duration, Either, False, Headers, List, Named, Path, Size, Some, Tables,
};
use super::Takes::{Text, Whole, Word};
use super::rules::SEVERITIES;
use super::{Table, key};

/// The top of the file.
pub(super) const TOP: Table = Table {
    name: "",
    about: "The top of the file, before any [table].",
    keys: &[
        key("service", Text, "the service's name")
            .or("the host of `url`")
            .such_as("\"chat-agent\""),
        key("url", Address, "the service's address, and its first target")
            .or("the first of `targets.static`, or what the command line says")
            .such_as("\"https://agent.example.com\""),
        key("settle", Duration, "how long smoke tests wait for a first answer")
            .or("5m, or half of the shortest window")
            .such_as("\"5m\""),
        key("timeout", Duration, "of a probe and of a scrape; below every interval")
            .or("10s, or two thirds of the shortest interval")
            .such_as("\"10s\""),
        key("run-header", RUN_HEADER, "the header that names the smoke suite's run; false: none")
            .or("X-Bakewatch-Run")
            .such_as("\"X-Test-Run\""),
        key("listen", Takes::Place, "where the running watch answers queries over HTTP, read only")
            .or("in its state directory alone")
            .such_as("\"127.0.0.1:9797\""),
        key("body-limit", Size, "the largest body of a scrape, after gunzip")
            .or("16MiB")
            .such_as("\"16MiB\""),
        key("presets", PRESETS, "which names the service uses for its metrics; a list pins them")
            .or("auto: what the first scrapes show")
            .such_as("[\"process\"]"),
        key("require", List(&Text), "signals that must have evidence, or a window is inconclusive")
            .or("what the first scrapes show")
            .such_as("[\"error_ratio\"]"),
        key("targets", Takes::Table("targets"), "the replicas").or("`url` alone"),
        key("health", Takes::Table("health"), "what the health of each replica has to show"),
        key("smoke", Tables("smoke"), "smoke steps, beside the checklist's or in their place"),
        key("check", Tables("check"), "what is asked besides HTTP, through the windows"),
        key("windows", Named("windows.*"), "windows; whoever lists one lists all")
            .or("first-day and first-week"),
        key("severities", Takes::Each(&Word(SEVERITIES)), "words of your own for how bad it is")
            .or("info, warning, critical")
            .such_as("{ page = \"critical\", ticket = \"warning\" }"),
        key(
            "rules",
            RULES,
            "files of Prometheus's rules, beside the configuration; or a table: what holds for \
             every rule that does not say its own",
        ),
        key("resources", Takes::Table("resources"), "what each replica is given"),
        key("rule", Tables("rule"), "rules, beside the pack or changing it"),
        key("signal", Tables("signal"), "named queries"),
        key("source", Named("source.*"), "who is asked for signals instead of our own scraping"),
        key("metrics", Text, "the source that measures whatever does not say another")
            .or("scrape: the targets' own metrics")
            .such_as("\"main\""),
        key("preset", Tables("preset"), "what stacks of one's own call their metrics"),
        key("channel", Tables("channel"), "whom to tell").or("nobody is told"),
        key("digest", Tables("digest"), "what is told by the calendar, besides"),
        key("maintenance", Tables("maintenance"), "when nobody is told that an alert fires"),
        key("inhibit", Tables("inhibit"), "alerts that others explain"),
        key("heartbeat", Takes::Table("heartbeat"), "who is to notice when bakewatch is gone")
            .or("nobody is called"),
        key("rehearse", Takes::Table("rehearse"), "how a person confirms a test alert")
            .or("nobody is asked"),
    ],
};

const RULES: Takes = Either(&[Takes::Table("rules"), List(&Takes::File)]);

const PRESETS: Takes = Either(&[Word(&["auto"]), List(&Text)]);

const RUN_HEADER: Takes = Either(&[Text, False]);

const PATH: Takes = Either(&[Path, False]);

const SOURCES: Takes = Either(&[Takes::Table("targets.discover"), Tables("targets.discover")]);

const TARGET: Takes = Either(&[Address, Takes::Table("targets.static")]);

/// `[targets]`.
pub(super) const TARGETS: Table = Table {
    name: "targets",
    about: "The replicas: where they are, and which paths they are asked.",
    keys: &[
        key("static", Some(&TARGET), "one base URL a replica, or a table with `url`")
            .or("`url` alone")
            .such_as("[\"http://10.0.0.11:8000\", \"http://10.0.0.12:8000\"]"),
        key("expect", Whole(1, 1000), "how many have to be healthy; fewer are an alert")
            .or("all that are listed; 1 where they are looked for")
            .such_as("2"),
        key("health", PATH, "the health endpoint; false: not asked")
            .or("/health")
            .such_as("\"/health\""),
        key("ready", PATH, "the readiness endpoint, for the smoke test; false: not asked")
            .or("/health/ready")
            .such_as("\"/health/ready\""),
        key("metrics", PATH, "the exposition; false: not scraped")
            .or("/metrics")
            .such_as("\"/metrics\""),
        key("certificates", False, "false: the certificates of https addresses are not looked at")
            .or("looked at once an hour")
            .such_as("false"),
        key("headers", Headers, "headers of probes and scrapes")
            .such_as("{ authorization = { env = \"PROBE_TOKEN\" } }"),
        key("discover", SOURCES, "where more replicas are looked for"),
        key("auth", Takes::Table("targets.auth"), "who we say we are, to them and below `url`"),
        key("tls", Takes::Table("targets.tls"), "whom we trust"),
        super::targets::PROXY,
        super::targets::HTTP2,
    ],
};
