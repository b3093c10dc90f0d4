//! Groups of rules as Prometheus itself evaluates them, for tests of rules.
//! There an alert whose expression gives nothing is over, whatever the reason;
//! how a watch judges is `alert`'s to say.

use std::collections::{BTreeMap, BTreeSet};

use super::template::{Scene, expanded};
use crate::metrics::promql::{Mode, Query};
use crate::metrics::{Recorder, Recording, Series, SeriesId};
use crate::model::{Labels, MINUTE, Span, Timestamp};

/// The metric that shows active alerts.
pub const ALERTS: &str = "ALERTS";

/// The metric that shows since when they are.
pub const FOR_STATE: &str = "ALERTS_FOR_STATE";

const NAME: &str = "__name__";
const ALERT_NAME: &str = "alertname";

/// How long an alert that is over is remembered.
const RESOLVED_FOR: Span = Span::from_millis(15 * MINUTE.millis());

/// What an alerting rule says.
#[derive(Clone, PartialEq, Debug)]
pub struct Alerting {
    /// The alert's name.
    pub name: String,
    /// The expression.
    pub expr: String,
    /// `for`.
    pub hold: Span,
    /// `keep_firing_for`.
    pub keep: Span,
    /// Templates.
    pub labels: Vec<(String, String)>,
    /// Templates.
    pub annotations: Vec<(String, String)>,
}

/// Rules that are evaluated one after another.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    offset: Span,
    limit: usize,
    rules: Vec<Rule>,
}

#[derive(Debug)]
enum Rule {
    Record(Box<Recorder>),
    Alert(Box<AlertRule>),
}

#[derive(Debug)]
struct AlertRule {
    said: Alerting,
    query: Query,
    active: BTreeMap<Labels, Alert>,
    /// Series that the last evaluation wrote.
    written: BTreeSet<SeriesId>,
}

/// Where an alert stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Pending,
    Firing,
    Over,
}

#[derive(Clone, Debug)]
struct Alert {
    state: State,
    active_at: Timestamp,
    /// Since when only `keep_firing_for` keeps it firing.
    kept_since: Option<Timestamp>,
    over_at: Option<Timestamp>,
    annotations: Labels,
}

/// What the world outside tells templates.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outside {
    /// `$externalLabels`.
    pub labels: Labels,
    /// `$externalURL`.
    pub url: String,
}

impl Group {
    /// One without rules.
    pub fn new(name: &str, offset: Span, limit: u32) -> Group {
        Group { name: name.to_owned(), offset, limit: limit as usize, rules: Vec::new() }
    }

    /// Adds a recording rule. (Its offset and limit are its own.)
    ///
    /// # Errors
    /// What is wrong with its expression.
    pub fn record(&mut self, recording: &Recording) -> Result<(), String> {
        let recorder = Recorder::compile(recording).map_err(|wrong| wrong.to_string())?;
        self.rules.push(Rule::Record(Box::new(recorder)));
        Ok(())
    }

    /// Adds an alerting rule.
    ///
    /// # Errors
    /// What is wrong with its expression.
    pub fn alert(&mut self, said: Alerting) -> Result<(), String> {
        let query = Query::compile(&said.expr).map_err(|wrong| wrong.to_string())?;
        let (active, written) = (BTreeMap::new(), BTreeSet::new());
        self.rules.push(Rule::Alert(Box::new(AlertRule { said, query, active, written })));
        Ok(())
    }

    /// The metrics that it writes.
    pub fn writes(&self) -> Vec<String> {
        let recorded = self.rules.iter().filter_map(|rule| match rule {
            Rule::Record(recorder) => Some(recorder.recording().name.to_string()),
            Rule::Alert(_) => None,
        });
        recorded.chain([ALERTS.to_owned(), FOR_STATE.to_owned()]).collect()
    }

    /// Evaluates all rules; gives the names of those that failed, with why.
    pub fn evaluate(
        &mut self,
        series: &mut Series,
        now: Timestamp,
        outside: &Outside,
    ) -> Vec<(String, String)> {
        let mut failed = Vec::new();
        for rule in &mut self.rules {
            let (name, done) = match rule {
                Rule::Record(recorder) => {
                    let done = recorder.record(series, now);
                    (recorder.recording().name.to_string(), done)
                }
                Rule::Alert(rule) => {
                    let done = rule.evaluate(series, now, self.offset, self.limit, outside);
                    (rule.said.name.clone(), done)
                }
            };
            failed.extend(done.err().map(|what| (name, what)));
        }
        failed
    }

