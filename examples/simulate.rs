//! Lives many weeks with random faults and checks every promise.
//!
//! ```text
//! cargo run --release --example simulate -- --seeds 1000 [--first 0] [--cores N] [--fine]
//! ```
//!
//! `--fine`: weeks that are looked at each minute, of which each takes longer.
//!
//! Prints the count and the time; exit 1 and the seed when a promise breaks.

#[path = "../tests/world/mod.rs"]
mod world;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use world::simulate::Grain;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |flag: &str, default: u64| -> u64 {
        let at = arguments.iter().position(|argument| argument == flag);
        at.and_then(|at| arguments.get(at + 1)).and_then(|n| n.parse().ok()).unwrap_or(default)
    };
    let (first, seeds) = (number("--first", 0), number("--seeds", 1000));
    let cores =
        number("--cores", std::thread::available_parallelism().map_or(1, |n| n.get() as u64));
    let is_fine = arguments.iter().any(|argument| argument == "--fine");
    let grain = if is_fine { Grain::Fine } else { Grain::Coarse };
    let course = world::simulate::course(grain);
    let started = Instant::now();
    let (next, sum) = (AtomicU64::new(first), Mutex::new((world::simulate::Week::default(), 0)));
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= first + seeds {
            return;
        }
        let week = world::simulate::week(&course, seed);
        let mut sum = sum.lock().expect("no worker panics with the sum in hand");
        match week {
            Ok(week) => sum.0.add(week),
            Err(complaints) => {
                sum.1 += 1;
                println!("seed {seed}:\n  {}", complaints.join("\n  "));
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| worker.join().expect("a week panicked"));
    });
    let (sum, broken) = sum.into_inner().expect("no worker panicked");
    let took = started.elapsed();
    println!(
        "{seeds} weeks in {:.1} s ({:.1} ms a week, on {cores} cores): {} turns, {} facts, \
         {} letters, {} crashes, {} reloads, {} silences, {broken} with a broken promise",
        took.as_secs_f64(),
        took.as_secs_f64() * 1000.0 / seeds as f64,
        sum.turns,
        sum.facts,
        sum.letters,
        sum.crashes,
        sum.reloads,
        sum.silences,
    );
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
