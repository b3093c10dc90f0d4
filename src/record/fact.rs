//! Facts: all that a watch ever learns or decides. The record is their fold,
//! and nothing else changes it.
//!
//! A fact is stored as a kind, a version and a JSON body. A body's form is
//! never changed without a new version and an upcast in `decode`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Baseline, Block, Found, Handed, Hold, Matched, Outcome, Overview, Plan, Rehearsal, Summary,
};
use crate::check::{HealthState, StepResult};
use crate::judge::Phase;
use crate::model::{
    Failure, Labels, Name, Number, Release, Silence, Span, Target, Timestamp, TlsFacts, Why,
};

/// One thing that became true.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// The watch begins.
    Opened {
        /// What is watched.
        release: Release,
        /// How.
        plan: Box<Plan>,
        /// The version of bakewatch that opened it.
        by: String,
    },
    /// A process took the watch up again. What lies between is blind time.
    Resumed {
        /// The end of what was observed before.
        quiet_since: Timestamp,
        /// `bakewatch was not running`, `the machine slept`.
        why: String,
    },
    /// The process was asked to stop, and did so in order.
    Stopped {},
    /// The settle grace is over.
    Settled {
        /// Whether anything answered.
        answered: bool,
    },
    /// What nobody said of the service's paths was found elsewhere.
    Found(Found),
    /// A step of the smoke suite that nobody asked for was left out.
    Dropped {
        /// Which.
        step: Name,
        /// Why: `404: there is no such endpoint`.
        reason: String,
    },
    /// A step of the smoke suite ended.
    Smoked(StepResult),
    /// The presets were held against a scrape (again, when more was found).
    Matched(Matched),
    /// A target's health is another than before.
    Health {
        /// Which.
        target: Name,
        /// What it is now.
        state: HealthState,
        /// In words: `200, "degraded": redis`.
        reason: String,
    },
    /// A target told a version that it had not told before.
    Version {
        /// Which.
        target: Name,
        /// As it was told.
        version: String,
    },
    /// A target's scrapes began to fail, or to succeed again.
    Scraping {
        /// Which.
        target: Name,
        /// Why it fails now; `None`: it does not.
        failure: Option<Failure>,
    },
    /// A source of metrics began to fail, or answers again.
    Sourcing {
        /// Which.
        source: Name,
        /// Why it fails now; `None`: it does not.
        failure: Option<Failure>,
    },
    /// A check beyond HTTP ends otherwise than before.
    Checked {
        /// Which.
        check: Name,
        /// Whether it passes; `None`: nobody can tell.
        passed: Option<bool>,
        /// What did not hold, in words.
        reason: String,
    },
    /// A check saw another certificate than before, or it is judged otherwise.
    Certificate {
        /// Which check.
        check: Name,
        /// What was seen.
        tls: Box<TlsFacts>,
    },
    /// A source names other targets than before, or any for the first time.
    Targets {
        /// Which source.
        source: Name,
        /// Those that came.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        added: Vec<Target>,
        /// Those that went. One that is in both is another under its old name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        removed: Vec<Name>,
    },
    /// A source of targets has failed a few times, or answers again.
    Discovery {
        /// Which source.
        source: Name,
        /// Why it fails; `None`: it does not.
        failure: Option<String>,
    },
    /// A limit was hit for the first time in this watch.
    Limit {
        /// Whose, if a target's.
        target: Option<Name>,
        /// Which limit: a short stable word, `bad-lines`, `series`, `late-answer`.
        what: Name,
        /// In words.
        detail: String,
    },
    /// A rule lost its evidence, or found it again.
    Evidence {
        /// The rule.
        rule: Name,
        /// Why there is nothing to judge; `None`: there is something.
        missing: Option<Why>,
    },
    /// An alert changed its phase.
    Alert {
        /// The rule.
        rule: Name,
        /// Which of its instances.
        labels: Labels,
        /// The new phase.
        phase: Phase,
        /// The reading that did it.
        value: Number,
    },
    /// Somebody is on it: no more reminders, and no further step.
    Acknowledged {
        /// The rule.
        rule: Name,
        /// Which of its instances.
        labels: Labels,
        /// Who.
        by: String,
        /// In their words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        comment: String,
    },
    /// It still fires, and nobody has acknowledged it.
    Reminded {
        /// The rule.
        rule: Name,
        /// Which of its instances.
        labels: Labels,
        /// The how many-th reminder of this episode, from 1.
        number: u32,
        /// The channels that are reminded.
        to: Vec<Name>,
    },
    /// Nobody has acknowledged it for so long that the next is told.
    Escalated {
        /// The rule.
        rule: Name,
        /// Which of its instances.
        labels: Labels,
        /// The channel.
        to: Name,
        /// How long.
        after: Span,
    },
    /// A channel could not be told of it, and another is in its place.
    FellBack {
        /// The rule.
        rule: Name,
        /// Which of its instances.
        labels: Labels,
        /// The channel that could not be.
        from: Name,
        /// The other.
        to: Name,
    },
    /// What was measured over a stretch of time.
    Measured(Arc<Block>),
    /// A letter is about to leave: frozen from here on, until a receipt.
    Sent {
        /// To whom.
        channel: Name,
        /// The idempotency key, the same for the same content.
        key: String,
        /// It tells the news after this fact …
        after: u64,
        /// … up to and with this one.
        up_to: u64,
        /// SHA-256 of the unfilled letter, in hex.
        hash: String,
        /// Why it was not written before, if something held it up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waited: Option<Waited>,
    },
    /// What became of it.
    Receipt {
        /// To whom.
        channel: Name,
        /// Which letter.
        key: String,
        /// The end of the try.
        outcome: Outcome,
    },
    /// Somebody wants a letter to leave once more that has left.
    Replayed {
        /// To whom.
        channel: Name,
        /// Which letter.
        key: String,
        /// Who wants it.
        by: String,
    },
    /// A digest is due; all that it says.
    Digest(Box<Overview>),
    /// A window ended; all that its summary says.
    WindowClosed {
        /// Which.
        window: Name,
        /// What it amounts to.
        summary: Box<Summary>,
    },
    /// A summary's files were written, or could not be.
    Published {
        /// Of which window.
        window: Name,
        /// The files.
        files: Vec<String>,
        /// Why there are none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// The wall clock jumped; elapsed time did not.
    ClockStepped {
        /// By so much, forward or back.
        by: Span,
    },
    /// The configuration was read anew, and is followed from here on.
    PlanChanged {
        /// All of it as it is followed: what was found stays found, a closed
        /// window stays closed, and the smoke suite is that of the opening.
        plan: Box<Plan>,
        /// What is another than before, in words.
        changes: Vec<String>,
        /// Keys of the secrets whose values, written out in it, are others.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        renewed: Vec<String>,
    },
    /// The configuration was read anew and cannot be followed: the plan stays.
    ReloadFailed {
        /// Every error, in words.
        errors: Vec<String>,
    },
    /// A store of facts failed. (Stored when it works again.)
    StoreFailed {
        /// What the disk said.
        error: String,
    },
    /// A mistake of our own stopped this watch's judging; its letters still go.
    Poisoned {
        /// What the panic said.
        message: String,
    },
    /// A newer release took this one's place: nothing is observed any more.
    Superseded {
        /// Its version.
        by: Name,
        /// Alerts that go on under it, as the same incidents.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        handed: Vec<Handed>,
    },
    /// What an earlier release measured, for rules that go by it.
    Baseline(Baseline),
    /// How the last test of the channels went, before the watch began.
    Rehearsed(Rehearsal),
    /// What the watch of an earlier release handed on to this one.
    Inherited {
        /// Its version.
        from: Name,
        /// Alerts that burn.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        alerts: Vec<Handed>,
        /// Silences that hold.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        silences: Vec<Silence>,
    },
    /// An alert fires, or is about to, and nobody is told for now. (Before the
    /// turn to firing, which would be news.)
    Held {
        /// The rule.
        rule: Name,
        /// Which of its instances.
        labels: Labels,
        /// Why.
        why: Hold,
    },
    /// Nothing holds it back any more.
    Freed {
        /// The rule.
        rule: Name,
        /// Which of its instances.
        labels: Labels,
    },
    /// An alert comes and goes, or does so no more.
    Flapping {
        /// The rule.
        rule: Name,
        /// Which of its instances.
        labels: Labels,
        /// Whether it does.
        on: bool,
    },
    /// Somebody wants to hear nothing new of some alerts for a while.
    Silenced(Silence),
    /// A silence ended before its time.
    Unsilenced {
        /// Which.
        id: Name,
        /// Who ended it.
        by: String,
    },
    /// The watch is over.
    Ended {
        /// Why.
        reason: Ending,
    },
}

