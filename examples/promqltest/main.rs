//! Runs Prometheus's own test scripts (`promql/promqltest/testdata/*.test`)
//! against our evaluator, and counts what passed, failed and is not supported:
//! `cargo run --release --example promqltest -- FILE…`. It fails unless every
//! case passes that is about what we support; a case is not supported only
//! for one of the reasons that it names. With `-v` each failure is shown, with
//! `-u` each case that is not supported, with `--markdown` the table of the docs.
//! With `--ask` it answers the queries on its input instead (`ask`).

mod ask;
mod judge;
mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use bakewatch::metrics::Series;
use bakewatch::model::{Labels, Span, Timestamp};

use judge::Outcome;
use script::{case, expand, parse_metric, span, split_metric, words};

/// Longer than any script; nothing is to be forgotten.
const FOREVER: Span = Span::from_secs(1_000_000_000);

fn main() -> ExitCode {
    let (flags, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    if flags == ["--ask"] && files.is_empty() {
        return match ask::ask(std::io::stdin().lock(), std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(2)
            }
        };
    }
    if files.is_empty() || flags.iter().any(|flag| !FLAGS.contains(&&**flag)) {
        eprintln!("usage: promqltest [-v] [-u] [--markdown] FILE... | promqltest --ask");
        return ExitCode::from(2);
    }
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let mut tallies = Vec::new();
    for file in &files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::from(2);
            }
        };
        let mut runner = Runner::new(file, has("-v"), has("-u"));
        runner.run(&text);
        tallies.push((file.clone(), runner.tally));
    }
    print!("{}", if has("--markdown") { markdown(&tallies) } else { listed(&tallies) });
    if total(&tallies).failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

const FLAGS: [&str; 3] = ["-v", "-u", "--markdown"];

/// How many cases came out in which way; those that are not supported by
/// reason.
#[derive(Clone, Default)]
struct Tally {
    passed: u32,
    failed: u32,
    unsupported: BTreeMap<String, u32>,
}

impl Tally {
    fn unsupported(&self) -> u32 {
        self.unsupported.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { passed, failed, .. } = self;
        write!(f, "{passed} passed, {failed} failed, {} not supported", self.unsupported())
    }
}

fn total(tallies: &[(String, Tally)]) -> Tally {
    let mut all = Tally::default();
    for (_, tally) in tallies {
        all.passed += tally.passed;
        all.failed += tally.failed;
        for (reason, count) in &tally.unsupported {
            *all.unsupported.entry(reason.clone()).or_default() += count;
        }
    }
    all
}

/// The reasons, the most frequent first.
fn reasons(all: &Tally) -> Vec<(&str, u32)> {
    let mut reasons: Vec<(&str, u32)> =
        all.unsupported.iter().map(|(reason, count)| (&**reason, *count)).collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons
}

fn listed(tallies: &[(String, Tally)]) -> String {
    let all = total(tallies);
    let mut made = String::new();
    for (file, tally) in tallies {
        made += &format!("{file}: {tally}\n");
    }
    made += &format!("total: {all}\n");
    for (reason, count) in reasons(&all) {
        made += &format!("{count:>5} not supported: {reason}\n");
    }
    made
}

fn markdown(tallies: &[(String, Tally)]) -> String {
    let all = total(tallies);
    let mut made = "| script | passed | failed | not supported |\n|---|--:|--:|--:|\n".to_owned();
    let mut row = |name: &str, tally: &Tally| {
        let Tally { passed, failed, .. } = tally;
        made += &format!("| {name} | {passed} | {failed} | {} |\n", tally.unsupported());
    };
    for (file, tally) in tallies {
        let name = Path::new(file).file_name().map_or(file.into(), |name| name.to_string_lossy());
        row(&format!("`{name}`"), tally);
    }
    row("**all**", &all);
    made += "\n| not supported | cases |\n|---|--:|\n";
    for (reason, count) in reasons(&all) {
        made += &format!("| {reason} | {count} |\n");
    }
    made
}

struct Runner<'a> {
    file: &'a str,
    verbose: bool,
    show_unsupported: bool,
    series: Series,
    /// Series with native histograms, since the last `clear`.
    native: BTreeSet<Labels>,
    /// Series with `__type__` or `__unit__`.
    typed: BTreeSet<Labels>,
    tally: Tally,
}

impl<'a> Runner<'a> {
    fn new(file: &'a str, verbose: bool, show_unsupported: bool) -> Runner<'a> {
        Runner {
            file,
            verbose,
            show_unsupported,
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
                self.load(span(step.trim()), &body, false);
            } else if let Some(step) = head.strip_prefix("load_with_nhcb ") {
                self.load(span(step.trim()), &body, true);
            } else if head.starts_with("eval") {
                self.eval(number, head, &body);
            } else {
                self.fail(number, head, "not understood");
            }
        }
    }

