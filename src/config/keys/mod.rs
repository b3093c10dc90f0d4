//! Every key there is, once: what it takes, what it means, what holds without
//! it, an example. The walk, the hints for a word that is none, the schema and
//! the reference page read this table.
//!
//! A new key is a row in the file of its table. A new table is a file with a
//! `TABLE`, a line in `TABLES`, and a row that leads to it.

mod channels;
mod checks;
mod digests;
mod health;
mod heartbeat;
mod presets;
mod rehearse;
mod resources;
mod rules;
mod schema;
mod service;
mod signals;
mod smoke;
mod sources;
mod suppression;
mod takes;
mod targets;
mod windows;

pub use schema::schema;
pub use takes::{SECRET, Takes};

/// A table of the file and its keys.
pub struct Table {
    /// Empty for the top, `rule` for each `[[rule]]`, `windows.*` for each window.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// In the order of the example file.
    pub keys: &'static [Key],
}

/// A key of one table.
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it means.
    pub about: &'static str,
    /// What holds without it.
    pub without: Without,
    /// Its value in an example, as TOML; empty for a table.
    pub example: &'static str,
}

/// What holds where a key is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Without {
    /// It cannot be left out.
    Needed,
    /// Nothing.
    Nothing,
    /// This, in words.
    Default(&'static str),
}

/// A row: `key(NAME, TAKES, MEANING).or(DEFAULT).such_as(EXAMPLE)`.
const fn key(name: &'static str, takes: Takes, about: &'static str) -> Key {
    Key { name, takes, about, without: Without::Nothing, example: "" }
}

impl Key {
    /// What holds without it.
    const fn or(self, default: &'static str) -> Key {
        Key { without: Without::Default(default), ..self }
    }

    /// It cannot be left out.
    const fn needed(self) -> Key {
        Key { without: Without::Needed, ..self }
    }

    /// A value, as TOML.
    const fn such_as(self, example: &'static str) -> Key {
        Key { example, ..self }
    }
}

/// All of them, in the order of the example file.
pub const TABLES: [&Table; 37] = [
    &service::TOP,
    &service::TARGETS,
    &targets::STATIC,
    &targets::DISCOVER,
    &targets::FOUND,
    &targets::DNS,
    &targets::AUTH,
    &targets::BASIC,
    &targets::TLS,
    &health::TABLE,
    &health::VERSION,
    &smoke::TABLE,
    &smoke::REQUEST,
    &smoke::RETRY,
    &windows::TABLE,
    &checks::TABLE,
    &checks::DNS,
    &checks::GRPC,
    &rules::DEFAULTS,
    &resources::SLA,
    &resources::TABLE,
    &resources::MEMORY,
    &resources::CPU,
    &rules::TABLE,
    &signals::TABLE,
    &sources::TABLE,
    &presets::TABLE,
    &presets::ERRORS,
    &presets::LATENCY,
    &presets::SIGNAL,
    &channels::TABLE,
    &channels::QUIET,
    &digests::TABLE,
    &suppression::MAINTENANCE,
    &suppression::INHIBIT,
    &heartbeat::TABLE,
    &rehearse::TABLE,
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
    let table = TABLES.iter().filter(|known| known.name == table);
    table.flat_map(|known| known.keys).map(|key| key.name).collect()
}

/// Tables that have this key, for one that is in the wrong place.
pub(super) fn tables_with(name: &str) -> Vec<&'static str> {
    let has = |table: &&&Table| table.keys.iter().any(|key| key.name == name);
    let mut tables: Vec<&str> = TABLES.iter().filter(has).map(|table| table.name).collect();
    // `every` in [targets] is more likely a window's than that of a source.
    tables.sort_by_key(|name| name.starts_with("targets."));
    tables
}

/// As written in the file: `[targets]`, `[[rule]]`, `the top of the file`.
pub(super) fn shown(table: &str) -> String {
    match table {
        "" => "the top of the file, before any [table]".to_owned(),
        other => match opened_by(other) {
            Some(Takes::Table(_)) => format!("[{other}]"),
            Some(Takes::Tables(_)) => format!("[[{other}]]"),
            _ => format!("`{other}`"),
        },
    }
}

/// The row of the top that leads to a table.
fn opened_by(table: &str) -> Option<Takes> {
    let row = service::TOP.keys.iter().find(|key| key.takes.table() == Some(table));
    row.map(|key| key.takes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_to_each_table_and_names_each_key_of_it_once() {
        let leads = |name: &str| {
            let mut rows = TABLES.iter().flat_map(|table| table.keys);
            name.is_empty() || rows.any(|key| key.takes.table() == Some(name))
        };
        for table in TABLES {
            assert!(leads(table.name), "no row leads to {}", table.name);
            for (at, key) in table.keys.iter().enumerate() {
                let again = table.keys[..at].iter().any(|other| other.name == key.name);
                assert!(!again, "{}.{} twice", table.name, key.name);
            }
        }
    }

    #[test]
    fn bears_an_example_of_each_key_that_its_type_takes() {
        let all = TABLES.into_iter().chain([&SECRET]);
        for (table, key) in all.flat_map(|t| t.keys.iter().map(move |key| (t, key))) {
            let place = format!("{}.{}", table.name, key.name);
            if key.takes.table().is_some() && key.example.is_empty() {
                continue;
            }
            let text = format!("x = {}", key.example);
            let read: toml::Table = text.parse().unwrap_or_else(|why| panic!("{place}: {why}"));
            assert!(key.takes.accepts(&read["x"]), "{place} does not take {}", key.example);
        }
    }
}
