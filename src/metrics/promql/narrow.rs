//! A query as it is sent to a server that holds more than one service: what
//! `$range` stands for is filled in, and every selector gets some matchers
//! besides. Done on the parsed query, so that no form of selector is missed.

use std::time::Duration;

use promql_parser::label::Matcher;
use promql_parser::parser::{Expr, VectorSelector};

use super::check::{tree, with_range};
use super::compile::RANGE_WORD;
use crate::model::Span;

/// A query that can be sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Narrowed {
    /// Its text.
    pub text: String,
    /// The longest range that a selector of it reads.
    pub range: Option<Span>,
}

/// The query with a length for `$range`, and with the matchers of `selector`
/// (`{job="chat"}`) in every selector.
///
/// # Errors
/// It is no PromQL, has more words than we send, or cannot be written down again.
pub fn narrow(text: &str, range: Span, selector: Option<&str>) -> Result<Narrowed, String> {
    let filled = match text.contains(RANGE_WORD) {
        true => with_range(text, &duration(range)).map_err(|complaint| complaint.what)?,
        false => text.to_owned(),
    };
    let mut parsed = tree(&filled)?;
    let matchers = selector.map(matchers).transpose()?.unwrap_or_default();
    let mut longest = None;
    each(&mut parsed, &mut |selected, range| {
        add(selected, &matchers);
        longest = longest.max(range);
    });
    let range = longest.map(Span::from);
    if matchers.is_empty() {
        return Ok(Narrowed { text: filled, range });
    }
    let text = parsed.to_string();
    match tree(&text) {
        Ok(again) if again == parsed => Ok(Narrowed { text, range }),
        Ok(_) | Err(_) => {
            Err("a selector cannot be put into this query; write its matchers in the query, and \
                 ask a source without `selector`"
                .to_owned())
        }
    }
}

/// The matchers of `{job="chat"}`.
///
/// # Errors
/// It is nothing of that form, or names a metric.
pub fn matchers(selector: &str) -> Result<Vec<Matcher>, String> {
    const SUCH_AS: &str = "write for example '{job=\"chat\"}'";
    let is_braced = selector.trim().starts_with('{') && selector.trim().ends_with('}');
    let Ok(Expr::VectorSelector(parsed)) = tree(selector) else {
        return Err(format!("{selector:?} is no list of matchers; {SUCH_AS}"));
    };
    let all = parsed.matchers;
    let names_metric = parsed.name.is_some() || all.matchers.iter().any(|m| m.name == "__name__");
    let is_plain = parsed.offset.is_none() && parsed.at.is_none() && all.or_matchers.is_empty();
    if !is_braced || !is_plain || all.matchers.is_empty() {
        return Err(format!("{selector:?} is no list of matchers; {SUCH_AS}"));
    }
    if names_metric {
        return Err(format!("{selector:?} names a metric, which queries do; {SUCH_AS}"));
    }
    Ok(all.matchers)
}

/// Asks whether anything is there that a query reads; `None`: it reads nothing.
pub fn there(text: &str) -> Option<String> {
    let mut parsed = tree(text).ok()?;
    let mut found: Vec<String> = Vec::new();
    each(&mut parsed, &mut |selected, _| {
        let asked = format!("count({selected})");
        if !found.contains(&asked) {
            found.push(asked);
        }
    });
    (!found.is_empty()).then(|| found.join(" or "))
}

/// `300s`, which every server reads.
fn duration(span: Span) -> String {
    match span.millis() % 1000 {
        0 => format!("{}s", span.millis() / 1000),
        _ => format!("{}ms", span.millis()),
    }
}

fn add(selected: &mut VectorSelector, matchers: &[Matcher]) {
    let lists = &mut selected.matchers;
    match lists.or_matchers.is_empty() {
        true => {
            lists.matchers.extend(matchers.iter().cloned());
            lists.matchers.sort_by_key(ToString::to_string); // as they are written down
        }
        false => lists.or_matchers.iter_mut().for_each(|one| one.extend(matchers.iter().cloned())),
    }
}

