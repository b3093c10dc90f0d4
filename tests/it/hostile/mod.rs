//! Hostile worlds: whatever a target, a name server, a clock or a disk does, it
//! is told in words of its own, it costs no more than its limit, and it is never
//! taken for health.
//!
//! | what | where |
//! |---|---|
//! | bodies, certificates, names | `ROWS` below; the words that are told are in `told.txt` |
//! | the others' cadence | `cadence.rs`, on the virtual clock; measured: `benches/cadence.rs` |
//! | clocks that are set, machines that sleep | `clock.rs` |
//! | a full disk, a directory that is read-only, a torn database | `disk.rs` |

mod cadence;
mod clock;
mod disk;
mod server;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakewatch::config::{self, Given, Source};
use bakewatch::daemon::carry::Carrier;
use bakewatch::daemon::clock::Clock;
use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::daemon::store::Store;
use bakewatch::daemon::turn::{End, Observer, Turns};
use bakewatch::judge::Phase;
use bakewatch::model::{MINUTE, Release, Span, Timestamp, WatchId};
use bakewatch::record::Fact;
use bakewatch::watch::Fleet;
use expect_test::expect_file;

use crate::io::names::{NameServer, Says, ipv4};
use crate::world::script::{RELEASED, line};
use server::{Ill, Server};

/// One hostile thing.
struct Row {
    name: &'static str,
    ill: Ill,
    /// How long the window is; the hour of hostility is at `ONSET`.
    minutes: i64,
    /// Lines of the configuration besides.
    more: &'static str,
}

const fn row(name: &'static str, ill: Ill) -> Row {
    Row { name, ill, minutes: 9, more: "timeout = \"20s\"" }
}

/// Long enough for what is told only after a range and a hold.
const fn long(name: &'static str, ill: Ill) -> Row {
    Row { minutes: 20, ..row(name, ill) }
}

/// In the order in which they were asked for.
const ROWS: [Row; 21] = [
    long("an empty body", Ill::Empty),
    long("HTML with status 200", Ill::Page),
    row("200 with \"status\":\"unhealthy\"", Ill::Unhealthy),
    row("64 MB", Ill::Large),
    row("a body without an end", Ill::Endless),
    Row { more: "timeout = \"1s\"", ..row("one byte a second", Ill::Drip) },
    row("a gzip bomb", Ill::Bomb),
    row("a malformed exposition", Ill::Malformed),
    row("one malformed line", Ill::OneBadLine),
    row("an exposition cut off: half of its length", Ill::CutShort),
    row("an exposition cut off: no last chunk", Ill::CutChunk),
    row("an exposition cut off: amid a line", Ill::CutLine),
    long("NaN everywhere", Ill::Nan),
    long("a missing family", Ill::Missing),
    row("a million series", Ill::Million),
    Row {
        minutes: 6,
        more: "timeout = \"50s\"\nbody-limit = \"128MiB\"",
        ..row("a million series, let in", Ill::Million)
    },
    row("a redirect loop", Ill::Loop),
    row("an expired certificate", Ill::Expired),
    row("a certificate of another host", Ill::WrongHost),
    long("DNS that fails and returns", Ill::None),
    row("nothing hostile", Ill::None),
];

const ONSET: Timestamp = Timestamp::from_millis(RELEASED.millis() + 3 * MINUTE.millis());

/// When what can return does.
const RETURN: Timestamp = Timestamp::from_millis(RELEASED.millis() + 15 * MINUTE.millis());

/// Much longer than the whole table takes, also on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(500);

/// Bytes that a sender gets rid of while nobody reads: buffers of the kernel.
const BUFFERED_MAX: u64 = 16 << 20;

/// So many rows are played side by side.
const LANES: usize = 3;

#[test]
fn each_hostile_thing_is_told_in_its_own_words_and_none_is_taken_for_health() {
    let next = Mutex::new(ROWS.iter().enumerate());
    let told = Mutex::new(vec![String::new(); ROWS.len()]);
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let Some((at, row)) = next.lock().unwrap().next() else { return };
                    let text = play(row);
                    told.lock().unwrap()[at] = text;
                }
            });
        }
    });
    let told = told.into_inner().unwrap().join("\n");
    expect_file!["told.txt"].assert_eq(&told);
}

/// Lives through a row; gives its name and all that was told from its hour on.
fn play(row: &Row) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lines = runtime.block_on(async { tokio::time::timeout(PATIENCE, live(row)).await });
    let lines = lines.unwrap_or_else(|_| panic!("{}: the watch comes to no end", row.name));
    let lines: String = lines.into_iter().map(|line| format!("  {line}\n")).collect();
    format!("{}\n{lines}", row.name)
}

