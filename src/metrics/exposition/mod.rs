//! The lexer of the text exposition: one line at a time, without copying.
//!
//! It reads what Prometheus 3 reads (`model/textparse/promlex.l` and
//! `openmetricslex.l` are the grammars): the classic text format 0.0.4, its
//! 1.0.0 with quoted UTF-8 names, and OpenMetrics. A line that Prometheus
//! refuses is a bad line here, with its reason; who counts them is `scrape`.

mod labels;
mod number;

use memchr::{memchr, memchr2};

pub(super) use labels::labels;
use number::number;

/// Which of the two grammars a body is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    /// `text/plain`: stamps in milliseconds.
    Classic,
    /// `application/openmetrics-text`: stamps in seconds, exemplars, `# EOF`.
    OpenMetrics,
}

impl Dialect {
    /// By the `Content-Type` header; classic when it says nothing.
    pub fn of(content_type: Option<&str>) -> Dialect {
        let kind = content_type.unwrap_or_default().trim_start();
        if kind.starts_with("application/openmetrics-text") {
            Dialect::OpenMetrics
        } else {
            Dialect::Classic
        }
    }
}

/// What follows a series on its line.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Tail {
    /// The sample's value.
    pub value: f64,
    /// Its own time, in milliseconds since the epoch.
    pub stamp: Option<i64>,
}

/// A comment line that means something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comment<'a> {
    /// `# TYPE name kind`
    Type(&'a str, &'a str),
    /// `# EOF`
    Eof,
    /// `# HELP`, `# UNIT`, or just words.
    Other,
}

/// Where the name of a series ends, when it is written before its braces.
/// (`{"a.name", …}` has it inside: 0.)
pub(super) fn name_end(line: &str) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    line.as_bytes().iter().position(|byte| !is_part(byte)).unwrap_or(line.len())
}

/// Splits a sample line into its series (`name{labels}`, or what stands for
/// it) and the rest. Only quotes and braces are looked at.
pub(super) fn split_series(line: &str) -> Result<(&str, &str), &'static str> {
    let name = name_end(line);
    let bytes = line.as_bytes();
    if bytes.first().is_some_and(u8::is_ascii_digit) {
        return Err("a metric name cannot begin with a digit");
    }
    let mut at = name + bytes[name..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    if bytes.get(at) != Some(&b'{') {
        return if name == 0 {
            Err("expected a metric name")
        } else if at == name {
            Err("expected a space or a brace after the metric name")
        } else {
            Ok(line.split_at(name))
        };
    }
    loop {
        at += memchr2(b'"', b'}', &bytes[at..]).ok_or("the braces are not closed")?;
        if bytes[at] == b'}' {
            return Ok(line.split_at(at + 1));
        }
        at = quote_end(line, at)?;
    }
}

/// The position after the quote that closes the one at `open`.
pub(super) fn quote_end(line: &str, open: usize) -> Result<usize, &'static str> {
    let bytes = line.as_bytes();
    let mut at = open + 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default())
            .ok_or("a quote is not closed")?;
        if bytes[at] == b'"' {
            return Ok(at + 1);
        }
        at += 2; // the escaped byte belongs to the text, whatever it is
    }
}

/// Reads value, time and exemplar behind a series.
pub(super) fn tail(rest: &str, dialect: Dialect) -> Result<Tail, &'static str> {
    let rest = rest.trim_matches([' ', '\t']);
    let (value, rest) = word(rest);
    let value = number(value).ok_or("the value is no number")?;
    if rest.is_empty() {
        return Ok(Tail { value, stamp: None });
    }
    if dialect == Dialect::OpenMetrics && rest.starts_with('#') {
        return exemplar(rest).map(|()| Tail { value, stamp: None });
    }
    let (stamp, rest) = word(rest);
    let stamp = match dialect {
        Dialect::Classic => millis(stamp).ok_or("the time stamp is no whole number"),
        Dialect::OpenMetrics => seconds(stamp).ok_or("the time stamp is no number of seconds"),
    }?;
    match rest.as_bytes().first() {
        None => {}
        Some(b'#') if dialect == Dialect::OpenMetrics => exemplar(rest)?,
        Some(_) => return Err("there is more after the time stamp"),
    }
    Ok(Tail { value, stamp: Some(stamp) })
}

fn word(text: &str) -> (&str, &str) {
    let end = memchr2(b' ', b'\t', text.as_bytes()).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start_matches([' ', '\t']))
}

/// `# {labels} value [time]`. Read for its form; nobody asks for exemplars.
fn exemplar(text: &str) -> Result<(), &'static str> {
    let braces = text[1..].trim_start_matches([' ', '\t']);
    if !braces.starts_with('{') {
        return Err("an exemplar begins with braces");
    }
    let (series, rest) = split_series(braces)?;
    labels(series, &mut |_, _| {})?;
    let (value, stamp) = word(rest.trim_matches([' ', '\t']));
    number(value).ok_or("the exemplar's value is no number")?;
    if !stamp.is_empty() && seconds(stamp).is_none() {
        return Err("the exemplar's time stamp is no number of seconds");
    }
    Ok(())
}

/// Digits alone: Prometheus takes no sign here.
fn millis(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn seconds(text: &str) -> Option<i64> {
    let millis = number(text)? * 1000.0;
    // Cut, not rounded: so does Prometheus.
    (millis.is_finite() && millis.abs() < 9e15).then_some(millis as i64)
}

/// Reads a line that begins with `#`.
pub(super) fn comment(line: &str) -> Comment<'_> {
    let body = line[1..].trim_start_matches([' ', '\t']);
    if body.trim_end() == "EOF" {
        return Comment::Eof;
    }
    let Some(rest) = body.strip_prefix("TYPE").filter(|rest| rest.starts_with([' ', '\t'])) else {
        return Comment::Other;
    };
    let rest = rest.trim_matches([' ', '\t']);
    let (name, kind) = if rest.starts_with('"') {
        let end = quote_end(rest, 0).unwrap_or(rest.len());
        (rest[..end].trim_matches('"'), rest[end..].trim())
    } else {
        let (name, kind) = word(rest);
        (name, kind.trim_end())
    };
    Comment::Type(name, kind)
}

/// The lines of a body, with whether each was ended by a line feed.
pub(super) struct Lines<'a> {
    rest: &'a str,
}

impl<'a> Lines<'a> {
    pub fn of(body: &'a str) -> Lines<'a> {
        Lines { rest: body }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// The next line, without its line feed.
    pub fn next(&mut self) -> Option<(&'a str, bool)> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest, ended) = match memchr(b'\n', self.rest.as_bytes()) {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..], true),
            None => (self.rest, "", false),
        };
        self.rest = rest;
        Some((line, ended))
    }
}
