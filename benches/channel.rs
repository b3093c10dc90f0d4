//! Whether a channel that hangs keeps anybody waiting: the loop of the program
//! on loopback, a hundred targets, and two webhooks that are told of a new
//! critical every two seconds.
//!
//! First both receivers answer, which is the control; then one takes each
//! connection and never says a word, from the first letter to the end.
//! `cargo bench --bench channel` prints of both how often targets are asked, as
//! they see it themselves, how far apart the other channel's letters come, and
//! how long after an alert fired its letter is there (one second of that is the
//! wait for others, as it is configured); and by how much they differ beside
//! what is allowed. `-- --minutes 10` measures for so long each.
//!
//! Nothing quickens the pace here: no rule but one is on, and that one fires at
//! once, so that nothing is ever pending.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bakewatch::config::{self, Given, Source};
use bakewatch::daemon::carry::Carrier;
use bakewatch::daemon::clock::Clock;
use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::daemon::store::Store;
use bakewatch::daemon::turn::{Observer, Turns};
use bakewatch::judge::Phase;
use bakewatch::model::{MINUTE, Release, Span, Timestamp, WatchId};
use bakewatch::record::Fact;
use bakewatch::watch::Fleet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TARGETS: usize = 100;

/// How often each is asked, and how often something new is wrong.
const EVERY: Duration = Duration::from_secs(2);

/// Until each target is asked at its own place in the interval.
const WARM: Duration = Duration::from_secs(5);

/// Beyond it there are more alerts than are followed of one rule.
const MINUTES_MAX: f64 = 15.0;

const ALLOWED: f64 = 0.01;

fn main() {
    let minutes = minutes(std::env::args().skip(1));
    let length = Duration::from_secs_f64(minutes * 60.0);
    println!("{TARGETS} targets every {EVERY:?}, two webhooks, {length:?} each");
    let control = measured(length, false);
    let beside = measured(length, true);
    println!(
        "{:<42} {:>12} {:>12} {:>10} {:>7}",
        "", "both answer", "one hangs", "differ", "allowed"
    );
    row("a target is asked every", control.checks, beside.checks);
    row("the other channel has a letter every", control.letters, beside.letters);
    row("and has it so long after the alert fired", control.delay, beside.delay);
    let (few, many) = (control.told, beside.told);
    println!(
        "letters taken by the other channel: {few} and {many}; tries that hung: {}",
        beside.hung
    );
}

/// Half a minute, if nobody says otherwise. Cargo's own arguments are its own.
fn minutes(arguments: impl Iterator<Item = String>) -> f64 {
    let rest: Vec<String> = arguments.skip_while(|one| one != "--minutes").collect();
    let Some(given) = rest.get(1) else { return 0.5 };
    let minutes = given.parse().ok().filter(|minutes| (0.25..=MINUTES_MAX).contains(minutes));
    minutes.unwrap_or_else(|| panic!("--minutes {given}: a number from 0.25 to {MINUTES_MAX}"))
}

fn row(what: &str, control: f64, beside: f64) {
    let off = (beside / control - 1.0).abs();
    let (control, beside) = (format!("{:.1} ms", control * 1e3), format!("{:.1} ms", beside * 1e3));
    let (off, allowed) = (off * 100.0, ALLOWED * 100.0);
    println!("{what:<42} {control:>12} {beside:>12} {off:>9.2}% {allowed:>6.0}%");
}

/// What one run came to, in seconds and numbers.
struct Run {
    /// Of the target that is the farthest from what was asked for.
    checks: f64,
    letters: f64,
    delay: f64,
    told: usize,
    hung: usize,
}

/// What the world has seen.
#[derive(Default)]
struct Seen {
    asked: BTreeMap<Ipv4Addr, Vec<Instant>>,
    /// When each letter was there, and of which lots it told.
    letters: Vec<(Instant, Vec<String>)>,
}

type World = Arc<Mutex<Seen>>;

