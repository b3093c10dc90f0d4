//! What a watch tells those who ask: the series that it keeps, and series made
//! of its record: what each signal measured, how targets and checks answered,
//! and its alerts. Nothing here changes a watch.

use super::{Fleet, Watch};
use crate::judge::Rule;
use crate::metrics::promql::histogram::quantile_of_mended;
use crate::metrics::promql::one_line;
use crate::metrics::{Excerpt, Family, Measured, Point, Shape, stale_marker};
use crate::model::{Labels, MILLISECOND, MINUTE, Measurement, Name, Number, Span, Timestamp};
use crate::record::{AlertKey, AlertRecord, Block, Record, Tally};

/// Samples that are made of what lasts are so far apart: near enough for any
/// look at an instant, and few in a week.
const STRIDE: Span = MINUTE;

/// The quantiles in which a histogram can be read.
pub const QUANTILES: [(&str, f64); 3] = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)];

/// Alerts, as Prometheus shows them.
pub const ALERTS: &str = "ALERTS";

/// Series of shares that are made of tallies: name, and the label that tells whose.
pub const SHARES: [(&str, &str); 3] = [
    ("probe_success_ratio", "instance"),
    ("scrape_success_ratio", "instance"),
    ("check_success_ratio", "check"),
];

impl Fleet {
    /// Copies what is wanted of the watches of a service, or of all.
    ///
    /// # Errors
    /// No such service is watched; or as `Excerpt::take`.
    pub fn read(
        &self,
        excerpt: &mut Excerpt,
        service: Option<&str>,
        now: Timestamp,
    ) -> Result<(), String> {
        let is_meant = |watch: &&Watch| {
            service.is_none_or(|service| watch.record().release.service == *service)
        };
        let ids = self.ids();
        let meant: Vec<&Watch> = ids.filter_map(|id| self.watch(id)).filter(is_meant).collect();
        if let (Some(service), true) = (service, meant.is_empty()) {
            let known = self.services();
            let known: Vec<&str> = known.iter().map(Name::as_str).collect();
            let known = known.join(", ");
            return Err(format!("no service {service:?} is watched; there is {known}"));
        }
        meant.into_iter().try_for_each(|watch| watch.read(excerpt, now))
    }

    /// The families that pages have shown, as far as they were read whole.
    pub fn families(&self) -> Vec<Family> {
        let watches = self.ids().filter_map(|id| self.watch(id));
        watches.flat_map(|watch| watch.measure.families()).collect()
    }

