//! Digests over days on which clocks are set: each instant once.

use bakewatch::model::{HOUR, Name, Release, Timestamp};
use bakewatch::record::Fact;

use crate::world::drive::Drive;
use crate::world::oracle;
use crate::world::script::plan;

/// When digests were due in the eight hours after `from`, by the clock of Berlin.
fn due(cron: &str, from: &str) -> Vec<String> {
    let text = format!(
        r#"
        service = "chat"
        url = "http://a:8000"
        windows.night = {{ length = "8h", every = "60s" }}
        [[channel]]
        name = "hook"
        type = "webhook"
        url = "http://127.0.0.1:1/hook"
        [[digest]]
        name = "nightly"
        cron = "{cron}"
        zone = "Europe/Berlin"
        "#
    );
    let at: Timestamp = from.parse().unwrap();
    let release = Release { service: "chat".into(), version: Name::from("v1"), at };
    let mut drive = Drive::open(release, plan("digests", &text), at);
    drive.run_to(at + HOUR);
    drive.crash();
    drive.run_out();
    assert_eq!(oracle::complaints(&drive), Vec::<String>::new());
    let told = drive.facts().iter().filter_map(|(_, fact)| match fact {
        Fact::Digest(overview) => Some(overview.due.rfc3339()),
        _ => None,
    });
    told.collect()
}

#[test]
fn come_once_where_their_time_does_not_exist() {
    assert_eq!(due("30 2 * * *", "2026-03-28T22:00:00Z"), ["2026-03-29T01:00:00Z"]);
}

#[test]
fn come_once_where_their_time_comes_twice() {
    assert_eq!(due("30 2 * * *", "2026-10-24T22:00:00Z"), ["2026-10-25T00:30:00Z"]);
}

#[test]
fn go_to_everybody_but_later_steps_and_alertmanagers_unless_they_are_named() {
    let text = r#"
        service = "chat"
        url = "http://a:8000"
        require = ["error_ratio", "up", "error_ratio"]
        [[channel]]
        name = "hook"
        type = "webhook"
        url = "http://127.0.0.1:1/hook"
        [[channel]]
        name = "boss"
        type = "webhook"
        after = "10m"
        url = "http://127.0.0.1:1/boss"
        [[channel]]
        name = "site"
        type = "alertmanager"
        url = "http://127.0.0.1:9093"
        [[digest]]
        name = "daily"
        cron = "@daily"
        [[digest]]
        name = "named"
        cron = "@daily"
        channels = ["boss"]
        "#;
    let plan = plan("digests", text);
    assert_eq!(plan.require, ["error_ratio", "up"].map(Name::from), "each once");
    let told = plan.digests.iter().map(|digest| digest.channels.clone());
    assert_eq!(told.collect::<Vec<_>>(), [["hook"], ["boss"]].map(|to| to.map(Name::from)));
}
