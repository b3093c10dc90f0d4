//! Regular expressions as Prometheus reads them: whole values, a dot that
//! takes line feeds too, and the syntax of Go's engine, which differs from
//! ours in what a class may hold and in what `\d` means.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::util::unquote_string;
use regex::{Error, Regex, RegexBuilder};

use super::check::{self, Token};
use super::complaint::Complaint;

/// What is compiled of all patterns of a question together. A pattern of a few
/// letters can stand for megabytes (`\pL{400}`), and whoever may ask writes it.
const PATTERNS_BYTES_MAX: usize = 4 << 20;

/// Two hundred instances by name; what is longer is read for too long already.
const PATTERN_BYTES_MAX: usize = 8 << 10;

/// What comes to no more, as nearly all do, is compiled once for all that ask
/// with it: a hundred services are asked the same.
const SHARED_BYTES_MAX: usize = 32 << 10;
const SHARED_MAX: usize = 32;

/// By their texts. Compiled anew they would be the same.
type Shared = BTreeMap<Box<str>, Regex>;
static SHARED: Mutex<Shared> = Mutex::new(BTreeMap::new());

/// How much each pattern of a question may come to, if all of them do.
pub(super) fn room(texts: &[&str]) -> usize {
    let count = |text: &&str| {
        let tokens = check::tokens(text).unwrap_or_default();
        let is_any = |token: &&Token<'_>| matches!(token.text, "~" | "label_replace");
        tokens.iter().filter(is_any).count()
    };
    PATTERNS_BYTES_MAX / texts.iter().map(count).sum::<usize>().max(1)
}

/// Refuses patterns that come to more, before the parser compiles them: its own
/// bound is far off.
pub(super) fn bounded(text: &str, tokens: &[Token<'_>], room: usize) -> Result<(), Complaint> {
    for pair in tokens.windows(2).filter(|pair| pair[0].text == "~") {
        // What is no text there is the parser's to refuse.
        let Ok(pattern) = unquote_string(pair[1].text) else { continue };
        let told = too_long(&pattern).or_else(|| {
            let of_parser = [format!("^(?:{pattern})$"), format!("^(?:{})$", braced(&pattern))];
            let is_over = of_parser.iter().any(|form| is_too_much(&compiled(form, room)))
                || is_too_much(&whole(&pattern, room));
            is_over.then(|| too_much(room))
        });
        if let Some(what) = told {
            return Err(check::complaint(text, pair[1].at, what));
        }
    }
    Ok(())
}

/// What is said of a pattern that is long.
pub(super) fn too_long(pattern: &str) -> Option<String> {
    let is_long = pattern.len() > PATTERN_BYTES_MAX;
    is_long.then(|| {
        let length = pattern.len();
        format!(
            "a pattern of {length} bytes, of {PATTERN_BYTES_MAX} at most; select by fewer values"
        )
    })
}

/// What is said of one that is short and comes to much.
pub(super) fn too_much(room: usize) -> String {
    format!(
        "a pattern that comes to more than {room} bytes when it is compiled; write shorter \
         repeats, narrower classes or fewer patterns"
    )
}

/// Whether it failed for that.
pub(super) fn is_too_much(tried: &Result<Regex, Error>) -> bool {
    matches!(tried, Err(Error::CompiledTooBig(_)))
}

fn compiled(text: &str, room: usize) -> Result<Regex, Error> {
    RegexBuilder::new(text).size_limit(room).dfa_size_limit(room).build()
}

/// As the parser writes a pattern when it is none: braces that are no repeat
/// stand for themselves.
fn braced(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 8);
    let mut rest = text.chars();
    while let Some(sign) = rest.next() {
        match sign {
            '\\' => {
                made.push(sign);
                made.extend(rest.next());
            }
            '{' if !is_repeat(rest.as_str()) => made.push_str("\\{"),
            sign => made.push(sign),
        }
    }
    made
}

/// A pattern that has to match a value whole.
pub(super) fn whole(text: &str, room: usize) -> Result<Regex, Error> {
    compiled(&format!("^(?s:{})$", translated(text)), room)
}

fn shared(text: &str, room: usize) -> Result<Regex, Error> {
    kept(&mut SHARED.lock().unwrap_or_else(PoisonError::into_inner), text, room)
}

