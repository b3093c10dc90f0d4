//! The real binary: what it prints, keeps, and exits with.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use bakewatch::daemon::lock::Lock;

/// A service that is well, whatever is asked.
pub async fn service() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let well = || async { r#"{"status":"healthy","success":true}"# };
    let metrics = get(|| async { "process_resident_memory_bytes 1000000\n" });
    let router = Router::new().route("/metrics", metrics).fallback(well);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

pub async fn bakewatch(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    bakewatch_with(dir, args, &[]).await
}

/// The same with these variables.
async fn bakewatch_with(
    dir: &Path,
    args: &[&str],
    variables: &[(&str, &str)],
) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
    command.args(args).env("STATE_DIRECTORY", dir).envs(variables.to_vec()).stdin(Stdio::null());
    let run = move || command.output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn shows_when_digests_are_due_next() {
    let dir = tempfile::tempdir().unwrap();
    let text = "url = \"http://127.0.0.1:1\"\n[[channel]]\nname = \"chat\"\ntype = \"webhook\"
url = \"http://127.0.0.1:1\"\n[[digest]]\nname = \"new year\"\ncron = \"30 9 1 1 *\"
zone = \"Asia/Tokyo\"\n";
    let file = dir.path().join("bakewatch.toml");
    std::fs::write(&file, text).unwrap();
    let (code, out, err) = bakewatch(dir.path(), &["check", "-c", file.to_str().unwrap()]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("new year  30 9 1 1 *, Asia/Tokyo  to chat"), "{out}");
    let (_, due) = out.split_once("Digests are due next\n").expect("a section of its own");
    assert_eq!(due.matches("-01-01 09:30 JST").count(), 3, "{due}");
}

#[tokio::test]
async fn watches_until_smoke_takes_up_again_and_is_superseded() {
    let (dir, url) = (tempfile::tempdir().unwrap(), service().await);
    let run = |release| ["run", &url, "--release", release, "--until", "smoke"].map(str::to_owned);
    let run = async |release: &'static str| {
        let args = run(release);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        bakewatch(dir.path(), &args).await
    };
    let (code, out, err) = run("v1").await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.starts_with("watching ") && out.contains("3 passed"), "{out}");
    let (code, out, err) = run("v1").await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.starts_with("watching again "), "{out}");
    let (code, out, err) = run("v2").await;
    assert_eq!(code, Some(0), "{out}{err}");
    let (code, out, _) = bakewatch(dir.path(), &["status"]).await;
    assert_eq!(code, Some(0));
    assert!(out.contains("@v1: superseded by v2") && out.contains("@v2: in its "), "{out}");
    let (code, out, err) = bakewatch(dir.path(), &["report", "--release", "v1"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("v1"), "{out}");
    // A rollback: its first watch's verdict says nothing of now.
    for begin in ["watching ", "watching again "] {
        let (code, out, err) = run("v1").await;
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(out.starts_with(begin) && out.contains("@v1#2"), "{out}");
    }
    let (_, out, _) = bakewatch(dir.path(), &["status"]).await;
    assert!(out.contains("@v2: superseded by v1#2"), "{out}");
}

#[tokio::test]
async fn watches_each_service_of_a_folder_and_exits_by_the_worst() {
    let (dir, config) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = service().await;
    let write = |name: &str, text: &str| std::fs::write(config.path().join(name), text).unwrap();
    write("a.toml", &format!("service = \"first\"\nurl = {url:?}\n"));
    write("b.toml", &format!("service = \"second\"\nurl = {url:?}\n"));
    write("notes.txt", "no service");
    let folder = config.path().display().to_string();
    let run = ["run", "-c", &folder, "--release", "v1.2.3", "--until", "smoke"];
    let (code, out, err) = bakewatch(dir.path(), &run).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("watching first@v1.2.3") && out.contains("watching second@v1.2.3"));
    // One of them does not keep what it promised.
    let step = "[[smoke]]\nname = \"keeps its word\"\nrequest = { path = \"/\" }\n\
                expect = [\"status == 204\"]\nretry = { deadline = \"0s\" }\n";
    write("b.toml", &format!("service = \"second\"\nurl = {url:?}\n{step}"));
    let run = ["run", "-c", &folder, "--release", "v1.2.4", "--until", "smoke"];
    let (code, out, err) = bakewatch(dir.path(), &run).await;
    assert_eq!(code, Some(1), "{out}{err}");
    let (_, out, _) = bakewatch(dir.path(), &["status"]).await;
    for line in ["first@v1.2.3: superseded", "second@v1.2.3: superseded", "first@v1.2.4: in its"] {
        assert!(out.contains(line), "{line}: {out}");
    }
}

