//! Every complaint, as the user reads it.

use expect_test::{Expect, expect};

use super::{Assertion, fold};

fn complain(texts: &[&str], expect: Expect) {
    let row = |text: &&str| {
        let complaint = Assertion::parse(text).err().map(|complaint| complaint.to_string());
        format!("{text}\n{}", fold(&complaint.unwrap_or("is fine".to_owned())))
    };
    expect.assert_eq(&texts.iter().map(row).collect::<String>());
}

#[test]
fn complains_about_what_is_asked() {
    complain(
        &[
            "",
            "stauts == 200",
            "== 200",
            "not status == 200",
            "contains ok",
            "\"ok\"",
            "$.success == true",
            "cookies exist",
            "header",
            "header contains json",
            "header content:type exists",
            "json",
            "json == 1",
            "json success == true",
            "json [0] exists",
            "json $.a[ == 1",
            "json $.a..[b] exists",
            "status\n== 200",
        ],
        expect![[r#"

                column 1: an assertion is missing; write for example `status == 200`
            stauts == 200
                column 1: nothing known is called `stauts`; did you mean `status`?
            == 200
                column 1: an assertion begins with what is asked about; write for example
                  `status == 200`
            not status == 200
                column 1: an assertion begins with what is asked about; write for example
                  `status == 200`
            contains ok
                column 1: an assertion begins with what is asked about; write for example
                  `status == 200`
            "ok"
                column 1: an assertion begins with what is asked about; write for example
                  `status == 200`
            $.success == true
                column 1: a path belongs to `json`; write `json $.success`
            cookies exist
                column 1: nothing known is called `cookies`; did you mean `cookie`?
            header
                column 7: a header's name is missing; write for example `header content-type
                  contains json`
            header contains json
                column 8: a header's name is missing; write for example `header content-type
                  contains json`
            header content:type exists
                column 8: `content:type` is no header name: it holds `:`; write for example
                  `etag`
            json
                column 5: a path is missing; write for example `json $.success == true`
            json == 1
                column 6: a path is missing; write for example `json $.success == true`
            json success == true
                column 6: a path starts at the body's root `$`; write `$.success`
            json [0] exists
                column 6: a path starts at the body's root `$`; write `$[0]`
            json $.a[ == 1
                column 8: `$.a[ == 1` is no JSON path; write for example `$.items[0].name` or
                  `$['a name']`
            json $.a..[b] exists
                column 10: `$.a..[b]` is no JSON path; write for example `$.items[0].name` or
                  `$['a name']`
            status
            == 200
                column 7: an assertion is one line, without tabs
        "#]],
    );
}

#[test]
fn complains_about_what_is_wanted() {
    complain(
        &[
            "status",
            "health",
            "json $.a",
            "status 200",
            "status = 200",
            "status ! 200",
            "status => 200",
            "status equals 200",
            "body \"ok\"",
            "body startswith ok",
            "body contians ok",
            "body matches ok",
            "body matches /ok",
            "body matches /o(k/",
            "body matches /ok/g",
            "body matches //",
            "status matches /2../",
            "status regex /2(.)/ == 0",
            "redirect == https://a",
            "cookie exists",
            "status contains 2",
            "status exists",
            "latency isEmpty",
            "health > degraded",
            "body exists",
            "json $.a count contains 2",
        ],
        expect![[r#"
            status
                column 7: nothing is asked of `status`; write for example `== 200`
            health
                column 7: nothing is asked of `health`; write for example `health is healthy`
            json $.a
                column 9: nothing is asked of `json`; write for example `== "ok"`
            status 200
                column 8: a predicate is missing before `200`; write for example `==`
            status = 200
                column 8: `=` is no predicate; did you mean `==`?
            status ! 200
                column 8: `!` is no predicate; did you mean `not` or `!=`?
            status => 200
                column 8: `=>` is no predicate; did you mean `>=`?
            status equals 200
                column 8: `equals` is no predicate; write one of `==`, `!=`, `<=`, `<`, `>=`,
                  `>`, `in`, `contains`, `startsWith`, `endsWith`, `matches`, `isEmpty`,
                  `exists`, `is`, `count`, `regex`
            body "ok"
                column 6: a predicate is missing before the value; write for example `==`
            body startswith ok
                column 6: `startswith` is no predicate; did you mean `startsWith`?
            body contians ok
                column 6: `contians` is no predicate; did you mean `contains`?
            body matches ok
                column 14: a regular expression stands between slashes; write for example
                  `/^v[0-9]+/`
            body matches /ok
                column 14: the expression has no closing `/`; a slash inside is written `\/`
            body matches /o(k/
                column 14: `/o(k/` is no regular expression: unclosed group; write for
                  example `/^v[0-9]+/`
            body matches /ok/g
                column 18: `g` is no flag; there is `i`, for upper and lower case alike
            body matches //
                column 14: `//` matches anything; write what has to be there
            status matches /2../
                column 8: `matches` asks for text or a list; this is a number, write for
                  example `== 200`
            status regex /2(.)/ == 0
                column 8: `regex` looks for a part of a text
            redirect == https://a
                column 10: a redirect goes somewhere; write for example `redirect to
                  "https://…"`, or `redirects == 0`
            cookie exists
                column 8: a cookie's name is missing; write for example `cookie session
                  exists`
            status contains 2
                column 8: `contains` asks for text or a list; this is a number, write for
                  example `== 200`
            status exists
                column 8: `status` always exists; say what it has to be
            latency isEmpty
                column 9: `isEmpty` asks for text or a list; this is a length of time, write
                  for example `< 10s`
            health > degraded
                column 8: `>` asks for something that has an order; this is a word, write for
                  example `health is healthy`
            body exists
                column 6: `body` always exists; say what it has to be
            json $.a count contains 2
                column 16: `contains` asks for text or a list; this is a number, write for
                  example `== 200`
        "#]],
    );
}

#[test]
fn complains_about_values_and_tails() {
    complain(
        &[
            "status ==",
            "status == ok",
            "status == \"200\"",
            "status == 2xx",
            "status in",
            "status in 2xx",
            "status in 200",
            "status in 299..200",
            "status in 200..",
            "status in 200..x",
            "latency in 1s",
            "latency < 10",
            "latency < 10x",
            "latency < ",
            "size < 1XB",
            "size < -1",
            "health is healty",
            "health is",
            "header retry-after < soon",
            "body contains \"ok",
            "body contains 'ok",
            r#"body contains "\d""#,
            "body contains not found",
            "json $.a == 1 or missing",
            "json $.a exists or absent",
            "status == 200 or absent",
            "json $.a count",
        ],
        expect![[r#"
            status ==
                column 10: a value is missing; write for example `200`
            status == ok
                column 11: `ok` is no number; write for example `200`
            status == "200"
                column 11: "200" is text; a number is written without quotes, `200`
            status == 2xx
                column 11: `2xx` is no number; write `in 200..299`
            status in
                column 10: a range is missing; write for example `200..299`
            status in 2xx
                column 11: `2xx` is no range; write for example `200..299`
            status in 200
                column 11: `200` is no range; write for example `200..299`
            status in 299..200
                column 11: the range is empty; write `200..299`
            status in 200..
                column 16: a value is missing; write for example `200`
            status in 200..x
                column 16: `x` is no number; write for example `200`
            latency in 1s
                column 12: `1s` is no range; write for example `1s..5s`
            latency < 10
                column 11: `10` has no unit; write `10s` or `10ms`
            latency < 10x
                column 11: `10x` is no length of time; write for example `10s` or `250ms`
            latency < 
                column 10: a value is missing; write for example `10s` or `250ms`
            size < 1XB
                column 8: `1XB` is no size; write for example `1MB` or `512kB`
            size < -1
                column 8: `-1` is no size; write for example `1MB` or `512kB`
            health is healty
                column 11: unknown word `healty`; did you mean `healthy`?
            health is
                column 10: a value is missing; write for example `healthy`
            header retry-after < soon
                column 22: `soon` is no number; write for example `200`
            body contains "ok
                column 15: the text has no closing quote `"`
            body contains 'ok
                column 15: the text has no closing quote `'`
            body contains "\d"
                column 15: "\d" has an escape that is none; a backslash is written `\\`
            body contains not found
                column 19: `found` is too much; the assertion ends here, or with `or absent`,
                  and text of several words is written in quotes
            json $.a == 1 or missing
                column 15: `or missing` is too much; the assertion ends here, or with `or
                  absent`, and text of several words is written in quotes
            json $.a exists or absent
                column 17: `exists` already says what absence means; leave out `or absent`
            status == 200 or absent
                column 15: `status` is never absent; leave out `or absent`
            json $.a count
                column 15: nothing is asked of `json`; write for example `== 200`
        "#]],
    );
}
