//! The smoke tests of the production checklist, for a service of which
//! nothing is known but its URL.

use super::{Assertion, Retry, Step};
use crate::model::{HeaderValue, Method, Request, Span};

/// A replica that restarts or a load balancer that lags gets a second chance;
/// a failure is still told within seconds.
const QUICK: Retry = Retry { deadline: Span::from_secs(10), interval: Span::from_secs(2) };

/// The real request may cost money and counts against a rate limit: one more
/// try, not five.
const SPARING: Retry = Retry { deadline: Span::from_secs(10), interval: Span::from_secs(8) };

/// The checklist's three, in its order, for a service at `base_url`; each
/// exchange may take `timeout`.
///
/// - `GET /health` answers 200 and does not say `unhealthy`. A *must*. Degraded
///   passes: a cache that is switched off reads degraded for ever, and on-call
///   would not roll back for it; the health probes tell it all the same.
/// - `GET /health/ready` answers 200. A *must*: what is not ready gets no traffic.
/// - `POST /api/chat` works, in the body too: HTTP 200 with `success: false`
///   or a `response` of `Error: …` is the template's way to fail. A *should*:
///   nobody told us that this service has such an endpoint, and a 404 of a
///   guess must not fail a release. Who writes it into the configuration makes
///   it a *must* there.
pub fn checklist(base_url: &str, timeout: Span) -> Vec<Step> {
    let base = base_url.trim_end_matches('/');
    let get = |path: &str| Request {
        method: Method::Get,
        url: format!("{base}{path}"),
        headers: Vec::new(),
        body: None,
        timeout,
        follow: 0,
        transport: None,
    };
    let chat = Request {
        method: Method::Post,
        headers: vec![(
            "content-type".to_owned(),
            HeaderValue::Plain("application/json".to_owned()),
        )],
        body: Some(r#"{"message": "Hello, test message"}"#.to_owned()),
        ..get("/api/chat")
    };
    vec![
        step("is healthy", true, get("/health"), QUICK, &["status == 200", "health not unhealthy"]),
        step("is ready", true, get("/health/ready"), QUICK, &["status == 200"]),
        step(
            "answers a question",
            false,
            chat,
            SPARING,
            &[
                "status == 200",
                "json $.success == true or absent",
                "json $.response not startsWith \"Error:\" or absent",
            ],
        ),
    ]
}

fn step(name: &str, must: bool, request: Request, retry: Retry, expect: &[&str]) -> Step {
    let parse = |text: &&str| Assertion::parse(text).expect("our own assertions can be read");
    let expect = expect.iter().map(parse).collect();
    Step { must, ..Step::new(name.into(), request, expect, retry) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::judge;
    use crate::model::{Exchange, SECOND};

    /// The step that answers, and which of its assertions a body misses.
    fn check(step: usize, status: u16, body: &str) -> Vec<String> {
        let steps = checklist("https://agent.example.com/", 10 * SECOND);
        let reply = Ok(Exchange { status, body: body.to_owned(), ..Exchange::default() });
        judge(&steps[step], &reply).misses.into_iter().map(|miss| miss.actual).collect()
    }

    #[test]
    fn asks_the_checklists_three_in_order() {
        let steps = checklist("https://agent.example.com/", 10 * SECOND);
        let asked: Vec<String> = steps
            .iter()
            .map(|step| format!("{} {} {}", step.must, step.request.method, step.request.url))
            .collect();
        assert_eq!(
            asked,
            [
                "true GET https://agent.example.com/health",
                "true GET https://agent.example.com/health/ready",
                "false POST https://agent.example.com/api/chat",
            ]
        );
        assert_eq!(steps[2].request.body.as_deref(), Some(r#"{"message": "Hello, test message"}"#));
    }

    #[test]
    fn hears_the_word_behind_a_200() {
        assert_eq!(check(0, 200, r#"{"status":"degraded","components":[]}"#), [""; 0]);
        assert_eq!(
            check(0, 200, r#"{"status":"unhealthy"}"#),
            [r#""unhealthy" (200, "unhealthy")"#]
        );
    }

    #[test]
    fn takes_any_chat_answer_that_does_not_say_it_failed() {
        assert_eq!(check(2, 200, r#"{"answer":"hi"}"#), [""; 0]);
        assert_eq!(check(2, 200, "hi"), [""; 0]);
        assert_eq!(check(2, 200, r#"{"success":true,"response":"hi"}"#), [""; 0]);
        assert_eq!(
            check(2, 200, r#"{"success":false,"response":"Error: no key"}"#),
            ["false", "\"Error: no key\""]
        );
        assert_eq!(check(2, 404, ""), ["404"]);
    }
}