    /// Labels and annotations of the alerts of this name that fire.
    pub fn firing(&self, name: &str) -> Vec<(Labels, Labels)> {
        let rules = self.rules.iter().filter_map(|rule| match rule {
            Rule::Alert(rule) if rule.said.name == name => Some(rule),
            Rule::Alert(_) | Rule::Record(_) => None,
        });
        let alerts = rules.flat_map(|rule| &rule.active);
        let firing = alerts.filter(|(_, alert)| alert.state == State::Firing);
        firing.map(|(labels, alert)| (labels.clone(), alert.annotations.clone())).collect()
    }
}

impl AlertRule {
    fn evaluate(
        &mut self,
        series: &mut Series,
        now: Timestamp,
        offset: Span,
        limit: usize,
        outside: &Outside,
    ) -> Result<(), String> {
        let found = self.query.eval(series, now - offset, Mode::Prometheus)?;
        let mut broken: BTreeMap<Labels, Labels> = BTreeMap::new();
        for (metric, value) in &found {
            let (labels, annotations) = self.dressed(metric, *value, outside);
            if broken.insert(labels.clone(), annotations).is_some() {
                return Err(format!("two alerts both have the labels {labels}"));
            }
        }
        for (labels, annotations) in &broken {
            match self.active.get_mut(labels).filter(|alert| alert.state != State::Over) {
                Some(alert) => alert.annotations = annotations.clone(),
                None => {
                    let alert = Alert {
                        state: State::Pending,
                        active_at: now,
                        kept_since: None,
                        over_at: None,
                        annotations: annotations.clone(),
                    };
                    self.active.insert(labels.clone(), alert);
                }
            }
        }
        let (hold, keep) = (self.said.hold, self.said.keep);
        let mut standing = 0;
        self.active.retain(|labels, alert| {
            let is_kept = alert.advance(broken.contains_key(labels), hold, keep, now);
            standing += usize::from(is_kept && alert.state != State::Over);
            is_kept
        });
        if limit > 0 && standing > limit {
            self.active.clear();
            return Err(format!("{standing} alerts, and its group has limit: {limit}"));
        }
        self.write(series, now - offset);
        Ok(())
    }

    /// An alert's labels and annotations.
    fn dressed(&self, metric: &Labels, value: f64, outside: &Outside) -> (Labels, Labels) {
        let scene = Scene { labels: metric, value, external: &outside.labels, url: &outside.url };
        let say = |(name, text): &(String, String)| (name.clone(), expanded(text, &scene));
        let mut own: Vec<(String, String)> = self.said.labels.iter().map(say).collect();
        own.push((ALERT_NAME.to_owned(), self.said.name.clone()));
        let is_over = |name: &str| name == NAME || own.iter().any(|(known, _)| known == name);
        let kept = metric.iter().filter(|(name, _)| !is_over(name));
        let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let kept: Vec<(String, String)> = kept.collect();
        let labels = Labels::from_pairs(kept.into_iter().chain(own));
        (labels, Labels::from_pairs(self.said.annotations.iter().map(say)))
    }

    /// Shows active alerts as series; those that are shown no more end.
    fn write(&mut self, series: &mut Series, at: Timestamp) {
        let mut written = BTreeSet::new();
        for (labels, alert) in self.active.iter().filter(|(_, alert)| alert.state != State::Over) {
            let state = if alert.state == State::Firing { "firing" } else { "pending" };
            let id = series.intern(ALERTS, &labels.with("alertstate", state));
            series.push(id, at, 1.0);
            written.insert(id);
            let id = series.intern(FOR_STATE, labels);
            series.push(id, at, alert.active_at.seconds_f64().floor());
            written.insert(id);
        }
        for gone in self.written.difference(&written) {
            series.push_stale(*gone, at);
        }
        self.written = written;
    }
}

