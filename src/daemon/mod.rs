//! IO: the clock, the loop, HTTP, mail, the store. It decides nothing: it
//! carries questions out, brings answers back, and keeps facts on disk.

pub mod alertmanager;
pub mod api;
pub mod backlog;
pub mod carry;
pub mod check;
mod clients;
pub mod clock;
pub mod command;
pub mod confirm;
pub mod deferred;
pub mod desk;
pub mod discovery;
pub mod dns;
pub mod events;
pub mod files;
pub mod heartbeat;
pub mod http;
pub mod journal;
mod lanes;
pub mod lean;
pub mod lock;
mod packed;
pub mod publish;
pub mod pulse;
pub mod query;
mod redirect;
pub mod rehearse;
pub mod reload;
pub mod secrets;
pub mod signal;
pub mod slack;
pub mod smtp;
pub mod store;
pub mod turn;
pub mod webhook;
