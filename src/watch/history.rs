//! The past of a source, asked once: a first watch has no release before it to
//! be held against, and the source knows what was measured until then.

use std::sync::Arc;

use super::flight::{Asked, Due};
use super::{Question, Watch};
use crate::judge::Rule;
use crate::metrics::{Meter, Signal};
use crate::model::{DataSource, Failure, Inquiry, MINUTE, Rows, SECOND, Span, Timestamp, Told};
use crate::record::{Baseline, Fact, NO_EARLIER, Past};
use crate::report;

/// A week of a busy server takes longer than an instant of it.
const TIMEOUT: Span = Span::from_secs(60);

/// After an answer that was none.
const AGAIN: Span = Span::from_millis(5 * MINUTE.millis());

/// Signals may be found this long.
const WAIT_MAX: Span = Span::from_millis(10 * MINUTE.millis());

/// Servers give no more points of a series than 11 000.
const POINTS_MAX: i64 = 10_000;

/// What is known of the one question.
#[derive(Default)]
pub(super) struct History {
    due: Option<Timestamp>,
    out: Option<Out>,
}

/// The question that is out.
struct Out {
    past: Past,
    rules: Vec<(Rule, Signal)>,
    texts: Vec<Arc<str>>,
}

impl Watch {
    pub(super) fn ask_history(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        if self.record.plan.data_sources.is_empty() {
            return; // nearly always, and this is asked at each turn
        }
        let first = |baseline: &Baseline| baseline.why == NO_EARLIER && baseline.past.is_none();
        if !self.record.baseline.as_ref().is_some_and(first) || self.history.out.is_some() {
            return;
        }
        if self.history.due.is_some_and(|at| now < at) {
            return;
        }
        self.history.due = None; // whatever comes of it, nobody is to be woken for it again
        let Some((source, rules)) = self.rules_with_a_past(now) else { return };
        let to = self.record.release.at - source.delay;
        let past = Past { source: source.name.clone(), from: to - source.history, to };
        let (mut texts, mut asks) = (Vec::new(), Vec::new());
        for (_, signal) in &rules {
            let Ok(meter) = Meter::compile_for(signal, &self.record.plan.data_sources) else {
                continue;
            };
            // Readings lie side by side, as those of an earlier watch do.
            let least = Span::from_millis(source.history.millis() / POINTS_MAX);
            let step = signal.range.max(least).max(SECOND);
            for (text, _) in meter.asked() {
                if texts.contains(text) {
                    continue;
                }
                let since = Some((past.from + step, step));
                asks.push(Inquiry { text: text.clone(), at: to, since });
                texts.push(text.clone());
            }
        }
        self.history.out = Some(Out { past, rules, texts });
        due.push(Due {
            asked: Asked::History,
            question: Question::Query {
                source: Arc::new(source),
                asks,
                bytes_max: self.record.plan.body_bytes_max,
                timeout: TIMEOUT,
            },
            timeout: TIMEOUT,
        });
    }

    pub(super) fn next_history(&self) -> Option<Timestamp> {
        self.history.due
    }

    /// The rules that ask for a baseline and whose signal some source measures,
    /// with that source; `None`: there is none, or not yet.
    fn rules_with_a_past(&self, now: Timestamp) -> Option<(DataSource, Vec<(Rule, Signal)>)> {
        let plan = &self.record.plan;
        let asking = plan.rules.iter().filter(|rule| rule.of_baseline.is_some());
        let known: Vec<(&Rule, Option<&Signal>)> =
            asking.map(|rule| (rule, self.measure.signal(&rule.signal))).collect();
        let is_sought = now.since(self.record.opened_at) < WAIT_MAX;
        if is_sought && known.iter().any(|(_, signal)| signal.is_none()) {
            return None;
        }
        let source = plan.data_sources.iter().find(|source| {
            let is_its = |signal: &Signal| signal.source.as_ref() == Some(&source.name);
            source.history > Span::ZERO && known.iter().any(|(_, one)| one.is_some_and(is_its))
        })?;
        let its = known.into_iter().filter_map(|(rule, signal)| {
            let signal = signal.filter(|signal| signal.source.as_ref() == Some(&source.name))?;
            Some((rule.clone(), signal.clone()))
        });
        Some((source.clone(), its.collect()))
    }

    pub(super) fn hear_history(
        &mut self,
        now: Timestamp,
        reply: Result<Vec<Result<Told, Failure>>, Failure>,
    ) {
        let Some(Out { past, rules, texts }) = self.history.out.take() else { return };
        let rows = |answer: Result<Told, Failure>| answer.map(|told| told.rows);
        let answers: Result<Vec<Rows>, Failure> =
            reply.and_then(|answers| answers.into_iter().map(rows).collect());
        match answers {
            Err(failure) => {
                self.history.due = Some(now + AGAIN);
                let detail = format!("{} gave no past to go by: {failure}", past.source);
                self.limit(now, None, "history", &detail);
            }
            Ok(rows) => {
                let answers: Vec<(Arc<str>, Rows)> = texts.into_iter().zip(rows).collect();
                let sources = &self.record.plan.data_sources;
                let level = |(rule, signal): &(Rule, Signal)| {
                    report::level_of_past(rule, signal, sources, &answers)
                };
                let levels = rules.iter().map(level).collect();
                let baseline = Baseline { past: Some(past), levels, ..Baseline::default() };
                self.note(now, Fact::Baseline(baseline));
            }
        }
    }
}
