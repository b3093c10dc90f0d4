//! Whether anybody keeps the others waiting: how often targets are really asked,
//! as they see it themselves, on loopback, by the loop of the program.
//!
//! Thirty targets are watched undisturbed, then thirty of which each hostile
//! body, and each wrong certificate, is played by one; then thirty while a name
//! server fails and returns, the wall clock is set by an hour forth and by two
//! back, and the disk is full; then a thousand undisturbed, and a thousand of
//! which each third never answers. (A state directory that is read-only and a
//! torn database are refused at the start: nobody is asked.) `cargo bench --bench
//! cadence` prints for the healthy ones the mean interval and the longest gap,
//! each as a share of the interval that was asked for, and the difference from
//! the undisturbed run beside what is allowed.
//!
//! Nothing quickens the pace here, since that would be a cadence by design: the
//! rules over what fails are off (an alert that is pending has its service asked
//! three times as often), the watch is opened as one that is two minutes old
//! (the first minute is quicker too), and who fails has never been up (the
//! siblings of one that turns are asked at once).

#[path = "../tests/it/io/names.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod names;
#[path = "../tests/it/io/tls_server.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod tls_server;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bakewatch::config::{self, Given, Source};
use bakewatch::daemon::carry::Carrier;
use bakewatch::daemon::clock::{Clock, Look, Real};
use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::daemon::store::{FILE, Store};
use bakewatch::daemon::turn::{Observer, Turns};
use bakewatch::model::{HOUR, MINUTE, Release, Span, Timestamp, WatchId};
use bakewatch::record::Fact;
use bakewatch::watch::Fleet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What a target may do to whoever asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Play {
    Well,
    Hangs,
    Empty,
    Page,
    Unhealthy,
    Large,
    Endless,
    Drip,
    Bomb,
    Malformed,
    Cut,
    Nan,
    Bare,
    Million,
    Loop,
    Expired,
    WrongHost,
}

const HOSTILE: [Play; 15] = [
    Play::Empty,
    Play::Page,
    Play::Unhealthy,
    Play::Large,
    Play::Endless,
    Play::Drip,
    Play::Bomb,
    Play::Malformed,
    Play::Cut,
    Play::Nan,
    Play::Bare,
    Play::Million,
    Play::Loop,
    Play::Expired,
    Play::WrongHost,
];

/// One run: how many targets, how often and for how long.
struct Run {
    targets: usize,
    every: Duration,
    timeout: Duration,
    length: Duration,
    /// Names, clock and disk turn on us too.
    in_trouble: bool,
}

const FEW: Run = Run {
    targets: 30,
    every: Duration::from_secs(2),
    timeout: Duration::from_millis(1500),
    length: Duration::from_secs(30),
    in_trouble: false,
};

/// Three times as often as by default in the first day.
const MANY: Run = Run {
    targets: 1000,
    every: Duration::from_secs(5),
    timeout: Duration::from_millis(3500),
    length: Duration::from_secs(40),
    in_trouble: false,
};

fn main() {
    println!("{:<38} {:>9} {:>9} {:>10} {:>9}", "", "mean", "longest", "difference", "allowed");
    let control = measured(&FEW, |_| Play::Well);
    row("30 targets, undisturbed", &control, None);
    // The first are hostile, so that those who are well are many and mixed in time.
    let one_each = |index: usize| HOSTILE.get(index).copied().unwrap_or(Play::Well);
    let disturbed = measured(&FEW, one_each);
    row("30 targets, 15 hostile: the others", &disturbed, Some((control.mean, 0.01)));
    let disturbed = measured(&Run { in_trouble: true, ..FEW }, |_| Play::Well);
    row("30 targets; names, clock, disk fail", &disturbed, Some((control.mean, 0.01)));
    let control = measured(&MANY, |_| Play::Well);
    row("1000 targets, undisturbed", &control, None);
    // Held against the interval itself, not against that run.
    let third = |index: usize| if index.is_multiple_of(3) { Play::Hangs } else { Play::Well };
    let disturbed = measured(&MANY, third);
    row("1000 targets, a third hangs: the others", &disturbed, Some((1.0, 0.05)));
}

/// Shares of the interval that was asked for.
struct Cadence {
    /// Of the target that was asked least often.
    mean: f64,
    longest: f64,
}

fn row(what: &str, cadence: &Cadence, held: Option<(f64, f64)>) {
    let share = |share: f64| format!("{:.2}%", share * 100.0);
    let (mean, longest) = (share(cadence.mean), share(cadence.longest));
    let (off, allowed) = held.map_or((String::new(), String::new()), |(control, allowed)| {
        (share((cadence.mean / control - 1.0).abs()), share(allowed))
    });
    println!("{what:<38} {mean:>9} {longest:>9} {off:>10} {allowed:>9}");
}

