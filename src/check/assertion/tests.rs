//! Every kind and every predicate, against answers.

use expect_test::{Expect, expect};

use super::*;
use crate::model::Span;

mod complaints;
mod parts;
mod properties;

/// An answer like the agent template's.
fn answer() -> Exchange {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Exchange {
        status: 200,
        headers: vec![
            header("content-type", "application/json; charset=utf-8"),
            header("retry-after", "120"),
            header("set-cookie", "a=1"),
            header("set-cookie", "b=2"),
        ],
        body: r#"{"success":true,"response":"Hello","n":3,"big":9007199254740993,"none":null,
            "items":[{"name":"a","ok":true},{"name":"b","ok":false}],"tags":["x","y"],"void":[],
            "not found":1}
"#
        .to_owned(),
        elapsed: Span::from_millis(1_250),
        ..Exchange::default()
    }
}

/// `holds`, or `actual | expected`.
fn outcome(text: &str, exchange: &Exchange) -> String {
    let assertion = Assertion::parse(text).unwrap_or_else(|complaint| panic!("{complaint}"));
    match assertion.check(exchange) {
        None => "holds".to_owned(),
        Some(miss) => format!("{} | {}", miss.actual, miss.expected),
    }
}

fn check(exchange: &Exchange, texts: &[&str], expect: Expect) {
    let row = |text: &&str| format!("{text}\n{}", fold(&outcome(text, exchange)));
    expect.assert_eq(&texts.iter().map(row).collect::<String>());
}

/// The text indented, in lines that fit the page.
fn fold(text: &str) -> String {
    let mut lines = vec![String::from("   ")];
    for word in text.split(' ') {
        if lines[lines.len() - 1].len() + word.len() > 80 {
            lines.push(String::from("     "));
        }
        let line = lines.last_mut().expect("there is one");
        line.push(' ');
        line.push_str(word);
    }
    lines.join("\n") + "\n"
}

