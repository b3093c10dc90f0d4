//! Record → summary: everything that a window's report will say, counted once.

mod baseline;
mod closing;
mod course;
mod coverage;
mod overview;
mod past;
mod reasons;
mod signals;
mod versions;

use std::collections::BTreeMap;

use super::show;
use crate::check::Check;
use crate::judge::Window;
use crate::model::{DataSource, Measurement, Name, Number, Timestamp, Way, Why};
use crate::record::{
    AlertKey, AlertSummary, Availability, Block, ChannelRecord, CheckSummary, Closing, Deliveries,
    Held, Item, LetterSummary, Record, Reload, Replicas, Stays, Summary, Tally, TargetSummary,
};
pub use baseline::{baseline, baseline_lines};
pub use closing::closing;
use coverage::Sight;
pub use past::level_of_past;

pub use overview::overview;

/// Letters that a summary shows; `bakewatch deliveries` lists all.
const LETTERS_MAX: usize = 40;

/// The signal of healthy replicas: it is made of health probes, and stands for
/// health among the required signals.
pub(super) const HEALTH: &str = "healthy_replicas";

/// What `window` came to, from the facts between the release and `to`.
/// `to` is the window's end, or when the watch was superseded;
/// `now` is when this is written. Changes nothing and never fails: what the
/// record does not hold is told as missing.
pub fn build(record: &Record, window: &Window, to: Timestamp, now: Timestamp) -> Summary {
    let from = record.release.at;
    let to = to.max(from);
    let sight = Sight::of(record, from, to);
    let signals = signals::summaries(record, &sight, requests_from(record, window, to));
    let mut summary = Summary {
        release: record.release.clone(),
        url: record.plan.url.clone(),
        window: window.name.clone(),
        from,
        to,
        superseded: None,
        late_by: now.since(to),
        verdict: crate::model::Verdict::Inconclusive,
        reasons: Vec::new(),
        smoke: record.smoke.clone(),
        availability: availability(&sight.blocks),
        signals,
        alerts: alerts(record, from, to),
        replicas: replicas(record, &sight.blocks),
        targets: targets(record, &sight.blocks),
        checks: checks(record, &sight.blocks),
        coverage: sight.coverage(),
        baseline: baseline_lines(record),
        limits: limits(record),
        changes: reloads(record, to),
        matched: matched(record),
        deliveries: deliveries(record, to),
        rehearsal: record.rehearsal.clone(),
        letters: letters(record, to),
    };
    (summary.verdict, summary.reasons) = reasons::judged(record, window, &summary);
    summary
}

/// From when on requests are expected; `None`: not before `to`.
fn requests_from(record: &Record, window: &Window, to: Timestamp) -> Option<Timestamp> {
    let from = record.release.at + record.plan.idle();
    (window.traffic && from < to).then_some(from)
}

fn availability(blocks: &[&Block]) -> Availability {
    let mut sum = Availability::default();
    for (_, tally) in blocks.iter().flat_map(|block| &block.tallies) {
        sum.ok += u64::from(tally.ok);
        sum.failed += u64::from(tally.failed);
        sum.unknown += u64::from(tally.unknown);
        sum.flaky += u64::from(tally.flaky);
    }
    sum.ratio = ratio(sum.ok, sum.failed);
    sum
}

/// Share of the good ones among all; `None` when there was none at all.
fn ratio(good: u64, bad: u64) -> Option<Number> {
    let all = good.saturating_add(bad);
    (all > 0).then(|| Number(good as f64 / all as f64))
}

/// Alerts that were firing at some time in the window, in order of firing.
fn alerts(record: &Record, from: Timestamp, to: Timestamp) -> Vec<AlertSummary> {
    let mut found = Vec::new();
    for (key, alert) in &record.alerts {
        let rule = record.rule(&key.rule);
        for episode in &alert.episodes {
            let resolved_at = episode
                .ended_at
                .filter(|end| *end <= to && episode.closed != Some(Closing::WatchEnded));
            if episode.fired_at > to || episode.ended_at.is_some_and(|end| end < from) {
                continue;
            }
            found.push(AlertSummary {
                rule: key.rule.clone(),
                labels: key.labels.clone(),
                severity: rule.severity,
                since: episode.since,
                fired_at: episode.fired_at,
                resolved_at,
                peak: episode.peak,
                summary: match episode.closed {
                    Some(Closing::RuleRemoved) => {
                        format!("{}; its rule was removed while it was firing", rule.summary)
                    }
                    Some(Closing::WatchEnded) | None => rule.summary.clone(),
                },
                heritage: episode.heritage.clone(),
                held: held(&episode.held, to),
                goes_on: episode.closed.is_some() && goes_on(record, key),
                acked: episode.insisting.acked.clone(),
            });
        }
    }
    found.sort_by_key(|alert| alert.fired_at); // stable: by rule and labels within
    found
}

