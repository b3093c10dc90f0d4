//! Assertions, one a line, an empty line, and an answer: `200`, its headers,
//! an empty line, its body. What is no assertion says where it is wrong; what
//! is one is judged, captured from, and shown in every form there is.
#![no_main]

use bakewatch::check::{
    Assertion, Capture, Memory, Next, Origin, Places, Progress, Retry, Step, begin, heard, next,
    passed,
};
use bakewatch::model::{Exchange, Request, SECOND, Span, Timestamp, Verdict};
use bakewatch::report::smoke::{Format, SmokeRun};
use libfuzzer_sys::fuzz_target;

/// More make a run slow and show nothing new.
const LINES_MAX: usize = 8;

fuzz_target!(|text: &str| {
    let (asked, answered) = text.split_once("\n\n").unwrap_or((text, ""));
    let exchange = exchange(answered);
    let (mut expect, mut captures) = (Vec::new(), Vec::new());
    for line in asked.lines().take(LINES_MAX) {
        expect.extend(read(line, &exchange));
        captures.extend(Capture::parse(line));
    }
    let reply = Ok(exchange);
    let retry = Retry { deadline: Span::ZERO, interval: SECOND };
    let mut first = Step::new("first".into(), Request::default(), expect, retry);
    first.capture = captures
        .into_iter()
        .enumerate()
        .map(|(at, capture)| (format!("value{at}").as_str().into(), capture))
        .collect();
    let second = Step { must: false, ..first.clone() };
    let steps = [first, Step { name: "second".into(), ..second }];
    let (mut memory, mut results) = (Memory::new(Origin::default()), Vec::new());
    let now = Timestamp::from_millis(1_700_000_000_000);
    loop {
        match next(&steps, &results, &memory) {
            Next::Over => break,
            Next::Skip(result) => results.push(*result),
            Next::Try(step) => match heard(&step, begin(results.len(), now), &reply, now) {
                Progress::Again(_) => panic!("tried again though there is no deadline"),
                Progress::Done(result) => {
                    if let Ok(exchange) = &reply {
                        memory.learn(&step, exchange);
                    }
                    results.push(result);
                }
            },
        }
    }
    assert_eq!(results.len(), steps.len());
    let _ = passed(&results, &steps);
    show(results);
});

fn read(line: &str, exchange: &Exchange) -> Option<Assertion> {
    match Assertion::parse(line) {
        Ok(assertion) => {
            let shown = assertion.to_string();
            assert_eq!(Assertion::parse(&shown), Ok(assertion.clone()), "{shown:?}");
            if let Some(miss) = assertion.check(exchange) {
                assert!(!miss.actual.chars().chain(miss.expected.chars()).any(char::is_control));
            }
            Some(assertion)
        }
        Err(complaint) => {
            assert!(!complaint.what.is_empty() && complaint.column >= 1, "{complaint}");
            assert!(complaint.column <= line.chars().count() + 1, "{complaint}");
            None
        }
    }
}

fn exchange(text: &str) -> Exchange {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or(200);
    let headers = lines.filter_map(|line| line.split_once(':'));
    Exchange {
        status,
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body: body.to_owned(),
        elapsed: Span::from_millis(12),
        url: "https://agent.example.com/".to_owned(),
        ..Exchange::default()
    }
}

fn show(results: Vec<bakewatch::check::StepResult>) {
    let run = SmokeRun {
        service: "agent".into(),
        release: None,
        run_id: "0123456789abcdef".to_owned(),
        verdict: Verdict::Failed,
        places: Places::default(),
        results,
    };
    for format in Format::ALL {
        let text = format.render(std::slice::from_ref(&run));
        // Annotations tell of failures alone; each other form tells of a pass too.
        assert!(!text.is_empty() || format == Format::Github, "{format:?} says nothing");
        if matches!(format, Format::Json | Format::Gitlab) {
            serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
        }
    }
}
