//! Keys of `[rules]` and of `[[rule]]`.

use super::Takes::{Duration, Each, Either, Flag, Limit, Number, Query, Text, Url, Whole, Word};
use super::{Table, key};

/// The severities there are, worst last.
pub(super) const SEVERITIES: &[&str] = &["info", "warning", "critical"];

/// One of them, or a word of the user's own.
pub(super) const SEVERITY: super::Takes = Either(&[Word(SEVERITIES), Text]);

const LIMITS: super::Takes = Either(&[Limit, Each(&Limit)]);

const EVENTS: super::Takes = Whole(0, 1_000_000_000);

/// `[rules]`.
pub(super) const DEFAULTS: Table = Table {
    name: "rules",
    about: "What holds for every rule that does not say its own.",
    keys: &[
        key("files", super::Takes::List(&super::Takes::File), "files of Prometheus's rules")
            .such_as("[\"rules/*.yml\"]"),
        key("for", Duration, "how long all rules have to be broken")
            .or("by severity and rule")
            .such_as("\"2m\""),
        key("recover", Duration, "how long all rules have to be calm again")
            .or("by severity")
            .such_as("\"2m\""),
        key("range", Duration, "over which rates and quantiles are read")
            .or("5m")
            .such_as("\"5m\""),
        key("min-events", EVENTS, "events below which nothing is judged")
            .or("20; 100 for a p99")
            .such_as("20"),
        key("profile", Word(&["quick-reference", "alert-list"]), "which of the checklist's sets")
            .or("quick-reference: memory above 95%; the other: 90%, and 70% as a warning")
            .such_as("\"alert-list\""),
        key("sla", super::Takes::Table("rules.sla"), "what is promised, as rules of their own"),
        key("restarts-per-hour", Whole(0, 1000), "how many are borne")
            .or("not judged")
            .such_as("3"),
    ],
};

/// `[[rule]]`.
pub(super) const TABLE: Table = Table {
    name: "rule",
    about: "A rule of your own, or, by the name of one of the pack, a change to it.",
    keys: &[
        key("name", Text, "the alert's name, or a rule of the pack")
            .needed()
            .such_as("\"QueueBacklog\""),
        key("off", Flag, "a rule of the pack that is left out").or("false").such_as("true"),
        key("signal", Text, "the signal that it judges").such_as("\"tool_latency\""),
        key("query", Query, "what it judges, instead of a signal").such_as("\"sum(queue_depth)\""),
        super::signals::SOURCE,
        key("quantile", Number, "between 0 and 1: of a histogram signal").such_as("0.95"),
        key(
            "above",
            LIMITS,
            "broken by anything greater; a table: by window; \"1.5x baseline\": of what the last \
             healthy release measured",
        )
        .such_as("1000"),
        key("below", LIMITS, "broken by anything smaller; a table: by window").such_as("\"50%\""),
        key("at-least", Limit, "a bound from a baseline is no lower than this").such_as("\"1%\""),
        key("for", Duration, "how long it has to be broken")
            .or("2m if critical, else 10m")
            .such_as("\"5m\""),
        key("recover", Duration, "how long it has to be calm again")
            .or("2m if critical, else 5m")
            .such_as("\"5m\""),
        key("breaches", Whole(1, 1000), "broken readings in a row that are needed besides")
            .or("3")
            .such_as("3"),
        key("calms", Whole(1, 1000), "calm readings in a row that are needed besides")
            .or("2")
            .such_as("2"),
        key("min-events", EVENTS, "events below which nothing is judged")
            .or("20; 100 for a p99")
            .such_as("50"),
        key("severity", SEVERITY, "how bad it is; a word of `[severities]` too")
            .or("warning")
            .such_as("\"warning\""),
        key("summary", Text, "what is wrong, in the users' terms")
            .or("made of signal and bound")
            .such_as("\"the queue grows faster than it is worked off\""),
        key("runbook", Url, "where the way out is written down")
            .such_as("\"https://runbooks.example.com/queue\""),
        key("labels", Each(&Text), "labels that go with what is told")
            .such_as("{ team = \"agents\" }"),
    ],
};
