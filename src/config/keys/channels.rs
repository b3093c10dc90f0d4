//! Keys of `[[channel]]`.

use super::Takes::{Each, Either, File, Mail, Secret, Smtp, Some, Text, Word};
use super::rules::SEVERITY;
use super::{Table, key};

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
        key("severities", Some(&SEVERITY), "which alerts; summaries come in any case")
            .or("all")
            .such_as("[\"critical\"]"),
        key(
            "url",
            Either(&[Secret, Some(&Secret)]),
            "where it is told: needed for all but email, command and pagerduty; of an \
             alertmanager a list, with all its replicas",
        )
        .such_as("{ file = \"/run/secrets/chat-webhook\" }"),
        key("topic", Text, "ntfy: to whom it is published; needed there").such_as("\"bakewatch\""),
        key("token", Secret, "ntfy, cloudevents, alertmanager and its webhook: a bearer token")
            .or("none")
            .such_as("{ env = \"NTFY_TOKEN\" }"),
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
