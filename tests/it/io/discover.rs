//! Sources of targets: files that change, an address that wants to know who
//! asks, names.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use bakewatch::config::{self, Given};
use bakewatch::daemon::discovery;
use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::model::{Found, Source};

use super::names::{NameServer, Says, ipv4, srv};

/// The source that a configuration's `discover` describes.
fn source(discover: &str) -> Source {
    let text = format!("url = \"http://front\"\n[targets]\ndiscover = {discover}\n");
    let file = config::Source { file: "discover".to_owned(), text };
    config::read(Some(&file), &Given::default()).unwrap().plan.sources.remove(0)
}

async fn look(discover: &str) -> Result<Found, String> {
    discovery::look(&source(discover), &Http::new().unwrap(), &Secrets::default()).await
}

fn names(found: &Found) -> Vec<&str> {
    found.targets.iter().map(|target| target.name.as_str()).collect()
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

#[tokio::test]
async fn reads_a_file_as_it_is_now_and_all_that_a_pattern_fits() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().display();
    let one = format!("{{ file = \"{at}/one.json\" }}");
    assert!(look(&one).await.unwrap_err().contains("one.json"));
    for (text, expected) in [
        (r#"[{"targets": ["a:1"]}]"#, vec!["a:1"]),
        (r#"[{"targets": ["b:1", "a:1"]}]"#, vec!["a:1", "b:1"]),
        ("[]", vec![]),
    ] {
        write(dir.path(), "one.json", text);
        assert_eq!(names(&look(&one).await.unwrap()), expected);
    }
    write(dir.path(), "one.json", "[{\"targets\": [\"a:1\""); // half written
    assert!(look(&one).await.is_err());
    let many = format!("{{ file = \"{at}/pods-*.yml\" }}");
    assert!(look(&many).await.unwrap_err().contains("no file is called"));
    write(dir.path(), "pods-2.yml", "- targets: [d:1, c:1]\n");
    write(dir.path(), "pods-1.yml", "- targets: [c:1]\n  labels: {zone: 1}\n");
    let found = look(&many).await.unwrap();
    assert_eq!(names(&found), ["c:1", "d:1"]);
    assert_eq!(found.targets[0].labels.get("zone"), Some("1"));
}

#[tokio::test]
async fn asks_an_address_and_says_who_it_is() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    let answer = move |headers: HeaderMap| async move {
        let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
        let who = text("authorization").to_owned();
        heard.lock().unwrap().push(text("x-prometheus-refresh-interval-seconds").to_owned());
        match who.as_str() {
            "Bearer sesame" => (StatusCode::OK, r#"[{"targets": ["[::1]:9"]}]"#),
            _ => (StatusCode::UNAUTHORIZED, ""),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sd", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let stranger = look(&format!("{{ http = \"{url}\" }}")).await;
    assert_eq!(stranger, Err("status 401".to_owned()));
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "token", "sesame\n");
    let token = format!("{{ file = \"{}/token\" }}", dir.path().display());
    let known = format!("{{ http = \"{url}\", every = \"10s\", auth = {{ bearer = {token} }} }}");
    assert_eq!(names(&look(&known).await.unwrap()), ["[::1]:9"]);
    assert_eq!(*asked.lock().unwrap(), ["30", "10"]);
}

#[tokio::test]
async fn takes_the_records_of_a_name_for_as_long_as_they_hold() {
    let both = Says::Records(vec![
        (60, srv(0, 1, 8001, "b.example.com")),
        (20, srv(0, 1, 8000, "a.example.com")),
    ]);
    let server = NameServer::start(both).await;
    let at = server.address;
    let services = format!("{{ dns = {{ name = \"_http._tcp.x\", server = \"{at}\" }} }}");
    let found = look(&services).await.unwrap();
    assert_eq!(names(&found), ["a.example.com:8000", "b.example.com:8001"]);
    assert_eq!(found.holds_for.map(|span| span.to_string()), Some("20s".to_owned()));
    server.says(Says::Records(vec![(5, ipv4("127.0.0.9"))]));
    let addresses = format!("{{ dns = {{ name = \"x.y\", port = 8000, server = \"{at}\" }} }}");
    assert_eq!(names(&look(&addresses).await.unwrap()), ["127.0.0.9:8000"]);
    server.says(Says::Code(0));
    assert_eq!(names(&look(&addresses).await.unwrap()), [""; 0]);
    // No such name is no answer: what was known last stays.
    for code in [2, 3] {
        server.says(Says::Code(code));
        assert!(look(&addresses).await.is_err());
    }
}
