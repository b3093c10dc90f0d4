//! What a query is compiled to: a tree whose leaves select series by name,
//! and know them by number until the set of series changes.

use std::sync::Arc;

use promql_parser::label::Matcher;

use super::annotation::Spot;
use super::reach::Reach;
use super::sites::Site;
use crate::metrics::{Loose, SeriesId};
use crate::model::{Labels, Span, Timestamp};

/// A length of time that is written in the query, or asked for with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Range {
    Fixed(Span),
    /// `$range`.
    Param,
}

impl Range {
    pub fn with(self, param: Span) -> Span {
        match self {
            Range::Fixed(span) => span,
            Range::Param => param,
        }
    }
}

/// `@`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum At {
    Time(Timestamp),
    Start,
    End,
}

/// When a leaf looks: `@` and `offset`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shift {
    pub at: Option<At>,
    pub offset: Range,
    pub backward: bool,
}

/// Which series a leaf reads.
#[derive(Debug)]
pub(in crate::metrics) struct Selector {
    /// `None`: of all names.
    pub name: Option<Arc<str>>,
    /// One of these lists has to match whole.
    pub any_of: Vec<Vec<Matcher>>,
    pub(super) shift: Shift,
    /// It reads the sums that were made for it, not the series themselves.
    pub part: Option<String>,
    /// In order of labels; as of `epoch`.
    pub ids: Vec<SeriesId>,
    pub epoch: Option<u64>,
    /// Samples without the markers among them; its memory is used again.
    pub(super) living: Loose,
}

/// What a function over a range reads.
#[derive(Debug)]
pub(super) enum Source {
    Series { selector: Selector, range: Range },
    Subquery { node: Box<Node>, range: Range, step: Range, shift: Shift },
}

/// Functions of a range of samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Over {
    Rate,
    Increase,
    Delta,
    Irate,
    Idelta,
    Changes,
    Resets,
    Avg,
    Min,
    Max,
    Sum,
    Count,
    Last,
    First,
    Present,
    Absent,
    Quantile,
    Stddev,
    Stdvar,
    Deriv,
    PredictLinear,
}

impl Over {
    /// Whether it takes a fall for a new beginning.
    fn is_of_growth(self) -> bool {
        use Over::{Changes, Increase, Irate, Rate, Resets};
        matches!(self, Rate | Increase | Irate | Changes | Resets)
    }

    /// Whether what it gives is still a sample of the metric.
    pub fn keeps_name(self) -> bool {
        matches!(self, Over::First | Over::Last)
    }

    /// Whether it can be meant of a counter only.
    pub fn wants_counter(self) -> bool {
        matches!(self, Over::Rate | Over::Increase)
    }
}

/// Functions of an instant vector, and of other arguments.
#[derive(Clone, Copy, Debug)]
pub(super) enum Func {
    Math(fn(f64) -> f64),
    /// Of seconds since the epoch; without an argument, of now. UTC.
    Date(fn(jiff::civil::DateTime) -> f64),
    Pi,
    Round,
    Clamp,
    ClampMin,
    ClampMax,
    Vector,
    Scalar,
    Time,
    Timestamp,
    Absent,
    LabelReplace,
    LabelJoin,
    Sort {
        descending: bool,
    },
    HistogramQuantile,
    HistogramFraction,
}

/// Aggregations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Agg {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    Quantile,
    CountValues,
}

/// `by (…)` or `without (…)`; sorted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

/// An aggregation, with its groups when they are those of plain series.
#[derive(Debug)]
pub(super) struct Aggregate {
    pub op: Agg,
    pub grouping: Grouping,
    pub param: Option<Box<Node>>,
    /// `count_values`: the label.
    pub label: String,
    pub of: Box<Node>,
    pub groups: Groups,
    /// Where its parameter stands.
    pub at: Spot,
}

/// Which group each of a selector's series falls in, as of `epoch`.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub epoch: Option<u64>,
    pub of: Vec<u32>,
    pub labels: Vec<super::eval::Key>,
    /// What the groups came to last; the memory is used again.
    pub folds: Vec<super::aggregate::Fold>,
}

/// Operators that give a number for two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// `and`, `or`, `unless`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Set {
    And,
    Or,
    Unless,
}

/// Which labels tell what belongs together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Matching {
    /// `on` (else `ignoring`).
    pub on: bool,
    pub labels: Vec<String>,
}

/// How many on each side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Card {
    OneToOne,
    /// `group_left`, with labels to take over from the one side.
    ManyToOne(Vec<String>),
    /// `group_right`.
    OneToMany(Vec<String>),
}

/// An expression.
#[derive(Debug)]
pub(super) enum Node {
    Number(f64),
    Text(String),
    Negate(Box<Node>),
    Instant(Selector),
    Over {
        func: Over,
        source: Source,
        param: Option<Box<Node>>,
        absent: Option<Labels>,
        /// Where its first argument stands.
        at: Spot,
    },
    /// A range of samples; only as the whole of a query.
    Range(Source),
    Call {
        func: Func,
        args: Vec<Node>,
        absent: Option<Labels>,
        regex: Option<regex::Regex>,
        site: Site,
    },
    Aggregate(Aggregate),
    Binary {
        op: Op,
        /// Comparisons give 0 or 1 instead of leaving elements out.
        bool: bool,
        card: Card,
        matching: Matching,
        left: Box<Node>,
        right: Box<Node>,
    },
    Set {
        op: Set,
        matching: Matching,
        left: Box<Node>,
        right: Box<Node>,
    },
}

