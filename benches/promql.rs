//! What queries cost, beside Debian's Prometheus on the same samples, and how
//! many bytes a sample of a real exporter takes. `cargo bench --bench promql`
//! prints both; it wants Debian's `prometheus` and `prometheus-node-exporter`.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bakewatch::metrics::promql::{Mode, Query, Vector};
use bakewatch::metrics::{Feed, Series, Table, Wanted, read_page};
use bakewatch::model::{Labels, MINUTE, Name, Timestamp};

/// Prometheus's own names, with fifty series a target.
const RULES: [(&str, &str); 12] = [
    (
        "ErrorRatio",
        r#"sum(rate(requests_total{status=~"5.."}[5m])) / sum(rate(requests_total[5m])) > 0.05"#,
    ),
    (
        "ErrorRatioByTarget",
        "sum by (instance) (rate(requests_total{status=~\"5..\"}[5m])) \
         / sum by (instance) (rate(requests_total[5m])) > 0.05",
    ),
    ("Latency", "histogram_quantile(0.99, sum by (le) (rate(seconds_bucket[5m]))) > 10"),
    (
        "LatencyByRoute",
        "histogram_quantile(0.95, sum by (le, route) (rate(seconds_bucket[5m]))) > 2",
    ),
    (
        "LatencyMean",
        "sum by (route) (rate(seconds_sum[5m])) / sum by (route) (rate(seconds_count[5m])) > 1",
    ),
    ("Memory", "resident_bytes / limit_bytes > 0.95"),
    ("MemoryAny", "max(resident_bytes / limit_bytes) > 0.8"),
    ("Cpu", "rate(cpu_seconds_total[5m]) > 0.9"),
    ("Restarts", "changes(start_time_seconds[10m]) > 2"),
    ("NoTraffic", "sum by (instance) (rate(requests_total[5m])) == 0"),
    ("Descriptors", "predict_linear(open_fds[5m], 3600) > max_fds"),
    ("Backlog", "topk(5, sum by (instance) (queue_depth)) > 1000"),
];

const TARGETS: u64 = 1000;
const SERIES: usize = 50;
/// Ten minutes at 15 s.
const SAMPLES: i64 = 40;
const EVERY: i64 = 15_000;
const START: i64 = 1_700_000_000_000;
/// The best of so many.
const PASSES: usize = 7;
/// Scrapes of each exporter.
const SCRAPES: i64 = 60;
/// Prometheus's evaluation time may be so much of ours.
const SHARE_MAX: f64 = 0.5;
const BYTES_MAX: f64 = 4.0;

fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    rules(dir.path());
    weight(dir.path());
}

/// A series and its values.
type Row = (&'static str, Vec<(&'static str, String)>, Vec<f64>);

/// What one target shows, from a number of its own.
fn target(number: u64) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut dice = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let instance = ("instance", format!("10.0.{}.{}:8000", number / 250, number % 250));
    let mut add = |name, labels: &[(&'static str, &str)], values: Vec<f64>| {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned()));
        rows.push((name, std::iter::once(instance.clone()).chain(labels).collect(), values));
    };
    let counter = |dice: &mut dyn FnMut(u64) -> u64, most: u64, unit: f64| -> Vec<f64> {
        let mut value = dice(100_000);
        let grow = |_| {
            value += dice(most);
            value as f64 * unit
        };
        (0..SAMPLES).map(grow).collect()
    };
    for route in ["/", "/chat", "/login", "/items/{id}"] {
        for (status, most) in [("200", 200), ("404", 5), ("500", 3)] {
            add(
                "requests_total",
                &[("route", route), ("status", status)],
                counter(&mut dice, most, 1.0),
            );
        }
    }
    for route in ["/chat", "/login"] {
        let bounds = ["0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0", "+Inf"];
        let mut below = vec![0.0; SAMPLES as usize];
        for le in bounds {
            let more = counter(&mut dice, 30, 1.0);
            below.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            add("seconds_bucket", &[("le", le), ("route", route)], below.clone());
        }
        add("seconds_count", &[("route", route)], below.clone());
        let sum = below.iter().map(|count| count * 0.7312).collect();
        add("seconds_sum", &[("route", route)], sum);
    }
    add("cpu_seconds_total", &[], counter(&mut dice, 900, 0.01));
    let resident = (0..SAMPLES).map(|_| (300_000 + dice(700_000)) as f64 * 1024.0).collect();
    add("resident_bytes", &[], resident);
    add("limit_bytes", &[], vec![1_073_741_824.0; SAMPLES as usize]);
    add("start_time_seconds", &[], vec![1_699_999_000.25; SAMPLES as usize]);
    add("open_fds", &[], (0..SAMPLES).map(|_| (20 + dice(20)) as f64).collect());
    add("max_fds", &[], vec![1024.0; SAMPLES as usize]);
    for queue in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        add("queue_depth", &[("queue", queue)], (0..SAMPLES).map(|_| dice(50) as f64).collect());
    }
    assert_eq!(rows.len(), SERIES, "as many as the table says");
    rows
}

