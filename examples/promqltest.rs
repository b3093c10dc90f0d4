//! Runs Prometheus's own test scripts (`promql/promqltest/testdata/*.test`)
//! against our evaluator, and counts what passed, failed and is not supported:
//! `cargo run --release --example promqltest -- FILE…`. With `-v` it shows
//! each failure, with `-u` each case that is not supported.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use bakewatch::metrics::promql::Query;
use bakewatch::metrics::{Series, notation};
use bakewatch::model::{Labels, Span, Timestamp};

/// Longer than any script; nothing is to be forgotten.
const FOREVER: Span = Span::from_secs(1_000_000_000);

fn main() -> ExitCode {
    let (flags, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    let mut all = Tally::default();
    for file in &files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::from(2);
            }
        };
        let mut runner = Runner::new(file, &flags);
        runner.run(&text);
        println!("{file}: {}", runner.tally);
        all.add(&runner.tally);
    }
    println!("total: {all}");
    if all.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    unsupported: u32,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.unsupported += other.unsupported;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally { passed, failed, unsupported } = self;
        write!(f, "{passed} passed, {failed} failed, {unsupported} unsupported")
    }
}

enum Outcome {
    Passed,
    Failed(String),
    Unsupported(String),
}

struct Runner<'a> {
    file: &'a str,
    verbose: bool,
    show_unsupported: bool,
    series: Series,
    /// Names under which native histograms were loaded since the last `clear`.
    native: BTreeSet<String>,
    /// Names of series with `__type__` or `__unit__`.
    typed: BTreeSet<String>,
    tally: Tally,
}

/// One `eval`, with what is expected of it.
struct Case<'a> {
    start: Timestamp,
    end: Timestamp,
    step: Span,
    range: bool,
    query: &'a str,
    expects: Vec<&'a str>,
    rows: Vec<&'a str>,
}

