//! What a window's summary says. Stored whole in the fact that closes the
//! window, so that every rendering of it, and every retry of its letter, is
//! a reading of the same words.

use serde::{Deserialize, Serialize};

use super::{Ack, Held, Heritage, Rehearsal};
use crate::check::StepResult;
use crate::metrics::Unit;
use crate::model::{Labels, Name, Number, Release, Severity, Span, Timestamp, TlsFacts};
use crate::model::{Verdict, Why};

/// The name of the short summary of a watch whose release was superseded:
/// no window of a plan bears it.
pub const CLOSING: &str = "closing";

/// A window's summary.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// The release.
    pub release: Release,
    /// The service's address.
    pub url: String,
    /// The window's name.
    pub window: Name,
    /// The release's time.
    pub from: Timestamp,
    /// The window's end, or when the watch was superseded.
    pub to: Timestamp,
    /// Of a watch that ended before its time: what took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Superseded>,
    /// How long after `to` it was written; more than a moment when we were down.
    pub late_by: Span,
    /// What it amounts to.
    pub verdict: Verdict,
    /// Why, most telling first. Never empty.
    pub reasons: Vec<Reason>,
    /// The smoke suite.
    pub smoke: Vec<StepResult>,
    /// Health over the window.
    pub availability: Availability,
    /// Each signal, required ones first.
    pub signals: Vec<SignalSummary>,
    /// Each alert that fired, in order of firing.
    pub alerts: Vec<AlertSummary>,
    /// Healthy replicas.
    pub replicas: Replicas,
    /// Each target.
    pub targets: Vec<TargetSummary>,
    /// Each check beyond HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSummary>,
    /// How much of the window was seen at all.
    pub coverage: Coverage,
    /// The bounds that are a share of what an earlier release measured, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline: Vec<String>,
    /// Every limit that was hit, in words.
    pub limits: Vec<String>,
    /// What reading the configuration anew has changed, or why it did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Which presets matched, and what they could not find, in words.
    pub matched: Vec<String>,
    /// Receipts of the letters so far, by channel.
    pub deliveries: Vec<Deliveries>,
    /// The test of the channels before the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// The last of those letters, in the order in which they left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub letters: Vec<LetterSummary>,
}

/// That a newer release came before the windows were over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Superseded {
    /// Its version.
    pub by: Name,
    /// What could have been said without it. Of a healthy release that is no
    /// verdict: it was not watched to the end.
    pub so_far: Verdict,
}

/// One reason for a verdict, with what it rests on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// A sentence without its full stop: `HighErrorRate fired for 12m 30s`.
    pub text: String,
    /// The numbers behind it: `1 204 of 20 118 requests failed`.
    pub evidence: String,
}

/// Health probes over the window.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Availability {
    /// Share of known probes that were ok; `None` when none was known.
    pub ratio: Option<Number>,
    /// Probes that found a target up.
    pub ok: u64,
    /// Probes that found a target down.
    pub failed: u64,
    /// Probes of which nothing is known.
    pub unknown: u64,
    /// Probes that were ok only at a second try.
    pub flaky: u64,
}

/// A signal over the window.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SignalSummary {
    /// Its name; for a histogram one summary for each quantile that a rule
    /// or the report wants: `latency_p99`.
    pub name: Name,
    /// Unit of all numbers here.
    pub unit: Unit,
    /// Whether a verdict needs it.
    pub required: bool,
    /// The query behind it.
    pub query: String,
    /// Share of the window in which it could be read.
    pub evidence_ratio: Number,
    /// Why there was nothing, where there was nothing in all the window.
    pub missing: Option<Why>,
    /// Over the whole window: all events of it together, or the mean.
    pub overall: Option<Number>,
    /// The least and the most of the points.
    pub min: Option<Number>,
    /// See `min`.
    pub max: Option<Number>,
    /// Events behind it, for ratios and histograms.
    pub events: Option<Number>,
    /// For a quantile: where its histogram ends. A number here that is equal
    /// to it means "at least this"; what lies beyond cannot be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<Number>,
    /// Bounds that rules hold against it.
    pub bounds: Vec<BoundLine>,
    /// The course of it; `None` where nothing is known. At most some hundreds.
    pub points: Vec<(Timestamp, Option<Number>)>,
}

/// A rule's bound, for a chart.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BoundLine {
    /// The rule.
    pub rule: Name,
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub value: Number,
    /// Whether more than it is bad (else less).
    pub above: bool,
}

