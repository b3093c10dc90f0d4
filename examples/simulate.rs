//! Lives many weeks with random faults and checks every promise.
//!
//! ```text
//! cargo run --release --example simulate -- --seeds 1000 [--first 0]
//! ```
//!
//! Prints the count and the time; exit 1 and the seed when a promise breaks.

#[path = "../tests/world/mod.rs"]
mod world;

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |flag: &str, default: u64| -> u64 {
        let at = arguments.iter().position(|argument| argument == flag);
        at.and_then(|at| arguments.get(at + 1)).and_then(|n| n.parse().ok()).unwrap_or(default)
    };
    let (first, seeds) = (number("--first", 0), number("--seeds", 1000));
    let plan = world::simulate::plan();
    let started = Instant::now();
    let mut sum = world::simulate::Week::default();
    let mut broken = 0;
    for seed in first..first + seeds {
        match world::simulate::week(&plan, seed) {
            Ok(week) => {
                sum.facts += week.facts;
                sum.letters += week.letters;
                sum.turns += week.turns;
                sum.crashes += week.crashes;
            }
            Err(complaints) => {
                broken += 1;
                println!("seed {seed}:\n  {}", complaints.join("\n  "));
            }
        }
    }
    let took = started.elapsed();
    println!(
        "{seeds} weeks in {:.1} s ({:.1} ms a week): {} turns, {} facts, {} letters, {} crashes, \
         {broken} with a broken promise",
        took.as_secs_f64(),
        took.as_secs_f64() * 1000.0 / seeds as f64,
        sum.turns,
        sum.facts,
        sum.letters,
        sum.crashes,
    );
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
