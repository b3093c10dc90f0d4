//! Whether anything holds an alert back at a given time, and until when at
//! least: read from the record alone, so that every process comes to the same.

use super::{AlertKey, AlertRecord, Hold, Record};
use crate::judge::Phase;
use crate::model::{Labels, Span, Timestamp};

/// Alerts that explain others, found once for all that they may explain. What
/// is noted of holds meanwhile does not change it.
pub struct Parents {
    now: Timestamp,
    /// For so long after its end a parent still explains: its children end later.
    grace: Span,
    /// By the plan's inhibitions.
    found: Vec<Vec<(AlertKey, Labels)>>,
}

impl Record {
    /// The alerts that hold others back now.
    pub fn parents(&self, now: Timestamp, grace: Span) -> Parents {
        let inhibits = &self.plan.inhibits;
        let mut found = vec![Vec::new(); inhibits.len()];
        let is_fresh = |alert: &AlertRecord| {
            let is_over = alert.phase == Phase::Inactive;
            !is_over || alert.calm_since.is_some_and(|at| now.since(at) < grace)
        };
        let alerts = self.alerts.iter().filter(|(_, alert)| is_fresh(alert));
        for (key, _) in alerts.filter(|_| !inhibits.is_empty()) {
            let labels = self.labels_for_matchers(key);
            for (inhibit, parents) in inhibits.iter().zip(&mut found) {
                if inhibit.source.fit(&labels) {
                    parents.push((key.clone(), labels.clone()));
                }
            }
        }
        Parents { now, grace, found }
    }

    /// Why nobody is told of an alert now. What somebody wanted goes first: it
    /// is what they look for.
    pub fn why_held(&self, key: &AlertKey, parents: &Parents, now: Timestamp) -> Option<Hold> {
        let labels = self.labels_for_matchers(key);
        let severity = self.rule(&key.rule).severity;
        if let Some(silence) = self.silence_over(&labels, severity, now) {
            return Some(Hold::Silence { id: silence.id.clone(), by: silence.by.clone() });
        }
        let mut planned = self.plan.maintenance.iter();
        let open = planned.find(|one| one.matchers.fit(&labels) && one.ends(now).is_some());
        if let Some(window) = open {
            return Some(Hold::Maintenance { name: window.name.clone() });
        }
        if let Some(parent) = parents.of(self, key, &labels) {
            let AlertKey { rule, labels } = parent.clone();
            return Some(Hold::Inhibition { rule, labels });
        }
        // One that began to come and go while it was held back is told once.
        let alert = self.alerts.get(key).filter(|alert| alert.told)?;
        alert.flapping.is_some().then_some(Hold::Flapping)
    }

    /// When it is worth looking again whether an alert is still held back;
    /// `None`: only another fact can change that.
    pub fn held_until(
        &self,
        alert: &AlertRecord,
        now: Timestamp,
        grace: Span,
    ) -> Option<Timestamp> {
        match alert.held.as_ref()? {
            Hold::Silence { id, .. } => {
                let mut known = self.silences.iter();
                known.find(|known| known.silence.id == *id).map(|known| known.until())
            }
            Hold::Maintenance { name } => {
                let mut planned = self.plan.maintenance.iter();
                planned.find(|window| window.name == *name).and_then(|window| window.ends(now))
            }
            Hold::Inhibition { rule, labels } => {
                let key = AlertKey { rule: rule.clone(), labels: labels.clone() };
                let parent = self.alerts.get(&key)?;
                let over = parent.calm_since.filter(|_| parent.phase == Phase::Inactive);
                let waits = alert.open_since().filter(|_| !parent.phase.is_firing());
                let waits = waits.map(|at| at + self.rule(rule).hold + grace);
                let ends = [over.map(|at| at + grace), waits];
                ends.into_iter().flatten().filter(|at| *at > now).min()
            }
            Hold::Flapping => alert.steady_at(),
        }
    }

    /// Whether this alert is held back, in the end, by that one.
    fn hangs_on(&self, key: &AlertKey, other: &AlertKey) -> bool {
        let mut at = key.clone();
        for _ in 0..=self.alerts.len() {
            let held = self.alerts.get(&at).and_then(|alert| alert.held.clone());
            let Some(Hold::Inhibition { rule, labels }) = held else { return false };
            at = AlertKey { rule, labels };
            if at == *other {
                return true;
            }
        }
        true
    }
}

impl Parents {
    /// The first that explains an alert. Of two that would explain each other
    /// the one that comes later does not: somebody has to be told.
    fn of(&self, record: &Record, child: &AlertKey, labels: &Labels) -> Option<&AlertKey> {
        for (inhibit, parents) in record.plan.inhibits.iter().zip(&self.found) {
            if !inhibit.target.fit(labels) {
                continue;
            }
            let is_both = inhibit.source.fit(labels);
            let is_alike = |other: &Labels| {
                inhibit
                    .equal
                    .iter()
                    .all(|name| labels.get(name.as_str()) == other.get(name.as_str()))
            };
            let explains = |(parent, of_parent): &&(AlertKey, Labels)| {
                *parent != *child
                    && is_alike(of_parent)
                    && !(is_both && inhibit.target.fit(of_parent))
                    && self.lasts(record, parent, child)
                    && !record.hangs_on(parent, child)
            };
            if let Some((parent, _)) = parents.iter().find(explains) {
                return Some(parent);
            }
        }
        None
    }

    /// One that fired explains as long as it burns, and for the grace after
    /// that. One that only waits to fire must do so in its time: else nobody
    /// would ever be told of either.
    fn lasts(&self, record: &Record, parent: &AlertKey, child: &AlertKey) -> bool {
        let alert = &record.alerts[parent];
        let ended = alert.episodes.last().and_then(|episode| episode.ended_at);
        let has_fired = alert.phase.is_firing()
            || alert.phase == Phase::Inactive && ended.is_some() && ended == alert.calm_since;
        let fired_at = record.alerts.get(child).and_then(AlertRecord::open_since);
        let waited = fired_at.map_or(Span::ZERO, |at| self.now.since(at));
        has_fired || waited < record.rule(&parent.rule).hold + self.grace
    }
}
