//! What the record knows of an alert, and which of its turns are news.

use std::borrow::Cow;

use super::{AlertNews, Held, Heritage, Hold, Insisting, Item, Record, incident};
use crate::judge::{Bound, Phase, Rule};
use crate::metrics::{Unit, health};
use crate::model::{Labels, Matchers, Name, Number, Span, Timestamp};

/// Tells one alert from another in its watch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AlertKey {
    /// The rule.
    pub rule: Name,
    /// Which of its instances.
    pub labels: Labels,
}

/// An alert, and all its episodes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AlertRecord {
    /// Where it stands.
    pub phase: Phase,
    /// The reading that led there.
    pub value: Number,
    /// Each time it fired, in order.
    pub episodes: Vec<Episode>,
    /// Why nobody is told that it fires; `None`: nothing holds it back.
    pub held: Option<Hold>,
    /// Whether those who take it were told that it burns, and not that it is over.
    pub told: bool,
    /// Since when it comes and goes, if it does.
    pub flapping: Option<Timestamp>,
    /// When it fired, relapsed or resolved last.
    pub changed_at: Timestamp,
    /// When it resolved last.
    pub resolved_at: Option<Timestamp>,
    /// Since when it is inactive, after it was not.
    pub calm_since: Option<Timestamp>,
}

/// What ends an alert that has not resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    /// The watch's end.
    WatchEnded,
    /// Its rule is no longer in the configuration.
    RuleRemoved,
}

/// From firing to the end of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Episode {
    /// The first breach.
    pub since: Timestamp,
    /// When it fired.
    pub fired_at: Timestamp,
    /// When it was over; `None`: it is not.
    pub ended_at: Option<Timestamp>,
    /// Whether it was still burning when that happened; `None`: it resolved by
    /// itself, or has not ended.
    pub closed: Option<Closing>,
    /// The worst reading.
    pub peak: Number,
    /// How often it was calm for a while and then was not.
    pub relapses: u32,
    /// Where it came from, if it burned before this release.
    pub heritage: Option<Heritage>,
    /// What was told of it besides that it began.
    pub insisting: Insisting,
    /// When nobody was told of it, and why.
    pub held: Vec<Held>,
}

impl Episode {
    /// One that begins.
    pub(super) fn open(since: Timestamp, fired_at: Timestamp, peak: Number) -> Episode {
        let (ended_at, closed, relapses, heritage) = (None, None, 0, None);
        let (insisting, held) = (Insisting::default(), Vec::new());
        Episode { since, fired_at, ended_at, closed, peak, relapses, heritage, insisting, held }
    }

    /// It burned when its watch ended.
    pub fn is_cut_short(&self) -> bool {
        self.closed == Some(Closing::WatchEnded)
    }

    /// A breach was read while it burns.
    fn seen(&mut self, at: Timestamp) {
        if let Some(heritage) = &mut self.heritage {
            heritage.seen_at.get_or_insert(at);
        }
    }
}

impl AlertRecord {
    /// Time in which nobody looked, up to `now`, counts for no `for` and no
    /// recovery. What began within it, in measurements that a crash has lost,
    /// begins anew, and not after now.
    pub(super) fn shift_clocks(&mut self, gap: Span, now: Timestamp) {
        match &mut self.phase {
            Phase::Pending { since } => *since = (*since + gap).min(now),
            Phase::Recovering { calm, .. } => *calm = (*calm + gap).min(now),
            Phase::Inactive | Phase::Firing { .. } => {}
        }
        // Nobody saw that it did not change.
        self.changed_at = (self.changed_at + gap).min(now);
    }

    /// When it fired, of one that burns.
    pub fn open_since(&self) -> Option<Timestamp> {
        let open = self.episodes.last().filter(|episode| episode.ended_at.is_none());
        open.map(|episode| episode.fired_at)
    }

