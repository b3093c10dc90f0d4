//! All integration tests in one binary.

#[path = "../world/mod.rs"]
mod world;

mod cases;
mod config;
mod control;
mod dashboard;
mod digests;
mod docs;
mod faults;
mod flapping;
mod found;
mod hostile;
mod io;
mod panics;
mod query;
mod reload;
mod repeats;
mod replay;
mod rules;
mod scenarios;
mod simulation;
mod sourced;
mod succession;
mod suppression;
mod time;
