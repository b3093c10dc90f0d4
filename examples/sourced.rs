//! One world, watched twice: by its own scraping, and by asking a server that
//! holds the very samples that were scraped. `tests/peers/case_sources.py` puts
//! a real Prometheus between the two and compares the alerts.
//!
//! ```text
//! sourced scrape FILE   writes what was scraped in OpenMetrics, prints the alerts
//! sourced ask URL       asks that server instead, prints the alerts
//! ```

#[path = "../tests/world/mod.rs"]
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::{env, fs};

use bakewatch::daemon::http::Http;
use bakewatch::daemon::{query, secrets::Secrets};
use bakewatch::model::{MINUTE, Timestamp};

use world::sourced::{SOURCE, play, start, turns};

const LIMITS: query::Limits = query::Limits { bytes_max: 16 << 20, timeout: MINUTE };

/// Samples of a series by its name and labels, as they were asked for.
type Samples = BTreeMap<(String, String), Vec<String>>;

fn main() {
    let mut arguments = env::args().skip(1);
    let (how, place) = (arguments.next(), arguments.next());
    match (how.as_deref(), place) {
        (Some("scrape"), Some(file)) => {
            let mut drive = start("");
            drive.pages = Some(Vec::new());
            play(&mut drive);
            turns(&drive).iter().for_each(|turn| println!("{turn}"));
            let pages = drive.pages.take().unwrap_or_default();
            fs::write(file, open_metrics(&pages)).expect("a file that can be written");
        }
        (Some("ask"), Some(url)) => {
            let mut drive = start(&SOURCE.replace("http://prometheus:9090", &url));
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let (http, secrets) = (Http::new().expect("a client"), Secrets::default());
            let server = drive.sources.get_mut("main").expect("the source");
            server.scrapes = false;
            server.real = Some(Box::new(move |source, asks| {
                runtime.block_on(query::ask(&http, &secrets, source, asks, LIMITS))
            }));
            play(&mut drive);
            turns(&drive).iter().for_each(|turn| println!("{turn}"));
            let asked: u64 = drive.sources["main"].asked.values().sum();
            eprintln!("{asked} queries");
        }
        _ => eprintln!("sourced scrape FILE | sourced ask URL"),
    }
}

/// Prometheus stamps a sample when it asks for it; so are these.
fn open_metrics(pages: &[(Timestamp, String, String)]) -> String {
    let mut samples = Samples::new();
    for (at, target, page) in pages {
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').expect("a sample");
            let (name, labels) = series.split_once('{').expect("labels");
            let labels = labels.trim_end_matches('}');
            let labels = format!("{labels}instance=\"{target}\",job=\"chat\"");
            let at = at.millis() as f64 / 1000.0;
            let points = samples.entry((name.to_owned(), labels)).or_default();
            points.push(format!("{value} {at:.3}"));
        }
    }
    let mut text = String::new();
    for ((name, labels), points) in &samples {
        for point in points {
            let _ = writeln!(text, "{name}{{{labels}}} {point}");
        }
    }
    text + "# EOF\n"
}
