//! What a running watch answers over HTTP, in the shapes of Prometheus's own
//! API, so that whatever can ask a Prometheus can ask a watch.
//!
//! There are two doors. The socket in the state directory is for whoever may
//! read that directory; a TCP address, if `listen` names one, is for whoever
//! reaches it, and gets `reading` alone. Whatever is to change a watch is in
//! `control`, behind the socket only. One thing people say from outside: that a
//! test alert has reached them, in `confirm`, by a link that only its letter has.

mod answer;
mod catalogue;
pub mod client;
mod confirm;
mod control;
mod deliveries;
pub mod form;
pub mod listen;
mod query;
mod standing;

pub use confirm::confirming;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::answer::Problem;
use self::form::Form;
use super::desk::Desk;
use crate::metrics::{Depth, Excerpt, Want};
use crate::model::{Name, Timestamp};

/// So many questions are read, copied for and worked out at once, others wait:
/// the rest of the machine belongs to the service, and to the watch.
const AT_ONCE: usize = 2;

/// Ten times the longest form that a dashboard sends.
const FORM_BYTES_MAX: usize = 64 << 10;

/// So long the watch waits for one copy: several times what the largest takes,
/// and less than a turn may wait for a slow disk.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// What takes longer is given up (Prometheus's default).
const TIMEOUT: Duration = Duration::from_secs(120);

/// Who answers.
#[derive(Clone, Debug)]
struct Api {
    desk: Desk,
    slots: Arc<Semaphore>,
}

/// What was copied for a question, and what it was copied of.
struct Copied {
    excerpt: Excerpt,
    now: Timestamp,
    services: Vec<Name>,
    /// The next question is read when this copy is gone.
    _turn: Turn,
}

/// A question's turn, for as long as it is held.
type Turn = OwnedSemaphorePermit;

/// All that reads: no request to it changes anything.
pub fn reading(desk: Desk) -> Router {
    let api = Api { desk, slots: Arc::new(Semaphore::new(AT_ONCE)) };
    Router::new()
        .route("/api/v1/query", get(query::instant).post(query::instant))
        .route("/api/v1/query_range", get(query::range).post(query::range))
        .route("/api/v1/query_exemplars", get(catalogue::nothing).post(catalogue::nothing))
        .route("/api/v1/series", get(catalogue::series).post(catalogue::series))
        .route("/api/v1/labels", get(catalogue::labels).post(catalogue::labels))
        .route("/api/v1/label/{name}/values", get(catalogue::values))
        .route("/api/v1/metadata", get(catalogue::metadata))
        .route("/api/v1/rules", get(standing::rules))
        .route("/api/v1/alerts", get(standing::alerts))
        .route("/api/v1/deliveries", get(deliveries::deliveries))
        .route("/api/v1/status/buildinfo", get(standing::build))
        .route("/-/healthy", get(standing::healthy))
        .route("/-/ready", get(standing::ready))
        .fallback(answer::unknown)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(api)
}

/// Orders to the watches: for whoever may write in the state directory.
pub fn control(desk: Desk) -> Router {
    Router::new()
        .route("/api/v1/control/silence", post(control::silence))
        .route("/api/v1/control/unsilence", post(control::unsilence))
        .route("/api/v1/control/acknowledge", post(control::acknowledge))
        .route("/api/v1/control/replay", post(control::replay))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(desk)
}

impl Api {
    /// Waits for a turn. Whatever costs a question more than its own bytes is
    /// done within it.
    async fn turn(&self) -> Result<Turn, Problem> {
        let turn = tokio::time::timeout(TIMEOUT, self.slots.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| late(TIMEOUT))?;
        turn.map_err(|error| Problem::Unavailable(error.to_string()))
    }

    /// Copies of what is wanted; `span`: from when to when, else now.
    async fn copy(
        &self,
        turn: Turn,
        wants: Vec<Want>,
        span: Option<(Timestamp, Timestamp)>,
        depth: Depth,
        form: &Form,
    ) -> Result<Copied, Problem> {
        let service = form.get("service").map(str::to_owned);
        let look = move |fleet: &crate::watch::Fleet, now: Timestamp| {
            let until = Instant::now() + LOOK_MAX;
            let excerpt = Excerpt::new(wants, span.unwrap_or((now, now)), depth);
            let mut excerpt = excerpt.as_long_as(move || Instant::now() < until);
            fleet.read(&mut excerpt, service.as_deref(), now)?;
            let services = if service.is_none() { fleet.services() } else { Vec::new() };
            Ok(Copied { excerpt, now, services, _turn: turn })
        };
        let copied: Result<Copied, String> =
            self.desk.ask(look).await.map_err(Problem::Unavailable)?;
        copied.map_err(Problem::Execution)
    }
}

/// Works an answer out where it holds up nobody. It may be given up by whoever
/// waits for it, but not be cut off: what it holds is free when it ends.
async fn work<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::time::timeout(patience, tokio::task::spawn_blocking(work)).await {
        Ok(done) => done.map_err(|error| Problem::Internal(error.to_string()))?,
        Err(_) => Err(late(patience)),
    }
}

fn late(patience: Duration) -> Problem {
    Problem::Timeout(format!("not answered within {patience:?}"))
}
