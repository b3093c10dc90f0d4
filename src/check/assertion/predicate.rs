//! Predicates: what is wanted of a value.

use std::cmp::Ordering;
use std::fmt;

use super::Complaint;
use super::complaint::instead;
use super::cursor::Cursor;
use super::filter;
use super::pattern::{self, Pattern};
use super::value::{self, Shape, Value};

/// What is wanted, perhaps negated.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Predicate {
    negated: bool,
    as_number: bool,
    test: Test,
}

#[derive(Clone, PartialEq, Debug)]
enum Test {
    Equal(Value),
    Order(Sign, Value),
    In(Value, Value),
    Contains(Value),
    Starts(String),
    Ends(String),
    Matches(Pattern),
    Empty,
    Exists,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sign {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// A predicate's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Word {
    Equal,
    Unequal,
    Order(Sign),
    In,
    Contains,
    Starts,
    Ends,
    Matches,
    Empty,
    Exists,
}

/// All predicates by name.
const WORDS: [(&str, Word); 14] = [
    ("==", Word::Equal),
    ("!=", Word::Unequal),
    ("<=", Word::Order(Sign::AtMost)),
    ("<", Word::Order(Sign::Less)),
    (">=", Word::Order(Sign::AtLeast)),
    (">", Word::Order(Sign::Greater)),
    ("in", Word::In),
    ("contains", Word::Contains),
    ("startsWith", Word::Starts),
    ("endsWith", Word::Ends),
    ("matches", Word::Matches),
    ("isEmpty", Word::Empty),
    ("exists", Word::Exists),
    ("is", Word::Equal),
];

/// Whether a word names a predicate.
pub(super) fn is_name(word: &str) -> bool {
    word == "not" || WORDS.iter().any(|(name, _)| *name == word)
}

/// Reads `not`, a name and its values.
pub(super) fn open(
    cursor: &mut Cursor<'_>,
    kind: &str,
    shape: Shape,
    may_be_absent: bool,
    is_implied: bool,
) -> Result<Predicate, Complaint> {
    let mut negated = take_not(cursor);
    let column = cursor.column();
    let word = match is_implied && is_value(cursor) {
        true => Word::Equal,
        false => named(cursor, kind, shape)?,
    };
    let name = WORDS.iter().find(|(_, known)| *known == word).map_or("", |(name, _)| *name);
    if word == Word::Exists && !may_be_absent {
        let what = format!("`{kind}` always exists; say what it has to be");
        return Err(Complaint::at(column, what));
    }
    if !fits(word, shape) {
        let what = format!("`{name}` asks for {}; {}", asks_for(word), offers(kind, shape));
        return Err(Complaint::at(column, what));
    }
    // `health is not unhealthy`: with a closed vocabulary `not` is no value.
    if matches!(shape, Shape::Word(_)) {
        negated ^= take_not(cursor);
    }
    negated ^= word == Word::Unequal;
    // `header retry-after < 60`: text that has an order is a number.
    let as_number = shape == Shape::Text && matches!(word, Word::Order(_) | Word::In);
    let shape = if as_number { Shape::Number } else { shape };
    Ok(Predicate { negated, as_number, test: test(cursor, word, shape)? })
}

/// Whether a value stands here, and no predicate: `redirect to "https://…"`.
fn is_value(cursor: &mut Cursor<'_>) -> bool {
    let rest = cursor.rest();
    rest.starts_with(['"', '\'', '/', '{']) || rest.starts_with("http")
}

fn take_not(cursor: &mut Cursor<'_>) -> bool {
    let found = cursor.peek() == "not";
    if found {
        cursor.word();
    }
    found
}

fn named(cursor: &mut Cursor<'_>, kind: &str, shape: Shape) -> Result<Word, Complaint> {
    let column = cursor.column();
    // With a closed vocabulary `health not unhealthy` can mean one thing only.
    if let Shape::Word(words) = shape
        && words.contains(&cursor.peek())
    {
        return Ok(Word::Equal);
    }
    let name = match cursor.operator() {
        "" => cursor.word(),
        operator => operator,
    };
    if let Some((_, word)) = WORDS.iter().find(|(known, _)| *known == name) {
        return Ok(*word);
    }
    let what = match name {
        "" if cursor.rest().is_empty() => {
            format!("nothing is asked of `{kind}`; {}", suggestion(kind, shape))
        }
        "" => "a predicate is missing before the value; write for example `==`".to_owned(),
        "=" => "`=` is no predicate; did you mean `==`?".to_owned(),
        "=>" => "`=>` is no predicate; did you mean `>=`?".to_owned(),
        "=<" => "`=<` is no predicate; did you mean `<=`?".to_owned(),
        "!" => "`!` is no predicate; did you mean `not` or `!=`?".to_owned(),
        _ if name.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("a predicate is missing before `{name}`; write for example `==`")
        }
        _ => {
            let known = WORDS.iter().map(|(known, _)| *known).chain(filter::names());
            format!("`{name}` is no predicate; {}", instead(name, known))
        }
    };
    Err(Complaint::at(column, what))
}

