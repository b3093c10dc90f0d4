//! Matchers: which alerts are meant, in the form in which Alertmanager has
//! them. `severity!="critical"`, `instance=~"a.*"`; a label that is not there
//! is an empty one.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::Labels;

/// What is compiled of a pattern; whoever may give orders writes it.
const PATTERN_BYTES_MAX: usize = 1 << 18;

/// Longer matchers are read by nobody.
const CHARS_MAX: usize = 1000;

/// One condition.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matcher {
    name: String,
    how: How,
    value: String,
    /// Of the two that have one.
    pattern: Option<Regex>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Is,
    IsNot,
    Fits,
    FitsNot,
}

/// In the order in which they are looked for: the longer first.
const SIGNS: [(&str, How); 4] =
    [("=~", How::Fits), ("!~", How::FitsNot), ("!=", How::IsNot), ("=", How::Is)];

impl Matcher {
    /// Reads `name=value`, `name!="value"`, `name=~pattern`, `name!~pattern`.
    ///
    /// # Errors
    /// It is none of these; what would be.
    pub fn parse(text: &str) -> Result<Matcher, String> {
        let matcher = Matcher::read(text)?;
        // As it is written down, which may be longer than what was typed.
        if matcher.to_string().chars().count() > CHARS_MAX {
            return Err(format!("a matcher has at most {CHARS_MAX} characters"));
        }
        Ok(matcher)
    }

    /// The same however long: what was written down once is read again.
    fn read(text: &str) -> Result<Matcher, String> {
        let text = text.trim();
        let such = "write for example severity=warning or instance=~\"a.*\"";
        let end = text.find(['=', '!']).ok_or_else(|| format!("{text:?} is no matcher; {such}"))?;
        let (name, rest) = (text[..end].trim_end(), &text[end..]);
        let fits = |c: char| c.is_ascii_alphanumeric() || "_:.-".contains(c);
        if name.is_empty() || !name.chars().all(fits) {
            return Err(format!("{text:?}: {name:?} is no label's name; {such}"));
        }
        let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, how) = sign.ok_or_else(|| format!("{text:?} has no =, !=, =~ or !~; {such}"))?;
        let value = unquoted(rest[sign.len()..].trim_start());
        let value = value.map_err(|what| format!("{text:?}: {what}"))?;
        let pattern = match how {
            How::Is | How::IsNot => None,
            How::Fits | How::FitsNot => {
                Some(whole(&value).map_err(|what| format!("{text:?}: {what}"))?)
            }
        };
        Ok(Matcher { name: name.to_owned(), how: *how, value, pattern })
    }

    /// Whether the label has such a value.
    pub fn fits(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).unwrap_or_default();
        let matches = || self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(value));
        match self.how {
            How::Is => value == self.value,
            How::IsNot => value != self.value,
            How::Fits => matches(),
            How::FitsNot => !matches(),
        }
    }
}

/// The value as it is meant: as it stands, or in quotes.
fn unquoted(text: &str) -> Result<String, String> {
    let Some(inner) = text.strip_prefix('"') else {
        return match text.chars().find(|c| "\"={},".contains(*c)) {
            Some(c) => Err(format!("a value with {c:?} in it needs quotes")),
            None => Ok(text.to_owned()),
        };
    };
    let (mut value, mut chars) = (String::new(), inner.chars());
    loop {
        match (chars.next(), chars.clone().next()) {
            (Some('"'), None) => return Ok(value),
            (Some('"'), Some(_)) => return Err("there is more after the closing quote".to_owned()),
            (Some('\\'), Some('n')) => value.push('\n'),
            (Some('\\'), Some(escaped @ ('"' | '\\'))) => value.push(escaped),
            (Some('\\'), Some(other)) => {
                value.extend(['\\', other]); // `\d` of a pattern
            }
            (Some(char), _) => {
                value.push(char);
                continue;
            }
            (None, _) => return Err("the closing quote is missing".to_owned()),
        }
        chars.next();
    }
}

/// A pattern fits a whole value, as in Prometheus.
fn whole(pattern: &str) -> Result<Regex, String> {
    let compiled = |text: &str| RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build();
    // By itself first: one that closes the group around it would fit anything.
    let whole = compiled(pattern).and_then(|_| compiled(&format!("^(?s:{pattern})$")));
    whole.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("the pattern {pattern:?} comes to too much"),
        _ => format!("{pattern:?} is no regular expression"),
    })
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Matcher) -> bool {
        (&self.name, self.how, &self.value) == (&other.name, other.how, &other.value)
    }
}

impl Eq for Matcher {}

