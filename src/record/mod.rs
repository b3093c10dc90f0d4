//! What is known: the fold of all facts. `Record::apply` is the one door
//! through which memory changes; the same facts give the same record.

mod alerts;
mod baseline;
mod block;
mod change;
mod channel;
mod fact;
mod handover;
mod holds;
mod letters;
mod news;
mod outcome;
mod overview;
mod plan;
mod reasons;
mod rehearsal;
mod reload;
mod seen;
mod silences;
mod summary;
mod targets;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use alerts::{AlertKey, AlertRecord, Closing, Episode};
pub use baseline::{Baseline, Level, NO_EARLIER, Past};
pub use block::{Block, Row, Tally};
pub use change::changes;
pub use channel::{BROKEN_AFTER, ChannelRecord, Frozen, LIMIT_RANGE, Posted, WrittenBy};
pub use fact::{Ending, Fact, Stored, Waited};
pub use handover::{Handed, Heritage, Succession};
pub use holds::{Held, Hold, STEADY_AFTER};
pub use letters::LetterRecord;
pub use news::{AlertNews, Item, News, incident};
pub use outcome::{Missed, Outcome};
pub use overview::{DigestRecord, Limit, Overview, SignalNow};
pub use plan::{Found, Plan, RUN_HEADER};
pub use reasons::Parents;
pub use rehearsal::{Rehearsal, Rehearsed, Stage};
pub use reload::{Adopted, Moves, Reload, Reread};
pub use silences::SilenceRecord;
pub use summary::{
    AlertSummary, Availability, Blind, BoundLine, CLOSING, CheckSummary, Coverage, Deliveries,
    LetterState, LetterSummary, Reason, Replicas, Runs, SignalSummary, Stays, Summary, Superseded,
    TargetSummary,
};

pub use targets::{SourceRecord, Stay, TargetRecord};
pub use told::{Ack, Insisting, Meant};

pub use crate::metrics::presets::{Matched, PresetChoice};

use crate::check::StepResult;
use crate::judge::Rule;
use crate::model::{Failure, Name, Release, Severity, Span, Timestamp, TlsFacts, Why};

/// The limit of a watch that sees no sign of the smoke test's request in the
/// metric of requests. Somebody is told, since it makes a calm ratio worthless.
pub const NOT_COUNTED: &str = "smoke-not-counted";

/// The limit of a target that is several processes: what its counters grow by
/// is not judged, and somebody has to list the replicas.
pub const SAW_TOOTH: &str = "saw-tooth";

/// All that is known of one watch.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// What is watched.
    pub release: Release,
    /// How.
    pub plan: Plan,
    /// Rules that a reload has removed, as they were last: what is told of their
    /// alerts needs their words.
    pub retired: Vec<Rule>,
    /// Each time the configuration was read anew, and something came of it.
    pub reloads: Vec<Reload>,
    /// How far the wall clock has been set in all, which is no time that passed.
    pub stepped: Span,
    /// When the watch was opened; not before the release.
    pub opened_at: Timestamp,
    /// How many facts have been applied: the number of the latest.
    pub seq: u64,
    /// When the latest became true.
    pub at: Timestamp,
    /// Whether anything answered within the settle grace, once that is known.
    pub settled: Option<bool>,
    /// Paths that were found where nobody said any.
    pub found: Option<Found>,
    /// Smoke steps that nobody asked for and that were left out, each with why.
    pub dropped: Vec<(Name, String)>,
    /// Results of the smoke suite, as far as it got.
    pub smoke: Vec<StepResult>,
    /// What the presets found.
    pub matched: Option<Matched>,
    /// Each target there ever was.
    pub targets: BTreeMap<Name, TargetRecord>,
    /// Each check beyond HTTP of which anything is known.
    pub checks: BTreeMap<Name, CheckRecord>,
    /// Each source of targets that has been heard of.
    pub sources: BTreeMap<Name, SourceRecord>,
    /// Each source of metrics that has failed or come back, with why it fails.
    pub data_sources: BTreeMap<Name, Option<Failure>>,
    /// Each alert that was ever more than inactive.
    pub alerts: BTreeMap<AlertKey, AlertRecord>,
    /// Each silence there ever was, in the order in which they were made.
    pub silences: Vec<SilenceRecord>,
    /// Rules that have nothing to judge, why, and since when.
    pub quiet: BTreeMap<Name, (Why, Timestamp)>,
    /// All that is worth telling, in order.
    pub news: Vec<News>,
    /// How telling goes, by channel.
    pub channels: BTreeMap<Name, ChannelRecord>,
    /// Each letter that left, in order of its first leaving.
    pub letters: Vec<LetterRecord>,
    /// Letters that are to leave once more, each with its channel.
    pub replays: Vec<(Name, String)>,
    /// How far each digest told, once it did.
    pub digests: BTreeMap<Name, DigestRecord>,
    /// What was measured.
    pub blocks: Vec<Arc<Block>>,
    /// Stretches in which nobody looked.
    pub blind: Vec<Blind>,
    /// Windows that are closed, with what was written of them.
    pub windows: BTreeMap<Name, WindowRecord>,
    /// Limits that were hit, in words.
    pub limits: BTreeMap<(Name, Option<Name>), String>,
    /// What our own mistake was, if one stopped the judging.
    pub poisoned: Option<String>,
    /// What rules go by that are a share of it.
    pub baseline: Option<Baseline>,
    /// The test of the channels before this release.
    pub rehearsal: Option<Rehearsal>,
    /// What came from the release before, and what went to the next.
    pub succession: Succession,
    /// How the watch ended, if it did.
    pub ended: Option<Ending>,
}