/// Whether a predicate can be asked of what a query finds.
fn fits(word: Word, shape: Shape) -> bool {
    match (shape, word) {
        (_, Word::Equal | Word::Unequal | Word::Exists) => true,
        (Shape::Word(_), _) => false,
        (_, Word::Order(_) | Word::In) => true,
        (Shape::Text | Shape::Json, _) => true,
        (Shape::Number | Shape::Length | Shape::Bytes, _) => false,
    }
}

fn asks_for(word: Word) -> &'static str {
    match word {
        Word::Order(_) | Word::In => "something that has an order",
        _ => "text or a list",
    }
}

fn offers(kind: &str, shape: Shape) -> String {
    let what = match shape {
        Shape::Number => "a number",
        Shape::Length => "a length of time",
        Shape::Bytes => "a size",
        Shape::Word(_) => "a word",
        Shape::Text => "text",
        Shape::Json => "JSON",
    };
    format!("this is {what}, {}", suggestion(kind, shape))
}

fn suggestion(kind: &str, shape: Shape) -> String {
    let example = match shape {
        Shape::Number => "== 200",
        Shape::Length => "< 10s",
        Shape::Bytes => "< 1MB",
        Shape::Word(words) => return format!("write for example `{kind} is {}`", words[0]),
        Shape::Text => "contains \"ok\"",
        Shape::Json => "== \"ok\"",
    };
    format!("write for example `{example}`")
}

/// The predicate's values.
fn test(cursor: &mut Cursor<'_>, word: Word, shape: Shape) -> Result<Test, Complaint> {
    Ok(match word {
        Word::Equal | Word::Unequal => Test::Equal(operand(cursor, shape)?),
        Word::Order(sign) => Test::Order(sign, operand(cursor, shape)?),
        Word::In if shape == Shape::Json => range(cursor, Shape::Number)?,
        Word::In => range(cursor, shape)?,
        Word::Contains => Test::Contains(operand(cursor, shape)?),
        Word::Starts => Test::Starts(text(cursor)?),
        Word::Ends => Test::Ends(text(cursor)?),
        Word::Matches => Test::Matches(pattern::open(cursor)?),
        Word::Empty => Test::Empty,
        Word::Exists => Test::Exists,
    })
}

fn operand(cursor: &mut Cursor<'_>, shape: Shape) -> Result<Value, Complaint> {
    let column = cursor.column();
    let written = cursor.value()?;
    value::read(shape, written, column)
}

/// A value that can only be text: `startsWith 2` means the digit.
fn text(cursor: &mut Cursor<'_>) -> Result<String, Complaint> {
    let value = operand(cursor, Shape::Text)?;
    Ok(value.as_text().unwrap_or_default().to_owned())
}

/// `a..b`, both ends included.
fn range(cursor: &mut Cursor<'_>, shape: Shape) -> Result<Test, Complaint> {
    let column = cursor.column();
    let written = cursor.bare();
    let Some((low, high)) = written.split_once("..") else {
        let like = match shape {
            Shape::Length => "1s..5s",
            Shape::Bytes => "1kB..1MB",
            _ => "200..299",
        };
        let fault = match written {
            "" => "a range is missing".to_owned(),
            _ => format!("`{written}` is no range"),
        };
        return Err(Complaint::at(column, format!("{fault}; write for example `{like}`")));
    };
    let bare = |text: &str| super::cursor::Written::Bare(text.to_owned());
    let low = value::read(shape, bare(low), column)?;
    let high_column = column + written.chars().count() - high.chars().count();
    let high = value::read(shape, bare(high), high_column)?;
    if low.order(&high) == Some(Ordering::Greater) {
        let what = format!("the range is empty; write `{high}..{low}`");
        return Err(Complaint::at(column, what));
    }
    Ok(Test::In(low, high))
}

