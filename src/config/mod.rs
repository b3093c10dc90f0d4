//! Texts → a checked plan, with every error at once, each with its place, what
//! is wrong and what would be right. Reads no file and no variable: it is
//! given texts, and says which secrets have to be looked up.
//!
//! `keys` knows every key, `walk` keeps the place of everything, and one file
//! a table reads the rest. What has been checked here nobody checks again.

mod address;
mod channels;
mod checks;
mod complaint;
mod demands;
mod digests;
mod discover;
mod explain;
pub mod found;
mod health;
mod heartbeat;
pub mod keys;
pub mod live;
mod outside;
mod presets;
mod reach;
mod rehearse;
pub mod routing;
mod rules;
mod secret;
mod service;
mod severities;
mod shares;
mod signals;
mod smoke;
mod sources;
mod suppression;
pub mod trial;
mod walk;
mod windows;
mod yaml;

use core::net::SocketAddr;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;

use toml::de::DeTable;

use self::complaint::Sink;
use self::rules::{Ground, import};
use self::secret::Vault;
use self::service::Service;
use self::severities::Severities;
use self::walk::{Table, Value};
use self::windows::{Ranged, Times};
use crate::check::{Check, Expected, Places};
use crate::judge::pack::Scope;
use crate::metrics::{Recording, Signal};
use crate::model::{Heartbeat, Name, Secret, Span};
use crate::record::Plan;

pub use complaint::Complaint;
pub use digests::upcoming;
pub use explain::explain;
pub use explain::rule::explain_rule;

/// A configuration file's text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The file as its user calls it, for complaints.
    pub file: String,
    /// What it holds.
    pub text: String,
}

/// What the command line says; it goes before the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Given {
    /// The service's address.
    pub url: Option<String>,
    /// The service's name.
    pub service: Option<String>,
    /// `smoke`, a window's name, or a length such as `30m`, which makes a
    /// window of its own.
    pub until: Option<String>,
}

/// Until when a command waits for a verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Until {
    /// The smoke suite.
    Smoke,
    /// The end of this window, which is one of the plan's.
    Window(Name),
}

impl Until {
    /// What the command line calls the smoke suite.
    const SMOKE: &'static str = "smoke";
}

/// A configuration that can be followed.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked {
    /// What is to be done, with secrets as references.
    pub plan: Plan,
    /// Literal secrets, under the key that their `Secret::Config` bears.
    pub secrets: BTreeMap<String, String>,
    /// Secrets that have to be looked up, each with the key that asks for it.
    pub references: Vec<(String, Secret)>,
    /// What `Given::until` means; `None`: the last window.
    pub until: Option<Until>,
    /// Where the user wrote the steps of the smoke suite and their assertions.
    pub places: Places,
    /// Where queries are answered over HTTP; `None`: in the state directory alone.
    pub listen: Option<SocketAddr>,
    /// Where people reach `listen`, to confirm a test alert; `None`: nobody is asked.
    pub confirm: Option<String>,
    /// Who is called as long as all is well with bakewatch itself.
    pub heartbeat: Option<Heartbeat>,
    /// What was not said and is taken: `timeout = 10s (below every interval)`.
    pub defaults: Vec<String>,
    /// What works and is not what anybody would want.
    pub warnings: Vec<Complaint>,
}

/// Ten times the largest exposition that we have seen; beyond it the target is
/// at fault, and it is told.
const BODY_BYTES: u64 = 16 << 20;

/// A body is held in memory while it is read, one a target.
const BODY_BYTES_MAX: u64 = 1 << 30;

/// Gives the files that a configuration names by a path or a pattern, in order
/// of their names, or says why it cannot.
pub type Files<'f> = &'f dyn Fn(&str) -> Result<Vec<Source>, String>;

/// Reads a configuration: a file, the command line, or both.
///
/// # Errors
/// All that is wrong, in the order of the file.
pub fn read(source: Option<&Source>, given: &Given) -> Result<Checked, Vec<Complaint>> {
    read_with(source, given, &|_| Err("no other file can be read from here".to_owned()))
}

/// The same with the files that it names.
///
/// # Errors
/// All that is wrong, also in those files.
pub fn read_with(
    source: Option<&Source>,
    given: &Given,
    files: Files,
) -> Result<Checked, Vec<Complaint>> {
    let (file, text) = source.map_or(("", ""), |source| (&source.file, &source.text));
    let sink = Sink::new(file, text);
    let (document, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        sink.syntax(error.span(), error.message());
    }
    let (vault, notes) = (Vault::default(), Notes::default());
    let top = Table::top(&sink, &document);
    let (plan, until, places, wrong) = plan(&top, given, &vault, &notes, files);
    let (listen, heartbeat) = (listen(&top), heartbeat::read(&top, &vault));
    let confirm = rehearse::read(&top);
    drop(top);
    if sink.has_errors() || !wrong.is_empty() {
        return Err([sink.finish().0, wrong].concat());
    }
    Ok(Checked {
        plan,
        secrets: vault.literals.into_inner(),
        references: vault.references.into_inner(),
        until,
        places,
        listen,
        confirm,
        heartbeat,
        defaults: notes.0.into_inner(),
        warnings: sink.finish().1,
    })
}