fn rules(dir: &Path) {
    let mut by_name: Vec<(&str, String)> = Vec::new();
    let mut series = Series::new();
    for number in 0..TARGETS {
        // Not on the edge of any range.
        let own = START + (number as i64 * 7) % 10_000 + 137;
        for (name, labels, values) in target(number) {
            series.keep(name, 20 * MINUTE);
            let pairs = labels.iter().map(|(name, value)| (*name, value.as_str()));
            let id = series.intern(name, &Labels::from_pairs(pairs));
            let known = by_name.iter().position(|(known, _)| *known == name);
            let place = known.unwrap_or_else(|| {
                by_name.push((name, String::new()));
                by_name.len() - 1
            });
            let text = &mut by_name[place].1;
            let pairs: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            for (step, value) in values.into_iter().enumerate() {
                let at = own + step as i64 * EVERY;
                series.push(id, Timestamp::from_millis(at), value);
                let secs = at as f64 / 1e3;
                writeln!(text, "{name}{{{}}} {value} {secs:.3}", pairs.join(",")).expect("memory");
            }
        }
    }
    let now = Timestamp::from_millis(START + SAMPLES * EVERY);
    let texts: String = by_name.into_iter().map(|(_, text)| text).collect();
    let mut prometheus = prometheus_with(dir, &(texts + "# EOF\n"));
    println!(
        "{TARGETS} targets of {SERIES} series, {SAMPLES} samples each: \
         ms an evaluation, the best of {PASSES}\n"
    );
    println!("{:<20} {:>9} {:>9} {:>10} {:>8}", "rule", "first", "then", "Prometheus", "share");
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for (name, text) in RULES {
        let start = Instant::now();
        let mut query = Query::compile(text).expect("a query");
        let found = query.eval(&series, now, Mode::Prometheus).expect("a result");
        let first = start.elapsed();
        let pass = |_| {
            let start = Instant::now();
            let again = query.eval(&series, now, Mode::Prometheus).expect("a result");
            assert_eq!(again.len(), found.len());
            start.elapsed()
        };
        let then = (0..PASSES).map(pass).min().expect("several");
        let mut took = Duration::MAX;
        for _ in 0..PASSES {
            took = took.min(prometheus.ask(name, text, now, &found));
        }
        row(name, Some(first), then, took);
        (ours, theirs) = (ours + then, theirs + took);
    }
    row("all", None, ours, theirs);
    println!("allowed: {SHARE_MAX}\n");
}

fn row(name: &str, first: Option<Duration>, then: Duration, theirs: Duration) {
    let ms = |took: Duration| format!("{:.2}", took.as_secs_f64() * 1e3);
    let share = then.as_secs_f64() / theirs.as_secs_f64();
    let first = first.map(ms).unwrap_or_default();
    println!("{name:<20} {first:>9} {:>9} {:>10} {share:>8.3}", ms(then), ms(theirs));
}

/// A server that ends with this.
struct Server {
    child: Child,
    at: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(program: &str, args: &[String], at: SocketAddr) -> Server {
        let mut command = Command::new(program);
        command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        let child =
            child.unwrap_or_else(|error| panic!("{program}: {error}; it is Debian's package"));
        Server { child, at }
    }

