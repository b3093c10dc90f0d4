//! A walk through a TOML document that keeps the place of everything, takes
//! what it can, and complains about all the rest on the way.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::complaint::{Sink, instead, nearest};
use super::keys;
use super::service::NAME_CHARS_MAX;
use crate::model::{Span, stable_hash};

/// A value with its place.
#[derive(Clone)]
pub(super) struct Value<'t> {
    pub sink: &'t Sink<'t>,
    /// `rule.QueueBacklog.for`.
    pub key: String,
    /// Its first byte in the text.
    pub at: usize,
    value: &'t DeValue<'t>,
}

/// A table whose keys are known.
pub(super) struct Table<'t> {
    pub sink: &'t Sink<'t>,
    /// `rule.QueueBacklog`; empty at the top.
    pub key: String,
    /// Where it begins in the text.
    pub at: usize,
    entries: BTreeMap<String, Value<'t>>,
}

/// What a file says of something that it may leave out.
pub(super) enum Said<T> {
    /// Nothing: a default may hold.
    Nothing,
    /// Something that was complained about: no default is to hold.
    Wrong,
    /// This.
    This(T),
}

impl<T> Said<T> {
    /// What `read` makes of a value, if there is one.
    pub fn of<'t>(
        value: Option<&Value<'t>>,
        read: impl FnOnce(&Value<'t>) -> Option<T>,
    ) -> Said<T> {
        match value.map(read) {
            None => Said::Nothing,
            Some(None) => Said::Wrong,
            Some(Some(this)) => Said::This(this),
        }
    }

    /// The default where nothing is said; `None` where something wrong is.
    pub fn or(self, default: T) -> Option<T> {
        match self {
            Said::Nothing => Some(default),
            Said::Wrong => None,
            Said::This(this) => Some(this),
        }
    }
}

/// The path of a key in a table.
fn join(path: &str, key: &str) -> String {
    let key = key.escape_debug(); // a quoted key may hold a line feed
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

impl<'t> Table<'t> {
    /// The document itself.
    pub fn top(sink: &'t Sink<'t>, document: &'t Spanned<DeTable<'t>>) -> Table<'t> {
        Table::open(sink, "", String::new(), 0, document.get_ref())
    }

    /// A table of which `keys` knows the keys; all others are told.
    fn open(
        sink: &'t Sink<'t>,
        kind: &str,
        key: String,
        at: usize,
        table: &'t DeTable<'t>,
    ) -> Table<'t> {
        let known = keys::of(kind);
        let mut entries = BTreeMap::new();
        for (name, at, value) in in_order(table) {
            let path = join(&key, name);
            let plain = name.replace('_', "-"); // `min_events` is meant as `min-events`
            if !known.contains(&plain.as_str()) {
                sink.error(at, &path, unknown_key(name, kind, &known));
                continue;
            }
            let value =
                Value { sink, key: path.clone(), at: value.span().start, value: value.get_ref() };
            if entries.insert(plain.clone(), value).is_some() {
                sink.error(at, &path, "given twice, with `_` and with `-`; keep one");
            }
        }
        Table { sink, key, at, entries }
    }

    /// The value of a key, if it is there.
    pub fn get(&self, name: &str) -> Option<&Value<'t>> {
        self.entries.get(name)
    }

    /// The value of a key that has to be there.
    pub fn need(&self, name: &str, such_as: &str) -> Option<&Value<'t>> {
        let value = self.get(name);
        if value.is_none() {
            self.error(&format!("`{name}` is missing; write for example `{such_as}`"));
        }
        value
    }

    pub fn span(&self, name: &str) -> Option<Span> {
        self.get(name)?.span()
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.flag()
    }

    /// A complaint about the table as a whole.
    pub fn error(&self, what: &str) {
        self.sink.error(self.at, &self.key, what);
    }
}