fn kept(known: &mut Shared, text: &str, room: usize) -> Result<Regex, Error> {
    if let Some(regex) = known.get(text) {
        return Ok(regex.clone());
    }
    let Ok(small) = whole(text, room.min(SHARED_BYTES_MAX)) else { return whole(text, room) };
    if known.len() >= SHARED_MAX {
        known.clear(); // whoever uses them keeps them
    }
    known.insert(text.into(), small.clone());
    Ok(small)
}

/// The parser's matchers with patterns of ours.
pub(super) fn matchers(mut any_of: Vec<Vec<Matcher>>, room: usize) -> Vec<Vec<Matcher>> {
    for matcher in any_of.iter_mut().flatten() {
        let Matcher { op, value, .. } = matcher;
        match op {
            MatchOp::Re(regex) | MatchOp::NotRe(regex) => {
                if let Ok(ours) = shared(value, room) {
                    *regex = ours;
                }
            }
            MatchOp::Equal | MatchOp::NotEqual => {}
        }
    }
    any_of
}

/// From Go's syntax to ours.
fn translated(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut in_class = false;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '\\' => escape(after, in_class, &mut made),
            '[' if in_class => posix_class(after, &mut made),
            '[' => {
                in_class = true;
                made.push('[');
                let after = taken('^', after, &mut made);
                match after.strip_prefix(']') {
                    Some(after) => {
                        made.push_str("\\]"); // at the beginning it stands for itself
                        after
                    }
                    None => after,
                }
            }
            ']' if in_class => {
                in_class = false;
                made.push(']');
                after
            }
            '&' | '~' if in_class => {
                made.extend(['\\', first]); // two of them are an operation of ours
                after
            }
            '-' if in_class && made.ends_with('-') && !made.ends_with("\\-") => {
                made.push_str("\\-");
                after
            }
            '{' if !in_class && !is_repeat(after) => {
                made.push_str("\\{");
                after
            }
            other => {
                made.push(other);
                after
            }
        };
    }
    made
}

fn taken<'t>(sign: char, rest: &'t str, made: &mut String) -> &'t str {
    match rest.strip_prefix(sign) {
        Some(after) => {
            made.push(sign);
            after
        }
        None => rest,
    }
}

/// What stands behind a backslash; returns what comes after it.
fn escape<'t>(rest: &'t str, in_class: bool, made: &mut String) -> &'t str {
    let Some(sign) = rest.chars().next() else {
        made.push('\\');
        return rest;
    };
    let after = &rest[sign.len_utf8()..];
    let ascii = match sign {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => "\\t\\n\\f\\r ",
        'D' => "^0-9",
        'W' => "^0-9A-Za-z_",
        'S' => "^\\t\\n\\f\\r ",
        'b' if !in_class => {
            made.push_str("(?-u:\\b)");
            return after;
        }
        'Q' => {
            let (literal, after) = after.split_once("\\E").unwrap_or((after, ""));
            made.push_str(&regex::escape(literal));
            return after;
        }
        sign if sign.is_ascii_punctuation() => {
            // `\<` is a word's beginning to us, and a plain sign to Go.
            if !matches!(sign, '<' | '>' | '_') {
                made.push('\\');
            }
            made.push(sign);
            return after;
        }
        sign => {
            made.extend(['\\', sign]);
            return after;
        }
    };
    made.extend(["[", ascii, "]"]);
    after
}

/// `[:alpha:]`, or a bracket that stands for itself.
fn posix_class<'t>(rest: &'t str, made: &mut String) -> &'t str {
    match rest.strip_prefix(':').and_then(|named| named.split_once(":]")) {
        Some((name, after)) => {
            made.extend(["[:", name, ":]"]);
            after
        }
        None => {
            made.push_str("\\[");
            rest
        }
    }
}