impl Predicate {
    /// Whether absence is what is wanted: `not exists`.
    pub fn wants_nothing(&self) -> bool {
        self.negated && self.test == Test::Exists
    }

    /// Whether it is `exists` or `not exists`.
    pub fn is_about_presence(&self) -> bool {
        self.test == Test::Exists
    }

    /// What is wrong with a value that was found; `None`: it is as wanted.
    pub fn fault(&self, value: &Value) -> Option<String> {
        let holds = match value.as_text() {
            Some(text) if self.as_number => value::number(text.trim())
                .map_err(|_| "no number")
                .and_then(|n| self.test.holds(&n)),
            _ => self.test.holds(value),
        };
        match holds {
            Ok(holds) if holds != self.negated => None,
            Ok(_) => Some(value.to_string()),
            Err(why) => Some(format!("{value}: {why}")),
        }
    }
}

impl Test {
    /// Three answers: it holds, it does not, the value cannot be judged.
    fn holds(&self, value: &Value) -> Result<bool, &'static str> {
        match self {
            Test::Exists => Ok(true),
            Test::Equal(wanted) => Ok(value.is(wanted)),
            Test::Order(sign, wanted) => Ok(sign.admits(order(value, wanted)?)),
            Test::In(low, high) => {
                Ok(order(value, low)? != Ordering::Less && order(value, high)? != Ordering::Greater)
            }
            Test::Contains(wanted) => contains(value, wanted),
            Test::Starts(wanted) => Ok(as_text(value)?.starts_with(wanted)),
            Test::Ends(wanted) => Ok(as_text(value)?.ends_with(wanted)),
            Test::Matches(pattern) => Ok(pattern.is_match(as_text(value)?)),
            Test::Empty => Ok(value.len().ok_or("neither text nor a list")? == 0),
        }
    }
}

impl Sign {
    fn admits(self, order: Ordering) -> bool {
        match self {
            Sign::Less => order == Ordering::Less,
            Sign::AtMost => order != Ordering::Greater,
            Sign::Greater => order == Ordering::Greater,
            Sign::AtLeast => order != Ordering::Less,
        }
    }
}

fn order(value: &Value, wanted: &Value) -> Result<Ordering, &'static str> {
    value.order(wanted).ok_or("not comparable")
}

fn as_text(value: &Value) -> Result<&str, &'static str> {
    value.as_text().ok_or("no text")
}

/// Text holds a part, an array an element, an object a member's name.
fn contains(value: &Value, wanted: &Value) -> Result<bool, &'static str> {
    use serde_json::Value as J;
    match (value, wanted) {
        (Value::Json(J::Array(items)), wanted) => {
            Ok(items.iter().any(|item| Value::Json(item.clone()).is(wanted)))
        }
        (Value::Json(J::Object(members)), Value::Json(J::String(name))) => {
            Ok(members.contains_key(name))
        }
        (Value::Json(J::String(text)), Value::Json(J::String(part))) => Ok(text.contains(part)),
        // `json $.text contains 42`: the digits.
        (Value::Json(J::String(text)), Value::Json(part)) => Ok(text.contains(&part.to_string())),
        _ => Err("neither text nor a list"),
    }
}

/// What is wanted, as the right-hand side of a report: `200`, `not < 3`.
impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("not ")?;
        }
        match &self.test {
            Test::Equal(value) => write!(f, "{value}"),
            Test::Order(Sign::Less, value) => write!(f, "< {value}"),
            Test::Order(Sign::AtMost, value) => write!(f, "<= {value}"),
            Test::Order(Sign::Greater, value) => write!(f, "> {value}"),
            Test::Order(Sign::AtLeast, value) => write!(f, ">= {value}"),
            Test::In(low, high) => write!(f, "in {low}..{high}"),
            Test::Contains(value) => write!(f, "contains {value}"),
            Test::Starts(text) => write!(f, "startsWith {}", Value::text(text)),
            Test::Ends(text) => write!(f, "endsWith {}", Value::text(text)),
            Test::Matches(pattern) => write!(f, "matches {pattern}"),
            Test::Empty => f.write_str("empty"),
            Test::Exists => f.write_str("there"),
        }
    }
}
