//! All integration tests in one binary.

#[path = "../world/mod.rs"]
mod world;

mod config;
mod docs;
mod faults;
mod found;
mod io;
mod panics;
mod reload;
mod scenarios;
mod simulation;
mod time;
