//! What each channel was told, over the socket.

use serde_json::Value;

use super::{Asked, script};

const FILE: &str = r#"
service = "chat"
url = "http://a:8000"
[windows]
first-hour = { length = "1h", every = "15s" }
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"
[[channel]]
name = "mail"
type = "email"
to = ["a@ops.example", "nobody@ops.example"]
smtp = "smtps://mail.example.com"
---
at 0s mail knows no nobody@ops.example
at 10m a refuses
at 10m hook fails
at 20m hook takes
at 30m a answers
---
"#;

#[tokio::test]
async fn lists_each_letter_with_its_tries_and_its_answer() {
    let scenario = script::parse("deliveries", FILE);
    let mut drive = scenario.start();
    scenario.play(&mut drive);
    let mut asked = Asked::over(drive);
    let (status, body) = asked.get("/api/v1/deliveries?channel=hook").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200, "{body}");
    let letters = body["data"]["letters"].as_array().unwrap();
    assert!(letters.iter().all(|letter| letter["channel"] == "hook"), "{body}");
    let tells = |letter: &&Value| letter["tells"].to_string().contains("ServiceDown fires");
    let told: Vec<&Value> = letters.iter().filter(tells).collect();
    let [before @ .., last] = &told[..] else { panic!("nobody was told of it: {body}") };
    // What had come in the meantime was told with it, by another letter.
    assert!(before.iter().all(|letter| letter["state"] == "refused"), "{body}");
    assert_eq!((&last["state"], &last["watch"]), (&"taken".into(), &"chat@v1".into()));
    let tries = told.iter().filter_map(|letter| letter["tries"].as_u64()).sum::<u64>();
    assert!(tries > 6, "it failed for ten minutes: {body}");
    let (_, body) = asked.get("/api/v1/deliveries?channel=mail&limit=1").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    let letters = body["data"]["letters"].as_array().unwrap();
    assert_eq!(letters.len(), 1, "{body}");
    assert_eq!(letters[0]["state"], "partly");
    assert!(letters[0]["answer"].to_string().contains("nobody@ops.example: 550"), "{body}");
    assert_eq!(asked.get("/api/v1/deliveries?limit=0").await.0, 400);
    assert_eq!(asked.get("/api/v1/deliveries?service=nobody").await.0, 422);
}
