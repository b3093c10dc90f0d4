//! How fast exposition is read, beside `prometheus-parse` in the same run.
//! `cargo bench --bench exposition` prints MB/s, the best of several passes,
//! and how many times as fast as that parser it is.

use std::hint::black_box;
use std::time::Instant;

use bakewatch::metrics::{Table, Wanted, read_page};
use prometheus_parse::Scrape;

const BODIES: &[(&str, &str)] = &[
    ("fastapi", include_str!("../tests/bodies/fastapi-instrumentator.prom")),
    ("otel-http", include_str!("../tests/bodies/otel-http.prom")),
    ("assistant", include_str!("../tests/bodies/seed-ai-assistant.prom")),
    ("node-exporter", include_str!("../tests/bodies/node-exporter.prom")),
];

/// About what the largest targets answer.
const BODY_BYTES: usize = 3 << 20;

/// The best of so many: what the machine's other work does not take away.
const PASSES: usize = 7;

fn main() {
    let head = ["body", "MB", "all, warm", "all, cold", "1 in 50", "families", "prometheus-parse"];
    let row = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:>17}")).collect();
        println!("{}", cells.join(" "));
    };
    row(&head.map(String::from));
    for (name, body) in BODIES {
        let body = repeat(body);
        let names = names(&body);
        let every = Wanted::names(names.iter().copied());
        let few = Wanted::names(names.iter().copied().step_by(50));
        let mut warm = Table::default();
        let mut slim = Table::default();
        let warm = speed(&body, || samples(&body, &every, &mut warm));
        let cold = speed(&body, || samples(&body, &every, &mut Table::default()));
        let few = speed(&body, || samples(&body, &few, &mut slim));
        let families = speed(&body, || samples(&body, &Wanted::all(), &mut Table::default()));
        let theirs = speed(&body, || {
            let lines = body.lines().map(|line| Ok(line.to_owned()));
            Scrape::parse_at(lines, Default::default()).map_or(0, |scrape| scrape.samples.len())
        });
        let cell = |own: f64| format!("{own:.0} ({:.1}x)", own / theirs);
        let size = format!("{:.1}", body.len() as f64 / 1e6);
        let theirs = format!("{theirs:.0}");
        let all = [cell(warm), cell(cold), cell(few), cell(families), theirs];
        row(&[&[(*name).to_owned(), size][..], &all].concat());
    }
}

fn samples(body: &str, wanted: &Wanted, table: &mut Table) -> usize {
    read_page(body.as_bytes(), None, wanted, table).expect("a readable body").samples.len()
}

/// MB/s of the best pass.
fn speed(body: &str, mut pass: impl FnMut() -> usize) -> f64 {
    let best = (0..PASSES).map(|_| {
        let start = Instant::now();
        black_box(pass());
        start.elapsed().as_secs_f64()
    });
    body.len() as f64 / 1e6 / best.fold(f64::INFINITY, f64::min)
}

/// The body of many instances: each family's lines once for each of them, so
/// that every series is another.
fn repeat(body: &str) -> String {
    let lines: Vec<&str> = body.lines().collect();
    let is_same = |a: &&str, b: &&str| a.starts_with('#') == b.starts_with('#');
    let instances = BODY_BYTES / body.len();
    let mut long = String::with_capacity(BODY_BYTES * 2);
    for block in lines.chunk_by(is_same) {
        if block[0].starts_with('#') {
            long.extend(block.iter().flat_map(|line| [line, "\n"]));
            continue;
        }
        for instance in 0..instances {
            for line in block {
                let label = format!("pod=\"shop-{instance}\"");
                let line = match (line.split_once('{'), line.split_once(' ')) {
                    (Some((name, rest)), _) => format!("{name}{{{label},{rest}\n"),
                    (None, Some((name, rest))) => format!("{name}{{{label}}} {rest}\n"),
                    (None, None) => continue,
                };
                long.push_str(&line);
            }
        }
    }
    long
}

/// The names of all samples.
fn names(body: &str) -> Vec<&str> {
    let samples = body.lines().filter(|line| !line.starts_with('#'));
    let mut names: Vec<&str> = samples.filter_map(|line| line.split(['{', ' ']).next()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