    /// The services that are watched, in order.
    pub fn services(&self) -> Vec<Name> {
        let records = self.ids().filter_map(|id| self.record(id));
        let mut names: Vec<Name> = records.map(|record| record.release.service.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Watch {
    fn read(&self, excerpt: &mut Excerpt, now: Timestamp) -> Result<(), String> {
        let release = &self.record.release;
        let own = Labels::from_pairs([
            ("service", release.service.as_str()),
            ("release", release.version.as_str()),
        ]);
        let kept = &self.measure.series;
        excerpt.take(kept, &own, now)?;
        // A metric of the service's own comes before ours of that name.
        let is_free = |name: &str| kept.named(name).next().is_none();
        let tells = |excerpt: &Excerpt, name: &str| excerpt.may_read(name) && is_free(name);
        for (signal, last) in self.measure.last() {
            excerpt.know(signal.as_str());
            if tells(excerpt, signal.as_str()) && !is_expression(&self.record, signal) {
                let live = last.map(|last| (self.measure.last_tick(), last));
                tell_signal(&self.record, signal, live, &own, excerpt)?;
            }
        }
        for (index, (name, label)) in SHARES.into_iter().enumerate() {
            excerpt.know(name);
            if tells(excerpt, name) {
                tell_shares(&self.record, index, (name, label), &own, excerpt)?;
            }
        }
        excerpt.know(ALERTS);
        if tells(excerpt, ALERTS) {
            for (key, alert) in &self.record.alerts {
                tell_alert(&self.record, (key, alert), now, &own, excerpt)?;
            }
        }
        Ok(())
    }
}

/// Whether it is an expression of Prometheus's rules, which is no measurement.
fn is_expression(record: &Record, signal: &Name) -> bool {
    let found = record.plan.signals.iter().find(|one| one.name == *signal);
    found.is_some_and(|one| matches!(one.shape, Shape::Alert { .. }))
}

fn tell_signal(
    record: &Record,
    signal: &Name,
    looked: Option<(Timestamp, &Measured)>,
    own: &Labels,
    excerpt: &mut Excerpt,
) -> Result<(), String> {
    let of_block = |block: &Block| {
        let row = block.rows.iter().find(|row| row.signal == *signal);
        row.and_then(|row| row.measured.clone())
    };
    let live = looked.and_then(|(_, last)| match last {
        Measured::One(measurement) => Some(measurement.clone()),
        // As in a report: of several, the largest.
        Measured::Each(all) => {
            all.iter().map(|(_, value)| *value).reduce(f64::max).map(Measurement::gauge)
        }
        Measured::None(_) | Measured::Split { .. } => None,
    });
    let all = || record.blocks.iter().filter_map(of_block).chain(live.clone());
    if all().next().is_none() {
        if excerpt.names(signal.as_str()) {
            excerpt.remark(unmeasured(record, signal));
        }
        return Ok(());
    }
    let is_histogram = all().any(|one| matches!(one, Measurement::Buckets { .. }));
    let mut tell = |labels: &Labels, read: &dyn Fn(&Measurement) -> Option<f64>| {
        let reads = excerpt.reads();
        let make = || {
            let mut course = Course::new(reads);
            for block in &record.blocks {
                course.add(block.from, block.to, of_block(block).as_ref().and_then(read));
            }
            if let Some((at, _)) = looked {
                course.add(course.end(at), at, live.as_ref().and_then(read));
            }
            course.points
        };
        excerpt.tell(signal.as_str(), labels, own, make)
    };
    if !is_histogram {
        return tell(&Labels::default(), &|one| level(one));
    }
    for (text, q) in QUANTILES {
        tell(&Labels::from_pairs([("quantile", text)]), &|one| quantile(one, q))?;
    }
    Ok(())
}

/// What is said of a signal of which nothing is recorded.
fn unmeasured(record: &Record, signal: &Name) -> String {
    let matched = record.matched.iter().flat_map(|matched| &matched.signals);
    let found = record.plan.signals.iter().chain(matched).find(|one| one.name == *signal);
    let query = match found.map(|one| &one.shape) {
        Some(Shape::Gauge { query } | Shape::Buckets { query, .. }) => {
            format!("; its query is {}", one_line(query))
        }
        _ => String::new(),
    };
    format!(
        "nothing is recorded of the signal {:?}: it has had no data, or it has several values and \
         no rule reads them{query}",
        signal.as_str()
    )
}

/// The one number of a ratio or a gauge.
fn level(measurement: &Measurement) -> Option<f64> {
    match measurement {
        Measurement::Ratio { num, den } => (den.0 > 0.0).then(|| num.0 / den.0),
        Measurement::Gauge { mean, .. } => (!mean.0.is_nan()).then_some(mean.0),
        Measurement::Buckets { .. } => None,
    }
}

fn quantile(measurement: &Measurement, q: f64) -> Option<f64> {
    let Measurement::Buckets { bounds, counts } = measurement else { return None };
    let number = |number: &Number| number.0;
    let pairs: Vec<(f64, f64)> = bounds.iter().map(number).zip(counts.iter().map(number)).collect();
    let value = quantile_of_mended(q, &pairs);
    (!value.is_nan()).then_some(value)
}

fn tell_shares(
    record: &Record,
    index: usize,
    (name, label): (&str, &str),
    own: &Labels,
    excerpt: &mut Excerpt,
) -> Result<(), String> {
    let tallies = |block: &'_ Block| match index {
        2 => block.checks.clone(),
        _ => block.tallies.clone(),
    };
    let share = |tally: &Tally| {
        let (good, bad) = match index {
            1 => (tally.scraped, tally.unscraped),
            _ => (tally.ok, tally.failed),
        };
        (good + bad > 0).then(|| f64::from(good) / f64::from(good + bad))
    };
    let mut who: Vec<Name> = record.blocks.iter().flat_map(tallies).map(|(who, _)| who).collect();
    who.sort();
    who.dedup();
    let reads = excerpt.reads();
    for who in who {
        let make = || {
            let mut course = Course::new(reads);
            for block in &record.blocks {
                let all = if index == 2 { &block.checks } else { &block.tallies };
                let tally = all.iter().find(|(name, _)| *name == who);
                course.add(block.from, block.to, tally.and_then(|(_, tally)| share(tally)));
            }
            course.points
        };
        excerpt.tell(name, &Labels::from_pairs([(label, who.as_str())]), own, make)?;
    }
    Ok(())
}

fn tell_alert(
    record: &Record,
    (key, alert): (&AlertKey, &AlertRecord),
    now: Timestamp,
    own: &Labels,
    excerpt: &mut Excerpt,
) -> Result<(), String> {
    let rule = record.rule(&key.rule);
    let labels = record.alert_news(rule, key, alert.value).all_labels();
    let reads = excerpt.reads();
    let firing = alert.episodes.iter().map(|one| (one.fired_at, one.ended_at));
    let pending = alert.episodes.iter().map(|one| (one.since, Some(one.fired_at)));
    let pends = alert.pending_since().map(|since| (since, None));
    let pending = pending.filter(|(from, to)| Some(*from) < *to).chain(pends);
    let states = [("firing", firing.collect::<Vec<_>>()), ("pending", pending.collect())];
    for (state, stretches) in states.into_iter().filter(|(_, stretches)| !stretches.is_empty()) {
        let make = || {
            let mut course = Course::new(reads);
            for (from, to) in &stretches {
                // It stands from the first instant on, and to the last.
                course.add(*from - MILLISECOND, to.map_or(now, |to| to - MILLISECOND), Some(1.0));
                if let Some(to) = to {
                    course.end_at(*to);
                }
            }
            course.points
        };
        excerpt.tell(ALERTS, &labels_of_alert(rule, &labels, state), own, make)?;
    }
    Ok(())
}

/// As Prometheus labels an alert that it shows as a series.
fn labels_of_alert(rule: &Rule, labels: &Labels, state: &str) -> Labels {
    let severity = rule.severity.as_str();
    let ours = [("alertname", rule.name.as_str()), ("alertstate", state), ("severity", severity)];
    let ours = ours.map(|(name, value)| (name.into(), value.into()));
    Labels::from_pairs(ours.into_iter().chain(labels.shared().iter().cloned()))
}

/// Samples of what held over stretches of time.
struct Course {
    /// Only what lies within is made.
    reads: (Timestamp, Timestamp),
    points: Vec<Point>,
    /// The end of the last stretch, whatever it was.
    to: Option<Timestamp>,
    is_alive: bool,
}

impl Course {
    fn new(reads: (Timestamp, Timestamp)) -> Course {
        Course { reads, points: Vec::new(), to: None, is_alive: false }
    }

    /// Where the last stretch ended; `at` if there was none.
    fn end(&self, at: Timestamp) -> Timestamp {
        self.to.map_or(at - MILLISECOND, |to| to.min(at))
    }

    /// What held after `from`, up to `to`; `None`: nobody knows.
    fn add(&mut self, from: Timestamp, to: Timestamp, value: Option<f64>) {
        if to <= from {
            return;
        }
        if self.to.is_some_and(|last| last < from)
            && let Some(last) = self.to
        {
            self.end_at(last + MILLISECOND);
        }
        self.to = Some(to);
        let Some(value) = value else {
            self.end_at(from + MILLISECOND);
            return;
        };
        let mut at = from + MILLISECOND;
        while at < to {
            self.push(at, value);
            at += STRIDE;
        }
        self.push(to, value);
        self.is_alive = true;
    }

    /// Nothing is known from then on.
    fn end_at(&mut self, at: Timestamp) {
        if std::mem::take(&mut self.is_alive) {
            self.push(at, stale_marker());
        }
    }

    fn push(&mut self, at: Timestamp, value: f64) {
        let (from, to) = self.reads;
        if from - crate::metrics::LOOKBACK < at && at <= to {
            self.points.push(Point { at, value });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::is_stale;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1000 * seconds)
    }

    fn shown(course: Course) -> Vec<(i64, Option<f64>)> {
        let points = course.points.into_iter();
        points.map(|p| (p.at.millis(), (!is_stale(p.value)).then_some(p.value))).collect()
    }

    #[test]
    fn shows_what_held_each_minute_and_ends_where_nobody_knows() {
        let mut course = Course::new((at(0), at(10_000)));
        course.add(at(100), at(190), Some(7.0));
        course.add(at(190), at(200), None);
        course.add(at(200), at(230), Some(8.0));
        course.add(at(500), at(501), Some(9.0));
        let expected = [
            (100_001, Some(7.0)),
            (160_001, Some(7.0)),
            (190_000, Some(7.0)),
            (190_001, None),
            (200_001, Some(8.0)),
            (230_000, Some(8.0)),
            (230_001, None),
            (500_001, Some(9.0)),
            (501_000, Some(9.0)),
        ];
        assert_eq!(shown(course), expected);
    }

    #[test]
    fn makes_only_what_is_read() {
        let mut course = Course::new((at(3600), at(3700)));
        course.add(at(0), at(7200), Some(1.0));
        let (first, last) = (course.points[0].at, course.points[course.points.len() - 1].at);
        assert!(at(3300) < first && first < at(3400) && at(3600) < last && last <= at(3700));
    }
}
