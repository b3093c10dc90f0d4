//! A fake server of metrics: it scrapes the world's targets as Prometheus
//! would, and answers queries by our own PromQL, with faults.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bakewatch::metrics::promql::{Answer, Query};
use bakewatch::metrics::{Feed, Series, Table, Wanted, read_page};
use bakewatch::model::{
    DataSource, Failure, HOUR, Inquiry, Labels, MILLISECOND, Name, SECOND, Span, Timestamp, Told,
};

use super::target::Target;

/// How it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    Answers,
    Refuses,
    Hangs,
    /// 503, in its words.
    Errs,
    /// A whole answer that says it is half of one.
    Partial,
    Html,
    /// As of three minutes ago, whatever is asked.
    Lags,
    /// Each answer comes after twenty seconds.
    Slow,
    Empty,
}

/// How often it scrapes.
const EVERY: Span = Span::from_secs(15);

/// How far back a past goes.
const PAST: Span = Span::from_millis(6 * HOUR.millis());

/// How long an answer takes: as long as a scrape.
pub const LATENCY: Span = Span::from_millis(40);

/// Answers instead of the fake: a real server.
pub type Real = Box<dyn FnMut(&DataSource, &[Inquiry]) -> Vec<Result<Told, Failure>>>;

pub struct Prometheus {
    pub manner: Manner,
    /// Whether it scrapes at all.
    pub scrapes: bool,
    next: Timestamp,
    series: Series,
    feeds: BTreeMap<String, (Feed, Table)>,
    /// Compiled once each.
    queries: BTreeMap<String, Query>,
    /// Queries that it was asked, each with how often.
    pub asked: BTreeMap<String, u64>,
    pub real: Option<Real>,
}

impl Prometheus {
    pub fn new(now: Timestamp, scrapes: bool) -> Prometheus {
        let mut series = Series::new();
        if scrapes {
            for name in NAMES {
                series.keep(name, HOUR);
            }
        }
        Prometheus {
            manner: Manner::Answers,
            scrapes,
            next: now,
            series,
            feeds: BTreeMap::new(),
            queries: BTreeMap::new(),
            asked: BTreeMap::new(),
            real: None,
        }
    }

    /// It holds these pages, each of when it was asked for, and no others.
    pub fn hold(&mut self, pages: &[(Timestamp, String, String)]) {
        self.scrapes = false;
        NAMES.iter().for_each(|name| self.series.keep(name, 24 * HOUR));
        for (at, target, text) in pages {
            let labels = Labels::from_pairs([("job", "chat")]);
            let fresh = || (Feed::with(labels), Table::default());
            let (feed, table) = self.feeds.entry(target.clone()).or_insert_with(fresh);
            let wanted = Wanted::names(NAMES.into_iter());
            let page = read_page(text.as_bytes(), None, &wanted, table).expect("it was scraped");
            feed.take(&mut self.series, &Name::from(target.as_str()), &page, *at);
        }
    }

    /// It has scraped these targets before, with one request in fifty failing.
    pub fn has_past(&mut self, targets: &[Target], now: Timestamp) {
        for name in NAMES {
            self.series.keep(name, 2 * PAST);
        }
        let mut before: Vec<Target> =
            targets.iter().map(|target| Target::new(&target.name, now - PAST)).collect();
        before.iter_mut().for_each(|target| target.errors = 0.02);
        self.next = now - PAST;
        self.live(&mut before, now - EVERY);
    }

    /// Scrapes whatever was due up to now.
    pub fn live(&mut self, targets: &mut [Target], now: Timestamp) {
        let wanted = Wanted::names(NAMES.into_iter());
        while self.scrapes && self.next <= now {
            let at = self.next;
            self.next += EVERY;
            for target in targets.iter_mut() {
                let (feed, table) = self.feeds.entry(target.name.clone()).or_insert_with(|| {
                    let labels = Labels::from_pairs([("job", "chat")]);
                    (Feed::with(labels), Table::default())
                });
                let name = Name::from(target.name.as_str());
                match target.scrape(at, &wanted, SECOND, table).1 {
                    Ok(page) => feed.take(&mut self.series, &name, &page, at),
                    Err(_) => feed.failed(&mut self.series, at),
                }
            }
        }
    }

