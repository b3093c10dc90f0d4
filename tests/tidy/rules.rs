//! The rules, one function each. An offence reads `file:line: what; what would do`.

use crate::source::Source;

/// The rooms in import order: each may name itself and those before it.
const ROOMS: [&str; 11] = [
    "model", "metrics", "check", "judge", "record", "report", "notify", "watch", "config",
    "daemon", "cli",
];

/// The rooms that meet the world; all others are pure.
const WORLDLY: [&str; 2] = ["daemon", "cli"];

/// What a pure room never names: each would make two runs differ, or block.
const BANNED: [&str; 16] = [
    "tokio::",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "Timestamp::now",
    "Zoned::now",
    "rand::",
    "RandomState",
    "println!",
    "eprintln!",
];

/// Leftovers, spelt in halves so that this file bears none of them.
const LEFTOVERS: [&str; 7] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("db", "g!("),
    concat!("#[ig", "nore"),
    concat!("XX", "X "),
];

/// Places that only exist on one machine.
const PLACES: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// The one file that may lift the ban on unsafe code, and says why.
const TRUSTED: &str = "src/daemon/lean.rs";

/// As the style has it: a file is read in one sitting, a function on a screen.
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

/// All rules for a Rust file.
pub fn all(source: &Source, offences: &mut Vec<String>) {
    opening(source, offences);
    sizes(source, offences);
    functions(source, offences);
    leftovers(source, offences);
    imports(source, offences);
    purity(source, offences);
    unordered(source, offences);
    trust(source, offences);
}

/// No text names a place on somebody's machine.
pub fn places(name: &str, text: &str, offences: &mut Vec<String>) {
    for (at, line) in text.lines().enumerate() {
        for place in PLACES.iter().filter(|place| line.contains(*place)) {
            offences.push(format!("{name}:{}: names `{place}`; use a relative path", at + 1));
        }
    }
}

fn opening(source: &Source, offences: &mut Vec<String>) {
    if !source.raw.first().is_some_and(|line| line.starts_with("//! ")) {
        offences.push(format!("{}:1: opens without `//!`; say its purpose first", source.name));
    }
}

fn sizes(source: &Source, offences: &mut Vec<String>) {
    let name = &source.name;
    let lines = source.raw.len();
    if lines > FILE_LINES_MAX {
        offences.push(format!("{name}:{lines}: longer than {FILE_LINES_MAX} lines; split it"));
    }
    for (at, line) in source.raw.iter().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX && !source.in_string[at] {
            offences.push(format!("{name}:{}: {columns} columns; break it", at + 1));
        }
    }
}

/// Tests may be longer: an exhaustive table is one function, read row by row.
fn functions(source: &Source, offences: &mut Vec<String>) {
    for start in 0..source.tests_from {
        let Some(column) = word(&source.code[start], "fn ") else { continue };
        let Some(end) = body_end(&source.code, start, column) else { continue };
        let lines = end - start + 1;
        if lines > FUNCTION_LINES_MAX {
            let at = start + 1;
            offences.push(format!("{}:{at}: a function of {lines} lines; split it", source.name));
        }
    }
}

/// The line of the brace that closes the body of the function at `start`;
/// `None` for a declaration without a body.
fn body_end(code: &[String], start: usize, column: usize) -> Option<usize> {
    let mut braces = 0usize;
    let mut brackets = 0usize;
    for (at, line) in code.iter().enumerate().skip(start) {
        let from = if at == start { column } else { 0 };
        for char in line[from..].chars() {
            match char {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets = brackets.saturating_sub(1),
                ';' if braces == 0 && brackets == 0 => return None,
                '{' => braces += 1,
                '}' if braces == 1 => return Some(at),
                '}' => braces = braces.saturating_sub(1),
                _ => {}
            }
        }
    }
    None
}

