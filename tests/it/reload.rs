//! Another plan for an open watch: what differs, what stays, what is refused.

use bakewatch::config::{self, Given, Source};
use bakewatch::model::{HOUR, HeaderValue, MINUTE, Name, Release, Target, Timestamp};
use bakewatch::record::{Adopted, Fact, Outcome, Plan, Record, Reread, changes};

const RELEASED: Timestamp = Timestamp::from_millis(1_767_225_600_000);

const FILE: &str = r#"
service = "chat"
url = "http://a:8000"
[targets]
static = ["http://a:8000", "http://b:8000"]
expect = 2
[windows]
first-hour = { length = "1h", every = "15s" }
[[check]]
name = "database"
tcp = "db:5432"
[[signal]]
name = "backlog"
query = "sum(queue_depth)"
[[rule]]
name = "Backlog"
signal = "backlog"
above = 1000
summary = "it grows"
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"
"#;

fn plan(text: &str) -> Plan {
    let source = Source { file: "bakewatch.toml".to_owned(), text: text.to_owned() };
    match config::read(Some(&source), &Given::default()) {
        Ok(checked) => checked.plan,
        Err(all) => panic!("{all:?}"),
    }
}

/// A watch over the file as it was, as it is read again from the disk.
fn record() -> Record {
    let release = Release { service: "chat".into(), version: "v1".into(), at: RELEASED };
    let opened = Fact::Opened { release, plan: Box::new(plan(FILE)), by: "test".to_owned() };
    Record::open(RELEASED, &opened.encode().decode().unwrap()).unwrap()
}

/// What the file says after these edits.
fn edited(edits: &[(&str, &str)]) -> Plan {
    let mut text = FILE.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    plan(&text)
}

fn adopt(record: &Record, plan: Plan, now: Timestamp) -> Result<Option<Adopted>, Vec<String>> {
    record.adopt(Reread { plan, renewed: Vec::new() }, now)
}

fn check(edits: &[(&str, &str)], lines: &[&str]) {
    let found = changes(&plan(FILE), &edited(edits));
    assert_eq!(found.is_empty(), lines.is_empty(), "{edits:?}: {found:?}");
    for line in lines {
        // Defaults may follow what was edited: they are told too.
        assert!(found.iter().any(|found| found == line), "{edits:?}: {found:?}");
    }
}

#[test]
fn says_each_difference_in_words() {
    check(&[], &[]);
    check(&[("above = 1000", "above = 500")], &["rule Backlog: bound: above 1000 → above 500"]);
    check(&[("above = 1000", "below = 1000")], &["rule Backlog: bound: above 1000 → below 1000"]);
    check(
        &[(
            "above = 1000",
            "above = 1000\nfor = \"3m\"\nseverity = \"critical\"\nrecover = \"5m\"",
        )],
        &["rule Backlog: for: 10m → 3m, severity: warning → critical"],
    );
    check(
        &[("above = 1000", "above = 1000\nbreaches = 7\ncalms = 8")],
        &["rule Backlog: breaches: 3 → 7, calms: 2 → 8"],
    );
    check(
        &[(
            "above = 1000",
            "above = 1000\nrunbook = \"https://x.example.com\"\nlabels = { team = \"agents\" }",
        )],
        &["rule Backlog: other words"],
    );
    check(
        &[("name = \"Backlog\"", "name = \"Queue\"")],
        &["rule Queue: added", "rule Backlog: removed"],
    );
    check(
        &[("\"http://b:8000\"]", "\"http://c:8000\"]")],
        &["target c:8000: added", "target b:8000: removed"],
    );
    check(
        &[("expect = 2", "expect = 2\nmetrics = \"/stats\"")],
        &[
            "target a:8000: asked elsewhere",
            "target b:8000: asked elsewhere",
            "guessed paths: another",
        ],
    );
    check(
        &[("\"1h\", every = \"15s\"", "\"2h\", every = \"20s\"")],
        &["window first-hour: length: 1h → 2h, every: 15s → 20s"],
    );
    check(
        &[("\"http://b:8000\"]", "{ url = \"http://b:8000\", headers = { x-team = \"b\" } }]")],
        &["target b:8000: reached in another way"],
    );
    check(
        &[("every = \"15s\"", "every = \"15s\", traffic = false")],
        &["window first-hour: traffic: true → false"],
    );
    check(&[("db:5432", "db:5433")], &["check database: another"]);
    check(&[("sum(queue_depth)", "max(queue_depth)")], &["signal backlog: another"]);
    check(
        &[("1/hook\"", "1/hook\"\nseverities = [\"critical\"]")],
        &["channel hook: severities: info warning critical → critical"],
    );
    check(
        &[("service = \"chat\"", "service = \"chat\"\ntimeout = \"4s\"")],
        &["timeout: 10s → 4s"],
    );
}

#[test]
fn says_of_a_secret_no_more_than_that_it_is_another_and_tries_its_channel_at_once() {
    let mut record = record();
    let channel = Name::from("hook");
    let letter = |record: &mut Record, key: &str| {
        let (key, hash) = (key.to_owned(), String::new());
        let sent =
            Fact::Sent { channel: channel.clone(), key, after: 0, up_to: 1, hash, waited: None };
        record.apply(RELEASED + MINUTE, sent);
    };
    letter(&mut record, "a");
    let detail = "404".to_owned();
    let outcome = Outcome::Refused { detail, retry_after: None, permanent: true };
    let key = "a".to_owned();
    record.apply(RELEASED + MINUTE, Fact::Receipt { channel: channel.clone(), key, outcome });
    assert!(record.channels[&channel].broken);
    let renewed = vec!["channel.hook.url".to_owned()];
    let read = Reread { plan: plan(FILE), renewed };
    let Adopted { plan, changes, renewed } =
        record.adopt(read, RELEASED + HOUR / 2).unwrap().unwrap();
    assert_eq!(changes, ["channel.hook.url: another value"]);
    let plan = Box::new(plan);
    record.apply(RELEASED + HOUR / 2, Fact::PlanChanged { plan, changes, renewed });
    assert!(!record.channels[&channel].broken);
}

