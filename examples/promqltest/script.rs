//! The language of the scripts: loads of series, and cases with what is
//! expected of them.

use bakewatch::metrics::notation;
use bakewatch::model::{Labels, Span, Timestamp};

/// One `eval`, with what is expected of it.
pub struct Case<'a> {
    pub start: Timestamp,
    pub end: Timestamp,
    pub step: Span,
    pub is_range: bool,
    pub query: &'a str,
    pub expects: Vec<Expect>,
    pub rows: Vec<&'a str>,
}

/// What is expected besides rows.
#[derive(Debug)]
pub enum Expect {
    Fail(Words),
    Warn(Words),
    Info(Words),
    NoWarn,
    NoInfo,
    Ordered,
    Text(String),
    /// Of a range of samples: where the first point is, and how far apart.
    Grid(Timestamp, Span),
    /// One that this runner does not know.
    Unknown(String),
}

/// The words of an error or an annotation.
#[derive(Debug)]
pub enum Words {
    Any,
    Message(String),
    Pattern(regex::Regex),
}

impl Words {
    fn of(text: &str) -> Words {
        let text = text.trim();
        if let Some(message) = text.strip_prefix("msg:") {
            return Words::Message(message.trim().to_owned());
        }
        let pattern = text.strip_prefix("regex:").and_then(|p| regex::Regex::new(p.trim()).ok());
        pattern.map_or(Words::Any, Words::Pattern)
    }

    /// Whether they are these; of an error the beginning is enough, since ours
    /// go on with what would do.
    pub fn are(&self, said: &str) -> bool {
        match self {
            Words::Any => true,
            Words::Message(message) => said.starts_with(&**message),
            Words::Pattern(pattern) => pattern.is_match(said),
        }
    }
}

impl Expect {
    fn of(line: &str) -> Expect {
        let (kind, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match kind {
            "fail" => Expect::Fail(Words::of(rest)),
            "warn" => Expect::Warn(Words::of(rest)),
            "info" => Expect::Info(Words::of(rest)),
            "no_warn" => Expect::NoWarn,
            "no_info" => Expect::NoInfo,
            "ordered" => Expect::Ordered,
            "string" => Expect::Text(rest.trim().trim_matches(['"', '`']).to_owned()),
            "range" => grid(rest).unwrap_or_else(|| Expect::Unknown(line.to_owned())),
            _ => Expect::Unknown(line.to_owned()),
        }
    }
}

/// `vector from 10s to 1m step 10s`.
fn grid(text: &str) -> Option<Expect> {
    let (from, rest) = text.trim().strip_prefix("vector from ")?.split_once(" to ")?;
    let (_, step) = rest.split_once(" step ")?;
    Some(Expect::Grid(Timestamp::default() + span(from.trim()), span(step.trim())))
}

/// A case from its lines; `None` when they are not understood.
pub fn case<'a>(head: &'a str, body: &[&'a str]) -> Option<Case<'a>> {
    let (kind, rest) = head.split_once(' ')?;
    let mut expects: Vec<Expect> = match kind {
        "eval_fail" => vec![Expect::Fail(Words::Any)],
        "eval_warn" => vec![Expect::Warn(Words::Any)],
        "eval_info" => vec![Expect::Info(Words::Any)],
        "eval_ordered" => vec![Expect::Ordered],
        _ => Vec::new(),
    };
    let rest = rest.trim_start();
    let instant = |text: &str| Timestamp::default() + span(text);
    let (start, end, step, is_range, query) = if let Some(rest) = rest.strip_prefix("instant at ") {
        let (at, query) = rest.trim_start().split_once(char::is_whitespace)?;
        (instant(at), instant(at), Span::from_secs(1), false, query)
    } else {
        let rest = rest.strip_prefix("range from ")?;
        let (from, rest) = rest.trim_start().split_once(" to ")?;
        let (to, rest) = rest.trim_start().split_once(" step ")?;
        let (step, query) = rest.trim_start().split_once(char::is_whitespace)?;
        (instant(from.trim()), instant(to.trim()), span(step), true, query)
    };
    let mut rows = Vec::new();
    for line in body {
        if let Some(what) = line.strip_prefix("expect ") {
            expects.push(Expect::of(what.trim()));
        } else if let Some(message) = line.strip_prefix("expected_fail_message ") {
            expects.push(Expect::Fail(Words::of(&format!("msg:{message}"))));
        } else if let Some(pattern) = line.strip_prefix("expected_fail_regexp ") {
            expects.push(Expect::Fail(Words::of(&format!("regex:{pattern}"))));
        } else {
            rows.push(*line);
        }
    }
    Some(Case { start, end, step, is_range, query: query.trim(), expects, rows })
}

/// `5m`, `1h30m`, `-1m`, or plain seconds.
pub fn span(text: &str) -> Span {
    if let Ok(seconds) = text.parse::<f64>() {
        return Span::from_millis((seconds * 1000.0).round() as i64);
    }
    if let Some(rest) = text.strip_prefix('-') {
        return Span::ZERO - span(rest);
    }
    promql_parser::util::parse_duration(text).map(Span::from).unwrap_or_default()
}

/// A series from its points: the brace's end, or the first space without one.
pub fn split_metric(line: &str) -> Option<(&str, &str)> {
    let brace = line.find('{').filter(|at| !line[..*at].contains(char::is_whitespace));
    if line.starts_with("{{") {
        return None;
    }
    let Some(open) = brace else {
        let (name, points) = line.split_once(char::is_whitespace)?;
        return name
            .starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':')
            .then(|| (name, points.trim()));
    };
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line[open..].char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '}') => {
                let end = open + at + 1;
                return Some((&line[..end], line[end..].trim()));
            }
            _ => {}
        }
    }
    None
}

/// Name and labels.
pub fn parse_metric(metric: &str) -> Option<(String, Labels)> {
    let all = notation::metric(metric).ok()?;
    let name = all.get("__name__").unwrap_or_default().to_owned();
    Some((name, Labels::from_pairs(all.iter().filter(|(label, _)| *label != "__name__"))))
}

/// Points apart from each other; a native histogram is one, with its spaces.
pub fn words(points: &str) -> Vec<&str> {
    let (mut found, mut from, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in points.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            c if c.is_whitespace() && depth == 0 => {
                found.push(&points[from..at]);
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    found.push(&points[from..]);
    found.retain(|word| !word.is_empty());
    found
}

/// `1`, `_`, `stale`, `1+2x3`, `1x3`, `_x3`.
pub fn expand(word: &str) -> Option<Vec<Option<f64>>> {
    notation::values(word).ok()
}
