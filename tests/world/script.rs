//! Scenarios: a configuration, a script in words, and the transcript that it
//! must lead to, in one text file. Adding one needs no Rust.
//!
//! ```text
//! service = "chat"                 the configuration, as users write it
//! ---
//! at 10m  a refuses                what happens, in words
//! at 20m  a answers
//! ---
//! 00:10:05  health a …             what is noted and told (UPDATE_EXPECT=1 rewrites it)
//! ```

use std::fs;
use std::path::Path;

use bakewatch::config::{self, Checked, Given, Source};
use bakewatch::model::{Matchers, Name, Release, Silence, Span, Timestamp};
use bakewatch::record::{Baseline, Fact, Handed, Level, Outcome, Plan, Waited};
use bakewatch::watch::{Heard, Meant, Order, Until};

use super::beyond;
use super::channel::{Manner, Receiver, headline};
use super::drive::Drive;
use super::prometheus::Manner as Serves;
use super::target::{Body, Expo, Mood, Target};

/// The release of every scenario is out at this instant.
pub const RELEASED: Timestamp = Timestamp::from_millis(1_767_225_600_000); // 2026-01-01T00:00:00Z

pub struct Scenario {
    pub plan: Plan,
    pub events: Vec<(Span, String)>,
    pub expected: String,
    pub script: String,
    pub config: String,
}

/// Splits and reads a scenario.
pub fn parse(name: &str, text: &str) -> Scenario {
    let mut parts = text.splitn(3, "\n---\n");
    let config = parts.next().unwrap_or_default().to_owned();
    let script = parts.next().unwrap_or_else(|| panic!("{name}: no script")).to_owned();
    let expected = parts.next().unwrap_or_default().to_owned();
    let events = script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let rest = line.strip_prefix("at ").unwrap_or_else(|| panic!("{name}: {line:?}"));
            let (at, what) = rest.split_once(' ').unwrap_or_else(|| panic!("{name}: {line:?}"));
            let at: Span = at.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            (at, what.trim().to_owned())
        })
        .collect();
    let plan = plan(name, &config);
    Scenario { plan, events, expected, script, config }
}

/// The plan that a text is read as.
pub fn plan(name: &str, text: &str) -> Plan {
    read(name, text).unwrap_or_else(|errors| panic!("{}", errors.join("\n"))).plan
}

/// Reads a configuration; errors as they are shown.
pub fn read(name: &str, text: &str) -> Result<Checked, Vec<String>> {
    let source = Source { file: name.to_owned(), text: text.to_owned() };
    config::read_with(Some(&source), &Given::default(), &beside)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// Files that a configuration names stand beside the scenarios.
fn beside(pattern: &str) -> Result<Vec<Source>, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(pattern);
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    Ok(vec![Source { file: pattern.to_owned(), text }])
}

impl Scenario {
    pub fn start(&self) -> Drive {
        let service = self.plan.service.clone();
        let release = Release { service, version: Name::from("v1"), at: RELEASED };
        let mut drive = Drive::open(release, self.plan.clone(), RELEASED);
        drive.file.clone_from(&self.config);
        drive.followed.clone_from(&self.config);
        drive
    }

    /// Plays the script to its end and then to the end of the watch.
    pub fn play(&self, drive: &mut Drive) {
        for (at, what) in &self.events {
            if *at > Span::ZERO {
                drive.run_to(RELEASED + *at); // what is so at 0s is so from the start
            }
            happen(drive, what);
        }
        drive.run_out();
    }
}

/// Edits the configuration file: `A => B` puts one text in another's place
/// (a line end is written `\n`), and `also TEXT` adds some at its end.
fn edit(drive: &mut Drive, how: &str) {
    let text = |text: &str| text.trim().replace("\\n", "\n");
    match (how.split_once("=>"), how.strip_prefix("also ")) {
        (_, Some(more)) => drive.file.push_str(&format!("\n{}\n", text(more))),
        (Some((old, new)), None) => {
            let old = text(old);
            assert!(drive.file.contains(&old), "the file does not say {old:?}");
            drive.file = drive.file.replacen(&old, &text(new), 1);
        }
        (None, None) => panic!("the file cannot say {how:?}"),
    }
}

