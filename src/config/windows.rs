//! When it is watched: windows and cadences, and what hangs on them.

use super::complaint::Sink;
use super::service::file_name;
use super::walk::{Table, Value};
use super::{Given, Notes, Until};
use crate::judge::Window;
use crate::model::{DAY, MINUTE, SECOND, Span};
use crate::record::CLOSING;

/// The checklist's two windows: name, length, cadence.
pub(super) const DEFAULTS: [(&str, Span, Span); 2] = [
    ("first-day", DAY, Span::from_secs(15)),
    ("first-week", Span::from_millis(7 * DAY.millis()), Span::from_secs(30)),
];

/// Cadence of a window that does not say its own.
const EVERY: Span = Span::from_secs(15);

/// Asked more often, the watch would be a load of its own.
const EVERY_MIN: Span = SECOND;

/// Longer than that a probe that hangs would delay the next.
const TIMEOUT_MAX: Span = Span::from_secs(10);

/// A container that starts slowly, with its startup probe's whole budget of
/// 150 s, and as much again.
const SETTLE_MAX: Span = Span::from_millis(5 * MINUTE.millis());

/// A window, and where its cadence is written.
pub(super) struct Placed {
    pub window: Window,
    at: usize,
    key: String,
}

/// Times of a watch.
pub(super) struct Times {
    pub windows: Vec<Placed>,
    pub timeout: Span,
    pub settle: Span,
    pub until: Option<Until>,
}

impl Times {
    /// The shortest cadence of all windows.
    pub fn fastest(&self) -> Span {
        self.windows.iter().map(|placed| placed.window.every).min().unwrap_or(EVERY)
    }

    /// The longest cadence of all windows.
    pub fn slowest(&self) -> Span {
        self.windows.iter().map(|placed| placed.window.every).max().unwrap_or(EVERY)
    }
}

/// Reads `[windows]`, `timeout`, `settle`, and `--until`.
pub(super) fn read(top: &Table, given: &Given, notes: &Notes) -> Times {
    let mut windows = match top.get("windows") {
        Some(value) => listed(value),
        None => {
            DEFAULTS.iter().map(|(name, length, every)| placed(name, *length, *every)).collect()
        }
    };
    let fastest = windows.iter().map(|placed| placed.window.every).min().unwrap_or(EVERY);
    let until = given.until.as_deref().and_then(|text| until(top, text, fastest, &mut windows));
    windows
        .sort_by(|a, b| (a.window.length, &a.window.name).cmp(&(b.window.length, &b.window.name)));
    let shortest = windows.first().map_or(DAY, |placed| placed.window.length);
    let timeout = top.get("timeout").map_or_else(
        || Some(TIMEOUT_MAX.min(most_below(fastest))),
        |value| timeout(value, fastest, SHORTEST),
    );
    let settle = top
        .get("settle")
        .map_or_else(|| Some(SETTLE_MAX.min(shortest / 2)), |value| settle(value, shortest));
    let (timeout, settle) = (timeout.unwrap_or(TIMEOUT_MAX), settle.unwrap_or(SETTLE_MAX));
    notes.say_unless(top.get("timeout").is_some(), "timeout", timeout, "below every interval");
    notes.say_unless(top.get("settle").is_some(), "settle", settle, "for a slow start");
    Times { windows, timeout, settle, until }
}

fn placed(name: &str, length: Span, every: Span) -> Placed {
    let window = Window { name: name.into(), length, every, traffic: true };
    Placed { window, at: 0, key: format!("windows.{name}.every") }
}

/// The windows of the file. They are all there are: whoever lists one, lists
/// all; a watch of a minute would else go on for a week.
fn listed(value: &Value) -> Vec<Placed> {
    let entries = value.entries().unwrap_or_default();
    if value.is_table() && entries.is_empty() {
        value.error("lists no window; leave [windows] out for a first day and a first week");
    }
    let named = |name: &str| entries.iter().any(|(known, _)| *known == name);
    for (name, length, _) in DEFAULTS {
        let other = DEFAULTS.iter().any(|(other, ..)| *other != name && named(other));
        if !named(name) && other {
            let what = format!(
                "{name} ({length}) is left out, since [windows] lists all windows there are; \
                 write {name} = {{}} to keep it"
            );
            value.sink.warn(value.at, &value.key, what);
        }
    }
    let windows: Vec<Placed> =
        entries.iter().filter_map(|(name, value)| window(name, value)).collect();
    for idle in windows.iter().map(|placed| &placed.window).filter(|window| !window.traffic) {
        let within =
            |placed: &&Placed| placed.window.traffic && placed.window.length <= idle.length;
        let Some(other) = windows.iter().find(within) else { continue };
        let value = entries.iter().find(|(name, _)| idle.name == **name);
        let (name, length) = (&other.window.name, other.window.length);
        if let Some((_, value)) = value {
            value.error(format!(
                "no traffic is expected for {}, and {name}, which expects some, is over after \
                 {length}; write traffic = false there too, or a shorter length here",
                idle.length
            ));
        }
    }
    windows
}

