//! The smoke suite of the real binary: what steps hand on, what is cleaned up
//! and when, and what is written of it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::sync::Notify;

use super::cli::bakewatch;

/// A shop that remembers what it was asked: orders are made, read with a
/// token, and deleted; what it is asked first it cannot do.
#[derive(Clone, Default)]
struct Shop {
    asked: Arc<Mutex<Vec<String>>>,
    is_waiting: Arc<Notify>,
}

impl Shop {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn count(&self, what: &str) -> usize {
        self.asked().iter().filter(|one| one.starts_with(what)).count()
    }
}

async fn serve(State(shop): State<Shop>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (run, token) = (header("x-bakewatch-run"), header("authorization"));
    if uri.path() == "/metrics" {
        return StatusCode::NOT_FOUND.into_response(); // no part of the suite
    }
    let line = format!(
        "{} {} run={} token={}",
        method,
        uri,
        run.unwrap_or("none").len(),
        token.unwrap_or("none")
    );
    shop.asked.lock().unwrap().push(line);
    match (method.as_str(), uri.path()) {
        ("POST", "/orders") => {
            (StatusCode::CREATED, r#"{"id":"a/1","token":"s3cret-of-today"}"#).into_response()
        }
        ("GET", "/orders/a%2F1") => r#"{"id":"a/1","echo":"s3cret-of-today"}"#.into_response(),
        ("GET", "/flaky") if shop.count("GET /flaky") == 1 => {
            (StatusCode::SERVICE_UNAVAILABLE, "starting").into_response()
        }
        ("GET", "/moved") => (StatusCode::FOUND, [("location", "/home")]).into_response(),
        ("GET", "/hangs") => {
            shop.is_waiting.notify_one();
            std::future::pending().await
        }
        ("GET", "/forbidden") => StatusCode::FORBIDDEN.into_response(),
        _ => "well".into_response(),
    }
}

async fn shop() -> (Shop, String) {
    let (shop, listener) =
        (Shop::default(), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(serve).with_state(shop.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (shop, url)
}

/// A file with these steps and nothing of the checklist.
fn write(dir: &Path, url: &str, steps: &str) -> String {
    let names = ["is healthy", "is ready", "answers a question"];
    let off = names.map(|name| format!("[[smoke]]\nname = \"{name}\"\noff = true\n")).concat();
    let file = dir.join("smoke.toml");
    std::fs::write(&file, format!("service = \"shop\"\nurl = \"{url}\"\n{off}{steps}")).unwrap();
    file.display().to_string()
}

const ORDERS: &str = r#"
[[smoke]]
name    = "removes the order"
request = { method = "DELETE", path = "/orders/{{id}}" }
expect  = ["status == 200"]
cleanup = true

[[smoke]]
name    = "orders"
request = { method = "POST", path = "/orders" }
expect  = ["status == 201"]
capture = { id = "json $.id", token = "json $.token" }
"#;

#[tokio::test]
async fn hands_on_what_it_captured_and_shows_no_token() {
    let (dir, (shop, url)) = (tempfile::tempdir().unwrap(), shop().await);
    let steps = format!(
        "{ORDERS}
[[smoke]]
name    = \"reads the order\"
request = {{ path = \"/orders/{{{{id}}}}\", headers = {{ authorization = \"Bearer {{{{token}}}}\" }} }}
expect  = [\"json $.id == {{{{id}}}}\", \"json $.echo == nothing\"]
must    = false
retry   = {{ deadline = \"0s\" }}
"
    );
    let file = write(dir.path(), &url, &steps);
    let outputs = ["text", "junit", "tap", "json", "html", "gitlab", "markdown"]
        .map(|kind| format!("{kind}={}", dir.path().join(kind).display()));
    let mut args = vec!["smoke", "-c", &file];
    args.extend(outputs.iter().flat_map(|output| ["--output", output]));
    let (code, out, err) = bakewatch(dir.path(), &args).await;
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    let asked = shop.asked();
    assert_eq!(asked[1], "GET /orders/a%2F1 run=16 token=Bearer s3cret-of-today");
    assert!(asked[2].starts_with("DELETE /orders/a%2F1 "), "{asked:?}");
    for kind in ["text", "junit", "tap", "json", "html", "gitlab", "markdown"] {
        let text = std::fs::read_to_string(dir.path().join(kind)).unwrap();
        assert!(!text.contains("s3cret") && text.contains("***"), "{kind}: {text}");
    }
}

#[tokio::test]
async fn reads_a_failure_under_the_users_own_line_and_cleans_up() {
    let (dir, (shop, url)) = (tempfile::tempdir().unwrap(), shop().await);
    let steps = format!(
        "{ORDERS}
[[smoke]]
name    = \"stays where it is\"
request = {{ path = \"/moved\" }}
expect  = [\"redirects == 0\",
           \"redirect to \\\"{url}/elsewhere\\\"\"]
retry   = {{ deadline = \"0s\" }}

[[smoke]]
name    = \"is never asked\"
request = {{ path = \"/never\" }}
expect  = [\"status == 200\"]
"
    );
    let file = write(dir.path(), &url, &steps);
    let (code, out, err) = bakewatch(dir.path(), &["smoke", "-c", &file]).await;
    assert_eq!(code, Some(1), "{out}{err}");
    let text = std::fs::read_to_string(&file).unwrap();
    let line = text.lines().position(|line| line.contains("redirect to")).unwrap() + 1;
    let place = format!("       --> {file}:{line}\n");
    let reading = format!(
        "       | redirect to \"{url}/elsewhere\"\n       |             {}\n       \
         |   actual    \"{url}/home\"\n       |   expected  \"{url}/elsewhere\"\n",
        "^".repeat(url.len() + "\"/elsewhere\"".len())
    );
    assert!(out.contains(&place) && out.contains(&reading), "{out}");
    assert!(out.contains("SKIP   is never asked"), "{out}");
    assert_eq!((shop.count("DELETE"), shop.count("GET /never")), (1, 0));
}

#[tokio::test]
async fn follows_as_far_as_it_is_told_and_calls_a_later_pass_flaky() {
    let (dir, (_, url)) = (tempfile::tempdir().unwrap(), shop().await);
    let steps = r#"
[[smoke]]
name    = "finds its way"
request = { path = "/moved", follow = 1 }
expect  = ["redirects == 1", "url endsWith /home", "body == well"]

[[smoke]]
name    = "comes up"
request = { path = "/flaky" }
expect  = ["status == 200"]
retry   = { deadline = "10s", interval = "1s" }
"#;
    let file = write(dir.path(), &url, steps);
    let github = ["smoke", "-c", &file, "--output", "text", "--output", "github"];
    let (code, out, err) = bakewatch(dir.path(), &github).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("FLAKY  comes up") && out.contains("2 passed (1 flaky)"), "{out}");
    let notice = "title=shop%3A comes up (flaky)::status == 200: got 503 (saying starting)";
    assert!(out.contains("::notice file=") && out.contains(notice), "{out}");
}

#[tokio::test]
async fn ends_a_hopeless_suite_as_failed() {
    let (dir, (shop, url)) = (tempfile::tempdir().unwrap(), shop().await);
    let steps = r#"
[[smoke]]
name    = "is let in"
request = { path = "/forbidden" }
expect  = ["status == 200"]
halt-if = ["status == 403"]
must    = false

[[smoke]]
name    = "is never asked"
request = { path = "/never" }
expect  = ["status == 200"]
"#;
    let file = write(dir.path(), &url, steps);
    let (code, out, err) = bakewatch(dir.path(), &["smoke", "-c", &file]).await;
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("not tried: halted by \"is let in\""), "{out}");
    assert_eq!(shop.asked().len(), 1);
}

/// Starts a suite that makes an order and then hangs, and stops it there.
async fn stopped_while_it_hangs(command: &[&str], signal: &str) -> (Shop, Option<i32>, String) {
    let (dir, (shop, url)) = (tempfile::tempdir().unwrap(), shop().await);
    let steps = format!(
        "{ORDERS}
[[smoke]]
name    = \"hangs\"
request = {{ path = \"/hangs\", timeout = \"1s\" }}
expect  = [\"status == 200\"]
"
    );
    let file = write(dir.path(), &url, &steps);
    let mut started = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
    started.args(command).args(["-c", &file]).env("STATE_DIRECTORY", dir.path());
    started.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = started.spawn().unwrap();
    let waiting = tokio::time::timeout(Duration::from_secs(20), shop.is_waiting.notified());
    waiting.await.expect("it comes to the step that hangs");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let output = output.await.unwrap();
    (shop, output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn cleans_up_when_the_pipeline_stops_it() {
    for signal in ["-INT", "-TERM"] {
        let (shop, code, out) = stopped_while_it_hangs(&["smoke"], signal).await;
        assert_eq!(code, Some(130), "{signal}: {out}");
        assert_eq!(shop.count("DELETE /orders/a%2F1"), 1, "{signal}: {out}");
        assert!(out.contains("FAIL   hangs"), "{signal}: {out}");
        assert!(out.contains("PASS   removes the order"), "{signal}: {out}");
    }
}

#[tokio::test]
async fn cleans_up_when_a_watch_is_stopped_in_its_suite() {
    let run = ["run", "--release", "v1", "--until", "smoke"];
    for signal in ["-INT", "-TERM"] {
        let (shop, code, out) = stopped_while_it_hangs(&run, signal).await;
        assert_eq!(code, Some(130), "{signal}: {out}");
        assert_eq!(shop.count("DELETE /orders/a%2F1"), 1, "{signal}: {out}");
    }
}

#[tokio::test]
async fn tells_a_watchs_suite_in_the_same_forms_also_when_it_was_run_before() {
    let (dir, (_, url)) = (tempfile::tempdir().unwrap(), shop().await);
    let file = write(dir.path(), &url, ORDERS);
    for name in ["first.xml", "again.xml"] {
        let output = format!("junit={}", dir.path().join(name).display());
        let run = ["run", "-c", &file, "--release", "v1", "--until", "smoke", "--output", &output];
        let (code, out, err) = bakewatch(dir.path(), &run).await;
        assert_eq!(code, Some(0), "{out}{err}");
    }
    let read = |name| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let first = read("first.xml");
    assert!(first.contains("tests=\"2\" failures=\"0\"") && first.contains("value=\"v1\""));
    assert_eq!(first, read("again.xml"));
}

#[tokio::test]
async fn refuses_two_documents_in_one_place_and_kinds_that_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let check = async |command: &[&str]| {
        let (code, _, err) = bakewatch(dir.path(), command).await;
        assert_eq!(code, Some(2));
        err
    };
    let url = "http://127.0.0.1:1";
    let two = check(&["smoke", url, "--output", "junit", "--output", "tap"]).await;
    assert!(two.contains("junit and tap in one place; write for example tap=smoke.tap"), "{two}");
    let none = check(&["smoke", url, "--output", "xml"]).await;
    assert!(none.contains("unknown kind \"xml\"; write one of text, junit"), "{none}");
    let folder = check(&["smoke", url, "--output", "tap=not/there/x.tap"]).await;
    assert!(folder.contains("not/there is no folder"), "{folder}");
    let run = check(&["run", url, "--release", "v1", "--output", "junit"]).await;
    assert!(run.contains("junit needs a file here"), "{run}");
}

/// A service of which nothing is known but its URL: its health is elsewhere,
/// it is asked no questions, and it shows how many requests it has served.
async fn stranger(counts: bool) -> String {
    let served = Arc::new(Mutex::new(40));
    let answer = move |method: Method, uri: Uri| async move {
        let mut served = served.lock().unwrap();
        match (method.as_str(), uri.path()) {
            ("GET", "/healthz" | "/readyz") => "ok".into_response(),
            ("GET", "/metrics") => format!(
                "# TYPE ai_assistant_requests_total counter\n\
                 ai_assistant_requests_total{{success=\"true\",type=\"question\"}} {served}\n"
            )
            .into_response(),
            ("POST", "/orders") => {
                *served += u32::from(counts);
                "made".into_response()
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn seeks_what_nobody_said_and_sees_whether_its_request_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let smoke = async |counts: bool| {
        let url = stranger(counts).await;
        let file = dir.path().join(format!("{counts}.toml"));
        let step = "[[smoke]]\nname = \"takes an order\"\n\
                    request = { method = \"POST\", path = \"/orders\" }\n\
                    expect = [\"status == 200\"]\nretry = { deadline = \"0s\" }\n";
        std::fs::write(&file, format!("url = \"{url}\"\n{step}")).unwrap();
        let file = file.display().to_string();
        let (code, out, err) = bakewatch(dir.path(), &["smoke", "-c", &file, "--strict"]).await;
        (code, out + &err)
    };
    let ((code, text), (code_still, text_still)) = tokio::join!(smoke(true), smoke(false));
    assert_eq!((code, code_still), (Some(0), Some(5)), "{text}\n{text_still}");
    for line in ["PASS   is healthy", "PASS   is ready", "PASS   is counted in the metrics"] {
        assert!(text.contains(line), "{text}");
    }
    let absent = "not tried: 404: there is no such endpoint, and nobody said that there is";
    assert!(text.contains(absent), "{text}");
    let still = "FAIL   is counted in the metrics (should)";
    let actual = "|   actual    40\n";
    assert!(text_still.contains(still) && text_still.contains(actual), "{text_still}");
}

/// Metrics by hand: what one step captured, a later one holds against.
#[tokio::test]
async fn holds_a_metric_against_what_it_was_before() {
    let dir = tempfile::tempdir().unwrap();
    let url = stranger(true).await;
    let steps = r#"
[[smoke]]
name = "is healthy"
off = true
[[smoke]]
name = "is ready"
off = true
[[smoke]]
name = "answers a question"
off = true
[[smoke]]
name = "shows metrics"
request = { path = "/metrics" }
expect = ["metric ai_assistant_requests_total >= 0"]
capture = { before = "metric ai_assistant_requests_total" }
[[smoke]]
name = "takes an order"
request = { method = "POST", path = "/orders" }
expect = ["status == 200"]
[[smoke]]
name = "counts it"
request = { path = "/metrics" }
expect = ["metric ai_assistant_requests_total{success=\"true\"} > {{before}}"]
retry = { deadline = "0s" }
[[smoke]]
name = "counts it twice"
request = { path = "/metrics" }
expect = ["metric ai_assistant_requests_total < {{before}}"]
retry = { deadline = "0s" }
"#;
    let file = dir.path().join("bakewatch.toml");
    std::fs::write(&file, format!("url = \"{url}\"\n{steps}")).unwrap();
    let file = file.display().to_string();
    let (code, text, _) = bakewatch(dir.path(), &["smoke", "-c", &file]).await;
    assert!(code == Some(1) && text.contains("PASS   counts it  "), "{text}");
    assert!(text.contains("|   actual    41\n") && text.contains("|   expected  < 40\n"), "{text}");
}