/// Whether `2}`, `2,}` or `2,5}` stands here.
fn is_repeat(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::promql::Query;

    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let regex = whole(pattern, PATTERNS_BYTES_MAX);
        let regex = regex.unwrap_or_else(|_| panic!("{pattern}: {}", translated(pattern)));
        for text in matching {
            assert!(regex.is_match(text), "{pattern} has to match {text:?}");
        }
        for text in others {
            assert!(!regex.is_match(text), "{pattern} must not match {text:?}");
        }
    }

    fn told(texts: &[&str]) -> String {
        Query::compile_each(texts).map_or_else(|complaint| complaint.what, |_| String::new())
    }

    #[test]
    fn refuses_patterns_that_come_to_too_much_before_the_parser_compiles_them() {
        for pattern in [
            r"\\pL{400}",
            r"((a{100}){100}){100}",
            r"\\w{400}{id}", // which the parser compiles in another way
            r"\x5cpL{400}",
        ] {
            for text in [format!("x{{b=~\"{pattern}\"}}"), format!("{{b !~ '{pattern}'}}")] {
                assert!(told(&[&text]).contains("comes to more than 4194304 bytes"), "{text}");
            }
        }
        let replaced = r#"label_replace(x, "a", "$1", "b", "\\pL{400}")"#;
        assert!(told(&[replaced]).contains("comes to more than"));
        let long = format!("x{{b=~\"{}\"}}", "a".repeat(PATTERN_BYTES_MAX + 1));
        assert!(told(&[&long]).contains("a pattern of 8193 bytes, of 8192 at most"));
    }

    #[test]
    fn gives_all_patterns_of_a_question_together_what_one_may_have() {
        let one = r#"x{b=~"\\pL{20}"}"#;
        assert_eq!(told(&[one]), "");
        assert!(told(&[one; 100]).contains("comes to more than 41943 bytes"));
        let many = format!("x{{{}}}", [r#"b=~"\\pL{20}""#; 100].join(","));
        assert!(told(&[&many]).contains("comes to more than 41943 bytes"));
        let usual = r#"x{b=~"/api/v1/.+|/users/{id}|\\d+",c!~"(?i)5.."}"#;
        assert_eq!(told(&[usual; 50]), "");
    }

    #[test]
    fn shares_few_patterns_and_no_large_ones() {
        let mut known = Shared::new();
        let mut take = |text: &str| kept(&mut known, text, PATTERNS_BYTES_MAX).is_ok();
        assert!(take(r"\pL{20}") && take("5..") && take("5.."));
        assert_eq!(known.keys().map(|text| &**text).collect::<Vec<_>>(), ["5.."]);
        assert!(kept(&mut known, r"\pL{400}", PATTERNS_BYTES_MAX).is_err());
        for number in 0..100 {
            kept(&mut known, &format!("a{number}"), PATTERNS_BYTES_MAX).unwrap();
        }
        assert!(known.len() <= SHARED_MAX);
    }

    #[test]
    fn matches_whole_values_and_line_feeds() {
        check("a.b", &["a\nb", "axb"], &["xaxb", "axbx"]);
        check("a|b", &["a", "b"], &["ab"]);
        check("(?i)abc", &["ABC"], &["ABCD"]);
    }

    #[test]
    fn takes_letters_and_digits_for_those_of_ascii() {
        check(r"\d+", &["42"], &["٤٢", ""]);
        check(r"[\d.]+", &["4.2"], &["٤"]);
        check(r"\w+", &["a_1"], &["ä"]);
        check(r"[^\s]", &["ä", "\u{a0}"], &[" ", "\n"]);
        check(r"\D\W\S", &["ä-ä"], &["1-a"]);
        check(r"ä?\ba\b", &["a", "äa"], &["aa"]);
    }

    #[test]
    fn reads_classes_as_go_does() {
        check(r"[[]", &["["], &["a"]);
        check(r"[]a]+", &["]a]"], &["b"]);
        check(r"[^]]", &["a"], &["]"]);
        check(r"[a&&b]+", &["a&b"], &["c"]);
        check(r"[a~~b]+", &["a~b"], &["c"]);
        check(r"[+--]+", &["+,-"], &["."]);
        check(r"[[:digit:][:upper:]]+", &["A1"], &["a"]);
    }

    #[test]
    fn knows_signs_that_stand_for_themselves() {
        check(r"/users/{id}", &["/users/{id}"], &["/users/id"]);
        check(r"a{2}b{1,}c{0,1}", &["aabbb", "aabc"], &["ab"]);
        check(r"a{,2}", &["a{,2}"], &["aa"]);
        check(r"\<\_\>\-\/", &["<_>-/"], &[""]);
        check(r"\Qa.b[\E.", &["a.b[c"], &["axb[c"]);
        assert!(whole("(", PATTERNS_BYTES_MAX).is_err());
        assert!(whole("[", PATTERNS_BYTES_MAX).is_err());
    }
}