    /// Answers, after how long; `None`: never.
    pub fn answer(
        &mut self,
        source: &DataSource,
        asks: &[Inquiry],
    ) -> (Span, Option<Vec<Result<Told, Failure>>>) {
        for ask in asks {
            *self.asked.entry(ask.text.to_string()).or_default() += 1;
        }
        if let Some(real) = &mut self.real {
            return (LATENCY, Some(real(source, asks)));
        }
        let all = |failure: Failure| Some(vec![Err(failure); asks.len()]);
        let lag = if self.manner == Manner::Lags { 180 * SECOND } else { Span::ZERO };
        let (series, queries) = (&self.series, &mut self.queries);
        let mut told = || asks.iter().map(|ask| evaluate(queries, series, ask, lag)).collect();
        match self.manner {
            Manner::Answers | Manner::Lags => (LATENCY, Some(told())),
            Manner::Slow => (20 * SECOND, Some(told())),
            Manner::Hangs => (Span::ZERO, None),
            Manner::Refuses => (MILLISECOND, all(Failure::Refused)),
            Manner::Errs => (LATENCY, all(said(503, UNAVAILABLE))),
            Manner::Partial => (LATENCY, all(said(200, PARTIAL))),
            Manner::Html => (LATENCY, all(said(200, "<html>sign in</html>"))),
            Manner::Empty => (LATENCY, Some(vec![Ok(Told::default()); asks.len()])),
        }
    }
}

const UNAVAILABLE: &str =
    r#"{"status":"error","errorType":"unavailable","error":"the store is not ready"}"#;
const PARTIAL: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]},
    "warnings":["fetch series: store-1 unreachable"]}"#;

fn said(status: u16, body: &str) -> Failure {
    bakewatch::metrics::queried::read(status, body.as_bytes(), false).expect_err("it is a failure")
}

fn evaluate(
    queries: &mut BTreeMap<String, Query>,
    series: &Series,
    ask: &Inquiry,
    lag: Span,
) -> Result<Told, Failure> {
    let query = match queries.entry(ask.text.to_string()) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => place.insert(
            Query::compile_any(&ask.text)
                .map_err(|complaint| Failure::Says(format!("bad_data: {}", complaint.what)))?,
        ),
    };
    let says = |what: String| Failure::Says(format!("execution: {what}"));
    if let Some((from, step)) = ask.since {
        let rows = query.range(series, (from, ask.at), step).map_err(says)?;
        let points = |points: Vec<bakewatch::metrics::Point>| {
            points.into_iter().map(|point| (point.at, point.value)).collect()
        };
        let rows = rows.into_iter().map(|(labels, of)| (labels, points(of))).collect();
        return Ok(Told { rows, notes: Vec::new() });
    }
    let at = ask.at - lag;
    let rows = match query.answer(series, at).map_err(says)? {
        Answer::Scalar(value) => vec![(Labels::default(), vec![(at, value)])],
        Answer::Vector(all) => {
            all.into_iter().map(|(labels, value)| (labels, vec![(at, value)])).collect()
        }
        Answer::Matrix(_) | Answer::Text(_) => return Err(says("no number".to_owned())),
    };
    Ok(Told { rows, notes: Vec::new() })
}

/// What the world's targets show.
const NAMES: [&str; 9] = [
    "ai_assistant_requests_total",
    "ai_assistant_request_latency_milliseconds_bucket",
    "ai_assistant_request_latency_milliseconds_sum",
    "ai_assistant_request_latency_milliseconds_count",
    "process_resident_memory_bytes",
    "process_memory_limit_bytes",
    "process_start_time_seconds",
    "queue_depth",
    "target_info",
];
