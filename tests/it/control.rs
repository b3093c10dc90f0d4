//! Orders to a running watch, over its socket.

use bakewatch::daemon::api::listen::{self, Socket};
use bakewatch::daemon::api::{client, control, reading};
use bakewatch::daemon::desk::{Readers, desk};
use bakewatch::model::{MINUTE, Release, SECOND};
use expect_test::expect;
use serde_json::{Value, json};

use crate::world::drive::Drive;
use crate::world::script::{self, RELEASED};
use crate::world::target::Mood;

const FILE: &str = r#"
service = "chat"
url = "http://a:8000"
[windows]
first-hour = { length = "1h", every = "15s" }
---
"#;

/// A watch, and the door at which it takes orders.
struct Ordered {
    drive: Drive,
    readers: Readers,
    dir: tempfile::TempDir,
    _socket: Socket,
}

impl Ordered {
    /// A watch in its 15th minute, down for five.
    fn new() -> Ordered {
        let mut drive = script::parse("control", FILE).start();
        drive.run_to(RELEASED + 10 * MINUTE);
        drive.targets.iter_mut().for_each(|target| target.mood = Mood::Refuses);
        drive.run_to(RELEASED + 15 * MINUTE);
        let dir = tempfile::tempdir().unwrap();
        let (desk, readers) = desk();
        let router = reading(desk.clone()).merge(control(desk));
        let socket = Socket::open(dir.path(), router).unwrap();
        Ordered { drive, readers, dir, _socket: socket }
    }

    async fn give(&mut self, what: &str, order: &Value) -> (u16, Value) {
        let path = format!("/api/v1/control/{what}");
        let giving = client::order(self.dir.path(), &path, order);
        let mut giving = std::pin::pin!(giving);
        loop {
            tokio::select! {
                done = giving.as_mut() => {
                    let done = done.unwrap();
                    return (done.status, serde_json::from_str(&done.body).unwrap());
                }
                call = self.readers.next() => self.drive.attend(call),
            }
        }
    }

    /// What is wrong with an order.
    async fn wrong(&mut self, what: &str, order: Value) -> String {
        let (status, answer) = self.give(what, &order).await;
        format!("{status} {}\n", answer["error"].as_str().unwrap_or("it was done"))
    }
}

fn silence() -> Value {
    json!({ "matchers": ["alertname=ServiceDown"], "for": "30m", "by": "anna",
            "comment": "the rack moves" })
}

#[tokio::test]
async fn silences_and_takes_it_back_and_says_what_it_did() {
    let mut ordered = Ordered::new();
    let (status, answer) = ordered.give("silence", &silence()).await;
    let data = &answer["data"];
    assert_eq!(status, 200, "{answer}");
    let id = data["id"].as_str().unwrap().to_owned();
    assert_eq!(data["until"], "2026-01-01T00:45:00Z");
    assert_eq!(data["watches"], json!(["chat@v1"]));
    assert_eq!(data["incidents"], json!(["chat/ServiceDown"]), "what burns and is meant");
    let known = &ordered.drive.record().silences[0].silence;
    assert_eq!((known.id.as_str(), known.by.as_str()), (id.as_str(), "anna"));
    assert_eq!(known.comment, "the rack moves");

    let end = json!({ "id": id, "by": "bert" });
    let (status, answer) = ordered.give("unsilence", &end).await;
    assert_eq!((status, answer["data"]["id"].as_str()), (200, Some(id.as_str())), "{answer}");
    let now = ordered.drive.now;
    assert_eq!(ordered.drive.record().silences_at(now).count(), 0);
    assert_eq!(ordered.drive.record().silences[0].ended, Some((now, "bert".to_owned())));
    let again = ordered.wrong("unsilence", end).await;
    assert_eq!(again, format!("400 the silence {id} is over already\n"));
}

