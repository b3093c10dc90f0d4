//! A fake replica of the checklist's service: its health, its one real
//! request, and its exposition under OpenTelemetry's names.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use bakewatch::metrics::{self, Page, Table, Wanted};
use bakewatch::model::{Exchange, Failure, HOUR, Labels, Request, Span, Timestamp, stable_hash};

/// How it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    Answers,
    Refuses,
    Hangs,
    Unhealthy,
    Degraded,
    Broken,   // 500 to everything but its metrics
    Stranger, // none of the checklist's paths; its health at /-/healthy
    Mute,     // no path but its metrics
}

/// What its exposition is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expo {
    Good,
    Html,
    Missing,
    Bare, // only process_* metrics: the service's own have vanished
}

/// What the body of its health is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    Plain,
    Full,    // the checklist's, with its time and its components
    Frozen,  // the same, of an hour ago
    Vacuous, // no component
    NoAdls,  // one component is gone
    Spring,
    Aspnet,
    Starting, // a word that nobody knows
}

/// What it answers whatever it is asked, instead of what it would.
#[derive(Clone, Debug)]
pub struct Play {
    /// How long each answer takes.
    pub after: Span,
    pub health: Result<Exchange, Failure>,
    /// The body of its exposition.
    pub page: Result<String, Failure>,
}

/// Series and their values, in the order of a page.
#[derive(Clone, Debug, Default)]
struct Shown {
    /// What the series go by: how many queues, which version, whether it is bare.
    of: Option<(usize, Option<String>, bool)>,
    series: Vec<(&'static str, Labels)>,
    values: Vec<f64>,
}

#[derive(Clone, Debug)]
pub struct Target {
    pub name: String,
    pub mood: Mood,
    pub body: Body,
    /// The version that its health and its `target_info` tell.
    pub version: Option<String>,
    /// The time of the world, for what it answers.
    pub clock: Timestamp,
    pub expo: Expo,
    /// Requests a second.
    pub rps: f64,
    /// Share of them that fail.
    pub errors: f64,
    /// Share of them that take thirty seconds.
    pub slow: f64,
    /// Share of the memory limit in use.
    pub memory: f64,
    /// Queues, each a series.
    pub queues: usize,
    /// While it plays something, none of the above counts.
    pub plays: Option<Play>,
    /// Each fourth answer, by chance, takes so long.
    pub wavers: Option<Span>,
    good: f64,
    bad: f64,
    fast_count: f64,
    slow_count: f64,
    started: Timestamp,
    counted_to: Timestamp,
    /// Another process at the same address, which answers in turn.
    pub twin: Option<Box<Target>>,
    /// By how much its clock is ahead, where its answers bear a date.
    pub ahead: Option<Span>,
    /// The same of the time that its health tells.
    pub told_ahead: Span,
    /// What it showed last: the series, as long as they are the same, and the memory
    /// of their values.
    shown: Shown,
}

const PROCESS: [&str; 3] =
    ["process_resident_memory_bytes", "process_memory_limit_bytes", "process_start_time_seconds"];
const REQUESTS: &str = "ai_assistant_requests_total";
const BUCKET: &str = "ai_assistant_request_latency_milliseconds_bucket";
const SUM: &str = "ai_assistant_request_latency_milliseconds_sum";
const COUNT: &str = "ai_assistant_request_latency_milliseconds_count";

const BOUNDS: [f64; 15] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0,
    10000.0,
];
const MEMORY_LIMIT: f64 = 1_073_741_824.0;

/// What its health endpoint answers, by the word, made once.
static HEALTH: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
    let body = r#"{"status":"?","components":[{"name":"redis","status":"?"}]}"#;
    ["healthy", "degraded", "unhealthy"].map(|word| (word, body.replace('?', word))).into()
});

/// Each bucket's labels, made once.
static BUCKETS: LazyLock<Vec<Labels>> = LazyLock::new(|| {
    let le = |bound: String| Labels::from_pairs([("le", bound)]);
    BOUNDS.iter().map(|bound| le(format!("{bound:.1}"))).chain([le("+Inf".to_owned())]).collect()
});

