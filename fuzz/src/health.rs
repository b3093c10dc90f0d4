//! Any answer of a health endpoint: `503 application/json` on the first line,
//! then the body. Whatever it says, it amounts to one short line and a state
//! that its code allows, in every dialect.
#![no_main]

use bakewatch::check::health::{Dialect, Expected, Health, HealthState, judge, judge_answer};
use bakewatch::model::Exchange;
use libfuzzer_sys::fuzz_target;

/// Longer than any reason that is made of bounded parts: a status word, five
/// components with their words, five unmet ones.
const REASON_CHARS_MAX: usize = 1200;

fuzz_target!(|text: &str| {
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let (status, kind) = head.split_once(' ').unwrap_or((head, ""));
    let status = status.parse().unwrap_or(200);
    let header = |name: &str| (name.to_owned(), kind.to_owned());
    let exchange = Exchange {
        status,
        headers: vec![header("content-type"), header("location"), header("x-version")],
        body: body.to_owned(),
        ..Exchange::default()
    };
    for (_, dialect) in Dialect::ALL {
        let usual = Expected { dialect, ..Expected::default() };
        let demanding = Expected {
            require: vec!["redis".into(), "db".into()],
            allow: [("cache".into(), vec![HealthState::Degraded])].into(),
            words: [("fine".to_owned(), HealthState::Healthy)].into(),
            expect: ["json $.version exists", "body contains ok"].map(parse).into(),
            ..usual.clone()
        };
        for expected in [usual, demanding] {
            let health = judge_answer(&exchange, &expected);
            assert_eq!(health, judge(&Ok(exchange.clone()), &expected));
            hold(status, &health);
        }
    }
});

fn parse(text: &str) -> bakewatch::check::Assertion {
    text.parse().expect("an assertion of ours")
}

fn hold(status: u16, health: &Health) {
    let Health { state, reason, shown } = health;
    assert!(!reason.is_empty() && !reason.chars().any(char::is_control), "{reason:?}");
    assert!(reason.chars().count() <= REASON_CHARS_MAX, "{reason:?}");
    if !(200..300).contains(&status) {
        assert_eq!(*state, HealthState::Unhealthy, "{status} is down, whatever it says");
    }
    let texts = shown.pulses.iter().chain([&shown.version, &shown.strange]).flatten();
    for text in texts {
        assert!(text.chars().count() <= 80 && !text.chars().any(char::is_control), "{text:?}");
    }
}