/// A check beyond HTTP, as last known.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CheckRecord {
    /// Whether it passes; `None`: nobody can tell.
    pub passed: Option<bool>,
    /// What did not hold, in words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// The TLS session that it saw last, if it saw one.
    pub tls: Option<TlsFacts>,
}

/// A closed window.
#[derive(Clone, PartialEq, Debug)]
pub struct WindowRecord {
    /// What it amounts to.
    pub summary: Summary,
    /// Files written of it; `None`: not yet.
    pub files: Option<Vec<String>>,
}

impl Record {
    /// The record of a watch that has just been opened. `opened` must be
    /// `Fact::Opened`: a record begins with it and with nothing else.
    pub fn open(at: Timestamp, opened: &Fact) -> Result<Record, String> {
        let Fact::Opened { release, plan, .. } = opened else {
            return Err("a record must begin with an \"opened\" fact".to_owned());
        };
        let channels = plan.channels.iter().map(|c| (c.name.clone(), ChannelRecord::default()));
        let targets = plan.targets.iter().map(|t| (t.name.clone(), TargetRecord::default()));
        let mut record = Record {
            release: release.clone(),
            plan: (**plan).clone(),
            retired: Vec::new(),
            reloads: Vec::new(),
            stepped: Span::ZERO,
            opened_at: at.max(release.at),
            seq: 1,
            at,
            settled: None,
            found: None,
            dropped: Vec::new(),
            smoke: Vec::new(),
            matched: None,
            targets: targets.collect(),
            checks: BTreeMap::new(),
            sources: BTreeMap::new(),
            data_sources: BTreeMap::new(),
            alerts: BTreeMap::new(),
            silences: Vec::new(),
            quiet: BTreeMap::new(),
            news: Vec::new(),
            channels: channels.collect(),
            letters: Vec::new(),
            replays: Vec::new(),
            digests: BTreeMap::new(),
            blocks: Vec::new(),
            blind: Vec::new(),
            windows: BTreeMap::new(),
            limits: BTreeMap::new(),
            poisoned: None,
            baseline: None,
            rehearsal: None,
            succession: Succession::default(),
            ended: None,
        };
        record.add_blind(release.at, record.opened_at, "bakewatch had not been started");
        // No news at all where nobody takes it.
        if plan.channels.iter().any(|channel| channel.medium.is_told_of_releases()) {
            record.tell(Item::Released);
        }
        Ok(record)
    }

    /// The record that these facts lead to.
    pub fn replay(facts: impl IntoIterator<Item = (Timestamp, Fact)>) -> Result<Record, String> {
        let mut facts = facts.into_iter();
        let (at, opened) = facts.next().ok_or("a record must have at least one fact")?;
        let mut record = Record::open(at, &opened)?;
        for (at, fact) in facts {
            record.apply(at, fact);
        }
        Ok(record)
    }

