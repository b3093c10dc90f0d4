//! A place in an assertion's text, and the few ways to move it on.
//!
//! What the next characters mean depends on what came before (a bare header
//! value may hold `=`), so each reader asks for what it needs.

use super::Complaint;

/// Text being read from left to right.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// A value as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Written {
    /// Without quotes.
    Bare(String),
    /// In quotes, with the escapes resolved.
    Quoted(String),
}

/// Quoted text inside of something longer.
#[derive(Default)]
struct Quotes {
    /// The quote that ends it.
    open: Option<char>,
    is_escaped: bool,
}

impl Quotes {
    /// Whether the next character stands in quotes, or ends them.
    fn hold(&mut self, c: char) -> bool {
        let Some(open) = self.open else { return false };
        if std::mem::take(&mut self.is_escaped) {
            return true;
        }
        self.is_escaped = c == '\\';
        if c == open {
            self.open = None;
        }
        true
    }
}

impl<'a> Cursor<'a> {
    /// At the start.
    pub fn new(text: &'a str) -> Self {
        Cursor { text, at: 0 }
    }

    /// Where the next thing begins, in characters from 1.
    pub fn column(&mut self) -> usize {
        self.skip_spaces();
        self.text[..self.at].chars().count() + 1
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a str {
        self.skip_spaces();
        &self.text[self.at..]
    }

    /// The next word, up to white space, a quote or an operator; perhaps empty.
    pub fn word(&mut self) -> &'a str {
        self.take_while(|c| !c.is_whitespace() && !is_operator(c) && !is_quote(c))
    }

    /// The word that `word` would take, left where it is.
    pub fn peek(&mut self) -> &'a str {
        let before = self.at;
        let word = self.word();
        self.at = before;
        word
    }

    /// A run of `= ! < >`; perhaps empty.
    pub fn operator(&mut self) -> &'a str {
        self.take_while(is_operator)
    }

    /// Everything up to white space; perhaps empty.
    pub fn bare(&mut self) -> &'a str {
        self.take_while(|c| !c.is_whitespace())
    }

    /// A JSON path: up to white space outside of brackets and quotes.
    pub fn path(&mut self) -> &'a str {
        self.skip_spaces();
        let (mut depth, mut quotes) = (0_i32, Quotes::default());
        self.take_while(move |c| {
            match c {
                _ if quotes.hold(c) => {}
                '"' | '\'' => quotes.open = Some(c),
                '[' | '(' => depth += 1,
                ']' | ')' => depth -= 1,
                _ if depth <= 0 => return !c.is_whitespace() && !is_operator(c),
                _ => {}
            }
            true
        })
    }

    /// A metric's name, and behind it perhaps labels in braces, in which quoted
    /// text may hold anything.
    pub fn selector(&mut self) -> &'a str {
        let (mut depth, mut quotes) = (0_u32, Quotes::default());
        self.take_while(move |c| {
            match c {
                _ if quotes.hold(c) => {}
                '"' | '\'' if depth > 0 => quotes.open = Some(c),
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ if depth == 0 => return c.is_alphanumeric() || matches!(c, '_' | ':'),
                _ => {}
            }
            true
        })
    }

    /// A value: `"…"` with JSON's escapes, `'…'` as it stands, or bare.
    pub fn value(&mut self) -> Result<Written, Complaint> {
        let column = self.column();
        match self.rest().chars().next() {
            Some('"') => self.double_quoted(column),
            Some('\'') => self.single_quoted(column),
            _ => Ok(Written::Bare(self.bare().to_owned())),
        }
    }

    /// `/…/` with the letters behind it; `None`, and nothing taken, when no
    /// such thing stands here. A slash inside has a backslash before it.
    pub fn slashed(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if !rest.starts_with('/') {
            return None;
        }
        let mut escaped = false;
        let close = rest.char_indices().skip(1).find(|&(_, c)| {
            let closes = c == '/' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let (close, _) = close?;
        let flags = rest[close + 1..].find(|c: char| !c.is_ascii_alphanumeric());
        let end = flags.map_or(rest.len(), |flags| close + 1 + flags);
        self.at += end;
        Some(&rest[..end])
    }

    fn double_quoted(&mut self, column: usize) -> Result<Written, Complaint> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|&(_, c)| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let Some((end, _)) = end else {
            return Err(Complaint::at(column, "the text has no closing quote `\"`"));
        };
        self.at += end + 1;
        serde_json::from_str(&rest[..=end]).map(Written::Quoted).map_err(|_| {
            let what = format!(
                "{} has an escape that is none; a backslash is written `\\\\`",
                &rest[..=end]
            );
            Complaint::at(column, what)
        })
    }

    fn single_quoted(&mut self, column: usize) -> Result<Written, Complaint> {
        let rest = self.rest();
        let Some(end) = rest[1..].find('\'') else {
            return Err(Complaint::at(column, "the text has no closing quote `'`"));
        };
        self.at += end + 2;
        Ok(Written::Quoted(rest[1..=end].to_owned()))
    }

    fn take_while(&mut self, mut belongs: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn skip_spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }
}

fn is_operator(c: char) -> bool {
    matches!(c, '=' | '!' | '<' | '>')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_path_whole_through_brackets_and_quotes() {
        let path = |text| Cursor::new(text).path().to_owned();
        assert_eq!(path("$.a== 1"), "$.a");
        assert_eq!(path("$.a[?@.b == 'x ] y' && (@.c > 1)].d exists"), {
            "$.a[?@.b == 'x ] y' && (@.c > 1)].d"
        });
        assert_eq!(path(r#"$["a \" b"] exists"#), r#"$["a \" b"]"#);
    }

    #[test]
    fn reads_values_with_and_without_quotes() {
        let value = |text| Cursor::new(text).value();
        assert_eq!(value(r#""a \"b\" \\" c"#), Ok(Written::Quoted(r#"a "b" \"#.into())));
        assert_eq!(value(r"'a \n' c"), Ok(Written::Quoted(r"a \n".into())));
        assert_eq!(value("a=b;c d"), Ok(Written::Bare("a=b;c".into())));
    }
}
