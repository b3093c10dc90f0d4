//! Carries one question out into the world and brings its answer back. Each
//! runs in a task of its own: a slow one delays nothing but itself.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::deferred::Deferred;
use super::http::Http;
use super::secrets::Secrets;
use super::{
    alertmanager, check, command, discovery, events, publish, query, slack, smtp, webhook,
};
use crate::model::{Channel, Failure, Medium, Request, Span};
use crate::notify::{Body, Letter};
use crate::record::Outcome;
use crate::watch::{Job, JobId, Question, Reply};

/// What it takes to answer any question.
pub struct Carrier {
    /// The clients.
    pub http: Http,
    /// Where secrets are looked up.
    pub secrets: Secrets,
    /// What was taken of letters that are tried again.
    pub deferred: Arc<Deferred>,
    /// Where summaries are written.
    pub report_dir: PathBuf,
}

/// An answer on its way back; `None`: it was given up at the deadline, and
/// the watch has answered itself.
pub type Landed = (Asker, Option<Reply>);

/// Which question an answer belongs to.
pub type Asker = (crate::model::WatchId, JobId);

/// Starts a task for the question; its answer arrives at `home` in any case,
/// also when the task panics.
pub fn spawn(
    carrier: &Arc<Carrier>,
    job: Job,
    limit: Duration,
    wall_s: i64,
    home: tokio::sync::mpsc::UnboundedSender<Landed>,
) {
    let carrier = carrier.clone();
    let Job { id, watch, question, .. } = job;
    let fallback = panicked(&question);
    tokio::spawn(async move {
        let work = AssertUnwindSafe(carrier.answer(question, wall_s)).catch_unwind();
        let reply = match tokio::time::timeout(limit, work).await {
            Ok(Ok(reply)) => Some(reply),
            Ok(Err(_)) => Some(fallback),
            Err(_) => None,
        };
        // The loop is gone only when the process ends.
        let _ = home.send(((watch, id), reply));
    });
}

/// Our own mistake says nothing about the target; a letter may have left.
fn panicked(question: &Question) -> Reply {
    let why = "a task of bakewatch panicked".to_owned();
    match question {
        Question::Probe { .. }
        | Question::Scrape { .. }
        | Question::Query { .. }
        | Question::Check { .. }
        | Question::Smoke { .. } => Reply::Exchanged(Err(Failure::NotAsked(why))),
        Question::Discover { .. } => Reply::Discovered(Err(why)),
        Question::Deliver { .. } => Reply::Delivered(Outcome::Unknown { detail: why }),
        Question::Publish { .. } => Reply::Published(Err(why)),
    }
}

impl Carrier {
    /// The same by other secrets, and by the certificates and keys that are on
    /// disk now.
    pub fn with_secrets(&self, secrets: Secrets) -> Carrier {
        self.http.forget();
        self.deferred.requests.clear();
        let (http, deferred) = (self.http.clone(), self.deferred.clone());
        Carrier { http, secrets, deferred, report_dir: self.report_dir.clone() }
    }

    /// One check's exchange.
    ///
    /// # Errors
    /// Why no whole answer came.
    pub async fn exchange(&self, request: &Request) -> Result<crate::model::Exchange, Failure> {
        self.http.exchange(request, &self.secrets).await
    }

