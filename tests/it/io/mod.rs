//! The IO side against real sockets and files, all on loopback.

mod checks;
pub mod cli;
mod command;
mod confirm;
mod direct;
mod discover;
mod dns;
mod events;
mod hangup;
mod heartbeat;
mod http;
mod lanes;
mod live;
mod lock;
mod mail;
pub mod names;
pub mod peer;
mod pulse;
mod query;
mod reach;
mod rehearse;
mod slack;
mod smoke;
mod store;
pub mod tls_server;
mod turn;
mod webhook;