static SUCCESS: LazyLock<[Labels; 2]> = LazyLock::new(|| {
    ["true", "false"]
        .map(|success| Labels::from_pairs([("success", success), ("type", "question")]))
});

static QUEUES: LazyLock<Vec<Labels>> = LazyLock::new(|| {
    (0..100).map(|queue| Labels::from_pairs([("queue", format!("q{queue}"))])).collect()
});

impl Target {
    pub fn new(name: &str, now: Timestamp) -> Target {
        Target {
            name: name.to_owned(),
            mood: Mood::Answers,
            body: Body::Plain,
            version: None,
            clock: now,
            expo: Expo::Good,
            rps: 10.0,
            errors: 0.0,
            slow: 0.0,
            memory: 0.5,
            queues: 0,
            plays: None,
            wavers: None,
            good: 0.0,
            bad: 0.0,
            fast_count: 0.0,
            slow_count: 0.0,
            started: now,
            counted_to: now,
            twin: None,
            ahead: None,
            told_ahead: Span::ZERO,
            shown: Shown::default(),
        }
    }

    /// A restart: counters begin again.
    pub fn restart(&mut self, now: Timestamp) {
        (self.good, self.bad, self.fast_count, self.slow_count) = (0.0, 0.0, 0.0, 0.0);
        (self.started, self.counted_to) = (now, now);
    }

    /// Another process takes its place beside it, and has been there for an hour.
    pub fn double(&mut self, now: Timestamp) {
        let mut twin = self.clone();
        (twin.good, twin.started) = (3.0 * self.good + 7000.0, now - HOUR);
        self.twin = Some(Box::new(twin));
    }

    /// The other process answers next.
    fn take_turns(&mut self) {
        let Some(mut twin) = self.twin.take() else { return };
        std::mem::swap(self, &mut twin);
        self.twin = Some(twin);
    }

    /// Serves its users up to `now`, with the faults it has had since the last call.
    pub fn live(&mut self, now: Timestamp) {
        if let Some(twin) = &mut self.twin {
            twin.live(now);
        }
        let seconds = now.since(self.counted_to).seconds_f64().max(0.0);
        self.counted_to = now;
        let serves = matches!(self.mood, Mood::Answers | Mood::Degraded | Mood::Unhealthy)
            || matches!(self.mood, Mood::Stranger | Mood::Mute);
        let requests = if serves { self.rps * seconds } else { 0.0 };
        self.bad += requests * self.errors;
        self.good += requests * (1.0 - self.errors);
        self.slow_count += requests * self.slow;
        self.fast_count += requests * (1.0 - self.slow);
    }

