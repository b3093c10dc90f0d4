//! The page of all keys.

use super::{code, table};
use crate::config::keys::{SECRET, TABLES, Table, Takes};

const HEAD: &str = "# Configuration: every key

One TOML file a service. [`config/bakewatch.example.toml`](../../config/bakewatch.example.toml) \
shows every key in its place; `bakewatch check -c FILE` tells every mistake of a file at once. \
`-` and `_` in a key are the same.

Editors complete and check a file that begins with `#:schema` and the place of \
[`bakewatch.schema.json`](../../config/bakewatch.schema.json).

- A *duration* is a number with a unit, or several: `\"30s\"`, `\"1h 30m\"`, `\"7d\"`.
- A *size* is whole bytes, or a text: `\"16MiB\"`.
- A *secret* is a literal, `{ env = \"NAME\" }` or `{ file = \"PATH\" }`. A path that begins \
with `$CREDENTIALS_DIRECTORY/` is a credential of a systemd unit.
";

/// The whole page.
pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    for known in TABLES.into_iter().chain([&SECRET]) {
        page.push_str(&format!("\n## {}\n\n{}\n\n", title(known), known.about));
        page.push_str(&rows(known));
    }
    page
}

fn rows(known: &Table) -> String {
    let row = |key: &crate::config::keys::Key| {
        let takes = match key.takes.table() {
            Some(name) => format!("[{}](#{})", key.takes.words(), anchor(name)),
            None => key.takes.words(),
        };
        let example = code(key.example);
        vec![code(key.name), takes, key.about.to_owned(), key.without.words().to_owned(), example]
    };
    let head = ["key", "takes", "means", "left out", "for example"];
    table(&head, known.keys.iter().map(row))
}

/// As its heading shows it.
fn title(known: &Table) -> String {
    match (known.name, lead(known.name)) {
        ("", _) => "The top of the file".to_owned(),
        (name, Some(Takes::Tables(_))) if !name.contains('.') => format!("`[[{name}]]`"),
        (name, Some(Takes::Table(_) | Takes::Either(_))) if !name.contains('.') => {
            format!("`[{name}]`")
        }
        ("windows.*", _) => "A window".to_owned(),
        (_, Some(Takes::Named(_))) => "`[source.NAME]`".to_owned(),
        (name, Some(_)) => {
            let (home, own) = name.split_once('.').unwrap_or(("", name));
            let home = TABLES.iter().find(|known| known.name == home);
            format!("`{own}` of {}", home.map(|known| title(known)).unwrap_or_default())
        }
        (_, None) => "A secret".to_owned(),
    }
}

/// The type of the row that leads to a table.
fn lead(name: &str) -> Option<Takes> {
    let mut rows = TABLES.iter().flat_map(|known| known.keys);
    rows.find(|key| key.takes.table() == Some(name)).map(|key| key.takes)
}

/// Of a heading, as those who show Markdown make it.
fn anchor(name: &str) -> String {
    let known = TABLES.iter().find(|known| known.name == name);
    let heading = known.map(|known| title(known)).unwrap_or_default();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
