//! Regular expressions as an assertion writes them: `/…/`, or `/…/i` where
//! upper and lower case are one.

use std::fmt;

use regex::{Regex, RegexBuilder};

use super::Complaint;
use super::cursor::Cursor;

/// Compiled, a pattern that a person wrote takes a few kB; this bounds
/// `x{1000}{1000}` before it is built.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A pattern in its user's words, compiled. Two are equal when their words are.
#[derive(Clone)]
pub(super) struct Pattern {
    written: String,
    regex: Regex,
}

impl Pattern {
    /// What the first group matched, or the whole where there is no group.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        let found = self.regex.captures(text)?;
        let whole = found.get(0);
        found.get(1).or(whole).map(|part| part.as_str())
    }

    /// Whether it matches anywhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Reads `/…/` and its flags.
pub(super) fn open(cursor: &mut Cursor<'_>) -> Result<Pattern, Complaint> {
    let column = cursor.column();
    let Some(written) = cursor.slashed() else {
        let what = match cursor.rest() {
            rest if rest.starts_with('/') => {
                "the expression has no closing `/`; a slash inside is written `\\/`"
            }
            _ => "a regular expression stands between slashes; write for example `/^v[0-9]+/`",
        };
        return Err(Complaint::at(column, what));
    };
    let end = written.rfind('/').expect("it was read up to a slash");
    let (inner, flags) = (&written[1..end], &written[end + 1..]);
    if !matches!(flags, "" | "i") {
        let what = format!("`{flags}` is no flag; there is `i`, for upper and lower case alike");
        return Err(Complaint::at(column + written[..=end].chars().count(), what));
    }
    if inner.is_empty() {
        return Err(Complaint::at(column, "`//` matches anything; write what has to be there"));
    }
    let regex = RegexBuilder::new(&inner.replace("\\/", "/"))
        .case_insensitive(flags == "i")
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| Complaint::at(column, format!("`{written}` {}", reason(&error))))?;
    Ok(Pattern { written: written.to_owned(), regex })
}

/// The library's last line says what is wrong; those above draw the expression.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "is too large; ask something simpler".to_owned(),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            let why = last.strip_prefix("error: ").unwrap_or(last);
            format!("is no regular expression: {why}; write for example `/^v[0-9]+/`")
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.written == other.written
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
