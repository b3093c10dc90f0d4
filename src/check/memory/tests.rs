//! Filled holes: in URLs, headers, bodies and assertions.

use serde_json::json;

use super::*;
use crate::check::{Capture, Retry};
use crate::model::{Ask, Method, Span};

fn memory() -> Memory {
    let origin = Origin {
        run_id: "f00d".to_owned(),
        header: Some("X-Run".to_owned()),
        service: "chat".to_owned(),
        release: None,
    };
    let mut memory = Memory::new(origin);
    for (name, value) in
        [("text", json!("a \"b\"/c.d")), ("number", json!(7)), ("flag", json!(true))]
    {
        memory.values.insert(name.into(), value);
    }
    memory
}

fn step(url: &str, headers: &[(&str, &str)], body: Option<&str>, expect: &[&str]) -> Step {
    let plain = |(name, value): &(&str, &str)| {
        ((*name).to_owned(), HeaderValue::Plain((*value).to_owned()))
    };
    let request = Request {
        method: Method::Get,
        url: url.to_owned(),
        headers: headers.iter().map(plain).collect(),
        body: body.map(str::to_owned),
        timeout: Span::from_secs(1),
        follow: 0,
        transport: None,
    };
    let expect = expect.iter().map(|text| Assertion::parse(text).unwrap()).collect();
    let retry = Retry { deadline: Span::ZERO, interval: Span::ZERO };
    Step::new("works".into(), request, expect, retry)
}

/// What an assertion wants once it is filled.
fn wants(text: &str) -> String {
    let ready = memory().ready(&step("http://a/", &[], None, &[text])).unwrap();
    let miss = ready.expect[0].check(&Exchange::default());
    miss.map_or_else(|| "holds".to_owned(), |miss| miss.expected)
}

#[test]
fn fills_a_request_so_that_no_value_breaks_out_of_its_place() {
    let json = [("content-type", "application/json"), ("x-n", "{{number}}")];
    let body = r#"{"a":"{{text}}","n":{{number}}}"#;
    let ready = memory().ready(&step("http://a/{{text}}?r={{run_id}}", &json, Some(body), &[]));
    let request = ready.unwrap().request;
    assert_eq!(request.url, "http://a/a%20%22b%22%2Fc.d?r=f00d");
    assert_eq!(request.body.as_deref(), Some(r#"{"a":"a \"b\"/c.d","n":7}"#));
    assert_eq!(request.headers[1].1, HeaderValue::Plain("7".to_owned()));
    assert_eq!(request.headers[2], ("X-Run".to_owned(), HeaderValue::Plain("f00d".to_owned())));
    let text = memory().ready(&step("http://a/", &[], Some("={{text}}"), &[])).unwrap();
    assert_eq!(text.request.body.as_deref(), Some("=a \"b\"/c.d"));
}

#[test]
fn leaves_a_run_header_of_the_users_own_as_it_is() {
    let ready = memory().ready(&step("http://a/", &[("x-run", "mine")], None, &[])).unwrap();
    assert_eq!(ready.request.headers.len(), 1);
}

#[test]
fn holds_an_answer_against_a_value_of_its_own_type() {
    assert_eq!(wants("json $.a == {{text}}"), r#""a \"b\"/c.d""#);
    assert_eq!(wants("json $.a == {{number}}"), "7");
    assert_eq!(wants("json $.a == \"{{number}}\""), "\"7\"");
    assert_eq!(wants("json $.a == {{flag}}"), "true");
    assert_eq!(wants("body == \"x {{text}}\""), r#""x a \"b\"/c.d""#);
    assert_eq!(wants("status == {{number}}"), "7");
    assert_eq!(wants("latency > {{number}}s"), "> 7s");
    assert_eq!(wants("body contains 'id={{number}}'"), "contains \"id=7\"");
}

#[test]
fn takes_a_value_in_an_expression_for_what_it_says() {
    assert_eq!(wants("body matches /^{{text}}$/"), r#"matches /^a "b"\/c\.d$/"#);
}

#[test]
fn finds_what_has_no_value() {
    let step =
        step("http://a/{{text}}", &[], None, &["json $.a == {{lost}}", "body == {{release}}"]);
    assert_eq!(needs(&step), ["text", "lost", "release"]);
    assert_eq!(memory().missing(&step), Some("lost".into()));
}

#[test]
fn refuses_a_value_that_would_begin_another_header() {
    let mut memory = memory();
    memory.values.insert("evil".into(), json!("a\r\nhost: b"));
    let why = memory.ready(&step("http://a/", &[("x-a", "{{evil}}")], None, &[])).unwrap_err();
    assert_eq!(why, "what was captured fits into no header: x-a");
}

#[test]
fn shows_no_value_in_debug_output() {
    assert_eq!(format!("{:?}", memory()), "Memory(3 values redacted)");
}

#[test]
fn takes_the_first_of_many_and_nothing_of_null() {
    let take = |text: &str, body: &str| {
        let exchange = Exchange { body: body.to_owned(), ..Exchange::default() };
        Capture::parse(text).unwrap().take(&exchange)
    };
    assert_eq!(take("json $.a[*].id", r#"{"a":[{"id":1},{"id":2}]}"#), Ok(json!(1)));
    assert_eq!(take("json $.a", r#"{"a":null}"#), Err("null".to_owned()));
    assert_eq!(take("body regex /id=([0-9]+)/", "x id=42;"), Ok(json!("42")));
    assert_eq!(take("body regex /id=[0-9]/", "x"), Err("no match of /id=[0-9]/ in \"x\"".into()));
}

#[test]
fn fills_what_is_asked_besides_http() {
    let ready = |ask: Ask| {
        let mut memory = Memory::new(Origin::default());
        memory.values.insert("host".into(), "redis-2".into());
        memory.values.insert("port".into(), 6379.into());
        let step = Step { ask: Some(ask), ..step("", &[], None, &[]) };
        let wanted: Vec<String> = needs(&step).into_iter().map(str::to_owned).collect();
        (wanted, memory.ready(&step).map(|step| step.ask.map(|ask| ask.to_string())))
    };
    let address = "{{host}}:{{port}}".to_owned();
    let both = || vec!["host".to_owned(), "port".to_owned()];
    let told = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(ready(Ask::Tcp { address: address.clone() }), (both(), told("tcp redis-2:6379")));
    let grpc = Ask::Grpc {
        address: "a:1".to_owned(),
        service: "of.{{host}}".to_owned(),
        tls: false,
        ca_file: None,
    };
    assert_eq!(ready(grpc), (vec!["host".to_owned()], told("grpc a:1 of.redis-2")));
    let missing = Ask::Tls { address: "{{nobody}}:1".to_owned(), ca_file: None };
    assert_eq!(ready(missing).1, Err("`nobody` is not known".to_owned()));
}