/// An alert's course.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AlertSummary {
    /// The rule.
    pub rule: Name,
    /// Which instance.
    pub labels: Labels,
    /// How bad.
    pub severity: Severity,
    /// The first breach.
    pub since: Timestamp,
    /// When it fired.
    pub fired_at: Timestamp,
    /// When it was over; `None`: still firing at the window's end.
    pub resolved_at: Option<Timestamp>,
    /// The worst reading.
    pub peak: Number,
    /// What its rule says.
    pub summary: String,
    /// Where it came from, if it burned before this release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heritage: Option<Heritage>,
    /// When nobody was told of it, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// Whether it burns on under the release that superseded this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub goes_on: bool,
    /// Who was on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acked: Option<Ack>,
}

impl AlertSummary {
    /// From the first breach to firing.
    pub fn time_to_detect(&self) -> Span {
        self.fired_at.since(self.since)
    }

    /// From firing to the end of it.
    pub fn time_to_recover(&self) -> Option<Span> {
        self.resolved_at.map(|end| end.since(self.fired_at))
    }
}

/// Healthy replicas over the window.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Replicas {
    /// How many there should be.
    pub expected: u32,
    /// How many targets there are.
    pub targets: u32,
    /// Fewest healthy at once.
    pub min: Option<Number>,
    /// On average.
    pub mean: Option<Number>,
    /// Most.
    pub max: Option<Number>,
}

/// A target over the window.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TargetSummary {
    /// Which.
    pub name: Name,
    /// Share of known probes that were ok.
    pub availability: Option<Number>,
    /// Share of scrapes that were read.
    pub scraped: Option<Number>,
    /// Its health at the end, in words.
    pub health: String,
    /// The version that it told last; `None`: it told none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
    /// When it was here, if it was found; one that is listed always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays: Option<Stays>,
}

/// What a replica says that it runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Runs {
    /// As it is told; of several at once all of them.
    pub version: String,
    /// Whether it is the release's.
    pub is_release: bool,
    /// Whether somebody said where it is to be read. A body may bear a
    /// `version` that means something else.
    pub is_judged: bool,
}

/// A check beyond HTTP over the window.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CheckSummary {
    /// Which.
    pub name: Name,
    /// What was asked: `tcp redis:6379`.
    pub asked: String,
    /// Whether its failing is critical.
    pub must: bool,
    /// Nobody asked for it: it only looks at a certificate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_implied: bool,
    /// Share of known answers that passed.
    pub passed: Option<Number>,
    /// Whether it passes at the end; `None`: nobody can tell.
    pub passes: Option<bool>,
    /// What did not hold, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The TLS session that it saw last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
}

/// When a target was here that comes and goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stays {
    /// When it was found first.
    pub came: Timestamp,
    /// When it was found no more; `None`: it was here at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Timestamp>,
    /// How often it came.
    pub times: u32,
}

/// How much was seen.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Share of the window in which the health of some target was known.
    pub health_ratio: Number,
    /// Stretches in which nobody looked.
    pub blind: Vec<Blind>,
}

/// A stretch in which nobody looked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Blind {
    /// Start.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
    /// Why: `bakewatch was not running`.
    pub why: String,
}

/// What a channel was told up to the window's end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deliveries {
    /// The channel.
    pub channel: Name,
    /// Letters that were taken.
    pub accepted: u32,
    /// Tries that failed.
    pub failed: u32,
    /// News not told yet.
    pub owed: u32,
    /// In words, when something is wrong with it.
    pub trouble: Option<String>,
}

/// A letter, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LetterSummary {
    /// To whom.
    pub channel: Name,
    /// Its idempotency key: what the receiver saw as `webhook-id` or in the Message-ID.
    pub key: String,
    /// When it left first.
    pub at: Timestamp,
    /// How often it left.
    pub tries: u32,
    /// When the last try ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What became of it.
    pub state: LetterState,
    /// The receiver's words, or what happened.
    pub answer: String,
    /// What it told, each thing in a few words.
    pub tells: Vec<String>,
}

/// What became of a letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterState {
    /// It is under way.
    Out,
    /// The receiver took it.
    Taken,
    /// Some of its recipients took it, and the others never will.
    Partly,
    /// It was not taken: what it told stands in a later letter, or is owed.
    Refused,
    /// Nobody knows: the same letter is sent again.
    Unknown,
}

impl LetterState {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            LetterState::Out => "out",
            LetterState::Taken => "taken",
            LetterState::Partly => "taken in part",
            LetterState::Refused => "refused",
            LetterState::Unknown => "unknown",
        }
    }
}

impl LetterSummary {
    /// Whether somebody was told by it.
    pub fn is_taken(&self) -> bool {
        matches!(self.state, LetterState::Taken | LetterState::Partly)
    }
}
