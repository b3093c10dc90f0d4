//! Runs tests: time goes from zero in steps, samples come in, rules are
//! evaluated, and at the times that are asked for everything is compared.

use super::file::{AlertCase, ExprCase, Suite, Test};
use super::{Failure, Outcome};
use crate::judge::prometheus::Group;
use crate::metrics::Series;
use crate::metrics::promql::{Mode, Query};
use crate::model::{Labels, SECOND, Span, Timestamp};

/// Nothing is forgotten.
const FOREVER: Span = Span::from_secs(1_000_000_000);

/// The step of a subquery that names none, where a test does not say otherwise.
const STEP: Span = Span::from_secs(60);

pub(super) fn run(suite: &Suite, outcome: &mut Outcome) {
    for test in &suite.tests {
        let course = Course { suite, test, series: Series::new(), loaded: 0 };
        course.run(outcome);
    }
}

struct Course<'s> {
    suite: &'s Suite,
    test: &'s Test,
    series: Series,
    /// So many samples of each series have come in.
    loaded: usize,
}

impl Course<'_> {
    fn run(mut self, outcome: &mut Outcome) {
        let (suite, test) = (self.suite, self.test);
        outcome.tried += test.alerts.len() + test.exprs.len();
        let mut groups = match suite.groups() {
            Ok(groups) => groups,
            Err(what) => return outcome.failures.push(self.failed("the rules", what)),
        };
        let written: Vec<String> = groups.iter().flat_map(Group::writes).collect();
        for name in test.series.iter().map(|input| &input.name).chain(&written) {
            self.series.keep(name, FOREVER);
        }
        let times = test.alerts.iter().map(|case| case.at);
        let end = times.chain(test.exprs.iter().map(|case| case.at)).max().unwrap_or_default();
        let mut at = Span::ZERO;
        while at <= end {
            self.load(at);
            let now = Timestamp::default() + at;
            let known = outcome.failures.len();
            for group in &mut groups {
                for (rule, what) in group.evaluate(&mut self.series, now, &test.outside) {
                    let what = format!("{rule} cannot be evaluated at {at}: {what}");
                    outcome.failures.push(self.failed("the rules", what));
                }
            }
            if outcome.failures.len() > known {
                return; // what comes of it means nothing
            }
            // What is asked for between two evaluations is as it was at the first.
            let is_now = |case: &&AlertCase| at <= case.at && case.at < at + suite.every;
            for case in test.alerts.iter().filter(is_now) {
                outcome.failures.extend(self.alerts(case, &groups));
            }
            at += suite.every;
        }
        for case in &test.exprs {
            outcome.failures.extend(self.expression(case));
        }
    }

    /// What only all of the rules together show to be wrong.
    fn failed(&self, what: &str, why: String) -> Failure {
        Failure {
            line: self.test.alerts.first().map_or(1, |case| case.line),
            test: self.test.name.clone(),
            what: what.to_owned(),
            expected: vec!["to be evaluated".to_owned()],
            got: vec![why],
        }
    }

    /// Takes in the samples up to a time.
    fn load(&mut self, to: Span) {
        let interval = self.test.interval;
        let upto = usize::try_from(to.millis() / interval.millis()).unwrap_or(usize::MAX) + 1;
        for input in &self.test.series {
            let id = self.series.intern(&input.name, &input.labels);
            let new = input.values.iter().enumerate().take(upto).skip(self.loaded);
            for (index, value) in new {
                let at = Timestamp::default() + i64::try_from(index).unwrap_or(0) * interval;
                if let Some(value) = value {
                    self.series.push(id, at, *value);
                }
            }
        }
        self.loaded = upto;
    }

    fn alerts(&self, case: &AlertCase, groups: &[Group]) -> Option<Failure> {
        let mut got: Vec<(Labels, Labels)> =
            groups.iter().flat_map(|group| group.firing(&case.name)).collect();
        let mut expected = case.expected.clone();
        got.sort();
        expected.sort();
        let show = |all: &[(Labels, Labels)]| match all {
            [] => vec!["no alert".to_owned()],
            all => {
                let lines = all.iter().map(|(labels, annotations)| {
                    let with = format!("annotations {annotations}");
                    [format!("labels {labels}"), with]
                });
                lines.flatten().collect()
            }
        };
        (got != expected).then(|| Failure {
            line: case.line,
            test: self.test.name.clone(),
            what: format!("alert {} at {}", case.name, case.at),
            expected: show(&expected),
            got: show(&got),
        })
    }

    fn expression(&mut self, case: &ExprCase) -> Option<Failure> {
        let at = Timestamp::default() + case.at;
        let query = Query::compile(&with_step(&case.expr, self.suite.every));
        let found = query
            .map_err(|wrong| wrong.to_string())
            .and_then(|mut query| query.eval(&self.series, at, Mode::Prometheus));
        let mut expected = case.expected.clone();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        let show = |all: &[(Labels, f64)]| match all {
            [] => vec!["nothing".to_owned()],
            all => all.iter().map(|(labels, value)| format!("{labels} {value}")).collect(),
        };
        let got = match found {
            Err(what) => vec![what],
            Ok(mut found) => {
                found.sort_by(|a, b| a.0.cmp(&b.0));
                let is_same = found.len() == expected.len()
                    && found
                        .iter()
                        .zip(&expected)
                        .all(|(got, wanted)| got.0 == wanted.0 && self.is_equal(got.1, wanted.1));
                if is_same {
                    return None;
                }
                show(&found)
            }
        };
        Some(Failure {
            line: case.line,
            test: self.test.name.clone(),
            what: format!("{} at {}", case.expr, case.at),
            expected: show(&expected),
            got,
        })
    }

    /// As promtool compares: by every bit, unless the file asks for slack.
    fn is_equal(&self, got: f64, wanted: f64) -> bool {
        let slack = 1e-6 * got.abs().max(wanted.abs());
        got == wanted || (self.suite.is_fuzzy && (got - wanted).abs() <= slack)
    }
}

/// An expression whose subqueries without a step have that of the evaluation.
fn with_step(expr: &str, every: Span) -> String {
    if every == STEP || !expr.contains(':') {
        return expr.to_owned();
    }
    let step = match every.millis() % SECOND.millis() {
        0 => format!("{}s", every.millis() / SECOND.millis()),
        _ => format!("{}ms", every.millis()),
    };
    let mut out = String::with_capacity(expr.len() + step.len());
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in expr.char_indices() {
        out.push(c);
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, ':') if expr[at + 1..].trim_start().starts_with(']') => out.push_str(&step),
            _ => {}
        }
    }
    out
}