type Asked = Arc<Mutex<BTreeMap<Ipv4Addr, Vec<Instant>>>>;

/// Watches so many targets for so long.
fn measured(run: &Run, plays: impl Fn(usize) -> Play) -> Cadence {
    let targets: Vec<(Ipv4Addr, Play)> =
        (0..run.targets).map(|index| (address(index), plays(index))).collect();
    let asked = Asked::default();
    let servers = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let servers = servers.expect("a runtime for the targets");
    let ground = servers.block_on(Ground::lay(&targets, &asked));
    let daemon = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let daemon = daemon.expect("a runtime for the loop, as the program's");
    let began = Instant::now();
    daemon.block_on(watch(run, &targets, &ground));
    daemon.shutdown_background();
    servers.shutdown_background();
    let asked = asked.lock().expect("no target panics");
    let every = run.every.as_secs_f64();
    let well = targets.iter().filter(|(_, play)| *play == Play::Well);
    let gaps: Vec<Vec<f64>> = well
        .map(|(place, _)| {
            let times = &asked[place];
            // At first each is asked at once, and only then in its own place.
            let warm = began + 2 * run.every + Duration::from_secs(1);
            let times: Vec<&Instant> = times.iter().filter(|at| warm <= **at).collect();
            let pairs = times.windows(2);
            pairs.map(|pair| pair[1].duration_since(*pair[0]).as_secs_f64() / every).collect()
        })
        .collect();
    assert!(gaps.iter().all(|gaps| 3 <= gaps.len()), "each was asked several times");
    let mean = |gaps: &Vec<f64>| gaps.iter().sum::<f64>() / gaps.len() as f64;
    // Whoever is asked too seldom counts, and whoever is asked too often.
    let farthest = |a: f64, b: f64| if (b - 1.0).abs() > (a - 1.0).abs() { b } else { a };
    Cadence {
        mean: gaps.iter().map(mean).fold(1.0, farthest),
        longest: gaps.iter().flatten().copied().fold(0.0, f64::max),
    }
}

/// All of 127/8 is this machine: each target has an address of its own.
fn address(index: usize) -> Ipv4Addr {
    let part = |number: usize| u8::try_from(number).expect("some thousands at most");
    Ipv4Addr::new(127, 0, part(1 + index / 250), part(1 + index % 250))
}

/// Where targets are.
struct Ground {
    port: u16,
    /// Of those whose certificates are wrong.
    tls_port: u16,
    authority: tls_server::Authority,
    names: names::NameServer,
}

impl Ground {
    async fn lay(targets: &[(Ipv4Addr, Play)], asked: &Asked) -> Ground {
        let authority = tls_server::Authority::new();
        Ground {
            port: serve(targets.iter().copied().collect(), asked.clone()).await,
            tls_port: serve_wrongly(targets, &authority).await,
            authority,
            names: names::NameServer::start(names::Says::Code(2)).await,
        }
    }

    /// A target, as the configuration has it.
    fn target(&self, (place, play): &(Ipv4Addr, Play)) -> String {
        match play {
            Play::Expired | Play::WrongHost => format!(
                "{{ url = \"https://{place}:{}\", tls = {{ ca-file = {:?} }} }}",
                self.tls_port, self.authority.file
            ),
            _ => format!("\"http://{place}:{}\"", self.port),
        }
    }

    /// Where more are looked for in vain.
    fn source(&self) -> String {
        let (server, port) = (self.names.address, self.port);
        format!(
            "discover = {{ dns = {{ name = \"a.example.com\", type = \"A\", port = {port}, \
             server = \"{server}\" }}, every = \"1s\" }}"
        )
    }
}

/// A wall clock that is set forth after a third of the run, and back after two.
fn unsteady(length: Duration) -> Clock {
    let (began, wall) = (Instant::now(), bakewatch::daemon::clock::wall());
    let look = move || {
        let passed = began.elapsed();
        let set = match passed.as_secs_f64() / length.as_secs_f64() {
            share if share < 1.0 / 3.0 => Span::ZERO,
            share if share < 2.0 / 3.0 => HOUR,
            _ => -1 * HOUR,
        };
        Look { wall: wall + Span::from(passed) + set, boot: HOUR.to_std() + passed }
    };
    Clock::Real(Real::new(look, Timestamp::default(), Span::ZERO))
}

/// Room for a beginning, in pages of SQLite's, which then is taken up.
const PAGES_MAX: u32 = 40;

const BALLAST: &str = "CREATE TABLE ballast (x BLOB) STRICT;
    INSERT INTO ballast VALUES (randomblob(400000))";

