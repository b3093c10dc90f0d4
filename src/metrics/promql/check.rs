//! A first reading of a query's text, for what the parser cannot say: where
//! an error is. What passes here and not there is pointed at as a whole.

use super::Complaint;
use super::compile::{self, RANGE_WORD};

/// Words that may stand before a parenthesis without being a function.
const WORDS: [&str; 12] = [
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

/// Functions and words of Prometheus that are not supported: told apart from
/// typos.
const NOT_SUPPORTED: &str = " fill fill_left fill_right smoothed anchored limitk limit_ratio \
    first_over_time mad_over_time ts_of_first_over_time ts_of_last_over_time \
    ts_of_min_over_time ts_of_max_over_time double_exponential_smoothing holt_winters \
    histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar \
    histogram_quantiles info sort_by_label sort_by_label_desc start end step range \
    min_of max_of ";

/// More than ten times the longest query that we have seen. Expressions nest
/// no deeper than this, so that reading and evaluating them fits on any stack.
const TOKENS_MAX: usize = 1000;

/// A thousand years: the parser's own durations end there or thereabouts.
const SECONDS_MAX: f64 = 3.2e10;

/// A piece of the text.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Token<'a> {
    /// From 0, in bytes.
    at: usize,
    text: &'a str,
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

/// Checks brackets, quotes, function names, durations, and that every
/// selector has a metric name.
pub(super) fn check(text: &str, ranged: bool) -> Result<(), Complaint> {
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
        if token.stands_for_range() && !ranged {
            let what = "`$range` has a meaning in a signal only; write a duration such as 5m";
            return Err(complaint(text, token.at, what.into()));
        }
        match token.text {
            "[" => ranges(text, &tokens[index + 1..])?,
            "{" if !is_word(before) || WORDS.contains(&before) => named(text, &tokens[index..])?,
            "offset" => {
                let at = index + 1 + usize::from(matches!(next, "-" | "+"));
                duration(text, tokens.get(at).copied(), token.at)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A complaint about what begins at this byte.
pub(super) fn complaint(text: &str, at: usize, what: String) -> Complaint {
    let column = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
    Complaint { column, what }
}

/// The first place where a word stands by itself; the text's start without.
pub(super) fn place(text: &str, word: &str) -> usize {
    let Ok(tokens) = tokens(text) else { return 0 };
    tokens.iter().find(|token| token.text == word).map_or(0, |token| token.at)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':')
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, Complaint> {
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
    if NOT_SUPPORTED.contains(&format!(" {name} ")) {
        return Err(complaint(text, token.at, format!("`{name}` is not supported")));
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
    let what = format!("{written:?} is not a duration; write for example 30s, 5m or 1h30m");
    Err(complaint(text, at, what))
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
    Err(complaint(text, tokens[0].at, what.into()))
}