    /// The first breach of what is not over.
    pub fn since(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Pending { since }
            | Phase::Firing { since }
            | Phase::Recovering { since, .. } => Some(since),
            Phase::Inactive => None,
        }
    }

    /// Since when it waits to fire, if it does.
    pub fn pending_since(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Pending { since } => Some(since),
            Phase::Inactive | Phase::Firing { .. } | Phase::Recovering { .. } => None,
        }
    }

    /// Whether this reading is worse than the worst of the open episode by so
    /// much (a tenth) that it is worth a fact.
    pub fn is_worse(&self, bound: Bound, value: f64) -> bool {
        let open = self.episodes.last().filter(|episode| episode.ended_at.is_none());
        open.is_some_and(|episode| match bound {
            Bound::Above(_) => value > episode.peak.0 + episode.peak.0.abs() / 10.0,
            Bound::Below(_) => value < episode.peak.0 - episode.peak.0.abs() / 10.0,
            Bound::Expression => false, // which side is worse is not known
        })
    }

    fn worsen(&mut self, bound: Bound, value: Number) {
        if self.is_worse(bound, value.0)
            && let Some(episode) = self.episodes.last_mut()
        {
            episode.peak = value;
        }
    }
}

impl Record {
    /// The rule of this name, also one that a reload took away: as it was last.
    /// A record that never had it is not ours.
    pub fn rule(&self, name: &Name) -> &Rule {
        self.plan
            .rules
            .iter()
            .chain(&self.retired)
            .find(|rule| rule.name == *name)
            .unwrap_or_else(|| panic!("the plan of {} has no rule {name}", self.release.service))
    }