/// When nobody was told, as far as it lies in the window.
fn held(all: &[Held], to: Timestamp) -> Vec<Held> {
    let within = all.iter().filter(|one| one.from <= to);
    within.map(|one| Held { to: one.to.filter(|end| *end <= to), ..one.clone() }).collect()
}

/// Whether it burns on under the release that took this one's place.
fn goes_on(record: &Record, key: &AlertKey) -> bool {
    let mut handed = record.succession.handed.iter();
    handed.any(|one| (&one.rule, &one.labels) == (&key.rule, &key.labels))
}

fn replicas(record: &Record, blocks: &[&Block]) -> Replicas {
    let mut known = course::Gauges::default();
    for row in blocks.iter().flat_map(|block| &block.rows).filter(|row| row.signal == HEALTH) {
        if let Some(Measurement::Gauge { min, mean, max, n }) = row.measured {
            known.add(min.0, mean.0, max.0, n);
        }
    }
    Replicas {
        expected: record.plan.expect,
        targets: u32::try_from(record.live().count()).unwrap_or(u32::MAX),
        min: known.min(),
        mean: known.mean(),
        max: known.max(),
    }
}

fn targets(record: &Record, blocks: &[&Block]) -> Vec<TargetSummary> {
    let mut sums: BTreeMap<Name, [u64; 4]> = BTreeMap::new();
    for (name, tally) in blocks.iter().flat_map(|block| &block.tallies) {
        let Tally { ok, failed, scraped, unscraped, .. } = *tally;
        let sum = sums.entry(name.clone()).or_default();
        for (sum, count) in sum.iter_mut().zip([ok, failed, scraped, unscraped]) {
            *sum += u64::from(count);
        }
    }
    for name in record.targets.keys() {
        sums.entry(name.clone()).or_default();
    }
    sums.into_iter()
        .map(|(name, [ok, failed, scraped, unscraped])| TargetSummary {
            availability: ratio(ok, failed),
            scraped: ratio(scraped, unscraped),
            health: health(record, &name),
            runs: versions::runs(record, blocks, &name),
            stays: stays(record, &name),
            name,
        })
        .collect()
}

fn checks(record: &Record, blocks: &[&Block]) -> Vec<CheckSummary> {
    let mut sums: BTreeMap<&Name, [u64; 2]> = BTreeMap::new();
    for (name, tally) in blocks.iter().flat_map(|block| &block.checks) {
        let [ok, failed] = sums.entry(name).or_default();
        (*ok, *failed) = (*ok + u64::from(tally.ok), *failed + u64::from(tally.failed));
    }
    let summary = |check: &Check| {
        let known = record.checks.get(&check.name);
        let [ok, failed] = sums.get(&check.name).copied().unwrap_or_default();
        CheckSummary {
            name: check.name.clone(),
            asked: check.ask.to_string(),
            must: check.must,
            is_implied: check.is_implied,
            passed: ratio(ok, failed),
            passes: known.and_then(|known| known.passed),
            reason: known.map_or_else(String::new, |known| known.reason.clone()),
            tls: known.and_then(|known| known.tls.clone()),
        }
    };
    record.plan.checks.iter().map(summary).collect()
}

/// When a target was here that came, or left, in the watch's life.
fn stays(record: &Record, name: &Name) -> Option<Stays> {
    let stays = &record.targets.get(name)?.stays;
    let (first, last) = (stays.first()?, stays.last()?);
    let times = u32::try_from(stays.len()).unwrap_or(u32::MAX);
    Some(Stays { came: first.from, left: last.to, times })
}

