//! A watch to write letters about: facts in, record out.

use crate::check::{Assertion, Miss, Retry, Step, StepResult, StepState};
use crate::judge::{Bound, Phase, Rule, Window};
use crate::metrics::{Shape, Signal, Unit};
use crate::model::{
    Channel, DAY, Digest, HOUR, Labels, MINUTE, Medium, Number, Release, Routing, SECOND, Schedule,
    Secret, Severity, Smtp, SmtpTls, Span, Target, Timestamp, Verdict, Why,
};
use crate::record::{
    Availability, Coverage, Ending, Fact, Limit, Outcome, Overview, Plan, PresetChoice, Reason,
    Record, Replicas, SignalNow, SignalSummary, Summary,
};

use super::owed::{Owed, owed, waited};
use super::{Letter, hash};

/// A record in the making; each step takes some time.
pub struct Story {
    pub record: Record,
    now: Timestamp,
}

const OUT: Timestamp = Timestamp::from_millis(1_795_914_000_000);

impl Story {
    /// A watch of `chat-agent v1.2.3` with a mail and a webhook channel that
    /// take everything, and `page`, which takes criticals alone.
    pub fn new() -> Story {
        Story::of(plan())
    }

    /// The same where `chat` is told in another way.
    pub fn by(medium: Medium) -> Story {
        let mut plan = plan();
        for channel in plan.channels.iter_mut().filter(|channel| channel.name == *"chat") {
            channel.medium = medium.clone();
        }
        Story::of(plan)
    }

    fn of(plan: Plan) -> Story {
        let release = Release { service: "chat-agent".into(), version: "v1.2.3".into(), at: OUT };
        let opened = Fact::Opened { release, plan: Box::new(plan), by: "0.1.0".to_owned() };
        Story { record: Record::open(OUT, &opened).unwrap(), now: OUT + HOUR }
    }

    pub fn channel(&self, name: &str) -> Channel {
        self.record.plan.channels.iter().find(|known| known.name == name).unwrap().clone()
    }

    /// Changes when a channel is told.
    pub fn route(&mut self, name: &str, how: impl FnOnce(&mut Routing)) -> &mut Story {
        let channels = &mut self.record.plan.channels;
        how(&mut channels.iter_mut().find(|known| known.name == name).unwrap().routing);
        self
    }

