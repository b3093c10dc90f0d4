//! From the parser's tree to a plan. Whatever the evaluator cannot do is
//! refused here, so that nothing is found out while a release is watched.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::token::TokenType;
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{
    AggregateExpr, AtModifier, BinModifier, BinaryExpr, Call, Expr, LabelModifier, Offset,
    SubqueryExpr, VectorMatchCardinality, VectorSelector,
};

use super::check::{check, complaint, place, tree, with_range};
use super::complaint::Complaint;
use super::eval::{STEPS_MAX, too_many_steps};
use super::functions::{FUNCTIONS, Kind};
use super::pattern;
use super::plan::{
    Agg, Aggregate, At, Card, Func, Grouping, Groups, Matching, Node, Op, Over, Range, Selector,
    Set, Shift, Source,
};
use super::sites::{Site, Sites};
use crate::metrics::Loose;
use crate::model::{Labels, MINUTE, Span, Timestamp};

/// Stands in a signal's query for the range that is asked for.
pub(super) const RANGE_WORD: &str = "$range";

/// What `$range` is to the parser: a duration that nobody writes.
const RANGE_TEXT: &str = "9999y7ms";
const RANGE_VALUE: Duration = Duration::from_millis(9999 * 365 * 86_400_000 + 7);

/// A subquery's step when it names none (Prometheus: the evaluation interval).
const STEP: Span = MINUTE;

const NAME: &str = "__name__";

const AGGREGATIONS: [(&str, Agg); 12] = [
    ("sum", Agg::Sum),
    ("avg", Agg::Avg),
    ("min", Agg::Min),
    ("max", Agg::Max),
    ("count", Agg::Count),
    ("group", Agg::Group),
    ("stddev", Agg::Stddev),
    ("stdvar", Agg::Stdvar),
    ("topk", Agg::Topk),
    ("bottomk", Agg::Bottomk),
    ("quantile", Agg::Quantile),
    ("count_values", Agg::CountValues),
];

/// The aggregation of this name.
pub(super) fn aggregation(name: &str) -> Option<Agg> {
    AGGREGATIONS.iter().find(|(known, _)| *known == name).map(|(_, agg)| *agg)
}

/// Whether there is a function of this name.
pub(super) fn is_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, _)| *known == name)
}

/// Names of all functions and aggregations.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, _)| *name).chain(AGGREGATIONS.iter().map(|(name, _)| *name))
}

/// What a text may hold.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Scope {
    /// A measurement: selectors have names, the result is numbers.
    Measure,
    /// The same, and `$range` may stand for a length of time.
    Ranged,
    /// The whole language: any selector, any result.
    All,
}

/// Compiles a query, of which each pattern may come to so many bytes.
pub(super) fn compile(text: &str, scope: Scope, room: usize) -> Result<Node, Complaint> {
    let tokens = check(text, scope == Scope::Ranged, scope == Scope::All)?;
    pattern::bounded(text, &tokens, room)?;
    let parsed = tree(&with_range(text, RANGE_TEXT)?)
        .map_err(|error| complaint(text, blamed(text, &error), explained(&error)))?;
    let compiler = Compiler { text, scope, room, sites: Sites::of(text, &tokens) };
    match parsed.value_type() {
        ValueType::Vector | ValueType::Scalar => compiler.node(&parsed),
        ValueType::Matrix if scope == Scope::All => Ok(Node::Range(compiler.source(&parsed)?.0)),
        ValueType::String if scope == Scope::All => compiler.node(&parsed),
        ValueType::Matrix => {
            let what = "a range of samples is no value; put a function around it, such as rate()";
            Err(complaint(text, 0, what.into()))
        }
        ValueType::String => Err(complaint(text, 0, "a text is no measurement".into())),
    }
}

/// Where the parser's error points, as far as it names a function: `in call
/// to function 'rate'`.
fn blamed(text: &str, error: &str) -> usize {
    error.split('\'').find(|part| is_function(part)).map_or(0, |name| place(text, name))
}