/// `severity!="critical"`.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = SIGNS.iter().find(|(_, how)| *how == self.how).map_or("=", |(sign, _)| sign);
        let escaped = self.value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        write!(f, "{}{sign}\"{escaped}\"", self.name)
    }
}

impl TryFrom<String> for Matcher {
    type Error = String;

    fn try_from(text: String) -> Result<Matcher, String> {
        Matcher::read(&text)
    }
}

impl From<Matcher> for String {
    fn from(matcher: Matcher) -> String {
        matcher.to_string()
    }
}

/// Conditions that have all to hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Matchers(Vec<Matcher>);

impl Matchers {
    /// Each from a text of its own.
    ///
    /// # Errors
    /// As `Matcher::parse`, of the first that is wrong.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Matchers, String> {
        texts
            .iter()
            .map(|text| Matcher::parse(text.as_ref()))
            .collect::<Result<_, _>>()
            .map(Matchers)
    }

    /// Whether all of them hold; without any that is so of everything.
    pub fn fit(&self, labels: &Labels) -> bool {
        self.0.iter().all(|matcher| matcher.fits(labels))
    }

    /// Whether they fit whatever there is, also what has no label at all.
    pub fn fit_everything(&self) -> bool {
        self.fit(&Labels::default())
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Matcher>> for Matchers {
    fn from(all: Vec<Matcher>) -> Matchers {
        Matchers(all)
    }
}

/// `alertname="HighErrorRate", severity!="critical"`.
impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, matcher) in self.0.iter().enumerate() {
            write!(f, "{}{matcher}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, fits: &[&str], fits_not: &[&str]) {
        let matcher = Matcher::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let of = |value: &str| Labels::from_pairs([("a", value), ("b", "else")]);
        for (values, wanted) in [(fits, true), (fits_not, false)] {
            for value in values {
                assert_eq!(matcher.fits(&of(value)), wanted, "{text} and {value:?}");
            }
        }
        assert_eq!(Matcher::parse(&matcher.to_string()).as_ref(), Ok(&matcher), "{text}");
    }

    #[test]
    fn takes_what_fits_as_a_whole_and_a_missing_label_for_an_empty_one() {
        check("a=x", &["x"], &["", "xx", "X"]);
        check("a != x", &["", "xx"], &["x"]);
        check("a=~x|y.*", &["x", "y", "yes\nno"], &["", "xx", "ay"]);
        check("a!~\"x|y\"", &["", "xy"], &["x", "y"]);
        check("a=", &[""], &["x"]);
        check(r#"a="say \"x\\y\"""#, &[r#"say "x\y""#], &["x"]);
        check(r#"a=~"\d+""#, &["17"], &["d"]);
    }

    #[test]
    fn takes_nothing_that_could_not_be_read_again() {
        // Each backslash is written as two.
        for text in [format!("a=~\"{}\"", r"10\.0|".repeat(150)), format!("a={}", "x".repeat(998))]
        {
            assert!(text.chars().count() <= 1000);
            let error = Matcher::parse(&text).unwrap_err();
            assert!(error.contains("at most 1000 characters"), "{error}");
        }
        let long = Matcher::parse(&format!("a={}", "x".repeat(990))).unwrap();
        let stored = serde_json::to_string(&Matchers(vec![long.clone()])).unwrap();
        assert_eq!(serde_json::from_str::<Matchers>(&stored).unwrap(), Matchers(vec![long]));
    }

    #[test]
    fn says_what_is_wrong_and_what_would_be_right() {
        let error = |text: &str| Matcher::parse(text).unwrap_err();
        for (text, part) in [
            ("HighErrorRate", "is no matcher; write for example severity=warning"),
            ("=x", "\"\" is no label's name"),
            ("a b=x", "\"a b\" is no label's name"),
            ("a!x", "has no =, !=, =~ or !~"),
            ("a==x", "a value with '=' in it needs quotes"),
            ("a=\"x", "the closing quote is missing"),
            ("a=\"x\"y", "there is more after the closing quote"),
            ("a=~(", "\"(\" is no regular expression"),
            ("a=~x)|(y", "is no regular expression"),
            ("a=~\\pL{400}\\pL{400}", "needs quotes"),
            ("a=~\"\\pL{400}\\pL{400}\"", "comes to too much"),
        ] {
            assert!(error(text).contains(part), "{text}: {}", error(text));
        }
        assert!(Matchers::parse(&["a=x", "b"]).is_err());
        assert!(Matchers::parse::<&str>(&[]).is_ok_and(|none| none.fit_everything()));
    }
}
