//! YAML that keeps the place of everything, for files of other programs'
//! making. Scalars stay texts: whoever reads one knows what it has to be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};

use super::complaint::{Sink, instead};
use crate::model::Span;

/// Lists and maps nest no deeper, so that whoever walks them fits on any stack.
const DEPTH_MAX: usize = 40;

/// A hundred times the largest rule file that we have seen; what an alias
/// repeats counts each time.
const NODES_MAX: usize = 200_000;

/// A value, with the byte at which it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    at: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// Nothing, `~` or `null`.
    Nothing,
    Text(String),
    List(Vec<Node>),
    /// Keys as texts, in order of the file, with their places.
    Map(Vec<(String, usize, Node)>),
}

/// Reads a document. The error is one of YAML itself, with its byte.
pub(super) fn read(text: &str) -> Result<Node, (usize, String)> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let what = error.info();
            let what = what.lines().next().unwrap_or_default();
            (error.marker().byte_offset().unwrap_or(0), format!("not YAML: {what}"))
        })?;
        let at = span.start.byte_offset().unwrap_or(0);
        builder.take(event, at).map_err(|what| (at, what))?;
    }
    Ok(builder.done.unwrap_or(Node { at: 0, what: What::Nothing }))
}

/// A list or map that is being read.
struct Open {
    node: Node,
    anchor: usize,
    /// A map's key that waits for its value.
    key: Option<(String, usize)>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    documents: usize,
    done: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: usize) -> Result<(), String> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err("a second document; one file holds one".to_owned());
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let what = scalar(text, style);
                self.close(Node { at, what }, anchor)?;
            }
            Event::SequenceStart(_, anchor, _) => self.begin(at, What::List(Vec::new()), anchor)?,
            Event::MappingStart(_, anchor, _) => self.begin(at, What::Map(Vec::new()), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { node, anchor, .. }) = self.open.pop() {
                    self.close(node, anchor)?;
                }
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err("an alias within its own anchor".to_owned());
                };
                let node = Node { at, ..node.clone() };
                self.nodes += count(&node);
                self.close(node, 0)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, at: usize, what: What, anchor: usize) -> Result<(), String> {
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("lists and maps nest deeper than {DEPTH_MAX}"));
        }
        self.open.push(Open { node: Node { at, what }, anchor, key: None });
        Ok(())
    }

    fn close(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(format!("more than {NODES_MAX} values"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.done = Some(node);
            return Ok(());
        };
        match (&mut open.node.what, open.key.take()) {
            (What::List(members), _) => members.push(node),
            (What::Map(entries), Some((key, at))) => entries.push((key, at, node)),
            (_, None) => match node.what {
                What::Text(text) => open.key = Some((text, node.at)),
                What::Nothing => open.key = Some(("~".to_owned(), node.at)),
                _ => return Err("a key that is a list or a map; keys are texts".to_owned()),
            },
            (What::Nothing | What::Text(_), Some(_)) => unreachable!("only lists and maps open"),
        }
        Ok(())
    }
}

fn count(node: &Node) -> usize {
    match &node.what {
        What::Nothing | What::Text(_) => 1,
        What::List(members) => 1 + members.iter().map(count).sum::<usize>(),
        What::Map(entries) => 1 + entries.iter().map(|(_, _, node)| count(node)).sum::<usize>(),
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> What {
    let is_nothing = matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
    if style == ScalarStyle::Plain && is_nothing { What::Nothing } else { What::Text(text.into()) }
}

/// A value on the walk through a document, called by its way there:
/// `groups.web.rules[2].expr`.
#[derive(Clone)]
pub(super) struct Item<'n> {
    pub sink: &'n Sink<'n>,
    pub key: String,
    pub at: usize,
    node: &'n Node,
}

/// A map whose keys are known.
pub(super) struct Fields<'n> {
    pub item: Item<'n>,
    entries: BTreeMap<&'n str, Item<'n>>,
}

