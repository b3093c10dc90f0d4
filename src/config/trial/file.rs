//! A file of tests, read and checked, with the rules that it tests.

use crate::config::complaint::{Complaint, Sink};
use crate::config::rules::file::{self as rules, Entry, Kind};
use crate::config::yaml::{self, Fields, Item};
use crate::config::{Files, Source, outside};
use crate::judge::prometheus::{Alerting, Group, Outside};
use crate::metrics::Recording;
use crate::metrics::notation;
use crate::model::{Labels, MINUTE, Name, Span};

/// All of a file.
pub(super) struct Suite {
    /// Groups of all rule files, in the order in which they are evaluated.
    groups: Vec<rules::Group>,
    pub every: Span,
    /// Numbers are compared with a little slack.
    pub is_fuzzy: bool,
    pub tests: Vec<Test>,
}

/// Series, and what is expected of them.
pub(super) struct Test {
    pub name: String,
    pub interval: Span,
    pub series: Vec<Input>,
    pub alerts: Vec<AlertCase>,
    pub exprs: Vec<ExprCase>,
    pub outside: Outside,
}

/// A series.
pub(super) struct Input {
    pub name: String,
    pub labels: Labels,
    pub values: Vec<Option<f64>>,
}

/// Which alerts of a name fire at a time.
pub(super) struct AlertCase {
    pub line: usize,
    pub at: Span,
    pub name: String,
    /// Labels and annotations.
    pub expected: Vec<(Labels, Labels)>,
}

/// What an expression comes to at a time.
pub(super) struct ExprCase {
    pub line: usize,
    pub at: Span,
    pub expr: String,
    pub expected: Vec<(Labels, f64)>,
}

const SUITE: [&str; 5] =
    ["rule_files", "evaluation_interval", "group_eval_order", "fuzzy_compare", "tests"];

const TEST: [&str; 7] = [
    "name",
    "interval",
    "input_series",
    "alert_rule_test",
    "promql_expr_test",
    "external_labels",
    "external_url",
];

/// Evaluations of one test; a month of minutes, and a slip of the hand beyond.
const STEPS_MAX: i64 = 100_000;

/// Values of all series of a test: they are held in memory.
const VALUES_MAX: usize = 2_000_000;

impl Suite {
    /// Its groups as they are before anything was evaluated.
    pub fn groups(&self) -> Result<Vec<Group>, String> {
        self.groups.iter().map(group).collect()
    }
}

fn group(read: &rules::Group) -> Result<Group, String> {
    let mut group = Group::new(&read.name, read.offset, read.limit);
    for Entry { expr, labels, kind, .. } in &read.rules {
        match kind {
            Kind::Record(name) => group.record(&Recording {
                name: Name::from(name.as_str()),
                query: expr.clone(),
                labels: Labels::from_pairs(labels.iter().cloned()),
                offset: read.offset,
                limit: read.limit,
            })?,
            Kind::Alert { name, hold, keep, annotations } => group.alert(Alerting {
                name: name.clone(),
                expr: expr.clone(),
                hold: *hold,
                keep: *keep,
                labels: labels.clone(),
                annotations: annotations.clone(),
            })?,
        }
    }
    Ok(group)
}

/// Reads a file and those that it names; with warnings.
pub(super) fn read(source: &Source, files: Files) -> Result<(Suite, Vec<String>), Vec<Complaint>> {
    let sink = Sink::new(&source.file, &source.text);
    let (mut warnings, mut wrong, mut suite) = (Vec::new(), Vec::new(), None);
    match yaml::read(&source.text) {
        Ok(node) => {
            suite = read_suite(&Item::top(&sink, &node), files, &mut warnings, &mut wrong);
        }
        Err((at, what)) => sink.error(at, "", what),
    }
    let mut all = sink.finish().0;
    all.append(&mut wrong);
    match suite {
        Some(suite) if all.is_empty() => Ok((suite, warnings)),
        _ => Err(all),
    }
}

fn read_suite(
    top: &Item,
    files: Files,
    warnings: &mut Vec<String>,
    wrong: &mut Vec<Complaint>,
) -> Option<Suite> {
    let fields = top.fields(&SUITE, |_| None)?;
    let every = fields.get("evaluation_interval").and_then(Item::span).unwrap_or(MINUTE);
    let every = if every == Span::ZERO { MINUTE } else { every };
    let mut groups = Vec::new();
    for item in fields.get("rule_files").map(Item::list).unwrap_or_default() {
        let Some(pattern) = item.text() else { continue };
        match files(pattern) {
            Ok(sources) => {
                for source in &sources {
                    match rules::read(source) {
                        Ok(found) => groups.extend(found),
                        Err(mut complaints) => wrong.append(&mut complaints),
                    }
                }
            }
            Err(what) => warnings.push(format!("{}: {what}", item.sink.said(item.at, &item.key))),
        }
    }
    let order = order(&fields);
    // Whoever is not named goes with the first, as in Prometheus.
    let place = |name: &str| order.iter().position(|known| known == name).unwrap_or(0);
    groups.sort_by_key(|group: &rules::Group| place(&group.name));
    let tests = fields.get("tests").map(Item::list).unwrap_or_default();
    let tests: Vec<Test> = tests.iter().filter_map(|item| test(item, every)).collect();
    let is_fuzzy = fields.get("fuzzy_compare").and_then(Item::flag).unwrap_or(false);
    Some(Suite { groups, every, is_fuzzy, tests })
}

