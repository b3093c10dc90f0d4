//! From a template's text to what it does: texts, actions, conditions.

use super::call::{ELSEWHERE, FUNCTIONS};

/// A piece of a template.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Node {
    Text(String),
    Show(Pipe),
    Set { name: String, pipe: Pipe },
    If { pipe: Pipe, then: Vec<Node>, or: Vec<Node> },
    With { pipe: Pipe, then: Vec<Node>, or: Vec<Node> },
}

/// Commands, each of which takes what the one before gave as its last argument.
pub(super) type Pipe = Vec<Command>;

/// A value, or a function with its arguments.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Command {
    Value(Term),
    Call { name: String, args: Vec<Term> },
}

/// What can stand as an argument.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Term {
    Text(String),
    Int(i64),
    Float(f64),
    Flag(bool),
    Nil,
    /// `.`, `.Labels.job`.
    Dot(Vec<String>),
    /// `$value`, `$labels.job`.
    Variable(String, Vec<String>),
    Pipe(Pipe),
}

/// Variables that every template begins with.
const VARIABLES: [&str; 4] = ["labels", "value", "externalLabels", "externalURL"];

/// What stands in for data at the top.
const FIELDS: [&str; 4] = ["Labels", "Value", "ExternalLabels", "ExternalURL"];

/// Actions of Go's that have no place in a line of text.
const KEYWORDS: [&str; 6] = ["range", "define", "template", "block", "break", "continue"];

/// Conditions and brackets nest no deeper: reading and expanding fit on any stack.
const DEPTH_MAX: usize = 30;

pub(super) fn parse(text: &str) -> Result<Vec<Node>, String> {
    let pieces = pieces(text)?;
    let variables = VARIABLES.map(str::to_owned).to_vec();
    let mut parser = Parser { pieces: &pieces, at: 0, variables, in_with: 0 };
    let (nodes, end) = parser.nodes(0)?;
    match end {
        None => Ok(nodes),
        Some(word) => Err(format!("`{{{{ {word} }}}}` ends nothing here; leave it out")),
    }
}

enum Piece {
    Text(String),
    Action(Vec<Token>),
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Text(String),
    Number(String),
    /// `if`, `humanize`, `true`.
    Word(String),
    /// `.Labels`, `.`; several join to a path.
    Field(String),
    Variable(String),
    Open,
    Close,
    Bar,
    Assign,
}

/// Texts and actions; `{{-` and `-}}` take the space beside them away.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let (mut rest, mut trims) = (text, false);
    while let Some(open) = rest.find("{{") {
        let (before, after) = (&rest[..open], &rest[open + 2..]);
        let before = if trims { before.trim_start() } else { before };
        let trims_left = after.starts_with("- ") || after.starts_with("-\n");
        let before = if trims_left { before.trim_end() } else { before };
        let inside = if trims_left { &after[1..] } else { after };
        pieces.push(Piece::Text(before.to_owned()));
        let body = inside.trim_start();
        let end = if body.starts_with("/*") {
            let closed = inside.find("*/").ok_or("a comment is not closed; write `*/}}`")?;
            closed + 2 + inside[closed + 2..].find("}}").ok_or(NOT_CLOSED)?
        } else {
            action_end(inside)?
        };
        let mut action = &inside[..end];
        rest = &inside[end + 2..];
        trims = action.ends_with(" -") || action.ends_with("\n-");
        if trims {
            action = &action[..action.len() - 1];
        }
        if !body.starts_with("/*") {
            pieces.push(Piece::Action(tokens(action)?));
        }
    }
    let rest = if trims { rest.trim_start() } else { rest };
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

const NOT_CLOSED: &str = "`{{` is not closed; write `}}` behind it";

