//! Rules of Prometheus's files as rules, signals and recordings of a plan.

use std::collections::BTreeSet;

use super::Ground;
use super::file::{self, Entry, Group, Kind};
use crate::config::complaint::{Complaint, nearest};
use crate::config::signals::{self, Catalogue, Known};
use crate::config::walk::{Table, Value};
use crate::config::{Files, Source, outside};
use crate::judge::{Bound, Imported, Rule};
use crate::metrics::promql::{Side, Top, split};
use crate::metrics::{Recording, Shape, Signal, Unit};
use crate::model::{Labels, Name, Severity, Span};

/// What came of all files.
#[derive(Default)]
pub(in crate::config) struct Imports {
    pub rules: Vec<Rule>,
    pub signals: Vec<Signal>,
    pub recordings: Vec<Recording>,
    pub complaints: Vec<Complaint>,
}

/// Labels that tell how bad it is.
const SEVERITY: &str = "severity";

/// Annotations that say what is wrong, the best first.
const SUMMARIES: [&str; 3] = ["summary", "description", "message"];

/// Annotations that say where the way out is written down.
const RUNBOOKS: [&str; 2] = ["runbook_url", "runbook"];

/// Reads all files that the configuration names. `known`: the rules there are.
pub(in crate::config) fn read(
    top: &Table,
    ground: &Ground,
    known: &[Rule],
    catalogue: &mut Catalogue,
    files: Files,
) -> Imports {
    let mut import = Import {
        ground,
        names: known.iter().map(|rule| rule.name.to_string()).collect(),
        recorded: BTreeSet::new(),
        catalogue,
        made: Imports::default(),
    };
    let mut read: BTreeSet<String> = BTreeSet::new();
    for value in patterns(top) {
        let Some(pattern) = value.text() else { continue };
        let sources = match files(pattern) {
            Ok(sources) => sources,
            Err(what) => {
                value.error(what);
                continue;
            }
        };
        for source in sources {
            if read.insert(source.file.clone()) {
                import.take(&source);
            }
        }
    }
    import.made
}

/// `rules = ["…"]`, or `files` in `[rules]`.
pub(in crate::config) fn patterns<'t>(top: &Table<'t>) -> Vec<Value<'t>> {
    let table = super::table(top);
    let files = table.as_ref().and_then(|table| table.get("files"));
    let files = files.or_else(|| top.get("rules").filter(|value| value.is_list()));
    files.and_then(Value::list).unwrap_or_default()
}

struct Import<'a> {
    ground: &'a Ground,
    names: BTreeSet<String>,
    recorded: BTreeSet<String>,
    catalogue: &'a mut Catalogue,
    made: Imports,
}