    /// Takes in one fact. The only way in which a record changes.
    pub fn apply(&mut self, at: Timestamp, fact: Fact) {
        self.seq += 1;
        self.at = at;
        match fact {
            Fact::Opened { .. } => unreachable!("a record begins once"),
            Fact::Resumed { quiet_since, why } => self.apply_resumed(quiet_since, at, &why),
            Fact::Stopped {} => {}
            Fact::ClockStepped { by } => self.apply_stepped(by),
            Fact::Settled { answered } => self.settled = Some(answered),
            Fact::Smoked(result) => self.apply_smoked(result),
            Fact::Matched(matched) => self.matched = Some(matched),
            Fact::Found(_)
            | Fact::Dropped { .. }
            | Fact::Health { .. }
            | Fact::Version { .. }
            | Fact::Scraping { .. }
            | Fact::Sourcing { .. }
            | Fact::Checked { .. }
            | Fact::Certificate { .. } => self.apply_seen(at, fact),
            Fact::Targets { source, added, removed } => {
                self.apply_targets(source, added, &removed);
            }
            Fact::Discovery { source, failure } => self.apply_discovery(source, failure),
            Fact::Limit { target, what, detail } => self.apply_limit(target, what, detail),
            Fact::Evidence { rule, missing } => self.apply_evidence(rule, missing),
            Fact::Alert { rule, labels, phase, value } => {
                self.apply_alert(AlertKey { rule, labels }, phase, value);
            }
            Fact::Measured(block) => self.blocks.push(block),
            Fact::Acknowledged { .. }
            | Fact::Reminded { .. }
            | Fact::Escalated { .. }
            | Fact::FellBack { .. } => self.apply_insisting(fact),
            Fact::Sent { .. } | Fact::Replayed { .. } | Fact::Receipt { .. } => {
                self.apply_letter(fact);
            }
            Fact::Digest(overview) => self.apply_overview(*overview),
            Fact::WindowClosed { window, summary } => {
                let closed = WindowRecord { summary: *summary, files: None };
                self.windows.insert(window.clone(), closed);
                self.tell(Item::Summary(window));
            }
            Fact::Published { window, files, error } => self.apply_published(&window, files, error),
            Fact::PlanChanged { plan, changes, renewed } => {
                self.apply_plan(*plan, changes, &renewed);
            }
            Fact::ReloadFailed { errors } => {
                self.reloads.push(Reload { at, changes: Vec::new(), errors });
            }
            Fact::StoreFailed { error } => self.tell(Item::Notice {
                severity: Severity::Critical,
                text: format!("facts could not be stored: {error}"),
                about: None,
            }),
            Fact::Poisoned { message } => self.apply_poisoned(message),
            Fact::Baseline(baseline) => self.baseline = Some(baseline),
            Fact::Rehearsed(rehearsal) => self.rehearsal = Some(rehearsal),
            Fact::Superseded { by, handed } => self.apply_superseded(by, handed),
            Fact::Inherited { from, alerts, silences } => {
                self.apply_inherited(from, alerts, silences);
            }
            Fact::Held { .. }
            | Fact::Freed { .. }
            | Fact::Flapping { .. }
            | Fact::Silenced(_)
            | Fact::Unsilenced { .. } => self.apply_suppression(fact),
            Fact::Ended { reason } => self.apply_ended(reason),
        }
    }

    /// The end of what was observed so far.
    pub fn observed_to(&self) -> Timestamp {
        self.blocks
            .last()
            .map_or(self.opened_at, |block| block.to)
            .max(self.blind.last().map_or(self.opened_at, |blind| blind.to))
    }

    /// Whether nothing is observed any more, whatever is still to be told.
    pub fn is_over(&self) -> bool {
        self.ended.is_some() || self.poisoned.is_some() || self.succession.by.is_some()
    }

    /// Whether a replica that tells this version runs the release.
    pub fn is_of_release(&self, told: &str) -> bool {
        self.plan.health.is_of(self.release.version.as_str(), told)
    }

    /// Whether every step of the smoke suite has a result.
    pub fn is_smoke_done(&self) -> bool {
        self.smoke.len() == self.plan.smoke.len()
    }

    /// A `must` of the smoke suite failed.
    pub fn has_must_failed(&self) -> bool {
        self.smoke.iter().any(|step| step.must && step.has_failed())
    }

    /// The number of the latest news; 0 when there is none.
    pub fn news_end(&self) -> u64 {
        self.news.last().map_or(0, |news| news.seq)
    }

    fn tell(&mut self, item: Item) {
        let blocks = self.blocks.len();
        self.news.push(News { seq: self.seq, at: self.at, blocks, item });
    }

    fn add_blind(&mut self, from: Timestamp, to: Timestamp, why: &str) {
        if from < to {
            self.blind.push(Blind { from, to, why: why.to_owned() });
        }
    }

