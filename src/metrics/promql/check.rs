//! A first reading of a query's text, for what the parser cannot say: where
//! an error is. What passes here and not there is pointed at as a whole.

use promql_parser::parser::Expr;

use super::compile::{self, RANGE_WORD};
use super::complaint::{Complaint, Refused};

/// Words that may stand before a parenthesis without being a function.
pub(super) const WORDS: [&str; 12] = [
    "and",
    "or",
    "unless",
    "atan2",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
];

/// More than ten times the longest query that we have seen. Expressions nest
/// no deeper than this, so that reading and evaluating them fits on any stack.
const TOKENS_MAX: usize = 1000;

/// What we write ourselves of such a query (a selector's matchers in each of
/// its selectors, say) is longer.
const TREE_TOKENS_MAX: usize = 5 * TOKENS_MAX;

/// A thousand years: the parser's own durations end there or thereabouts.
const SECONDS_MAX: f64 = 3.2e10;

/// A piece of the text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Token<'a> {
    /// From 0, in bytes.
    pub at: usize,
    pub text: &'a str,
}

impl Token<'_> {
    fn stands_for_range(&self) -> bool {
        !self.text.starts_with(['"', '\'', '`']) && self.text.contains(RANGE_WORD)
    }
}

/// The text with another in place of `$range`, outside of quotes.
pub(super) fn with_range(text: &str, by: &str) -> Result<String, Complaint> {
    let mut made = String::with_capacity(text.len());
    let mut from = 0;
    for token in tokens(text)?.iter().filter(|token| token.stands_for_range()) {
        made.push_str(&text[from..token.at]);
        made.push_str(&token.text.replace(RANGE_WORD, by));
        from = token.at + token.text.len();
    }
    made.push_str(&text[from..]);
    Ok(made)
}

/// Checks brackets, quotes, function names and durations; and unless it is
/// `nameless`, that every selector has a metric name. Returns the words.
pub(super) fn check(text: &str, ranged: bool, nameless: bool) -> Result<Vec<Token<'_>>, Complaint> {
    let tokens = tokens(text)?;
    if let Some(token) = tokens.get(TOKENS_MAX) {
        let what = format!("the query has more than {TOKENS_MAX} words; split it");
        return Err(complaint(text, token.at, what));
    }
    brackets(text, &tokens)?;
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map_or("", |token| token.text);
        let before = if index == 0 { "" } else { tokens[index - 1].text };
        if is_word(token.text) && next == "(" && before != "@" {
            function(text, *token)?;
        }
        // An aggregation may say first by what.
        if let ("by" | "without", Some(why)) = (&*next.to_lowercase(), Refused::word(token.text)) {
            return Err(refused(text, *token, Some(why)));
        }
        if token.stands_for_range() && !ranged {
            let what = "`$range` has a meaning in a signal only; write a duration such as 5m";
            return Err(complaint(text, token.at, what.into()));
        }
        if token.text.starts_with(['"', '\'']) && has_bytes(token.text) {
            let is_label = index > 1 && tokens[index - 2].text == "count_values";
            let what = if is_label { "invalid label name " } else { "no UTF-8 text: " };
            return Err(complaint(text, token.at, format!("{what}{}", token.text)));
        }
        if let Some(letter) = strange_escape(token.text) {
            let what = format!("`\\{letter}` stands for nothing; for a backslash write `\\\\`");
            return Err(complaint(text, token.at, what));
        }
        if is_beyond_numbers(token.text) {
            let what = format!("{} is beyond all numbers; write Inf for infinity", token.text);
            return Err(complaint(text, token.at, what));
        }
        match token.text {
            "[" => ranges(text, &tokens[index + 1..])?,
            "{" if nameless => {}
            "{" if !is_word(before) || WORDS.contains(&before) => named(text, &tokens[index..])?,
            "<" | ">" if next == "/" => {
                let why = Refused::NativeHistograms("</ and >/".into());
                let what = format!("`{}/` is not supported: {}", token.text, why.reason());
                return Err(Complaint { refused: Some(why), ..complaint(text, token.at, what) });
            }
            "anchored" | "smoothed" if is_selected(before) => {
                return Err(refused(text, *token, Refused::word(token.text)));
            }
            "offset" if is_selected(before) => {
                let at = index + 1 + usize::from(matches!(next, "-" | "+"));
                if tokens.get(at + 1).is_some_and(|token| token.text == "(") {
                    return Err(calculated(text, tokens[at]));
                }
                duration(text, tokens.get(at).copied(), token.at)?;
            }
            _ => {}
        }
    }
    Ok(tokens)
}