fn health(record: &Record, name: &Name) -> String {
    use crate::check::HealthState::{Degraded, Healthy, Unhealthy, Unknown};
    let Some(known) = record.targets.get(name) else { return "gone".to_owned() };
    if !known.is_here() {
        return "left".to_owned();
    }
    let mut words = match known.health {
        Healthy => "healthy".to_owned(),
        Degraded => "up, degraded".to_owned(),
        Unhealthy => "unhealthy".to_owned(),
        Unknown => "not known".to_owned(),
    };
    if !known.reason.is_empty() && known.health != Healthy {
        words = format!("{words}: {}", known.reason);
    }
    match &known.scrape_failure {
        Some(failure) => format!("{words}; scrape fails: {failure}"),
        None => words,
    }
}

/// Limits that were hit, and rules that have nothing to judge.
fn limits(record: &Record) -> Vec<String> {
    let hit = record.limits.iter().map(|((what, target), detail)| match target {
        Some(target) => format!("{target}: {detail} ({what})"),
        None => format!("{detail} ({what})"),
    });
    // Of those the section of baselines tells.
    let quiet = record.quiet.iter().filter(|(_, (why, _))| *why != Why::NoBaseline);
    let quiet = quiet.map(|(rule, (why, since))| {
        let since = show::instant(*since);
        let signal = record.plan.rules.iter().find(|known| known.name == *rule);
        let signal = signal.map_or_else(String::new, |rule| format!("{} is ", rule.signal));
        format!("rule {rule} is not judged: {signal}{why} since {since}")
    });
    hit.chain(quiet).chain(sources(record)).chain(data_sources(record)).collect()
}

/// What has to be said of where targets come from, and of how they are reached.
fn sources(record: &Record) -> Vec<String> {
    let mut lines = Vec::new();
    for source in &record.plan.sources {
        let name = &source.name;
        let known = record.sources.get(name);
        let failure = known.and_then(|known| known.failure.as_ref());
        match (failure, known.is_some_and(|known| known.is_known)) {
            (Some((why, since)), true) => lines.push(format!(
                "{name} fails since {}: {why}; the targets that it named last are watched",
                show::instant(*since)
            )),
            (Some((why, since)), false) => lines.push(format!(
                "{name} never named a target; it fails since {}: {why}",
                show::instant(*since)
            )),
            (None, false) => lines.push(format!("{name} never named a target")),
            (None, true) if known.is_some_and(|known| known.targets.is_empty()) => {
                lines.push(format!("{name} names no target"));
            }
            (None, true) => {}
        }
    }
    let ways = record.plan.sources.iter().filter_map(|source| match &source.way {
        Way::Http { transport, .. } => transport.as_deref(),
        Way::File { .. } | Way::Dns { .. } => None,
    });
    let own = record.live().filter_map(|target| record.own_way(target)?.transport.as_deref());
    let usual = record.plan.transport.as_deref().into_iter();
    if usual.chain(ways).chain(own).any(|way| way.insecure) {
        lines.push(
            "no certificate was checked (tls.insecure): who answered is not proven".to_owned(),
        );
    }
    lines
}

/// How far sources of metrics answered, where that was not always.
fn data_sources(record: &Record) -> Vec<String> {
    let line = |source: &DataSource| {
        let rows = record.blocks.iter().flat_map(|block| &block.data_sources);
        let its = rows.filter(|(name, _)| *name == source.name).map(|(_, tally)| tally);
        let [answered, failed] =
            its.fold([0, 0], |[good, bad], tally| [good + tally.scraped, bad + tally.unscraped]);
        let name = &source.name;
        let failure = record.data_sources.get(name).and_then(Option::as_ref);
        let now = failure.map_or_else(String::new, |why| format!("; it fails: {why}"));
        let partial = source
            .takes_partial
            .then(|| format!("{name}: half an answer counts (partial-response = true)"));
        let asked = answered + failed;
        let gaps =
            (failed > 0).then(|| format!("{name} answered {answered} of {asked} looks at it{now}"));
        gaps.into_iter().chain(partial)
    };
    record.plan.data_sources.iter().flat_map(line).collect()
}

