//! Patterns, parts of texts, sizes, cookies and redirects.

use expect_test::expect;

use super::{answer, check};
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