impl<'n> Item<'n> {
    /// The document itself.
    pub fn top(sink: &'n Sink<'n>, node: &'n Node) -> Item<'n> {
        Item { sink, key: String::new(), at: node.at, node }
    }

    pub fn error(&self, what: impl Into<String>) {
        self.sink.error(self.at, &self.key, what);
    }

    pub fn is_nothing(&self) -> bool {
        matches!(self.node.what, What::Nothing)
    }

    fn below(&self, name: &str, at: usize, node: &'n Node) -> Item<'n> {
        let name = name.escape_debug();
        let key =
            if self.key.is_empty() { name.to_string() } else { format!("{}.{name}", self.key) };
        Item { sink: self.sink, key, at, node }
    }

    fn wants<T>(&self, wanted: &str) -> Option<T> {
        let found = match &self.node.what {
            What::Nothing => "nothing".to_owned(),
            What::Text(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
            What::List(_) => "a list".to_owned(),
            What::Map(_) => "a map".to_owned(),
        };
        self.error(format!("expected {wanted}, found {found}"));
        None
    }

    /// A map of which these keys are known; others are told, and twins. `name`
    /// makes a better name for it of one of its keys.
    pub fn fields(
        &self,
        known: &[&str],
        name: impl FnOnce(&dyn Fn(&str) -> Option<&'n str>) -> Option<String>,
    ) -> Option<Fields<'n>> {
        let What::Map(entries) = &self.node.what else {
            return self.wants(&format!("a map with `{}`", known.first().unwrap_or(&"")));
        };
        let text = |wanted: &str| {
            let found = entries.iter().find(|(name, _, _)| name == wanted);
            found.and_then(|(_, _, node)| match &node.what {
                What::Text(text) => Some(text.as_str()),
                What::Nothing | What::List(_) | What::Map(_) => None,
            })
        };
        let item = match name(&text) {
            Some(key) => Item { key, ..self.clone() },
            None => self.clone(),
        };
        let mut found = BTreeMap::new();
        for (name, at, node) in entries {
            let below = item.below(name, *at, node);
            if !known.contains(&name.as_str()) {
                below.error(format!("unknown key; {}", instead(name, known)));
            } else if found.insert(name.as_str(), below.clone()).is_some() {
                below.error("given twice; keep one");
            }
        }
        Some(Fields { item, entries: found })
    }

    /// The members of a list; none where there is nothing.
    pub fn list(&self) -> Vec<Item<'n>> {
        match &self.node.what {
            What::Nothing => Vec::new(),
            What::List(members) => {
                let member = |(at, node): (usize, &'n Node)| {
                    let key = format!("{}[{at}]", self.key);
                    Item { sink: self.sink, key, at: node.at, node }
                };
                members.iter().enumerate().map(member).collect()
            }
            What::Text(_) | What::Map(_) => self.wants("a list").unwrap_or_default(),
        }
    }

    /// Names of the user's own with their texts.
    pub fn pairs(&self) -> Vec<(Item<'n>, String, String)> {
        let entries = match &self.node.what {
            What::Nothing => return Vec::new(),
            What::Map(entries) => entries,
            What::Text(_) | What::List(_) => {
                return self.wants("a map of names and texts").unwrap_or_default();
            }
        };
        let mut found: Vec<(Item<'n>, String, String)> = Vec::new();
        for (name, at, node) in entries {
            let item = self.below(name, *at, node);
            if found.iter().any(|(_, known, _)| known == name) {
                item.error("given twice; keep one");
            } else if let Some(text) = item.text() {
                let text = text.to_owned();
                found.push((item, name.clone(), text));
            }
        }
        found
    }

    /// A text, which may be empty.
    pub fn text(&self) -> Option<&'n str> {
        match &self.node.what {
            What::Text(text) => Some(text),
            What::Nothing => Some(""),
            What::List(_) | What::Map(_) => self.wants("a text"),
        }
    }

    /// A length of time as Prometheus writes it: `1h30m`, `0`.
    pub fn span(&self) -> Option<Span> {
        let text = self.text()?;
        let span = duration(text);
        if span.is_none() {
            self.error(format!("{text:?} is not a duration; write for example 30s, 5m or 1h30m"));
        }
        span
    }

    /// A whole number, zero or more.
    pub fn whole(&self) -> Option<u32> {
        let text = self.text()?;
        text.parse().ok().or_else(|| self.wants("a whole number, such as 10"))
    }

    /// A number; `NaN`, `+Inf` and their like are some.
    pub fn number(&self) -> Option<f64> {
        let text = self.text()?;
        let plain = text.trim_start_matches(['.']).to_lowercase(); // YAML's `.nan`, `.inf`
        let number = text.parse::<f64>().ok().or_else(|| plain.parse().ok());
        let number = number.or_else(|| (text == "-.inf").then_some(f64::NEG_INFINITY));
        number.or_else(|| self.wants("a number"))
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        match self.text()? {
            "true" => Some(true),
            "false" => Some(false),
            _ => self.wants("true or false"),
        }
    }
}

impl<'n> Fields<'n> {
    /// The value of a key, if there is one.
    pub fn get(&self, name: &str) -> Option<&Item<'n>> {
        self.entries.get(name).filter(|item| !item.is_nothing())
    }

    /// The value of a key that has to be there.
    pub fn need(&self, name: &str, such_as: &str) -> Option<&Item<'n>> {
        let found = self.get(name);
        if found.is_none() {
            let what = format!("`{name}` is missing; write for example `{such_as}`");
            self.item.error(what);
        }
        found
    }
}

