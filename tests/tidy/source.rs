//! A Rust file as the rules see it: its text, and its code with comments
//! and the insides of strings blanked out, line for line.

/// A file, read.
pub struct Source {
    /// Its path below the root, with `/`.
    pub name: String,
    /// Its lines as they stand.
    pub raw: Vec<String>,
    /// Its lines with comments and strings blanked.
    pub code: Vec<String>,
    /// Whether a line begins inside a string, so that nobody can break it.
    pub in_string: Vec<bool>,
    /// The first line (from 0) of the tests at its end; its length when none.
    pub tests_from: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    Line,
    /// Block comments nest; so deep are we.
    Block(usize),
    Text,
    /// A raw string, closed by a quote and so many hashes.
    Raw(usize),
}

impl Source {
    /// Reads a file's text.
    pub fn read(name: &str, text: &str) -> Self {
        let raw: Vec<String> = text.lines().map(str::to_owned).collect();
        let (code, in_string) = blank(text);
        let tests_from = if is_test_file(name) { 0 } else { tests_from(&code) };
        Self { name: name.to_owned(), raw, code, in_string, tests_from }
    }

    /// The room it belongs to: the folder or file directly below `src`.
    pub fn room(&self) -> Option<&str> {
        let first = self.name.strip_prefix("src/")?.split('/').next()?;
        let room = first.strip_suffix(".rs").unwrap_or(first);
        (!matches!(room, "lib" | "main")).then_some(room)
    }
}

fn is_test_file(name: &str) -> bool {
    name.starts_with("tests/") || name.ends_with("/tests.rs") || name.contains("/tests/")
}

/// The first line of a test module that stands in the file.
fn tests_from(code: &[String]) -> usize {
    let opens = |at: &usize| {
        code[*at].trim() == "#[cfg(test)]"
            && code.get(at + 1).is_some_and(|next| next.contains("mod ") && next.contains('{'))
    };
    (0..code.len()).find(opens).unwrap_or(code.len())
}

fn blank(text: &str) -> (Vec<String>, Vec<bool>) {
    let chars: Vec<char> = text.chars().collect();
    let mut lines = vec![String::new()];
    let mut in_string = vec![false];
    let mut state = State::Code;
    let mut at = 0;
    while at < chars.len() {
        if chars[at] == '\n' {
            if state == State::Line {
                state = State::Code;
            }
            lines.push(String::new());
            in_string.push(matches!(state, State::Text | State::Raw(_)));
            at += 1;
            continue;
        }
        let (next, taken, shown) = step(state, &chars, at);
        let line = lines.last_mut().expect("never empty");
        for offset in 0..taken {
            line.push(if shown { chars[at + offset] } else { ' ' });
        }
        state = next;
        at += taken;
    }
    if text.ends_with('\n') {
        lines.pop();
        in_string.pop();
    }
    (lines, in_string)
}

/// What the characters at `at` do: the state after them, how many they are,
/// and whether they are code.
fn step(state: State, chars: &[char], at: usize) -> (State, usize, bool) {
    let pair = (chars[at], chars.get(at + 1).copied());
    match (state, pair) {
        (State::Code, ('/', Some('/'))) => (State::Line, 2, false),
        (State::Code, ('/', Some('*'))) => (State::Block(1), 2, false),
        (State::Code, ('"', _)) => (State::Text, 1, true),
        (State::Code, ('r', Some('"' | '#'))) => match raw_open(chars, at) {
            Some(hashes) => (State::Raw(hashes), hashes + 2, true),
            None => (State::Code, 1, true),
        },
        (State::Code, ('\'', _)) => (State::Code, char_len(chars, at), false),
        (State::Code, _) => (State::Code, 1, true),
        (State::Line, _) => (State::Line, 1, false),
        (State::Block(deep), ('/', Some('*'))) => (State::Block(deep + 1), 2, false),
        (State::Block(1), ('*', Some('/'))) => (State::Code, 2, false),
        (State::Block(deep), ('*', Some('/'))) => (State::Block(deep - 1), 2, false),
        (State::Block(deep), _) => (State::Block(deep), 1, false),
        (State::Text, ('\\', Some('\n'))) => (State::Text, 1, false),
        (State::Text, ('\\', Some(_))) => (State::Text, 2, false),
        (State::Text, ('"', _)) => (State::Code, 1, true),
        (State::Text, _) => (State::Text, 1, false),
        (State::Raw(hashes), ('"', _)) if closes(chars, at, hashes) => {
            (State::Code, hashes + 1, true)
        }
        (State::Raw(hashes), _) => (State::Raw(hashes), 1, false),
    }
}

/// The hashes of a raw string that opens here (`r#type` is none).
fn raw_open(chars: &[char], at: usize) -> Option<usize> {
    let inside_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if inside_word && chars[at - 1] != 'b' {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|&&char| char == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

fn closes(chars: &[char], at: usize, hashes: usize) -> bool {
    chars.get(at + 1..at + 1 + hashes).is_some_and(|rest| rest.iter().all(|&char| char == '#'))
}

/// The length of a character literal that opens here, or 1 for a lifetime.
fn char_len(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let close = (at + 3..chars.len()).find(|&end| chars[end] == '\'');
            close.map_or(1, |end| end + 1 - at)
        }
        (Some(_), Some('\'')) => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn code(text: &str) -> Vec<String> {
        Source::read("src/judge/a.rs", text).code.iter().map(|line| line.trim().into()).collect()
    }

    #[test]
    fn comments_and_strings_are_blanked_and_lifetimes_are_not() {
        assert_eq!(code("let a = \"x { y\"; // {"), ["let a = \"     \";"]);
        assert_eq!(code("r#\"a \" {\"#; b"), ["r#\"     \"#; b"]);
        assert_eq!(code("/* { /* */ { */ b"), ["b"]);
        assert_eq!(code("let c = '{'; x"), ["let c =    ; x"]);
        assert_eq!(code("let c = '\\''; y"), ["let c =     ; y"]);
        assert_eq!(code("fn f<'a>(x: &'a str)"), ["fn f< a>(x: & a str)"]);
        assert_eq!(code("\"one\\\ntwo {\" x").last().unwrap(), "\" x");
    }

    #[test]
    fn the_tests_at_the_end_are_told_from_the_code() {
        let source = Source::read("src/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!(source.tests_from, 1);
        assert_eq!(Source::read("src/a/tests.rs", "fn a() {}\n").tests_from, 0);
    }
}
