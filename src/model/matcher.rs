//! Matchers: which alerts are meant, by their labels, in the words that
//! Alertmanager has for it: `team="agents"`, `severity=~"critical|warning"`.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// Two hundred names joined by bars; what is longer nobody reads.
const PATTERN_BYTES_MAX: usize = 8 << 10;

/// A pattern of a few letters can stand for megabytes (`\pL{400}`).
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// One condition on one label. A label that is not there is empty, as in
/// Prometheus: `team=""` is true of what has no team.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matcher {
    name: String,
    op: Op,
    value: String,
    /// For the operators that take one.
    pattern: Option<Regex>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Op {
    Is,
    IsNot,
    Like,
    Unlike,
}

/// The longer ones first: `=~` begins as `=` does.
const OPS: [(&str, Op); 4] =
    [("=~", Op::Like), ("!~", Op::Unlike), ("!=", Op::IsNot), ("=", Op::Is)];

impl Matcher {
    /// From its text. The value may stand without quotes where it is a plain word.
    pub fn parse(text: &str) -> Result<Matcher, String> {
        let (name, rest) = name(text.trim())?;
        let rest = rest.trim_start();
        let found = OPS.iter().find_map(|(sign, op)| Some((*op, rest.strip_prefix(sign)?)));
        let Some((op, value)) = found else {
            return Err(format!(
                "{text:?} is not a matcher; write a label, one of = != =~ !~, and a value: \
                 team=\"agents\""
            ));
        };
        Matcher::of(name, op, self::value(value.trim())?)
    }

    fn of(name: String, op: Op, value: String) -> Result<Matcher, String> {
        let pattern = match op {
            Op::Is | Op::IsNot => None,
            Op::Like | Op::Unlike => Some(pattern(&value)?),
        };
        Ok(Matcher { name, op, value, pattern })
    }

    /// The label that it looks at.
    pub fn label(&self) -> &str {
        &self.name
    }

    /// The value, if it asks for exactly one: `team="agents"`.
    pub fn exact(&self) -> Option<&str> {
        (self.op == Op::Is).then_some(self.value.as_str())
    }

    /// Whether it is true of this value of its label; `None`: there is no such label.
    pub fn is_true_of(&self, value: Option<&str>) -> bool {
        let value = value.unwrap_or_default();
        let is_like = || self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(value));
        match self.op {
            Op::Is => value == self.value,
            Op::IsNot => value != self.value,
            Op::Like => is_like(),
            Op::Unlike => !is_like(),
        }
    }
}

/// `team="agents"`: what `parse` takes.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, _) =
            OPS.iter().find(|(_, op)| *op == self.op).expect("all operators are listed");
        match is_plain(&self.name) {
            true => f.write_str(&self.name)?,
            false => quote(&self.name, f)?,
        }
        f.write_str(sign)?;
        quote(&self.value, f)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Matcher) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Eq for Matcher {}

impl TryFrom<String> for Matcher {
    type Error = String;

    fn try_from(text: String) -> Result<Matcher, String> {
        Matcher::parse(&text)
    }
}

impl From<Matcher> for String {
    fn from(matcher: Matcher) -> String {
        matcher.to_string()
    }
}

/// Whether all of them are true of labels that `get` knows. Of no matcher at
/// all that is so.
pub fn all_match<'v>(matchers: &[Matcher], get: impl Fn(&str) -> Option<&'v str>) -> bool {
    matchers.iter().all(|matcher| matcher.is_true_of(get(&matcher.name)))
}

/// The whole value, and a dot that takes line feeds too, as in Prometheus.
fn pattern(text: &str) -> Result<Regex, String> {
    if text.len() > PATTERN_BYTES_MAX {
        let length = text.len();
        return Err(format!("a pattern of {length} bytes, of {PATTERN_BYTES_MAX} at most"));
    }
    // By itself first: one that closes the group around it would match anything.
    let compiled = |text: &str| {
        let mut builder = RegexBuilder::new(text);
        builder.size_limit(COMPILED_BYTES_MAX).dfa_size_limit(COMPILED_BYTES_MAX).build()
    };
    compiled(text).and_then(|_| compiled(&format!("^(?s:{text})$"))).map_err(|error| {
        let lines = error.to_string();
        let what = lines.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("{text:?} is not a regular expression: {what}")
    })
}