    /// A rule with the bound that it has at this time.
    pub fn rule_at<'r>(&self, rule: &'r Rule, at: Timestamp) -> Cow<'r, Rule> {
        if rule.by_window.is_empty() && rule.of_baseline.is_none() {
            return Cow::Borrowed(rule);
        }
        let age = at.since(self.release.at);
        let windows = self.plan.windows.iter(); // shortest first
        let open = windows.filter(|window| age < window.length).map(|window| &window.name);
        let bound = rule.bound_in(open);
        Cow::Owned(Rule { bound: self.bound_of(rule, bound).unwrap_or(bound), ..rule.clone() })
    }

    pub(super) fn apply_alert(&mut self, key: AlertKey, phase: Phase, value: Number) {
        let at = self.at;
        let rule = self.rule_at(self.rule(&key.rule), at).into_owned();
        let alert = self.alerts.entry(key.clone()).or_default();
        let before = std::mem::replace(&mut alert.phase, phase);
        alert.value = value;
        alert.worsen(rule.bound, value);
        match (before, phase) {
            (Phase::Inactive | Phase::Pending { .. }, Phase::Firing { since }) => {
                let mut open = Episode::open(since, at, value);
                // Who waits for the end of what comes and goes waits on.
                if let Some(before) = alert.episodes.last().filter(|_| alert.told) {
                    open.insisting.begun = before.insisting.begun.clone();
                    open.insisting.also_to = before.insisting.also_to.clone();
                }
                alert.episodes.push(open);
                alert.changed_at = at;
                let flaps = alert.flapping.map(|_| Hold::Flapping).filter(|_| alert.told);
                if let Some(why) = alert.held.clone().or(flaps) {
                    return alert.begin_hold(why, at);
                }
                self.tell_fired(&key);
            }
            (Phase::Recovering { .. }, Phase::Firing { .. }) => {
                if let Some(episode) = alert.episodes.last_mut() {
                    episode.relapses += 1; // the same incident: nobody is told again
                    episode.seen(at);
                }
                alert.changed_at = at;
            }
            (Phase::Firing { .. } | Phase::Recovering { .. }, Phase::Inactive) => {
                if let Some(episode) = alert.episodes.last_mut() {
                    episode.ended_at = Some(at);
                }
                alert.end_hold(at);
                alert.held = None;
                (alert.changed_at, alert.calm_since) = (at, Some(at));
                alert.resolved_at = Some(at);
                if alert.flapping.is_none() {
                    self.tell_resolved(&key); // else how it is in the end is told
                }
            }
            (Phase::Pending { .. }, Phase::Inactive) => alert.calm_since = Some(at),
            (Phase::Firing { .. }, Phase::Firing { .. }) => {
                if let Some(episode) = alert.episodes.last_mut() {
                    episode.seen(at);
                }
            }
            (_, Phase::Inactive | Phase::Pending { .. } | Phase::Recovering { .. }) => {}
        }
    }

    /// The watch ends, or the rule goes, while this alert burns: said in words,
    /// and not as resolved.
    pub(super) fn close_alert(&mut self, key: &AlertKey, closing: Closing) {
        let at = self.at;
        let rule = self.rule_at(self.rule(&key.rule), at).into_owned();
        let Some(alert) = self.alerts.get_mut(key) else { return };
        let value = alert.value;
        alert.phase = Phase::Inactive;
        alert.end_hold(at);
        alert.held = None;
        if let Some(episode) = alert.episodes.last_mut() {
            episode.ended_at = Some(at);
            episode.closed = Some(closing);
        }
        if !std::mem::take(&mut alert.told) {
            return; // nobody waits for its end
        }
        let mut news = self.alert_news(&rule, key, value);
        news.is_rule_removed = closing == Closing::RuleRemoved;
        self.tell(Item::Closed(news));
    }

    /// What the readings of a signal are counted in. Health signals are in
    /// no plan; they are counts.
    fn unit(&self, signal: &Name) -> Unit {
        let matched = self.matched.iter().flat_map(|matched| &matched.signals);
        let mut known = self.plan.signals.iter().chain(matched);
        let unit = known.find(|known| known.name == *signal).map(|known| known.unit);
        unit.or_else(|| health::unit(signal)).unwrap_or_default()
    }

    /// What receivers know an alert by.
    pub fn incident(&self, key: &AlertKey) -> String {
        incident(&self.release.service, &key.rule, &key.labels)
    }

    /// The labels that matchers of people go by.
    pub fn labels_for_matchers(&self, key: &AlertKey) -> Labels {
        let rule = self.rule(&key.rule);
        self.alert_news(rule, key, Number::default()).labels_for_matchers()
    }

    /// Alerts that burn, and that are meant by these.
    pub fn alerts_that_fit<'r>(
        &'r self,
        matchers: &'r Matchers,
    ) -> impl Iterator<Item = &'r AlertKey> {
        let firing = self.alerts.iter().filter(|(_, alert)| alert.phase.is_firing());
        let keys = firing.map(|(key, _)| key);
        keys.filter(|key| matchers.fit(&self.labels_for_matchers(key)))
    }

    /// All that is to be told of an alert.
    pub fn alert_news(&self, rule: &Rule, key: &AlertKey, value: Number) -> AlertNews {
        let mut news = AlertNews::new(&self.release, rule, &key.labels, value);
        news.unit = self.unit(&rule.signal);
        if let Some(episode) = self.alerts.get(key).and_then(|alert| alert.episodes.last()) {
            news.since = episode.since;
            news.fired_at = episode.fired_at;
            news.ended_at = episode.ended_at;
            news.peak = episode.peak;
            news.insisting = episode.insisting.clone();
        }
        // Of what is over it says what it was, not how it looks now.
        let meant = if news.ended_at.is_some() { news.peak } else { value };
        news.speak(rule, key, meant);
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_moves_a_clock_past_the_present() {
        let at = |seconds: i64| Timestamp::from_millis(1000 * seconds);
        let shifted = |phase| {
            let mut alert = AlertRecord { phase, ..AlertRecord::default() };
            alert.shift_clocks(at(310).since(at(10)), at(310));
            alert.phase
        };
        // Pending for 4 s when the gap began: for 4 s after it, too.
        assert_eq!(shifted(Phase::Pending { since: at(6) }), Phase::Pending { since: at(306) });
        assert_eq!(shifted(Phase::Pending { since: at(250) }), Phase::Pending { since: at(310) });
        let recovering = |calm| Phase::Recovering { since: at(1), calm };
        assert_eq!(shifted(recovering(at(250))), recovering(at(310)));
    }
}