#[tokio::test]
async fn tells_each_service_of_a_folder_at_its_own_address_also_under_one_name() {
    let (dir, config) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (url, told) = (service().await, Arc::new(Mutex::new(BTreeSet::new())));
    let seen = told.clone();
    let take = move |uri: axum::http::Uri, body: String| async move {
        let letter: serde_json::Value = serde_json::from_str(&body).unwrap();
        let whose = letter["data"]["release"]["service"].as_str().unwrap().to_owned();
        seen.lock().unwrap().insert((uri.path().to_owned(), whose));
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await });
    for name in ["first", "second"] {
        let text = format!(
            "service = \"{name}\"\nurl = {url:?}\n[[smoke]]\nname = \"keeps its word\"\n\
             request = {{ path = \"/\" }}\nexpect = [\"status == 204\"]\n\
             retry = {{ deadline = \"0s\" }}\n[[channel]]\nname = \"on-call\"\n\
             type = \"webhook\"\nurl = \"{hook}/{name}\"\n"
        );
        std::fs::write(config.path().join(format!("{name}.toml")), text).unwrap();
    }
    let folder = config.path().display().to_string();
    let run = ["run", "-c", &folder, "--release", "v1", "--until", "smoke"];
    let (code, out, err) = bakewatch(dir.path(), &run).await;
    assert_eq!(code, Some(1), "{out}{err}");
    let own = ["first", "second"].map(|name| (format!("/{name}"), name.to_owned()));
    assert_eq!(*told.lock().unwrap(), BTreeSet::from(own));
}

#[tokio::test]
async fn watches_the_targets_that_a_file_names_and_shows_where_they_are_from() {
    let (dir, config) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (url, replica) = (service().await, service().await);
    let [list, file] = ["targets.yml", "service.toml"].map(|name| config.path().join(name));
    let place = replica.trim_start_matches("http://");
    std::fs::write(&list, format!("- targets: ['{place}']\n  labels: {{zone: one}}\n")).unwrap();
    let discover = format!("[targets]\ndiscover = {{ file = {:?} }}\n", list.display().to_string());
    std::fs::write(&file, format!("service = \"s\"\nurl = {url:?}\n{discover}")).unwrap();
    let file = file.display().to_string();
    let run = ["run", "-c", &file, "--release", "v1", "--until", "smoke"];
    let (code, out, err) = bakewatch(dir.path(), &run).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("as they are found"), "{out}");
    let (_, out, _) = bakewatch(dir.path(), &["status"]).await;
    assert!(out.contains(&format!("target {place}: healthy")), "{out}");
    assert!(out.contains("targets.yml: 1 target(s)"), "{out}");
}