impl<'a> Runner<'a> {
    fn new(file: &'a str, flags: &[String]) -> Runner<'a> {
        let has = |flag: &str| flags.iter().any(|given| given == flag);
        Runner {
            file,
            verbose: has("-v"),
            show_unsupported: has("-u"),
            series: Series::new(),
            native: BTreeSet::new(),
            typed: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    fn run(&mut self, text: &str) {
        let lines: Vec<(usize, &str)> = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim_end()))
            .filter(|(_, line)| !line.trim_start().starts_with('#') && !line.trim().is_empty())
            .collect();
        let mut at = 0;
        while at < lines.len() {
            let (number, head) = lines[at];
            let head = head.trim();
            let mut end = at + 1;
            while end < lines.len() && lines[end].1.starts_with([' ', '\t']) {
                end += 1;
            }
            let body: Vec<&str> = lines[at + 1..end].iter().map(|(_, line)| line.trim()).collect();
            at = end;
            if head == "clear" {
                self.series = Series::new();
                self.native.clear();
                self.typed.clear();
            } else if let Some(step) = head.strip_prefix("load ") {
                self.load(span(step.trim()), &body);
            } else if head.starts_with("load_with_nhcb") {
                let classic = |line: &&str| line.split('{').next().unwrap_or("").to_owned();
                let names = body.iter().map(classic);
                let names = names.filter_map(|n| n.strip_suffix("_bucket").map(str::to_owned));
                self.native.extend(names);
                let step = head.split_whitespace().nth(1).unwrap_or("1m");
                self.load(span(step), &body);
            } else if head.starts_with("eval") {
                self.eval(number, head, &body);
            } else {
                println!("{}:{number}: not understood: {head}", self.file);
            }
        }
    }

    fn load(&mut self, step: Span, body: &[&str]) {
        // Of a series that is named twice the later line counts.
        let mut loaded: BTreeMap<(String, Labels), Vec<Option<f64>>> = BTreeMap::new();
        for line in body {
            let Some((metric, points)) = split_metric(line) else { continue };
            let Some((name, labels)) = parse_metric(metric) else { continue };
            if points.contains("{{") {
                self.native.insert(name.clone());
            }
            if labels.get("__type__").or(labels.get("__unit__")).is_some() {
                self.typed.insert(name.clone());
            }
            let values = words(points).iter().filter_map(|word| expand(word)).flatten().collect();
            loaded.insert((name, labels), values);
        }
        for ((name, labels), values) in loaded {
            self.series.keep(&name, FOREVER);
            let id = self.series.intern(&name, &labels);
            for (index, value) in values.iter().enumerate() {
                let at = Timestamp::from_millis(index as i64 * step.millis());
                if let Some(value) = value {
                    self.series.push(id, at, *value);
                }
            }
        }
    }

    fn eval(&mut self, number: usize, head: &str, body: &[&str]) {
        let Some(case) = case(head, body) else {
            println!("{}:{number}: not understood: {head}", self.file);
            self.tally.failed += 1;
            return;
        };
        let outcome = self.judge(&case);
        match outcome {
            Outcome::Passed => self.tally.passed += 1,
            Outcome::Failed(why) => {
                self.tally.failed += 1;
                if self.verbose {
                    println!("{}:{number}: {}\n    {why}", self.file, case.query);
                }
            }
            Outcome::Unsupported(why) => {
                self.tally.unsupported += 1;
                if self.show_unsupported {
                    println!("{}:{number}: {}\n    {why}", self.file, case.query);
                }
            }
        }
    }

    fn judge(&self, case: &Case<'_>) -> Outcome {
        let unsupported = |why: &str| Outcome::Unsupported(why.to_owned());
        let fails = case.expects.iter().any(|line| line.starts_with("fail"));
        if case.rows.iter().any(|row| row.contains("{{")) {
            return unsupported("native histograms");
        }
        if case.expects.iter().any(|line| line.starts_with("string")) {
            return unsupported("a text as a result");
        }
        let mut query = match Query::compile(case.query) {
            Ok(query) => query,
            Err(complaint) if fails => {
                let ours = complaint.what.contains("not supported")
                    || complaint.what.contains("metric name");
                return if ours { unsupported(&complaint.what) } else { Outcome::Passed };
            }
            Err(complaint) => return unsupported(&complaint.to_string()),
        };
        if query.needs().iter().any(|(name, _)| self.native.contains(name)) {
            return unsupported("native histograms");
        }
        let mut rows: BTreeMap<Labels, Vec<Option<f64>>> = BTreeMap::new();
        let mut order = Vec::new();
        let mut at = case.start;
        let mut steps = 0;
        while at <= case.end {
            match query.eval_within(&self.series, at, (case.start, case.end)) {
                Err(_) if fails => return Outcome::Passed,
                Err(error) => return Outcome::Failed(error),
                Ok(vector) => {
                    for (labels, value) in vector {
                        order.push(labels.clone());
                        let row = rows.entry(labels).or_default();
                        row.resize(steps, None);
                        row.push(Some(value));
                    }
                }
            }
            at += case.step;
            steps += 1;
        }
        if fails {
            return Outcome::Failed("should have failed".into());
        }
        let outcome = compare(case, rows, &order, steps);
        // An experimental feature drops these labels with the name.
        let typed = query.needs().iter().any(|(name, _)| self.typed.contains(name));
        match outcome {
            Outcome::Failed(_) if typed => unsupported("__type__ and __unit__"),
            outcome => outcome,
        }
    }
}

fn compare(
    case: &Case<'_>,
    mut rows: BTreeMap<Labels, Vec<Option<f64>>>,
    order: &[Labels],
    steps: usize,
) -> Outcome {
    rows.values_mut().for_each(|row| row.resize(steps, None));
    let mut expected: BTreeMap<Labels, Vec<Option<f64>>> = BTreeMap::new();
    let mut expected_order = Vec::new();
    for row in &case.rows {
        let (labels, points) = match split_metric(row) {
            Some((metric, points)) if !points.is_empty() => {
                let Some((name, labels)) = parse_metric(metric) else {
                    return Outcome::Failed(format!("not understood: {row}"));
                };
                let named = if name.is_empty() { labels } else { labels.with("__name__", &name) };
                (named, points)
            }
            _ => (Labels::default(), *row),
        };
        let mut values: Vec<Option<f64>> =
            words(points).iter().filter_map(|word| expand(word)).flatten().collect();
        values.resize(steps, None);
        expected_order.push(labels.clone());
        expected.insert(labels, values);
    }
    let same = expected.len() == rows.len()
        && expected.iter().all(|(labels, values)| {
            rows.get(labels).is_some_and(|row| {
                row.iter().zip(values).all(|(a, b)| match (a, b) {
                    (None, None) => true,
                    (Some(a), Some(b)) => close(*a, *b),
                    _ => false,
                })
            })
        });
    let ordered = !case.range && case.expects.contains(&"ordered");
    if !same {
        return Outcome::Failed(format!("expected {expected:?}\n    came     {rows:?}"));
    }
    if ordered && expected_order != order {
        return Outcome::Failed(format!("expected order {expected_order:?}, came {order:?}"));
    }
    Outcome::Passed
}

fn close(a: f64, b: f64) -> bool {
    let near = (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
    a == b || (a.is_nan() && b.is_nan()) || near || (a - b).abs() < 1e-300
}

fn case<'a>(head: &'a str, body: &[&'a str]) -> Option<Case<'a>> {
    let (kind, rest) = head.split_once(' ')?;
    let mut expects: Vec<&str> = match kind {
        "eval_fail" => vec!["fail"],
        "eval_ordered" => vec!["ordered"],
        _ => Vec::new(),
    };
    let rest = rest.trim_start();
    let instant = |text: &str| Timestamp::default() + span(text);
    let (start, end, step, range, query) = if let Some(rest) = rest.strip_prefix("instant at ") {
        let (at, query) = rest.trim_start().split_once(char::is_whitespace)?;
        (instant(at), instant(at), Span::from_secs(1), false, query)
    } else {
        let rest = rest.strip_prefix("range from ")?;
        let (from, rest) = rest.trim_start().split_once(" to ")?;
        let (to, rest) = rest.trim_start().split_once(" step ")?;
        let (step, query) = rest.trim_start().split_once(char::is_whitespace)?;
        (instant(from.trim()), instant(to.trim()), span(step), true, query)
    };
    let mut rows = Vec::new();
    for line in body {
        match line.strip_prefix("expect ") {
            Some(what) => expects.push(what.trim()),
            None if line.starts_with("expected_fail") => {}
            None => rows.push(*line),
        }
    }
    Some(Case { start, end, step, range, query: query.trim(), expects, rows })
}

/// `5m`, `1h30m`, `-1m`, or plain seconds.
fn span(text: &str) -> Span {
    if let Ok(seconds) = text.parse::<f64>() {
        return Span::from_millis((seconds * 1000.0).round() as i64);
    }
    if let Some(rest) = text.strip_prefix('-') {
        return Span::ZERO - span(rest);
    }
    promql_parser::util::parse_duration(text).map(Span::from).unwrap_or_default()
}

/// A series from its points: the brace's end, or the first space without one.
fn split_metric(line: &str) -> Option<(&str, &str)> {
    let brace = line.find('{').filter(|at| !line[..*at].contains(char::is_whitespace));
    if line.starts_with("{{") {
        return None;
    }
    let Some(open) = brace else {
        let (name, points) = line.split_once(char::is_whitespace)?;
        return name
            .starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':')
            .then(|| (name, points.trim()));
    };
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line[open..].char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '}') => {
                let end = open + at + 1;
                return Some((&line[..end], line[end..].trim()));
            }
            _ => {}
        }
    }
    None
}

/// Name and labels.
fn parse_metric(metric: &str) -> Option<(String, Labels)> {
    let all = notation::metric(metric).ok()?;
    let name = all.get("__name__").unwrap_or_default().to_owned();
    Some((name, Labels::from_pairs(all.iter().filter(|(label, _)| *label != "__name__"))))
}

/// Points apart from each other; a native histogram is one, with its spaces.
fn words(points: &str) -> Vec<&str> {
    let (mut found, mut from, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in points.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            c if c.is_whitespace() && depth == 0 => {
                found.push(&points[from..at]);
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    found.push(&points[from..]);
    found.retain(|word| !word.is_empty());
    found
}

/// `1`, `_`, `stale`, `1+2x3`, `1x3`, `_x3`.
fn expand(word: &str) -> Option<Vec<Option<f64>>> {
    notation::values(word).ok()
}
