//! The part of a look that sources of metrics answer: what each is asked, and
//! what came.

use std::sync::Arc;

use serde::Serialize;

use crate::metrics::presets::{self, Matched};
use crate::metrics::{Family, Meter, Signal};
use crate::model::{DataSource, Failure, Name, Rows, Span, Timestamp, Told};
use crate::record::Plan;

/// Queries as they are sent, each with how far in the past it looks.
pub type Texts = Vec<(Arc<str>, Span)>;

/// What a source answered.
#[derive(Clone, Debug)]
pub struct Sourced {
    /// Which.
    pub source: Name,
    /// Which metrics of presets there are; `None`: nobody asked it.
    pub searched: Option<Result<Told, Failure>>,
    /// Each query, how far in the past it looks, and what came.
    pub answers: Vec<(Arc<str>, Span, Result<Told, Failure>)>,
}

/// One source.
#[derive(Debug, Serialize)]
pub struct SourceLive {
    /// Which.
    pub source: Name,
    /// Where.
    pub url: String,
    /// Whether it answered anything.
    pub reachable: bool,
    /// How many queries it answered, and why not the others.
    pub words: String,
}

/// Which source is asked what presets know, and how.
pub fn search(plan: &Plan) -> Option<(&DataSource, String)> {
    let source =
        plan.data_sources.iter().find(|one| Some(&one.name) == plan.measured_by.as_ref())?;
    let text =
        presets::search(plan.presets.pinned(), &plan.own_presets, source.selector.as_deref())?;
    Some((source, text))
}

/// What each source is to be asked of the signals, `found` among them.
pub fn wanted<'p>(plan: &'p Plan, found: &[Family]) -> Vec<(&'p DataSource, Texts)> {
    let meters = meters(plan, &detect(plan, found));
    let of = |source: &'p DataSource| {
        let its = meters.iter().filter(|(_, meter)| meter.source() == Some(&source.name));
        let texts = its.flat_map(|(_, meter)| meter.asked());
        let mut texts: Texts = texts.map(|(text, offset)| (text.clone(), offset)).collect();
        texts.sort();
        texts.dedup();
        (source, texts)
    };
    plan.data_sources.iter().map(of).collect()
}

/// The families that the usual source was found to hold.
pub fn families(plan: &Plan, sourced: &[Sourced]) -> Vec<Family> {
    let usual = sourced.iter().filter(|one| Some(&one.source) == plan.measured_by.as_ref());
    let rows = usual.filter_map(|one| one.searched.as_ref()?.as_ref().ok());
    let rows: Rows = rows.flat_map(|told| told.rows.clone()).collect();
    presets::families(&rows)
}

pub(super) fn detect(plan: &Plan, families: &[Family]) -> Matched {
    let mut matched = presets::detect(families, plan.presets.pinned(), &plan.own_presets);
    for signal in &mut matched.signals {
        signal.source.clone_from(&plan.measured_by);
    }
    matched
}

/// The meters of all signals: the user's, and those that presets give.
pub(super) fn meters(plan: &Plan, matched: &Matched) -> Vec<(Signal, Meter)> {
    let is_new = |signal: &&Signal| plan.signals.iter().all(|own| own.name != signal.name);
    let signals = plan.signals.iter().chain(matched.signals.iter().filter(is_new)).cloned();
    let compile = |signal: Signal| {
        let meter = Meter::compile_for(&signal, &plan.data_sources).ok()?;
        Some((signal, meter))
    };
    signals.filter_map(compile).collect()
}

/// Gives each meter what its source answered.
pub(super) fn answer(meters: &mut [(Signal, Meter)], sourced: &[Sourced], now: Timestamp) {
    for (_, meter) in meters {
        let Some(source) = meter.source().cloned() else { continue };
        let Some(its) = sourced.iter().find(|one| one.source == source) else { continue };
        for (text, _, answer) in &its.answers {
            // Of when it was asked: what is told now is of now.
            meter.answered(text, (now, Timestamp::default()), answer.as_ref().map(|t| &t.rows));
        }
    }
}

pub(super) fn shown(plan: &Plan, sourced: &[Sourced]) -> Vec<SourceLive> {
    let source = |one: &Sourced| {
        let failed = one.answers.iter().filter_map(|(_, _, answer)| answer.as_ref().err());
        let searched = one.searched.iter().filter_map(|answer| answer.as_ref().err());
        let first = searched.chain(failed.clone()).next();
        let (all, bad) = (one.answers.len(), failed.count());
        let reachable = all > bad || first.is_none();
        let why = first.map_or_else(String::new, |failure| format!("; {failure}"));
        let known = plan.data_sources.iter().find(|known| known.name == one.source);
        SourceLive {
            source: one.source.clone(),
            url: known.map(|known| known.url.clone()).unwrap_or_default(),
            reachable,
            words: format!("{} of {all} queries answered{why}", all - bad),
        }
    };
    sourced.iter().map(source).collect()
}