/// Why a watch ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Its last window closed.
    Complete,
    /// A newer release took its place.
    Superseded {
        /// Which.
        by: Name,
    },
}

/// What a letter waited for, besides others that it might be one with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waited {
    /// The end of the channel's quiet hours.
    Quiet,
    /// The channel had its number of letters for ten minutes.
    Limit,
}

impl Fact {
    /// Whether it must be on disk before anything that rests on it leaves.
    /// Measurements are not: what a crash loses of them is blind time.
    pub fn is_decision(&self) -> bool {
        !matches!(self, Fact::Measured(_))
    }

    /// Its stored form.
    pub fn encode(&self) -> Stored {
        let mut text = serde_json::to_string(self).expect("a fact has no map with odd keys");
        // An externally tagged enum is `{"kind":body}`; take it apart.
        let colon = text.find(':').expect("a tagged value has a colon");
        let kind = text[2..colon - 1].to_owned();
        text.pop();
        text.drain(..=colon);
        Stored { kind, version: VERSION, body: text }
    }
}

/// The version of the bodies that `encode` writes.
const VERSION: u32 = 1;

/// A fact as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// `opened`, `alert`, `sent`, …
    pub kind: String,
    /// Of the body's form.
    pub version: u32,
    /// JSON.
    pub body: String,
}

