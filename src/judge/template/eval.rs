//! Expands a template: what its terms come to, and how values are written.

use std::borrow::Cow;

use super::parse::{Command, Node, Pipe, Term};
use super::{Scene, call, number};
use crate::model::Labels;

/// What a term comes to.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value<'s> {
    Text(Cow<'s, str>),
    Float(f64),
    Int(i64),
    Flag(bool),
    Labels(&'s Labels),
    /// The data at the top.
    Data,
    Nil,
}

impl Value<'_> {
    /// As `{{ }}` and `%v` write it.
    pub fn shown(&self) -> String {
        match self {
            Value::Text(text) => text.to_string(),
            Value::Float(value) => number::general(*value, None),
            Value::Int(value) => value.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Labels(labels) => {
                let pairs = labels.iter().map(|(name, value)| format!("{name}:{value}"));
                format!("map[{}]", pairs.collect::<Vec<_>>().join(" "))
            }
            Value::Data | Value::Nil => "<nil>".to_owned(),
        }
    }

    /// What Go calls its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "string",
            Value::Float(_) => "float64",
            Value::Int(_) => "int",
            Value::Flag(_) => "bool",
            Value::Labels(_) | Value::Data => "map[string]string",
            Value::Nil => "nil",
        }
    }

    /// Whether a condition takes it for true: what is empty is not.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Text(text) => !text.is_empty(),
            Value::Float(value) => *value != 0.0,
            Value::Int(value) => *value != 0,
            Value::Flag(flag) => *flag,
            Value::Labels(labels) => !labels.is_empty(),
            Value::Data => true,
            Value::Nil => false,
        }
    }
}

/// Longer texts are cut off: nobody reads them, and a loop could make them.
const CHARS_MAX: usize = 1 << 16;

pub(super) fn expand(nodes: &[Node], scene: &Scene<'_>) -> Result<String, String> {
    let mut out = String::new();
    let mut stage = Stage { scene, variables: Vec::new(), dot: Value::Data };
    stage.nodes(nodes, &mut out)?;
    Ok(out)
}

struct Stage<'s> {
    scene: &'s Scene<'s>,
    /// Those that the template sets, the latest last.
    variables: Vec<(String, Value<'s>)>,
    dot: Value<'s>,
}

impl<'s> Stage<'s> {
    fn nodes(&mut self, nodes: &[Node], out: &mut String) -> Result<(), String> {
        let known = self.variables.len();
        for node in nodes {
            if out.len() > CHARS_MAX {
                return Err(format!("it gives more than {CHARS_MAX} bytes"));
            }
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Show(pipe) => match self.pipe(pipe)? {
                    Value::Nil => out.push_str("<no value>"),
                    value => out.push_str(&value.shown()),
                },
                Node::Set { name, pipe } => {
                    let value = self.pipe(pipe)?;
                    self.variables.push((name.clone(), value));
                }
                Node::If { pipe, then, or } => {
                    let branch = if self.pipe(pipe)?.is_true() { then } else { or };
                    self.nodes(branch, out)?;
                }
                Node::With { pipe, then, or } => {
                    let value = self.pipe(pipe)?;
                    if value.is_true() {
                        let before = std::mem::replace(&mut self.dot, value);
                        self.nodes(then, out)?;
                        self.dot = before;
                    } else {
                        self.nodes(or, out)?;
                    }
                }
            }
        }
        self.variables.truncate(known);
        Ok(())
    }

    fn pipe(&self, pipe: &Pipe) -> Result<Value<'s>, String> {
        let mut last: Option<Value<'s>> = None;
        for command in pipe {
            last = Some(match command {
                Command::Value(term) => self.term(term)?,
                Command::Call { name, args } => {
                    let given = args.iter().map(|term| self.term(term));
                    let mut given = given.collect::<Result<Vec<_>, _>>()?;
                    given.extend(last.take());
                    call::call(name, &given, self.scene)?
                }
            });
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    fn term(&self, term: &Term) -> Result<Value<'s>, String> {
        Ok(match term {
            Term::Text(text) => Value::Text(Cow::Owned(text.clone())),
            Term::Int(value) => Value::Int(*value),
            Term::Float(value) => Value::Float(*value),
            Term::Flag(flag) => Value::Flag(*flag),
            Term::Nil => Value::Nil,
            Term::Pipe(pipe) => self.pipe(pipe)?,
            Term::Dot(path) => fields(self.field(self.dot.clone(), path.first())?, path)?,
            Term::Variable(name, path) => {
                let own = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = match (own, name.as_str()) {
                    (Some((_, value)), _) => value.clone(),
                    (None, "labels") => Value::Labels(self.scene.labels),
                    (None, "value") => Value::Float(self.scene.value),
                    (None, "externalLabels") => Value::Labels(self.scene.external),
                    (None, "externalURL") => Value::Text(Cow::Borrowed(self.scene.url)),
                    (None, _) => Value::Data, // `$` itself
                };
                path.iter().try_fold(value, |value, name| self.field(value, Some(name)))?
            }
        })
    }

    /// A value's field; the value itself where no field is named.
    fn field(&self, value: Value<'s>, name: Option<&String>) -> Result<Value<'s>, String> {
        let Some(name) = name else { return Ok(value) };
        match (value, name.as_str()) {
            (Value::Data, "Labels") => Ok(Value::Labels(self.scene.labels)),
            (Value::Data, "Value") => Ok(Value::Float(self.scene.value)),
            (Value::Data, "ExternalLabels") => Ok(Value::Labels(self.scene.external)),
            (Value::Data, "ExternalURL") => Ok(Value::Text(Cow::Borrowed(self.scene.url))),
            (Value::Labels(labels), name) => Ok(label(labels, name)),
            (value, name) => Err(format!("can't evaluate field {name} in type {}", value.kind())),
        }
    }
}

/// A label that is not there is an empty text, as Prometheus has it.
pub(super) fn label<'s>(labels: &'s Labels, name: &str) -> Value<'s> {
    Value::Text(Cow::Borrowed(labels.get(name).unwrap_or_default()))
}

/// What lies behind a path's first field.
fn fields<'s>(value: Value<'s>, path: &[String]) -> Result<Value<'s>, String> {
    path.iter().skip(1).try_fold(value, |value, name| match value {
        Value::Labels(labels) => Ok(label(labels, name)),
        value => Err(format!("can't evaluate field {name} in type {}", value.kind())),
    })
}
