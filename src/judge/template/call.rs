//! The functions that templates have.

use std::borrow::Cow;
use std::cmp::Ordering;

use regex::Regex;

use super::eval::{Value, label};
use super::{Scene, number};

/// All of them.
pub(super) const FUNCTIONS: [&str; 29] = [
    "and",
    "or",
    "not",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "len",
    "index",
    "print",
    "printf",
    "println",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "title",
    "toUpper",
    "toLower",
    "match",
    "reReplaceAll",
    "stripPort",
    "stripDomain",
    "externalURL",
    "pathPrefix",
    "parseDuration",
];

/// Those of Prometheus that ask a server, or link to its pages.
pub(super) const ELSEWHERE: [&str; 16] = [
    "query",
    "first",
    "label",
    "value",
    "strvalue",
    "sortByLabel",
    "args",
    "tmpl",
    "safeHtml",
    "graphLink",
    "tableLink",
    "toTime",
    "now",
    "html",
    "js",
    "urlquery",
];

/// Calls a function that the parser knows.
pub(super) fn call<'s>(
    name: &str,
    args: &[Value<'s>],
    scene: &Scene<'s>,
) -> Result<Value<'s>, String> {
    let calling = |what: String| format!("error calling {name}: {what}");
    match name {
        "and" | "or" => logic(name, args).map_err(calling),
        "not" | "len" => single(name, args).map_err(calling),
        "index" => index(args).map_err(calling),
        "eq" => one_of(args).map(Value::Flag).map_err(calling),
        "ne" | "lt" | "le" | "gt" | "ge" => compared(name, args).map(Value::Flag).map_err(calling),
        "print" | "println" | "printf" => printed(name, args).map(text).map_err(calling),
        "externalURL" => Ok(Value::Text(Cow::Borrowed(scene.url))),
        "pathPrefix" => Ok(text(path_of(scene.url))),
        "match" | "reReplaceAll" => matched(name, args).map_err(calling),
        _ if name.starts_with("humanize") => {
            let [value] = args else { return Err(calling(wants(1, args))) };
            let value = float(value).map_err(calling)?;
            Ok(text(match name {
                "humanize" => number::humanize(value),
                "humanize1024" => number::humanize1024(value),
                "humanizeDuration" => number::duration(value),
                "humanizePercentage" => number::percentage(value),
                _ => number::timestamp(value).map_err(calling)?,
            }))
        }
        _ => {
            let [Value::Text(given)] = args else { return Err(calling(wants(1, args))) };
            worded(name, given).map_err(calling)
        }
    }
}

fn text<'s>(text: String) -> Value<'s> {
    Value::Text(Cow::Owned(text))
}

fn wants(count: usize, args: &[Value]) -> String {
    let found: Vec<&str> = args.iter().map(Value::kind).collect();
    format!("wrong arguments: want {count}, got ({})", found.join(", "))
}

/// A number, also one that is written in a text.
fn float(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Int(value) => Ok(*value as f64),
        Value::Text(text) => text.parse().map_err(|_| format!("{text:?} is no number")),
        value => Err(format!("a {} is no number", value.kind())),
    }
}

fn logic<'s>(name: &str, args: &[Value<'s>]) -> Result<Value<'s>, String> {
    let decides = |value: &&Value| value.is_true() == (name == "or");
    let last = args.last().ok_or_else(|| wants(1, args))?;
    Ok(args.iter().find(decides).unwrap_or(last).clone())
}

fn single<'s>(name: &str, args: &[Value<'s>]) -> Result<Value<'s>, String> {
    let [value] = args else { return Err(wants(1, args)) };
    match (name, value) {
        ("not", value) => Ok(Value::Flag(!value.is_true())),
        (_, Value::Text(text)) => Ok(Value::Int(text.len() as i64)),
        (_, Value::Labels(labels)) => Ok(Value::Int(labels.len() as i64)),
        (_, value) => Err(format!("len of type {}", value.kind())),
    }
}

fn index<'s>(args: &[Value<'s>]) -> Result<Value<'s>, String> {
    match args {
        [Value::Labels(labels), Value::Text(name)] => Ok(label(labels, name)),
        [value, ..] => Err(format!("can't index item of type {}", value.kind())),
        [] => Err(wants(2, args)),
    }
}

