//! The demo's fleet: replicas of the checklist's service on real loopback
//! sockets, living on the demo's clock.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use super::life::{GRAIN, conditions};
use crate::model::Timestamp;

/// The clock that the fleet lives by: milliseconds since the epoch.
pub type SharedClock = Arc<AtomicI64>;

struct Replica {
    number: usize,
    clock: SharedClock,
    released: Timestamp,
    served: Mutex<Served>,
}

/// All requests so far.
#[derive(Clone, Copy, Default)]
struct Served {
    to: Option<Timestamp>,
    good: f64,
    bad: f64,
    fast: f64,
    slow: f64,
}

/// Upper bounds of the latency histogram, in milliseconds, with the share of
/// the quick requests at or below each. (OpenTelemetry's default bounds.)
const BUCKETS: [(f64, f64); 15] = [
    (0.0, 0.0),
    (5.0, 0.0),
    (10.0, 0.0),
    (25.0, 0.0),
    (50.0, 0.0),
    (75.0, 0.0),
    (100.0, 0.01),
    (250.0, 0.12),
    (500.0, 0.41),
    (750.0, 0.63),
    (1000.0, 0.79),
    (2500.0, 0.978),
    (5000.0, 0.9985),
    (7500.0, 0.9999),
    (10000.0, 1.0),
];

const MEMORY_LIMIT: f64 = 2_147_483_648.0;

/// Starts `count` replicas; gives their addresses.
pub async fn start(
    count: usize,
    clock: &SharedClock,
    released: Timestamp,
) -> std::io::Result<Vec<String>> {
    let mut addresses = Vec::new();
    for number in 0..count {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        addresses.push(format!("http://{}", listener.local_addr()?));
        let served = Mutex::default();
        let replica = Arc::new(Replica { number, clock: clock.clone(), released, served });
        let routes = axum::Router::new()
            .route("/health", get(health))
            .route("/health/ready", get(health))
            .route("/api/chat", post(chat))
            .route("/metrics", get(metrics))
            .with_state(replica);
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }
    Ok(addresses)
}

impl Replica {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.load(Ordering::Acquire))
    }

    fn is_up(&self) -> bool {
        conditions(self.number, self.now().since(self.released)).is_up
    }

    /// Serves its users up to now, with all that they lived through meanwhile.
    fn live(&self) -> Served {
        let now = self.now();
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = served.to.unwrap_or(self.released);
        while at < now {
            let next = (at + GRAIN).min(now);
            let then = conditions(self.number, at.since(self.released));
            let seconds = next.since(at).seconds_f64();
            let requests = if then.is_up { then.rps * seconds } else { 0.0 };
            served.bad += requests * then.errors;
            served.good += requests * (1.0 - then.errors);
            served.slow += requests * then.slow;
            served.fast += requests * (1.0 - then.slow);
            at = next;
        }
        served.to = Some(now);
        *served
    }
}

async fn health(State(replica): State<Arc<Replica>>) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    if replica.is_up() {
        let body = r#"{"status":"healthy","components":[{"name":"redis","status":"healthy"}]}"#;
        (StatusCode::OK, json, body).into_response()
    } else {
        let body = r#"{"status":"unhealthy","components":[{"name":"redis","status":"unhealthy"}]}"#;
        (StatusCode::SERVICE_UNAVAILABLE, json, body).into_response()
    }
}

async fn chat(State(replica): State<Arc<Replica>>) -> Response {
    if !replica.is_up() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let body = r#"{"response":"Hello! How can I help?","success":true,"chat_id":"demo-1"}"#;
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn metrics(State(replica): State<Arc<Replica>>) -> Response {
    let served = replica.live();
    let now = conditions(replica.number, replica.now().since(replica.released));
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (StatusCode::OK, kind, exposition(&served, now.memory, replica.released)).into_response()
}

fn exposition(served: &Served, memory: f64, started: Timestamp) -> String {
    let mut text = String::with_capacity(4096);
    text.push_str("# TYPE ai_assistant_requests_total counter\n");
    for (success, count) in [("true", served.good), ("false", served.bad)] {
        line(&mut text, "ai_assistant_requests_total", "success", success, count.floor());
    }
    text.push_str("# TYPE ai_assistant_request_latency_milliseconds histogram\n");
    let latency = "ai_assistant_request_latency_milliseconds";
    let bucket = format!("{latency}_bucket");
    for (bound, share) in BUCKETS {
        let le = format!("{bound:.1}");
        line(&mut text, &bucket, "le", &le, (served.fast * share).floor());
    }
    let all = served.fast.floor() + served.slow.floor();
    line(&mut text, &bucket, "le", "+Inf", all);
    let sum = (served.fast * 620.0 + served.slow * 30_000.0).floor();
    let _ = writeln!(text, "{latency}_sum {sum}\n{latency}_count {all}");
    let resident = (memory * MEMORY_LIMIT).floor();
    let cpu = (served.good * 0.021).floor();
    let start = started.millis() / 1000;
    let _ = write!(
        text,
        "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {resident}\n\
         # TYPE process_memory_limit_bytes gauge\nprocess_memory_limit_bytes {MEMORY_LIMIT}\n\
         # TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total {cpu}\n\
         # TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {start}\n"
    );
    text
}

fn line(text: &mut String, name: &str, label: &str, value: &str, count: f64) {
    let _ = writeln!(text, "{name}{{{label}=\"{value}\"}} {count}");
}