fn span(text: &str) -> Span {
    text.parse().expect("a duration")
}

fn step(drive: &mut Drive, by: Span) {
    drive.turn(vec![Heard::ClockStepped { by }]);
}

fn order(drive: &mut Drive, order: &Order) {
    drive.order(None, order).expect("it can be done");
}

fn reload(drive: &mut Drive) {
    let before = read("bakewatch.toml", &drive.followed).expect("it was followed");
    drive.reload(&before, read("bakewatch.toml", &drive.file));
}

/// Makes one line of a script true.
pub fn happen(drive: &mut Drive, what: &str) {
    if let Some(how) = what.strip_prefix("the file says ") {
        return edit(drive, how);
    }
    let words: Vec<&str> = what.split_whitespace().collect();
    let now = drive.now;
    match words.as_slice() {
        ["crash"] => drive.crash(),
        [who, "acknowledges", what] => {
            let alert = Meant::Incident((*what).to_owned());
            let (by, comment) = ((*who).to_owned(), String::new());
            let done = drive.order(None, &Order::Acknowledge { alert, by, comment });
            done.unwrap_or_else(|why| panic!("{why}"));
        }
        ["reloads"] => reload(drive),
        ["is", "down", long] => drive.down(span(long)),
        ["stops"] => drive.turn(vec![Heard::Stop]),
        ["sleeps", long] => drive.sleep(span(long)),
        ["superseded", "by", version] => {
            drive.supersede(version, None);
        }
        ["silence", matchers @ .., "for", long] => {
            let deploy = *matchers == ["deploy"];
            let matchers = if deploy { &["alertname=~.+"] } else { matchers };
            let matchers = Matchers::parse(matchers).expect("matchers");
            let (by, comment) = ("anna".to_owned(), String::new());
            let until = Until::For(span(long));
            order(drive, &Order::Silence { matchers, until, deploy, by, comment });
        }
        ["unsilence"] => {
            let last = drive.ids.last().expect("there is always one").clone();
            let silence = drive.record_of(&last).silences_at(now).last().expect("one holds");
            let (id, by) = (silence.id.clone(), "bert".to_owned());
            order(drive, &Order::Unsilence { id, by });
        }
        ["clock", "steps", "back", by] => step(drive, Span::ZERO - span(by)),
        ["clock", "steps", by] => step(drive, span(by)),
        ["disk", "fails"] => drive.turn(vec![Heard::Store(Some("no space left".into()))]),
        ["disk", "works"] => drive.turn(vec![Heard::Store(None)]),
        ["check", who, rest @ ..] => {
            let other = drive.others.get_mut(*who).unwrap_or_else(|| panic!("no check {who:?}"));
            match rest {
                ["answers"] => other.manner = beyond::Manner::Answers,
                ["refuses"] => other.manner = beyond::Manner::Refuses,
                ["hangs"] => other.manner = beyond::Manner::Hangs,
                ["certificate", "ends", "in", long] => {
                    other.ends = now + long.parse().expect("a duration");
                }
                _ => panic!("a check cannot do {what:?}"),
            }
        }
        ["source", who, rest @ ..] => {
            let source = drive.sources.get_mut(*who).unwrap_or_else(|| panic!("no {who:?}"));
            if let ["has", "a", "past"] = rest {
                return source.has_past(&drive.targets, now);
            }
            source.manner = match rest {
                ["answers"] => Serves::Answers,
                ["refuses"] => Serves::Refuses,
                ["hangs"] => Serves::Hangs,
                ["errs"] => Serves::Errs,
                ["answers", "in", "part"] => Serves::Partial,
                ["shows", "html"] => Serves::Html,
                ["lags"] => Serves::Lags,
                ["is", "slow"] => Serves::Slow,
                ["has", "nothing"] => Serves::Empty,
                _ => panic!("a source cannot do {what:?}"),
            };
        }
        ["sources", "fail"] => drive.named = Err("no such file".to_owned()),
        ["sources", "name", "nobody"] => drive.named = Ok(Vec::new()),
        ["sources", "name", names @ ..] => {
            for name in names.iter().copied() {
                if !drive.targets.iter().any(|target| target.name == name) {
                    drive.targets.push(Target::new(name, now));
                }
            }
            drive.named = Ok(names.iter().map(|name| (*name).to_owned()).collect());
        }
        ["all", rest @ ..] => {
            for index in 0..drive.targets.len() {
                let name = drive.targets[index].name.clone();
                target(drive, &name, rest, now);
            }
        }
        [who, rest @ ..] if drive.receivers.iter().any(|r| r.name == *who) => {
            let receiver = drive.receivers.iter_mut().find(|r| r.name == *who);
            channel(receiver.expect("found above"), rest);
        }
        [who, rest @ ..] => {
            let full = drive.targets.iter().find(|t| t.name.starts_with(who));
            let name = full.unwrap_or_else(|| panic!("nobody is called {who:?}")).name.clone();
            target(drive, &name, rest, now);
        }
        [] => {}
    }
}