    /// Answers a question. `wall_s`: the time that receivers go by. What is not
    /// asked with every look is kept aside: else each probe would take the room of
    /// a whole delivery.
    pub async fn answer(&self, question: Question, wall_s: i64) -> Reply {
        match question {
            Question::Discover { source } => {
                let look = discovery::look(&source, &self.http, &self.secrets);
                Reply::Discovered(Box::pin(look).await)
            }
            Question::Probe { request, .. } => Reply::Exchanged(self.exchange(&request).await),
            Question::Smoke { request, tls: false, .. } => {
                Reply::Exchanged(self.exchange(&request).await)
            }
            Question::Smoke { request, tls: true, .. } => {
                let exchange = check::exchange(&self.http, &self.secrets, &request);
                Reply::Exchanged(Box::pin(exchange).await)
            }
            Question::Scrape { request, wanted, bytes_max, table, .. } => {
                self.http.scrape(&request, &self.secrets, &wanted, bytes_max, table).await
            }
            Question::Query { source, asks, bytes_max, timeout } => {
                let (http, secrets) = (&self.http, &self.secrets);
                let limits = query::Limits { bytes_max, timeout };
                Reply::Queried(Box::pin(query::ask(http, secrets, &source, &asks, limits)).await)
            }
            Question::Check { ask, timeout, .. } => {
                Reply::Exchanged(Box::pin(check::ask(&ask, timeout)).await)
            }
            Question::Deliver { channel, letter, timeout, not_stored } => {
                let deliver = self.deliver(&channel, &letter, timeout, not_stored, wall_s);
                Reply::Delivered(Box::pin(deliver).await)
            }
            Question::Publish { window, summary } => {
                let dir = self.report_dir.clone();
                let write = move || publish::publish(&dir, &window, &summary);
                let written = tokio::task::spawn_blocking(write).await;
                Reply::Published(written.unwrap_or_else(|error| Err(error.to_string())))
            }
        }
    }

    /// Carries a letter to its channel.
    pub async fn deliver(
        &self,
        channel: &Channel,
        letter: &Letter,
        timeout: Span,
        not_stored: bool,
        now_s: i64,
    ) -> Outcome {
        match (&channel.medium, &letter.body) {
            (Medium::Webhook { url, secret, .. }, Body::Webhook { json }) => {
                let one = webhook::Try { letter, json, timeout, not_stored, now_s };
                let (http, secrets, kind) = (&self.http, &self.secrets, "application/json");
                webhook::deliver(http, secrets, url, secret.as_ref(), kind, one).await
            }
            (Medium::Webhook { url, secret, .. }, Body::Text { text, content_type }) => {
                let one = webhook::Try { letter, json: text, timeout, not_stored, now_s };
                let (http, secrets) = (&self.http, &self.secrets);
                webhook::deliver(http, secrets, url, secret.as_ref(), content_type, one).await
            }
            (Medium::Alertmanager { urls, token }, Body::Post { json }) => {
                let one = alertmanager::Try { json, timeout, not_stored, now_s };
                let (http, secrets) = (&self.http, &self.secrets);
                alertmanager::deliver(http, secrets, urls, token.as_ref(), one).await
            }
            (Medium::Command { run, env }, Body::Webhook { json }) => {
                let one = command::Try { json, key: &letter.key, timeout, not_stored };
                command::deliver(&self.secrets, run, env, one).await
            }
            (Medium::Post { form, url, token }, Body::Post { json }) => {
                let one = webhook::Try { letter, json, timeout, not_stored, now_s };
                let (http, secrets) = (&self.http, &self.secrets);
                webhook::deliver_as(form, http, secrets, url, token.as_ref(), one).await
            }
            (Medium::Pagerduty { key, url }, Body::Requests(requests)) => {
                let known = &self.deferred.requests;
                let one = events::Try { letter, requests, known, timeout, not_stored, now_s };
                events::deliver(&self.http, &self.secrets, key, url.as_ref(), one).await
            }
            (Medium::SlackBot { token, url, .. }, Body::Requests(requests)) => {
                let known = &self.deferred.requests;
                let one = events::Try { letter, requests, known, timeout, not_stored, now_s };
                slack::deliver(&self.http, &self.secrets, token, url.as_ref(), one).await
            }
            (Medium::Email { to, from, smtp }, Body::Mail { .. }) => {
                let post = smtp::Post { to, from, smtp, timeout, not_stored };
                smtp::deliver(&self.secrets, &self.deferred.mails, letter, post).await
            }
            (
                Medium::Webhook { .. }
                | Medium::Post { .. }
                | Medium::Alertmanager { .. }
                | Medium::Command { .. }
                | Medium::Pagerduty { .. }
                | Medium::SlackBot { .. }
                | Medium::Email { .. },
                _,
            ) => panic!("the letter {} is not in its channel's form", letter.key),
        }
    }
}
