//! What keys take: the types of values, in words, and as what a value looks
//! like before anybody reads it. Whether it makes sense is decided where it
//! is read.

use super::{Key, Table, Without, key};

/// A type of value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Takes {
    /// Words that are not empty.
    Text,
    /// `true` or `false`.
    Flag,
    /// Only `false`: a thing is switched off by it.
    False,
    /// `"30s"`, `"1h 30m"`.
    Duration,
    /// `"16MiB"`, or whole bytes.
    Size,
    /// A finite number.
    Number,
    /// A whole number from the first to the second.
    Whole(u64, u64),
    /// An http or https URL.
    Url,
    /// The same, or a Unix socket, `unix:///run/app.sock`.
    Address,
    /// `smtps://user@host`.
    Smtp,
    /// A mail address.
    Mail,
    /// `host:port`.
    Place,
    /// A crontab line.
    Cron,
    /// What follows a base URL.
    Path,
    /// A file's path.
    File,
    /// An expression in PromQL.
    Query,
    /// An assertion.
    Assertion,
    /// A limit: a number, `"5%"`, `"10s"` or `"1GiB"`.
    Limit,
    /// A literal, or where it is found.
    Secret,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Whatever can be sent as JSON.
    Json,
    /// A table of headers, whose values are secrets.
    Headers,
    /// A table with names of the user's own, whose values are all of this type.
    Each(&'static Takes),
    /// A table of captures under names of the user's own.
    Captures,
    /// One of several types.
    Either(&'static [Takes]),
    /// A list, perhaps empty.
    List(&'static Takes),
    /// A list of at least one.
    Some(&'static Takes),
    /// A table with known keys.
    Table(&'static str),
    /// A list of tables with known keys: `[[rule]]`.
    Tables(&'static str),
    /// A table of tables with names of the user's own.
    Named(&'static str),
}

/// Where a secret is found. It is a type and no place in the file.
pub const SECRET: Table = Table {
    name: "a secret",
    about: "Where a secret is found; one of both. It is read when it is used.",
    keys: &[
        key("env", Takes::Text, "the variable that holds it").such_as("\"SMTP_PASSWORD\""),
        key("file", Takes::File, "the file that holds it").such_as("\"/run/secrets/chat\""),
    ],
};

/// What `Span` reads: numbers with units, one after another.
pub(super) const DURATION: &str = concat!(
    r"^\s*(0|(\d[\d\s]*(\.\d+)?\s*",
    r"(nsec|ns|usec|us|µs|millis|msec|ms|seconds|second|secs|sec|s|minutes|minute|mins|min|m|",
    r"hours|hour|hrs|hr|h|days|day|d|weeks|week|wks|wk|w|months|month|M|years|year|yrs|yr|y)\s*",
    r")+)$"
);

/// What a host and a port look like.
pub(super) const PLACE: &str = "^[^/]+:[0-9]{1,5}$";

/// What a crontab line looks like.
pub(super) const CRON: &str = r"^\s*(@[A-Za-z]+|\S+(\s+\S+){4})\s*$";

/// What a size in words looks like.
pub(super) const SIZE: &str = r"^\s*[0-9]+\s*([KMG]iB|[kMG]?B)$";

impl Takes {
    /// The table that it leads to.
    pub fn table(&self) -> Option<&'static str> {
        match self {
            Takes::Table(name) | Takes::Tables(name) | Takes::Named(name) => Some(name),
            Takes::Either(types) => types.iter().find_map(Takes::table),
            Takes::List(of) | Takes::Some(of) => of.table(),
            _ => None,
        }
    }

    /// For people: `duration`, `list of URLs`.
    pub fn words(&self) -> String {
        match self {
            Takes::Text => "text".to_owned(),
            Takes::Flag => "true or false".to_owned(),
            Takes::False => "false".to_owned(),
            Takes::Duration => "duration".to_owned(),
            Takes::Size => "size".to_owned(),
            Takes::Number => "number".to_owned(),
            Takes::Whole(least, most) => format!("whole number from {least} to {most}"),
            Takes::Url => "URL".to_owned(),
            Takes::Address => "URL, or unix:///path/of/a.sock".to_owned(),
            Takes::Smtp => "mail server".to_owned(),
            Takes::Mail => "mail address".to_owned(),
            Takes::Place => "host:port".to_owned(),
            Takes::Cron => "crontab line".to_owned(),
            Takes::Path => "path of a URL".to_owned(),
            Takes::File => "path of a file".to_owned(),
            Takes::Query => "PromQL".to_owned(),
            Takes::Assertion => "assertion".to_owned(),
            Takes::Limit => "number, \"5%\", \"10s\" or \"1GiB\"".to_owned(),
            Takes::Secret => "secret".to_owned(),
            Takes::Word(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                quoted.join(", ")
            }
            Takes::Json => "any value".to_owned(),
            Takes::Headers => "table of headers".to_owned(),
            Takes::Each(of) => format!("table ({})", of.words()),
            Takes::Captures => "table of captures".to_owned(),
            Takes::Either(types) => {
                types.iter().map(Takes::words).collect::<Vec<_>>().join(", or ")
            }
            Takes::List(of) => format!("list ({})", of.words()),
            Takes::Some(of) => format!("list, not empty ({})", of.words()),
            Takes::Table(_) => "table".to_owned(),
            Takes::Tables(_) => "list of tables".to_owned(),
            Takes::Named(_) => "table of tables".to_owned(),
        }
    }
}

impl Without {
    /// For people; empty where nothing holds.
    pub fn words(&self) -> &'static str {
        match self {
            Without::Needed => "needed",
            Without::Nothing => "",
            Without::Default(default) => default,
        }
    }
}

impl Key {
    /// Whether it has to be there.
    pub fn is_needed(&self) -> bool {
        self.without == Without::Needed
    }
}

#[cfg(test)]
impl Takes {
    /// Whether a value is of this type, as far as its form goes.
    pub(super) fn accepts(&self, value: &toml::Value) -> bool {
        let matches = |pattern: &str| {
            let pattern = regex::Regex::new(pattern).expect("a pattern");
            value.as_str().is_some_and(|text| pattern.is_match(text))
        };
        let has_text = || value.as_str().is_some_and(|text| !text.trim().is_empty());
        match self {
            Takes::Text | Takes::File | Takes::Query | Takes::Assertion | Takes::Mail => has_text(),
            Takes::Flag => value.is_bool(),
            Takes::False => value.as_bool() == Some(false),
            Takes::Duration => matches(DURATION),
            Takes::Size => value.is_integer() || matches(SIZE),
            Takes::Number => value.is_integer() || value.is_float(),
            Takes::Whole(least, most) => {
                let whole = value.as_integer().and_then(|whole| u64::try_from(whole).ok());
                whole.is_some_and(|whole| (*least..=*most).contains(&whole))
            }
            Takes::Url => matches("^https?://"),
            Takes::Address => matches("^(https?://|unix:///)"),
            Takes::Smtp => matches(r"^smtp(s|\+plain)?://"),
            Takes::Place => matches(PLACE),
            Takes::Cron => matches(CRON),
            Takes::Path => matches("^/"),
            Takes::Limit => value.is_integer() || value.is_float() || has_text(),
            Takes::Secret => has_text() || value.as_table().is_some_and(|table| table.len() == 1),
            Takes::Word(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Takes::Json => true,
            Takes::Headers | Takes::Captures => value.is_table(),
            Takes::Each(of) => {
                value.as_table().is_some_and(|all| all.values().all(|v| of.accepts(v)))
            }
            Takes::Either(types) => types.iter().any(|takes| takes.accepts(value)),
            Takes::List(of) => {
                value.as_array().is_some_and(|all| all.iter().all(|v| of.accepts(v)))
            }
            Takes::Some(of) => Takes::List(of).accepts(value) && value.as_array() != Some(&vec![]),
            Takes::Table(_) | Takes::Named(_) => value.is_table(),
            Takes::Tables(_) => value.is_array(),
        }
    }
}