/// What became of the configuration in the window, a line for each reading.
fn reloads(record: &Record, to: Timestamp) -> Vec<String> {
    let line = |one: &Reload| {
        let (at, changes, errors) = (show::instant(one.at), &one.changes, &one.errors);
        match errors.is_empty() {
            true => format!("{at}: {}", changes.join("; ")),
            false => format!("{at}: it could not be followed: {}", errors.join("; ")),
        }
    };
    record.reloads.iter().filter(|one| one.at <= to).map(line).collect()
}

/// What the presets found, one line a thing.
fn matched(record: &Record) -> Vec<String> {
    let mut lines = asked(record);
    lines.extend(matched_metrics(record));
    lines
}

/// Where the service was asked, when nobody had said it, and what was left out.
fn asked(record: &Record) -> Vec<String> {
    let path = |path: &Option<String>| path.clone().unwrap_or_else(|| "nowhere".to_owned());
    let found = record.found.iter().map(|found| {
        let (health, ready) = (path(&found.health), path(&found.ready));
        format!(
            "nobody said where to ask; found were health at {health}, readiness at {ready}, \
             metrics at {}",
            path(&found.metrics)
        )
    });
    let dropped = record.dropped.iter().map(|(step, why)| format!("not tried: {step} ({why})"));
    found.chain(dropped).collect()
}

/// Which metrics are watched.
fn matched_metrics(record: &Record) -> Vec<String> {
    let Some(matched) = &record.matched else {
        return vec!["no scrape was read, so no metric is known and none was watched".to_owned()];
    };
    let mut lines = Vec::new();
    let list = |names: &[Name]| names.iter().map(Name::to_string).collect::<Vec<_>>().join(", ");
    if matched.presets.is_empty() {
        lines.push("no preset knows these metrics".to_owned());
    } else {
        lines.push(format!("matched {}", list(&matched.presets)));
    }
    // An account is `requests = http_requests_total`; several signals share one.
    for (_, because) in &matched.because {
        if !lines.contains(because) {
            lines.push(because.clone());
        }
    }
    let unmatched = record.plan.unmatched(matched);
    if !unmatched.is_empty() {
        lines.push(format!("not watched, for want of a metric: {}", list(&unmatched)));
    }
    lines.extend(matched.notes.iter().cloned());
    lines
}

fn deliveries(record: &Record, to: Timestamp) -> Vec<Deliveries> {
    record
        .channels
        .iter()
        .map(|(name, channel)| {
            let news = record.news.iter().filter(|news| news.seq > channel.told && news.at <= to);
            let owed = news.filter(|news| concerns(record, name, &news.item)).count();
            let trouble = match (channel.broken, channel.failures) {
                (true, _) => Some(format!("broken: {}", channel.last_words)),
                (false, 1..) => Some(format!("failing: {}", channel.last_words)),
                (false, 0) => missing(channel),
            };
            Deliveries {
                channel: name.clone(),
                accepted: channel.accepted,
                failed: channel.refused,
                owed: u32::try_from(owed).unwrap_or(u32::MAX),
                trouble,
            }
        })
        .collect()
}

/// The last of the letters that left up to the window's end.
fn letters(record: &Record, to: Timestamp) -> Vec<LetterSummary> {
    let left = &record.letters[..record.letters.partition_point(|letter| letter.at <= to)];
    let last = &left[left.len().saturating_sub(LETTERS_MAX)..];
    last.iter().map(|letter| record.letter_summary(letter)).collect()
}

/// Recipients that are not reached, where others are.
fn missing(channel: &ChannelRecord) -> Option<String> {
    let each = channel.missing.iter().map(|(who, why)| format!("{who}: {why}"));
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| format!("does not reach {}", each.join("; ")))
}

/// Whether a channel is to be told this.
fn concerns(record: &Record, channel: &Name, item: &Item) -> bool {
    let known = record.plan.channels.iter().find(|known| known.name == *channel);
    known.is_some_and(|known| item.concerns(known))
}

/// Time seen and time blind of the window up to `to`, as counted.
#[cfg(test)]
pub(super) fn account(record: &Record, to: Timestamp) -> (crate::model::Span, crate::model::Span) {
    let sight = Sight::of(record, record.release.at, to);
    let blind = sight.blind.iter().map(|blind| blind.to.since(blind.from));
    (sight.seen(), blind.fold(crate::model::Span::ZERO, |sum, span| sum + span))
}