impl Stored {
    /// The fact again. An unknown kind or version is an error that says so:
    /// a record that cannot be read whole must not be continued.
    pub fn decode(&self) -> Result<Fact, String> {
        if self.version != VERSION {
            let (kind, version) = (&self.kind, self.version);
            return Err(format!(
                "a {kind:?} fact of version {version} is a newer bakewatch's; \
                 this one reads version {VERSION}"
            ));
        }
        // Nine facts in ten are measurements: read in place, and the rest by tag.
        let fact = match self.kind.as_str() {
            "measured" => serde_json::from_str(&self.body).map(Arc::new).map(Fact::Measured),
            kind => serde_json::from_str(&format!("{{\"{kind}\":{}}}", self.body)),
        };
        fact.map_err(|error| format!("a {:?} fact cannot be read: {error}", self.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Row, Tally};

    #[test]
    fn stores_a_fact_as_kind_and_body_and_reads_the_same_back() {
        let fact = Fact::Alert {
            rule: "HighErrorRate".into(),
            labels: Labels::from_pairs([("path", "/u/{id}:\"x\"")]),
            phase: Phase::Firing { since: Timestamp::from_millis(5) },
            value: Number(f64::INFINITY),
        };
        let stored = fact.encode();
        assert_eq!(stored.kind, "alert");
        assert_eq!(stored.decode(), Ok(fact));
    }

    #[test]
    fn stores_a_block_without_what_was_never_counted_and_reads_the_same_back() {
        let row = Row { signal: "x".into(), seen: 0, measured: None };
        let tally = Tally { ok: 4, ..Tally::default() };
        let block =
            Block { tallies: vec![("a".into(), tally)], rows: vec![row], ..Block::default() };
        let fact = Fact::Measured(Arc::new(block));
        let stored = fact.encode();
        let body = r#""tallies":[["a",{"ok":4}]],"rows":[{"signal":"x","seen":0}]}"#;
        assert!(stored.kind == "measured" && stored.body.ends_with(body), "{stored:?}");
        assert_eq!(stored.decode(), Ok(fact));
    }

    #[test]
    fn refuses_a_kind_that_it_does_not_know() {
        let stored = Stored { kind: "portent".into(), version: 1, body: "{}".into() };
        assert!(stored.decode().unwrap_err().contains("portent"));
    }
}