impl Node {
    /// Whether no two of its elements can have the same labels: they are
    /// series of one name, or groups.
    pub fn is_all_different(&self) -> bool {
        match self {
            Node::Instant(_) => true,
            Node::Over { func, source: Source::Series { selector, .. }, .. } => {
                selector.name.is_some() || func.keeps_name()
            }
            Node::Aggregate(aggregate) => {
                !matches!(aggregate.op, Agg::Topk | Agg::Bottomk | Agg::CountValues)
            }
            _ => false,
        }
    }

    /// Calls `visit` for every selector; with the labels of the sum where all
    /// that is read of it is the sum of its growth.
    pub fn visit(&mut self, visit: &mut dyn FnMut(&mut Selector, Option<&[String]>)) {
        match self {
            Node::Number(_) | Node::Text(_) => {}
            Node::Negate(of) => of.visit(visit),
            Node::Instant(selector) => visit(selector, None),
            Node::Over { source, param, .. } => {
                match source {
                    Source::Series { selector, .. } => visit(selector, None),
                    Source::Subquery { node, .. } => node.visit(visit),
                }
                param.iter_mut().for_each(|param| param.visit(visit));
            }
            Node::Range(source) => match source {
                Source::Series { selector, .. } => visit(selector, None),
                Source::Subquery { node, .. } => node.visit(visit),
            },
            Node::Call { args, .. } => args.iter_mut().for_each(|arg| arg.visit(visit)),
            Node::Aggregate(aggregate) => aggregate.visit(visit),
            Node::Binary { left, right, .. } | Node::Set { left, right, .. } => {
                left.visit(visit);
                right.visit(visit);
            }
        }
    }

    /// Calls `visit` for every selector whose growth is read.
    pub fn growing(&self, visit: &mut impl FnMut(&Selector)) {
        match self {
            Node::Number(_) | Node::Text(_) | Node::Instant(_) => {}
            Node::Negate(of) => of.growing(visit),
            Node::Over { func, source, param, .. } => {
                match source {
                    Source::Series { selector, .. } if func.is_of_growth() => visit(selector),
                    Source::Series { .. } => {}
                    Source::Subquery { node, .. } => node.growing(visit),
                }
                param.iter().for_each(|param| param.growing(visit));
            }
            Node::Range(source) => match source {
                Source::Series { .. } => {}
                Source::Subquery { node, .. } => node.growing(visit),
            },
            Node::Call { args, .. } => args.iter().for_each(|arg| arg.growing(visit)),
            Node::Aggregate(aggregate) => {
                aggregate.of.growing(visit);
                aggregate.param.iter().for_each(|param| param.growing(visit));
            }
            Node::Binary { left, right, .. } | Node::Set { left, right, .. } => {
                left.growing(visit);
                right.growing(visit);
            }
        }
    }

    /// Calls `visit` for every selector, with the time that it reads.
    pub fn selectors(&self, param: Span, visit: &mut dyn FnMut(&Selector, Reach), reach: Reach) {
        match self {
            Node::Number(_) | Node::Text(_) => {}
            Node::Negate(of) => of.selectors(param, visit, reach),
            Node::Instant(selector) => visit(selector, reach.shifted(selector.shift, param)),
            Node::Over { source, param: arg, .. } => {
                source.selectors(param, visit, reach);
                arg.iter().for_each(|arg| arg.selectors(param, visit, reach));
            }
            Node::Range(source) => source.selectors(param, visit, reach),
            Node::Call { args, .. } => args.iter().for_each(|a| a.selectors(param, visit, reach)),
            Node::Aggregate(aggregate) => {
                aggregate.of.selectors(param, visit, reach);
                aggregate.param.iter().for_each(|arg| arg.selectors(param, visit, reach));
            }
            Node::Binary { left, right, .. } | Node::Set { left, right, .. } => {
                left.selectors(param, visit, reach);
                right.selectors(param, visit, reach);
            }
        }
    }
}

impl Source {
    fn selectors(&self, param: Span, visit: &mut dyn FnMut(&Selector, Reach), reach: Reach) {
        match self {
            Source::Series { selector, range } => {
                visit(selector, reach.shifted(selector.shift, param).over(range.with(param)));
            }
            Source::Subquery { node, range, shift, .. } => {
                node.selectors(param, visit, reach.shifted(*shift, param).over(range.with(param)));
            }
        }
    }
}

impl Aggregate {
    fn visit(&mut self, visit: &mut dyn FnMut(&mut Selector, Option<&[String]>)) {
        let by = match &self.grouping {
            Grouping::By(by) if self.op == Agg::Sum => Some(by),
            Grouping::By(_) | Grouping::Without(_) => None,
        };
        match (by, &mut *self.of) {
            (
                Some(by),
                Node::Over { func: Over::Rate | Over::Increase, source, absent: None, .. },
            ) if !by.iter().any(|label| label == "__name__") => match source {
                Source::Series { selector, .. } => visit(selector, Some(by)),
                Source::Subquery { node, .. } => node.visit(visit),
            },
            (_, of) => of.visit(visit),
        }
        self.param.iter_mut().for_each(|param| param.visit(visit));
    }
}
