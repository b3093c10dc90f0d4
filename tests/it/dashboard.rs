//! The dashboard for Grafana shows something: every expression in it is asked
//! of a running watch that has all it is about.

use std::collections::BTreeSet;

use bakewatch::metrics::promql::Query;
use bakewatch::metrics::{Depth, Excerpt};
use bakewatch::model::Span;
use serde_json::Value;

use crate::world::script::{self, RELEASED};
use crate::world::target::Mood;

/// Signals that this world's targets show nothing of are made of what they do.
const FILE: &str = r#"
service = "chat"
url = "http://a:8000"
[targets]
static = ["http://a:8000", "http://b:8000"]
[windows]
first-hour = { length = "1h", every = "15s" }
[[check]]
name = "database"
tcp = "db:5432"
[[signal]]
name = "cpu_cores"
query = "sum(up) / 4"
[[signal]]
name = "token_rate"
query = "sum(up) * 100"
[[signal]]
name = "cost_rate"
query = "sum(up) / 100"
---
"#;

fn dashboard() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/grafana-dashboard.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// All texts under a key, wherever it stands.
fn texts(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(all) => {
            for (name, inner) in all {
                match inner.as_str() {
                    Some(text) if name == key => found.push(text.to_owned()),
                    _ => texts(inner, key, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|inner| texts(inner, key, found)),
        _ => {}
    }
}

#[test]
fn shows_something_in_every_panel_for_a_watch_that_has_it() {
    let mut drive = script::parse("dashboard", FILE).start();
    drive.run_to(RELEASED + Span::from_secs(300));
    drive.target("b:8000").mood = Mood::Refuses;
    drive.run_to(RELEASED + Span::from_secs(900));
    let mut all = Vec::new();
    texts(&dashboard(), "expr", &mut all);
    assert!(all.len() >= 20, "only {} expressions", all.len());
    for text in all {
        let asked = text.replace("$service", "chat").replace("$release", ".*");
        assert!(!asked.contains('$'), "{text}: nothing stands for a variable in it");
        let mut query = Query::compile_any(&asked).unwrap_or_else(|why| panic!("{text}: {why}"));
        let (from, now) = (drive.now - Span::from_secs(300), drive.now);
        let mut excerpt = Excerpt::new(query.wants(), (from, now), Depth::Samples);
        drive.fleet.read(&mut excerpt, None, now).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert!(excerpt.all().next().is_some(), "{text}: selects nothing");
        assert_eq!(excerpt.warnings(), Vec::<String>::new(), "{text}");
        let step = Span::from_secs(15);
        let found = query.range(excerpt.series(), (from, now), step).expect("a result");
        assert!(!found.is_empty(), "{text}: is nothing");
    }
}

#[test]
fn can_be_imported() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64() >= Some(39));
    let source = dashboard["__inputs"][0]["name"].as_str().unwrap();
    let mut used = Vec::new();
    texts(&dashboard, "uid", &mut used);
    let used: BTreeSet<String> = used.into_iter().filter(|uid| uid != "bakewatch").collect();
    assert_eq!(used, BTreeSet::from([format!("${{{source}}}")]), "all ask the one source");
    let ids: Vec<u64> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<&str> = variables.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["service", "release"]);
}
