//! A plan that takes the place of another while the watch is open. What was
//! found, told and decided stays: alerts go by their rules' names, targets by
//! theirs, and a closed window is closed.

use std::mem;

use super::{
    AlertKey, AlertNews, ChannelRecord, Closing, Item, Plan, Record, Stay, TargetRecord, WrittenBy,
    changes,
};
use crate::judge::{Phase, Window};
use crate::model::{Channel, Name, Severity, Span, Target, Timestamp};

/// What nobody may have said of a service's paths; all other guesses are
/// steps of the smoke suite.
const PATHS: [&str; 3] = ["health", "ready", "metrics"];

/// A reading of the configuration that came to something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reload {
    /// When.
    pub at: Timestamp,
    /// What changed, in words.
    pub changes: Vec<String>,
    /// Why nothing did.
    pub errors: Vec<String>,
}

/// What a configuration says when it is read anew.
#[derive(Clone, PartialEq, Debug)]
pub struct Reread {
    /// The plan.
    pub plan: Plan,
    /// Keys of the secrets whose values, written out in it, are others.
    pub renewed: Vec<String>,
}

/// A plan that fits the record, and how it differs from the one before.
#[derive(Clone, PartialEq, Debug)]
pub struct Adopted {
    /// The plan.
    pub plan: Plan,
    /// The difference in words.
    pub changes: Vec<String>,
    /// As in `Reread`.
    pub renewed: Vec<String>,
}

/// Targets that come and go with another plan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Moves {
    /// Those that leave.
    pub gone: Vec<Name>,
    /// Those that come. One that is in both is another under its old name.
    pub came: Vec<Target>,
}

impl Record {
    /// The plan that a configuration read at `now` leads to; `None`: the same
    /// as before.
    ///
    /// # Errors
    /// What of it an open watch cannot follow.
    pub fn adopt(&self, read: Reread, now: Timestamp) -> Result<Option<Adopted>, Vec<String>> {
        let Reread { plan: new, renewed } = read;
        if new.service != self.plan.service {
            return Err(vec![format!(
                "service: the watch is over {}, not {}; a service gets another name with its \
                 next release",
                self.plan.service, new.service
            )]);
        }
        if self.ended.is_some() || self.poisoned.is_some() {
            // What is still owed may go elsewhere; all the rest is over.
            let plan = Plan { channels: new.channels, ..self.plan.clone() };
            return Ok(self.adopted(plan, renewed, Vec::new()));
        }
        let mut notes = Vec::new();
        let windows = self.open_windows(&new.windows, now, &mut notes)?;
        if !self.is_same_suite(&new) {
            notes.push(
                "smoke: the suite is another; it is tried once a release, and this one's stays"
                    .to_owned(),
            );
        }
        let is_path = |guess: &Name| PATHS.contains(&guess.as_str());
        let said = new.guesses.iter().filter(|guess| is_path(guess));
        let of_smoke = self.plan.guesses.iter().filter(|guess| !is_path(guess));
        let guesses = said.chain(of_smoke).cloned().collect();
        let (smoke, run_header) = (self.plan.smoke.clone(), self.plan.run_header.clone());
        let mut plan = Plan { guesses, smoke, run_header, windows, ..new };
        if let Some(found) = &self.found {
            plan.follow(found, true);
        }
        Ok(self.adopted(plan, renewed, notes))
    }

    /// `None` where nothing differs, or nothing but what has no effect and was
    /// told the last time.
    fn adopted(&self, plan: Plan, renewed: Vec<String>, notes: Vec<String>) -> Option<Adopted> {
        let mut lines = changes(&self.plan, &plan);
        lines.extend(renewed.iter().map(|key| format!("{key}: another value")));
        let is_gone = |name: &Name| !plan.channels.iter().any(|channel| channel.name == *name);
        for channel in self.plan.channels.iter().filter(|channel| is_gone(&channel.name)) {
            let debt = self.debt(channel);
            if debt > 0 {
                lines.push(dropped(&channel.name, debt));
            }
        }
        let is_known = |note: &String| self.reloads.iter().any(|one| one.changes.contains(note));
        if lines.is_empty() && notes.iter().all(is_known) {
            return None;
        }
        lines.extend(notes);
        Some(Adopted { plan, changes: lines, renewed })
    }

