//! Holes in texts: `{{token}}` stands for what an earlier step captured, or for
//! `{{run_id}}`, `{{release}}` and `{{service}}`. Braces around anything that is
//! no such name are text.

use std::fmt::Write;
use std::ops::Range;

/// A place in a text that is filled in when its step is tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hole<'t> {
    /// What goes there.
    pub name: &'t str,
    /// The bytes of the text that it takes, braces included.
    pub at: Range<usize>,
}

/// Names that are known without any capture.
pub const BUILT_IN: [&str; 3] = ["run_id", "release", "service"];

/// The holes of a text in their order.
pub fn holes(text: &str) -> Vec<Hole<'_>> {
    let mut holes = Vec::new();
    let mut from = 0;
    while let Some(open) = text[from..].find("{{") {
        let start = from + open;
        let inner = start + 2;
        let Some(close) = text[inner..].find("}}") else { break };
        let name = text[inner..inner + close].trim();
        if is_name(name) {
            from = inner + close + 2;
            holes.push(Hole { name, at: start..from });
        } else {
            from = start + 1; // `{{{a}}`: the hole begins one brace later
        }
    }
    holes
}

/// Whether a text can name a capture.
pub fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(fits)
}

/// The text with every hole filled by `fill`.
///
/// # Errors
/// The first that `fill` has.
pub fn fill<E>(
    text: &str,
    mut fill: impl FnMut(&Hole<'_>) -> Result<String, E>,
) -> Result<String, E> {
    let mut filled = String::with_capacity(text.len());
    let mut from = 0;
    for hole in holes(text) {
        filled.push_str(&text[from..hole.at.start]);
        filled.push_str(&fill(&hole)?);
        from = hole.at.end;
    }
    filled.push_str(&text[from..]);
    Ok(filled)
}

/// All but the unreserved characters of RFC 3986 2.3 as `%XX`: a value never
/// makes another path, query or host of a URL.
pub(super) fn percent_encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The value as it stands between the quotes of a JSON text.
pub(super) fn json_escaped(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_holes_and_leaves_other_braces_alone() {
        let names = |text| holes(text).iter().map(|hole| hole.name).collect::<Vec<_>>();
        assert_eq!(names("/a/{{id}}/b/{{ run_id }}"), ["id", "run_id"]);
        assert_eq!(names(r#"{"a":{"b":"{{id}}"}}"#), ["id"]);
        assert_eq!(names("{{{id}}}"), ["id"]);
        assert_eq!(names("{{}} {{ two words }} {{1}} {{id"), [""; 0]);
        assert_eq!(names("{{id {{id}}"), ["id"]);
    }

    #[test]
    fn fills_each_hole_in_its_place() {
        let filled = fill("a{{x}}b{{y}}", |hole| Ok::<_, ()>(hole.name.to_uppercase()));
        assert_eq!(filled, Ok("aXbY".to_owned()));
        assert_eq!(fill("a{{x}}", |_| Err(1)), Err(1));
    }

    #[test]
    fn lets_no_value_break_out_of_a_url_or_a_json_text() {
        assert_eq!(percent_encoded("a/b?c=d ü"), "a%2Fb%3Fc%3Dd%20%C3%BC");
        assert_eq!(json_escaped("a\"b\n"), "a\\\"b\\n");
    }
}
