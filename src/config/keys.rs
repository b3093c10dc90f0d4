//! Every key there is, once: what `unknown key` knows, and what is documented.

/// A key of one table.
pub struct Key {
    /// The table it stands in: empty for the top, `rule` for each `[[rule]]`,
    /// `windows.*` for each window.
    pub table: &'static str,
    /// The key.
    pub name: &'static str,
    /// What it takes, what it means, and what holds without it.
    pub about: &'static str,
}

const fn key(table: &'static str, name: &'static str, about: &'static str) -> Key {
    Key { table, name, about }
}

/// All of them, in the order of the example file.
pub const KEYS: &[Key] = &[
    key("", "service", "text: the service's name; the host of `url`"),
    key("", "url", "URL: the service's address; the first target"),
    key("", "settle", "duration: how long smoke tests wait for a first answer; 5m"),
    key("", "timeout", "duration: of a probe and a scrape; 10s or two thirds of an interval"),
    key("", "body-limit", "size: of a scrape's body, after gunzip; 16MiB"),
    key("", "presets", "\"auto\", or a list of presets: names of metrics; auto"),
    key("", "require", "list of signals that must have evidence, besides what is matched"),
    key("", "targets", "table: the replicas"),
    key("", "smoke", "list of tables: smoke steps, beside the checklist's"),
    key("", "windows", "table of windows; first-day and first-week"),
    key("", "rules", "table: defaults of all rules"),
    key("", "rule", "list of tables: rules, beside the pack or changing it"),
    key("", "signal", "list of tables: named queries"),
    key("", "channel", "list of tables: whom to tell"),
    key("targets", "static", "list of URLs, one a replica; `url` alone"),
    key("targets", "expect", "how many have to be healthy; all"),
    key("targets", "health", "path of the health endpoint, or false; /health"),
    key("targets", "ready", "path of the readiness endpoint, or false; /health/ready"),
    key("targets", "metrics", "path of the exposition, or false; /metrics"),
    key("targets", "headers", "table: headers of probes and scrapes"),
    key("smoke", "name", "text: what the step shows"),
    key("smoke", "request", "table: what is sent"),
    key("smoke", "expect", "list of assertions, at least one"),
    key("smoke", "must", "whether its failure fails the release; true"),
    key("smoke", "retry", "table: when it is tried again"),
    key("smoke", "off", "true: a step of the checklist that is left out"),
    key("smoke.request", "method", "GET; POST with a body"),
    key("smoke.request", "path", "below `url`; /"),
    key("smoke.request", "url", "a full URL instead of `path`"),
    key("smoke.request", "headers", "table: headers"),
    key("smoke.request", "json", "a value that is sent as JSON"),
    key("smoke.request", "body", "text that is sent as it is"),
    key("smoke.request", "timeout", "duration: of the whole exchange; 30s"),
    key("smoke.retry", "deadline", "duration: from the first try; 0s: one try; 10s"),
    key("smoke.retry", "interval", "duration: between tries; 2s, and 8s for what changes things"),
    key("windows.*", "length", "duration: from the release"),
    key("windows.*", "every", "duration: how often targets are asked"),
    key("rules", "for", "duration: how long all rules have to be broken"),
    key("rules", "recover", "duration: how long all rules have to be calm"),
    key("rules", "range", "duration: over which rates and quantiles are read; 5m"),
    key("rules", "min-events", "number: events below which nothing is judged; 20, for a p99 100"),
    key("rule", "name", "text: the alert's name, or a rule of the pack"),
    key("rule", "off", "true: a rule of the pack that is left out"),
    key("rule", "signal", "text: the signal it judges"),
    key("rule", "query", "PromQL, instead of a signal"),
    key("rule", "quantile", "number between 0 and 1: of a histogram signal"),
    key("rule", "above", "number, \"5%\", \"10s\" or \"1GiB\": broken by anything greater"),
    key("rule", "below", "number, \"5%\", \"10s\" or \"1GiB\": broken by anything smaller"),
    key("rule", "for", "duration: how long it has to be broken; 2m, 10m for a warning"),
    key("rule", "recover", "duration: how long it has to be calm; 2m, 5m for a warning"),
    key("rule", "breaches", "number: broken readings in a row that are needed besides; 3"),
    key("rule", "calms", "number: calm readings in a row that are needed besides; 2"),
    key("rule", "min-events", "number: events below which nothing is judged; 20, for a p99 100"),
    key("rule", "severity", "info, warning or critical; warning"),
    key("rule", "summary", "text: what is wrong, in the users' terms"),
    key("rule", "runbook", "URL: where the way out is written down"),
    key("signal", "name", "text: the signal's name"),
    key("signal", "query", "PromQL: one value, or one for each label set"),
    key("signal", "num", "PromQL: events that count against us"),
    key("signal", "den", "PromQL: all events"),
    key("signal", "buckets", "PromQL: a histogram, by `le`"),
    key("signal", "scale", "number: makes seconds of `le`; 1"),
    key("signal", "unit", "ratio, seconds, per-second, bytes, count or dollars-per-hour"),
    key("signal", "range", "duration: what `$range` stands for; 5m"),
    key("channel", "name", "text: the channel's name"),
    key("channel", "type", "email or webhook"),
    key("channel", "severities", "list: which alerts are told here; all"),
    key("channel", "url", "secret: a webhook's address"),
    key("channel", "secret", "secret: `whsec_…`, signs a webhook's body"),
    key("channel", "to", "list of addresses"),
    key("channel", "from", "address: the sender; bakewatch@ the mail server"),
    key(
        "channel",
        "smtp",
        "URL: smtps://user@host, smtp://user@host (STARTTLS), or, on this \
         machine alone, smtp+plain://127.0.0.1:1025",
    ),
    key("channel", "password", "secret: of the user in `smtp`"),
    key("channel", "ca-file", "path: a PEM file with an authority to trust besides the system's"),
];

/// What other tools call things, and what they are called here.
pub(super) const ELSEWHERE: [(&str, &str); 15] = [
    ("alert", "name"),
    ("assertions", "expect"),
    ("asserts", "expect"),
    ("duration", "length"),
    ("expr", "query"),
    ("hold", "for"),
    ("interval", "every"),
    ("keep-firing-for", "recover"),
    ("level", "severity"),
    ("receivers", "to"),
    ("recipients", "to"),
    ("replicas", "expect"),
    ("threshold", "above"),
    ("urls", "static"),
    ("webhook-url", "url"),
];

/// The keys of a table.
pub(super) fn of(table: &str) -> Vec<&'static str> {
    KEYS.iter().filter(|key| key.table == table).map(|key| key.name).collect()
}

/// Tables that have this key, for one that is in the wrong place.
pub(super) fn tables_with(name: &str) -> Vec<&'static str> {
    KEYS.iter().filter(|key| key.name == name).map(|key| key.table).collect()
}

/// As written in the file: `[targets]`, `[[rule]]`, `the top level`.
pub(super) fn shown(table: &str) -> String {
    match table {
        "" => "the top of the file, before any [table]".to_owned(),
        "targets" | "rules" => format!("[{table}]"),
        "smoke" | "rule" | "signal" | "channel" => format!("[[{table}]]"),
        other => format!("`{other}`"),
    }
}