    /// The windows of another plan, and those that are closed.
    fn open_windows(
        &self,
        new: &[Window],
        now: Timestamp,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Window>, Vec<String>> {
        let is_closed = |window: &&Window| self.windows.contains_key(&window.name);
        let mut all: Vec<Window> = self.plan.windows.iter().filter(is_closed).cloned().collect();
        let mut errors = Vec::new();
        for window in new {
            let (name, length) = (&window.name, window.length);
            if let Some(closed) = all.iter().find(|known| known.name == *name) {
                if closed.length != length {
                    notes.push(format!("window {name}: closed, and stays as it was"));
                }
                continue;
            }
            let end = self.release.at + length;
            if end <= now {
                let age = Span::from_secs(now.since(self.release.at).millis() / 1000 + 1);
                errors.push(format!(
                    "windows.{name}.length: {length} from the release was over at {}; \
                     write more than {age}, or leave the window out",
                    end.for_people()
                ));
            }
            all.push(window.clone());
        }
        all.sort_by_key(|window| window.length);
        if errors.is_empty() { Ok(all) } else { Err(errors) }
    }

    /// Whether a configuration has the suite that this watch was opened with.
    fn is_same_suite(&self, new: &Plan) -> bool {
        let found = self.found.clone().unwrap_or_default();
        [false, true].into_iter().any(|is_smoking| {
            let mut plan = new.clone();
            if self.found.is_some() {
                plan.follow(&found, is_smoking);
            }
            plan.smoke.retain(|step| !self.dropped.iter().any(|(name, _)| *name == step.name));
            plan.smoke == self.plan.smoke && plan.run_header == self.plan.run_header
        })
    }

    /// News that a channel has not taken.
    fn debt(&self, channel: &Channel) -> usize {
        let told = self.channels.get(&channel.name).map_or(0, |known| known.told);
        let news = self.news.iter().filter(|news| news.seq > told);
        news.filter(|news| news.item.concerns(channel)).count()
    }

    /// Which targets come and go when this plan is followed.
    pub fn moves(&self, plan: &Plan) -> Moves {
        let named = |targets: &[Target], wanted: &Target| {
            targets.iter().find(|known| known.name == wanted.name).cloned()
        };
        // Labels stand on every series: under others it is another target.
        let goes_on = |target: &Target| {
            named(&plan.targets, target).is_some_and(|next| next.labels == target.labels)
        };
        let listed = self.plan.targets.iter().filter(|target| !goes_on(target));
        let mut gone: Vec<Name> = listed.map(|target| target.name.clone()).collect();
        for source in &self.plan.sources {
            let Some(known) = self.sources.get(&source.name) else { continue };
            let stays = plan.sources.iter().any(|one| one.name == source.name);
            let left = |target: &&Target| !stays || named(&plan.targets, target).is_some();
            gone.extend(known.targets.iter().filter(left).map(|target| target.name.clone()));
        }
        let is_new = |target: &&Target| {
            named(&self.plan.targets, target).is_none_or(|known| known.labels != target.labels)
        };
        Moves { gone, came: plan.targets.iter().filter(is_new).cloned().collect() }
    }

    pub(super) fn apply_plan(&mut self, plan: Plan, changes: Vec<String>, renewed: &[String]) {
        self.retire_rules(&plan);
        self.change_channels(&plan, renewed);
        self.move_targets(&plan);
        let is_here = |name: &Name| plan.checks.iter().any(|check| check.name == *name);
        self.checks.retain(|name, _| is_here(name));
        let presets = |plan: &Plan| {
            (plan.presets.clone(), plan.own_presets.clone(), plan.measured_by.clone())
        };
        if presets(&plan) != presets(&self.plan) {
            self.matched = None; // looked for anew
        }
        let before = mem::replace(&mut self.plan, plan);
        self.follow_calendar(&before.digests);
        let rules = before.rules.iter().map(|rule| (rule.name.clone(), rule.severity));
        self.forget_acks_of_worse(&rules.collect());
        self.tell_of_standing(&before);
        self.reloads.push(Reload { at: self.at, changes, errors: Vec::new() });
    }

    /// A rule that is gone judges nothing any more: what fires by it is closed
    /// in words, and what was pending was never told.
    fn retire_rules(&mut self, plan: &Plan) {
        let stays = |name: &Name| plan.rules.iter().any(|rule| rule.name == *name);
        let gone: Vec<AlertKey> =
            self.alerts.keys().filter(|key| !stays(&key.rule)).cloned().collect();
        for key in gone {
            match self.alerts[&key].phase {
                Phase::Firing { .. } | Phase::Recovering { .. } => {
                    self.close_alert(&key, Closing::RuleRemoved);
                }
                Phase::Inactive | Phase::Pending { .. } => {
                    self.tell_resolved(&key); // of one that flaps
                    self.alerts.entry(key).or_default().phase = Phase::Inactive;
                }
            }
        }
        self.quiet.retain(|rule, _| stays(rule));
        let retired = self.plan.rules.iter().filter(|rule| !stays(&rule.name)).cloned();
        self.retired.extend(retired);
        self.retired.retain(|rule| !stays(&rule.name));
    }

    /// Channels come, go, and lead elsewhere. A letter that is out under its
    /// key stays that letter.
    fn change_channels(&mut self, plan: &Plan, renewed: &[String]) {
        let is_moved = self.plan.url != plan.url;
        let url = self.plan.url.clone();
        for old in mem::take(&mut self.plan.channels) {
            let (debt, before) = (self.debt(&old), self.seq - 1);
            let next = plan.channels.iter().find(|channel| channel.name == old.name);
            if is_moved || next != Some(&old) {
                self.keep_words_of(&old, &url);
            }
            if next.is_none_or(|new| new.medium != old.medium) {
                self.drop_replays(&old.name);
            }
            let known = self.channels.entry(old.name.clone()).or_default();
            if debt == 0 && known.frozen.is_none() {
                known.told = known.told.max(before); // what it did not take is no news to it
            }
            let Some(new) = plan.channels.iter().find(|channel| channel.name == old.name) else {
                *known = ChannelRecord { frozen: None, ..mem::take(known) };
                if debt > 0 {
                    let (severity, text) = (Severity::Warning, dropped(&old.name, debt));
                    self.tell(Item::Notice { severity, text, about: Some(old.name) });
                }
                continue;
            };
            if !new.medium.travels_as(&old.medium) {
                known.frozen = None; // no letter for a webhook is one for a mail server
            }
            let own = format!("channel.{}.", new.name);
            if new.medium != old.medium || renewed.iter().any(|key| key.starts_with(&own)) {
                // Whatever failed was asked elsewhere.
                (known.failures, known.failing_since, known.not_before) = (0, None, None);
                known.broken = false;
                known.messages.clear(); // they stand where nobody may look any more
            }
            if let Some(out) = known.frozen.as_mut().filter(|out| out.written_by.is_none())
                && (is_moved || *new != old)
            {
                out.written_by = Some(WrittenBy { url: url.clone(), channel: old.clone() });
            }
            self.plan.channels.push(old);
        }
        for new in &plan.channels {
            if !self.plan.channels.iter().any(|old| old.name == new.name) {
                // What was told before it came is no news to it.
                let told = self.seq - 1;
                let known = self.channels.entry(new.name.clone()).or_default();
                *known = ChannelRecord { told, frozen: None, ..mem::take(known) };
            }
        }
    }

    /// A channel that has come, or takes more than before, learns of what
    /// fires that it would have been told.
    fn tell_of_standing(&mut self, before: &Plan) {
        let known = |channel: &Channel, alert: &AlertNews| {
            let old = before.channels.iter().find(|old| old.name == channel.name);
            old.is_some_and(|old| alert.is_told(old))
        };
        let is_for = |channel: &Channel, alert: &AlertNews| {
            channel.routing.after.is_none() && alert.is_for(channel)
        };
        let firing = self.alerts.iter().filter(|(_, alert)| alert.phase.is_firing() && alert.told);
        let firing: Vec<AlertKey> = firing.map(|(key, _)| key.clone()).collect();
        for key in firing {
            let rule = self.rule_at(self.rule(&key.rule), self.at).into_owned();
            let alert = self.alert_news(&rule, &key, self.alerts[&key].value);
            let takes = |channel: &&Channel| is_for(channel, &alert) && !known(channel, &alert);
            let to: Vec<Name> = self
                .plan
                .channels
                .iter()
                .filter(takes)
                .map(|channel| channel.name.clone())
                .collect();
            for to in to {
                self.told_by_itself(&key, &to);
                self.tell(Item::Standing { to, alert: alert.clone() });
            }
        }
    }

    fn move_targets(&mut self, plan: &Plan) {
        let at = self.at;
        let moves = self.moves(plan);
        for name in &moves.gone {
            let opened_at = self.opened_at;
            let stays = &mut self.targets.entry(name.clone()).or_default().stays;
            if stays.last().is_none_or(|stay| stay.to.is_some()) {
                stays.push(Stay { from: opened_at, to: None }); // it was listed
            }
            if let Some(stay) = stays.last_mut() {
                stay.to = Some(at);
            }
        }
        self.sources.retain(|name, known| {
            known.targets.retain(|target| !moves.gone.contains(&target.name));
            plan.sources.iter().any(|source| source.name == *name)
        });
        for target in moves.came {
            let known = self.targets.entry(target.name).or_default();
            let mut stays = mem::take(&mut known.stays);
            stays.push(Stay { from: at, to: None });
            *known = TargetRecord { stays, ..TargetRecord::default() };
        }
    }
}

fn dropped(channel: &Name, debt: usize) -> String {
    format!("channel {channel}: it is removed, and {debt} news that it had not taken are dropped")
}
