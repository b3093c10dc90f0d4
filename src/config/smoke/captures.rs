//! What steps hand on to each other: captures, and the holes that wait for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Capture, Step, needs, template};
use crate::config::complaint::{instead, nearest};
use crate::config::secret::is_telling;
use crate::config::walk::{Table, Value};
use crate::config::{checks, outside};
use crate::model::{HeaderValue, Name};

/// Reads `capture` and `redact`.
pub(super) fn read(table: &Table) -> (BTreeMap<Name, Capture>, Vec<Name>) {
    let mut captures = BTreeMap::new();
    for (name, value) in table.get("capture").and_then(Value::entries).unwrap_or_default() {
        if template::BUILT_IN.contains(&name) {
            value.error(format!("`{name}` is known without a capture; choose another name"));
        } else if !template::is_name(name) {
            value.error("is no name of a capture; write letters, digits, `_` and `-`");
        }
        let Some(text) = value.text() else { continue };
        match outside::capture(text) {
            Ok(capture) => drop(captures.insert(Name::from(name), capture)),
            Err(what) => value.error(what),
        }
    }
    let mut redact = Vec::new();
    for member in table.get("redact").and_then(Value::list).unwrap_or_default() {
        let Some(name) = member.text() else { continue };
        if captures.contains_key(name) {
            redact.push(Name::from(name));
        } else {
            let known: Vec<&str> = captures.keys().map(Name::as_str).collect();
            let instead = instead(name, &known);
            member.error(format!("this step captures nothing called `{name}`; {instead}"));
        }
    }
    (captures, redact)
}

/// Captures that are secret by what they are called, or by the header that
/// they are sent in, are never shown either.
pub(super) fn hide(suite: &mut [Step]) {
    let mut sent = BTreeSet::new();
    for (name, value) in suite.iter().flat_map(|step| &step.request.headers) {
        if let (HeaderValue::Plain(text), true) = (value, is_telling(name)) {
            sent.extend(template::holes(text).iter().map(|hole| Name::from(hole.name)));
        }
    }
    for step in suite {
        let secret = |name: &&Name| is_telling(name.as_str()) || sent.contains(*name);
        let names: Vec<Name> = step.capture.keys().filter(secret).cloned().collect();
        step.redact.extend(names);
        step.redact.sort();
        step.redact.dedup();
    }
}

/// Every hole waits for something that an earlier step captures.
pub(super) fn check(tables: &[Table], suite: &[Step]) {
    let mut known: Vec<&str> = template::BUILT_IN.to_vec();
    for step in suite {
        let table = tables.iter().find(|table| {
            let name = table.get("name").and_then(Value::as_text);
            name == Some(step.name.as_str())
        });
        // Our own steps have no holes.
        if let Some(table) = table {
            for name in needs(step) {
                if !known.contains(&name) {
                    complain(table, name, &known, suite);
                }
            }
        }
        known.extend(step.capture.keys().map(Name::as_str));
    }
}

fn complain(table: &Table, name: &str, known: &[&str], suite: &[Step]) {
    let later = suite.iter().find(|step| step.capture.contains_key(name));
    let what = match (later, nearest(name, known.iter().copied())) {
        (Some(step), _) => format!(
            "`{{{{{name}}}}}` is captured by {:?}, which is not before this step; change the order",
            step.name.as_str()
        ),
        (None, Some(near)) => {
            format!("nothing captures `{{{{{name}}}}}`; did you mean `{{{{{near}}}}}`?")
        }
        (None, None) => format!(
            "nothing captures `{{{{{name}}}}}`; write for example \
             capture = {{ {name} = \"json $.{name}\" }} in a step before"
        ),
    };
    place(table, name).error(what);
}

/// The line in which the hole stands: of `expect` and `halt-if` the member.
fn place<'t>(table: &Table<'t>, name: &str) -> Value<'t> {
    let has = |value: &Value| {
        let holes = template::holes(value.as_text().unwrap_or_default());
        holes.iter().any(|hole| hole.name == name)
    };
    let lists = ["expect", "halt-if"].into_iter().filter_map(|key| table.get(key)?.list());
    let member = lists.flatten().find(has);
    let asked = || table.get("request").cloned().or_else(|| checks::key(table));
    member.or_else(asked).expect("a step with a hole says what is asked")
}
