//! Regular expressions as Prometheus reads them: whole values, a dot that
//! takes line feeds too, and the syntax of Go's engine, which differs from
//! ours in what a class may hold and in what `\d` means.

use promql_parser::label::{MatchOp, Matcher};
use regex::Regex;

/// A pattern that has to match a value whole; `None` when it is none.
pub(super) fn whole(text: &str) -> Option<Regex> {
    Regex::new(&format!("^(?s:{})$", translated(text))).ok()
}

/// The parser's matchers with patterns of ours.
pub(super) fn matchers(mut any_of: Vec<Vec<Matcher>>) -> Vec<Vec<Matcher>> {
    for matcher in any_of.iter_mut().flatten() {
        let Matcher { op, value, .. } = matcher;
        match op {
            MatchOp::Re(regex) | MatchOp::NotRe(regex) => {
                if let Some(ours) = whole(value) {
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

    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let regex = whole(pattern).unwrap_or_else(|| panic!("{pattern}: {}", translated(pattern)));
        for text in matching {
            assert!(regex.is_match(text), "{pattern} has to match {text:?}");
        }
        for text in others {
            assert!(!regex.is_match(text), "{pattern} must not match {text:?}");
        }
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
        assert!(whole("(").is_none());
        assert!(whole("[").is_none());
    }
}
