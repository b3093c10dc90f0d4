//! `demo`: a fleet of our own with faults, watched for a whole first day and
//! first week on a compressed clock. It is the production loop with another
//! clock: requests, mails and webhooks cross real loopback sockets.

mod fleet;
mod life;
mod sinks;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::exit::Exit;
use super::out;
use crate::config::{self, Given, Source};
use crate::daemon::carry::Carrier;
use crate::daemon::clock::{self, Clock};
use crate::daemon::http::Http;
use crate::daemon::secrets::Secrets;
use crate::daemon::signal;
use crate::daemon::store::Store;
use crate::daemon::turn::{End, Observer, Turns};
use crate::model::{DAY, Labels, MINUTE, Name, Release, Timestamp, WatchId};
use crate::notify;
use crate::record::{Fact, Item};
use crate::watch::Fleet;

/// How many replicas the invented service has.
const REPLICAS: usize = 2;

/// Options of `demo`.
#[derive(Args)]
pub struct Demo {
    /// Where mails, webhooks, reports and the record are written
    /// [default: a new folder in the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// A socket or a folder that cannot be had.
pub async fn run(given: Demo) -> Result<Exit, String> {
    let began = Instant::now();
    let wall = clock::wall();
    // The week ends about now, so that the dates in it are past, not to come.
    let released = Timestamp::from_millis(wall.millis() / 60_000 * 60_000) - 7 * DAY - MINUTE;
    let dir = given
        .out
        .unwrap_or_else(|| std::env::temp_dir().join(format!("bakewatch-demo-{}", wall.millis())));
    let in_dir = |error: std::io::Error| format!("{}: {error}", dir.display());
    std::fs::create_dir_all(dir.join("state")).map_err(in_dir)?;

    let clock = Clock::compressed(released);
    let Clock::Compressed(shared) = &clock else { unreachable!("it was just made") };
    let replicas = fleet::start(REPLICAS, shared, released).await.map_err(in_dir)?;
    let hook = sinks::webhook(&dir.join("webhooks")).await.map_err(in_dir)?;
    let mail_port = sinks::mail(&dir.join("mails")).await.map_err(in_dir)?;

    let text = configuration(&replicas, &hook, mail_port);
    std::fs::write(dir.join("bakewatch.toml"), &text).map_err(in_dir)?;
    let source = Source { file: "bakewatch.toml".to_owned(), text };
    let checked = config::read(Some(&source), &Given::default()).map_err(|complaints| {
        complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    })?;

    out::print(&opening(&dir, released))?;
    let release = Release {
        service: checked.plan.service.clone(),
        version: Name::from("v1.2.3"),
        at: released,
    };
    let mut watches = Fleet::new();
    watches.open(release, checked.plan, released)?;
    let carrier = Carrier {
        http: Http::new()?,
        secrets: Secrets::new(checked.secrets),
        deferred: Arc::default(),
        report_dir: dir.join("reports"),
    };
    let mut turns = Turns::new(watches, clock, Store::open(&dir.join("state"))?, carrier);
    let mut story = Story { released, report: None, broken: None };
    let end = turns.run(&mut story, signal::stops()?).await;
    if let Some(error) = story.broken {
        return Err(error);
    }
    if end != End::Done {
        return Ok(Exit::Interrupted);
    }
    let report = story.report.ok_or("no report was written")?;
    out::print(&format!(
        "\nA first day and a first week in {:.0} s. To look at:\n  \
         mails     {}\n  webhooks  {}\n  record    {}\n  reports   {}\n\n{report}\n",
        began.elapsed().as_secs_f64(),
        dir.join("mails").display(),
        dir.join("webhooks").display(),
        dir.join("state").display(),
        dir.join("reports").display(),
    ))?;
    Ok(Exit::Good)
}

fn opening(dir: &Path, released: Timestamp) -> String {
    format!(
        "An invented service with {REPLICAS} replicas, released {}, on a compressed clock.\n\
         Its configuration: {}\n\n",
        released.for_people(),
        dir.join("bakewatch.toml").display(),
    )
}

/// What a user would write, with the addresses of this run.
fn configuration(replicas: &[String], hook: &str, mail_port: u16) -> String {
    let list: Vec<String> = replicas.iter().map(|url| format!("{url:?}")).collect();
    format!(
        r#"service = "chat-agent"
url     = {url:?}

[targets]
static = [{list}]
expect = {count}

[[smoke]]
name    = "answers a question"
request = {{ method = "POST", path = "/api/chat", json = {{ message = "Hello, test message" }} }}
expect  = ["status == 200", "json $.success == true", "latency < 10s"]

[[channel]]
name     = "on-call"
type     = "email"
to       = ["oncall@example.com"]
from     = "bakewatch@example.com"
smtp     = "smtp+plain://127.0.0.1:{mail_port}"

[[channel]]
name   = "chat"
type   = "webhook"
url    = {hook:?}
"#,
        url = replicas[0],
        list = list.join(", "),
        count = replicas.len(),
    )
}

/// Tells the week as it goes by.
struct Story {
    released: Timestamp,
    report: Option<String>,
    broken: Option<String>,
}

impl Story {
    fn say(&mut self, at: Timestamp, text: &str) {
        let age = at.since(self.released).millis() / 1000;
        let (day, hour, minute) = (age / 86_400 + 1, age / 3600 % 24, age / 60 % 60);
        if let Err(error) = out::print(&format!("day {day}  {hour:02}:{minute:02}  {text}\n")) {
            self.broken.get_or_insert(error);
        }
    }
}

/// What an alert has come to.
fn turn_of((rule, labels): (&Name, &Labels), item: &Item) -> Option<String> {
    let alert = item.alert().filter(|alert| (&alert.rule, &alert.labels) == (rule, labels))?;
    let name = labels.of(rule.as_str());
    match item {
        Item::Fired(_) => {
            Some(format!("{name} fires: {}", notify::value_against_bound(alert, true)))
        }
        Item::Resolved(_) => Some(format!("{name} is over")),
        _ => None,
    }
}

impl Observer for Story {
    fn fact(&mut self, _: &WatchId, at: Timestamp, fact: &Fact, fleet: &Fleet) {
        match fact {
            Fact::Smoked(result) => {
                self.say(at, &format!("smoke test {:?} {}", result.step, result.state.as_str()));
            }
            Fact::Matched(matched) => {
                let presets: Vec<&str> = matched.presets.iter().map(Name::as_str).collect();
                self.say(at, &format!("metrics understood by: {}", presets.join(", ")));
            }
            Fact::Alert { rule, labels, .. } => {
                let mut news = fleet
                    .ids()
                    .filter_map(|id| fleet.record(id))
                    .flat_map(|record| record.news.iter().rev().take_while(|news| news.at == at));
                if let Some(text) = news.find_map(|news| turn_of((rule, labels), &news.item)) {
                    self.say(at, &text);
                }
            }
            Fact::WindowClosed { window, summary } => {
                self.say(at, &format!("{window} closes: {}", summary.verdict));
                for reason in &summary.reasons {
                    self.say(at, &format!("    {} ({})", reason.text, reason.evidence));
                }
            }
            Fact::Published { files, .. } => {
                self.report = files.iter().find(|file| file.ends_with(".html")).cloned();
            }
            _ => {}
        }
    }

    fn turn(&mut self, _: Timestamp, _: &Fleet) -> bool {
        false
    }
}