fn unknown_key(name: &str, kind: &str, known: &[&str]) -> String {
    let plain = name.replace('_', "-");
    if let Some(near) = nearest(&plain, known.iter().copied()) {
        return format!("unknown key; did you mean `{near}`?");
    }
    let elsewhere = keys::ELSEWHERE.iter().filter(|(_, here)| known.contains(here));
    let meant = nearest(&plain, elsewhere.map(|(there, _)| *there));
    if let Some((_, here)) = keys::ELSEWHERE.iter().find(|(there, _)| meant == Some(there)) {
        return format!("unknown key; here it is called `{here}`");
    }
    if let Some(home) = keys::tables_with(&plain).first() {
        return format!("unknown key here; it belongs in {}", keys::shown(home));
    }
    format!("unknown key; in {} {}", keys::shown(kind), instead(name, known))
}

/// Keys with their places, in the order of the file.
fn in_order<'t>(table: &'t DeTable<'t>) -> Vec<(&'t str, usize, &'t Spanned<DeValue<'t>>)> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(name, value)| (name.get_ref().as_ref(), name.span().start, value))
        .collect();
    entries.sort_by_key(|(_, at, _)| *at);
    entries
}

impl<'t> Value<'t> {
    pub fn error(&self, what: impl Into<String>) {
        self.sink.error(self.at, &self.key, what);
    }

    fn wants<T>(&self, wanted: &str) -> Option<T> {
        self.error(format!("expected {wanted}, found {}", self.found()));
        None
    }

    /// What came, for people.
    fn found(&self) -> String {
        match self.value {
            DeValue::String(text) => format!("the text {:?}", short(text)),
            DeValue::Integer(number) => format!("the number {number}"),
            DeValue::Float(number) => format!("the number {number}"),
            DeValue::Boolean(flag) => format!("{flag}"),
            DeValue::Datetime(at) => format!("the time {at}"),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        }
    }

