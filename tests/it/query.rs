//! A running watch that is asked: over its socket, in the shapes of
//! Prometheus's API, on the virtual clock.

mod deliveries;
mod limits;

use bakewatch::daemon::api::listen::{SOCKET, Socket};
use bakewatch::daemon::api::{client, reading};
use bakewatch::daemon::desk::{Desk, Readers, desk};
use bakewatch::model::{Release, Span};
use expect_test::{Expect, expect};
use serde_json::Value;

use crate::world::drive::Drive;
use crate::world::script::{self, RELEASED};

const FILE: &str = r#"
service = "chat"
url = "http://a:8000"
[targets]
static = ["http://a:8000", "http://b:8000"]
[windows]
first-hour = { length = "1h", every = "15s" }
---
"#;

const ELSE: &str = r#"
service = "shop"
url = "http://c:8000"
[windows]
first-hour = { length = "1h", every = "15s" }
"#;

/// A watch, and the door at which it is asked.
struct Asked {
    drive: Drive,
    desk: Desk,
    readers: Readers,
    dir: tempfile::TempDir,
    _socket: Socket,
}

impl Asked {
    /// A watch in its 25th minute: four of a hundred requests have failed for
    /// 15 minutes, and its second replica is down for five.
    fn new() -> Asked {
        let mut drive = script::parse("query", FILE).start();
        drive.run_to(RELEASED + minutes(10));
        drive.targets.iter_mut().for_each(|target| target.errors = 0.04);
        drive.run_to(RELEASED + minutes(20));
        drive.target("b:8000").mood = crate::world::target::Mood::Refuses;
        drive.run_to(RELEASED + minutes(25));
        Asked::over(drive)
    }

    fn over(drive: Drive) -> Asked {
        let dir = tempfile::tempdir().unwrap();
        let (desk, readers) = desk();
        let socket = Socket::open(dir.path(), reading(desk.clone())).unwrap();
        Asked { drive, desk, readers, dir, _socket: socket }
    }

    /// What it answers, while the loop comes round.
    async fn ask(&mut self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let form: Vec<(&str, String)> = form.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let asking = client::ask(self.dir.path(), path, &form);
        let mut asking = std::pin::pin!(asking);
        loop {
            tokio::select! {
                done = asking.as_mut() => {
                    let done = done.unwrap();
                    return (done.status, serde_json::from_str(&done.body).unwrap());
                }
                call = self.readers.next() => self.drive.attend(call),
            }
        }
    }

    /// The same of what is not a form's.
    async fn get(&mut self, path: &str) -> (u16, String) {
        let url = format!("http://localhost{path}");
        let socket = self.dir.path().join(SOCKET);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().unix_socket(socket).tls_certs_only([]).build();
        let sent = client.unwrap().get(url).send();
        let answered = async {
            let response = sent.await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        };
        let mut answered = std::pin::pin!(answered);
        loop {
            tokio::select! {
                told = answered.as_mut() => return told,
                call = self.readers.next() => self.drive.attend(call),
            }
        }
    }

    /// The series of a result, one a line.
    async fn lines(&mut self, text: &str) -> String {
        let (status, body) = self.ask("/api/v1/query", &[("query", text)]).await;
        assert_eq!(status, 200, "{text}: {body}");
        shown(&body["data"]["result"])
    }
}

fn minutes(count: i64) -> Span {
    Span::from_secs(60 * count)
}

fn shown(result: &Value) -> String {
    let one = |one: &Value| match one.get("values") {
        Some(values) => format!("{} {values}\n", one["metric"]),
        None => format!("{} {}\n", one["metric"], one["value"]),
    };
    result.as_array().unwrap().iter().map(one).collect()
}

async fn check(asked: &mut Asked, text: &str, expected: Expect) {
    expected.assert_eq(&asked.lines(text).await);
}

