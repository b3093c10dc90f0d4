//! The IO side against real sockets and files, all on loopback.

mod cli;
mod discover;
mod dns;
mod http;
mod lock;
mod mail;
mod names;
mod peer;
mod pulse;
mod reach;
mod store;
mod turn;
mod webhook;