    /// The text, when it is one; no complaint otherwise.
    pub fn as_text(&self) -> Option<&'t str> {
        self.value.as_str()
    }

    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub fn as_flag(&self) -> Option<bool> {
        self.value.as_bool()
    }

    /// A switch that only says off: `false`. (What is on, is so by itself.)
    pub fn switched_on(&self) -> bool {
        if self.as_flag() != Some(false) {
            self.error("expected false, to switch it off; leave it out to keep it");
        }
        false
    }

    pub fn text(&self) -> Option<&'t str> {
        match self.value {
            DeValue::String(text) if text.trim().is_empty() => {
                self.error("is empty; write something or leave the key out");
                None
            }
            DeValue::String(text) => Some(text),
            _ => self.wants("a text in quotes"),
        }
    }

    pub fn flag(&self) -> Option<bool> {
        self.as_flag().or_else(|| self.wants("true or false"))
    }

    /// A length of time, not negative.
    pub fn span(&self) -> Option<Span> {
        let DeValue::String(text) = self.value else {
            return self.wants("a duration in quotes, for example \"30s\" or \"5m\"");
        };
        match text.parse::<Span>() {
            Ok(span) if span <= SPAN_MAX => Some(span),
            Ok(_) => {
                self.error(format!(
                    "{:?} is longer than ten years, which is no watch",
                    short(text)
                ));
                None
            }
            Err(_) => {
                let text = short(text);
                self.error(format!(
                    "{text:?} is not a duration; write for example \"30s\" or \"5m\""
                ));
                None
            }
        }
    }

    /// A length of time above zero.
    pub fn some_span(&self) -> Option<Span> {
        let span = self.span()?;
        if span == Span::ZERO {
            self.error("has to be longer than nothing; write for example \"30s\"");
            return None;
        }
        Some(span)
    }

    /// A finite number.
    pub fn number(&self) -> Option<f64> {
        let number = match self.value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        number.filter(|number: &f64| number.is_finite()).or_else(|| self.wants("a number"))
    }

    /// A whole number from `least` to `most`.
    pub fn whole(&self, least: u64, most: u64) -> Option<u64> {
        let whole = match self.value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        whole
            .filter(|whole| (least..=most).contains(whole))
            .or_else(|| self.wants(&format!("a whole number from {least} to {most}")))
    }

    /// The members of a list.
    pub fn list(&self) -> Option<Vec<Value<'t>>> {
        let DeValue::Array(members) = self.value else { return self.wants("a list in [ ]") };
        let member = |(index, value): (usize, &'t Spanned<DeValue<'t>>)| Value {
            sink: self.sink,
            key: format!("{}[{index}]", self.key),
            at: value.span().start,
            value: value.get_ref(),
        };
        Some(members.iter().enumerate().map(member).collect())
    }

    /// A table whose keys are those of `kind`.
    pub fn table(&self, kind: &str) -> Option<Table<'t>> {
        match self.value {
            DeValue::Table(table) => {
                Some(Table::open(self.sink, kind, self.key.clone(), self.at, table))
            }
            _ => self.wants("a table"),
        }
    }

    /// A text in it, without a word where there is none: what it is called by
    /// has to be known before it is read.
    pub fn peek(&self, path: &[&str]) -> Option<&'t str> {
        let inner =
            |value: &'t DeValue<'t>, key: &&str| Some(value.as_table()?.get(*key)?.get_ref());
        path.iter().try_fold(self.value, inner)?.as_str()
    }

    /// The same under a name of its own, and no longer under its number in a list.
    /// Secrets are kept under their keys: the next in the list must not take up
    /// those of one that went.
    pub fn called(&self, name: &str) -> Value<'t> {
        let list = self.key.rsplit_once('[').map_or(self.key.as_str(), |(list, _)| list);
        let known = shortened(name);
        let name = match known == name {
            true => known,
            false => format!("{known}#{:x}", stable_hash(&[name])), // two may begin alike
        };
        Value { key: join(list, &name), ..self.clone() }
    }

    /// Each table of an array of tables `[[kind]]`, called by its name if it
    /// has one.
    pub fn tables(&self, kind: &str) -> Vec<Table<'t>> {
        if self.value.is_table() {
            self.error(format!("write [[{kind}]], with two brackets: there may be several"));
            return Vec::new();
        }
        let members = self.list().unwrap_or_default();
        let named = |member: &Value<'t>| {
            // Its name first, so that even its unknown keys are told under it.
            let name = member.peek(&["name"]);
            let key = name.map_or(member.key.clone(), |name| join(kind, &shortened(name)));
            Value { key, ..member.clone() }.table(kind)
        };
        members.iter().filter_map(named).collect()
    }

    /// All entries of a table with names of the user's own.
    pub fn entries(&self) -> Option<Vec<(&'t str, Value<'t>)>> {
        let DeValue::Table(table) = self.value else { return self.wants("a table") };
        let entry = |(name, at, value): (&'t str, usize, &'t Spanned<DeValue<'t>>)| {
            let key = join(&self.key, name);
            // A window written as a table of its own has its place at the header.
            let at = if value.get_ref().is_table() { at } else { value.span().start };
            (name, Value { sink: self.sink, key, at, value: value.get_ref() })
        };
        Some(in_order(table).into_iter().map(entry).collect())
    }

    /// The same where it may be something else besides.
    pub fn entries_if_table(&self) -> Vec<(&'t str, Value<'t>)> {
        if self.is_table() { self.entries().unwrap_or_default() } else { Vec::new() }
    }

    /// The same as JSON.
    pub fn json(&self) -> Option<Json> {
        Some(match self.value {
            DeValue::String(text) => Json::from(text.as_ref()),
            DeValue::Boolean(flag) => Json::from(*flag),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(whole) => Json::from(whole),
                    Err(_) => return self.wants("a number that fits in 64 bits"),
                }
            }
            DeValue::Float(_) => Json::from(self.number()?),
            DeValue::Datetime(at) => Json::from(at.to_string()),
            DeValue::Array(_) => {
                let members = self.list()?;
                Json::Array(members.iter().map(Value::json).collect::<Option<_>>()?)
            }
            DeValue::Table(_) => {
                let pair = |(name, value): (&str, Value)| Some((name.to_owned(), value.json()?));
                Json::Object(self.entries()?.into_iter().map(pair).collect::<Option<_>>()?)
            }
        })
    }
}

/// Ten years: beyond it sums of times lose their meaning.
const SPAN_MAX: Span = Span::from_secs(10 * 365 * 86_400);

/// A name as it is, unless it is too long for one: secrets are kept under it,
/// and no two may share a place.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX { name.to_owned() } else { short(name) }
}

/// As much of a text as fits into a line.
fn short(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
