//! A test alert through real channels, by the real binary.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{StatusCode, Uri};

use super::cli::{bakewatch, service};

/// Takes letters at `/on-call`, and none elsewhere.
async fn receiver(taken: Arc<Mutex<Vec<serde_json::Value>>>) -> String {
    let take = move |uri: Uri, body: String| async move {
        if uri.path() != "/on-call" {
            return StatusCode::NOT_FOUND;
        }
        taken.lock().unwrap().push(serde_json::from_str(&body).unwrap());
        StatusCode::NO_CONTENT
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await });
    url
}

#[tokio::test]
async fn plays_an_alert_to_its_end_through_each_channel_and_the_next_report_tells() {
    let (dir, config, url) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), service().await);
    let taken = Arc::new(Mutex::new(Vec::new()));
    let hook = receiver(taken.clone()).await;
    // It goes also where criticals do not, in quiet hours and through a later step.
    let channels = [
        ("on-call", "severities = [\"warning\"]\nafter = \"10m\""),
        ("gone", "quiet = { from = \"00:00\", to = \"23:59\", zone = \"UTC\" }"),
    ];
    let channels = channels.map(|(name, how)| {
        format!(
            "[[channel]]\nname = {name:?}\ntype = \"webhook\"\nurl = \"{hook}/{name}\"\n{how}\n"
        )
    });
    let text = format!("service = \"chat\"\nurl = {url:?}\n{}", channels.concat());
    let file = config.path().join("bakewatch.toml");
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let (code, out, err) = bakewatch(dir.path(), &["rehearse", "-c", file]).await;
    assert_eq!(code, Some(4), "{out}{err}");
    assert!(out.contains("not taken: 404"), "{out}");
    assert!(out.contains("received by 1 of 2 channel(s)"), "{out}");
    {
        let taken = taken.lock().unwrap();
        let told =
            |index: usize| (&taken[index]["data"]["status"], &taken[index]["data"]["reason"]);
        assert_eq!(taken.len(), 3, "{taken:?}");
        assert_eq!(told(0), (&"firing".into(), &"first notification".into()));
        assert_eq!(told(1), (&"firing".into(), &"repeat interval elapsed".into()));
        assert_eq!(told(2), (&"resolved".into(), &"all alerts resolved".into()));
        assert!(taken.iter().all(|one| one.to_string().contains("chat/Rehearsal")), "{taken:?}");
    }
    for release in ["v1", "v2"] {
        let run = ["run", "-c", file, "--release", release, "--until", "smoke"];
        let (_, out, err) = bakewatch(dir.path(), &run).await;
        assert!(out.contains(&format!("watching chat@{release}")), "{out}{err}");
    }
    // The first was superseded, and its closing summary knows of the rehearsal.
    let report = ["report", "--release", "v1", "--format", "json"];
    let (code, out, err) = bakewatch(dir.path(), &report).await;
    assert_eq!(code, Some(0), "{err}");
    let summary: serde_json::Value = serde_json::from_str(&out).unwrap();
    let letters = summary["rehearsal"]["letters"].as_array().expect("it is told");
    let missed: Vec<_> = letters.iter().filter(|letter| letter["is_taken"] == false).collect();
    assert_eq!((letters.len(), missed.len()), (4, 1), "{letters:?}");
    assert_eq!(missed[0]["channel"], "gone");
}