/// Whether the first is one of the others.
fn one_of(args: &[Value]) -> Result<bool, String> {
    let Some((first, others @ [_, ..])) = args.split_first() else {
        return Err("missing argument for comparison".to_owned());
    };
    for other in others {
        if order(first, other)? == Some(Ordering::Equal) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn compared(name: &str, args: &[Value]) -> Result<bool, String> {
    let [left, right] = args else { return Err(wants(2, args)) };
    let order = order(left, right)?;
    Ok(match name {
        "ne" => order != Some(Ordering::Equal),
        "lt" => order == Some(Ordering::Less),
        "le" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        "gt" => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

/// Like with like only: to Go `5` is no value that `5.0` could be held against.
fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, String> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Ok(Some(left.cmp(right))),
        (Value::Float(left), Value::Float(right)) => Ok(left.partial_cmp(right)),
        (Value::Int(left), Value::Int(right)) => Ok(Some(left.cmp(right))),
        (Value::Flag(left), Value::Flag(right)) => Ok(Some(left.cmp(right))),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

/// Between two that are no texts there is a space.
fn printed(name: &str, args: &[Value]) -> Result<String, String> {
    if name == "printf" {
        let Some((Value::Text(format), rest)) = args.split_first() else {
            return Err("the format has to be a text".to_owned());
        };
        return formatted(format, rest);
    }
    let is_line = name == "println";
    let mut out = String::new();
    for (at, value) in args.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        let spaced = at > 0 && (is_line || !is_text(value) && !is_text(&args[at - 1]));
        out.push_str(if spaced { " " } else { "" });
        out.push_str(&value.shown());
    }
    Ok(if is_line { out + "\n" } else { out })
}

/// Wider or more precise fields than this are nobody's wish.
const WIDTH_MAX: usize = 100;

fn formatted(format: &str, args: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let (mut rest, mut used) = (format, 0);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let flags_end = rest.find(|c| !"+-# 0".contains(c)).unwrap_or(rest.len());
        let (flags, after) = rest.split_at(flags_end);
        let (width, after) = whole(after);
        let (precision, after) = match after.strip_prefix('.') {
            Some(after) => {
                let (precision, after) = whole(after);
                (Some(precision.unwrap_or(0)), after)
            }
            None => (None, after),
        };
        let Some(verb) = after.chars().next() else {
            out.push_str("%!(NOVERB)");
            return Ok(out);
        };
        rest = &after[verb.len_utf8()..];
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = args.get(used) else {
            out.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        used += 1;
        let width = width.unwrap_or(0);
        if width > WIDTH_MAX || precision.is_some_and(|precision| precision > WIDTH_MAX) {
            return Err(format!("a field wider than {WIDTH_MAX}"));
        }
        out.push_str(&padded(&verbed(verb, flags, precision, value), flags, width, value));
    }
    out.push_str(rest);
    if used < args.len() {
        let extra = args[used..].iter().map(|value| format!("{}={}", value.kind(), value.shown()));
        out.push_str(&format!("%!(EXTRA {})", extra.collect::<Vec<_>>().join(", ")));
    }
    Ok(out)
}

fn whole(text: &str) -> (Option<usize>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].parse().ok(), &text[end..])
}

fn verbed(verb: char, flags: &str, precision: Option<usize>, value: &Value) -> String {
    let shown = match (verb, value) {
        ('v', Value::Float(value)) | ('g', Value::Float(value)) => {
            number::general(*value, precision)
        }
        ('v', value) => value.shown(),
        ('f' | 'F', Value::Float(value)) => number::fixed(*value, precision.unwrap_or(6)),
        ('e', Value::Float(value)) => number::scientific(*value, precision.unwrap_or(6)),
        ('d', Value::Int(value)) => value.to_string(),
        ('x', Value::Int(value)) => format!("{value:x}"),
        ('t', Value::Flag(flag)) => flag.to_string(),
        ('s', Value::Text(text)) => match precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_string(),
        },
        ('q', Value::Text(text)) => format!("{text:?}"),
        (verb, value) => return format!("%!{verb}({}={})", value.kind(), value.shown()),
    };
    let is_number = matches!(value, Value::Float(_) | Value::Int(_));
    match is_number && flags.contains('+') && !shown.starts_with(['-', '+']) {
        true => format!("+{shown}"),
        false => shown,
    }
}

fn padded(shown: &str, flags: &str, width: usize, value: &Value) -> String {
    let missing = width.saturating_sub(shown.chars().count());
    let is_number =
        matches!(value, Value::Int(_)) || matches!(value, Value::Float(value) if value.is_finite());
    if flags.contains('-') {
        return format!("{shown}{}", " ".repeat(missing));
    }
    if flags.contains('0') && is_number {
        let (sign, digits) = match shown.strip_prefix(['-', '+']) {
            Some(digits) => (&shown[..1], digits),
            None => ("", shown),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{shown}", " ".repeat(missing))
}

fn matched<'s>(name: &str, args: &[Value<'s>]) -> Result<Value<'s>, String> {
    let regex = |pattern: &str| {
        Regex::new(pattern).map_err(|_| format!("{pattern:?} is not a regular expression"))
    };
    match (name, args) {
        ("match", [Value::Text(pattern), Value::Text(given)]) => {
            Ok(Value::Flag(regex(pattern)?.is_match(given)))
        }
        ("reReplaceAll", [Value::Text(pattern), Value::Text(by), Value::Text(given)]) => {
            Ok(text(regex(pattern)?.replace_all(given, by.as_ref()).into_owned()))
        }
        ("match", _) => Err(wants(2, args)),
        _ => Err(wants(3, args)),
    }
}

/// Functions of one text.
fn worded<'s>(name: &str, given: &str) -> Result<Value<'s>, String> {
    Ok(match name {
        "title" => text(titled(given)),
        "toUpper" => text(given.to_uppercase()),
        "toLower" => text(given.to_lowercase()),
        "stripPort" => text(without_port(given).to_owned()),
        "stripDomain" => {
            let host = without_port(given);
            let is_address = host.contains(':') || host.chars().all(|c| ".0123456789".contains(c));
            let bare = if is_address { host } else { host.split('.').next().unwrap_or(host) };
            text(format!("{bare}{}", &given[host.len()..]))
        }
        _ => {
            let span = promql_parser::util::parse_duration(given)
                .map_err(|_| format!("not a valid duration string: {given:?}"))?;
            Value::Float(span.as_secs_f64())
        }
    })
}

fn without_port(given: &str) -> &str {
    match given.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) && !host.contains(':') => {
            host
        }
        _ => given,
    }
}

/// Every word with a capital; words end where there is no letter, digit, `_` or `'`.
fn titled(given: &str) -> String {
    let mut before = ' ';
    let mut out = String::with_capacity(given.len());
    for c in given.chars() {
        if before.is_alphanumeric() || before == '_' || before == '\'' {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        before = c;
    }
    out
}

fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or(String::new(), |at| rest[at..].to_owned())
}
