//! What `run` tells the pipeline as it goes: what is watched, what the smoke
//! suite said, and at the end the verdict and where the report is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::exit;
use super::output::{self, Output};
use super::smoke;
use super::{log, out};
use crate::check::{self, HealthState, Places};
use crate::daemon::turn::Observer;
use crate::model::{Name, Timestamp, Verdict, WatchId};
use crate::record::{Fact, Record};
use crate::report::smoke::SmokeRun;
use crate::watch::{Fleet, run_id};

/// The progress line is redrawn no more often.
const REDRAW: Duration = Duration::from_millis(250);

/// What `run` waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Until {
    /// Every step of the suite has a result.
    Smoke,
    /// This window is closed and its report written.
    Window(Name),
    /// The last window.
    End,
}

/// How the smoke suite's results are told.
#[derive(Default)]
pub struct Telling {
    /// The forms, and where each goes.
    pub outputs: Vec<Output>,
    /// Where each service's suite was written.
    pub places: BTreeMap<Name, Places>,
    /// Whether all of it was told.
    is_written: bool,
}

impl Telling {
    /// In these forms.
    pub fn new(outputs: Vec<Output>, places: BTreeMap<Name, Places>) -> Telling {
        Telling { outputs, places, is_written: false }
    }

    fn places(&self, record: &Record) -> &Places {
        static NOWHERE: Places = Places::NONE;
        self.places.get(&record.release.service).unwrap_or(&NOWHERE)
    }

    fn run(&self, record: &Record) -> SmokeRun {
        SmokeRun {
            service: record.release.service.clone(),
            release: Some(record.release.version.clone()),
            run_id: run_id(record),
            verdict: smoke::verdict(&check::passed(&record.smoke, &record.plan.smoke)),
            places: self.places(record).clone(),
            results: record.smoke.clone(),
        }
    }
}

/// Follows a fleet on behalf of whoever started the command.
pub struct Account {
    until: Until,
    /// The watches of this command; superseded ones beside them count for nothing.
    ours: Vec<WatchId>,
    /// Of ours, those that were over before this command began.
    over: Vec<Record>,
    drawn: Option<Instant>,
    /// No fact since the last look: nothing more can have been reached.
    is_known: bool,
    telling: Telling,
    /// The first failure to print, told once at the end.
    pub broken: Option<String>,
}

impl Account {
    /// Follows `ours` until that.
    pub fn new(until: Until, ours: Vec<WatchId>, over: Vec<Record>, telling: Telling) -> Account {
        Account { until, ours, over, drawn: None, is_known: false, telling, broken: None }
    }

    /// The verdict of a record at what is waited for; `None`: not yet.
    pub fn verdict(&self, record: &Record) -> Option<Verdict> {
        match &self.until {
            Until::Smoke => record
                .is_smoke_done()
                .then(|| smoke::verdict(&check::passed(&record.smoke, &record.plan.smoke))),
            Until::Window(name) => record.windows.get(name).map(|closed| closed.summary.verdict),
            Until::End => {
                let last = record.plan.windows.last()?;
                record.windows.get(&last.name).map(|closed| closed.summary.verdict)
            }
        }
    }

    /// The worst verdict of all; one that is missing is inconclusive.
    pub fn worst(&self, fleet: &Fleet) -> Verdict {
        let records = self.ours.iter().filter_map(|id| fleet.record(id)).chain(&self.over);
        exit::worst(records.map(|one| self.verdict(one).unwrap_or(Verdict::Inconclusive)))
    }

    fn say(&mut self, text: &str) {
        let print = || out::print(text);
        let done = match log::bar() {
            Some(bar) => bar.suspend(print),
            None => print(),
        };
        if let Err(error) = done {
            self.broken.get_or_insert(error);
        }
    }

