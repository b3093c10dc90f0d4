//! The table of keys as a JSON Schema, by which editors complete and check a
//! file while it is written. It knows forms; what a value means with others
//! (a bound in the unit of its signal, a name that is taken) is told by
//! `bakewatch check`.

use serde_json::{Map, Value, json};

use super::takes::{DURATION, SIZE};
use super::{Key, SECRET, TABLES, Table, Takes, Without};

/// The whole of it, in draft 7, which every editor knows.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    for table in TABLES.iter().filter(|table| !table.name.is_empty()) {
        definitions.insert(place(table.name), Value::Object(object(table)));
    }
    definitions.insert(place(SECRET.name), where_found());
    let mut all = Map::new();
    all.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    all.insert("title".to_owned(), json!("bakewatch"));
    let top = TABLES.iter().find(|table| table.name.is_empty());
    all.extend(top.map(|table| object(table)).unwrap_or_default());
    all.insert("definitions".to_owned(), Value::Object(definitions));
    Value::Object(all)
}

/// What a table is called among the definitions.
fn place(table: &str) -> String {
    table.trim_end_matches(".*").replace([' ', '.'], "-")
}

fn reference(table: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{}", place(table)) })
}

fn object(table: &Table) -> Map<String, Value> {
    let keys = table.keys.iter().map(|key| (key.name.to_owned(), described(key)));
    let needed: Vec<&str> =
        table.keys.iter().filter(|key| key.is_needed()).map(|key| key.name).collect();
    let mut object = Map::new();
    object.insert("description".to_owned(), json!(table.about));
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(keys.collect()));
    if !needed.is_empty() {
        object.insert("required".to_owned(), json!(needed));
    }
    object.insert("additionalProperties".to_owned(), json!(false));
    object
}

/// A key's type, with its words for whoever writes it.
fn described(key: &Key) -> Value {
    let mut words = key.about.to_owned();
    if let Without::Default(default) = key.without {
        words.push_str(&format!(". Left out: {default}"));
    }
    let mut found = Map::new();
    found.insert("description".to_owned(), json!(words));
    if let Ok(table) = format!("x = {}", key.example).parse::<toml::Table>() {
        found.insert("examples".to_owned(), json!([table["x"]]));
    }
    match form(&key.takes) {
        // Whatever stands beside `$ref` is not read in draft 7.
        Value::Object(form) if form.contains_key("$ref") => {
            found.insert("allOf".to_owned(), json!([form]));
        }
        Value::Object(form) => found.extend(form),
        _ => {}
    }
    Value::Object(found)
}

/// What a type looks like before anybody reads it.
fn form(takes: &Takes) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match takes {
        Takes::Text | Takes::File | Takes::Query | Takes::Assertion => text(r"\S"),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::False => json!({ "const": false }),
        Takes::Duration => text(DURATION),
        Takes::Size => json!({ "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": SIZE },
        ] }),
        Takes::Number => json!({ "type": "number" }),
        Takes::Whole(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Takes::Url => text("^[hH][tT][tT][pP][sS]?://[^/@]"),
        Takes::Address => text("^([hH][tT][tT][pP][sS]?://[^/@]|unix:///.)"),
        Takes::Smtp => text(r"^[sS][mM][tT][pP]([sS]|\+[pP][lL][aA][iI][nN])?://."),
        Takes::Mail => text(r"^([^<>@]*<)?[^@\s<>]+@[^@\s<>]+>?$"),
        Takes::Place => text(super::takes::PLACE),
        Takes::Cron => text(super::takes::CRON),
        Takes::Path => text("^/[!\"$-~]*$"),
        Takes::Limit => json!({ "anyOf": [
            { "type": "number" },
            { "type": "string", "pattern": r"[0-9]" },
        ] }),
        Takes::Secret => secret(),
        Takes::Word(words) => json!({ "enum": words }),
        Takes::Json => json!({}),
        Takes::Headers => json!({
            "type": "object",
            "propertyNames": { "pattern": r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$" },
            "additionalProperties": secret(),
        }),
        Takes::Each(of) => json!({ "type": "object", "additionalProperties": form(of) }),
        Takes::Captures => json!({
            "type": "object",
            "propertyNames": { "pattern": r"^[A-Za-z][A-Za-z0-9_-]*$" },
            "additionalProperties": text(r"\S"),
        }),
        Takes::Either(types) => json!({ "anyOf": types.iter().map(form).collect::<Vec<_>>() }),
        Takes::List(of) => json!({ "type": "array", "items": form(of) }),
        Takes::Some(of) => json!({ "type": "array", "items": form(of), "minItems": 1 }),
        Takes::Table(table) => reference(table),
        Takes::Tables(table) => json!({ "type": "array", "items": reference(table) }),
        Takes::Named(table) => json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": reference(table),
        }),
    }
}

fn secret() -> Value {
    json!({ "anyOf": [{ "type": "string", "pattern": r"\S" }, reference(SECRET.name)] })
}

/// One way to find it, and no other.
fn where_found() -> Value {
    let mut found = object(&SECRET);
    found.insert("minProperties".to_owned(), json!(1));
    found.insert("maxProperties".to_owned(), json!(1));
    Value::Object(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_committed_file() {
        let text = serde_json::to_string_pretty(&schema()).expect("it is JSON") + "\n";
        expect_test::expect_file!["../../../config/bakewatch.schema.json"].assert_eq(&text);
    }
}