    /// Answers a request that is no scrape. How long it takes, and what comes.
    pub fn exchange(&self, request: &Request) -> (Span, Result<Exchange, Failure>) {
        if let Some(play) = &self.plays {
            return (play.after, play.health.clone());
        }
        let quick = Span::from_millis(40);
        let status_word = match self.mood {
            Mood::Refuses => return (Span::from_millis(1), Err(Failure::Refused)),
            Mood::Hangs => {
                return (request.timeout, Err(Failure::Timeout(request.timeout)));
            }
            Mood::Broken => return (quick, Ok(exchange(500, "text/plain", "broken"))),
            Mood::Stranger if request.url.ends_with("/-/healthy") => {
                return (quick, Ok(exchange(200, "text/plain", "OK")));
            }
            Mood::Stranger | Mood::Mute => {
                return (quick, Ok(exchange(404, "text/plain", "not found")));
            }
            Mood::Unhealthy => "unhealthy",
            Mood::Degraded => "degraded",
            Mood::Answers => "healthy",
        };
        let json = "application/json";
        let answer = if request.url.ends_with("/api/chat") {
            exchange(200, json, r#"{"response":"Hello!","success":true,"chat_id":"c1"}"#)
        } else if request.url.ends_with("/health") || request.url.ends_with("/health/ready") {
            let status = if status_word == "unhealthy" { 503 } else { 200 };
            self.health(status, status_word)
        } else {
            exchange(404, "text/plain", "not found")
        };
        let chance = stable_hash(&[&self.name, &self.clock.millis().to_string()]);
        let slow = self.wavers.filter(|_| chance.is_multiple_of(4));
        (slow.unwrap_or(quick), Ok(self.dated(answer)))
    }

    fn dated(&self, mut answer: Exchange) -> Exchange {
        if let Some(ahead) = self.ahead {
            let at = jiff::Timestamp::from_millisecond((self.clock + ahead).millis());
            let date = at.expect("a time").strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            answer.headers.push(("date".to_owned(), date));
        }
        answer
    }

    fn health(&self, status: u16, word: &str) -> Exchange {
        let json = "application/json";
        let version = self.version.as_deref().map_or(String::new(), |version| {
            format!(r#""version":"{version}","#) // as the checklist's service tells it
        });
        let full = |parts: &str, time: Timestamp| {
            let uptime = time.since(self.started).seconds_f64();
            let time = time.rfc3339();
            let head = format!(r#""status":"{word}","timestamp":"{time}",{version}"#);
            format!(r#"{{{head}"uptime_seconds":{uptime},"components":[{parts}]}}"#)
        };
        let part = |name: &str| format!(r#"{{"name":"{name}","status":"{word}"}}"#);
        let both = format!("{},{}", part("redis"), part("adls"));
        let spring = match word {
            "healthy" => "UP",
            "degraded" => "UNKNOWN",
            _ => "DOWN",
        };
        let (kind, body) = match self.body {
            Body::Plain => (json, HEALTH[word].clone()),
            Body::Full => (json, full(&both, self.clock + self.told_ahead)),
            Body::Frozen => (json, full(&both, self.started)),
            Body::Vacuous => (json, full("", self.clock)),
            Body::NoAdls => (json, full(&part("redis"), self.clock)),
            Body::Spring => (
                "application/vnd.spring-boot.actuator.v3+json",
                r#"{"status":"?","components":{"db":{"status":"?"},"ping":{"status":"UP"}}}"#
                    .replace('?', spring),
            ),
            Body::Aspnet => ("text/plain", word[..1].to_uppercase() + &word[1..]),
            Body::Starting => (json, r#"{"status":"warming"}"#.to_owned()),
        };
        let mut answer = exchange(status, kind, &body);
        let version =
            self.version.as_ref().map(|version| ("x-version".to_owned(), version.clone()));
        answer.headers.extend(version);
        answer
    }

    /// Answers a scrape.
    pub fn scrape(
        &mut self,
        now: Timestamp,
        wanted: &Wanted,
        timeout: Span,
        table: &mut Table,
    ) -> (Span, Result<Page, Failure>) {
        self.live(now);
        self.take_turns();
        if let Some(play) = &self.plays {
            let page = play.page.clone().and_then(|text| read(&text, wanted, table));
            return (play.after, page);
        }
        let quick = Span::from_millis(40);
        match self.mood {
            Mood::Refuses => return (Span::from_millis(1), Err(Failure::Refused)),
            Mood::Hangs => return (timeout, Err(Failure::Timeout(timeout))),
            Mood::Answers | Mood::Unhealthy | Mood::Degraded | Mood::Broken => {}
            Mood::Stranger | Mood::Mute => {}
        }
        let page = match self.expo {
            Expo::Missing => Err(Failure::Status(404)),
            Expo::Html => read("<html><body>It works!</body></html>", wanted, table),
            Expo::Good | Expo::Bare if wanted.lists() => read(&self.text(), wanted, table),
            Expo::Good | Expo::Bare => {
                self.show();
                // Samples of one name follow each other: it is looked up once.
                let mut last = ("", false);
                let mut is_wanted = |name: &'static str| {
                    if !std::ptr::eq(last.0, name) {
                        last = (name, wanted.has(name.as_bytes()));
                    }
                    last.1
                };
                let samples = self.shown.series.iter().zip(&self.shown.values);
                let samples = samples.filter(|((name, _), _)| is_wanted(name));
                let samples = samples.map(|((name, labels), value)| (*name, labels, *value));
                Ok(metrics::page_of(samples, table))
            }
        };
        (quick, page)
    }

    /// Its exposition.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.expo == Expo::Good {
            text.push_str("# TYPE ai_assistant_requests_total counter\n");
            text.push_str("# TYPE ai_assistant_request_latency_milliseconds histogram\n");
        }
        text.push_str("# TYPE process_resident_memory_bytes gauge\n");
        let mut values = Vec::new();
        self.values(&mut values);
        for ((name, labels), value) in self.series().into_iter().zip(values) {
            text.push_str(name);
            text.push('{');
            for (label, of) in labels.iter() {
                let _ = write!(text, "{label}=\"{of}\",");
            }
            let _ = writeln!(text, "}} {value}");
        }
        text
    }

    /// Brings what it shows up to date.
    fn show(&mut self) {
        let mut shown = std::mem::take(&mut self.shown);
        let is_bare = self.expo == Expo::Bare;
        let is_same = shown.of.as_ref().is_some_and(|(queues, version, bare)| {
            (*queues, version, *bare) == (self.queues, &self.version, is_bare)
        });
        if !is_same {
            shown.series = self.series();
            shown.of = Some((self.queues, self.version.clone(), is_bare));
        }
        self.values(&mut shown.values);
        self.shown = shown;
    }

    /// Its series. Their values come in the same order.
    fn series(&self) -> Vec<(&'static str, Labels)> {
        let mut series: Vec<(&'static str, Labels)> =
            PROCESS.iter().map(|name| (*name, Labels::default())).collect();
        if let Some(version) = &self.version {
            let labels = Labels::from_pairs([("service_version", version.as_str())]);
            series.push(("target_info", labels));
        }
        let queues = QUEUES.iter().take(self.queues);
        series.extend(queues.map(|labels| ("queue_depth", labels.clone())));
        if self.expo == Expo::Bare {
            return series;
        }
        series.extend(SUCCESS.iter().map(|labels| (REQUESTS, labels.clone())));
        series.extend(BUCKETS.iter().map(|labels| (BUCKET, labels.clone())));
        series.extend([SUM, COUNT].map(|name| (name, Labels::default())));
        series
    }

    fn values(&self, values: &mut Vec<f64>) {
        values.clear();
        let started = (self.started.millis() / 1000) as f64;
        values.extend([self.memory * MEMORY_LIMIT, MEMORY_LIMIT, started]);
        values.extend(self.version.iter().map(|_| 1.0));
        values.extend(QUEUES.iter().take(self.queues).map(|_| 3.0));
        if self.expo == Expo::Bare {
            return;
        }
        values.extend([self.good.floor(), self.bad.floor()]);
        let (fast, slow) = (self.fast_count.floor(), self.slow_count.floor());
        let below = |bound: &f64| if *bound < 250.0 { 0.0 } else { fast };
        values.extend(BOUNDS.iter().map(below).chain([fast + slow]));
        let sum = self.fast_count * 180.0 + self.slow_count * 30_000.0;
        values.extend([sum.floor(), fast + slow]);
    }
}

fn read(text: &str, wanted: &Wanted, table: &mut Table) -> Result<Page, Failure> {
    metrics::read_page(text.as_bytes(), Some("text/plain; version=0.0.4"), wanted, table)
        .map_err(Failure::Unreadable)
}

/// An answer.
pub fn exchange(status: u16, kind: &str, body: &str) -> Exchange {
    Exchange {
        status,
        headers: vec![("content-type".to_owned(), kind.to_owned())],
        body: body.to_owned(),
        elapsed: Span::from_millis(40),
        ..Exchange::default()
    }
}