#[tokio::test]
async fn goes_by_the_environments_proxy_only_where_it_is_told_to() {
    let (dir, url) = (tempfile::tempdir().unwrap(), service().await);
    let (by, heads) = super::peer::proxy().await;
    let (file, file_told) = (dir.path().join("plain.toml"), dir.path().join("told.toml"));
    std::fs::write(&file, format!("url = {url:?}\n")).unwrap();
    std::fs::write(&file_told, format!("url = {url:?}\n[targets]\nproxy = \"env\"\n")).unwrap();
    let smoke = async |file: &Path, variables: &[(&str, &str)]| {
        let file = file.display().to_string();
        bakewatch_with(dir.path(), &["smoke", "-c", &file], variables).await
    };
    let all = [("http_proxy", by.as_str()), ("no_proxy", "")];
    assert_eq!(smoke(&file, &all).await.0, Some(0));
    assert_eq!(super::peer::requests(&heads).len(), 0);
    let none = [("http_proxy", by.as_str()), ("no_proxy", "127.0.0.1")];
    assert_eq!(smoke(&file_told, &none).await.0, Some(0));
    assert_eq!(super::peer::requests(&heads).len(), 0);
    smoke(&file_told, &all).await;
    assert!(super::peer::requests(&heads)[0].starts_with(&format!("GET {url}/health ")));
}

#[tokio::test]
async fn refuses_a_state_directory_that_is_held_and_a_window_that_is_not_there() {
    let (dir, url) = (tempfile::tempdir().unwrap(), service().await);
    let first = ["run", &url, "--release", "v1", "--until", "smoke"];
    let lock = Lock::take(dir.path()).unwrap();
    let (code, _, err) = bakewatch(dir.path(), &first).await;
    assert_eq!(code, Some(2));
    assert!(err.contains(&format!("pid {}", std::process::id())), "{err}");
    drop(lock);
    assert_eq!(bakewatch(dir.path(), &first).await.0, Some(0));
    let later = ["run", &url, "--release", "v1", "--until", "45m"];
    let (code, _, err) = bakewatch(dir.path(), &later).await;
    assert_eq!(code, Some(2));
    assert!(err.contains("was opened without a window"), "{err}");
}

#[tokio::test]
async fn prints_its_exit_codes_and_takes_a_wrong_line_for_usage() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, _) = bakewatch(dir.path(), &["run", "--help"]).await;
    assert_eq!(code, Some(0));
    assert!(out.contains("3  inconclusive"), "{out}");
    assert_eq!(bakewatch(dir.path(), &["run"]).await.0, Some(2));
    assert_eq!(bakewatch(dir.path(), &["check", "no url"]).await.0, Some(2));
    assert_eq!(bakewatch(dir.path(), &["status"]).await.0, Some(2));
}

/// A watch that runs until it is dropped.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn asks_a_watch_that_runs_and_ends_with_4_where_none_does() {
    let (dir, url) = (tempfile::tempdir().unwrap(), service().await);
    let ask = async |args: &[&str]| {
        let args: Vec<&str> = ["query"].iter().chain(args).copied().collect();
        bakewatch(dir.path(), &args).await
    };
    let (code, _, err) = ask(&["up"]).await;
    assert!(code == Some(4) && err.contains("no watch is running"), "{err}");
    let (code, _, err) = ask(&["sum(up"]).await;
    assert!(code == Some(2) && err.ends_with("sum(up\n     ^\n"), "{err}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
    command.args(["run", &url, "--release", "v1", "--state-dir"]).arg(dir.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running(command.spawn().unwrap());
    let answers = async {
        loop {
            let (code, out, err) = ask(&["sum(up)"]).await;
            match code {
                Some(0) if out == "1\n" => return,
                // It has just begun, or has not scraped yet.
                Some(0 | 4) => tokio::task::yield_now().await,
                _ => panic!("{code:?}: {out}{err}"),
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), answers).await.expect("it answers");
    let (code, out, _) = ask(&["vector(7)", "--start", "2m", "--step", "1m"]).await;
    assert_eq!((code, out.lines().count()), (Some(0), 4), "{out}");
    let (code, _, err) = ask(&["up", "--output", "sparkline"]).await;
    assert!(code == Some(2) && err.contains("give --start"), "{err}");
    drop(running); // killed: the socket is left behind, and nobody is there
    let (code, _, err) = ask(&["up"]).await;
    assert!(code == Some(4) && err.contains("cannot be asked"), "{err}");
}
