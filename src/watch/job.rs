//! Questions and answers: all that passes between the watch and the world.

use std::sync::Arc;

use super::Order;
use crate::metrics::{Page, Table, Wanted};
use crate::model::{
    Ask, Channel, DataSource, Exchange, Failure, Found, Inquiry, Name, Request, Silence, Source,
    Span, Timestamp, Told, WatchId,
};
use crate::notify::Letter;
use crate::record::{Handed, Outcome, Plan, Reread, Summary};

/// Tells one question from another, for one process's life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct JobId(pub u64);

/// A question that is due.
#[derive(Clone, Debug)]
pub struct Job {
    /// Comes back with the answer.
    pub id: JobId,
    /// Who asks.
    pub watch: WatchId,
    /// After this the watch itself answers *timed out*, and what comes later
    /// is counted and dropped.
    pub deadline: Timestamp,
    /// What is asked.
    pub question: Question,
}

/// What is asked of the world.
#[derive(Clone, Debug)]
pub enum Question {
    /// Which targets are there? Answer: `Reply::Discovered`.
    Discover {
        /// Where to look.
        source: Arc<Source>,
    },
    /// Is it healthy? Answer: `Reply::Exchanged`.
    Probe {
        /// Who.
        target: Name,
        /// What to send.
        request: Arc<Request>,
    },
    /// What does it measure? Answer: `Reply::Scraped`.
    Scrape {
        /// Who.
        target: Name,
        /// What to send.
        request: Arc<Request>,
        /// Families that are kept.
        wanted: Arc<Wanted>,
        /// Cap on the body, after gunzip.
        bytes_max: u64,
        /// The target's table from bytes to slots; comes back with the answer.
        table: Box<Table>,
    },
    /// What do these queries come to? Answer: `Reply::Queried`.
    Query {
        /// Who is asked.
        source: Arc<DataSource>,
        /// The queries.
        asks: Vec<Inquiry>,
        /// Cap on each body, after gunzip.
        bytes_max: u64,
        /// For all answers.
        timeout: Span,
    },
    /// Does it work? Answer: `Reply::Exchanged`.
    Smoke {
        /// Which step of the suite.
        step: usize,
        /// What to send.
        request: Arc<Request>,
        /// Whether the TLS session is to be looked at besides.
        tls: bool,
    },
    /// Does it answer, beyond HTTP? Answer: `Reply::Exchanged`.
    Check {
        /// Of which check, or which step of the smoke suite.
        name: Name,
        /// What is asked.
        ask: Arc<Ask>,
        /// For a whole answer.
        timeout: Span,
    },
    /// Carry this letter. Answer: `Reply::Delivered`.
    Deliver {
        /// To whom.
        channel: Box<Channel>,
        /// Without the secrets, which the sender looks up in the channel.
        letter: Box<Letter>,
        /// For the whole try.
        timeout: Span,
        /// Whether the facts behind it could not be stored: it says so then.
        not_stored: bool,
    },
    /// Write a summary's files. Answer: `Reply::Published`.
    Publish {
        /// Of which window.
        window: Name,
        /// What it says.
        summary: Arc<Summary>,
    },
}

/// What the world answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// To a search for targets.
    Discovered(Result<Found, String>),
    /// To a probe, a smoke test or a check beyond HTTP.
    Exchanged(Result<Exchange, Failure>),
    /// To a scrape.
    Scraped {
        /// What was read.
        page: Result<Page, Failure>,
        /// The table that went out with the question.
        table: Box<Table>,
        /// From before the connect to the last byte.
        elapsed: Span,
    },
    /// To queries: an answer to each, in their order.
    Queried(Vec<Result<Told, Failure>>),
    /// To a letter.
    Delivered(Outcome),
    /// To a publication: the files written.
    Published(Result<Vec<String>, String>),
}

/// What a watch hears.
#[derive(Clone, Debug)]
pub enum Heard {
    /// The answer to a question.
    Answer {
        /// Whose answer.
        job: JobId,
        /// What it is.
        reply: Reply,
    },
    /// The process is to stop: no new questions but letters.
    Stop,
    /// A newer release has taken this one's place.
    Superseded {
        /// Its version.
        by: Name,
        /// What its watch follows, if there is one here: alerts go on under it.
        heir: Option<Arc<Plan>>,
    },
    /// An earlier release's watch has ended, and this one goes on with its alerts.
    Inherits {
        /// Its version.
        from: Name,
        /// Those that burn.
        alerts: Vec<Handed>,
        /// Silences that hold.
        silences: Vec<Silence>,
    },
    /// The configuration was read anew: what it says now, or every error in it.
    Reloaded(Result<Box<Reread>, Vec<String>>),
    /// Somebody wants something.
    Ordered(Box<Order>),
    /// The wall clock was set.
    ClockStepped {
        /// By so much.
        by: Span,
    },
    /// Facts could not be stored (`Some`), or could be again (`None`).
    Store(Option<String>),
}