    fn apply_resumed(&mut self, quiet_since: Timestamp, at: Timestamp, why: &str) {
        self.add_blind(quiet_since, at, why);
        let gap = at.since(quiet_since);
        for alert in self.alerts.values_mut() {
            alert.shift_clocks(gap, at);
        }
        for channel in self.channels.values_mut() {
            if let Some(frozen) = &mut channel.frozen {
                frozen.unknown = true; // it may or may not have left before the end
            }
        }
    }

    /// The record's own time goes on; whoever compares it with other clocks
    /// has to know.
    fn apply_stepped(&mut self, by: Span) {
        self.stepped += by;
        let seconds = (by.millis() + 500 * by.millis().signum()) / 1000;
        let detail = format!(
            "the wall clock was set by {} at {}; the times told here went on without it",
            Span::from_secs(seconds),
            self.at.rfc3339()
        );
        self.limits.insert((Name::from("wall-clock"), None), detail);
    }

    /// A limit stands in the report; some are worth a letter besides.
    fn apply_limit(&mut self, target: Option<Name>, what: Name, detail: String) {
        if what == *NOT_COUNTED || what == *SAW_TOOTH {
            let text = match &target {
                Some(target) => format!("{target}: {detail}"),
                None => detail.clone(),
            };
            self.tell(Item::Notice { severity: Severity::Warning, text, about: None });
        }
        self.limits.insert((what, target), detail);
    }

    fn apply_evidence(&mut self, rule: Name, missing: Option<Why>) {
        match missing {
            Some(why) => self.quiet.insert(rule, (why, self.at)),
            None => self.quiet.remove(&rule),
        };
    }

    fn apply_smoked(&mut self, result: StepResult) {
        self.smoke.push(result);
        if self.is_smoke_done() && self.has_must_failed() {
            let failed = self.smoke.iter().filter(|step| step.has_failed());
            self.tell(Item::SmokeFailed(failed.cloned().collect()));
        }
    }

    fn apply_receipt(&mut self, channel: &Name, key: &str, outcome: Outcome) {
        let at = self.at;
        self.letter_ended(channel, key, &outcome);
        if self.end_replay(channel, key) {
            return; // what is owed is told as if it had not been
        }
        let known = self.channels.entry(channel.clone()).or_default();
        let (was_broken, were_missing) = (known.broken, known.missing.clone());
        let is_out = known.frozen.as_ref().filter(|frozen| *frozen.key == *key);
        let stretch = is_out.map(|frozen| (frozen.after, frozen.up_to));
        known.apply(key, outcome, at);
        let is_taken = known.failures == 0;
        let missing = known.missing.iter().filter(|(who, _)| !were_missing.contains_key(*who));
        let missing: Vec<String> = missing
            .map(|(who, why)| format!("channel {channel} does not reach {who}: {why}"))
            .collect();
        if known.broken && !was_broken {
            let text = format!("channel {channel} is broken: {}", known.last_words);
            let about = Some(channel.clone());
            self.tell(Item::Notice { severity: Severity::Critical, text, about });
        }
        // Those whom the channel does reach are told as well: they may know better.
        for text in missing {
            self.tell(Item::Notice { severity: Severity::Warning, text, about: None });
        }
        match stretch {
            Some(stretch) if is_taken => self.note_taken(channel, stretch),
            Some(_) | None => self.give_up_reminder(channel),
        }
    }

    fn apply_poisoned(&mut self, message: String) {
        let text = format!("bakewatch itself failed, this watch is not judged: {message}");
        self.tell(Item::Notice { severity: Severity::Critical, text, about: None });
        self.poisoned = Some(message);
    }

    fn apply_published(&mut self, window: &Name, files: Vec<String>, error: Option<String>) {
        if let Some(closed) = self.windows.get_mut(window) {
            closed.files = Some(files);
        }
        if let Some(error) = error {
            let text = format!("the files of the {window} summary could not be written: {error}");
            self.tell(Item::Notice { severity: Severity::Warning, text, about: None });
        }
    }

    fn apply_ended(&mut self, reason: Ending) {
        let burning: Vec<AlertKey> = self
            .alerts
            .iter()
            .filter(|(_, alert)| alert.phase.is_firing())
            .map(|(key, _)| key.clone())
            .collect();
        for key in burning {
            self.close_alert(&key, Closing::WatchEnded);
        }
        // One that flaps and is calm now: whoever was told waits for its end.
        let told = self.alerts.iter().filter(|(_, alert)| alert.told);
        let told: Vec<AlertKey> = told.map(|(key, _)| key.clone()).collect();
        told.iter().for_each(|key| self.tell_resolved(key));
        self.ended = Some(reason);
    }
}