/// Where `what` stands in a line as a word of its own.
fn word(line: &str, what: &str) -> Option<usize> {
    let free = |at: &usize| {
        !line[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    };
    line.match_indices(what).map(|(at, _)| at).find(free)
}

fn leftovers(source: &Source, offences: &mut Vec<String>) {
    for (at, line) in source.raw.iter().enumerate() {
        for left in LEFTOVERS.iter().filter(|left| word(line, left).is_some()) {
            offences.push(format!("{}:{}: `{left}`; finish it", source.name, at + 1));
        }
    }
}

fn imports(source: &Source, offences: &mut Vec<String>) {
    let Some(room) = source.room() else { return };
    let Some(own) = ROOMS.iter().position(|known| *known == room) else {
        offences.push(format!("{}:1: `{room}` has no place in the import order", source.name));
        return;
    };
    for (at, name) in named(&source.code) {
        let place = ROOMS.iter().position(|known| *known == name);
        if place.is_some_and(|place| place > own) {
            let file = &source.name;
            offences.push(format!("{file}:{}: `{room}` names the later room `{name}`", at + 1));
        }
    }
}

/// Each `crate::name`, and each first name in `crate::{a::b, c}`, with its line.
fn named(code: &[String]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in code.iter().enumerate() {
        for (column, path) in line.match_indices("crate::") {
            let rest = &line[column + path.len()..];
            if rest.starts_with('{') {
                grouped(code, at, column + path.len() + 1, &mut found);
            } else {
                found.push((at, ident(rest)));
            }
        }
    }
    found
}

fn ident(text: &str) -> String {
    text.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
}

fn grouped(code: &[String], start: usize, column: usize, found: &mut Vec<(usize, String)>) {
    let mut depth = 1;
    let mut fresh = true;
    for (at, line) in code.iter().enumerate().skip(start) {
        let from = if at == start { column } else { 0 };
        for (offset, char) in line[from..].char_indices() {
            match char {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => fresh = true,
                _ if fresh && depth == 1 && char.is_alphabetic() => {
                    found.push((at, ident(&line[from + offset..])));
                    fresh = false;
                }
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }
}

fn is_pure(source: &Source) -> bool {
    source.room().is_some_and(|room| !WORLDLY.contains(&room))
}

/// The compiler bans unsafe code; nobody but one lifts the ban, and once.
fn trust(source: &Source, offences: &mut Vec<String>) {
    let lifts = source.code.iter().enumerate().filter(|(_, line)| line.contains("unsafe_code"));
    for (at, _) in lifts.skip(usize::from(source.name == TRUSTED)) {
        offences.push(format!("{}:{}: unsafe code; take a safe call", source.name, at + 1));
    }
}

/// The lines of code, without the tests at the end.
fn product(source: &Source) -> impl Iterator<Item = (usize, &String)> {
    source.code.iter().enumerate().take(source.tests_from)
}

fn purity(source: &Source, offences: &mut Vec<String>) {
    if !is_pure(source) {
        return;
    }
    for (at, line) in product(source) {
        for call in BANNED.iter().filter(|call| word(line, call).is_some()) {
            let place = format!("{}:{}", source.name, at + 1);
            offences.push(format!("{place}: `{call}` in a pure room; take it as an argument"));
        }
    }
}

fn unordered(source: &Source, offences: &mut Vec<String>) {
    if !is_pure(source) {
        return;
    }
    let excused = |at: usize| source.raw[at].contains("// lookup only");
    for (at, line) in product(source) {
        let names = ["HashMap", "HashSet"].iter().any(|kind| word(line, kind).is_some());
        let import = line.trim_start().starts_with("use ");
        let fine = import || excused(at) || at > 0 && excused(at - 1);
        if names && !fine {
            let place = format!("{}:{}", source.name, at + 1);
            offences.push(format!(
                "{place}: an unordered map; take a BTreeMap, or say `// lookup only`"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{all, places};
    use crate::source::Source;

    fn check(name: &str, text: &str, expected: &[&str]) {
        let mut offences = Vec::new();
        all(&Source::read(name, &format!("//! A file.\n{text}\n")), &mut offences);
        let seen: Vec<&str> =
            offences.iter().map(|text| text.strip_prefix(name).unwrap_or(text)).collect();
        assert_eq!(seen, expected, "{name}: {text}");
    }

    #[test]
    fn a_room_names_only_those_before_it() {
        check("src/judge/a.rs", "use crate::model::Name;\nuse crate::judge::Rule;", &[]);
        check(
            "src/judge/a.rs",
            "use crate::{model::Name,\n    watch::{Job, cli}};",
            &[":3: `judge` names the later room `watch`"],
        );
        check("src/judge.rs", "x(crate::cli::f)", &[":2: `judge` names the later room `cli`"]);
        check("src/cellar/a.rs", "", &[":1: `cellar` has no place in the import order"]);
        check("src/judge/a.rs", "// crate::cli is not named here", &[]);
    }

    #[test]
    fn a_pure_room_asks_nobody_for_the_time() {
        check("src/daemon/a.rs", "Instant::now()", &[]);
        check(
            "src/watch/a.rs",
            "Instant::now()",
            &[":2: `Instant::now` in a pure room; take it as an argument"],
        );
        check("src/watch/a.rs", "#[cfg(test)]\nmod tests {\n std::fs::read(x);\n}", &[]);
        check("src/watch/a.rs", "// as std::fs would\nlet operand::x = 1;", &[]);
    }

    #[test]
    fn an_unordered_map_needs_its_excuse() {
        let offence = ":2: an unordered map; take a BTreeMap, or say `// lookup only`";
        check("src/watch/a.rs", "a: HashMap<u8, u8>,", &[offence]);
        check("src/watch/a.rs", "// lookup only\na: HashMap<u8, u8>,", &[]);
        check("src/watch/a.rs", "use std::collections::HashMap;", &[]);
    }

    #[test]
    fn what_is_unsafe_has_one_place() {
        let lift = "#[expect(unsafe_code)]";
        check("src/daemon/lean.rs", lift, &[]);
        check("src/cli/a.rs", lift, &[":2: unsafe code; take a safe call"]);
        let twice = format!("{lift}\n{lift}");
        check("src/daemon/lean.rs", &twice, &[":3: unsafe code; take a safe call"]);
    }

    #[test]
    fn sizes_are_kept() {
        let wide = "x".repeat(101);
        check("src/cli/a.rs", &wide, &[":2: 101 columns; break it"]);
        check("src/cli/a.rs", &format!("a(\"\n{wide}\");"), &[]);
        let body = "    a;\n".repeat(69);
        let offence = ":2: a function of 71 lines; split it";
        check("src/cli/a.rs", &format!("fn a() {{\n{body}}}"), &[offence]);
        check("src/cli/a.rs", &format!("trait A {{\n fn a();\n{body}}}"), &[]);
        check("src/cli/a.rs", &"\n".repeat(499), &[":501: longer than 500 lines; split it"]);
    }

    #[test]
    fn leftovers_and_places_are_found() {
        let word = super::LEFTOVERS[2];
        check("src/cli/a.rs", word, &[&format!(":2: `{word}`; finish it")]);
        let mut offences = Vec::new();
        places("README.md", &format!("a\n{}b", super::PLACES[0]), &mut offences);
        assert_eq!(offences.len(), 1);
        let mut offences = Vec::new();
        all(&Source::read("src/cli/a.rs", "fn a() {}\n"), &mut offences);
        assert_eq!(offences, ["src/cli/a.rs:1: opens without `//!`; say its purpose first"]);
    }
}