/// The parser's error, framed: it does not say where.
fn explained(error: &str) -> String {
    let error = error.trim().trim_end_matches('.');
    if error == "invalid promql query" {
        return "this is no PromQL; write for example `sum(rate(requests_total[5m]))`".into();
    }
    let mut chars = error.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_lowercase).collect();
    format!("{first}{}", chars.as_str())
}

struct Compiler<'a> {
    text: &'a str,
    scope: Scope,
    /// For each pattern, in bytes.
    room: usize,
    sites: Sites,
}

impl Compiler<'_> {
    fn fail<T>(&self, word: &str, what: impl Into<String>) -> Result<T, Complaint> {
        Err(complaint(self.text, place(self.text, word), what.into()))
    }

    fn node(&self, expr: &Expr) -> Result<Node, Complaint> {
        Ok(match expr {
            Expr::NumberLiteral(number) => Node::Number(number.val),
            Expr::StringLiteral(text) => Node::Text(text.val.clone()),
            Expr::Paren(paren) => self.node(&paren.expr)?,
            Expr::Unary(unary) => Node::Negate(Box::new(self.node(&unary.expr)?)),
            Expr::VectorSelector(selector) => Node::Instant(self.selector(selector)?),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate)?,
            Expr::Binary(binary) => self.binary(binary)?,
            Expr::Call(call) => self.call(call)?,
            Expr::MatrixSelector(_) | Expr::Subquery(_) => {
                return self.fail("[", "a range of samples stands where a value should");
            }
            Expr::Extension(_) => return self.fail("", "this expression is not supported"),
        })
    }

    fn selector(&self, vs: &VectorSelector) -> Result<Selector, Complaint> {
        let mut any_of = vs.matchers.or_matchers.clone();
        if any_of.is_empty() {
            any_of.push(vs.matchers.matchers.clone());
        }
        let is_name = |m: &Matcher| m.name == NAME && matches!(m.op, MatchOp::Equal);
        let inside = any_of[0].iter().find(|m| is_name(m)).map(|m| m.value.clone());
        let mut name = vs.name.clone().or(inside).filter(|name| !name.is_empty());
        if vs.name.is_none()
            && !any_of.iter().all(|l| l.iter().any(|m| Some(&m.value) == name.as_ref()))
        {
            if self.scope != Scope::All && name.is_some() {
                return self.fail("{", "one selector can read one metric name only");
            }
            name = None;
        }
        if name.is_none() && self.scope != Scope::All {
            return self.fail("{", "a selector needs a metric name: only named metrics are kept");
        }
        for list in &mut any_of {
            list.retain(|matcher| !is_name(matcher) || Some(&matcher.value) != name.as_ref());
        }
        let (name, any_of) = (name.map(Into::into), pattern::matchers(any_of, self.room));
        let shift = self.shift(&vs.offset, &vs.at)?;
        Ok(Selector {
            name,
            any_of,
            shift,
            part: None,
            ids: Vec::new(),
            epoch: None,
            living: Loose::default(),
        })
    }

    fn shift(&self, offset: &Option<Offset>, at: &Option<AtModifier>) -> Result<Shift, Complaint> {
        let at = match at {
            None => None,
            Some(AtModifier::Start) => Some(At::Start),
            Some(AtModifier::End) => Some(At::End),
            Some(AtModifier::At(time)) => Some(At::Time(instant(*time))),
        };
        let (offset, backward) = match offset {
            None => (Range::Fixed(Span::ZERO), true),
            Some(Offset::Pos(by)) => (range(*by), true),
            Some(Offset::Neg(by)) => (range(*by), false),
        };
        Ok(Shift { at, offset, backward })
    }

    /// What a function over a range reads, with the labels that
    /// `absent_over_time` would show for it.
    fn source(&self, expr: &Expr) -> Result<(Source, Labels), Complaint> {
        match expr {
            Expr::Paren(paren) => self.source(&paren.expr),
            Expr::MatrixSelector(ms) => {
                let selector = self.selector(&ms.vs)?;
                let labels = labels_of_absent(&selector);
                Ok((Source::Series { selector, range: range(ms.range) }, labels))
            }
            Expr::Subquery(SubqueryExpr { expr, offset, at, range: over, step }) => {
                let node = Box::new(self.node(expr)?);
                let step = step.map_or(Range::Fixed(STEP), range);
                if let (Range::Fixed(range), Range::Fixed(step)) = (range(*over), step)
                    && range.millis() / step.millis().max(1) > STEPS_MAX
                {
                    return self.fail("[", too_many_steps());
                }
                let shift = self.shift(offset, at)?;
                Ok((Source::Subquery { node, range: range(*over), step, shift }, Labels::default()))
            }
            _ => self.fail("", "a range such as x[5m] is expected"),
        }
    }

    fn call(&self, call: &Call) -> Result<Node, Complaint> {
        let name = call.func.name;
        let args: Vec<&Expr> = call.args.args.iter().map(|arg| &**arg).collect();
        let known = FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        let site = self.sites.next();
        match known {
            None => self.fail(name, format!("function `{name}` is not supported")),
            Some(Kind::Over(func)) => self.over(func, &args, &site),
            Some(Kind::Func(func)) => self.func(name, func, &args, site),
        }
    }

    /// Arguments are compiled in the order in which they are written.
    fn over(&self, func: Over, args: &[&Expr], site: &Site) -> Result<Node, Complaint> {
        let param = |expr: &Expr| self.node(expr).map(|node| Some(Box::new(node)));
        let (param, (source, labels)) = match (func, args) {
            (Over::Quantile, [first, second]) => (param(first)?, self.source(second)?),
            (Over::PredictLinear, [first, second]) => {
                let source = self.source(first)?;
                (param(second)?, source)
            }
            (_, [source]) => (None, self.source(source)?),
            _ => return self.fail("", "wrong number of arguments"),
        };
        let absent = (func == Over::Absent).then_some(labels);
        Ok(Node::Over { func, source, param, absent, at: site.arg(0) })
    }

    fn func(&self, name: &str, func: Func, exprs: &[&Expr], site: Site) -> Result<Node, Complaint> {
        let wants_vector = match func {
            Func::Vector | Func::Time | Func::Pi => false,
            Func::Date(_) => !exprs.is_empty(),
            _ => true,
        };
        let scalar_first = matches!(func, Func::HistogramQuantile | Func::HistogramFraction);
        let first = exprs.first().map(|expr| expr.value_type());
        if wants_vector && !scalar_first && first != Some(ValueType::Vector) {
            return self.fail(name, format!("`{name}` needs a vector as its first argument"));
        }
        let args = exprs.iter().map(|expr| self.node(expr)).collect::<Result<Vec<_>, _>>()?;
        let absent = match (func, args.first()) {
            (Func::Absent, Some(Node::Instant(selector))) => Some(labels_of_absent(selector)),
            (Func::Absent, _) => Some(Labels::default()),
            _ => None,
        };
        let regex = match (func, args.get(4)) {
            (Func::LabelReplace, Some(Node::Text(text))) => Some(self.regex(text)?),
            _ => None,
        };
        if let (Func::LabelReplace | Func::LabelJoin, Some(Node::Text(label))) = (func, args.get(1))
            && label.is_empty()
        {
            return self.fail(name, format!("`{name}` needs a label's name, not an empty text"));
        }
        Ok(Node::Call { func, args, absent, regex, site })
    }

    fn regex(&self, text: &str) -> Result<regex::Regex, Complaint> {
        if let Some(what) = pattern::too_long(text) {
            return self.fail("label_replace", what);
        }
        let tried = pattern::whole(text, self.room);
        if pattern::is_too_much(&tried) {
            return self.fail("label_replace", pattern::too_much(self.room));
        }
        match tried {
            Ok(regex) => Ok(regex),
            Err(_) => self.fail(
                "label_replace",
                format!("{text:?} is not a regular expression; write for example \"(.*)\""),
            ),
        }
    }

    fn aggregate(&self, expr: &AggregateExpr) -> Result<Node, Complaint> {
        let name = expr.op.to_string();
        let Some(op) = aggregation(&name) else {
            return self.fail(&name, format!("aggregation `{name}` is not supported"));
        };
        let grouping = match &expr.modifier {
            None => Grouping::By(Vec::new()),
            Some(LabelModifier::Include(labels)) => Grouping::By(labels.labels.clone()),
            Some(LabelModifier::Exclude(labels)) => Grouping::Without(labels.labels.clone()),
        };
        let at = self.sites.next().arg(0);
        let needs_param = matches!(op, Agg::Topk | Agg::Bottomk | Agg::Quantile | Agg::CountValues);
        let param = expr.param.as_ref().map(|param| self.node(param)).transpose()?;
        let (param, label) = match param {
            Some(Node::Text(label)) if op == Agg::CountValues && label.is_empty() => {
                return self.fail(&name, "`count_values` needs a label's name");
            }
            Some(Node::Text(label)) if op == Agg::CountValues => (None, label),
            Some(param) if needs_param => (Some(Box::new(param)), String::new()),
            None if !needs_param => (None, String::new()),
            _ => return self.fail(&name, format!("wrong parameter of `{name}`")),
        };
        let of = Box::new(self.node(&expr.expr)?);
        let groups = Groups::default();
        Ok(Node::Aggregate(Aggregate { op, grouping, param, label, of, groups, at }))
    }

    fn binary(&self, expr: &BinaryExpr) -> Result<Node, Complaint> {
        let (left, right) = (Box::new(self.node(&expr.lhs)?), Box::new(self.node(&expr.rhs)?));
        let modifier = expr.modifier.clone().unwrap_or_default();
        let BinModifier { card, matching, return_bool, fill_values } = modifier;
        if fill_values.lhs.is_some() || fill_values.rhs.is_some() {
            return self.fail("fill", "`fill` is not supported");
        }
        let matching = match matching {
            Some(LabelModifier::Include(labels)) => Matching { on: true, labels: labels.labels },
            Some(LabelModifier::Exclude(labels)) => Matching { on: false, labels: labels.labels },
            None => Matching { on: false, labels: Vec::new() },
        };
        if let Some(op) = set_operator(expr.op) {
            return Ok(Node::Set { op, matching, left, right });
        }
        let Some(op) = operator(expr.op) else {
            let name = expr.op.to_string();
            return self.fail(&name, format!("operator `{name}` is not supported"));
        };
        let card = match card {
            VectorMatchCardinality::ManyToOne(labels) => Card::ManyToOne(labels.labels),
            VectorMatchCardinality::OneToMany(labels) => Card::OneToMany(labels.labels),
            _ => Card::OneToOne,
        };
        Ok(Node::Binary { op, bool: return_bool, card, matching, left, right })
    }
}