fn order(fields: &Fields) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    for item in fields.get("group_eval_order").map(Item::list).unwrap_or_default() {
        let Some(name) = item.text() else { continue };
        if order.iter().any(|known| known == name) {
            item.error(format!("{name:?} stands twice; keep one"));
        }
        order.push(name.to_owned());
    }
    order
}

fn test(item: &Item, every: Span) -> Option<Test> {
    let fields = item.fields(&TEST, |_| None)?;
    let list = |key: &str| fields.get(key).map(Item::list).unwrap_or_default();
    let interval = fields.get("interval").and_then(Item::span).unwrap_or(every);
    let interval = if interval == Span::ZERO { every } else { interval };
    let text = |key: &str| fields.get(key).and_then(Item::text).unwrap_or_default();
    let external = fields.get("external_labels").map(Item::pairs).unwrap_or_default();
    let mut series: Vec<Input> = Vec::new();
    for item in list("input_series") {
        series.extend(input(&item));
        let values: usize = series.iter().map(|input| input.values.len()).sum();
        if values > VALUES_MAX {
            item.error(format!("more than {VALUES_MAX} values in one test; split it"));
            return None;
        }
    }
    Some(Test {
        name: text("name").to_owned(),
        interval,
        series,
        alerts: list("alert_rule_test").iter().filter_map(|one| alert(one, every)).collect(),
        exprs: list("promql_expr_test").iter().filter_map(|one| expr(one, every)).collect(),
        outside: Outside {
            labels: Labels::from_pairs(external.into_iter().map(|(_, name, text)| (name, text))),
            url: text("external_url").to_owned(),
        },
    })
}

fn input(item: &Item) -> Option<Input> {
    let fields = item.fields(&["series", "values"], |_| None)?;
    let series = fields
        .need("series", "series: up{job=\"web\"}")
        .and_then(|item| notation::series(item.text()?).map_err(|what| item.error(what)).ok());
    let values = fields
        .need("values", "values: 1 1 0x5")
        .and_then(|item| notation::values(item.text()?).map_err(|what| item.error(what)).ok());
    let (name, labels) = series?;
    Some(Input { name, labels, values: values? })
}

/// A time that is not absurdly far away.
fn eval_time(fields: &Fields, every: Span) -> Option<Span> {
    let Some(item) = fields.get("eval_time") else { return Some(Span::ZERO) };
    let at = item.span()?;
    if at.millis() / every.millis().max(1) > STEPS_MAX {
        item.error(format!("needs more than {STEPS_MAX} evaluations; write an earlier one"));
        return None;
    }
    Some(at)
}

fn alert(item: &Item, every: Span) -> Option<AlertCase> {
    let fields = item.fields(&["alertname", "eval_time", "exp_alerts"], |_| None)?;
    let at = eval_time(&fields, every);
    let name = fields.need("alertname", "alertname: Down").and_then(Item::text)?.to_owned();
    let expected = fields.get("exp_alerts").map(Item::list).unwrap_or_default();
    let expected = expected.iter().filter_map(|item| {
        let fields = item.fields(&["exp_labels", "exp_annotations"], |_| None)?;
        let pairs = |key: &str| {
            let pairs = fields.get(key).map(Item::pairs).unwrap_or_default();
            pairs.into_iter().map(|(_, name, text)| (name, text)).collect::<Vec<_>>()
        };
        let mut labels = pairs("exp_labels");
        labels.insert(0, ("alertname".to_owned(), name.clone()));
        let annotations = Labels::from_pairs(pairs("exp_annotations"));
        Some((Labels::from_pairs(labels), annotations))
    });
    let expected = expected.collect();
    Some(AlertCase { line: item.sink.line(item.at), at: at?, name, expected })
}

fn expr(item: &Item, every: Span) -> Option<ExprCase> {
    let fields = item.fields(&["expr", "eval_time", "exp_samples"], |_| None)?;
    let at = eval_time(&fields, every);
    let text = fields.need("expr", "expr: sum(up)").and_then(|item| {
        let text = item.text()?.trim();
        outside::expression(text).map_err(|what| item.error(what)).ok()?;
        Some(text.to_owned())
    });
    let mut expected = Vec::new();
    for item in fields.get("exp_samples").map(Item::list).unwrap_or_default() {
        let Some(fields) = item.fields(&["labels", "value", "histogram"], |_| None) else {
            continue;
        };
        if let Some(item) = fields.get("histogram") {
            item.error("native histograms are not supported; expect a number");
        }
        let labels = fields.get("labels").map_or(Some(Labels::default()), |item| {
            notation::metric(item.text()?).map_err(|what| item.error(what)).ok()
        });
        let value = fields.get("value").map_or(Some(0.0), Item::number);
        expected.extend(labels.zip(value));
    }
    Some(ExprCase { line: item.sink.line(item.at), at: at?, expr: text?, expected })
}