async fn watch(run: &Run, targets: &[(Ipv4Addr, Play)], ground: &Ground) {
    let list: Vec<String> = targets.iter().map(|target| ground.target(target)).collect();
    let source = if run.in_trouble { ground.source() } else { String::new() };
    let port = ground.port;
    let (every, timeout) = (run.every.as_millis(), run.timeout.as_millis());
    let off = ["ServiceDown", "ReplicasMissing", "TargetSilent", "SignalVanished"]
        .map(|name| format!("[[rule]]\nname = \"{name}\"\noff = true\n"))
        .concat();
    let text = format!(
        "service = \"cadence\"\nurl = \"http://{}:{port}\"\ntimeout = \"{timeout}ms\"\n\
         [targets]\nstatic = [{}]\ncertificates = false\n{source}\n[windows]\nday = {{ length = \"24h\", every = \"{every}ms\" }}\n\
         {off}",
        targets[targets.len() - 1].0,
        list.join(", ")
    );
    let source = Source { file: "cadence".to_owned(), text };
    let checked = config::read(Some(&source), &Given::default());
    let plan = checked.unwrap_or_else(|errors| panic!("{errors:?}")).plan;
    let clock = match run.in_trouble {
        true => unsteady(run.length),
        false => Clock::real(Timestamp::default(), Span::ZERO),
    };
    let opened = clock.now() - 2 * MINUTE;
    let release = Release { service: plan.service.clone(), version: "v1".into(), at: opened };
    let mut fleet = Fleet::new();
    fleet.open(release, plan, opened).expect("the only watch");
    let dir = tempfile::tempdir().expect("a state directory");
    let carrier = Carrier {
        http: Http::new().expect("clients"),
        secrets: Secrets::default(),
        deferred: std::sync::Arc::default(),
        report_dir: dir.path().join("reports"),
    };
    let store = match run.in_trouble {
        true => Store::open_bounded(dir.path(), PAGES_MAX),
        false => Store::open(dir.path()),
    };
    let store = store.expect("a new store");
    let mut turns = Turns::new(fleet, clock, store, carrier);
    let now = Instant::now();
    let (half, end) = (now + run.length / 2, now + run.length);
    let names = &ground.names;
    let mut until = Until { half, end, names, dir: dir.path(), trouble: BTreeSet::new() };
    let (_stop, stops) = tokio::sync::watch::channel(0);
    turns.run(&mut until, stops).await;
    let wanted = if run.in_trouble { TROUBLE.len() } else { 0 };
    assert_eq!(until.trouble.len(), wanted, "of {TROUBLE:?} there was {:?}", until.trouble);
}

/// What goes wrong where that is wanted.
const TROUBLE: [&str; 4] = ["names fail", "names return", "the clock is set", "the disk is full"];

struct Until<'a> {
    half: Instant,
    end: Instant,
    names: &'a names::NameServer,
    /// Where the store is.
    dir: &'a Path,
    /// What of `TROUBLE` was noticed.
    trouble: BTreeSet<&'static str>,
}

impl Observer for Until<'_> {
    fn fact(&mut self, _: &WatchId, _: Timestamp, fact: &Fact, _: &Fleet) {
        let [fail, back, set, full] = TROUBLE;
        if let (Fact::ClockStepped { .. }, false) = (fact, self.trouble.contains(set)) {
            // Another's connection, which no bound holds.
            let other = rusqlite::Connection::open(self.dir.join(FILE)).expect("the store's file");
            other.execute_batch(BALLAST).expect("room");
        }
        self.trouble.extend(match fact {
            Fact::Discovery { failure: Some(_), .. } => Some(fail),
            Fact::Discovery { failure: None, .. } => Some(back),
            Fact::ClockStepped { .. } => Some(set),
            Fact::StoreFailed { .. } => Some(full),
            _ => None,
        });
    }

    fn turn(&mut self, _: Timestamp, _: &Fleet) -> bool {
        if self.half <= Instant::now() {
            self.names.says(names::Says::Records(vec![(60, names::ipv4("127.0.1.1"))]));
        }
        self.end <= Instant::now()
    }
}

/// Certificates that have ended, or are those of another host.
async fn serve_wrongly(targets: &[(Ipv4Addr, Play)], authority: &tls_server::Authority) -> u16 {
    let acceptor = |(place, play): &(Ipv4Addr, Play)| {
        let identity = match play {
            Play::Expired => authority.signs(&[&place.to_string()], 2021),
            Play::WrongHost => authority.signs(&["other.example.com"], 2090),
            _ => return None,
        };
        Some((*place, TlsAcceptor::from(tls_server::config(identity, &[], false))))
    };
    let acceptors: BTreeMap<Ipv4Addr, TlsAcceptor> = targets.iter().filter_map(acceptor).collect();
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let listener = TcpListener::bind(any).await.expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(SocketAddr::V4(local)) = stream.local_addr() else { continue };
            let Some(acceptor) = acceptors.get(local.ip()).cloned() else { continue };
            tokio::spawn(async move { acceptor.accept(stream).await.map(drop) });
        }
    });
    port
}