    /// Writes the smoke results in the forms that were asked for, once.
    pub fn write_smoke(&mut self, fleet: &Fleet) {
        if std::mem::replace(&mut self.telling.is_written, true) {
            return;
        }
        let records = self.ours.iter().filter_map(|id| fleet.record(id)).chain(&self.over);
        let runs: Vec<SmokeRun> = records.map(|record| self.telling.run(record)).collect();
        let outputs = self.telling.outputs.iter().filter(|output| !output.is_plain());
        let outputs: Vec<Output> = outputs.cloned().collect();
        let write = || output::write_all(&outputs, &runs);
        let done = match log::bar() {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
        if let Err(error) = done {
            self.broken.get_or_insert(error);
        }
    }

    fn is_reached(&self, record: &Record) -> bool {
        match &self.until {
            Until::Smoke => record.is_smoke_done(),
            Until::Window(name) => {
                record.windows.get(name).is_some_and(|closed| closed.files.is_some())
            }
            Until::End => false, // the fleet itself says when it is done
        }
    }

    fn draw(&mut self, now: Timestamp, fleet: &Fleet) {
        let Some(bar) = log::bar() else { return };
        if self.drawn.is_some_and(|at| at.elapsed() < REDRAW) {
            return;
        }
        self.drawn = Some(Instant::now());
        bar.set_message(self.progress(now, fleet));
        bar.tick();
    }
}

impl Observer for Account {
    fn fact(&mut self, watch: &WatchId, _at: Timestamp, fact: &Fact, fleet: &Fleet) {
        self.is_known = false;
        let Some(record) = fleet.record(watch) else { return };
        match fact {
            Fact::Opened { .. } | Fact::Resumed { .. } => self.say(&opening(watch, fact, record)),
            Fact::Smoked(_) if record.is_smoke_done() => self.say(&smoke(watch, record)),
            Fact::Dropped { step, reason } => {
                self.say(&format!("{watch}: not tried: {step} ({reason})\n"));
                if record.is_smoke_done() {
                    self.say(&smoke(watch, record));
                }
            }
            Fact::Found(found) => {
                let path = |path: &Option<String>| path.as_deref().unwrap_or("nowhere").to_owned();
                let (health, metrics) = (path(&found.health), path(&found.metrics));
                self.say(&format!("{watch}: health found at {health}, metrics at {metrics}\n"));
            }
            Fact::Matched(matched) => {
                let mut text = format!("{watch}: metrics\n");
                for (signal, because) in &matched.because {
                    text.push_str(&format!("  {signal}: {because}\n"));
                }
                for signal in &matched.unmatched {
                    text.push_str(&format!("  {signal}: no metric found\n"));
                }
                self.say(&text);
            }
            Fact::PlanChanged { changes: lines, .. } | Fact::ReloadFailed { errors: lines } => {
                let is_taken = matches!(fact, Fact::PlanChanged { .. });
                let what = if is_taken { "changed" } else { "not followed, as before" };
                self.say(&format!("{watch}: configuration {what}\n  {}\n", lines.join("\n  ")));
            }
            Fact::WindowClosed { window, summary } => {
                let mut text = format!("{watch}: {window}: {}\n", summary.verdict);
                for reason in &summary.reasons {
                    text.push_str(&format!("  {} ({})\n", reason.text, reason.evidence));
                }
                self.say(&text);
            }
            Fact::Baseline(_) => {
                let lines = crate::report::baseline_lines(record);
                self.say(&lines.iter().map(|line| format!("  {line}\n")).collect::<String>());
            }
            Fact::Inherited { from, alerts, .. } if !alerts.is_empty() => {
                let names: Vec<&str> = alerts.iter().map(|alert| alert.rule.as_str()).collect();
                self.say(&format!("{watch}: goes on from {from}, firing: {}\n", names.join(", ")));
            }
            Fact::Published { window, files, error } => match error {
                None => self.say(&format!("{watch}: {window}: report {}\n", files.join(" "))),
                Some(error) => self.say(&format!("{watch}: {window}: no report: {error}\n")),
            },
            _ => {}
        }
    }

    fn turn(&mut self, now: Timestamp, fleet: &Fleet) -> bool {
        self.draw(now, fleet);
        if std::mem::replace(&mut self.is_known, true) {
            return false;
        }
        let ours = || self.ours.iter().filter_map(|id| fleet.record(id));
        if ours().count() > 0 && ours().all(Record::is_smoke_done) {
            self.write_smoke(fleet);
        }
        let ours = || self.ours.iter().filter_map(|id| fleet.record(id));
        ours().count() > 0 && ours().all(|record| self.is_reached(record))
    }

    fn progress(&self, now: Timestamp, fleet: &Fleet) -> String {
        let records = self.ours.iter().filter_map(|id| fleet.record(id));
        let lines: Vec<String> = records.map(|record| progress(now, record)).collect();
        lines.join(" | ")
    }
}

fn smoke(watch: &WatchId, record: &Record) -> String {
    format!("{watch}: smoke\n{}", check::show(&record.smoke, &Default::default()))
}

fn opening(watch: &WatchId, fact: &Fact, record: &Record) -> String {
    let plan = &record.plan;
    let verb = if matches!(fact, Fact::Opened { .. }) { "watching" } else { "watching again" };
    let mut text = format!(
        "{verb} {watch} at {}, released {}\n  \
         {} target(s){}, {} smoke step(s), {} rule(s), {} channel(s)\n",
        plan.url,
        record.release.at.for_people(),
        record.live().count(),
        if plan.sources.is_empty() { "" } else { " and as they are found" },
        plan.smoke.len(),
        plan.rules.len(),
        plan.channels.len(),
    );
    for source in &plan.data_sources {
        let all = plan.measured_by.as_ref() == Some(&source.name);
        let what = if all { "metrics are" } else { "some metrics are" };
        text.push_str(&format!("  {what} asked of {} at {}\n", source.name, source.url));
    }
    for window in &plan.windows {
        let end = (record.release.at + window.length).for_people();
        text.push_str(&format!("  {} every {}, until {end}\n", window.name, window.every));
    }
    text
}

/// `chat@v2: first-day 12%, 2 of 2 healthy, 1 firing`.
fn progress(now: Timestamp, record: &Record) -> String {
    let id = record.release.watch();
    let open = record.plan.windows.iter().find(|w| !record.windows.contains_key(&w.name));
    let Some(window) = open else { return format!("{id}: closed") };
    let share = now.since(record.release.at).share_of(window.length).min(1.0) * 100.0;
    let is_up = |state| matches!(state, HealthState::Healthy | HealthState::Degraded);
    let here = || record.targets.values().filter(|target| target.is_here());
    let healthy = here().filter(|target| is_up(target.health)).count();
    let firing = record.alerts.values().filter(|alert| alert.phase.is_firing()).count();
    let of = record.live().count();
    format!("{id}: {} {share:.0} %, {healthy} of {of} healthy, {firing} firing", window.name)
}