impl Import<'_> {
    fn take(&mut self, source: &Source) {
        let groups = match file::read(source) {
            Ok(groups) => groups,
            Err(complaints) => return self.made.complaints.extend(complaints),
        };
        for group in &groups {
            for entry in &group.rules {
                let made = match &entry.kind {
                    Kind::Record(name) => self.record(group, entry, name),
                    Kind::Alert { .. } => self.alert(source, group, entry),
                };
                if let Err(what) = made {
                    self.made.complaints.push(Complaint {
                        line: entry.line,
                        column: 1,
                        file: source.file.clone(),
                        key: format!("groups.{}.{}", group.name, entry.name()),
                        what,
                    });
                }
            }
        }
    }

    fn record(&mut self, group: &Group, entry: &Entry, name: &str) -> Result<(), String> {
        if !self.recorded.contains(name) {
            if self.catalogue.contains_key(name) {
                return Err(format!("there is a signal `{name}` already; record another name"));
            }
            outside::expression(name)?;
            let shape = Shape::Gauge { query: name.to_owned() };
            self.signal(Name::from(name), shape);
            self.recorded.insert(name.to_owned());
        }
        if self.ground.sources.usual.is_some() {
            return Ok(()); // it is asked for by its name: whoever evaluates rules there records it
        }
        self.made.recordings.push(Recording {
            name: Name::from(name),
            query: entry.expr.clone(),
            labels: Labels::from_pairs(entry.labels.iter().cloned()),
            offset: group.offset,
            limit: group.limit,
        });
        Ok(())
    }

    fn signal(&mut self, name: Name, shape: Shape) {
        let signal = Signal {
            name,
            unit: Unit::Count,
            shape,
            range: signals::RANGE,
            source: self.ground.sources.usual.clone(),
        };
        self.catalogue.insert(signal.name.to_string(), Some(Known::of(&signal)));
        self.made.signals.push(signal);
    }

    fn alert(&mut self, source: &Source, group: &Group, entry: &Entry) -> Result<(), String> {
        let Kind::Alert { name, hold, keep, annotations } = &entry.kind else { return Ok(()) };
        let severity = self.severity(entry)?;
        let unique = self.name(name, group, severity);
        let (all, bound) = match split(&entry.expr) {
            Top::Compared { all, bound } => (Some(all), bound),
            Top::Whole(_) => (None, None),
        };
        let of = |names: &[&str]| {
            let found = names.iter().find_map(|name| annotations.iter().find(|(n, _)| n == name));
            found.map(|(_, text)| text.clone()).filter(|text| !text.trim().is_empty())
        };
        let shape = Shape::Alert { query: entry.expr.clone(), all, offset: group.offset };
        self.signal(unique.clone(), shape);
        let is_kept = |(name, word): &&(String, String)| {
            name != SEVERITY || Severity::ALL.iter().all(|known| known.as_str() != word)
        };
        self.made.rules.push(Rule {
            name: unique.clone(),
            signal: unique,
            quantile: None,
            bound: match bound {
                Some(Side::Above(value)) => Bound::Above(value),
                Some(Side::Below(value)) => Bound::Below(value),
                None => Bound::Expression,
            },
            by_window: Vec::new(),
            of_baseline: None,
            hold: *hold,
            recover: *keep,
            breaches_min: 1,
            calms_min: 1,
            evidence_min: 0.0,
            severity,
            summary: of(&SUMMARIES).unwrap_or_else(|| entry.expr.clone()),
            runbook: of(&RUNBOOKS),
            labels: Labels::from_pairs(entry.labels.iter().filter(is_kept).cloned()),
            imported: Some(Imported {
                alert: Name::from(name.as_str()),
                file: source.file.clone(),
                group: group.name.clone(),
                limit: group.limit,
                annotations: annotations.clone(),
            }),
        });
        Ok(())
    }

    fn severity(&self, entry: &Entry) -> Result<Severity, String> {
        let said = entry.labels.iter().find(|(name, _)| name == SEVERITY);
        let Some((_, word)) = said.filter(|(_, word)| !word.is_empty()) else {
            return Ok(Severity::Warning);
        };
        if word.contains("{{") {
            return Err("labels.severity: a template, and how bad it is has to be known before; \
                        write one rule for each"
                .to_owned());
        }
        self.ground.severities.named(word).ok_or_else(|| {
            let near = nearest(word, self.ground.severities.words());
            let near = near.map_or(String::new(), |near| format!("did you mean {near:?}? Or "));
            format!(
                "labels.severity: unknown severity {word:?}; {near}say what it means in the \
                 configuration: severities = {{ {word:?} = \"warning\" }}"
            )
        })
    }

    /// A name that no other rule has, and no signal: alerts of one name are
    /// often written once for each severity.
    fn name(&mut self, alert: &str, group: &Group, severity: Severity) -> Name {
        let simple = [
            alert.to_owned(),
            format!("{alert} ({severity})"),
            format!("{alert} ({})", group.name),
        ];
        let numbered = (2..).map(|number| format!("{alert} ({} {number})", group.name));
        let is_free =
            |name: &String| !self.names.contains(name) && !self.catalogue.contains_key(name);
        let name = simple.into_iter().chain(numbered).find(is_free).unwrap_or_default();
        self.names.insert(name.clone());
        Name::from(name)
    }
}

impl Entry {
    /// What the rule is called.
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Record(name) | Kind::Alert { name, .. } => name,
        }
    }
}

/// The shortest range that what is recorded reads.
pub(in crate::config) fn shortest_range(recording: &Recording) -> Option<Span> {
    outside::shortest_range(&Signal {
        name: recording.name.clone(),
        unit: Unit::Count,
        shape: Shape::Gauge { query: recording.query.clone() },
        range: signals::RANGE,
        source: None,
    })
}