    /// Time goes by.
    pub fn pass(&mut self, long: Span) -> &mut Story {
        self.now += long;
        self
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Fires at once.
    pub fn burst(&mut self, rule: &str, labels: &[(&str, &str)]) -> &mut Story {
        let since = self.now;
        self.alert(Span::ZERO, rule, labels, Phase::Firing { since }, 99.0)
    }

    /// Is over at once.
    pub fn end(&mut self, rule: &str, labels: &[(&str, &str)]) -> &mut Story {
        self.alert(Span::ZERO, rule, labels, Phase::Inactive, 0.0)
    }

    /// Somebody acknowledges it.
    pub fn acknowledge(&mut self, rule: &str) -> &mut Story {
        let (rule, labels) = (rule.into(), Labels::default());
        let (by, comment) = ("ada".to_owned(), "rolling back".to_owned());
        self.fact(Span::ZERO, Fact::Acknowledged { rule, labels, by, comment })
    }

    pub fn owed(&self, name: &str) -> Owed {
        owed(&self.record, &self.channel(name))
    }

    pub fn letter(&self, name: &str) -> Letter {
        match self.owed(name) {
            Owed::Letter(letter) => *letter,
            other => panic!("{name} is owed {other:?}"),
        }
    }

    pub fn fact(&mut self, after: Span, fact: Fact) -> &mut Story {
        self.now += after;
        self.record.apply(self.now, fact);
        self
    }

    /// Broken for two minutes, then firing.
    pub fn fire(&mut self, rule: &str, labels: &[(&str, &str)], value: f64) -> &mut Story {
        let since = self.now + SECOND;
        self.alert(SECOND, rule, labels, Phase::Pending { since }, value);
        self.alert(2 * MINUTE, rule, labels, Phase::Firing { since }, value)
    }

    /// Calm after ten minutes, and for five.
    pub fn calm(&mut self, rule: &str, labels: &[(&str, &str)], value: f64) -> &mut Story {
        let calm = self.now + 10 * MINUTE;
        let phase = Phase::Recovering { since: OUT, calm };
        self.alert(10 * MINUTE, rule, labels, phase, value);
        self.alert(5 * MINUTE, rule, labels, Phase::Inactive, value)
    }

    fn alert(
        &mut self,
        after: Span,
        rule: &str,
        labels: &[(&str, &str)],
        phase: Phase,
        value: f64,
    ) -> &mut Story {
        let labels = Labels::from_pairs(labels.iter().copied());
        self.fact(after, Fact::Alert { rule: rule.into(), labels, phase, value: Number(value) })
    }

    /// Both steps of the suite fail.
    pub fn fail_smoke(&mut self) -> &mut Story {
        let miss = |assertion: &str, actual: &str, expected: &str| Miss {
            assertion: assertion.to_owned(),
            actual: actual.to_owned(),
            expected: expected.to_owned(),
        };
        let failed = |step: &str, must, misses| {
            let elapsed = Span::from_millis(1_234);
            let state = StepState::Failed;
            Fact::Smoked(StepResult {
                step: step.into(),
                must,
                state,
                attempts: 3,
                elapsed,
                misses,
                earlier: Vec::new(),
                why: String::new(),
                cleanup: false,
            })
        };
        let status = miss("status == 200", "503", "200");
        let success = miss("json $.success == true", "nothing at $.success", "true");
        self.fact(SECOND, failed("lists its tools", false, vec![status.clone()]));
        self.fact(SECOND, failed("answers a question", true, vec![status, success]))
    }

    pub fn close_window(&mut self) -> &mut Story {
        let summary = Box::new(summary(self.record.release.clone()));
        self.fact(MINUTE, Fact::WindowClosed { window: "first-day".into(), summary })
    }

    /// A digest is due that says this.
    pub fn digest(&mut self, overview: Overview) -> &mut Story {
        self.fact(MINUTE, Fact::Digest(Box::new(overview)))
    }

    pub fn lose_disk(&mut self) -> &mut Story {
        self.fact(MINUTE, Fact::StoreFailed { error: "no space left on device".to_owned() })
    }

    pub fn supersede(&mut self) -> &mut Story {
        self.fact(HOUR, Fact::Ended { reason: Ending::Superseded { by: "v1.2.4".into() } })
    }

    /// Freezes what the channel is owed, as the conductor does.
    pub fn send(&mut self, name: &str) -> Letter {
        let letter = self.letter(name);
        let sent = Fact::Sent {
            channel: letter.channel.clone(),
            key: letter.key.clone(),
            after: letter.after,
            up_to: letter.up_to,
            hash: hash(&letter),
            waited: waited(&self.record, &self.channel(name)),
        };
        self.fact(Span::ZERO, sent);
        letter
    }

    pub fn receipt(&mut self, letter: &Letter, outcome: Outcome) -> &mut Story {
        let (channel, key) = (letter.channel.clone(), letter.key.clone());
        self.fact(SECOND, Fact::Receipt { channel, key, outcome })
    }

    /// Sends what is owed, and it is taken.
    pub fn deliver(&mut self, name: &str) -> Letter {
        let letter = self.send(name);
        self.receipt(&letter, Outcome::Accepted { detail: "200".to_owned() });
        letter
    }
}

fn plan() -> Plan {
    let channel = |name: &str, medium, severities: &[Severity]| Channel {
        name: name.into(),
        medium,
        severities: severities.to_vec(),
        routing: Default::default(),
    };
    let webhook =
        || Medium::Webhook { url: Secret::Env("URL".to_owned()), secret: None, template: None };
    let smtp = Smtp {
        host: "mail.example.com".to_owned(),
        port: 465,
        tls: SmtpTls::Implicit,
        user: None,
        password: None,
        ca_file: None,
    };
    let mail = Medium::Email {
        to: vec!["oncall@example.com".to_owned()],
        from: "bakewatch@example.com".to_owned(),
        smtp,
    };
    let labels = Labels::default();
    let target = Target { name: "a:8000".into(), health: None, metrics: None, labels, own: None };
    Plan {
        maintenance: Vec::new(),
        inhibits: Vec::new(),
        checks: Vec::new(),
        sources: Vec::new(),
        data_sources: Vec::new(),
        measured_by: None,
        transport: None,
        service: "chat-agent".into(),
        url: "https://agent.example.com".to_owned(),
        targets: vec![target],
        expect: 1,
        health: Default::default(),
        smoke: vec![step("lists its tools", false), step("answers a question", true)],
        run_header: None,
        settle: MINUTE,
        timeout: 10 * SECOND,
        body_bytes_max: 1 << 20,
        headers: vec![],
        presets: PresetChoice::Auto,
        own_presets: Vec::new(),
        guesses: Vec::new(),
        range: None,
        recordings: Vec::new(),
        signals: vec![signal("error_ratio", Unit::Ratio), signal("latency", Unit::Seconds)],
        rules: rules(),
        require: Vec::new(),
        windows: vec![Window {
            name: "first-day".into(),
            length: DAY,
            every: 15 * SECOND,
            traffic: true,
        }],
        channels: vec![
            channel("on-call", mail, &Severity::ALL),
            channel("chat", webhook(), &Severity::ALL),
            channel("page", webhook(), &[Severity::Critical]),
        ],
        digests: vec![Digest {
            name: "morning".into(),
            schedule: Schedule::new("0 9 * * 1-5", "Europe/Berlin").unwrap(),
            channels: vec!["on-call".into(), "chat".into()],
        }],
    }
}

fn step(name: &str, must: bool) -> Step {
    let request = serde_json::from_str(r#"{"url": "https://agent.example.com", "timeout": 10000}"#);
    let expect = vec![Assertion::parse("status == 200").unwrap()];
    let retry = Retry { deadline: 30 * SECOND, interval: 5 * SECOND };
    Step { must, ..Step::new(name.into(), request.unwrap(), expect, retry) }
}

fn signal(name: &str, unit: Unit) -> Signal {
    Signal {
        name: name.into(),
        unit,
        shape: Shape::Gauge { query: "x".to_owned() },
        range: MINUTE,
        source: None,
    }
}

fn rules() -> Vec<Rule> {
    let rule = |name: &str, signal: &str, quantile, bound, severity, summary: &str| Rule {
        name: name.into(),
        signal: signal.into(),
        quantile,
        bound,
        hold: 2 * MINUTE,
        recover: 5 * MINUTE,
        breaches_min: 2,
        calms_min: 2,
        evidence_min: 20.0,
        severity,
        summary: summary.to_owned(),
        runbook: Some("https://runbooks.example.com/chat-agent".to_owned()),
        by_window: Vec::new(),
        labels: Default::default(),
        imported: None,
        of_baseline: None,
    };
    let (critical, warning) = (Severity::Critical, Severity::Warning);
    let above = Bound::Above;
    vec![
        rule("HighErrorRate", "error_ratio", None, above(0.05), critical, "Too many requests fail"),
        rule("SlowAnswers", "latency", Some(0.99), above(10.0), warning, "Answers take too long"),
        Rule {
            runbook: None,
            ..rule("TargetDown", "up", None, Bound::Below(1.0), warning, "A replica is silent")
        },
    ]
}

/// A day in which nothing happened.
pub fn overview() -> Overview {
    let limit = |severity, value| Limit { severity, value: Number(value), above: true };
    let signal = |name: &str, unit, now: Option<f64>, limits: Vec<Limit>| SignalNow {
        name: name.into(),
        unit,
        now: now.map(Number),
        missing: now.is_none().then_some(Why::NoTraffic),
        overall: Some(Number(0.0021)),
        limits,
    };
    let (critical, warning) = (Severity::Critical, Severity::Warning);
    let limits = vec![limit(critical, 0.05), limit(warning, 0.01)];
    Overview {
        digest: "morning".into(),
        schedule: "0 9 * * 1-5, Europe/Berlin".to_owned(),
        due: OUT + DAY,
        missed: 0,
        from: OUT,
        to: OUT + DAY + SECOND,
        late_by: SECOND,
        window: "first-week".into(),
        window_to: OUT + 7 * DAY,
        healthy: 2,
        targets: 2,
        availability: Availability { ratio: Some(Number(1.0)), ok: 5760, ..Default::default() },
        firing: 0,
        fired: 0,
        ended: 0,
        alerts: Vec::new(),
        signals: vec![
            signal("error_ratio", Unit::Ratio, Some(0.0012), limits),
            signal("latency_p99", Unit::Seconds, None, Vec::new()),
        ],
        coverage: Coverage { health_ratio: Number(1.0), blind: Vec::new() },
        troubles: Vec::new(),
    }
}

pub fn summary(release: Release) -> Summary {
    let signal = SignalSummary {
        name: "error_ratio".into(),
        unit: Unit::Ratio,
        required: true,
        query: "sum(increase(http_requests_total[$range]))".to_owned(),
        evidence_ratio: Number(1.0),
        missing: None,
        overall: Some(Number(0.0012)),
        min: Some(Number(0.0)),
        max: Some(Number(0.071)),
        events: Some(Number(20_118.0)),
        top: None,
        bounds: Vec::new(),
        points: vec![(release.at, Some(Number(0.001))), (release.at + MINUTE, None)],
    };
    Summary {
        checks: Vec::new(),
        url: "https://agent.example.com".to_owned(),
        window: "first-day".into(),
        from: release.at,
        to: release.at + DAY,
        superseded: None,
        late_by: Span::ZERO,
        verdict: Verdict::Degraded,
        reasons: vec![Reason {
            text: "HighErrorRate fired for 12m 30s".to_owned(),
            evidence: "1 204 of 20 118 requests failed".to_owned(),
        }],
        smoke: Vec::new(),
        availability: Availability { ratio: Some(Number(1.0)), ok: 5760, ..Default::default() },
        signals: vec![signal],
        alerts: Vec::new(),
        replicas: Replicas { expected: 1, targets: 1, ..Replicas::default() },
        targets: Vec::new(),
        coverage: Coverage { health_ratio: Number(1.0), blind: Vec::new() },
        baseline: Vec::new(),
        limits: Vec::new(),
        changes: Vec::new(),
        matched: Vec::new(),
        deliveries: Vec::new(),
        rehearsal: None,
        letters: Vec::new(),
        release,
    }
}
