//! Where calls stand in a query's text: the parser tells what they are, and
//! not where. Calls come in the order in which their names are written, which
//! is also the order in which the tree is walked.

use std::cell::Cell;

use super::annotation::Spot;
use super::check::{Token, WORDS};
use super::compile;

/// A call, and where its arguments begin.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Site {
    pub name: Spot,
    pub args: Vec<Spot>,
}

/// All calls of a text, handed out one after the other.
#[derive(Debug)]
pub(super) struct Sites {
    found: Vec<Site>,
    next: Cell<usize>,
}

impl Sites {
    /// The calls among the words of a text.
    pub fn of(text: &str, tokens: &[Token<'_>]) -> Sites {
        let mut found = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            let before = if index == 0 { "" } else { tokens[index - 1].text };
            if let Some(open) = opened(tokens, index).filter(|_| before != "@") {
                let args = arguments(tokens, open).into_iter().map(|at| Spot::of(text, at));
                found.push(Site { name: Spot::of(text, token.at), args: args.collect() });
            }
        }
        Sites { found, next: Cell::new(0) }
    }

    /// The next call in the order of the text.
    pub fn next(&self) -> Site {
        let at = self.next.get();
        self.next.set(at + 1);
        let nowhere = || Site { name: Spot::of("", 0), args: Vec::new() };
        self.found.get(at).cloned().unwrap_or_else(nowhere)
    }
}

impl Site {
    /// Where an argument begins; where the call does when it has none.
    pub fn arg(&self, index: usize) -> Spot {
        self.args.get(index).copied().unwrap_or(self.name)
    }
}

/// The parenthesis before a call's arguments, if a call begins here.
fn opened(tokens: &[Token<'_>], index: usize) -> Option<usize> {
    let name = tokens[index].text.to_lowercase();
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    if compile::aggregation(&name).is_some() {
        let next = text(index + 1).to_lowercase();
        if matches!(&*next, "by" | "without") && text(index + 2) == "(" {
            let end = tokens[index..].iter().position(|token| token.text == ")")?;
            return (text(index + end + 1) == "(").then_some(index + end + 1);
        }
        return (next == "(").then_some(index + 1);
    }
    let calls = compile::is_function(tokens[index].text) && !WORDS.contains(&&*name);
    (calls && text(index + 1) == "(").then_some(index + 1)
}

/// Where each argument begins, in bytes.
fn arguments(tokens: &[Token<'_>], open: usize) -> Vec<usize> {
    let (mut begins, mut depth, mut from) = (Vec::new(), 0, open + 1);
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && token.text == ",") {
            begins.extend(tokens[from..index].first().map(|first| first.at));
            from = index + 1;
        }
        if depth == 0 {
            break;
        }
    }
    begins
}

#[cfg(test)]
mod tests {
    use super::super::check::tokens;
    use super::*;

    fn check(text: &str, expected: &[(&str, &[&str])]) {
        let sites = Sites::of(text, &tokens(text).expect("words"));
        let shown = |site: &Site| {
            let args: Vec<String> = site.args.iter().map(Spot::to_string).collect();
            (site.name.to_string(), args)
        };
        let found: Vec<_> = sites.found.iter().map(shown).collect();
        let owned = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect();
        let expected: Vec<(String, Vec<String>)> =
            expected.iter().map(|(name, args)| ((*name).to_owned(), owned(args))).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_calls_and_their_arguments() {
        check("rate(x[1m])", &[("1:1", &["1:6"])]);
        check(
            "histogram_quantile(0.9, sum by (le) (rate(x{a=\"b,c\"}[1m])))",
            &[("1:1", &["1:20", "1:25"]), ("1:25", &["1:38"]), ("1:38", &["1:43"])],
        );
        check("topk((2), -x) by (sum)", &[("1:1", &["1:6", "1:11"])]);
        check("x @ start() + on (p)\n time()", &[("2:2", &[])]);
        check("sum without () (x)", &[("1:1", &["1:17"])]);
        check("{sum=\"x\"} and (max(y))", &[("1:16", &["1:20"])]);
    }
}
