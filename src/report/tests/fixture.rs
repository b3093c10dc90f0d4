//! Three watches as they happen: a quiet week, a day that failed, and half an
//! hour in which the metrics went away.

use std::sync::Arc;

use crate::check::{Assertion, HealthState, Miss, Retry, Step, StepResult, StepState};
use crate::judge::{Bound, Phase, Rule, Window};
use crate::metrics::{Shape, Signal, Unit};
use crate::model::{
    Channel, DAY, Failure, HOUR, Labels, MINUTE, Measurement, Medium, Name, Number, Release,
    Request, SECOND, Secret, Severity, Span, Target, Timestamp, Why,
};
use crate::record::{
    Block, Fact, Matched, Outcome, Plan, PresetChoice, Record, Row, Summary, Tally,
};
use crate::report::build;

/// 09:00 UTC on a Tuesday.
pub fn start() -> Timestamp {
    Timestamp::from_millis(1_795_510_800_000)
}

/// The three of them, with names.
pub fn all() -> [(&'static str, Summary); 3] {
    [("healthy-week", healthy_week()), ("failed-day", failed_day()), ("no-metrics", no_metrics())]
}

fn rule(name: &str, signal: &str, bound: Bound, severity: Severity, summary: &str) -> Rule {
    Rule {
        name: name.into(),
        signal: signal.into(),
        quantile: (signal == "latency").then_some(0.99),
        bound,
        hold: 2 * MINUTE,
        recover: 5 * MINUTE,
        breaches_min: 3,
        calms_min: 3,
        evidence_min: 20.0,
        severity,
        summary: summary.to_owned(),
        runbook: None,
        by_window: Vec::new(),
        labels: Default::default(),
        imported: None,
        of_baseline: None,
    }
}

fn signal(name: &str, unit: Unit, shape: Shape) -> Signal {
    Signal { name: name.into(), unit, shape, range: 5 * MINUTE, source: None }
}

fn signals() -> Vec<Signal> {
    let gauge = |query: &str| Shape::Gauge { query: query.to_owned() };
    let ratio = Shape::Ratio {
        num: "sum(increase(http_requests_total{status=\"5xx\"}[$range]))".to_owned(),
        den: "sum(increase(http_requests_total[$range]))".to_owned(),
    };
    let query = "sum by (le) (increase(http_request_duration_seconds_bucket[$range]))".to_owned();
    vec![
        signal("error_ratio", Unit::Ratio, ratio),
        signal("latency", Unit::Seconds, Shape::Buckets { query, scale: 1.0 }),
        signal("request_rate", Unit::PerSecond, gauge("sum(rate(http_requests_total[$range]))")),
        signal("memory_bytes", Unit::Bytes, gauge("max(process_resident_memory_bytes)")),
    ]
}

/// What the presets find in the service's metrics.
pub fn matched() -> Matched {
    Matched {
        presets: vec!["fastapi-instrumentator".into(), "python-process".into()],
        signals: signals(),
        because: vec![
            ("error_ratio".into(), "requests = http_requests_total".to_owned()),
            ("latency".into(), "latency = http_request_duration_seconds".to_owned()),
            ("memory_bytes".into(), "memory = process_resident_memory_bytes".to_owned()),
        ],
        unmatched: vec!["token_rate".into(), "cost_rate".into()],
        notes: vec!["the latency histogram ends at 10 s".to_owned()],
    }
}

/// Three replicas, four smoke tests, six rules, two channels.
pub fn plan(windows: Vec<Window>) -> Plan {
    use Severity::{Critical, Warning};
    let targets = ["10.0.0.11:8000", "10.0.0.12:8000", "10.0.0.13:8000"];
    let target = |name: &&str| Target {
        name: (*name).into(),
        health: Some(format!("http://{name}/health")),
        metrics: Some(format!("http://{name}/metrics")),
        labels: Labels::default(),
        own: None,
    };
    let step = |name: &str, must: bool| {
        let request = Request {
            method: Default::default(),
            url: "https://agent.example.com/health".to_owned(),
            headers: Vec::new(),
            body: None,
            timeout: 10 * SECOND,
            transport: None,
            follow: 0,
        };
        let expect = vec![Assertion::parse("status == 200").expect("an assertion")];
        let retry = Retry { deadline: 60 * SECOND, interval: 2 * SECOND };
        Step { must, ..Step::new(name.into(), request, expect, retry) }
    };
    let channel = |name: &str| Channel {
        name: name.into(),
        medium: Medium::Webhook {
            url: Secret::Env("CHAT_URL".to_owned()),
            secret: None,
            template: None,
        },
        severities: Severity::ALL.to_vec(),
        routing: Default::default(),
    };
    Plan {
        checks: Vec::new(),
        sources: Vec::new(),
        data_sources: Vec::new(),
        measured_by: None,
        transport: None,
        service: "chat-agent".into(),
        url: "https://agent.example.com".to_owned(),
        targets: targets.iter().map(target).collect(),
        expect: 3,
        health: Default::default(),
        smoke: vec![
            step("is healthy", true),
            step("is ready", true),
            step("answers a question", true),
            step("answers within 2 s", false),
        ],
        run_header: None,
        settle: 2 * MINUTE,
        timeout: 5 * SECOND,
        body_bytes_max: 16 << 20,
        headers: Vec::new(),
        presets: PresetChoice::Auto,
        own_presets: Vec::new(),
        guesses: Vec::new(),
        range: None,
        signals: Vec::new(),
        recordings: Vec::new(),
        rules: vec![
            rule(
                "ServiceDown",
                "healthy_replicas",
                Bound::Below(1.0),
                Critical,
                "no replica is healthy",
            ),
            rule(
                "ReplicasMissing",
                "healthy_replicas",
                Bound::Below(3.0),
                Warning,
                "fewer healthy replicas than expected",
            ),
            rule(
                "HighErrorRate",
                "error_ratio",
                Bound::Above(0.05),
                Critical,
                "more than 5% of requests fail",
            ),
            rule(
                "ElevatedErrors",
                "error_ratio",
                Bound::Above(0.01),
                Warning,
                "more than 1% of requests fail",
            ),
            rule("HighLatency", "latency", Bound::Above(10.0), Critical, "p99 is above 10 s"),
            rule("IncreasedLatency", "latency", Bound::Above(5.0), Warning, "p99 is above 5 s"),
        ],
        require: Vec::new(),
        windows,
        channels: vec![channel("chat"), channel("on-call")],
        maintenance: Vec::new(),
        inhibits: Vec::new(),
        digests: Vec::new(),
    }
}

/// A window of this name and length.
pub fn window(name: &str, length: Span) -> Window {
    Window { name: name.into(), length, every: 30 * SECOND, traffic: true }
}

/// A record that is being written.
struct Script {
    facts: Vec<(Timestamp, Fact)>,
    window: Window,
}

/// What a block of the fixture shows.
struct Minute {
    load: f64,
    errors: f64,
    slow: f64,
    up: u32,
    memory: f64,
    has_metrics: bool,
}

impl Script {
    fn new(version: &str, window: Window) -> Script {
        let release =
            Release { service: "chat-agent".into(), version: version.into(), at: start() };
        let plan = Box::new(plan(vec![window.clone()]));
        let opened = Fact::Opened { release, plan, by: "0.1.0".to_owned() };
        let mut script = Script { facts: Vec::new(), window };
        script.at(Span::ZERO, opened);
        script.at(Span::ZERO, Fact::Settled { answered: true });
        for target in ["10.0.0.11:8000", "10.0.0.12:8000", "10.0.0.13:8000"] {
            script.health(Span::ZERO, target, HealthState::Healthy, "200");
        }
        script.at(5 * SECOND, Fact::Matched(matched()));
        script
    }

    fn at(&mut self, after: Span, fact: Fact) {
        self.facts.push((start() + after, fact));
    }

    fn health(&mut self, after: Span, target: &str, state: HealthState, reason: &str) {
        let (target, reason) = (target.into(), reason.to_owned());
        self.at(after, Fact::Health { target, state, reason });
    }

    fn smoke(&mut self, step: &str, must: bool, attempts: u32, millis: i64, miss: Option<Miss>) {
        let state = if miss.is_none() { StepState::Passed } else { StepState::Failed };
        self.at(
            8 * SECOND,
            Fact::Smoked(StepResult {
                step: step.into(),
                must,
                state,
                attempts,
                elapsed: Span::from_millis(millis),
                misses: miss.into_iter().collect(),
                earlier: Vec::new(),
                why: String::new(),
                cleanup: false,
            }),
        );
    }

    fn smoke_passes(&mut self) {
        self.smoke("is healthy", true, 1, 24, None);
        self.smoke("is ready", true, 1, 31, None);
        self.smoke("answers a question", true, 1, 1_840, None);
        self.smoke("answers within 2 s", false, 1, 1_610, None);
    }

    fn alert(&mut self, rule: &str, since: Span, fired: Span, peak: f64, ended: Option<Span>) {
        let (since, calm) = (start() + since, start() + fired);
        let mut turn = |after: Span, phase: Phase, value: f64| {
            let (rule, labels, value) = (rule.into(), Labels::default(), Number(value));
            self.at(after, Fact::Alert { rule, labels, phase, value });
        };
        turn(since.since(start()), Phase::Pending { since }, peak / 2.0);
        turn(fired, Phase::Firing { since }, peak);
        if let Some(ended) = ended {
            let well = if peak < 3.0 && rule.starts_with("Rep") { 3.0 } else { 0.0 };
            turn(ended, Phase::Recovering { since, calm }, well);
            turn(ended, Phase::Inactive, well);
        }
    }

    fn told(&mut self, after: Span, channel: &str, up_to: u64, outcome: Outcome) {
        let (channel, key): (Name, String) = (channel.into(), format!("k{up_to}"));
        let hash = String::new();
        let sent = Fact::Sent {
            channel: channel.clone(),
            key: key.clone(),
            after: 0,
            up_to,
            hash,
            waited: None,
        };
        self.at(after, sent);
        self.at(after + SECOND, Fact::Receipt { channel, key, outcome });
    }

    fn blocks(&mut self, from: Span, to: Span, length: Span, show: impl Fn(f64) -> Minute) {
        let mut at = from;
        while at < to {
            let end = (at + length).min(to);
            let seen = show(at.seconds_f64() / 3600.0);
            self.at(end, Fact::Measured(block(at, end, &seen).into()));
            at = end;
        }
    }

    fn close(mut self) -> Summary {
        self.facts.sort_by_key(|(at, _)| *at); // stable
        let record = Record::replay(self.facts).expect("a record");
        let to = start() + self.window.length;
        build(&record, &self.window, to, to + 2 * SECOND)
    }
}

fn block(from: Span, to: Span, seen: &Minute) -> Block {
    let slots = u32::try_from((to - from).millis() / 30_000).expect("a short block").max(1);
    let requests = (seen.load * (to - from).seconds_f64()).round();
    let gauge = |mean: f64, spread: f64| Measurement::Gauge {
        min: Number(mean * (1.0 - spread)),
        mean: Number(mean),
        max: Number(mean * (1.0 + spread)),
        n: slots,
    };
    let bounds: Arc<[Number]> =
        [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, f64::INFINITY].map(Number).into();
    let shares = [0.18, 0.42, 0.71, 0.9, 0.975, 0.995, 1.0, 1.0];
    let counts = shares.map(|share: f64| {
        let slow = libm::pow(share, seen.slow);
        Number((requests * slow).round())
    });
    let mut counts = counts.to_vec();
    counts[7] = Number(requests);
    let measured = [
        (
            "error_ratio",
            Measurement::Ratio {
                num: Number((requests * seen.errors).round()),
                den: Number(requests),
            },
        ),
        ("latency", Measurement::Buckets { bounds, counts }),
        ("request_rate", gauge(seen.load, 0.2)),
        ("memory_bytes", gauge(seen.memory, 0.01)),
    ];
    let row = |(name, measured): (&str, Measurement)| Row {
        signal: name.into(),
        seen: if seen.has_metrics { slots } else { 0 },
        measured: seen.has_metrics.then_some(measured),
    };
    let mut rows: Vec<Row> = measured.into_iter().map(row).collect();
    let up = f64::from(seen.up);
    rows.push(Row {
        signal: "healthy_replicas".into(),
        seen: slots,
        measured: Some(Measurement::Gauge {
            min: Number(up),
            mean: Number(up),
            max: Number(up),
            n: slots,
        }),
    });
    let tally = |index: u32| Tally {
        ok: if index < seen.up { slots } else { 0 },
        failed: if index < seen.up { 0 } else { slots },
        scraped: if seen.has_metrics { slots } else { 0 },
        unscraped: if seen.has_metrics { 0 } else { slots },
        ..Tally::default()
    };
    let names = ["10.0.0.11:8000", "10.0.0.12:8000", "10.0.0.13:8000"];
    let tallies = names.iter().zip([0, 1, 2]).map(|(name, index)| ((*name).into(), tally(index)));
    Block {
        data_sources: Vec::new(),
        checks: Vec::new(),
        from: start() + from,
        to: start() + to,
        slots,
        seen: slots,
        tallies: tallies.collect(),
        rows,
    }
}

/// Busy by day, quiet by night, never twice the same.
fn quiet(hour: f64) -> Minute {
    let day = libm::sin((hour - 3.0) / 24.0 * std::f64::consts::TAU);
    let noise = libm::sin(hour * 37.1) * libm::cos(hour * 11.3);
    Minute {
        load: 14.0 + 9.0 * day + 2.0 * noise,
        errors: 0.0012 + 0.0010 * noise.abs(),
        slow: 1.0 + 0.25 * day + 0.15 * noise,
        up: 3,
        memory: 6.1e8 + 4.0e7 * day + 1.2e6 * hour,
        has_metrics: true,
    }
}

/// Nothing but one replica that was exchanged, seen and told.
fn healthy_week() -> Summary {
    let mut script = Script::new("v1.2.3", window("first-week", 7 * DAY));
    script.smoke_passes();
    script.blocks(Span::ZERO, 7 * DAY, 10 * MINUTE, quiet);
    let detail = "200 OK".to_owned();
    script.told(DAY, "chat", 1, Outcome::Accepted { detail: detail.clone() });
    script.told(DAY, "on-call", 1, Outcome::Accepted { detail });
    script.close()
}

/// Errors from half past four in the afternoon, one replica lost, and a gap
/// in the night in which the machine was rebooted.
fn failed_day() -> Summary {
    let mut script = Script::new("v1.3.0", window("first-day", DAY));
    script.smoke("is healthy", true, 1, 22, None);
    script.smoke("is ready", true, 3, 35, None);
    script.smoke("answers a question", true, 1, 1_790, None);
    let miss = Miss {
        assertion: "latency < 2s".to_owned(),
        actual: "3.4s".to_owned(),
        expected: "< 2s".to_owned(),
    };
    script.smoke("answers within 2 s", false, 3, 3_400, Some(miss));
    let burst = |hour: f64| {
        let mut minute = quiet(hour);
        let height = libm::exp(-libm::pow((hour - 8.0) / 0.45, 2.0));
        minute.errors += 0.14 * height;
        minute.slow += 26.0 * height;
        minute.up = if (7.8..8.6).contains(&hour) { 2 } else { 3 };
        minute.memory *= 1.0 + 0.2 * height;
        minute
    };
    let (dark, light) = (17 * HOUR + 12 * MINUTE, 18 * HOUR + 40 * MINUTE);
    script.blocks(Span::ZERO, dark, 2 * MINUTE, burst);
    script.blocks(light, DAY, 2 * MINUTE, burst);
    let why = "bakewatch was not running".to_owned();
    script.at(light, Fact::Resumed { quiet_since: start() + dark, why });
    let at = |minutes: i64| 7 * HOUR + minutes * MINUTE;
    script.alert("ElevatedErrors", at(21), at(23), 0.1412, Some(at(104)));
    script.alert("HighErrorRate", at(34), at(36), 0.1412, Some(at(91)));
    script.alert("IncreasedLatency", at(29), at(32), 10.0, Some(at(97)));
    script.alert("HighLatency", at(44), at(47), 10.0, Some(at(73)));
    script.alert("ReplicasMissing", at(48), at(50), 2.0, Some(at(102)));
    script.health(at(49), "10.0.0.13:8000", HealthState::Unhealthy, "503, \"unhealthy\": redis");
    script.health(at(97), "10.0.0.13:8000", HealthState::Healthy, "200");
    script.told(at(52), "chat", 9999, Outcome::Accepted { detail: "200 OK".to_owned() });
    let refused = Outcome::Refused {
        detail: "421 4.3.2 service shutting down".to_owned(),
        retry_after: None,
        permanent: false,
    };
    script.told(at(53), "on-call", 9999, refused);
    script.at(
        at(20),
        Fact::Limit {
            target: Some("10.0.0.13:8000".into()),
            what: "bad-lines".into(),
            detail: "3 lines could not be read, the first was line 412".to_owned(),
        },
    );
    script.close()
}

/// The first scrape was read; then `/metrics` was gone.
fn no_metrics() -> Summary {
    let mut script = Script::new("v1.4.0-rc.1", window("30m", 30 * MINUTE));
    script.smoke_passes();
    script.blocks(Span::ZERO, 30 * MINUTE, 30 * SECOND, |hour| Minute {
        has_metrics: false,
        ..quiet(hour)
    });
    for target in ["10.0.0.11:8000", "10.0.0.12:8000", "10.0.0.13:8000"] {
        let failure = Some(Failure::Status(404));
        script.at(30 * SECOND, Fact::Scraping { target: target.into(), failure });
    }
    for rule in ["HighErrorRate", "ElevatedErrors", "HighLatency", "IncreasedLatency"] {
        let missing = Some(Why::Stale);
        script.at(5 * MINUTE, Fact::Evidence { rule: rule.into(), missing });
    }
    script.close()
}