#[tokio::test]
async fn answers_with_series_signals_and_alerts() {
    let mut asked = Asked::new();
    check(
        &mut asked,
        "up",
        expect![[r#"
        {"__name__":"up","instance":"a:8000","release":"v1","service":"chat"} [1767227100,"1"]
        {"__name__":"up","instance":"b:8000","release":"v1","service":"chat"} [1767227100,"0"]
    "#]],
    )
    .await;
    check(
        &mut asked,
        "healthy_replicas + 0 * error_ratio",
        expect![[r#"
        {"release":"v1","service":"chat"} [1767227100,"1"]
    "#]],
    )
    .await;
    check(
        &mut asked,
        "round(error_ratio, 0.01)",
        expect![[r#"
        {"release":"v1","service":"chat"} [1767227100,"0.04"]
    "#]],
    )
    .await;
    check(&mut asked, "latency", expect![[r#"
        {"__name__":"latency","quantile":"0.5","release":"v1","service":"chat"} [1767227100,"0.175"]
        {"__name__":"latency","quantile":"0.95","release":"v1","service":"chat"} [1767227100,"0.2425"]
        {"__name__":"latency","quantile":"0.99","release":"v1","service":"chat"} [1767227100,"0.2485"]
    "#]]).await;
    check(&mut asked, "ALERTS", expect![[r#"
        {"__name__":"ALERTS","alertname":"ElevatedErrors","alertstate":"firing","release":"v1","service":"chat","severity":"warning"} [1767227100,"1"]
        {"__name__":"ALERTS","alertname":"ReplicasMissing","alertstate":"firing","release":"v1","service":"chat","severity":"warning"} [1767227100,"1"]
        {"__name__":"ALERTS","alertname":"TargetSilent","alertstate":"firing","instance":"b:8000","release":"v1","service":"chat","severity":"warning"} [1767227100,"1"]
    "#]]).await;
    check(&mut asked, "max_over_time(ALERTS[1h])", expect![[r#"
        {"alertname":"ElevatedErrors","alertstate":"firing","release":"v1","service":"chat","severity":"warning"} [1767227100,"1"]
        {"alertname":"ElevatedErrors","alertstate":"pending","release":"v1","service":"chat","severity":"warning"} [1767227100,"1"]
        {"alertname":"ReplicasMissing","alertstate":"firing","release":"v1","service":"chat","severity":"warning"} [1767227100,"1"]
        {"alertname":"ReplicasMissing","alertstate":"pending","release":"v1","service":"chat","severity":"warning"} [1767227100,"1"]
        {"alertname":"TargetSilent","alertstate":"firing","instance":"b:8000","release":"v1","service":"chat","severity":"warning"} [1767227100,"1"]
        {"alertname":"TargetSilent","alertstate":"pending","instance":"b:8000","release":"v1","service":"chat","severity":"warning"} [1767227100,"1"]
    "#]]).await;
    check(
        &mut asked,
        "avg_over_time(probe_success_ratio[20m])",
        expect![[r#"
            {"instance":"a:8000","release":"v1","service":"chat"} [1767227100,"1"]
            {"instance":"b:8000","release":"v1","service":"chat"} [1767227100,"0.75"]
        "#]],
    )
    .await;
}

#[tokio::test]
async fn answers_over_a_range_as_far_back_as_the_record_goes() {
    let mut asked = Asked::new();
    let mut range = async |query: &str, start: Span, step: &str| {
        let (start, end) = ((RELEASED + start).to_string(), asked.drive.now.to_string());
        let form = [("query", query), ("start", &start), ("end", &end), ("step", step)];
        let (status, body) = asked.ask("/api/v1/query_range", &form).await;
        assert_eq!((status, &body["data"]["resultType"]), (200, &"matrix".into()), "{body}");
        (shown(&body["data"]["result"]), body["warnings"].clone())
    };
    let (lines, warnings) = range("round(error_ratio, 0.01)", minutes(0), "5m").await;
    expect![[r#"
        {"release":"v1","service":"chat"} [[1767225900,"0"],[1767226200,"0"],[1767226500,"0.04"],[1767226800,"0.04"],[1767227100,"0.04"]]
    "#]]
    .assert_eq(&lines);
    assert_eq!(warnings, Value::Null);
    let (lines, _) = range("healthy_replicas", minutes(16), "180").await;
    expect![[r#"
        {"__name__":"healthy_replicas","release":"v1","service":"chat"} [[1767226560,"2"],[1767226740,"2"],[1767226920,"1"],[1767227100,"1"]]
    "#]].assert_eq(&lines);
    // Samples of scrapes are kept for as long as something reads them.
    let (_, warnings) = range("up", minutes(0), "5m").await;
    expect![[r#"
        ["\"up\" is kept for 6m, the longest range that a signal or rule reads; what is older is not in this result"]
    "#]].assert_eq(&(warnings.to_string() + "\n"));
}

#[tokio::test]
async fn shows_a_gap_where_nobody_looked_and_what_was_before_it() {
    let mut drive = script::parse("query", FILE).start();
    drive.run_to(RELEASED + minutes(10));
    drive.down(minutes(20));
    drive.run_to(RELEASED + minutes(36));
    let mut asked = Asked::over(drive);
    let (start, end) = (RELEASED.to_string(), asked.drive.now.to_string());
    let form = [("start", start.as_str()), ("end", &end), ("step", "4m")];
    for (query, expected) in [
        (
            "healthy_replicas",
            expect![[r#"
            {"__name__":"healthy_replicas","release":"v1","service":"chat"} [[1767225840,"2"],[1767226080,"2"],[1767227520,"2"],[1767227760,"2"]]
        "#]],
        ),
        (
            "probe_success_ratio{instance=\"a:8000\"}",
            expect![[r#"
            {"__name__":"probe_success_ratio","instance":"a:8000","release":"v1","service":"chat"} [[1767225840,"1"],[1767226080,"1"],[1767227520,"1"],[1767227760,"1"]]
        "#]],
        ),
        (
            "request_rate > 0",
            expect![[r#"
                {"__name__":"request_rate","release":"v1","service":"chat"} [[1767225840,"15.706633645929646"],[1767226080,"20"],[1767227520,"8.172488822265354"],[1767227760,"20"]]
            "#]],
        ),
    ] {
        let form: Vec<(&str, &str)> = form.into_iter().chain([("query", query)]).collect();
        let (status, body) = asked.ask("/api/v1/query_range", &form).await;
        assert_eq!((status, &body["warnings"]), (200, &Value::Null), "{body}");
        expected.assert_eq(&shown(&body["data"]["result"]));
    }
}

/// What is read now was not so while nobody looked.
#[tokio::test]
async fn shows_a_gap_also_before_anything_is_recorded_after_it() {
    for blind in [Drive::down, Drive::sleep] {
        let mut drive = script::parse("query", FILE).start();
        drive.run_to(RELEASED + minutes(10));
        blind(&mut drive, minutes(20) + Span::from_secs(5));
        drive.run_to(RELEASED + minutes(30) + Span::from_secs(20));
        let mut asked = Asked::over(drive);
        let start = (RELEASED + minutes(8) + Span::from_secs(20)).to_string();
        let end = asked.drive.now.to_string();
        let query = ("query", "healthy_replicas");
        let form = [query, ("start", start.as_str()), ("end", &end), ("step", "2m")];
        let (_, body) = asked.ask("/api/v1/query_range", &form).await;
        expect![[r#"
            {"__name__":"healthy_replicas","release":"v1","service":"chat"} [[1767226100,"2"],[1767227420,"2"]]
        "#]].assert_eq(&shown(&body["data"]["result"]));
    }
}

#[tokio::test]
async fn reads_the_record_at_other_times_than_the_one_that_is_asked_for() {
    let mut asked = Asked::new();
    // In the 12th minute, the 18th, and the 22nd.
    let (early, later, late) = (1_767_226_320, 1_767_226_680, 1_767_226_920);
    check(
        &mut asked,
        &format!("healthy_replicas @ {early} - healthy_replicas"),
        expect![[r#"
        {"release":"v1","service":"chat"} [1767227100,"1"]
    "#]],
    )
    .await;
    check(
        &mut asked,
        &format!("round(error_ratio @ {later}, 0.01)"),
        expect![[r#"
        {"release":"v1","service":"chat"} [1767227100,"0.04"]
    "#]],
    )
    .await;
    check(
        &mut asked,
        &format!("count_over_time(error_ratio[3m] @ {later}) > bool 1"),
        expect![[r#"
        {"release":"v1","service":"chat"} [1767227100,"1"]
    "#]],
    )
    .await;
    check(
        &mut asked,
        &format!("max(ALERTS @ {late}) - on() max(ALERTS @ {later})"),
        expect![[r#"
        {} [1767227100,"0"]
    "#]],
    )
    .await;
    let mut at = async |query: &str, time: i64| {
        let form = [("query", query), ("time", &time.to_string())];
        shown(&asked.ask("/api/v1/query", &form).await.1["data"]["result"])
    };
    expect![[r#"
        {"__name__":"healthy_replicas","release":"v1","service":"chat"} [1767226320,"1"]
    "#]]
    .assert_eq(&at("healthy_replicas offset -10m", early).await);
    let pending = "sum(max_over_time(ALERTS{alertname=\"ReplicasMissing\",\
                   alertstate=\"pending\"}[1m] offset -10m))";
    expect![[r#"
        {} [1767226320,"1"]
    "#]]
    .assert_eq(&at(pending, early).await);
    let text = format!("up @ {early}");
    let (_, body) = asked.ask("/api/v1/query", &[("query", text.as_str())]).await;
    assert!(body["warnings"][0].as_str().unwrap().starts_with("\"up\" is kept for"), "{body}");
}

#[tokio::test]
async fn answers_in_the_shapes_of_prometheus() {
    let mut asked = Asked::new();
    let mut whole = async |query: &str, time: &str| {
        let (status, body) = asked.ask("/api/v1/query", &[("query", query), ("time", time)]).await;
        format!("{status} {body}\n")
    };
    let mut text = whole("1 / 3", "1.5").await;
    text += &whole("\"word\"", "2").await;
    text += &whole("vector(-1 / 0)", "1970-01-01T00:00:03Z").await;
    text += &whole("up{instance=\"a:8000\"}[20s]", "1767227000").await;
    text += &whole("nothing_of_the_kind", "3").await;
    text += &whole("rate(memory_ratio[5m])", "1767227000").await;
    text += &whole("up{", "3").await;
    text += &whole("up", "noon").await;
    text += &whole("", "3").await;
    text += &whole("up + on() up", "1767227000").await;
    text += &whole("rate(ai_assistant_requests_total[5m])", "1767227000").await;
    expect![[r#"
        200 {"data":{"result":[1.5,"0.3333333333333333"],"resultType":"scalar"},"status":"success"}
        200 {"data":{"result":[2,"word"],"resultType":"string"},"status":"success"}
        200 {"data":{"result":[{"metric":{},"value":[3,"-Inf"]}],"resultType":"vector"},"status":"success"}
        200 {"data":{"result":[{"metric":{"__name__":"up","instance":"a:8000","release":"v1","service":"chat"},"values":[[1767226981.105,"1"],[1767226986.105,"1"],[1767226991.105,"1"],[1767226998.235,"1"]]}],"resultType":"matrix"},"status":"success"}
        200 {"data":{"result":[],"resultType":"vector"},"status":"success","warnings":["nothing is kept of \"nothing_of_the_kind\": no signal, rule or recording reads it, and a watch keeps what is read"]}
        200 {"data":{"result":[{"metric":{"release":"v1","service":"chat"},"value":[1767227000,"0"]}],"resultType":"vector"},"infos":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"memory_ratio\" (1:6)"],"status":"success"}
        400 {"error":"invalid parameter \"query\": 1:3: parse error: { is not closed before the end","errorType":"bad_data","status":"error"}
        400 {"error":"invalid parameter \"time\": \"noon\" is no time; write for example \"2026-11-25T01:23:46Z\" or 1764033826","errorType":"bad_data","status":"error"}
        400 {"error":"invalid parameter \"query\": is missing","errorType":"bad_data","status":"error"}
        422 {"error":"found duplicate series for the match group {} on the right hand-side of the operation: [{__name__=\"up\", instance=\"a:8000\", release=\"v1\", service=\"chat\"}, {__name__=\"up\", instance=\"b:8000\", release=\"v1\", service=\"chat\"}];many-to-many matching not allowed: matching labels must be unique on one side; aggregate that side, or match on more labels","errorType":"execution","status":"error"}
        422 {"error":"\"ai_assistant_requests_total\" is kept as sums of its growth only, since that is all that signals and rules read of it; it can be asked as sum(increase(ai_assistant_requests_total{success=\"false\"}[5m])) or sum(increase(ai_assistant_requests_total[5m])), also with rate(), another range, and by (instance) besides; for its series write a [[signal]] that reads them","errorType":"execution","status":"error"}
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn refuses_ranges_that_make_no_sense() {
    let mut asked = Asked::new();
    let mut told = String::new();
    for (query, start, end, step) in [
        ("up", "10", "5", "1"),
        ("up", "0", "100000", "1"),
        ("up", "0", "10", "0"),
        ("up", "0", "10", ""),
        ("up[5m]", "0", "10", "1"),
        ("up", "0", "", "1"),
    ] {
        let form = [("query", query), ("start", start), ("end", end), ("step", step)];
        let (status, body) = asked.ask("/api/v1/query_range", &form).await;
        told += &format!("{status} {}: {}\n", body["errorType"], body["error"]);
    }
    expect![[r#"
        400 "bad_data": "invalid parameter \"end\": end timestamp must not be before start time"
        400 "bad_data": "exceeded maximum resolution of 11,000 points per timeseries; make the step longer (?step=XX)"
        400 "bad_data": "invalid parameter \"step\": a step has to be longer than no time"
        400 "bad_data": "invalid parameter \"step\": is missing"
        400 "bad_data": "invalid parameter \"query\": it has to be numbers at each instant; put a function around it, such as rate()"
        400 "bad_data": "invalid parameter \"end\": is missing"
    "#]].assert_eq(&told);
}

#[tokio::test]
async fn lists_what_there_is_to_be_asked() {
    let mut asked = Asked::new();
    let (_, names) = asked.ask("/api/v1/series", &[("match[]", "{__name__=~\"up|err.*\"}")]).await;
    expect![[r#"
        [{"__name__":"error_ratio","release":"v1","service":"chat"},{"__name__":"up","instance":"a:8000","release":"v1","service":"chat"},{"__name__":"up","instance":"b:8000","release":"v1","service":"chat"}]
    "#]].assert_eq(&(names["data"].to_string() + "\n"));
    let (_, labels) = asked.ask("/api/v1/labels", &[("match[]", "latency")]).await;
    assert_eq!(labels["data"].to_string(), r#"["__name__","quantile","release","service"]"#);
    for (selectors, status) in [(vec![], 400), (vec!["sum(up)"], 400), (vec!["{"], 400)] {
        let form: Vec<(&str, &str)> = selectors.iter().map(|one| ("match[]", *one)).collect();
        assert_eq!(asked.ask("/api/v1/series", &form).await.0, status, "{selectors:?}");
    }
    let mut get = async |path: &str| asked.get(path).await.1;
    let values = get("/api/v1/label/instance/values").await;
    assert_eq!(values, r#"{"status":"success","data":["a:8000","b:8000"]}"#);
    let values = get("/api/v1/label/service/values?limit=1").await;
    assert_eq!(values, r#"{"status":"success","data":["chat"]}"#);
    let kinds = get("/api/v1/metadata?metric=ai_assistant_requests_total").await;
    assert!(kinds.contains(r#"[{"help":"","type":"counter","unit":""}]"#), "{kinds}");
    assert_eq!(get("/-/ready").await, "bakewatch is ready.\n");
    assert!(get("/api/v1/status/buildinfo").await.contains(r#""application":"bakewatch""#));
    assert!(get("/api/v1/query_exemplars?query=up").await.contains(r#""data":[]"#));
    assert!(get("/elsewhere").await.starts_with("there is nothing here"));
    let rules = get("/api/v1/rules").await;
    let rules: Value = serde_json::from_str(&rules).unwrap();
    let group = &rules["data"]["groups"][0];
    assert_eq!(group["name"], "chat@v1");
    let rules = group["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["name"] == "ElevatedErrors").unwrap();
    assert_eq!((&rule["state"], &rule["query"]), (&"firing".into(), &"error_ratio > 0.01".into()));
    let alerts: Value = serde_json::from_str(&get("/api/v1/alerts").await).unwrap();
    expect![[r#"
        {"activeAt":"2026-01-01T00:11:10.735Z","annotations":{"summary":"more than 1% of requests fail"},"labels":{"alertname":"ElevatedErrors","release":"v1","service":"chat","severity":"warning"},"state":"firing","value":"0.040031444233331236"}
    "#]].assert_eq(&(alerts["data"]["alerts"][0].to_string() + "\n"));
}

#[tokio::test]
async fn tells_services_apart_and_answers_for_one_of_them() {
    let mut drive = script::parse("query", FILE).start();
    let plan = script::plan("shop", ELSE);
    let release = Release { service: "shop".into(), version: "v7".into(), at: RELEASED };
    drive.beside(release, plan);
    drive.run_to(RELEASED + minutes(3));
    let mut asked = Asked::over(drive);
    let (_, body) = asked.ask("/api/v1/query", &[("query", "up")]).await;
    expect![[r#"
        {"__name__":"up","instance":"a:8000","release":"v1","service":"chat"} [1767225780,"1"]
        {"__name__":"up","instance":"b:8000","release":"v1","service":"chat"} [1767225780,"1"]
        {"__name__":"up","instance":"c:8000","release":"v7","service":"shop"} [1767225780,"1"]
        ["this reads several services, told apart by the label service: chat, shop"]"#]]
    .assert_eq(&(shown(&body["data"]["result"]) + &body["infos"].to_string()));
    check(
        &mut asked,
        "sum by (service) (up)",
        expect![[r#"
        {"service":"chat"} [1767225780,"2"]
        {"service":"shop"} [1767225780,"1"]
    "#]],
    )
    .await;
    let one = [("query", "sum(up)"), ("service", "shop")];
    let (_, body) = asked.ask("/api/v1/query", &one).await;
    assert_eq!(
        (&body["data"]["result"][0]["value"][1], &body["infos"]),
        (&"1".into(), &Value::Null)
    );
    let none = [("query", "up"), ("service", "shoe")];
    let (status, body) = asked.ask("/api/v1/query", &none).await;
    let told = "no service \"shoe\" is watched; there is chat, shop";
    assert_eq!((status, &body["error"]), (422, &told.into()));
    for path in ["/api/v1/alerts", "/api/v1/rules"] {
        let (status, body) = asked.get(&format!("{path}?service=shoe")).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["error"]), (422, &told.into()));
        let (status, body) = asked.get(&format!("{path}?service=shop")).await;
        assert!(status == 200 && !body.contains("chat@v1"), "{body}");
    }
}

#[tokio::test]
async fn says_that_no_watch_is_meant_instead_of_nothing() {
    let mut asked = Asked::new();
    let mut warnings = async |query: &str| {
        let (_, body) = asked.ask("/api/v1/query", &[("query", query)]).await;
        format!("{}\n", body["warnings"])
    };
    let mut told = warnings("up{service=\"chatt\"}").await;
    told += &warnings("error_ratio{service=\"chatt\",release=~\"v.\"} > 0").await;
    told += &warnings("up{service=~\"chat.*\"}").await;
    told += &warnings("up{instance=\"c\"}").await;
    expect![[r#"
        ["nothing is watched that {service=\"chatt\"} means; there is {release=\"v1\", service=\"chat\"}"]
        ["nothing is watched that {service=\"chatt\",release=~\"v.\"} means; there is {release=\"v1\", service=\"chat\"}"]
        null
        null
    "#]].assert_eq(&told);
}