/// The units of a duration, each at most once, in this order.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// `1d12h`, `90s`, `0`.
pub(super) fn duration(text: &str) -> Option<Span> {
    if text == "0" {
        return Some(Span::ZERO);
    }
    let (mut rest, mut millis, mut next) = (text, 0i64, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let end = rest[digits..].find(|c: char| c.is_ascii_digit());
        let end = end.map_or(rest.len(), |end| digits + end);
        let place = UNITS.iter().position(|(unit, _)| *unit == &rest[digits..end])?;
        if place < next {
            return None;
        }
        next = place + 1;
        millis = millis.checked_add(number.checked_mul(UNITS[place].1)?)?;
        rest = &rest[end..];
    }
    (!text.is_empty()).then_some(Span::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_as_prometheus_writes_them() {
        let read = |text| duration(text).map(|span| span.to_string());
        assert_eq!(read("1h30m").as_deref(), Some("1h 30m"));
        assert_eq!(read("1d12h5s7ms").as_deref(), Some("1d 12h 5s 7ms"));
        assert_eq!((read("0").as_deref(), read("0m").as_deref()), (Some("0s"), Some("0s")));
        for wrong in ["", "5", "m", "1m1h", "1m2m", "1.5h", "-1m", "1x", "9999999999999999y"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keeps_scalars_as_they_are_written_and_follows_aliases() {
        let text = "a: &x {n: 010, t: \"~\"}\nb: *x\nc: ~\n";
        let (sink, node) = (Sink::new("f", text), read(text).unwrap());
        let top = Item::top(&sink, &node).fields(&["a", "b", "c"], |_| None).unwrap();
        for key in ["a", "b"] {
            let pairs = top.get(key).unwrap().pairs();
            let texts: Vec<&str> = pairs.iter().map(|(_, _, text)| text.as_str()).collect();
            assert_eq!(texts, ["010", "~"]);
        }
        assert!(top.get("c").is_none());
    }

    #[test]
    fn says_where_it_is_no_yaml_and_stops_at_what_would_never_end() {
        let told = |text: &str| read(text).map(|_| ()).unwrap_err().1;
        assert!(told("a: [1").starts_with("not YAML: "), "{}", told("a: [1"));
        assert!(told("a: 1\n---\nb: 2\n").starts_with("a second document"));
        assert!(
            told(&("[".repeat(50) + &"]".repeat(50))).starts_with("lists and maps nest deeper")
        );
        let mut bomb = "x0: &x0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
        for n in 1..9 {
            let before = format!("*x{}", n - 1);
            bomb.push_str(&format!("x{n}: &x{n} [{}]\n", [before.as_str(); 10].join(",")));
        }
        assert_eq!(told(&bomb), "more than 200000 values");
    }
}
