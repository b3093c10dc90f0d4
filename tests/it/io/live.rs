//! `check --live` against services that answer as they are told.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE};
use axum::response::IntoResponse;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8";

/// As OpenMetrics writes it: a unit, exemplars, creation times, and names that
/// no classic client could write.
const BODY: &str = r#"# HELP shop.requests Requests.
# TYPE "shop.requests" counter
{"shop.requests_total","http.code"="200"} 990.0 # {trace_id="4bf92f"} 1.0 1764200000.5
{"shop.requests_total","http.code"="500"} 10.0
{"shop.requests_created","http.code"="200"} 1764200000.1
# TYPE shop_latency_seconds histogram
# UNIT shop_latency_seconds seconds
shop_latency_seconds_bucket{le="1.0"} 900.0 # {trace_id="4bf92f"} 0.2
shop_latency_seconds_bucket{le="5.0"} 1000.0
shop_latency_seconds_bucket{le="+Inf"} 1000.0
shop_latency_seconds_count 1000.0
shop_latency_seconds_sum 300.0
shop_latency_seconds_created 1764200000.1
# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{image="shop"} 5.0
# TYPE container_spec_memory_limit_bytes gauge
container_spec_memory_limit_bytes{image="shop"} 0.0
# EOF
"#;

const PLAN: &str = r#"
[targets]
health = "/healthz"

[[preset]]
name     = "shop"
requests = ["shop.requests_total"]
errors   = { matcher = '"http.code"=~"5.."' }
latency  = [{ name = "shop_latency_seconds", unit = "s" }]
"#;

/// A service with this exposition; and the `Accept` of each scrape.
async fn service(body: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let accepts = asked.clone();
    let answer = move |uri: Uri, headers: HeaderMap| async move {
        match uri.path() {
            "/metrics" => {
                let accept = headers.get("accept").map(|value| value.to_str().unwrap().to_owned());
                accepts.lock().unwrap().push(accept.unwrap_or_default());
                ([(CONTENT_TYPE, OPEN_METRICS)], body).into_response()
            }
            "/healthz" => "ok".into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, asked)
}

async fn check(dir: &Path, url: &str, plan: &str) -> (Option<i32>, String) {
    let file = dir.join("bakewatch.toml");
    std::fs::write(&file, format!("url = \"{url}\"\n{plan}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
    command.args(["check", "--live", "-c"]).arg(file).stdin(Stdio::null());
    let run = move || command.output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap().replace(url, "URL"))
}

#[tokio::test]
async fn asks_as_prometheus_3_does_and_reads_openmetrics_with_any_names() {
    let (dir, (url, asked)) = (tempfile::tempdir().unwrap(), service(BODY).await);
    let (code, out) = check(dir.path(), &url, PLAN).await;
    assert_eq!(code, Some(0), "{out}");
    assert_eq!(
        asked.lock().unwrap()[..],
        ["application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
          application/openmetrics-text;version=0.0.1;q=0.5,\
          text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
          text/plain;version=0.0.4;q=0.3,*/*;q=0.2"]
    );
    for line in [
        "health /healthz      healthy: 200, \"ok\"",
        "Signals, by shop, cadvisor",
        "error_ratio   {\"shop.requests_total\",\"http.code\"=~\"5..\"} (shop)",
        "latency       shop_latency_seconds (shop)",
    ] {
        assert!(out.contains(line), "{line}\nis not in\n{out}");
    }
}

#[tokio::test]
async fn tells_which_rules_can_never_fire_and_why() {
    let (dir, (url, _)) = (tempfile::tempdir().unwrap(), service(BODY).await);
    let (_, out) = check(dir.path(), &url, PLAN).await;
    let (can, never) = out.split_once("Rules that can never fire").expect("some cannot");
    assert!(can.contains("HighErrorRate") && can.contains("IncreasedLatency"), "{out}");
    for words in [
        "the top finite bucket of shop_latency_seconds is 5s, so a bound of 10s cannot be shown",
        "the query gives nothing: a limit of 0 or -1",
        "no health answer bears a time or an uptime that could stand still",
    ] {
        assert!(never.contains(words), "{words}\nis not in\n{never}");
    }
    let (_, out) =
        check(dir.path(), &url, &format!("{PLAN}[resources]\nmax-replicas = 10\n")).await;
    let (_, never) = out.split_once("Rules that can never fire").expect("some cannot");
    assert!(never.contains("1 target is named, and more than 9 would have to answer"), "{out}");
    let (_, out) = check(dir.path(), &url, &format!("{PLAN}[resources]\nmax-replicas = 1\n")).await;
    let (can, _) = out.split_once("Rules that can never fire").expect("some cannot");
    assert!(can.contains("ReplicasAtMaximum"), "{out}");
    let own = "[[rule]]\nname = \"Queue\"\nquery = \"sum(shop_queue)\"\nabove = 5\n";
    let (code, out) = check(dir.path(), &url, &format!("{PLAN}{own}")).await;
    assert_eq!(code, Some(3), "a rule of the file cannot be watched\n{out}");
    assert!(out.contains("there is no metric shop_queue"), "{out}");
}

#[tokio::test]
async fn finds_the_health_where_nobody_said_it_and_exits_4_where_nobody_answers() {
    let (dir, (url, _)) = (tempfile::tempdir().unwrap(), service(BODY).await);
    let (code, out) = check(dir.path(), &url, "").await;
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("there is no health endpoint at /health\n"), "{out}");
    let (code, out) = check(dir.path(), &url, "require = [\"error_ratio\"]").await;
    assert_eq!(code, Some(3), "{out}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let (code, out) = check(dir.path(), &url, "").await;
    assert_eq!(code, Some(4), "{out}");
    assert!(out.contains("health /health       unhealthy: connection refused"), "{out}");
}

#[tokio::test]
async fn takes_a_page_that_is_cut_off_for_none() {
    let (dir, (url, _)) = (tempfile::tempdir().unwrap(), service("x_total 1\n").await);
    let (code, out) = check(dir.path(), &url, "").await;
    assert_eq!(code, Some(3), "{out}");
    assert!(out.contains("cut off: OpenMetrics ends with # EOF"), "{out}");
}

#[tokio::test]
async fn asks_the_targets_that_are_found_and_says_where_none_are() {
    let (dir, (url, _)) = (tempfile::tempdir().unwrap(), service(BODY).await);
    let found = dir.path().join("found.json");
    let plan = format!(
        "service = \"shop\"\n[targets]\nhealth = \"/healthz\"\n\
         discover = [{{ file = {found:?} }}]\n\
         [[rule]]\nname = \"Slow\"\nquery = \"shop_latency_seconds_sum\"\nabove = 5\n"
    );
    let place = url.strip_prefix("http://").unwrap().to_owned();
    std::fs::write(&found, format!("[{{\"targets\": [{place:?}]}}]")).unwrap();
    let (code, out) = check(dir.path(), &url, &plan).await;
    assert_eq!(code, Some(0), "{out}");
    for line in ["1 target(s)", "answers\n  health /healthz", "  Slow "] {
        assert!(out.contains(line), "{line}\nis not in\n{out}");
    }
    std::fs::write(&found, "[]").unwrap();
    let (code, out) = check(dir.path(), &url, &plan).await;
    assert_eq!((code, out.contains("0 target(s)")), (Some(3), true), "{out}");
    std::fs::remove_file(&found).unwrap();
    let (code, out) = check(dir.path(), &url, &plan).await;
    assert_eq!((code, out.contains("does not answer")), (Some(4), true), "{out}");
}
