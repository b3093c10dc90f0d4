//! Zones and daylight saving: windows are lengths from the release, and what
//! is printed is UTC, wherever the machine stands.

use std::process::{Command, Stdio};

use bakewatch::model::{DAY, HOUR, Release, Timestamp};
use bakewatch::record::Fact;

use crate::io::cli::service;
use crate::world::drive::Drive;
use crate::world::{oracle, script};

const CONFIG: &str = r#"
service = "chat"
url = "http://a:8000"
[windows]
first-day = { length = "24h", every = "60s" }
first-week = { length = "7d", every = "60s" }
"#;

/// The eves of both changes of 2026 in Berlin and in New York.
const EVES: [&str; 4] = [
    "2026-03-28T12:00:00Z",
    "2026-10-24T12:00:00Z",
    "2026-03-07T12:00:00Z",
    "2026-10-31T12:00:00Z",
];

#[test]
fn closes_each_window_after_its_length_where_a_day_has_23_or_25_hours() {
    for eve in EVES {
        let at: Timestamp = eve.parse().unwrap();
        let plan = script::plan("zones", CONFIG);
        let release = Release { service: "chat".into(), version: "v1".into(), at };
        let mut drive = Drive::open(release, plan, at);
        drive.run_to(at + 7 * DAY + HOUR);
        let closed = drive.facts().iter().filter_map(|(at, fact)| match fact {
            Fact::WindowClosed { summary, .. } => Some((*at, summary.to)),
            _ => None,
        });
        let closed: Vec<_> = closed.collect();
        assert_eq!(closed, [(at + DAY, at + DAY), (at + 7 * DAY, at + 7 * DAY)], "{eve}");
        assert_eq!(oracle::complaints(&drive), Vec::<String>::new());
    }
}

#[tokio::test]
async fn prints_the_same_times_in_every_zone() {
    let (dir, url) = (tempfile::tempdir().unwrap(), service().await);
    let mut shown = Vec::new();
    for zone in ["UTC", "Europe/Berlin", "EST5EDT,M3.2.0,M11.1.0", "Asia/Kathmandu"] {
        let run = |args: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
            command.args(args).env("STATE_DIRECTORY", dir.path()).env("TZ", zone);
            command.stdin(Stdio::null());
            tokio::task::spawn_blocking(move || command.output().unwrap())
        };
        if shown.is_empty() {
            let args = ["run", &url, "--release", "v1", "--until", "smoke"];
            assert_eq!(run(&args).await.unwrap().status.code(), Some(0));
        }
        let status = String::from_utf8(run(&["status"]).await.unwrap().stdout).unwrap();
        assert!(status.contains(" UTC"), "{status}");
        shown.push(status);
    }
    assert!(shown.iter().all(|status| *status == shown[0]), "{shown:?}");
}
