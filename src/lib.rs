//! bakewatch stands watch over a release while it has to prove itself: smoke
//! tests at once, then a first day and a first week of health, metrics and
//! rules, told by webhook and mail, with a verdict at each window's end.
//!
//! This page is the map. Read it first, then the room you came for.
//!
//! # The picture
//!
//! A watch asks the world questions (jobs), hears answers, and writes down
//! facts. Everything else, the alert, the letter, the report, is a reading of
//! those facts. It never looks at a clock, a socket or a disk; somebody tells
//! it the time.
//!
//! ```text
//!            ask(now) ─────────▶ jobs ─────────▶ ┌────────┐
//!  ┌───────┐                                     │ daemon │ ◀──▶ targets, receivers
//!  │ watch │ ◀──────── answers ◀──────────────── └────────┘
//!  └───────┘                                          ▲
//!            hear(now, answers) ──▶ facts ──▶ store ──┘ synced before the next ask
//!                                     │
//!                                     ▼ Record::apply
//!                       record ──▶ news ──▶ letters,  summary ──▶ report
//! ```
//!
//! # The rooms, in import order
//!
//! A room imports only rooms above it; the `tidy` test holds that.
//!
//! | room | question |
//! |---|---|
//! | [`model`] | the vocabulary: time, labels, target, release, reading, verdict |
//! | [`metrics`] | what was measured: exposition → series → PromQL → signal, and the presets |
//! | [`check`] | what was tried: requests, assertions, smoke, checks beyond HTTP, health |
//! | [`judge`] | what it means: rules, alert phases, verdicts |
//! | [`record`] | what is known: facts and `Record::apply` |
//! | [`report`] | what a window amounts to, in text, Markdown, HTML and JSON |
//! | [`notify`] | who is told, in which words, and when again |
//! | [`watch`] | the conductor: ask, hear, wake; and the fleet of watches |
//! | [`config`] | texts → a checked plan, with every error at once |
//! | [`daemon`] | IO: clock, loop, HTTP and other checks, mail, store, answers to readers |
//! | [`cli`] | one file a command |
//!
//! `model` to `config` are pure: no runtime, no clock, no socket, no disk, no
//! chance, no order that a hasher made. Only `daemon` and `cli` do IO.
//!
//! # Invariants
//!
//! 1. Memory changes only in `Record::apply`; the same facts give the same
//!    record, byte for byte.
//! 2. Every job is answered: after its deadline the watch itself answers
//!    *timed out* (for a letter: outcome unknown); what comes later is dropped.
//! 3. Decisions are stored before anything that rests on them is sent. A
//!    failure to store is itself told; letters then still go, marked.
//! 4. Whether an alert is true never depends on who is told.
//! 5. No sample, no verdict. Absent, stale, without traffic, unobservable,
//!    saw-tooth, without a baseline and unanswered are seven readings.
//! 6. Every limit that is hit is a fact and shows in the report.
//! 7. Secrets are references until the last moment; a filled letter is never
//!    stored.
//! 8. A slow target, channel or disk delays nothing but itself.

pub mod check;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod judge;
pub mod metrics;
pub mod model;
pub mod notify;
pub mod record;
pub mod report;
pub mod watch;