/// Calls `visit` for every selector, with the range that is read of it.
fn each(expr: &mut Expr, visit: &mut dyn FnMut(&mut VectorSelector, Option<Duration>)) {
    match expr {
        Expr::VectorSelector(selector) => visit(selector, None),
        Expr::MatrixSelector(matrix) => visit(&mut matrix.vs, Some(matrix.range)),
        Expr::Aggregate(aggregate) => {
            aggregate.param.iter_mut().for_each(|param| each(param, visit));
            each(&mut aggregate.expr, visit);
        }
        Expr::Unary(unary) => each(&mut unary.expr, visit),
        Expr::Binary(binary) => {
            each(&mut binary.lhs, visit);
            each(&mut binary.rhs, visit);
        }
        Expr::Paren(paren) => each(&mut paren.expr, visit),
        Expr::Subquery(subquery) => each(&mut subquery.expr, visit),
        Expr::Call(call) => call.args.args.iter_mut().for_each(|arg| each(arg, visit)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MINUTE;

    fn narrowed(text: &str) -> String {
        let selector = Some("{job=\"chat\",env!~\"dev|test\"}");
        narrow(text, 5 * MINUTE, selector).map_or_else(|what| what, |narrowed| narrowed.text)
    }

    #[test]
    fn puts_the_matchers_into_every_selector() {
        let more = "env!~\"dev|test\",job=\"chat\"";
        for (text, expected) in [
            ("x", format!("x{{{more}}}")),
            (
                "sum(increase(x{s=~\"5..\"}[$range]))",
                format!("sum(increase(x{{{more},s=~\"5..\"}}[5m]))"),
            ),
            ("a / on(p) group_left b", format!("a{{{more}}} / on (p) group_left () b{{{more}}}")),
            ("-(a) > 5", format!("-(a{{{more}}}) > 5")),
            ("quantile(scalar(q), x)", format!("quantile(scalar(q{{{more}}}), x{{{more}}})")),
            (
                "max_over_time(rate(x[1m])[5m:30s] offset 1h)",
                format!("max_over_time(rate(x{{{more}}}[1m])[5m:30s] offset 1h)"),
            ),
            ("absent(up{job=\"other\"})", format!("absent(up{{{more},job=\"other\"}})")),
            ("{\"a.b\",c=\"1\"}", format!("{{__name__=\"a.b\",c=\"1\",{more}}}")),
            ("{a=\"1\" or b=\"2\"}", {
                let last = "job=\"chat\",env!~\"dev|test\""; // as they are given
                format!("{{a=\"1\",{last} or b=\"2\",{last}}}")
            }),
            ("time() - 5", "time() - 5".to_owned()),
        ] {
            let made = narrowed(text).replace(", ", ",");
            assert_eq!(made, expected.replace(", ", ","), "{text}");
        }
    }

    #[test]
    fn sends_what_is_written_where_there_is_nothing_to_put_in() {
        let made = narrow("sum( rate(x[$range]) )  # why", 90 * crate::model::SECOND, None);
        let text = "sum( rate(x[90s]) )  # why".to_owned();
        assert_eq!(made, Ok(Narrowed { text, range: Some(Span::from_secs(90)) }));
        assert_eq!(narrow("x", MINUTE, None).map(|made| made.range), Ok(None));
        assert!(narrow("sum(", MINUTE, None).is_err());
    }

    #[test]
    fn asks_whether_anything_is_there_that_a_query_reads() {
        let asked = there("absent(up{job=\"a\"}) or rate(x[5m] offset 1h) > x and x");
        let expected = "count(up{job=\"a\"}) or count(x offset 1h) or count(x)";
        assert_eq!(asked.as_deref(), Some(expected));
        assert_eq!(there("vector(1)"), None);
    }

    #[test]
    fn takes_matchers_and_nothing_else_for_a_selector() {
        assert_eq!(matchers("{job=\"chat\"}").map(|all| all.len()), Ok(1));
        for wrong in ["job=\"chat\"", "up{job=\"chat\"}", "{}", "{job=\"a\"} offset 5m", "{", "1"] {
            assert!(matchers(wrong).is_err(), "{wrong}");
        }
        let named = matchers("{__name__=\"up\",job=\"a\"}");
        assert!(named.is_err_and(|what| what.contains("names a metric")));
    }
}
