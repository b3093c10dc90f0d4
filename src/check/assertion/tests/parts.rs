//! Patterns, parts of texts, sizes, cookies and redirects.

use expect_test::expect;

use super::{Assertion, answer, check};
use crate::check::Capture;
use crate::model::Exchange;

#[test]
fn judges_patterns_parts_and_sizes() {
    check(
        &answer(),
        &[
            "header content-type matches /^application\\/json/",
            "header content-type matches /^APPLICATION/i",
            "header content-type not matches /json/",
            "json $.response matches /^Bye/",
            "json $.n matches /3/",
            "json $.items[*].name matches /^[ab]$/",
            "header retry-after regex /^(.)/ == 1",
            "header retry-after regex /x/ exists",
            "json $.tags[*] regex /x/ count == 1",
            "header content-type regex /charset=(.*)/ == utf-16",
            "body size < 1MB",
            "body size < 100B",
            "cookie b == 2",
            "cookie c exists",
        ],
        expect![[r#"
            header content-type matches /^application\/json/
                holds
            header content-type matches /^APPLICATION/i
                holds
            header content-type not matches /json/
                "application/json; charset=utf-8" | not matches /json/
            json $.response matches /^Bye/
                "Hello" | matches /^Bye/
            json $.n matches /3/
                3: no text | matches /3/
            json $.items[*].name matches /^[ab]$/
                holds
            header retry-after regex /^(.)/ == 1
                holds
            header retry-after regex /x/ exists
                no match of /x/ in "120" | there
            json $.tags[*] regex /x/ count == 1
                holds
            header content-type regex /charset=(.*)/ == utf-16
                "utf-8" | "utf-16"
            body size < 1MB
                holds
            body size < 100B
                201 bytes | < 100 bytes
            cookie b == 2
                holds
            cookie c exists
                no cookie c | there
        "#]],
    );
}

#[test]
fn judges_redirects() {
    let headers = vec![("location".to_owned(), "../login?a=b".to_owned())];
    let url = "https://agent.example.com/a/b".to_owned();
    let moved = Exchange { status: 302, headers, redirects: 1, url, ..Exchange::default() };
    check(
        &moved,
        &[
            "redirects == 0",
            "redirects < 2",
            "redirect to \"https://agent.example.com/login?a=b\"",
            "redirect to https://agent.example.com/home",
            "redirect to startsWith \"https://agent.\"",
            "redirect to not exists",
            "url endsWith /a/b",
        ],
        expect![[r#"
            redirects == 0
                1 | 0
            redirects < 2
                holds
            redirect to "https://agent.example.com/login?a=b"
                holds
            redirect to https://agent.example.com/home
                "https://agent.example.com/login?a=b" | "https://agent.example.com/home"
            redirect to startsWith "https://agent."
                holds
            redirect to not exists
                "https://agent.example.com/login?a=b" | not there
            url endsWith /a/b
                holds
        "#]],
    );
    check(
        &answer(),
        &["redirect to not exists", "redirect to \"/a\""],
        expect![[r#"
        redirect to not exists
            holds
        redirect to "/a"
            no redirect, status 200 | "/a"
    "#]],
    );
}

#[test]
fn judges_metrics_of_an_exposition() {
    let body = "# TYPE x_total counter\n\
                x_total{path=\"/a b\",status=\"200\"} 7\nx_total{path=\"/c\",status=\"500\"} 2\n\
                up 1\nratio 0.5\nnothing NaN\n";
    let headers = vec![("content-type".to_owned(), "text/plain; version=0.0.4".to_owned())];
    let page = Exchange { status: 200, headers, body: body.to_owned(), ..Exchange::default() };
    check(
        &page,
        &[
            "metric x_total == 9",
            "metric x_total{status=~\"5..\"} == 0",
            "metric x_total{path=\"/a b\"} > 7",
            "metric ratio in 0.1..0.4",
            "metric up exists",
            "metric down > 0",
            "metric down == 0 or absent",
            "metric nothing == 0",
        ],
        expect![[r#"
            metric x_total == 9
                holds
            metric x_total{status=~"5.."} == 0
                2 | 0
            metric x_total{path="/a b"} > 7
                7 | > 7
            metric ratio in 0.1..0.4
                0.5 | in 0.1..0.4
            metric up exists
                holds
            metric down > 0
                no metric down | > 0
            metric down == 0 or absent
                holds
            metric nothing == 0
                nothing is NaN | 0
        "#]],
    );
    let html = Exchange { body: "<html></html>".to_owned(), ..page.clone() };
    check(
        &html,
        &["metric up == 1"],
        expect![[r#"
            metric up == 1
                cut off in line 1: expected a metric name | 1
        "#]],
    );
    let total = Capture::parse("metric x_total").unwrap().take(&page);
    assert_eq!(total, Ok(serde_json::json!(9)), "a whole number, as it would be written");
}

#[test]
fn says_which_selector_chooses_nothing() {
    let wrong = |text: &str| Assertion::parse(text).unwrap_err().to_string();
    expect![[r#"
        column 8: a metric's name is missing; write for example `metric up == 1`
        column 8: `{job="x"}` chooses no metric: a selector needs a metric name before its brace: only named metrics are kept
        column 8: `x{a=}` chooses no metric: this is no PromQL; write for example `sum(rate(requests_total[5m]))`
    "#]]
    .assert_eq(&format!(
        "{}\n{}\n{}\n",
        wrong("metric == 1"),
        wrong("metric {job=\"x\"} == 1"),
        wrong("metric x{a=} == 1"),
    ));
}
