//! Keys of `[[maintenance]]` and `[[inhibit]]`.

use super::Takes::{Cron, Duration, Some, Text};
use super::{Table, key};

/// `[[maintenance]]`.
pub(super) const MAINTENANCE: Table = Table {
    name: "maintenance",
    about: "A window of the calendar in which nobody is told that an alert fires, of whatever \
            severity. It is judged and recorded all the same; what still fires at the window's \
            end is told then, and the end of what was told before is told at once.",
    keys: &[
        key("name", Text, "the window's name").needed().such_as("\"patch night\""),
        key("schedule", Cron, "when it begins, as a crontab line")
            .needed()
            .such_as("\"0 2 * * sun\""),
        key("for", Duration, "how long it lasts").needed().such_as("\"2h\""),
        key("zone", Text, "the time zone of `schedule`, by its IANA name")
            .or("UTC")
            .such_as("\"Europe/Berlin\""),
        key("matchers", Some(&Text), MATCHERS).or("all alerts").such_as("[\"severity!=critical\"]"),
    ],
};

/// `[[inhibit]]`.
pub(super) const INHIBIT: Table = Table {
    name: "inhibit",
    about: "Alerts that others explain: while one of the sources is pending or fires, and for two \
            looks after that, nobody is told that one of the targets fires.",
    keys: &[
        key("source", Some(&Text), "which alerts explain, by matchers as above")
            .needed()
            .such_as("[\"alertname=DatabaseDown\"]"),
        key("target", Some(&Text), "which alerts they explain")
            .needed()
            .such_as("[\"alertname=~\\\"High.*\\\"\"]"),
        key("equal", Some(&Text), "labels that both have alike")
            .or("none")
            .such_as("[\"instance\"]"),
    ],
};

/// The same of a silence.
const MATCHERS: &str = "which alerts, by their labels and by alertname, severity, service and \
                        release: name=value, !=, =~ or !~";