impl Alert {
    /// Goes on by one evaluation; whether it is still worth remembering.
    fn advance(&mut self, is_broken: bool, hold: Span, keep: Span, now: Timestamp) -> bool {
        if is_broken {
            self.kept_since = None;
            if self.state == State::Pending && now.since(self.active_at) >= hold {
                self.state = State::Firing;
            }
            return true;
        }
        match self.state {
            State::Pending => false,
            State::Firing => {
                let since = *self.kept_since.get_or_insert(now);
                if keep > Span::ZERO && now.since(since) < keep {
                    return true;
                }
                (self.state, self.over_at) = (State::Over, Some(now));
                true
            }
            State::Over => self.over_at.is_some_and(|at| now.since(at) <= RESOLVED_FOR),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minute a value: when the alert fires, `F`, is pending, `p`, or is neither, `.`.
    fn course(hold: Span, keep: Span, values: &[f64]) -> String {
        let mut group = Group::new("g", Span::ZERO, 0);
        let said = Alerting {
            name: "A".into(),
            expr: "x > 5".into(),
            hold,
            keep,
            labels: vec![("severity".into(), "{{ if gt $value 8.0 }}red{{ end }}".into())],
            annotations: Vec::new(),
        };
        group.alert(said).expect("a rule");
        let mut series = Series::new();
        let id = series.intern("x", &Labels::default());
        let mut out = String::new();
        for (minute, value) in values.iter().enumerate() {
            let now = Timestamp::from_millis(minute as i64 * MINUTE.millis());
            series.push(id, now, *value);
            assert_eq!(group.evaluate(&mut series, now, &Outside::default()), []);
            let mut pending = Query::compile("ALERTS{alertstate=\"pending\"}").expect("a query");
            let pending = pending.eval(&series, now, Mode::Prometheus).expect("a value");
            let fires = !group.firing("A").is_empty();
            out.push(if fires {
                'F'
            } else if pending.is_empty() {
                '.'
            } else {
                'p'
            });
        }
        out
    }

    #[test]
    fn goes_through_prometheus_own_states() {
        let [zero, two, three] = [Span::ZERO, 2 * MINUTE, 3 * MINUTE];
        for (hold, keep, values, expected) in [
            (zero, zero, &[1.0, 6.0, 1.0, 6.0][..], ".F.F"),
            (two, zero, &[6.0, 6.0, 6.0, 6.0, 1.0, 6.0], "ppFF.p"),
            (two, zero, &[6.0, 6.0, 1.0, 6.0, 6.0, 6.0], "pp.ppF"),
            (zero, two, &[6.0, 1.0, 1.0, 1.0, 1.0], "FFF.."),
            (zero, three, &[6.0, 1.0, 1.0, 6.0, 1.0, 1.0, 1.0, 1.0], "FFFFFFF."),
            // Another label is another alert, and begins to wait anew.
            (two, zero, &[6.0, 6.0, 9.0, 9.0, 9.0], "ppppF"),
        ] {
            assert_eq!(course(hold, keep, values), expected, "for {hold}, keep {keep}");
        }
    }

    #[test]
    fn fails_where_alerts_would_be_one_or_too_many() {
        let told = |label: &str, limit: u32| {
            let mut group = Group::new("g", Span::ZERO, limit);
            let said = Alerting {
                name: "A".into(),
                expr: "x".into(),
                hold: Span::ZERO,
                keep: Span::ZERO,
                labels: vec![("p".into(), label.into())],
                annotations: Vec::new(),
            };
            group.alert(said).expect("a rule");
            let mut series = Series::new();
            for path in ["/a", "/b"] {
                let id = series.intern("x", &Labels::from_pairs([("p", path)]));
                series.push(id, Timestamp::default(), 1.0);
            }
            group.evaluate(&mut series, Timestamp::default(), &Outside::default())
        };
        let failed = |what: &str| vec![("A".to_owned(), what.to_owned())];
        let twins = "two alerts both have the labels {alertname=\"A\", p=\"all\"}";
        assert_eq!(told("all", 0), failed(twins));
        assert_eq!(told("{{ $labels.p }}", 1), failed("2 alerts, and its group has limit: 1"));
        assert_eq!(told("{{ $labels.p }}", 2), []);
    }
}
