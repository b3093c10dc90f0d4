//! A file of Prometheus's rules: groups of alerting and recording rules, as
//! they are written, checked one by one.

use crate::config::complaint::{Complaint, Sink};
use crate::config::yaml::{self, Fields, Item};
use crate::config::{Source, outside};
use crate::judge::template::Template;
use crate::model::Span;

/// Rules that are evaluated one after another.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// Its name, unique in its file.
    pub name: String,
    /// How often Prometheus would evaluate it, if it says so.
    pub interval: Option<Span>,
    /// So far in the past it looks.
    pub offset: Span,
    /// More alerts, or series, than this of one rule are an error; 0: none are.
    pub limit: u32,
    /// Its rules.
    pub rules: Vec<Entry>,
}

/// One rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its line.
    pub line: usize,
    /// The expression.
    pub expr: String,
    /// Its labels; of an alerting rule each a template.
    pub labels: Vec<(String, String)>,
    /// Which kind.
    pub kind: Kind,
}

/// What a rule is for.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// Its result is a metric of this name.
    Record(String),
    /// Each element of its result is an alert.
    Alert {
        /// The alert's name.
        name: String,
        /// `for`.
        hold: Span,
        /// `keep_firing_for`.
        keep: Span,
        /// Templates, by name.
        annotations: Vec<(String, String)>,
    },
}

const GROUP: [&str; 6] = ["name", "interval", "limit", "query_offset", "labels", "rules"];

const RULE: [&str; 7] =
    ["alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"];

/// More rules than any one service has use for, and few enough to judge all.
const RULES_MAX: usize = 2000;

/// Reads a file's text.
///
/// # Errors
/// All that is wrong with it, in its order.
pub fn read(source: &Source) -> Result<Vec<Group>, Vec<Complaint>> {
    let sink = Sink::new(&source.file, &source.text);
    let groups = match yaml::read(&source.text) {
        Ok(node) => groups(&Item::top(&sink, &node)),
        Err((at, what)) => {
            sink.error(at, "", what);
            Vec::new()
        }
    };
    if sink.has_errors() { Err(sink.finish().0) } else { Ok(groups) }
}

fn groups(top: &Item) -> Vec<Group> {
    if top.is_nothing() {
        return Vec::new(); // an empty file is one without rules
    }
    let Some(fields) = top.fields(&["groups"], |_| None) else { return Vec::new() };
    let Some(list) = fields.get("groups") else { return Vec::new() };
    let mut found: Vec<Group> = Vec::new();
    for item in list.list() {
        let Some(group) = group(&item) else { continue };
        if found.iter().any(|known| known.name == group.name) {
            item.error(format!("a second group called {:?}; rename one", group.name));
        }
        found.push(group);
    }
    let count: usize = found.iter().map(|group| group.rules.len()).sum();
    if count > RULES_MAX {
        top.error(format!("{count} rules, {RULES_MAX} at most; take those of the service"));
    }
    found
}

fn group(item: &Item) -> Option<Group> {
    let fields = item.fields(&GROUP, |text| {
        text("name").map(|name| format!("groups.{}", name.escape_debug()))
    })?;
    let name = fields.need("name", "name: web").and_then(Item::text).unwrap_or_default();
    let shared = fields.get("labels").map(labels).unwrap_or_default();
    let rules = fields.get("rules").map(Item::list).unwrap_or_default();
    let rules = rules.iter().filter_map(|rule| entry(rule, &shared)).collect();
    Some(Group {
        name: name.to_owned(),
        interval: fields.get("interval").and_then(Item::span),
        offset: fields.get("query_offset").and_then(Item::span).unwrap_or_default(),
        limit: fields.get("limit").and_then(Item::whole).unwrap_or(0),
        rules,
    })
}

/// A rule; `shared`: labels of its group, which its own go before.
fn entry(item: &Item, shared: &[(String, String)]) -> Option<Entry> {
    let fields = item.fields(&RULE, |text| {
        let name = text("alert").or_else(|| text("record"))?;
        Some(format!("{}.{}", parent(&item.key), name.escape_debug()))
    })?;
    let kind = match (fields.get("alert"), fields.get("record")) {
        (Some(name), None) => alert(&fields, name),
        (None, Some(name)) => record(&fields, name),
        (Some(_), Some(name)) => {
            name.error("a rule is either an `alert` or a `record`; write two rules");
            None
        }
        (None, None) => {
            item.error("neither `alert` nor `record` is given; write for example `alert: Down`");
            None
        }
    };
    let expr = fields.need("expr", "expr: up == 0").and_then(expression);
    let mut all = fields.get("labels").map(labels).unwrap_or_default();
    for (name, text) in shared {
        if !all.iter().any(|(known, _)| known == name) {
            all.push((name.clone(), text.clone()));
        }
    }
    all.sort();
    if let (Some(Kind::Alert { .. }), Some(item)) = (&kind, fields.get("labels")) {
        item.pairs().iter().for_each(|(item, _, text)| template(item, text));
    }
    Some(Entry { line: item.sink.line(item.at), expr: expr?, labels: all, kind: kind? })
}

/// `groups.web.rules[2]` → `groups.web`.
fn parent(key: &str) -> &str {
    key.rsplit_once(".rules[").map_or(key, |(parent, _)| parent)
}

fn alert(fields: &Fields, name: &Item) -> Option<Kind> {
    let text = name.text()?;
    if text.is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
        name.error("an alert's name is one line of at most 100 characters");
    }
    let annotations = fields.get("annotations").map(Item::pairs).unwrap_or_default();
    for (item, name, text) in &annotations {
        if !is_label(name) {
            item.error(format!("{name:?} names no annotation; write letters, digits and `_`"));
        }
        template(item, text);
    }
    let mut annotations: Vec<(String, String)> =
        annotations.into_iter().map(|(_, name, text)| (name, text)).collect();
    annotations.sort();
    let span = |key: &str| fields.get(key).and_then(Item::span).unwrap_or_default();
    let (hold, keep) = (span("for"), span("keep_firing_for"));
    Some(Kind::Alert { name: text.to_owned(), hold, keep, annotations })
}

fn record(fields: &Fields, name: &Item) -> Option<Kind> {
    let text = name.text()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(fits)
    {
        name.error(format!("{text:?} is no metric's name; write letters, digits, `_` and `:`"));
    }
    for key in ["for", "keep_firing_for", "annotations"] {
        if let Some(item) = fields.get(key) {
            item.error("goes with `alert`; what is recorded only has `labels`");
        }
    }
    Some(Kind::Record(text.to_owned()))
}

fn expression(item: &Item) -> Option<String> {
    let text = item.text()?.trim();
    if text.is_empty() {
        item.error("is empty; write for example `up == 0`");
        return None;
    }
    outside::expression(text).map_err(|what| item.error(what)).ok()?;
    Some(text.to_owned())
}

fn labels(item: &Item) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (item, name, text) in item.pairs() {
        if is_label(&name) && name != "__name__" {
            found.push((name, text));
        } else {
            item.error(format!("{name:?} names no label; write letters, digits and `_`"));
        }
    }
    found
}

fn is_label(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn template(item: &Item, text: &str) {
    if let Err(what) = Template::parse(text) {
        item.error(what);
    }
}