/// One port for all targets; whom a connection is for shows in its own address.
async fn serve(plays: BTreeMap<Ipv4Addr, Play>, asked: Asked) -> u16 {
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let listener = TcpListener::bind(any).await.expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    let plays = Arc::new(plays);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (plays, asked) = (plays.clone(), asked.clone());
            tokio::spawn(async move {
                let Ok(local) = stream.local_addr() else { return };
                let IpAddr::V4(place) = local.ip() else { return };
                if let Some(play) = plays.get(&place) {
                    talk(stream, *play, place, asked).await;
                }
            });
        }
    });
    port
}

async fn talk(mut stream: TcpStream, play: Play, place: Ipv4Addr, asked: Asked) {
    let mut head = Vec::new();
    loop {
        let mut some = [0; 2048];
        match stream.read(&mut some).await {
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(&some[..count]),
        }
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let is_health = head.starts_with(b"GET /health");
        if is_health {
            asked.lock().expect("no target panics").entry(place).or_default().push(Instant::now());
        }
        head.clear();
        if answer(&mut stream, play, is_health).await.is_err() {
            return;
        }
    }
}

const WELL: &str = r#"{"status":"healthy","success":true}"#;
const PAGE: &str = "# TYPE http_requests_total counter\nhttp_requests_total{code=\"200\"} 9\n\
                    process_resident_memory_bytes 1000000\n";

async fn answer(stream: &mut TcpStream, play: Play, is_health: bool) -> std::io::Result<()> {
    let good = if is_health { WELL } else { PAGE };
    match (play, is_health) {
        (Play::Hangs, _) => std::future::pending().await,
        (Play::Empty, _) => whole(stream, "").await,
        (Play::Page, _) => whole(stream, "<!doctype html><html>Welcome!\n").await,
        (Play::Unhealthy, true) => whole(stream, r#"{"status":"unhealthy"}"#).await,
        (Play::Large, _) => again(stream, "content-length: 67108864\r\n\r\n").await,
        (Play::Endless, _) => again(stream, "connection: close\r\n\r\n").await,
        (Play::Drip, _) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await?;
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                stream.write_all(b"0").await?;
            }
        }
        (Play::Bomb, _) => {
            static BOMB: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(bomb);
            let length = BOMB.len();
            let head = format!("{OK}content-encoding: gzip\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all(&[head.as_bytes(), &BOMB].concat()).await
        }
        (Play::Malformed, false) => whole(stream, "http_requests_total{ 1\n1a 2\n").await,
        (Play::Cut, false) => {
            let head = format!("{OK}content-length: 1000\r\n\r\n{PAGE}");
            stream.write_all(head.as_bytes()).await?;
            Err(std::io::ErrorKind::BrokenPipe.into()) // hangs up amid it
        }
        (Play::Nan, false) => whole(stream, "http_requests_total{code=\"200\"} NaN\n").await,
        (Play::Bare, false) => whole(stream, "process_resident_memory_bytes 1\n").await,
        (Play::Million, false) => {
            static MANY: std::sync::LazyLock<String> = std::sync::LazyLock::new(million);
            whole(stream, &MANY).await
        }
        (Play::Loop, _) => {
            let path = if is_health { "/health" } else { "/metrics" };
            let moved = format!("HTTP/1.1 302 Found\r\nlocation: {path}\r\n");
            stream.write_all(format!("{moved}content-length: 0\r\n\r\n").as_bytes()).await
        }
        (_, _) => whole(stream, good).await,
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\n";

async fn whole(stream: &mut TcpStream, body: &str) -> std::io::Result<()> {
    let head = format!("{OK}content-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

async fn again(stream: &mut TcpStream, head: &str) -> std::io::Result<()> {
    stream.write_all(format!("{OK}{head}").as_bytes()).await?;
    loop {
        stream.write_all(&[b'0'; 64 << 10]).await?; // until the other side hangs up
    }
}

fn bomb() -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..1024 {
        packer.write_all(&[b'0'; 64 << 10]).expect("room");
    }
    packer.finish().expect("room")
}

fn million() -> String {
    let series = |number| format!("http_requests_total{{path=\"{number}\"}} 1\n");
    (0..1_000_000).map(series).collect()
}
