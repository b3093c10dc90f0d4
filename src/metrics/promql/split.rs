//! What an alerting expression says at its top. `a > 5` gives what is wrong;
//! what is there at all is `a`, and only that tells calm from no data.

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{BinModifier, BinaryExpr, Expr, ParenExpr};

use super::check::tree;

/// The top of an expression.
#[derive(Clone, PartialEq, Debug)]
pub enum Top {
    /// A comparison that filters.
    Compared {
        /// The same without the filter: each element that was compared, with
        /// the value that a rule shows of it.
        all: String,
        /// The side and the number, where it is `>` or `<` against one.
        bound: Option<Side>,
    },
    /// Nothing can be told from its being empty; the word for what it is.
    Whole(String),
}

/// Where the good side ends, in a comparison with a number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Side {
    /// Anything greater is wrong.
    Above(f64),
    /// Anything smaller is.
    Below(f64),
}

/// Splits an expression at its top comparison.
pub fn split(text: &str) -> Top {
    let Ok(parsed) = tree(text) else {
        return Top::Whole("something that cannot be read".to_owned());
    };
    let mut top = &parsed;
    while let Expr::Paren(ParenExpr { expr }) = top {
        top = expr;
    }
    let Expr::Binary(binary) = top else { return Top::Whole(word_of(top)) };
    let op = binary.op.to_string();
    let modifier = binary.modifier.clone().unwrap_or_default();
    if !binary.op.is_comparison_operator() || modifier.return_bool {
        let bool = if modifier.return_bool { " bool" } else { "" };
        return Top::Whole(format!("`{op}{bool}`"));
    }
    let (all, bound) = match (binary.lhs.value_type(), binary.rhs.value_type()) {
        (ValueType::Vector, ValueType::Scalar) => {
            let bound = number(&binary.rhs).and_then(|value| side(&op, value));
            ((*binary.lhs).clone(), bound)
        }
        (ValueType::Scalar, ValueType::Vector) => {
            let turned = match op.as_str() {
                ">" => "<",
                "<" => ">",
                _ => "",
            };
            let bound = number(&binary.lhs).and_then(|value| side(turned, value));
            ((*binary.rhs).clone(), bound)
        }
        _ => match without_filter(binary, modifier) {
            Some(all) => (all, None),
            None => return Top::Whole(format!("`{op}`")),
        },
    };
    // What is written anew has to be read as what it was.
    let text = all.to_string();
    match tree(&text) {
        Ok(again) if again == all => Top::Compared { all: text, bound },
        _ => Top::Whole(format!("`{op}` over what cannot be written apart")),
    }
}

/// Of two vectors: all pairs that match, each with the value of the left side.
/// To add nothing of the right side keeps the pairs and that value.
fn without_filter(binary: &BinaryExpr, modifier: BinModifier) -> Option<Expr> {
    let nothing = tree("clamp(x, 0, 0)").ok()?;
    let sum = tree("(x) + (x)").ok()?;
    let (Expr::Call(mut nothing), Expr::Binary(mut sum)) = (nothing, sum) else { return None };
    **nothing.args.args.first_mut()? = (*binary.rhs).clone();
    *sum.lhs = Expr::Paren(ParenExpr { expr: binary.lhs.clone() });
    *sum.rhs = Expr::Call(nothing);
    sum.modifier = binary.modifier.as_ref().map(|_| modifier);
    Some(Expr::Binary(sum))
}

