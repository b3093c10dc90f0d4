//! The IO side against real sockets and files, all on loopback.

pub mod cli;
mod http;
mod lock;
mod mail;
mod pulse;
mod smoke;
mod store;
mod turn;
mod webhook;