#[test]
fn takes_the_same_file_for_no_difference_whatever_was_found_and_left_out_since() {
    let mut record = record();
    let found = bakewatch::record::Found {
        health: Some("/healthz".to_owned()),
        ready: None,
        metrics: Some("/metrics".to_owned()),
    };
    record.apply(RELEASED + MINUTE, Fact::Found(found));
    let reason = "404".to_owned();
    record.apply(RELEASED + MINUTE, Fact::Dropped { step: "answers a question".into(), reason });
    assert_ne!(record.plan, plan(FILE));
    assert_eq!(adopt(&record, plan(FILE), RELEASED + 2 * MINUTE), Ok(None));
    // And what is said now is no guess any more.
    let said = edited(&[("expect = 2", "expect = 2\nhealth = \"/health\"")]);
    let adopted = adopt(&record, said, RELEASED + 2 * MINUTE).unwrap().unwrap();
    let health = adopted.plan.targets[0].health.as_deref();
    assert_eq!(health, Some("http://a:8000/health"));
}

#[test]
fn refuses_another_service_and_a_window_that_would_be_over() {
    let record = record();
    let now = RELEASED + 30 * MINUTE;
    let errors = adopt(&record, edited(&[("\"chat\"", "\"talk\"")]), now).unwrap_err();
    assert!(errors[0].contains("over chat, not talk"), "{errors:?}");
    let short = || edited(&[("\"1h\", every", "\"20m\", every")]);
    let errors = adopt(&record, short(), now).unwrap_err();
    assert!(errors[0].starts_with("windows.first-hour.length: 20m "), "{errors:?}");
    assert!(errors[0].contains("write more than 30m 1s"), "{errors:?}");
    assert!(adopt(&record, short(), RELEASED + 19 * MINUTE).is_ok());
}

#[test]
fn keeps_the_suite_of_the_opening_and_says_so_once() {
    let mut record = record();
    let more =
        "\n[[smoke]]\nname = \"more\"\nrequest = { path = \"/\" }\nexpect = [\"status == 200\"]\n";
    let other = plan(&format!("{FILE}{more}"));
    let now = RELEASED + HOUR / 2;
    let adopted = adopt(&record, other.clone(), now).unwrap().unwrap();
    assert_eq!(adopted.plan.smoke, record.plan.smoke);
    assert!(adopted.changes[0].starts_with("smoke: "), "{:?}", adopted.changes);
    let (plan, changes) = (Box::new(adopted.plan), adopted.changes);
    record.apply(now, Fact::PlanChanged { plan, changes, renewed: Vec::new() });
    assert_eq!(adopt(&record, other, now), Ok(None));
}

#[test]
fn tells_a_new_channel_of_nothing_that_is_over() {
    let mut record = record();
    let severity = bakewatch::model::Severity::Warning;
    let notice = Fact::StoreFailed { error: "no space left".to_owned() };
    record.apply(RELEASED + MINUTE, notice);
    let two = "\n[[channel]]\nname = \"new\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:2/\"\n";
    let now = RELEASED + 2 * MINUTE;
    let adopted = adopt(&record, plan(&format!("{FILE}{two}")), now).unwrap().unwrap();
    let (plan, changes) = (Box::new(adopted.plan), adopted.changes);
    record.apply(now, Fact::PlanChanged { plan, changes, renewed: Vec::new() });
    let told = record.channels[&Name::from("new")].told;
    assert!(record.news.iter().all(|news| news.seq <= told), "{:?}", record.news);
    assert!(record.plan.channels[1].takes(severity));
}

#[test]
fn reaches_a_target_that_was_found_as_its_source_says_now() {
    let found = |team: &str| {
        let targets = format!("targets = {{ headers = {{ x-team = \"{team}\" }} }}");
        let discover = format!("expect = 2\ndiscover = {{ file = \"t.json\", {targets} }}");
        edited(&[("expect = 2", &discover)])
    };
    let mut record = record();
    let of_plan =
        |plan| Fact::PlanChanged { plan: Box::new(plan), changes: Vec::new(), renewed: Vec::new() };
    record.apply(RELEASED, of_plan(found("a")));
    let target = Target {
        name: "d:8000".into(),
        health: Some("http://d:8000/health".to_owned()),
        metrics: None,
        labels: Default::default(),
        own: None,
    };
    let source = record.plan.sources[0].name.clone();
    let (added, removed) = (vec![target.clone()], Vec::new());
    record.apply(RELEASED, Fact::Targets { source, added, removed });
    let team = |record: &Record| match &record.own_way(&target)?.headers[..] {
        [(_, HeaderValue::Plain(team))] => Some(team.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(team(&record).as_deref(), Some("a"));
    record.apply(RELEASED, of_plan(found("b")));
    assert_eq!(team(&record).as_deref(), Some("b"), "without asking the source again");
    let listed = record.plan.targets[0].clone();
    assert_eq!(record.own_way(&listed), None);
}
