//! Fifty seeds of the simulated week; thousands by
//! `cargo run --release --example simulate -- --seeds 1000`.

use crate::world::simulate;

#[test]
fn fifty_weeks_of_random_faults_keep_every_promise() {
    let course = simulate::course();
    for seed in 0..50 {
        if let Err(complaints) = simulate::week(&course, seed) {
            panic!("seed {seed}:\n{}", complaints.join("\n"));
        }
    }
}