    /// `with_native`: each classic histogram comes as a native one too.
    fn load(&mut self, step: Span, body: &[&str], with_native: bool) {
        // Of a series that is named twice the later line counts.
        let mut loaded: BTreeMap<(String, Labels), Vec<Option<f64>>> = BTreeMap::new();
        for line in body {
            let Some((metric, points)) = split_metric(line) else { continue };
            let Some((name, labels)) = parse_metric(metric) else { continue };
            let whole = labels.with("__name__", &name);
            if points.contains("{{") {
                self.native.insert(whole.clone());
            }
            if labels.get("__type__").or(labels.get("__unit__")).is_some() {
                self.typed.insert(whole);
            }
            if let Some(base) = name.strip_suffix("_bucket").filter(|_| with_native) {
                let others = labels.shared().iter().filter(|(name, _)| &**name != "le");
                let labels = Labels::from_pairs(others.cloned());
                self.native.insert(labels.with("__name__", base));
                loaded.entry((base.to_owned(), labels)).or_default();
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
            return self.fail(number, head, "not understood");
        };
        match judge::judge(&case, &self.series, &self.native, &self.typed) {
            Outcome::Passed => self.tally.passed += 1,
            Outcome::Failed(why) => self.fail(number, case.query, &why),
            Outcome::Unsupported(why) => {
                if self.show_unsupported {
                    println!("{}:{number}: {}\n    {why}", self.file, case.query);
                }
                *self.tally.unsupported.entry(why).or_default() += 1;
            }
        }
    }

    fn fail(&mut self, number: usize, what: &str, why: &str) {
        self.tally.failed += 1;
        if self.verbose {
            println!("{}:{number}: {what}\n    {why}", self.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: &str = "load 1m\n  x_total{p=\"a\"} 0+60x10\n  x_total{p=\"b\"} 0+120x10\n  \
                        g 1 2 3\n  h {{schema:0 count:1}}\n";

    /// Passed, failed, not supported.
    fn check(case: &str, expected: (u32, u32, u32)) {
        let mut runner = Runner::new("x", false, false);
        runner.run(&format!("{LOAD}{case}"));
        let Tally { passed, failed, .. } = runner.tally;
        assert_eq!((passed, failed, runner.tally.unsupported()), expected, "{case}");
    }

    #[test]
    fn passes_what_is_right_and_fails_what_is_not() {
        check("eval instant at 5m sum(x_total)\n  {} 900", (1, 0, 0));
        check("eval instant at 5m sum(x_total)\n  {} 901", (0, 1, 0));
        check("eval instant at 5m sum(x_total)\n  {} 900\n  {p=\"a\"} 1", (0, 1, 0));
        check("eval instant at 5m x_total{p=\"a\"}\n  {p=\"a\"} 300", (0, 1, 0));
        check("eval range from 0 to 2m step 1m g\n  g 1 2 3", (1, 0, 0));
        check("eval range from 0 to 2m step 1m g\n  g 1 2 4", (0, 1, 0));
        check(
            "eval instant at 2m g[2m]\n  expect range vector from 1m to 2m step 1m\n  g 2 3",
            (1, 0, 0),
        );
        check(
            "eval instant at 2m g[2m]\n  expect range vector from 0 to 1m step 1m\n  g 2 3",
            (0, 1, 0),
        );
        check("eval instant at 0 \"a\"\n  expect string \"a\"", (1, 0, 0));
        check("eval instant at 0 \"a\"\n  expect string \"b\"", (0, 1, 0));
    }

    #[test]
    fn holds_annotations_against_what_is_expected() {
        let query = "eval instant at 2m sum(rate(g[2m])) > 1\n  ";
        check(&format!("{query}expect info"), (1, 0, 0));
        check(&format!("{query}expect no_info"), (0, 1, 0));
        check(&format!("{query}expect warn"), (0, 1, 0));
        check(&format!("{query}expect info regex: counter.*\\(1:10\\)"), (1, 0, 0));
        check(&format!("{query}expect info regex: counter.*\\(1:9\\)"), (0, 1, 0));
    }

    #[test]
    fn takes_a_refusal_for_no_failure_that_was_expected() {
        check(
            "eval instant at 0 topk(NaN, g)\n  expect fail msg: Parameter value is NaN",
            (1, 0, 0),
        );
        check("eval instant at 0 topk(NaN, g)\n  expect fail msg: something else", (0, 1, 0));
        check("eval instant at 0 g\n  expect fail", (0, 1, 0));
        check("eval instant at 0 limitk(NaN, g)\n  expect fail", (0, 0, 1));
        check("eval instant at 0 h\n  h {{schema:0 count:1}}", (0, 0, 1));
        check("eval instant at 0 histogram_count(h)\n  {} 1", (0, 0, 1));
        check("eval instant at 0 rat(g)", (0, 1, 0));
        check("nonsense", (0, 1, 0));
    }
}