/// Where an action's `}}` is: not within quotes.
fn action_end(text: &str) -> Result<usize, String> {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '`' | '\'') => quote = Some(c),
            (None, '}') if text[at..].starts_with("}}") => return Ok(at),
            _ => {}
        }
    }
    Err(match quote {
        Some(quote) => format!("a quote is not closed; write {quote} behind it"),
        None => NOT_CLOSED.to_owned(),
    })
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let from = &rest[first.len_utf8()..];
        let run = |text: &str| text.find(|c| !is_word(c)).unwrap_or(text.len());
        let (token, left) = match first {
            '(' => (Token::Open, from),
            ')' => (Token::Close, from),
            '|' => (Token::Bar, from),
            ':' if from.starts_with('=') => (Token::Assign, &from[1..]),
            '=' => (Token::Assign, from),
            '"' | '`' => quoted(rest)?,
            '$' => (Token::Variable(from[..run(from)].to_owned()), &from[run(from)..]),
            '.' => (Token::Field(from[..run(from)].to_owned()), &from[run(from)..]),
            c if c.is_ascii_digit() || ((c == '-' || c == '+') && starts_number(from)) => {
                let end = number_end(from);
                (Token::Number(rest[..1 + end].to_owned()), &from[end..])
            }
            c if is_word(c) => (Token::Word(rest[..run(rest)].to_owned()), &rest[run(rest)..]),
            c => return Err(format!("{c:?} means nothing in {{{{ {} }}}}", text.trim())),
        };
        tokens.push(token);
        // A field that is stuck to what is before it goes on from there; one
        // with space before it is an argument.
        let spaced = left.len() != left.trim_start().len();
        rest = left.trim_start();
        if spaced && rest.starts_with('.') {
            tokens.push(Token::Field(GAP.to_owned()));
        }
    }
    Ok(tokens)
}

/// Stands between a word and a field that is no part of it.
const GAP: &str = " ";

fn starts_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn number_end(text: &str) -> usize {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let is_sign = (c == '-' || c == '+') && matches!(before, 'e' | 'E');
        if !(c.is_alphanumeric() || c == '.' || c == '_' || is_sign) {
            return at;
        }
        before = c;
    }
    text.len()
}

/// A text in double quotes, with escapes, or raw between backquotes.
fn quoted(text: &str) -> Result<(Token, &str), String> {
    if let Some(raw) = text.strip_prefix('`') {
        let end = raw.find('`').ok_or("a quote is not closed; write ` behind it")?;
        return Ok((Token::Text(raw[..end].to_owned()), &raw[end + 1..]));
    }
    let mut made = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((Token::Text(made), &text[at + 1..])),
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => made.push('\n'),
                Some('t') => made.push('\t'),
                Some('r') => made.push('\r'),
                Some(c @ ('"' | '\\' | '\'')) => made.push(c),
                Some(c) => return Err(format!("`\\{c}` in a quoted text; write `\\\\{c}`")),
                None => break,
            },
            c => made.push(c),
        }
    }
    Err("a quote is not closed; write \" behind it".to_owned())
}

struct Parser<'p> {
    pieces: &'p [Piece],
    at: usize,
    variables: Vec<String>,
    /// Within how many `with` the dot is something else than the data.
    in_with: usize,
}

