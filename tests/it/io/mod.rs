//! The IO side against real sockets and files, all on loopback.

mod cli;
mod http;
mod live;
mod lock;
mod mail;
mod pulse;
mod store;
mod turn;
mod webhook;