/// The plan, and what is wrong in files that it names; worth nothing if there
/// were errors on the way.
fn plan(
    top: &Table,
    given: &Given,
    vault: &Vault,
    notes: &Notes,
    files: Files,
) -> (Plan, Option<Until>, Places, Vec<Complaint>) {
    let service = service::read(top, given, vault, notes);
    let health = health::read(top);
    let times = windows::read(top, given, notes);
    let defaults = rules::defaults(top);
    let range = defaults.range.unwrap_or(signals::RANGE);
    let sources = sources::read(top, vault, &times);
    let mut catalogue = signals::built_in();
    let mut signals = signals::read(top, range, &sources, &mut catalogue);
    let checks = checks::read(top, &service, &times);
    let sourced = !sources.all.is_empty();
    let scope = Scope { sources: sourced, ..scope(&service, &health, &times, &checks) };
    let demands = demands::read(top, range, &sources, &mut catalogue, &mut signals);
    let windows = times.windows.iter().map(|placed| placed.window.name.clone()).collect();
    let severities = Severities::read(top);
    let ground = Ground { defaults, scope, windows, demands, severities, sources };
    let (mut rules, of_rules) = rules::read(top, &ground, &mut catalogue);
    signals.extend(of_rules);
    let imports = import::read(top, &ground, &rules, &mut catalogue, files);
    rules.extend(imports.rules);
    signals.extend(imports.signals);
    let own = Ranged { range, reader: reader_of_range(top) };
    let ranges = ranges(own, &signals, &imports.recordings);
    windows::hold_against(&times, &ranges, top.sink);
    warn_of_late(&rules, &times, top.sink);
    let own_presets = presets::read(top);
    let presets = presets::choice(top, &own_presets);
    ground.sources.hold_against(top, &signals, (&presets, &own_presets));
    let (smoke, places, guessed) = smoke::read(top, &service, vault);
    let guesses = service.guesses.iter().cloned().chain(guessed).collect();
    let channels = channels::read(top, &ground.severities, vault);
    let plan = Plan {
        smoke,
        run_header: smoke::run_header(top),
        digests: digests::read(top, &channels),
        channels,
        maintenance: suppression::maintenance(top),
        inhibits: suppression::inhibits(top),
        presets,
        own_presets,
        require: signals::required(top, &catalogue),
        service: service.name,
        url: service.url,
        targets: service.targets,
        guesses,
        sources: service.sources,
        measured_by: ground.sources.usual,
        data_sources: ground.sources.all,
        expect: service.expect,
        health,
        headers: service.headers,
        checks,
        transport: service.transport,
        settle: times.settle,
        timeout: times.timeout,
        body_bytes_max: top.get("body-limit").and_then(size).unwrap_or(BODY_BYTES),
        range: defaults.range,
        signals,
        recordings: imports.recordings,
        rules,
        windows: times.windows.into_iter().map(|placed| placed.window).collect(),
    };
    (plan, times.until, places, imports.complaints)
}

/// Where queries are answered.
fn listen(top: &Table) -> Option<SocketAddr> {
    let value = top.get("listen")?;
    address::listen(value.text()?).map_err(|what| value.error(what)).ok()
}

/// What of the pack there is to judge.
fn scope(service: &Service, health: &Expected, times: &Times, checks: &[Check]) -> Scope {
    Scope {
        expect: service.expect,
        interval: times.slowest(),
        has_wants: health.wants_something(),
        has_version: health.version.is_some(),
        ..Scope::of(checks)
    }
}

/// All ranges that some query reads; `own`: that of the presets' signals.
fn ranges(own: Ranged, signals: &[Signal], recordings: &[Recording]) -> Vec<Ranged> {
    let ranged = |name: &Name, range: Option<Span>| {
        Some(Ranged { range: range?, reader: format!("`{name}` reads") })
    };
    let read = signals.iter().map(|one| ranged(&one.name, outside::shortest_range(one)));
    let kept = recordings.iter().map(|one| ranged(&one.name, import::shortest_range(one)));
    std::iter::once(own).chain(read.chain(kept).flatten()).collect()
}

fn reader_of_range(top: &Table) -> String {
    let is_own = top.get("rules").is_some_and(Value::is_table);
    if is_own { "`rules.range` sets" } else { "rates and quantiles are read over" }.to_owned()
}

/// A rule that waits longer than the watch lasts.
fn warn_of_late(rules: &[crate::judge::Rule], times: &Times, sink: &Sink) {
    let longest = times.windows.iter().map(|placed| placed.window.length).max();
    let Some(longest) = longest else { return };
    let late = rules.iter().filter(|rule| rule.hold >= longest);
    let late: Vec<String> = late.map(|rule| format!("{} ({})", rule.name, rule.hold)).collect();
    if !late.is_empty() {
        let what = "can never fire: they wait as long as the watch lasts, or longer";
        let remedy = "shorten their `for`";
        sink.warn_whole("rules.for", format!("{} {what} ({longest}); {remedy}", late.join(", ")));
    }
}

/// A size: whole bytes, or `"16MiB"`.
fn size(value: &Value) -> Option<u64> {
    let Some(text) = value.as_text() else { return value.whole(1, BODY_BYTES_MAX) };
    let bytes = bytes(text).filter(|bytes| (1..=BODY_BYTES_MAX).contains(bytes));
    if bytes.is_none() {
        value.error(format!("{text:?} is no size up to 1GiB; write for example \"16MiB\""));
    }
    bytes
}

/// The bytes that a number with a unit stands for.
fn bytes(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let split = |(unit, factor): (&str, u64)| Some((text.strip_suffix(unit)?, factor));
    let (number, factor) = UNITS.into_iter().find_map(split)?;
    number.trim().parse::<u64>().ok()?.checked_mul(factor)
}

/// What was not said, and what is taken instead.
#[derive(Default)]
struct Notes(RefCell<Vec<String>>);

impl Notes {
    fn say(&self, key: &str, value: impl Display, why: &str) {
        self.0.borrow_mut().push(format!("{key} = {value} ({why})"));
    }

    fn say_unless(&self, is_given: bool, key: &str, value: Span, why: &str) {
        if !is_given {
            self.say(key, value, why);
        }
    }
}

#[cfg(test)]
mod tests;