fn operator(token: TokenType) -> Option<Op> {
    Some(match &*token.to_string() {
        "+" => Op::Add,
        "-" => Op::Sub,
        "*" => Op::Mul,
        "/" => Op::Div,
        "%" => Op::Mod,
        "^" => Op::Pow,
        "atan2" => Op::Atan2,
        "==" => Op::Eq,
        "!=" => Op::Ne,
        "<" => Op::Lt,
        "<=" => Op::Le,
        ">" => Op::Gt,
        ">=" => Op::Ge,
        _ => return None,
    })
}

fn set_operator(token: TokenType) -> Option<Set> {
    match &*token.to_string() {
        "and" => Some(Set::And),
        "or" => Some(Set::Or),
        "unless" => Some(Set::Unless),
        _ => None,
    }
}

fn range(duration: Duration) -> Range {
    if duration == RANGE_VALUE { Range::Param } else { Range::Fixed(duration.into()) }
}

fn instant(time: SystemTime) -> Timestamp {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => Timestamp::default() + Span::from(after),
        Err(before) => Timestamp::default() - Span::from(before.duration()),
    }
}

/// `absent(x{a="b"})` shows `{a="b"}`: labels that one `=` fixes.
fn labels_of_absent(selector: &Selector) -> Labels {
    let [matchers] = &selector.any_of[..] else { return Labels::default() };
    let once = |m: &&Matcher| matchers.iter().filter(|other| other.name == m.name).count() == 1;
    let is_fixed = |m: &&Matcher| matches!(m.op, MatchOp::Equal) && m.name != NAME;
    let fixed = matchers.iter().filter(is_fixed).filter(once);
    Labels::from_pairs(fixed.map(|matcher| (&*matcher.name, &*matcher.value)))
}
