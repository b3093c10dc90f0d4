//! Each dialect of the field, and what each answer amounts to.

use expect_test::{Expect, expect};

use super::*;
use crate::model::SECOND;

fn answer(status: u16, body: &str) -> Result<Exchange, Failure> {
    Ok(Exchange { status, body: body.to_owned(), ..Exchange::default() })
}

fn check(replies: &[Result<Exchange, Failure>], expect: Expect) {
    check_as(&Expected::default(), replies, expect);
}

fn check_as(expected: &Expected, replies: &[Result<Exchange, Failure>], expect: Expect) {
    let line = |reply| {
        let Health { state, reason, .. } = judge(reply, expected);
        format!("{state:10} {reason}\n")
    };
    expect.assert_eq(&replies.iter().map(line).collect::<String>());
}

#[test]
fn reads_the_agent_template() {
    check(
        &[
            answer(
                200,
                r#"{"status":"healthy","timestamp":"2026-11-25T01:00:00+00:00",
                "version":"1.0.0","uptime_seconds":3.14,"components":[{"name":"redis",
                "status":"healthy","latency_ms":1.2,"message":null}]}"#,
            ),
            answer(200, r#"{"status":"healthy","components":[]}"#),
            answer(
                200,
                r#"{"status":"degraded","components":[{"name":"redis","status":"degraded"},
                {"name":"mcp","status":"healthy"}]}"#,
            ),
            answer(
                200,
                r#"{"status":"unhealthy","components":[{"name":"redis","status":"degraded"},
                {"name":"adls","status":"unhealthy"}]}"#,
            ),
            answer(
                503,
                r#"{"status":"unhealthy","components":[{"name":"adls",
                "status":"unhealthy"}]}"#,
            ),
            answer(
                200,
                r#"{"status":"healthy","components":[{"name":"adls",
                "status":"unhealthy"}]}"#,
            ),
            answer(200, r#"{"components":[{"name":"adls","status":"degraded"}]}"#),
            answer(200, r#"{"components":[{"name":"adls","status":"healthy"}]}"#),
        ],
        expect![[r#"
            healthy    200, "healthy"
            healthy    200, "healthy", no components
            degraded   200, "degraded": redis
            unhealthy  200, "unhealthy": redis "degraded", adls
            unhealthy  503, "unhealthy": adls
            healthy    200, "healthy": adls "unhealthy"
            degraded   200, degraded by its components: adls "degraded"
            healthy    200, healthy by its components
        "#]],
    );
}

#[test]
fn reads_spring_actuator() {
    check(
        &[
            answer(200, r#"{"status":"UP"}"#),
            answer(
                200,
                r#"{"status":"UP","groups":["liveness"],"components":{"db":{"status":"UP",
                "details":{"database":"x"}},"disk":{"status":"UNKNOWN"}}}"#,
            ),
            answer(
                503,
                r#"{"status":"DOWN","components":{"db":{"status":"DOWN"},
                "ping":{"status":"UP"}}}"#,
            ),
            answer(503, r#"{"status":"OUT_OF_SERVICE"}"#),
            answer(200, r#"{"status":"UNKNOWN"}"#),
            answer(200, r#"{"status":"DOWN","details":{"db":{"status":"DOWN"}}}"#),
        ],
        expect![[r#"
            healthy    200, "UP"
            healthy    200, "UP"
            unhealthy  503, "DOWN": db
            unhealthy  503, "OUT_OF_SERVICE"
            unknown    200, "UNKNOWN"
            unhealthy  200, "DOWN": db
        "#]],
    );
}

#[test]
fn reads_asp_net_core() {
    check(
        &[
            answer(200, "Healthy"),
            answer(200, "Degraded"),
            answer(503, "Unhealthy"),
            answer(200, "Unhealthy\r\n"),
            answer(200, r#"{"status":"Degraded","entries":{"sql":{"status":"Degraded"}}}"#),
        ],
        expect![[r#"
            healthy    200, "Healthy"
            degraded   200, "Degraded"
            unhealthy  503, "Unhealthy"
            unhealthy  200, "Unhealthy"
            degraded   200, "Degraded": sql
        "#]],
    );
}

#[test]
fn reads_health_json() {
    check(
        &[
            answer(200, r#"{"status":"pass","checks":{"cpu":[{"status":"pass"}]}}"#),
            answer(
                200,
                r#"{"status":"warn","checks":{"cpu":[{"status":"pass"},{"status":"warn"}],
                "uptime":[{"observedValue":1}]}}"#,
            ),
            answer(
                200,
                r#"{"status":"warn","checks":{"cpu":[{"status":"pass"},
                {"status":"warn"}]}}"#,
            ),
            answer(500, r#"{"status":"fail"}"#),
            answer(200, r#"{"status":"error"}"#),
            answer(200, r#"{"status":"ok"}"#),
            answer(200, "\u{feff}{\"status\":\"down\"}"),
        ],
        expect![[r#"
            healthy    200, "pass"
            degraded   200, "warn": cpu
            degraded   200, "warn": cpu
            unhealthy  500, "fail"
            unhealthy  200, "error"
            healthy    200, "ok"
            unhealthy  200, "down"
        "#]],
    );
}

#[test]
fn goes_by_the_code_where_the_words_say_nothing_and_says_so() {
    check(
        &[
            answer(200, ""),
            answer(204, ""),
            answer(200, r#"{"components":[{"name":"a","status":"blue"}]}"#),
            answer(200, "OK"),
            answer(200, "\"ok\""),
            answer(200, "I am fine"),
            answer(200, "<!doctype html><title>login</title>"),
            answer(200, "{}"),
            answer(200, "[]"),
            answer(200, "true"),
            answer(200, r#"{"status":200}"#),
            answer(200, r#"{"status":"starting"}"#),
            answer(200, "Unhealthy: database gone"),
            answer(200, "out of service"),
            answer(200, r#"{"status":"unheal"#),
        ],
        expect![[r#"
            healthy    200, empty body, healthy by its code
            healthy    204, empty body, healthy by its code
            unknown    200, unknown by its components
            healthy    200, "OK"
            healthy    200, "ok"
            healthy    200, no status word known, healthy by its code
            healthy    200, an HTML page, healthy by its code
            healthy    200, no status word known, healthy by its code
            healthy    200, no status word known, healthy by its code
            healthy    200, no status word known, healthy by its code
            healthy    200, no status word known, healthy by its code
            unknown    200, "starting" is no status word known
            unhealthy  200, "Unhealthy"
            unhealthy  200, "out of service"
            healthy    200, no status word known, healthy by its code
        "#]],
    );
}

#[test]
fn takes_only_the_dialect_that_is_expected() {
    let pinned = |dialect| Expected { dialect, ..Expected::default() };
    let spring = r#"{"status":"UP","components":{"db":{"status":"DOWN"}}}"#;
    let draft = r#"{"status":"warn","checks":{"cpu":[{"status":"warn"}]}}"#;
    check_as(
        &pinned(Dialect::Spring),
        &[answer(200, spring), answer(200, "<html>"), answer(200, ""), answer(200, "{}")],
        expect![[r#"
            healthy    200, "UP": db "DOWN"
            unknown    200, an HTML page, expected spring
            unknown    200, empty body, expected spring
            unknown    200, no status word known, expected spring
        "#]],
    );
    check_as(
        &pinned(Dialect::HealthJson),
        &[answer(200, draft), answer(200, spring)],
        expect![[r#"
            degraded   200, "warn": cpu
            healthy    200, "UP"
        "#]],
    );
    check_as(
        &pinned(Dialect::Aspnet),
        &[answer(200, "Degraded"), answer(200, "I am fine")],
        expect![[r#"
            degraded   200, "Degraded"
            unknown    200, no status word known, expected aspnet
        "#]],
    );
    check_as(
        &pinned(Dialect::Code),
        &[answer(200, r#"{"status":"unhealthy"}"#), answer(503, "")],
        expect![[r#"
            healthy    200, healthy by its code
            unhealthy  503
        "#]],
    );
}

fn expected(text: &str) -> Expected {
    serde_json::from_str(text).expect("what a plan holds")
}

#[test]
fn holds_components_against_what_is_required_and_allowed() {
    let parts = |word: &str, redis: &str, adls: &str| {
        let part = |name: &str, word: &str| format!(r#"{{"name":"{name}","status":"{word}"}}"#);
        let (redis, adls) = (part("redis", redis), part("adls", adls));
        answer(200, &format!(r#"{{"status":"{word}","components":[{redis},{adls}]}}"#))
    };
    check_as(
        &expected(r#"{"require": ["redis", "adls"], "allow": {"redis": ["healthy", "degraded"]}}"#),
        &[
            parts("healthy", "healthy", "healthy"),
            parts("degraded", "degraded", "healthy"), // what is allowed does not ail the whole
            parts("degraded", "degraded", "degraded"),
            parts("unhealthy", "unhealthy", "healthy"),
            parts("healthy", "healthy", "unhealthy"),
            parts("healthy", "healthy", "resting"),
            answer(200, r#"{"status":"healthy","components":[]}"#),
            answer(200, r#"{"status":"UP","components":{"redis":{"status":"UP"}}}"#),
            answer(200, "Healthy"),
            answer(
                503,
                r#"{"status":"degraded","components":[{"name":"redis","status":"degraded"}]}"#,
            ),
        ],
        expect![[r#"
            healthy    200, "healthy"
            healthy    200, "degraded": redis, as allowed
            degraded   200, "degraded": redis, adls
            unhealthy  200, "unhealthy": redis; redis is "unhealthy"
            degraded   200, "healthy": adls "unhealthy"; adls is "unhealthy"
            degraded   200, "healthy"; adls is "resting"
            degraded   200, "healthy", no components; redis is missing; adls is missing
            degraded   200, "UP"; adls is missing
            degraded   200, "Healthy"; redis is missing; adls is missing
            unhealthy  503, "degraded": redis
        "#]],
    );
}

#[test]
fn asserts_on_details_and_knows_a_services_own_words() {
    let mcp = |tools: u32| {
        answer(
            200,
            &format!(
                r#"{{"status":"Warming Up","components":[{{"name":"mcp",
            "status":"healthy","details":{{"tool_count":{tools}}}}}]}}"#
            ),
        )
    };
    check_as(
        &expected(
            r#"{"words": {"warming_up": "healthy"},
            "expect": ["json $.components[?@.name=='mcp'].details.tool_count > 0"]}"#,
        ),
        &[mcp(3), mcp(0), answer(200, r#"{"status":"healthy"}"#)],
        expect![[r#"
            healthy    200, "Warming Up"
            degraded   200, "Warming Up"; not so: json $.components[?@.name=='mcp'].details.tool_count > 0
            degraded   200, "healthy"; not so: json $.components[?@.name=='mcp'].details.tool_count > 0
        "#]],
    );
}

#[test]
fn shows_how_much_it_looked_at_and_what_moves() {
    let shown = |expected: &Expected, body: &str| judge(&answer(200, body), expected).shown;
    let body = r#"{"status":"healthy","timestamp":"2026-11-25T01:00:00+00:00","version":"1.0.0",
        "uptime_seconds":3.14,"components":[]}"#;
    let auto = Expected::default();
    let all = shown(&auto, body);
    assert_eq!((all.components, all.unmet, all.strange), (Some(0), None, None));
    assert_eq!(all.version.as_deref(), Some("1.0.0"));
    let [time, uptime] = all.pulses;
    assert_eq!(time.as_deref(), Some("\"2026-11-25T01:00:00+00:00\""));
    assert_eq!(uptime.as_deref(), Some("3.14"));
    assert_eq!(shown(&auto, "Healthy"), Shown::default());
    assert_eq!(shown(&auto, r#"{"status":"warming"}"#).strange.as_deref(), Some("warming"));
    assert_eq!(shown(&expected(r#"{"require": ["adls"]}"#), body).unmet, Some(1));
}

#[test]
fn calls_every_other_code_unhealthy() {
    let moved = |location: &str| {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Ok(Exchange { status: 302, headers, ..Exchange::default() })
    };
    check(
        &[
            moved("https://login.example.com/"),
            answer(304, ""),
            answer(401, ""),
            answer(404, "<html>"),
            answer(429, "slow down"),
            answer(500, ""),
            answer(503, ""),
            answer(503, "Healthy"),
            answer(100, ""),
        ],
        expect![[r#"
            unhealthy  302, redirect to https://login.example.com/
            unhealthy  304, a redirect without a location
            unhealthy  401, the probe is not let in
            unhealthy  404, there is no such endpoint
            unhealthy  429, the probe is throttled
            unhealthy  500
            unhealthy  503
            unhealthy  503, "Healthy"
            unhealthy  100
        "#]],
    );
}

#[test]
fn tells_the_targets_failures_from_our_own() {
    check(
        &[
            Err(Failure::Refused),
            Err(Failure::Timeout(10 * SECOND)),
            Err(Failure::Tls("certificate expired".to_owned())),
            Err(Failure::NotAsked("no file descriptors".to_owned())),
        ],
        expect![[r#"
            unhealthy  connection refused
            unhealthy  timeout after 10s
            unhealthy  TLS: certificate expired
            unknown    not asked: no file descriptors
        "#]],
    );
}

#[test]
fn counts_degraded_as_up_and_unknown_as_neither() {
    let is_up = |reply| judge(&reply, &Expected::default()).is_up();
    assert_eq!(is_up(answer(200, "Healthy")), Some(true));
    assert_eq!(is_up(answer(200, "Degraded")), Some(true));
    assert_eq!(is_up(answer(200, "Unhealthy")), Some(false));
    assert_eq!(is_up(Err(Failure::NotAsked(String::new()))), None);
}

#[test]
fn names_a_handful_of_components_and_counts_the_rest() {
    let parts: Vec<String> =
        (0..8).map(|n| format!(r#"{{"name":"part-{n}","status":"down"}}"#)).collect();
    let body = format!(r#"{{"status":"down","components":[{}]}}"#, parts.join(","));
    check(
        &[answer(200, &body)],
        expect![[r#"
        unhealthy  200, "down": part-0, part-1, part-2, part-3, part-4, 3 more
    "#]],
    );
}

#[test]
fn keeps_a_reason_to_one_short_line() {
    let body = format!(r#"{{"status":"down\n{}"}}"#, "x".repeat(10_000));
    let reason = judge(&answer(200, &body), &Expected::default()).reason;
    assert!(reason.chars().count() < 120 && !reason.contains('\n'), "{reason}");
}

#[test]
fn takes_no_code_for_a_word_of_one_that_had_words() {
    let words = |reply| {
        let Health { state, reason, .. } = judge(&reply, &Expected::default());
        is_by_words(state, &reason)
    };
    assert!(words(answer(200, r#"{"status":"degraded"}"#)));
    assert!(words(answer(200, r#"{"components":[{"name":"a","status":"UP"}]}"#)));
    assert!(!words(answer(200, "")) && !words(answer(503, r#"{"status":"DOWN"}"#)));
    let later = |reply| {
        let Health { state, reason, .. } = judge(&reply, &Expected::default()).of_one_with_words();
        format!("{state} {reason}")
    };
    let page = "unknown 200, an HTML page, and it told its status before";
    assert_eq!(later(answer(200, "<html>")), page);
    assert_eq!(later(answer(200, r#"{"status":"UP"}"#)), r#"healthy 200, "UP""#);
    assert_eq!(later(answer(503, "")), "unhealthy 503");
}