    /// The body of an answer; waits until there is one.
    fn get(&mut self, path: &str) -> String {
        let ask = || {
            let mut stream = TcpStream::connect(self.at)?;
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        for _ in 0..300 {
            let answer: std::io::Result<String> = ask();
            let answer = answer.unwrap_or_default();
            if let Some((head, body)) = answer.split_once("\r\n\r\n")
                && head.contains(" 200 ")
            {
                return body.to_owned();
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{path}: the server has ended: {status}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{path} of {} does not answer", self.at)
    }

    /// How long it evaluated; the result is to be ours.
    fn ask(&mut self, name: &str, text: &str, now: Timestamp, ours: &Vector) -> Duration {
        let mut url = reqwest::Url::parse("http://x/api/v1/query").expect("an address");
        let time = format!("{:.3}", now.millis() as f64 / 1e3);
        url.query_pairs_mut().extend_pairs([("query", text), ("time", &time), ("stats", "all")]);
        let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let answer: serde_json::Value = serde_json::from_str(&self.get(&path)).expect("JSON");
        let found = answer["data"]["result"].as_array().expect("a vector");
        let sum = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>();
        let theirs = sum(&mut found.iter().map(|one| {
            one["value"][1].as_str().and_then(|text| text.parse().ok()).expect("a number")
        }));
        let same = sum(&mut ours.iter().map(|(_, value)| *value));
        assert_eq!(found.len(), ours.len(), "{name}: as many elements");
        assert!((theirs - same).abs() <= 1e-9 * same.abs(), "{name}: {theirs} is not {same}");
        let took = &answer["data"]["stats"]["timings"]["evalTotalTime"];
        Duration::from_secs_f64(took.as_f64().expect("a time"))
    }
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

/// A Prometheus that has these samples and no others.
fn prometheus_with(dir: &Path, samples: &str) -> Server {
    let (text, data) = (dir.join("samples.txt"), dir.join("data"));
    std::fs::write(&text, samples).expect("room on the disk");
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&text, &data])
        .output()
        .expect("Debian's prometheus has promtool");
    assert!(made.status.success(), "promtool: {}", String::from_utf8_lossy(&made.stderr));
    prometheus(dir, &data)
}

fn prometheus(dir: &Path, data: &Path) -> Server {
    let (config, at) = (dir.join("prometheus.yml"), free());
    std::fs::write(&config, "global: {scrape_interval: 1m}\n").expect("room on the disk");
    let args = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", data.display()),
        format!("--web.listen-address={at}"),
        "--storage.tsdb.retention.time=100y".to_owned(),
    ];
    Server::start("prometheus", &args, at)
}

/// What is kept of real exporters, at 15 s, as long as five minutes are read.
fn weight(dir: &Path) {
    let at = free();
    let node =
        Server::start("prometheus-node-exporter", &[format!("--web.listen-address={at}")], at);
    let prometheus = prometheus(dir, &dir.join("empty"));
    println!(
        "{:<20} {:>9} {:>9} {:>14} {:>8}",
        "exporter", "series", "samples", "bytes a sample", "allowed"
    );
    for (name, mut server) in [("node_exporter", node), ("Prometheus", prometheus)] {
        let (mut series, mut feed, mut table) = (Series::new(), Feed::new(), Table::default());
        let first = server.get("/metrics");
        let all: Vec<&str> =
            first.lines().filter_map(|line| line.split([' ', '{']).next()).collect();
        let wanted = Wanted::names(all.into_iter());
        for scrape in 0..SCRAPES {
            // As late as timers are, and as busy as a server that is asked.
            let now = Timestamp::from_millis(START + scrape * EVERY + scrape * 7 % 11);
            let body = server.get("/metrics");
            let page = read_page(body.as_bytes(), None, &wanted, &mut table).expect("a page");
            feed.take(&mut series, &Name::from(name), &page, now);
            std::thread::sleep(Duration::from_millis(200));
        }
        let (samples, bytes) = series.weight();
        let each = bytes as f64 / samples as f64;
        println!("{name:<20} {:>9} {samples:>9} {each:>14.2} {BYTES_MAX:>8}", series.count());
    }
}