#[test]
fn judges_the_status() {
    check(
        &answer(),
        &[
            "status == 200",
            "status==200",
            "status != 200",
            "status not == 404",
            "status in 200..299",
            "status in 200..200",
            "status not in 200..299",
            "status < 400",
            "status >= 201",
        ],
        expect![[r#"
            status == 200
                holds
            status==200
                holds
            status != 200
                200 | not 200
            status not == 404
                holds
            status in 200..299
                holds
            status in 200..200
                holds
            status not in 200..299
                200 | not in 200..299
            status < 400
                holds
            status >= 201
                200 | >= 201
        "#]],
    );
}

#[test]
fn tells_what_a_bad_status_came_with() {
    let with = |status, body: &str, location: &str| {
        let headers = vec![("location".to_owned(), location.to_owned())];
        let body = body.to_owned();
        outcome("status == 200", &Exchange { status, headers, body, ..Exchange::default() })
    };
    assert_eq!(with(503, "no healthy upstream\n", ""), "503 (saying no healthy upstream) | 200");
    assert_eq!(with(502, "<html>…", ""), "502 | 200");
    assert_eq!(with(302, "", "/login"), "302 (redirect to /login) | 200");
}

#[test]
fn judges_headers() {
    check(
        &answer(),
        &[
            "header content-type contains json",
            "header Content-Type startsWith application/json",
            "header content-type == application/json",
            "header content-type endsWith 'charset=utf-8'",
            "header retry-after < 60",
            "header retry-after in 100..200",
            "header set-cookie == \"a=1, b=2\"",
            "header content-type < 5",
            "header content-type not < 5",
            "header x-version exists",
            "header x-version not exists",
            "header x-version == 2",
            "header x-version == 2 or absent",
            "header retry-after isEmpty",
            "header retry-after count == 3",
        ],
        expect![[r#"
            header content-type contains json
                holds
            header Content-Type startsWith application/json
                holds
            header content-type == application/json
                "application/json; charset=utf-8" | "application/json"
            header content-type endsWith 'charset=utf-8'
                holds
            header retry-after < 60
                "120" | < 60
            header retry-after in 100..200
                holds
            header set-cookie == "a=1, b=2"
                holds
            header content-type < 5
                "application/json; charset=utf-8": no number | < 5
            header content-type not < 5
                "application/json; charset=utf-8": no number | not < 5
            header x-version exists
                no header x-version | there
            header x-version not exists
                holds
            header x-version == 2
                no header x-version | "2"
            header x-version == 2 or absent
                holds
            header retry-after isEmpty
                "120" | empty
            header retry-after count == 3
                holds
        "#]],
    );
}

#[test]
fn judges_the_body() {
    let exchange = Exchange { body: "all OK\n".to_owned(), ..answer() };
    check(
        &exchange,
        &[
            "body contains \"OK\"",
            "body contains ok",
            "body == \"all OK\"",
            "body not contains error",
            "body startsWith all",
            "body endsWith OK",
            "body isEmpty",
            "body not isEmpty",
            "body count == 6",
        ],
        expect![[r#"
            body contains "OK"
                holds
            body contains ok
                "all OK" | contains "ok"
            body == "all OK"
                holds
            body not contains error
                holds
            body startsWith all
                holds
            body endsWith OK
                holds
            body isEmpty
                "all OK" | empty
            body not isEmpty
                holds
            body count == 6
                holds
        "#]],
    );
}

#[test]
fn judges_json() {
    check(
        &answer(),
        &[
            "json $.success == true",
            "json $.success is true",
            "json $.success == \"true\"",
            "json $.success != false",
            "json $.response exists",
            "json $.response not exists",
            "json $.response == Hello",
            "json $.response not startsWith \"Error:\"",
            "json $.n not startsWith \"Error:\"",
            "json $.n > 2",
            "json $.n == 3.0",
            "json $.n == \"3\"",
            "json $.n in 0.5..2.5",
            "json $.big == 9007199254740992",
            "json $.none == null",
            "json $.none exists",
            "json $.none isEmpty",
            "json $['not found'] == 1",
            "json $.missing == 1",
            "json $.missing not == 1",
            "json $.missing == 1 or absent",
            "json $.n == 1 or absent",
            "json $.missing not exists",
        ],
        expect![[r#"
            json $.success == true
                holds
            json $.success is true
                holds
            json $.success == "true"
                true | "true"
            json $.success != false
                holds
            json $.response exists
                holds
            json $.response not exists
                "Hello" | not there
            json $.response == Hello
                holds
            json $.response not startsWith "Error:"
                holds
            json $.n not startsWith "Error:"
                3: no text | not startsWith "Error:"
            json $.n > 2
                holds
            json $.n == 3.0
                holds
            json $.n == "3"
                3 | "3"
            json $.n in 0.5..2.5
                3 | in 0.5..2.5
            json $.big == 9007199254740992
                9007199254740993 | 9007199254740992
            json $.none == null
                holds
            json $.none exists
                holds
            json $.none isEmpty
                null: neither text nor a list | empty
            json $['not found'] == 1
                holds
            json $.missing == 1
                nothing at $.missing | 1
            json $.missing not == 1
                nothing at $.missing | not 1
            json $.missing == 1 or absent
                holds
            json $.n == 1 or absent
                3 | 1, or nothing there
            json $.missing not exists
                holds
        "#]],
    );
}

#[test]
fn judges_json_lists() {
    check(
        &answer(),
        &[
            "json $.items count > 2",
            "json $.items count == 2",
            "json $.items[*] count == 2",
            "json $.items[?@.ok == false] count == 0",
            "json $.items[?@.name == 'zz'] count == 0",
            "json $.items[?@.name == 'zz'] exists",
            "json $.items[?@.name == 'zz'] not exists",
            "json $.items[*].ok == true",
            "json $.items[*].name in 1..2",
            "json $..name not exists",
            "json $.tags contains x",
            "json $.tags contains z",
            "json $.items[0] contains name",
            "json $.void isEmpty",
            "json $.n count == 1",
            "json $.missing count == 0",
        ],
        expect![[r#"
            json $.items count > 2
                2 | a count > 2
            json $.items count == 2
                holds
            json $.items[*] count == 2
                holds
            json $.items[?@.ok == false] count == 0
                1 | a count 0
            json $.items[?@.name == 'zz'] count == 0
                holds
            json $.items[?@.name == 'zz'] exists
                nothing at $.items[?@.name == 'zz'] | there
            json $.items[?@.name == 'zz'] not exists
                holds
            json $.items[*].ok == true
                false at $['items'][1]['ok'] | true
            json $.items[*].name in 1..2
                "a": not comparable at $['items'][0]['name'] | in 1..2
            json $..name not exists
                "a" at $['items'][0]['name'] | not there
            json $.tags contains x
                holds
            json $.tags contains z
                ["x","y"] | contains "z"
            json $.items[0] contains name
                holds
            json $.void isEmpty
                holds
            json $.n count == 1
                3: not countable | a count 1
            json $.missing count == 0
                nothing at $.missing | a count 0
        "#]],
    );
}

#[test]
fn says_when_the_body_is_no_json() {
    let with = |kind: &str, body: &str| Exchange {
        headers: vec![("content-type".to_owned(), kind.to_owned())],
        body: body.to_owned(),
        ..answer()
    };
    let texts = ["json $.a == 1", "json $.a not exists", "json $.a == 1 or absent"];
    check(
        &with("text/html", "<html>x</html>"),
        &texts,
        expect![[r#"
        json $.a == 1
            no JSON: <html>x</html> | 1
        json $.a not exists
            no JSON: <html>x</html> | not there
        json $.a == 1 or absent
            holds
    "#]],
    );
    check(
        &with("application/json", "{\"a\": 1"),
        &texts,
        expect![[r#"
        json $.a == 1
            no JSON: the body is cut off, {"a": 1 | 1
        json $.a not exists
            no JSON: the body is cut off, {"a": 1 | not there
        json $.a == 1 or absent
            no JSON: the body is cut off, {"a": 1 | 1, or nothing there
    "#]],
    );
    check(
        &with("", ""),
        &texts,
        expect![[r#"
        json $.a == 1
            no JSON: the body is empty | 1
        json $.a not exists
            no JSON: the body is empty | not there
        json $.a == 1 or absent
            holds
    "#]],
    );
}

#[test]
fn judges_time_size_and_health() {
    check(
        &answer(),
        &[
            "latency < 10s",
            "latency < 1s",
            "latency <= 1250ms",
            "latency in 1s..2s",
            "latency < \"1m 30s\"",
            "size < 1MB",
            "size < 0.1kB",
            "size in 0..1KiB",
        ],
        expect![[r#"
            latency < 10s
                holds
            latency < 1s
                1s 250ms | < 1s
            latency <= 1250ms
                holds
            latency in 1s..2s
                holds
            latency < "1m 30s"
                holds
            size < 1MB
                holds
            size < 0.1kB
                201 bytes | < 100 bytes
            size in 0..1KiB
                holds
        "#]],
    );
    let sick = Exchange { body: r#"{"status":"DOWN"}"#.to_owned(), ..answer() };
    check(
        &sick,
        &[
            "health is healthy",
            "health == unhealthy",
            "health not unhealthy",
            "health is not unhealthy",
            "health unhealthy",
            "health != degraded",
        ],
        expect![[r#"
            health is healthy
                "unhealthy" (200, "DOWN") | "healthy"
            health == unhealthy
                holds
            health not unhealthy
                "unhealthy" (200, "DOWN") | not "unhealthy"
            health is not unhealthy
                "unhealthy" (200, "DOWN") | not "unhealthy"
            health unhealthy
                holds
            health != degraded
                holds
        "#]],
    );
}

#[test]
fn counts_characters_and_looks_past_a_byte_order_mark() {
    let exchange = Exchange { body: "\u{feff}{\"a\":\"üü\"}".to_owned(), ..answer() };
    assert_eq!(outcome("json $.a count == 2", &exchange), "holds");
}

#[test]
fn cuts_what_came_between_characters() {
    let exchange = Exchange { body: "ü".repeat(500), ..answer() };
    let miss = Assertion::parse("body == ok").unwrap().check(&exchange).unwrap();
    assert_eq!(miss.actual, format!("\"{}…", "ü".repeat(118)));
}

#[test]
fn refuses_a_line_that_nobody_would_write() {
    let complaint = Assertion::parse(&format!("body contains {}", "x".repeat(1000))).unwrap_err();
    assert_eq!(complaint.to_string(), "column 1001: an assertion has at most 1000 characters");
}

#[test]
fn is_its_own_text_in_json() {
    let assertion = Assertion::parse("  body contains \"a  b\" ").unwrap();
    let json = serde_json::to_string(&assertion).unwrap();
    assert_eq!(json, r#""body contains \"a  b\"""#);
    assert_eq!(serde_json::from_str::<Assertion>(&json).unwrap(), assertion);
    let error = serde_json::from_str::<Assertion>("\"status = 200\"").unwrap_err();
    assert_eq!(error.to_string(), "column 8: `=` is no predicate; did you mean `==`?");
}

#[test]
fn has_an_example_for_each_kind_that_can_be_read() {
    for kind in &KINDS {
        let assertion = Assertion::parse(kind.example).unwrap();
        assert!(assertion.as_str().starts_with(kind.name), "{}", kind.example);
    }
}
