//! Seeds of the simulated week; thousands by
//! `cargo run --release --example simulate -- --seeds 1000`.

use crate::world::simulate::{self, Grain};

fn weeks(grain: Grain, seeds: std::ops::Range<u64>) {
    let course = simulate::course(grain);
    for seed in seeds {
        if let Err(complaints) = simulate::week(&course, seed) {
            panic!("seed {seed}:\n{}", complaints.join("\n"));
        }
    }
}

#[test]
fn fifty_weeks_of_random_faults_keep_every_promise() {
    weeks(Grain::Coarse, 0..50);
}

#[test]
fn so_do_ten_that_are_looked_at_each_minute() {
    weeks(Grain::Fine, 0..10);
}
