//! Keys of `[[channel]]`.

use super::Takes;
use super::Takes::{
    Duration, Each, Either, File, Mail, Secret, Smtp, Some, Table as One, Tables, Text, Whole, Word,
};
use super::rules::SEVERITY;
use super::{Table, key};

/// A wait, or one for some severities.
const WAITS: Takes = Either(&[Duration, Each(&Duration)]);

/// Waits, or none at all.
const REMINDERS: Takes = Either(&[Some(&Duration), Word(&["none"])]);

/// `quiet` in a `[[channel]]`.
pub(super) const QUIET: Table = Table {
    name: "channel.quiet",
    about: "Quiet hours by the clock on the wall. One that ends earlier than it begins ends on the \
            next day. What is critical, and its end, is told all the same.",
    keys: &[
        key("from", Text, "when it begins").needed().such_as("\"22:00\""),
        key("to", Text, "when it ends; \"24:00\" is the end of the day")
            .needed()
            .such_as("\"07:00\""),
        key("zone", Text, "the time zone, by its IANA name").or("UTC").such_as("\"Europe/Berlin\""),
        key(
            "days",
            Some(&Word(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"])),
            "days on which it begins",
        )
        .or("every day")
        .such_as("[\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]"),
    ],
};

/// `[[channel]]`.
pub(super) const TABLE: Table = Table {
    name: "channel",
    about: "Somebody who is told, and how.",
    keys: &[
        key("name", Text, "the channel's name").needed().such_as("\"on-call\""),
        key(
            "type",
            Word(&[
                "email",
                "webhook",
                "slack",
                "teams",
                "discord",
                "ntfy",
                "cloudevents",
                "pagerduty",
                "alertmanager",
                "alertmanager-webhook",
                "command",
            ]),
            "how it is told",
        )
        .needed()
        .such_as("\"email\""),
        key("severities", Some(&SEVERITY), "which alerts; it has no say in summaries")
            .or("all")
            .such_as("[\"critical\"]"),
        key(
            "matchers",
            Some(&Text),
            "which of these, by labels, `alertname`, `severity`, `service` and `release`; all of \
             them have to be true",
        )
        .or("all")
        .such_as("['team=\"agents\"', 'severity=~\"critical|warning\"']"),
        key("group-wait", WAITS, "how long a first alert waits for others; a table: by severity")
            .or("10s if critical, else 30s")
            .such_as("{ critical = \"0s\", warning = \"1m\" }"),
        key(
            "group-interval",
            WAITS,
            "how far letters about alerts are apart; a table: by severity",
        )
        .or("1m if critical, else 5m")
        .such_as("\"5m\""),
        key(
            "reminders",
            Either(&[REMINDERS, Each(&REMINDERS)]),
            "waits before it is told again of what nobody has acknowledged, of which the last is \
             repeated; a table: by severity",
        )
        .or("[\"30m\", \"1h\", \"2h\", \"4h\"] if critical, else \"none\"")
        .such_as("[\"30m\", \"1h\", \"4h\"]"),
        key("after", Duration, "a later step: told only of what nobody acknowledged for so long")
            .or("told at once")
            .such_as("\"10m\""),
        key(
            "quiet",
            Either(&[One("channel.quiet"), Tables("channel.quiet")]),
            "when only what is critical is told; the rest comes as one letter at its end",
        ),
        key("fallback", Text, "who is told of a critical that could not be told here for 2m")
            .or("nobody")
            .such_as("\"sms\""),
        key("limit", Whole(1, 1000), "letters in ten minutes; what is beyond comes as one")
            .or("30")
            .such_as("30"),
        key(
            "url",
            Either(&[Secret, Some(&Secret)]),
            "where it is told: needed for all but email, command and pagerduty; of an \
             alertmanager a list, with all its replicas",
        )
        .such_as("{ file = \"/run/secrets/chat-webhook\" }"),
        key("topic", Text, "ntfy: to whom it is published; needed there").such_as("\"bakewatch\""),
        key(
            "token",
            Secret,
            "ntfy, cloudevents, alertmanager and its webhook: a bearer token; slack: that of a \
             bot, instead of the `url` of an incoming webhook",
        )
        .or("none")
        .such_as("{ env = \"NTFY_TOKEN\" }"),
        key("channel", Text, "slack with a token: where the bot speaks; needed there")
            .such_as("\"#ops\""),
        key("routing-key", Secret, "pagerduty: of the integration; needed there")
            .such_as("{ file = \"/run/secrets/pagerduty\" }"),
        key("secret", Secret, "webhook: `whsec_…`, signs the body")
            .or("not signed")
            .such_as("{ env = \"CHAT_SECRET\" }"),
        key("template", Text, "webhook: the body, in the language of MiniJinja")
            .or("the usual JSON")
            .such_as("'{\"text\": {{ data.text }}}'"),
        key("content-type", Text, "webhook: what the template makes; JSON is escaped and checked")
            .or("application/json")
            .such_as("\"application/json\""),
        key("run", Some(&Text), "command: the program, by its whole path, and its arguments")
            .such_as("[\"/usr/local/bin/page\", \"--loud\"]"),
        key("env", Each(&Secret), "command: its environment, beside PATH and BAKEWATCH_KEY")
            .or("nothing")
            .such_as("{ PAGER_TOKEN = { env = \"PAGER_TOKEN\" } }"),
        key(
            "to",
            Either(&[Mail, Some(&Mail)]),
            "email: who gets it, perhaps with a name; needed there",
        )
        .such_as("[\"On Call <oncall@example.com>\"]"),
        key("from", Mail, "email: the sender")
            .or("the user, or bakewatch@ the mail server")
            .such_as("\"bakewatch@example.com\""),
        key(
            "smtp",
            Smtp,
            "email: smtps://user@host, smtp://user@host (STARTTLS), or, on this machine alone, \
             smtp+plain://127.0.0.1:1025; needed there",
        )
        .such_as("\"smtps://bakewatch@mail.example.com\""),
        key("password", Secret, "email: of the user in `smtp`")
            .such_as("{ env = \"SMTP_PASSWORD\" }"),
        key("ca-file", File, "email: a PEM file with an authority to trust besides the system's")
            .such_as("\"/etc/ssl/our-ca.pem\""),
    ],
};