/// An expression on one line and without comments, for people.
pub fn one_line(text: &str) -> String {
    match tree(text) {
        Ok(parsed) => parsed.to_string(),
        Err(_) => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

fn side(op: &str, value: f64) -> Option<Side> {
    match op {
        ">" => Some(Side::Above(value)),
        "<" => Some(Side::Below(value)),
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::NumberLiteral(number) => Some(number.val).filter(|value| value.is_finite()),
        Expr::Paren(paren) => number(&paren.expr),
        Expr::Unary(unary) => number(&unary.expr).map(|value| -value),
        _ => None,
    }
}

/// What people call it.
fn word_of(expr: &Expr) -> String {
    match expr {
        Expr::Aggregate(aggregate) => format!("`{}`", aggregate.op),
        Expr::Call(call) => format!("`{}`", call.func.name),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => "a constant".to_owned(),
        Expr::Unary(_) => "a minus".to_owned(),
        _ => "a selector without a comparison".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Series;
    use crate::metrics::promql::{Mode, Query};
    use crate::model::{Labels, Timestamp};

    fn told(text: &str) -> String {
        match split(text) {
            Top::Compared { all, bound } => format!("{all} {bound:?}"),
            Top::Whole(word) => word,
        }
    }

    #[test]
    fn takes_the_filter_from_a_comparison_and_knows_its_bound() {
        for (text, expected) in [
            ("a > 5", "a Some(Above(5.0))"),
            ("(a{x=\"1\"} < -0.5)", "a{x=\"1\"} Some(Below(-0.5))"),
            ("5 < sum by (x) (rate(a[5m]))", "sum by (x) (rate(a[5m])) Some(Above(5.0))"),
            ("a >= 5", "a None"),
            ("a == 0", "a None"),
            ("a > time() - 5", "a None"),
            ("a + b > 1", "a + b Some(Above(1.0))"),
            ("a > b", "(a) + clamp(b, 0, 0) None"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn shows_an_expression_on_one_line() {
        assert_eq!(one_line("# why\nsum(x) # what\n  > 5\n"), "sum(x) > 5");
        assert_eq!(one_line("sum(x\n  > 5"), "sum(x > 5");
    }

    #[test]
    fn leaves_whole_what_is_no_filter_at_its_top() {
        for (text, expected) in [
            ("a > 5 and b > 1", "`and`"),
            ("a unless b", "`unless`"),
            ("absent(a)", "`absent`"),
            ("a > bool 5", "`> bool`"),
            ("sum(a)", "`sum`"),
            ("up", "a selector without a comparison"),
            ("vector(1)", "`vector`"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    /// What is there at all has the labels of what is wrong, and its values.
    #[test]
    fn gives_of_two_vectors_the_pairs_that_the_filter_chooses_from() {
        let mut series = Series::new();
        let at = Timestamp::from_millis(1_000_000);
        for (name, labels, value) in [
            ("a", [("p", "1"), ("q", "x")], 3.0),
            ("a", [("p", "2"), ("q", "x")], 9.0),
            ("b", [("p", "1"), ("q", "y")], 2.0),
            ("b", [("p", "2"), ("q", "y")], f64::INFINITY),
            ("b", [("p", "3"), ("q", "y")], 1.0),
        ] {
            let id = series.intern(name, &Labels::from_pairs(labels));
            series.push(id, at, value);
        }
        let eval = |text: &str| {
            let mut query = Query::compile(text).expect(text);
            query.eval(&series, at, Mode::Prometheus).expect(text)
        };
        for (text, wrong, all) in [
            ("a > on(p) b", vec![3.0], vec![3.0, 9.0]),
            ("a > ignoring(q) group_left b", vec![3.0], vec![3.0, 9.0]),
            ("a != on(p) group_right b", vec![3.0, 9.0], vec![3.0, 9.0]),
            ("sum(a) > sum(b)", vec![], vec![12.0]),
        ] {
            let Top::Compared { all: text_of_all, .. } = split(text) else { panic!("{text}") };
            let values =
                |found: &[(Labels, f64)]| found.iter().map(|(_, v)| *v).collect::<Vec<_>>();
            let (filtered, whole) = (eval(text), eval(&text_of_all));
            assert_eq!((values(&filtered), values(&whole)), (wrong, all), "{text}");
            let without_name = |labels: &Labels| {
                Labels::from_pairs(labels.iter().filter(|(name, _)| *name != "__name__"))
            };
            for (labels, _) in &filtered {
                let bare = without_name(labels);
                assert!(whole.iter().any(|(labels, _)| *labels == bare), "{text}: {labels}");
            }
        }
    }
}