fn channel(receiver: &mut Receiver, what: &[&str]) {
    let manner = |words: &[&str]| match words {
        ["takes"] => Manner::Takes,
        ["refuses"] => Manner::Refuses,
        ["throttles"] => Manner::Throttles,
        ["brakes"] => Manner::Brakes,
        ["fails"] => Manner::Fails,
        ["rejects"] => Manner::Rejects,
        ["hangs"] => Manner::Hangs,
        ["takes", "and", "hangs"] => Manner::TakesAndHangs,
        _ => panic!("a channel cannot do {what:?}"),
    };
    match what {
        ["once", rest @ ..] => receiver.next.push_back(manner(rest)),
        ["knows", "no", who] => receiver.refused.push((*who).to_owned()),
        _ => receiver.manner = manner(what),
    }
}

fn target(drive: &mut Drive, name: &str, what: &[&str], now: Timestamp) {
    let target = drive.target(name);
    target.live(now);
    let share = |text: &str| -> f64 {
        text.trim_end_matches('%').parse::<f64>().expect("a percentage") / 100.0
    };
    match what {
        ["answers"] => target.mood = Mood::Answers,
        ["refuses"] => target.mood = Mood::Refuses,
        ["hangs"] => target.mood = Mood::Hangs,
        ["is", "a", "stranger"] => target.mood = Mood::Stranger,
        ["has", "no", "health"] => target.mood = Mood::Mute,
        ["breaks"] => target.mood = Mood::Broken,
        ["says", "unhealthy"] => target.mood = Mood::Unhealthy,
        ["says", "degraded"] => target.mood = Mood::Degraded,
        ["restarts"] => target.restart(now),
        ["gets", "a", "twin"] => target.double(now),
        ["loses", "its", "twin"] => target.twin = None,
        ["twin", "runs", version] => {
            let twin = target.twin.as_mut().expect("it has a twin");
            twin.version = Some((*version).to_owned());
        }
        ["tells", "a", "time", by, "ahead"] => {
            target.told_ahead = by.parse().expect("a duration");
        }
        ["clock", "is", by, "ahead"] => target.ahead = Some(by.parse().expect("a duration")),
        ["fails", errors] => target.errors = share(errors),
        ["slow", slow] => target.slow = share(slow),
        ["memory", used] => target.memory = share(used),
        ["serves", rps, "rps"] => target.rps = rps.parse().expect("a number"),
        ["shows", "metrics"] => target.expo = Expo::Good,
        ["shows", "html"] => target.expo = Expo::Html,
        ["shows", "nothing"] => target.expo = Expo::Missing,
        ["loses", "series"] => target.expo = Expo::Bare,
        ["runs", version] => target.version = Some((*version).to_owned()),
        ["health", "is", body] => {
            target.body = match *body {
                "plain" => Body::Plain,
                "full" => Body::Full,
                "frozen" => Body::Frozen,
                "vacuous" => Body::Vacuous,
                "without-adls" => Body::NoAdls,
                "spring" => Body::Spring,
                "aspnet" => Body::Aspnet,
                "starting" => Body::Starting,
                _ => panic!("no health is {body:?}"),
            }
        }
        _ => panic!("a target cannot do {what:?}"),
    }
}

