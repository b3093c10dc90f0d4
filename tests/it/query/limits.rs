//! What a question may cost whom: nothing holds up the watch, or other readers,
//! and who is let in.

use std::io::{Read, Write};
use std::time::Duration;

use bakewatch::daemon::api::listen;

use super::*;

#[tokio::test]
async fn gives_up_what_takes_too_long_and_leaves_out_what_is_too_much() {
    let mut asked = Asked::new();
    let (start, end) = ("1767216100", "1767227100");
    let query = "sum(count_over_time(up[5m:1s])) + sum(max_over_time(up[5m:1s]))";
    let form =
        [("query", query), ("start", start), ("end", end), ("step", "1"), ("timeout", "1ms")];
    let (status, body) = asked.ask("/api/v1/query_range", &form).await;
    assert_eq!((status, &body["errorType"]), (503, &"timeout".into()), "{body}");
    let form = [("query", "ALERTS"), ("limit", "1")];
    let (_, body) = asked.ask("/api/v1/query", &form).await;
    assert_eq!(body["data"]["result"].as_array().map(Vec::len), Some(1));
    assert_eq!(body["warnings"][0], "results truncated due to limit");
    let (status, body) = asked.ask("/api/v1/query", &[("query", "up"), ("limit", "x")]).await;
    assert_eq!((status, &body["errorType"]), (400, &"bad_data".into()));
    let form = [("query", "up"), ("lookback_delta", "1m")];
    assert_eq!(asked.ask("/api/v1/query", &form).await.0, 400);
}

#[tokio::test]
async fn answers_others_while_some_hang_and_goes_on_after_a_mistake() {
    let mut asked = Asked::new();
    let address = listen::open(([127, 0, 0, 1], 0).into(), reading(asked.desk.clone()));
    let address = address.await.unwrap();
    let mut hanging: Vec<std::net::TcpStream> = Vec::new();
    for _ in 0..20 {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /api/v1/query?query=up HTTP/1.1\r\nhost: x\r\n").unwrap();
        hanging.push(stream);
    }
    let url = format!("http://{address}/api/v1/query?query=up");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let sent = client.get(url).timeout(Duration::from_secs(60)).send();
    let mut sent = std::pin::pin!(sent);
    let response = loop {
        tokio::select! {
            response = sent.as_mut() => break response.unwrap(),
            call = asked.readers.next() => asked.drive.attend(call),
        }
    };
    assert_eq!(response.status(), 200);
    let desk = asked.desk.clone();
    let mistake = desk.ask(|_, _| -> () { panic!("a reader's own mistake") });
    let mut mistake = std::pin::pin!(mistake);
    let told = loop {
        tokio::select! {
            told = mistake.as_mut() => break told,
            call = asked.readers.next() => asked.drive.attend(call),
        }
    };
    assert!(told.unwrap_err().contains("could not answer"));
    assert!(asked.lines("count(up)").await.contains("\"2\""));
    drop(hanging);
}

#[tokio::test]
async fn refuses_questions_that_are_too_much_to_read() {
    let mut asked = Asked::new();
    let mut told = async |path: &str, name: &str, texts: &[&str]| {
        let form: Vec<(&str, &str)> = texts.iter().map(|text| (name, *text)).collect();
        let (status, body) = asked.ask(path, &form).await;
        format!("{status} {}: {}\n", body["errorType"], body["error"])
    };
    let mut text = told("/api/v1/series", "match[]", &["up"; 101]).await;
    text += &told("/api/v1/labels", "match[]", &["{b=~\"\\\\pL{400}\"}"]).await;
    text += &told("/api/v1/query", "query", &[&format!("up # {}", "x".repeat(65_536))]).await;
    expect![[r#"
        400 "bad_data": "invalid parameter \"match[]\": 101 selectors, of 100 at most"
        400 "bad_data": "invalid parameter \"match[]\": 1:5: parse error: a pattern that comes to more than 4194304 bytes when it is compiled; write shorter repeats, narrower classes or fewer patterns"
        413 "bad_data": "the form has more than 65536 bytes; ask for less at once"
    "#]].assert_eq(&text);
    assert!(told("/api/v1/series", "match[]", &["up"; 100]).await.starts_with("200 "));
}

/// Until a turn is free a question is not even read: what it would cost then is
/// nobody's.
#[tokio::test]
async fn reads_no_question_before_its_turn() {
    let mut asked = Asked::new();
    let dir = asked.dir.path().to_owned();
    let ask = |text: &str| {
        let (dir, form) = (dir.clone(), [("query", text.to_owned())]);
        tokio::spawn(async move { client::ask(&dir, "/api/v1/query", &form).await.unwrap() })
    };
    // Both come as far as the desk, where nobody looks up yet.
    let (first, second) = (ask("up"), ask("up"));
    let looks = [asked.readers.next().await, asked.readers.next().await];
    let wrong = ask("up{");
    // Other requests come and go meanwhile, and the wrong one still waits.
    for _ in 0..20 {
        client::ask(&dir, "/elsewhere", &[]).await.unwrap();
    }
    assert!(!wrong.is_finished(), "it was read before its turn");
    for look in looks {
        asked.drive.attend(look);
    }
    let status = [first.await.unwrap().status, second.await.unwrap().status];
    assert_eq!((status, wrong.await.unwrap().status), ([200, 200], 400));
}

/// A page in a browser on the same machine may call it by a name of its own.
#[tokio::test]
async fn answers_at_a_loopback_address_to_that_name_only() {
    let (desk, _readers) = desk();
    let of = async |host: &'static str| {
        let address = listen::open(([127, 0, 0, 1], 0).into(), reading(desk.clone()));
        let address = address.await.unwrap();
        let asking = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let head = format!("GET /-/healthy HTTP/1.1\r\n{host}connection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            let mut told = String::new();
            stream.read_to_string(&mut told).unwrap();
            told[9..12].to_owned()
        });
        asking.await.unwrap()
    };
    assert_eq!(of("host: localhost:9797\r\n").await, "200");
    assert_eq!(of("").await, "200");
    assert_eq!(of("host: evil.example:9797\r\n").await, "403");
}

#[tokio::test]
async fn says_who_has_the_address_that_it_is_to_listen_at() {
    let (desk, _readers) = desk();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let told = listen::open(taken.local_addr().unwrap(), reading(desk.clone())).await.unwrap_err();
    assert!(told.starts_with("listen: 127.0.0.1:") && told.contains("stop who has it"), "{told}");
    let long = tempfile::tempdir().unwrap();
    let long = long.path().join("d".repeat(100));
    let told = Socket::open(&long, reading(desk)).unwrap_err();
    assert!(told.contains("a socket's path at most 107"), "{told}");
}