async fn live(row: &Row) -> BTreeSet<String> {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(RELEASED.millis()));
    let server = Server::start(row.ill, ONSET, now.clone()).await;
    let here = || Says::Records(vec![(60, ipv4("127.0.0.1"))]);
    let names = NameServer::start(here()).await;
    let text = configuration(row, &server, &names);
    let source = Source { file: row.name.to_owned(), text };
    let checked = match config::read(Some(&source), &Given::default()) {
        Ok(checked) => checked,
        Err(errors) => panic!("{}", errors.iter().map(ToString::to_string).collect::<String>()),
    };
    let release =
        Release { service: checked.plan.service.clone(), version: "v1".into(), at: RELEASED };
    let mut fleet = Fleet::new();
    let id = fleet.open(release, checked.plan, RELEASED).unwrap();
    let carrier = Carrier {
        http: Http::new().unwrap(),
        secrets: Secrets::default(),
        deferred: std::sync::Arc::default(),
        report_dir: dir.path().join("reports"),
    };
    let store = Store::open(dir.path()).unwrap();
    let mut turns = Turns::new(fleet, Clock::Compressed(now), store, carrier);
    let place = server.url.split("//").nth(1).unwrap().to_owned();
    let mut told = Told { lines: BTreeSet::new(), place, names };
    let (_stop, stops) = tokio::sync::watch::channel(0);
    assert_eq!(turns.run(&mut told, stops).await, End::Done, "{}", row.name);
    let record = turns.fleet().record(&id).unwrap();
    if row.ill.is_of_health() {
        let healths: Vec<_> = record.targets.values().map(|target| target.health).collect();
        let is_up = healths.iter().any(|health| health.is_up() == Some(true));
        assert!(!is_up, "{}: taken for health: {healths:?}", row.name);
    }
    let most = record.plan.body_bytes_max + BUFFERED_MAX;
    assert!(server.most() <= most, "{}: {} bytes were read", row.name, server.most());
    told.lines
}

fn configuration(row: &Row, server: &Server, names: &NameServer) -> String {
    let (url, more, minutes) = (&server.url, row.more, row.minutes);
    let targets = match &server.authority {
        Some(authority) => format!("tls = {{ ca-file = {:?} }}", authority.file),
        None if row.name.starts_with("DNS") => {
            let (server, port) = (names.address, url.rsplit(':').next().unwrap());
            format!(
                "discover = {{ dns = {{ name = \"a.example.com\", type = \"A\", port = {port}, \
                 server = \"{server}\" }} }}"
            )
        }
        None => String::new(),
    };
    format!(
        "service = \"chat\"\nurl = \"{url}\"\n{more}\n[targets]\n{targets}\n[windows]\n\
         window = {{ length = \"{minutes}m\", every = \"60s\" }}\n"
    )
}

/// What is told from the hour on, each once.
struct Told {
    lines: BTreeSet<String>,
    /// The target's own place, which differs from run to run.
    place: String,
    names: NameServer,
}

impl Observer for Told {
    fn fact(&mut self, _: &WatchId, at: Timestamp, fact: &Fact, _: &Fleet) {
        let is_told = match fact {
            Fact::Health { .. }
            | Fact::Scraping { .. }
            | Fact::Sourcing { .. }
            | Fact::Limit { .. }
            | Fact::Checked { .. }
            | Fact::Targets { .. }
            | Fact::Discovery { .. }
            | Fact::WindowClosed { .. } => true,
            Fact::Alert { phase, .. } => matches!(phase, Phase::Firing { .. }),
            // One of several rules that read what the exposition shows.
            Fact::Evidence { rule, .. } => *rule == *"MemoryPressure",
            _ => false,
        };
        if at < ONSET || !is_told {
            return;
        }
        let words = match fact {
            // Its reasons are those above; their lengths hang on the minute.
            Fact::WindowClosed { summary, .. } => format!("closed {}", summary.verdict),
            Fact::Alert { rule, labels, .. } => format!("alert {rule}{labels} firing"),
            fact => line(fact).unwrap(),
        };
        self.lines.insert(words.replace(&self.place, "a"));
    }

    fn turn(&mut self, now: Timestamp, _: &Fleet) -> bool {
        let is_out = ONSET <= now && now < RETURN;
        self.names.says(match is_out {
            true => Says::Code(2),
            false => Says::Records(vec![(60, ipv4("127.0.0.1"))]),
        });
        false
    }
}

/// A configuration's plan, over a window of that length.
fn plan_of(service: &str, targets: &[&str], length: Span, every: Span) -> String {
    let list: Vec<String> = targets.iter().map(|name| format!("\"http://{name}\"")).collect();
    let list = list.join(", ");
    format!(
        "service = \"{service}\"\nurl = \"http://{}\"\n[targets]\nstatic = [{list}]\n\
         [windows]\nwindow = {{ length = \"{length}\", every = \"{every}\" }}\n",
        targets[0]
    )
}