/// The label, and what follows.
fn name(text: &str) -> Result<(String, &str), String> {
    if text.starts_with('"') {
        let (name, rest) = quoted(text)?;
        return if name.is_empty() {
            Err("a matcher needs a label".to_owned())
        } else {
            Ok((name, rest))
        };
    }
    let end = text.find(|char: char| !is_word(char)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match is_plain(name) {
        true => Ok((name.to_owned(), rest)),
        false => Err(format!(
            "{text:?} is not a matcher; it begins with a label: letters, digits and _, or in quotes"
        )),
    }
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn value(text: &str) -> Result<String, String> {
    if text.starts_with('"') {
        let (value, rest) = quoted(text)?;
        return match rest.trim() {
            "" => Ok(value),
            more => Err(format!("{more:?} is too much after the value; write one matcher a text")),
        };
    }
    match text.find(|char: char| char.is_whitespace() || "{}!=~,\\\"'`".contains(char)) {
        None => Ok(text.to_owned()),
        Some(_) => Err(format!("the value {text:?} must stand in double quotes")),
    }
}

/// What stands in double quotes at the start, and what follows.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, char @ ('"' | '\\'))) => value.push(char),
                // As in Alertmanager: patterns are full of them.
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            char => value.push(char),
        }
    }
    Err(format!("{text:?} has no closing quote"))
}

fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    write!(f, "\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, cases: &[(&str, bool)]) {
        let matcher = Matcher::parse(text).unwrap();
        for (value, wanted) in cases {
            let value = (!value.is_empty()).then_some(*value);
            assert_eq!(matcher.is_true_of(value), *wanted, "{text} of {value:?}");
        }
        let again = Matcher::parse(&matcher.to_string()).unwrap();
        assert_eq!(again, matcher);
        let stored = serde_json::to_string(&matcher).unwrap();
        assert_eq!(serde_json::from_str::<Matcher>(&stored).unwrap(), matcher);
    }

    #[test]
    fn is_true_of_a_value_or_not_by_four_operators() {
        check(r#"team="agents""#, &[("agents", true), ("agent", false), ("", false)]);
        check(r#"team!="agents""#, &[("agents", false), ("web", true), ("", true)]);
        check(r#"severity=~"critical|warning""#, &[("critical", true), ("info", false)]);
        check(r#"severity!~"critical|warning""#, &[("critical", false), ("", true)]);
    }

    #[test]
    fn takes_a_pattern_for_the_whole_value() {
        let cases = [("api", true), ("api2", false), ("my api", false), ("a\npi", false)];
        check("job=~\"api\"", &cases);
        check("job=~\"a|b\"", &[("a", true), ("ab", false)]);
        check("job=~\"a.*i\"", &[("a\npi", true)]);
    }

    #[test]
    fn takes_a_label_that_is_not_there_for_an_empty_one() {
        check(r#"team="""#, &[("", true), ("x", false)]);
        check("team=", &[("", true), ("x", false)]);
        check(r#"team=~".+""#, &[("", false), ("x", true)]);
        check(r#"team=~".*""#, &[("", true)]);
    }

    #[test]
    fn reads_quotes_escapes_and_spaces() {
        check(r#" team = agents "#, &[("agents", true)]);
        check(r#"path="a\"b\\c""#, &[("a\"b\\c", true)]);
        check(r#"path="a\nb""#, &[("a\nb", true)]);
        check(r#"path=~"v\d+""#, &[("v12", true), ("vd", false)]);
        check(r#""my.label"="x""#, &[("x", true)]);
        check("grüße=x".replace("grüße", "\"grüße\"").as_str(), &[("x", true)]);
    }

    #[test]
    fn says_what_is_wrong_with_a_text() {
        let cases = [
            ("team", "is not a matcher; write a label, one of = != =~ !~"),
            ("team>3", "is not a matcher; write a label, one of"),
            ("", "begins with a label"),
            ("9x=\"a\"", "begins with a label"),
            ("\"\"=\"a\"", "needs a label"),
            ("a=\"b", "has no closing quote"),
            ("a=b,c=d", "must stand in double quotes"),
            ("a=\"b\",c=\"d\"", "is too much after the value"),
            ("a=~\"(\"", "is not a regular expression: unclosed group"),
            ("a=~\"x)|(y\"", "is not a regular expression: unopened group"),
            ("a=~\"\\pL{900}\"", "is not a regular expression: "),
        ];
        for (text, wanted) in cases {
            let said = Matcher::parse(text).unwrap_err();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }

    #[test]
    fn asks_for_all_of_several() {
        let matchers = [r#"team="agents""#, "severity!=info"];
        let matchers = matchers.map(|text| Matcher::parse(text).unwrap());
        let get = |severity| {
            move |name: &str| match name {
                "team" => Some("agents"),
                "severity" => Some(severity),
                _ => None,
            }
        };
        assert!(all_match(&matchers, get("critical")) && !all_match(&matchers, get("info")));
        assert!(all_match(&[], get("info")));
    }
}
