//! What answers amount to: samples, tallies, and facts where something turned.

use super::Watch;
use super::measure::Measure;
use crate::check::{self, Expected, HealthState, health::Health};
use crate::metrics::{Family, Page, Table, presets};
use crate::model::{Exchange, Failure, Name, Span, Timestamp};
use crate::record::{Fact, Matched};

/// For so long after the opening every scrape is searched for presets: many
/// clients show a family only after its first event.
const SEARCH_FOR: Span = Span::from_secs(600);

/// A longer answer of a health endpoint is read anew each time.
const REMEMBERED_BYTES_MAX: usize = 4096;

impl Watch {
    pub(super) fn hear_probe(
        &mut self,
        now: Timestamp,
        target: usize,
        reply: &Result<Exchange, Failure>,
    ) {
        if !self.look.targets[target].is_here {
            return; // it left while it was asked
        }
        if self.seek(now, target, reply) {
            return;
        }
        let name = self.target_name(target);
        let known = &mut self.look.targets[target].judged;
        let mut health = judged(known, reply, &self.record.plan.health);
        if self.record.targets[&name].has_words {
            health = health.of_one_with_words();
        }
        let is_up = health.is_up();
        let settling = self.record.settled.is_none();
        let aim = &mut self.look.targets[target];
        aim.has_answered |= reply.is_ok();
        let was_up = aim.is_up;
        let tries = aim.probe.map_or(1, |turn| turn.tries);
        let failed = is_up == Some(false);
        if failed && was_up == Some(true) && tries == 1 {
            self.ask_siblings(target, now);
        }
        if self.plan_probe(target, failed, now) {
            return; // not a sample yet: it is asked again first
        }
        let aim = &mut self.look.targets[target];
        (aim.is_up, aim.heard_at) = (is_up, Some(now));
        let elapsed = reply.as_ref().ok().map(|exchange| exchange.elapsed);
        let Measure { own, series, .. } = &mut self.measure;
        own.probed(series, target, is_up, tries > 1, elapsed, now);
        if let Ok(exchange) = reply {
            self.compare_clocks(now, target, exchange, &health.shown);
            self.take_uptime(now, target, exchange, &health.shown);
            self.take_shown(now, target, &health.shown);
        }
        // While nothing has answered yet the service may just be starting.
        if !settling || is_up == Some(true) {
            self.note_health(now, target, &health, reply.is_ok());
        }
        if was_up != is_up {
            self.judging.at_once(now);
        }
    }

    /// Another state than before; and an answer that nobody can read from the
    /// first, since *unknown* is also where every target begins.
    fn note_health(&mut self, now: Timestamp, target: usize, health: &Health, has_said: bool) {
        let name = self.target_name(target);
        let known = &self.record.targets[&name];
        let state = health.state;
        let is_first = has_said && state == HealthState::Unknown && known.reason.is_empty();
        if known.health != state || is_first {
            let reason = health.reason.clone();
            self.note(now, Fact::Health { target: name, state, reason });
        }
    }

    pub(super) fn hear_scrape(
        &mut self,
        now: Timestamp,
        target: usize,
        page: Result<Page, Failure>,
        table: Option<Box<Table>>,
    ) {
        if !self.look.targets[target].is_here {
            return;
        }
        self.look.targets[target].table = table;
        self.plan_scrape(target, now);
        let aim = &mut self.look.targets[target];
        aim.has_shown |= page.is_ok();
        // A target that never had such a page is not silent: it is not watched.
        let is_nothing = matches!(&page, Err(Failure::Status(404))) && !aim.has_shown;
        let ours = matches!(&page, Err(failure) if failure.is_ours());
        if !ours && !is_nothing {
            let Measure { own, series, .. } = &mut self.measure;
            own.scraped(series, target, page.is_ok(), now);
            let aim = &mut self.look.targets[target];
            if aim.probe.is_none() {
                // Health is not asked: what answers a scrape is known to be there.
                (aim.is_up, aim.heard_at) = (Some(page.is_ok()), Some(now));
                aim.has_answered |= page.is_ok();
            }
        }
        let failure = match page {
            Ok(page) => {
                self.take_page(now, target, &page);
                self.judging.soon(self.pace(now));
                None
            }
            Err(failure) => {
                if !ours {
                    self.judging.soon(self.pace(now));
                    self.look.targets[target].feed.failed(&mut self.measure.series, now);
                }
                Some(failure)
            }
        };
        let name = self.target_name(target);
        let known = &self.record.targets[&name].scrape_failure;
        if known.is_some() != failure.is_some() && self.record.settled.is_some() {
            self.note(now, Fact::Scraping { target: name, failure });
        }
    }