/// All that was noted and told, one line each, measurements left out.
pub fn transcript(drive: &Drive) -> String {
    let mut lines = String::new();
    let facts = |id| drive.facts_of(id).iter().map(move |(at, fact)| (*at, id, fact));
    let mut all: Vec<_> = drive.ids.iter().flat_map(facts).collect();
    all.sort_by_key(|(at, ..)| *at); // stable: the earlier release first
    for (at, id, fact) in all {
        // The first release's facts stand for themselves.
        let of = if *id == drive.id { "" } else { &format!("{id}: ") };
        if let Some(line) = line(fact) {
            lines.push_str(&format!("{}  {of}{line}\n", clock(at)));
        }
    }
    lines
}

fn clock(at: Timestamp) -> String {
    let ms = at.since(RELEASED).millis();
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60)
}

fn level(level: &Level) -> String {
    match level.value {
        Some(value) => format!("{} {:.4} of {}", level.rule, value.0, level.readings),
        None => format!("{} none: {}", level.rule, level.why),
    }
}

/// A fact in words; `None`: one of many measurements.
pub fn line(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::Measured(_) => return None,
        Fact::Opened { release, .. } => format!("opened {} {}", release.service, release.version),
        Fact::Resumed { why, quiet_since } => {
            format!("resumed after {}: {why}", clock(*quiet_since))
        }
        Fact::Stopped {} => "stopped".into(),
        Fact::Settled { answered } => format!("settled, answered: {answered}"),
        Fact::Found(found) => format!(
            "found health {:?}, ready {:?}, metrics {:?}",
            found.health, found.ready, found.metrics
        ),
        Fact::Dropped { step, reason } => format!("left out {step}: {reason}"),
        Fact::Smoked(result) => {
            format!("smoke {:?} {} (tries {})", result.state, result.step, result.attempts)
        }
        Fact::Matched(matched) => {
            let names: Vec<_> = matched.signals.iter().map(|s| s.name.as_str()).collect();
            format!("matched {:?}: {}", matched.presets, names.join(" "))
        }
        Fact::Health { target, state, reason } => format!("health {target} {state:?}: {reason}"),
        Fact::Version { target, version } => format!("version {target} {version}"),
        Fact::Scraping { target, failure: Some(why) } => format!("scrape {target} fails: {why}"),
        Fact::Scraping { target, failure: None } => format!("scrape {target} ok"),
        Fact::Sourcing { source, failure: Some(why) } => format!("source {source} fails: {why}"),
        Fact::Sourcing { source, failure: None } => format!("source {source} answers"),
        Fact::Checked { check, passed, reason } => {
            let word = match passed {
                Some(true) => "passes",
                Some(false) => "fails",
                None => "unknown",
            };
            let colon = if reason.is_empty() { "" } else { ": " };
            format!("check {check} {word}{colon}{reason}")
        }
        Fact::Certificate { check, tls } => {
            let end = tls.leaf().map(|leaf| leaf.not_after.rfc3339()).unwrap_or_default();
            format!("certificate {check} until {end}")
        }
        Fact::Targets { source, added, removed } => {
            let added: Vec<_> = added.iter().map(|target| target.name.as_str()).collect();
            let removed: Vec<_> = removed.iter().map(Name::as_str).collect();
            format!("targets of {source}: came {added:?}, left {removed:?}")
        }
        Fact::Discovery { source, failure } => format!("discovery {source}: {failure:?}"),
        Fact::Limit { target, what, detail } => format!("limit {what} {target:?}: {detail}"),
        Fact::Evidence { rule, missing: Some(why) } => format!("evidence {rule}: {why}"),
        Fact::Evidence { rule, missing: None } => format!("evidence {rule}: there"),
        Fact::Alert { rule, labels, phase, value } => {
            format!("alert {rule}{labels} {} at {:.4}", phase.as_str(), value.0)
        }
        Fact::Acknowledged { rule, labels, by, .. } => {
            format!("acknowledged {rule}{labels} by {by}")
        }
        Fact::Reminded { rule, labels, number, to } => {
            let to: Vec<_> = to.iter().map(Name::as_str).collect();
            format!("reminded {} of {rule}{labels}, number {number}", to.join(" "))
        }
        Fact::Escalated { rule, labels, to, after } => {
            format!("escalated {rule}{labels} to {to} after {after}")
        }
        Fact::FellBack { rule, labels, from, to } => {
            format!("told {to} of {rule}{labels} in place of {from}")
        }
        Fact::Sent { channel, after, up_to, waited: Some(waited), .. } => {
            let held = match waited {
                Waited::Quiet => "quiet hours",
                Waited::Limit => "the limit",
            };
            format!("sent {channel} {after}..{up_to}, held by {held}")
        }
        Fact::Sent { channel, after, up_to, .. } => format!("sent {channel} {after}..{up_to}"),
        Fact::Receipt { channel, outcome, .. } => match outcome {
            Outcome::Accepted { .. } | Outcome::Posted { .. } => {
                format!("receipt {channel} accepted")
            }
            Outcome::Partly { detail, .. } => format!("receipt {channel} in part: {detail}"),
            Outcome::Refused { detail, .. } => format!("receipt {channel} refused: {detail}"),
            Outcome::Unknown { detail } => format!("receipt {channel} unknown: {detail}"),
        },
        Fact::Replayed { channel, by, .. } => format!("sent {channel} once more for {by}"),
        Fact::Digest(overview) => {
            let (due, missed) = (clock(overview.due), overview.missed);
            let (firing, fired, ended) = (overview.firing, overview.fired, overview.ended);
            format!(
                "digest {} due {due}, {missed} missed: {firing} firing, {fired} fired, \
                 {ended} ended",
                overview.digest
            )
        }
        Fact::WindowClosed { window, summary } => {
            let reasons: Vec<_> = summary.reasons.iter().map(|r| r.text.as_str()).collect();
            format!("closed {window} {}: {}", summary.verdict, reasons.join("; "))
        }
        Fact::Published { window, error, .. } => format!("published {window}, error: {error:?}"),
        Fact::PlanChanged { changes, .. } => format!("plan changed: {}", changes.join("; ")),
        Fact::ReloadFailed { errors } => format!("reload failed: {}", errors.join("; ")),
        Fact::ClockStepped { by } => format!("clock stepped by {by}"),
        Fact::StoreFailed { error } => format!("store failed: {error}"),
        Fact::Poisoned { message } => format!("poisoned: {message}"),
        Fact::Superseded { by, handed } => {
            format!("superseded by {by}, handed on: {}", names(handed))
        }
        Fact::Baseline(Baseline { from: Some(from), levels, .. }) => {
            let levels: Vec<String> = levels.iter().map(level).collect();
            format!("baseline from {}: {}", from.version, levels.join(", "))
        }
        Fact::Baseline(Baseline { past: Some(past), levels, .. }) => {
            let levels: Vec<String> = levels.iter().map(level).collect();
            format!("baseline from the past of {}: {}", past.source, levels.join(", "))
        }
        Fact::Baseline(Baseline { why, .. }) => format!("no baseline: {why}"),
        Fact::Rehearsed(rehearsal) => format!("rehearsed, received: {}", rehearsal.is_received()),
        Fact::Inherited { from, alerts, .. } => {
            format!("inherited from {from}: {}", names(alerts))
        }
        Fact::Held { rule, labels, why } => format!("held {rule}{labels}: {why}"),
        Fact::Freed { rule, labels } => format!("freed {rule}{labels}"),
        Fact::Flapping { rule, labels, on } => format!("flapping {rule}{labels}: {on}"),
        Fact::Silenced(Silence { matchers, until, .. }) => {
            format!("silenced {matchers} until {}", clock(*until))
        }
        Fact::Unsilenced { by, .. } => format!("unsilenced by {by}"),
        Fact::Ended { reason } => format!("ended {reason:?}"),
    })
}

fn names(alerts: &[Handed]) -> String {
    let name = |alert: &Handed| format!("{}{}", alert.rule, alert.labels);
    let names: Vec<String> = alerts.iter().map(name).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// The letters' first lines, for transcripts of what was told.
pub fn first_line(letter: &bakewatch::notify::Letter) -> String {
    headline(letter)
}
