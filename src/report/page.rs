//! The neutral form of a report: what a section says, without saying how it
//! is printed. Sections make it, renderers print it.

use crate::metrics::Unit;
use crate::model::{Severity, Timestamp, Verdict};
use crate::record::{Blind, BoundLine, SignalSummary};

/// How a piece of text is meant. Colour follows it, and never says it alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// In order.
    Good,
    /// Somebody should look.
    Warn,
    /// Wrong.
    Bad,
    /// Not known.
    Unknown,
    /// Less important.
    Quiet,
}

impl Tone {
    /// Of a severity.
    pub fn of_severity(severity: Severity) -> Tone {
        match severity {
            Severity::Critical => Tone::Bad,
            Severity::Warning => Tone::Warn,
            Severity::Info => Tone::Quiet,
        }
    }

    /// Of a verdict.
    pub fn of_verdict(verdict: Verdict) -> Tone {
        match verdict {
            Verdict::Healthy => Tone::Good,
            Verdict::Degraded => Tone::Warn,
            Verdict::Failed => Tone::Bad,
            Verdict::Inconclusive => Tone::Unknown,
        }
    }

    /// A class for a style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Unknown => "unknown",
            Tone::Quiet => "quiet",
        }
    }
}

/// Text of one tone.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Text {
    /// The words.
    pub words: String,
    /// How they are meant.
    pub tone: Tone,
}

impl Text {
    /// Words of this tone.
    pub fn new(tone: Tone, words: impl Into<String>) -> Text {
        Text { words: words.into(), tone }
    }
}

impl From<String> for Text {
    fn from(words: String) -> Text {
        Text { words, tone: Tone::Plain }
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Text {
        Text::from(words.to_owned())
    }
}

/// To which side of its column a cell is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table. Every row has as many cells as there are columns.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// What it shows, for those who do not see it.
    pub caption: &'static str,
    /// Titles of the columns.
    pub columns: Vec<(&'static str, Side)>,
    /// The cells.
    pub rows: Vec<Vec<Text>>,
}

/// A stretch of a chart in which an alert fired.
#[derive(Clone, PartialEq, Debug)]
pub struct Shade {
    /// Start.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
    /// The rule.
    pub label: String,
    /// How bad.
    pub severity: Severity,
}

/// A signal's course.
#[derive(Clone, PartialEq, Debug)]
pub struct Chart {
    /// The signal.
    pub title: String,
    /// One line of numbers: overall, least, most.
    pub note: String,
    /// Of the points.
    pub unit: Unit,
    /// Start of the window.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// The course; `None`: not known.
    pub points: Vec<(Timestamp, Option<f64>)>,
    /// Lines that rules hold against it.
    pub bounds: Vec<BoundLine>,
    /// Alerts on it.
    pub shades: Vec<Shade>,
    /// Time in which nobody looked.
    pub blind: Vec<Blind>,
}

/// One part of a report.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Sentences, each a paragraph.
    pub paragraphs: Vec<Text>,
    /// Its table, if any. One without rows is not printed.
    pub table: Option<Table>,
    /// Its charts.
    pub charts: Vec<Chart>,
    /// Things in a list.
    pub list: Vec<Text>,
}

/// A number that is told at the head of a page.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// What it is of.
    pub label: &'static str,
    /// The number.
    pub value: Text,
    /// What belongs to it, in small print.
    pub note: String,
}

/// A value of a signal, with "at least" where its histogram ends.
pub fn value(signal: &SignalSummary, value: Option<f64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let sign = if signal.top.is_some_and(|top| value >= top.0) { "≥ " } else { "" };
    format!("{sign}{}", super::show::show(signal.unit, value))
}

/// The tone of a value of a signal: that of the gravest bound that it breaks.
pub fn tone(signal: &SignalSummary, value: Option<f64>) -> Tone {
    let Some(value) = value else { return Tone::Plain };
    let is_broken = |line: &&BoundLine| {
        if line.above { value > line.value.0 } else { value < line.value.0 }
    };
    let gravest = signal.bounds.iter().filter(is_broken).map(|line| line.severity).max();
    gravest.map_or(Tone::Plain, Tone::of_severity)
}

/// How many rules had nothing to judge in all the window. While there are
/// some, an empty list of alerts is no good news.
pub fn unjudged(signals: &[SignalSummary]) -> usize {
    let dark = signals.iter().filter(|signal| signal.missing.is_some());
    dark.map(|signal| signal.bounds.len()).sum()
}