#[tokio::test]
async fn silences_a_deployment_for_a_quarter_of_an_hour_and_no_critical_of_it() {
    let mut ordered = Ordered::new();
    let order = json!({ "deploy": true, "by": "anna", "comment": "caches are cold" });
    let (status, answer) = ordered.give("silence", &order).await;
    assert_eq!((status, answer["data"]["until"].as_str()), (200, Some("2026-01-01T00:30:00Z")));
    let touched = answer["data"]["incidents"].to_string();
    assert_eq!(touched, r#"["chat/TargetSilent{instance=\"a:8000\"}"]"#, "ServiceDown is critical");
    let known = &ordered.drive.record().silences[0].silence;
    assert!(known.deploy && known.comment == "caches are cold");
}

#[tokio::test]
async fn says_what_is_wrong_with_an_order_and_does_nothing() {
    let mut ordered = Ordered::new();
    let mut told = String::new();
    let with = |key: &str, value: Value| {
        let mut order = silence();
        order[key] = value;
        order
    };
    told += &ordered.wrong("silence", json!({ "matchers": [] })).await;
    told += &ordered.wrong("silence", with("mathcers", json!([]))).await;
    told += &ordered.wrong("silence", with("matchers", json!(["ServiceDown"]))).await;
    told += &ordered.wrong("silence", with("matchers", json!(["a!=b"]))).await;
    told += &ordered.wrong("silence", with("for", json!("soon"))).await;
    told += &ordered.wrong("silence", with("for", json!("0s"))).await;
    told += &ordered.wrong("silence", with("for", json!("8d"))).await;
    told += &ordered.wrong("silence", with("until", json!("2026-01-02T00:00:00Z"))).await;
    let mut past = with("until", json!("2025-01-02T00:00:00Z"));
    past.as_object_mut().unwrap().remove("for");
    told += &ordered.wrong("silence", past).await;
    told += &ordered.wrong("silence", with("deploy", json!(true))).await;
    told += &ordered.wrong("silence", with("by", json!(" "))).await;
    told += &ordered.wrong("silence", with("comment", json!("a\nb"))).await;
    told += &ordered.wrong("silence", with("service", json!("shop"))).await;
    told += &ordered.wrong("unsilence", json!({ "id": "x", "by": "anna" })).await;
    told += &ordered.wrong("acknowledge", json!({ "by": "anna" })).await;
    let other = json!({ "incident": "chat/Other", "by": "anna" });
    told += &ordered.wrong("acknowledge", other).await;
    expect![[r#"
        400 the order: missing field `by` at line 1 column 15
        400 the order: unknown field `mathcers`, expected one of `service`, `matchers`, `for`, `until`, `deploy`, `by`, `comment` at line 1 column 99
        400 matchers: "ServiceDown" is no matcher; write for example severity=warning or instance=~"a.*"
        400 no matcher asks for a label that has to be there, so that every alert would be silenced; write alertname=~".+" if that is meant
        400 for: "soon" is not a duration; write for example "30s", "5m" or "1h 30m"
        400 for 0s: it would be over at once; write for example 30m
        400 a silence lasts 7d at most, as long as a watch; until 2026-01-08T00:15:00Z at the latest
        400 until: goes without `for`; write one of both
        400 until 2025-01-02T00:00:00Z: that is over; it is 2026-01-01T00:15:00Z
        400 a silence for a deployment lasts 15m at most; until 2026-01-01T00:30:00Z at the latest, or for 7d at most if it is no such one
        400 by: is empty; say who wants it
        400 comment: has a control character in it; write one line
        400 no service "shop" is watched; there is chat
        400 there is no silence x, nor any that holds
        400 incident: write either it, or `rule` and `labels`
        400 no such alert fires; those that do are chat/ServiceDown, chat/TargetSilent{instance="a:8000"}
    "#]].assert_eq(&told);
    assert_eq!(ordered.drive.record().silences, []);
}

#[tokio::test]
async fn acknowledges_what_fires_by_its_name_or_its_rule_and_once() {
    let mut ordered = Ordered::new();
    let order = json!({ "incident": "ServiceDown", "by": "anna", "comment": "on it" });
    let (status, answer) = ordered.give("acknowledge", &order).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["data"]["incidents"], json!(["chat/ServiceDown"]));
    let again = ordered.wrong("acknowledge", order).await;
    assert_eq!(again, "400 chat/ServiceDown is acknowledged already, by anna\n");
    let record = ordered.drive.record();
    let acked = record.alerts.iter().filter_map(|(key, alert)| Some((key, alert.acked()?)));
    let acked: Vec<_> = acked.map(|(key, ack)| (key.rule.as_str(), ack.by.as_str())).collect();
    assert_eq!(acked, [("ServiceDown", "anna")]);
    let rule = json!({ "rule": "TargetSilent", "labels": { "instance": "a:8000" }, "by": "bert" });
    let (status, answer) = ordered.give("acknowledge", &rule).await;
    let incident = json!(["chat/TargetSilent{instance=\"a:8000\"}"]);
    assert_eq!((status, &answer["data"]["incidents"]), (200, &incident), "{answer}");
}

#[tokio::test]
async fn reaches_the_watches_of_one_service_or_of_all() {
    let mut ordered = Ordered::new();
    let plan = script::plan("shop", "service = \"shop\"\nurl = \"http://c:8000\"\n");
    let release = Release { service: "shop".into(), version: "v7".into(), at: ordered.drive.now };
    ordered.drive.beside(release, plan);
    ordered.drive.run_to(ordered.drive.now + MINUTE);
    let (_, answer) = ordered.give("silence", &silence()).await;
    assert_eq!(answer["data"]["watches"], json!(["chat@v1", "shop@v7"]));
    ordered.drive.run_to(ordered.drive.now + SECOND);
    let mut of_one = silence();
    of_one["service"] = json!("shop");
    let (_, answer) = ordered.give("silence", &of_one).await;
    assert_eq!(answer["data"]["watches"], json!(["shop@v7"]));
}

/// What `listen` opens is for readers alone.
#[tokio::test]
async fn takes_no_order_at_an_address() {
    let (desk, _readers) = desk();
    let address = listen::open("127.0.0.1:0".parse().unwrap(), reading(desk)).await.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let url = format!("http://{address}/api/v1/control/silence");
    let response = client.post(url).body(silence().to_string()).send().await.unwrap();
    assert_eq!(response.status(), 404);
}