fn measured(length: Duration, hangs: bool) -> Run {
    let (seen, hung) = (World::default(), Arc::<AtomicUsize>::default());
    let servers = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let servers = servers.expect("a runtime for the others");
    let port = servers.block_on(listen(seen.clone(), hangs.then(|| hung.clone())));
    let daemon = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let daemon = daemon.expect("a runtime for the loop, as the program's");
    let from = Instant::now() + WARM;
    // What is told as the loop ends is told in haste.
    let stretch = from..from + length;
    let fired = daemon.block_on(watch(port, stretch.end));
    daemon.shutdown_background();
    servers.shutdown_background();
    let seen = seen.lock().expect("nobody panics");
    let told = seen.letters.iter().filter(|(at, _)| stretch.contains(at));
    let told: Vec<&(Instant, Vec<String>)> = told.collect();
    let lots = told.iter().flat_map(|(at, lots)| lots.iter().map(move |lot| (at, lot)));
    let delays: Vec<f64> =
        lots.map(|(at, lot)| at.duration_since(fired[lot]).as_secs_f64()).collect();
    assert!(5 < delays.len(), "{} letters are no stream", told.len());
    let asked = seen.asked.values();
    Run {
        checks: asked.map(|times| gap(times.iter(), &stretch)).fold(EVERY.as_secs_f64(), farthest),
        letters: gap(told.iter().map(|(at, _)| at), &stretch),
        delay: delays.iter().sum::<f64>() / delays.len() as f64,
        told: told.len(),
        hung: hung.load(Ordering::SeqCst),
    }
}

/// The mean one.
fn gap<'a>(times: impl Iterator<Item = &'a Instant>, stretch: &Range<Instant>) -> f64 {
    let times: Vec<&Instant> = times.filter(|at| stretch.contains(*at)).collect();
    let gaps = times.len() - 1;
    times[gaps].duration_since(*times[0]).as_secs_f64() / gaps as f64
}

fn farthest(a: f64, b: f64) -> f64 {
    let off = |interval: f64| (interval - EVERY.as_secs_f64()).abs();
    if off(b) > off(a) { b } else { a }
}

/// All of 127/8 is this machine: each target has an address of its own.
fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(1 + index).expect("a hundred"))
}

/// Those who are told.
const TAKES: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 2);

/// One service with its two channels.
fn configuration(port: u16) -> String {
    let targets: Vec<String> =
        (0..TARGETS).map(|index| format!("\"http://{}:{port}\"", address(index))).collect();
    let (pack, every) = (bakewatch::judge::pack::NAMES, EVERY.as_millis());
    let off: String =
        pack.iter().map(|name| format!("[[rule]]\nname = \"{name}\"\noff = true\n")).collect();
    let channel = |name: &str, place: Ipv4Addr| {
        format!(
            "[[channel]]\nname = \"{name}\"\ntype = \"webhook\"\nurl = \"http://{place}:{port}/\"\n\
             group-wait = \"1s\"\ngroup-interval = \"1s\"\nlimit = 1000\n"
        )
    };
    format!(
        "service = \"channel\"\nurl = \"http://{}:{port}\"\ntimeout = \"1500ms\"\n\
         [targets]\nstatic = [{}]\n[windows]\nday = {{ length = \"24h\", every = \"{every}ms\" }}\n\
         {off}[[rule]]\nname = \"LotStuck\"\nquery = \"max by (lot) (lot_stuck)\"\nabove = 0\n\
         for = \"0s\"\nrecover = \"12h\"\nbreaches = 1\nseverity = \"critical\"\n{}{}",
        address(0),
        targets.join(", "),
        channel("takes", TAKES),
        channel("other", OTHER),
    )
}