    fn take_page(&mut self, now: Timestamp, target: usize, page: &Page) {
        let name = self.target_name(target);
        self.look.targets[target].sawtooth.page(page);
        self.tell_apart(now, target);
        self.look.targets[target].feed.take(&mut self.measure.series, &name, page, now);
        self.compare_stamps(now, target, page);
        if let Some((line, what)) = &page.first_bad {
            let count = page.bad_lines;
            let lines = if count == 1 { "line" } else { "lines" };
            let detail = format!("{count} unreadable {lines}, the first is {line}: {what}");
            self.limit(now, Some(name.clone()), "bad-lines", &detail);
        }
        for (what, detail) in &page.limits {
            self.limit(now, Some(name.clone()), what, detail);
        }
        self.read_version(now, target);
        if !page.families.is_empty() && self.record.plan.measured_by.is_none() {
            self.search(now, &page.families);
        }
        self.check_counted(now, target, page);
    }

    /// Holds the presets against all families seen so far; more signals than
    /// before are a fact, and what else is kept of a scrape changes with it.
    pub(super) fn search(&mut self, now: Timestamp, families: &[Family]) {
        self.measure.see_families(families);
        let found = self.detect();
        let known = self.record.matched.as_ref();
        if known.is_none_or(|known| is_more(&found, known)) {
            self.note(now, Fact::Matched(found));
            self.measure.compile(&self.record);
            self.keep();
        }
        // What only requests bring forth is looked for once there are some.
        let begin = self.record.opened_at.max(self.record.release.at + self.record.plan.idle());
        let is_long = now.since(begin) >= SEARCH_FOR;
        let is_all = self.record.matched.as_ref().is_some_and(|m| m.unmatched.is_empty());
        if is_long || is_all {
            self.search_less();
        }
    }

    /// What the presets make of all families seen so far.
    pub(super) fn detect(&self) -> Matched {
        let plan = &self.record.plan;
        let pinned = plan.presets.pinned();
        let mut found = presets::detect(&self.measure.families(), pinned, &plan.own_presets);
        for signal in &mut found.signals {
            signal.source.clone_from(&plan.measured_by);
        }
        found.unmatched = plan.unmatched(&found);
        found
    }

    pub(super) fn target_name(&self, target: usize) -> Name {
        self.look.targets[target].target.name.clone()
    }
}

/// The same answer means the same: it is read once, however often it comes.
fn judged(
    known: &mut Option<(Exchange, Health)>,
    reply: &Result<Exchange, Failure>,
    expected: &Expected,
) -> Health {
    let Some(answer) = reply.as_ref().ok().filter(|_| expected.expect.is_empty()) else {
        // Its time is asserted too, perhaps: not the same in the same answer.
        return check::health::judge(reply, expected);
    };
    let is_same = |before: &Exchange| {
        before.status == answer.status
            && before.headers == answer.headers
            && before.body == answer.body
    };
    match known {
        Some((before, health)) if is_same(before) => health.clone(),
        _ => {
            let health = check::health::judge(reply, expected);
            let kept = answer.body.len() <= REMEMBERED_BYTES_MAX;
            *known = kept.then(|| (answer.clone(), health.clone()));
            health
        }
    }
}

fn is_more(found: &Matched, known: &Matched) -> bool {
    found.signals.len() > known.signals.len()
}