/// A complaint about what begins at this byte.
pub(super) fn complaint(text: &str, at: usize, what: String) -> Complaint {
    let column = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
    Complaint { column, what, refused: None }
}

/// A complaint about something that Prometheus has.
fn refused(text: &str, token: Token<'_>, why: Option<Refused>) -> Complaint {
    let reason = why.as_ref().map_or("", Refused::reason);
    let what = format!("`{}` is not supported: {reason}", token.text);
    Complaint { refused: why, ..complaint(text, token.at, what) }
}

/// Digits that amount to more than a number can be.
fn is_beyond_numbers(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.parse::<f64>().is_ok_and(f64::is_infinite)
}

/// A text that writes single bytes beyond ASCII: `"\xff"`, `"\377"`.
fn has_bytes(quoted: &str) -> bool {
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            continue;
        }
        match chars.next() {
            Some('x') if chars.clone().next().is_some_and(|c| !matches!(c, '0'..='7')) => {
                return true;
            }
            Some('2' | '3') => return true,
            _ => {}
        }
    }
    false
}

/// A letter beyond ASCII behind a backslash, in a text in which that means
/// something.
fn strange_escape(quoted: &str) -> Option<char> {
    if !quoted.starts_with(['"', '\'']) {
        return None;
    }
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        if let Some(letter) = escaped.filter(|letter| !letter.is_ascii()) {
            return Some(letter);
        }
    }
    None
}

/// The parser's tree of a text. What brings the parser down is no PromQL either.
///
/// # Errors
/// The parser's; and a text of more words than fit on any stack, however deep
/// they nest.
pub(in crate::metrics) fn tree(text: &str) -> Result<Expr, String> {
    let tokens = tokens(text).unwrap_or_default();
    if tokens.len() > TREE_TOKENS_MAX {
        return Err(format!("more than {TREE_TOKENS_MAX} words; split the query"));
    }
    match tokens.iter().find_map(|token| strange_escape(token.text)) {
        Some(letter) => Err(format!("`\\{letter}` stands for nothing")),
        None => promql_parser::parser::parse(text),
    }
}

/// Whether a selector, or its `offset` or `@`, may end here.
fn is_selected(before: &str) -> bool {
    let is_number = before.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    matches!(before, "]" | "}" | ")") || is_number || (is_word(before) && !WORDS.contains(&before))
}