/// Until `until`; when which lot's alert fired.
async fn watch(port: u16, until: Instant) -> BTreeMap<String, Instant> {
    let source = Source { file: "channel".to_owned(), text: configuration(port) };
    let checked = config::read(Some(&source), &Given::default());
    let checked = checked.unwrap_or_else(|errors| panic!("{errors:?}"));
    let plan = checked.plan;
    let clock = Clock::real(Timestamp::default(), Span::ZERO);
    let known = (clock.now(), Instant::now());
    // The first minute is quicker.
    let opened = clock.now() - 2 * MINUTE;
    let release = Release { service: plan.service.clone(), version: "v1".into(), at: opened };
    let mut fleet = Fleet::new();
    fleet.open(release, plan, opened).expect("the only watch");
    let dir = tempfile::tempdir().expect("a state directory");
    let carrier = Carrier {
        http: Http::new().expect("clients"),
        secrets: Secrets::new(checked.secrets),
        deferred: Arc::default(),
        report_dir: dir.path().join("reports"),
    };
    let store = Store::open(dir.path()).expect("a new store");
    let mut turns = Turns::new(fleet, clock, store, carrier);
    let mut until = Until { until, known, fired: BTreeMap::new() };
    let (_stop, stops) = tokio::sync::watch::channel(0);
    turns.run(&mut until, stops).await;
    until.fired
}

struct Until {
    until: Instant,
    /// The same instant by both clocks.
    known: (Timestamp, Instant),
    fired: BTreeMap<String, Instant>,
}

impl Observer for Until {
    fn fact(&mut self, _: &WatchId, at: Timestamp, fact: &Fact, _: &Fleet) {
        let Fact::Alert { labels, phase: Phase::Firing { .. }, .. } = fact else { return };
        let lot = labels.get("lot").expect("the only rule").to_string();
        // By the fact's own time: that it is stored first is part of the wait.
        let at = self.known.1 + at.since(self.known.0).to_std();
        self.fired.entry(lot).or_insert(at);
    }

    fn turn(&mut self, _: Timestamp, _: &Fleet) -> bool {
        self.until <= Instant::now()
    }
}

/// One port for all; whom a connection is for shows in its own address.
async fn listen(world: World, hung: Option<Arc<AtomicUsize>>) -> u16 {
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let listener = TcpListener::bind(any).await.expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, world.clone(), hung.clone()));
        }
    });
    port
}

async fn talk(mut stream: TcpStream, world: World, hung: Option<Arc<AtomicUsize>>) {
    let Ok(IpAddr::V4(place)) = stream.local_addr().map(|local| local.ip()) else { return };
    let mut came = Vec::new();
    loop {
        let mut some = [0; 16 << 10];
        match stream.read(&mut some).await {
            Ok(0) | Err(_) => return,
            Ok(count) => came.extend_from_slice(&some[..count]),
        }
        if !is_whole(&came) {
            continue;
        }
        let request = String::from_utf8_lossy(&std::mem::take(&mut came)).into_owned();
        let now = Instant::now();
        let body = match place {
            TAKES => {
                let lots = lots_in(&request);
                world.lock().expect("nobody panics").letters.push((now, lots));
                String::new()
            }
            OTHER => match &hung {
                Some(hung) => {
                    hung.fetch_add(1, Ordering::SeqCst);
                    return std::future::pending().await;
                }
                None => String::new(),
            },
            _ if request.starts_with("GET /health") => {
                let asked = &mut world.lock().expect("nobody panics").asked;
                asked.entry(place).or_default().push(now);
                r#"{"status":"healthy","success":true}"#.to_owned()
            }
            _ => page(place),
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// With its body, where it has one.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| length.parse().is_ok_and(|length: usize| length <= body.len()))
}

/// The lots that a letter tells of.
fn lots_in(letter: &str) -> Vec<String> {
    let rests = letter.split("\"lot\":\"").skip(1);
    rests.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// The first has another lot stuck each time; the others are there to be asked.
fn page(place: Ipv4Addr) -> String {
    let page =
        "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes 1000000\n";
    if place != address(0) {
        return page.to_owned();
    }
    static TIMES: AtomicUsize = AtomicUsize::new(0);
    let lot = TIMES.fetch_add(1, Ordering::SeqCst);
    let before = lot.saturating_sub(1);
    let lots = format!("lot_stuck{{lot=\"{lot}\"}} 1\nlot_stuck{{lot=\"{before}\"}} 0\n");
    format!("{page}# TYPE lot_stuck gauge\n{lots}")
}