impl Parser<'_> {
    /// Up to the end, or up to `end` or `else`, which is given with its tokens.
    fn nodes(&mut self, depth: usize) -> Result<(Vec<Node>, Option<String>), String> {
        if depth > DEPTH_MAX {
            return Err(format!("conditions nest deeper than {DEPTH_MAX}; make it simpler"));
        }
        let known = self.variables.len();
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.get(self.at) {
            self.at += 1;
            let tokens = match piece {
                Piece::Text(text) if text.is_empty() => continue,
                Piece::Text(text) => {
                    nodes.push(Node::Text(text.clone()));
                    continue;
                }
                Piece::Action(tokens) => tokens,
            };
            match tokens.split_first() {
                None => return Err("`{{ }}` is empty; write for example {{ $value }}".into()),
                Some((Token::Word(word), [])) if word == "end" || word == "else" => {
                    self.variables.truncate(known);
                    return Ok((nodes, Some(word.clone())));
                }
                Some((Token::Word(word), rest)) if word == "else" => {
                    // `{{ else if x }}` is an `if` within the `else`, closed by one `end`.
                    self.variables.truncate(known);
                    return match rest.split_first() {
                        Some((Token::Word(word), _)) if word == "if" || word == "with" => {
                            self.at -= 1;
                            Ok((nodes, Some("else if".to_owned())))
                        }
                        _ => Err("behind `else` there is `if`, or nothing".to_owned()),
                    };
                }
                Some((Token::Word(word), rest)) if word == "if" || word == "with" => {
                    nodes.push(self.condition(word, rest, depth)?);
                }
                Some((Token::Word(word), _)) if KEYWORDS.contains(&word.as_str()) => {
                    return Err(format!("`{word}` is not supported; one line of text needs none"));
                }
                Some((Token::Variable(name), [Token::Assign, rest @ ..])) => {
                    let pipe = self.pipe(rest)?;
                    self.variables.push(name.clone());
                    nodes.push(Node::Set { name: name.clone(), pipe });
                }
                Some(_) => nodes.push(Node::Show(self.pipe(tokens)?)),
            }
        }
        self.variables.truncate(known);
        Ok((nodes, None))
    }

    fn condition(&mut self, word: &str, rest: &[Token], depth: usize) -> Result<Node, String> {
        let pipe = self.pipe(rest)?;
        let is_with = word == "with";
        self.in_with += usize::from(is_with);
        let (then, mut end) = self.nodes(depth + 1)?;
        self.in_with -= usize::from(is_with);
        let mut or = Vec::new();
        if end.as_deref() == Some("else if") {
            let Some(Piece::Action(tokens)) = self.pieces.get(self.at) else {
                unreachable!("an `else if` was put back")
            };
            self.at += 1;
            let Some(Token::Word(word)) = tokens.get(1) else { unreachable!("it was looked at") };
            or.push(self.condition(word, &tokens[2..], depth + 1)?);
            end = Some("end".to_owned()); // the inner one has taken it
        } else if end.as_deref() == Some("else") {
            (or, end) = self.nodes(depth + 1)?;
        }
        match end.as_deref() {
            Some("end") if is_with => Ok(Node::With { pipe, then, or }),
            Some("end") => Ok(Node::If { pipe, then, or }),
            Some(_) => Err("`else` stands twice; leave one out".to_owned()),
            None => Err(format!("`{word}` has no end; write {{{{ end }}}} behind it")),
        }
    }

    /// `a | b c | d`.
    fn pipe(&self, tokens: &[Token]) -> Result<Pipe, String> {
        self.pipe_at(tokens, 0)
    }

    fn pipe_at(&self, tokens: &[Token], depth: usize) -> Result<Pipe, String> {
        if depth > DEPTH_MAX {
            return Err(format!("brackets nest deeper than {DEPTH_MAX}; make it simpler"));
        }
        let (mut commands, mut from, mut open) = (Vec::new(), 0, 0usize);
        for (at, token) in tokens.iter().enumerate() {
            match token {
                Token::Open => open += 1,
                Token::Close => open = open.checked_sub(1).ok_or("`)` closes nothing")?,
                Token::Bar if open == 0 => {
                    commands.push(self.command(&tokens[from..at], depth)?);
                    from = at + 1;
                }
                _ => {}
            }
        }
        if open > 0 {
            return Err("`(` is not closed; write `)` behind it".to_owned());
        }
        commands.push(self.command(&tokens[from..], depth)?);
        let is_value = |command: &Command| matches!(command, Command::Value(_));
        if commands.iter().skip(1).any(is_value) {
            return Err("behind `|` there is a function, such as `humanize`".to_owned());
        }
        Ok(commands)
    }

    fn command(&self, tokens: &[Token], depth: usize) -> Result<Command, String> {
        match tokens {
            [] => Err("a value is missing; write for example $value".to_owned()),
            [Token::Word(name), rest @ ..] if !is_literal(name) => {
                is_function(name)?;
                Ok(Command::Call { name: name.clone(), args: self.terms(rest, depth)? })
            }
            _ => match <[Term; 1]>::try_from(self.terms(tokens, depth)?) {
                Ok([term]) => Ok(Command::Value(term)),
                Err(_) => {
                    Err("several values side by side; write `|` before a function".to_owned())
                }
            },
        }
    }

    fn terms(&self, tokens: &[Token], depth: usize) -> Result<Vec<Term>, String> {
        let mut terms: Vec<Term> = Vec::new();
        let (mut at, mut stuck) = (0, false);
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                Token::Field(gap) if gap == GAP => {
                    stuck = false;
                    continue;
                }
                Token::Field(name) if stuck => match terms.last_mut() {
                    Some(Term::Dot(path) | Term::Variable(_, path)) => path.push(name.clone()),
                    _ => return Err(format!("nothing has a field `.{name}` here")),
                },
                Token::Field(name) if name.is_empty() => terms.push(Term::Dot(Vec::new())),
                Token::Field(name) => {
                    if self.in_with == 0 && !FIELDS.contains(&name.as_str()) {
                        let all = "there is .Labels, .Value, .ExternalLabels and .ExternalURL";
                        return Err(format!("unknown `.{name}`; {all}"));
                    }
                    terms.push(Term::Dot(vec![name.clone()]));
                }
                Token::Variable(name) => {
                    if !self.variables.contains(name) && !name.is_empty() {
                        let all = "there is $labels, $value, $externalLabels and $externalURL";
                        return Err(format!("unknown `${name}`; {all}"));
                    }
                    terms.push(Term::Variable(name.clone(), Vec::new()));
                }
                Token::Text(text) => terms.push(Term::Text(text.clone())),
                Token::Number(text) => terms.push(number(text)?),
                Token::Word(word) => match word.as_str() {
                    "true" | "false" => terms.push(Term::Flag(word == "true")),
                    "nil" => terms.push(Term::Nil),
                    name => {
                        is_function(name)?;
                        let call = Command::Call { name: name.to_owned(), args: Vec::new() };
                        terms.push(Term::Pipe(vec![call]));
                    }
                },
                Token::Open => {
                    let end = at + closing(&tokens[at..]).ok_or("`(` is not closed")?;
                    terms.push(Term::Pipe(self.pipe_at(&tokens[at..end], depth + 1)?));
                    at = end + 1;
                }
                Token::Close => return Err("`)` closes nothing".to_owned()),
                Token::Bar | Token::Assign => {
                    return Err("`=` only gives a variable a value: {{ $x := … }}".to_owned());
                }
            }
            stuck = true;
        }
        Ok(terms)
    }
}

fn is_literal(word: &str) -> bool {
    matches!(word, "true" | "false" | "nil")
}

fn is_function(name: &str) -> Result<(), String> {
    if FUNCTIONS.contains(&name) {
        return Ok(());
    }
    if ELSEWHERE.contains(&name) {
        return Err(format!("`{name}` is not supported: it needs a Prometheus server to ask"));
    }
    Err(format!("unknown function `{name}`; there is {}", FUNCTIONS.join(", ")))
}

/// The place of the bracket that closes what is open before these.
fn closing(tokens: &[Token]) -> Option<usize> {
    let mut open = 1;
    tokens.iter().position(|token| {
        open += i32::from(*token == Token::Open) - i32::from(*token == Token::Close);
        open == 0
    })
}

fn number(text: &str) -> Result<Term, String> {
    let whole = text.parse::<i64>().ok().map(Term::Int);
    let number = whole.or_else(|| text.parse::<f64>().ok().map(Term::Float));
    number.ok_or_else(|| format!("`{text}` is no number"))
}