/// The first place where a word stands by itself; the text's start without.
pub(super) fn place(text: &str, word: &str) -> usize {
    let Ok(tokens) = tokens(text) else { return 0 };
    tokens.iter().find(|token| token.text == word).map_or(0, |token| token.at)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':')
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Complaint> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match first {
            c if c.is_whitespace() => c.len_utf8(),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' | '`' => quoted(rest, first).ok_or_else(|| {
                complaint(text, at, format!("the quote {first} is not closed before the end"))
            })?,
            c if c.is_alphanumeric() || matches!(c, '_' | ':' | '$' | '.') => {
                let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '$' | '.');
                rest.find(|c: char| !word(c)).unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        if !first.is_whitespace() && first != '#' {
            found.push(Token { at, text: &rest[..length] });
        }
        at += length;
    }
    Ok(found)
}

fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn brackets(text: &str, tokens: &[Token<'_>]) -> Result<(), Complaint> {
    let mut open: Vec<Token<'_>> = Vec::new();
    for token in tokens {
        let partner = match token.text {
            "(" | "[" | "{" => {
                open.push(*token);
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => continue,
        };
        match open.pop() {
            Some(opened) if opened.text == partner => {}
            Some(opened) => {
                let (open, close) = (opened.text, token.text);
                let what = format!("{close} does not close the {open} before it");
                return Err(complaint(text, token.at, what));
            }
            None => {
                let what = format!("{} closes nothing; remove it or open {partner}", token.text);
                return Err(complaint(text, token.at, what));
            }
        }
    }
    match open.pop() {
        None => Ok(()),
        Some(opened) => {
            let what = format!("{} is not closed before the end", opened.text);
            Err(complaint(text, opened.at, what))
        }
    }
}

fn function(text: &str, token: Token<'_>) -> Result<(), Complaint> {
    let name = token.text.to_lowercase();
    if WORDS.contains(&&*name) || compile::aggregation(&name).is_some() {
        return Ok(());
    }
    if compile::is_function(token.text) {
        return Ok(());
    }
    if let Some(why) = Refused::word(&name) {
        return Err(refused(text, token, Some(why)));
    }
    let near = compile::names()
        .map(|known| (strsim::damerau_levenshtein(known, &name), !known.starts_with(&*name), known))
        .min()
        .filter(|(distance, _, known)| *distance <= 1 + known.len() / 4);
    let hint = near.map(|(_, _, known)| format!("; did you mean `{known}`?")).unwrap_or_default();
    Err(complaint(text, token.at, format!("unknown function `{}`{hint}", token.text)))
}

/// The durations of `[5m]` and `[1h:30s]`, from behind the bracket.
fn ranges(text: &str, tokens: &[Token<'_>]) -> Result<(), Complaint> {
    let end = tokens.iter().position(|token| token.text == "]").unwrap_or(tokens.len());
    let Some(first) = tokens[..end].first() else {
        let at = tokens.first().map_or(0, |token| token.at);
        return Err(complaint(text, at, "a range is missing; write for example [5m]".into()));
    };
    // A colon is a word's letter too: `1h:30s` is one token here.
    let last = tokens[end - 1];
    let whole = &text[first.at..last.at + last.text.len()];
    let mut at = first.at;
    for (index, part) in whole.split(':').enumerate() {
        let trimmed = part.trim();
        if !(index > 0 && trimmed.is_empty()) {
            duration(text, Some(Token { at, text: trimmed }), at)?;
        }
        at += part.len() + 1;
    }
    Ok(())
}

fn duration(text: &str, token: Option<Token<'_>>, or_at: usize) -> Result<(), Complaint> {
    let (at, written) = token.map_or((or_at, ""), |token| (token.at, token.text));
    let known = match written.parse::<f64>() {
        // Seconds, of which time is counted in thousandths.
        Ok(seconds) => (0.001..SECONDS_MAX).contains(&seconds),
        Err(_) => written == RANGE_WORD || promql_parser::util::parse_duration(written).is_ok(),
    };
    if known {
        return Ok(());
    }
    let is_calculated = written.chars().skip(1).any(|c| "+-*/%^()".contains(c)) || written == "(";
    if is_calculated {
        return Err(calculated(text, Token { at, text: written }));
    }
    Err(complaint(text, at, no_duration(written)))
}

fn no_duration(written: &str) -> String {
    format!("{written:?} is not a duration; write for example 30s, 5m or 1h30m")
}

/// A complaint about a duration that is to be calculated.
fn calculated(text: &str, token: Token<'_>) -> Complaint {
    let why = Refused::Newer("arithmetic in durations".into());
    let what = format!("{} (to calculate with: {})", no_duration(token.text), why.reason());
    Complaint { refused: Some(why), ..complaint(text, token.at, what) }
}

/// A selector without a name before its brace: it has to be inside.
fn named(text: &str, tokens: &[Token<'_>]) -> Result<(), Complaint> {
    let end = tokens.iter().position(|token| token.text == "}").unwrap_or(tokens.len());
    let inside = &tokens[1..end.max(1)];
    let has = inside.iter().enumerate().any(|(index, token)| {
        let next = |by: usize| inside.get(index + by).map_or("", |token| token.text);
        let quoted = token.text.starts_with(['"', '\'']);
        let stands_alone = index == 0 || inside[index - 1].text == ",";
        let by_label = token.text == "__name__" && next(1) == "=" && next(2) != "~";
        by_label || (quoted && stands_alone && matches!(next(1), "" | ","))
    });
    if has {
        return Ok(());
    }
    let what = "a selector needs a metric name before its brace: only named metrics are kept";
    let complaint = complaint(text, tokens[0].at, what.into());
    Err(Complaint { refused: Some(Refused::Nameless), ..complaint })
}