fn window(name: &str, value: &Value) -> Option<Placed> {
    file_name(name).map_err(|what| value.error(what)).ok()?;
    if name == Until::SMOKE {
        value.error("`smoke` is what --until calls the smoke tests; choose another name");
    }
    if name == CLOSING {
        value.error(
            "`closing` is what the summary of a superseded release is called; \
                     choose another name",
        );
    }
    let table = value.table("windows.*")?;
    let default = DEFAULTS.iter().find(|(known, ..)| *known == name);
    let length = match table.get("length") {
        Some(value) => value.some_span(),
        None if default.is_some() => default.map(|(_, length, _)| *length),
        None => table.need("length", "length = \"1h\"").and_then(Value::some_span),
    };
    let every = match table.get("every") {
        Some(value) => every(value),
        None => Some(default.map_or(EVERY, |(.., every)| *every)),
    };
    let traffic = table.flag("traffic").unwrap_or(true);
    let (length, every) = (length?, every?);
    let place = table.get("every");
    let (at, key) = place.map_or((table.at, table.key.clone()), |v| (v.at, v.key.clone()));
    if every > length {
        let what = format!("{every} is longer than the window itself, which lasts {length}");
        value.sink.error(at, &key, format!("{what}; write at most {}", length / 4));
    }
    Some(Placed { window: Window { name: name.into(), length, every, traffic }, at, key })
}

fn every(value: &Value) -> Option<Span> {
    let every = value.some_span()?;
    if every < EVERY_MIN {
        value.error(format!("{every} is too often; write at least \"{EVERY_MIN}\""));
        return None;
    }
    Some(every)
}

/// What the interval of all targets is called in complaints.
pub(super) const SHORTEST: &str = "the shortest interval";

/// The longest time-out that leaves some of an interval.
pub(super) fn most_below(interval: Span) -> Span {
    Span::from_millis(interval.millis() * 2 / 3)
}

/// A time-out below an interval, which is called so.
pub(super) fn timeout(value: &Value, interval: Span, called: &str) -> Option<Span> {
    let timeout = value.some_span()?;
    if timeout >= interval {
        let most = most_below(interval);
        value.error(format!(
            "{timeout} is not below {called}, {interval}: an answer that is late would delay \
             the next question; write at most \"{most}\""
        ));
        return None;
    }
    Some(timeout)
}

fn settle(value: &Value, shortest: Span) -> Option<Span> {
    let settle = value.span()?;
    if settle >= shortest {
        value.error(format!(
            "{settle} is not below the shortest window, {shortest}: its smoke tests might never \
             run; write at most \"{}\"",
            shortest / 2
        ));
        return None;
    }
    Some(settle)
}

/// `--until smoke`, a window's name, or a length that makes a window.
fn until(top: &Table, text: &str, fastest: Span, windows: &mut Vec<Placed>) -> Option<Until> {
    if text == Until::SMOKE {
        return Some(Until::Smoke);
    }
    if let Some(known) = windows.iter().find(|placed| placed.window.name == text) {
        return Some(Until::Window(known.window.name.clone()));
    }
    let Ok(length) = text.parse::<Span>() else {
        let mut names = vec![Until::SMOKE];
        names.extend(windows.iter().map(|placed| placed.window.name.as_str()));
        let instead = super::complaint::instead(text, &names);
        let what = format!("{text:?} is no duration such as \"30m\" and no window; {instead}");
        top.sink.given("--until", what);
        return None;
    };
    if let Some(known) = windows.iter().find(|placed| placed.window.length == length) {
        return Some(Until::Window(known.window.name.clone()));
    }
    if length < fastest {
        let what = format!("{length} is shorter than the interval, {fastest}: nothing is seen");
        top.sink.given("--until", format!("{what}; write at least {fastest}"));
        return None;
    }
    let name = text.split_whitespace().collect::<String>();
    windows.push(placed(&name, length, fastest));
    Some(Until::Window(name.as_str().into()))
}

/// A range, with who reads it.
pub(super) struct Ranged {
    pub range: Span,
    pub reader: String,
}

/// A range shows what it is asked for with four samples in it, one of which
/// may be lost; less, and a rate is a guess.
const SAMPLES_MIN: i64 = 4;

/// Every cadence has to be at most a quarter of every range.
pub(super) fn hold_against(times: &Times, ranges: &[Ranged], sink: &Sink) {
    let Some(least) = ranges.iter().min_by_key(|ranged| ranged.range) else { return };
    let most = least.range / SAMPLES_MIN;
    for Placed { window, at, key } in times.windows.iter().filter(|p| p.window.every > most) {
        let (every, range, reader) = (window.every, least.range, &least.reader);
        let what = format!(
            "{every} is above a quarter of {range}, the range that {reader}: too few samples to \
             tell a rate; write at most \"{most}\", or a longer range"
        );
        if *at == 0 {
            sink.whole(key, what);
        } else {
            sink.error(*at, key, what);
        }
    }
}
