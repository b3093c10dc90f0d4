//! What one target does is no concern of the others: on the virtual clock they
//! are asked at the very instants at which they are asked in an undisturbed run.
//!
//! The others are here the targets of another service in the same fleet. Those
//! of the same service are asked more often by design: at once when a sibling
//! fails, and for a while three times as often while an alert is pending. Of
//! them it is held that they are never asked less often.

use std::collections::BTreeMap;

use bakewatch::model::{Exchange, Failure, HOUR, MINUTE, Name, Release, SECOND, Span, Timestamp};
use bakewatch::watch::Heard;

use super::plan_of;
use crate::world::drive::Drive;
use crate::world::script::{self, RELEASED};
use crate::world::target::{Expo, Mood, Play, Target, exchange};

const LENGTH: Span = Span::from_millis(HOUR.millis());
const EVERY: Span = Span::from_secs(15);
const ONSET: Timestamp = Timestamp::from_millis(RELEASED.millis() + 10 * MINUTE.millis());
const RETURN: Timestamp = Timestamp::from_millis(RELEASED.millis() + 25 * MINUTE.millis());
const TIMEOUT: Span = Span::from_secs(10);

type Asked = BTreeMap<String, Vec<Timestamp>>;

/// Something that goes wrong for a quarter of an hour.
enum Wrong {
    /// With one target of three.
    Target(Play),
    /// With bakewatch's own machine.
    Machine(fn(bool) -> Heard),
}

/// What the daemon makes of the bytes in `told.txt`, as the watch hears it.
fn rows() -> Vec<(&'static str, Wrong)> {
    let quick = 40;
    let both = |after, failure: Failure| play(after, Err(failure.clone()), Err(failure));
    let json = "application/json";
    let well = || Ok(exchange(200, json, r#"{"status":"healthy","success":true}"#));
    let page = |text: &str| play(quick, well(), Ok(text.to_owned()));
    let html = "<!doctype html>\n<html>Welcome!\n";
    let nan = "# TYPE ai_assistant_requests_total counter\n\
               ai_assistant_requests_total{success=\"true\",type=\"question\"} NaN\n";
    let limit = 16 << 20;
    vec![
        ("an empty body", play(quick, Ok(exchange(200, json, "")), Ok(String::new()))),
        ("HTML", play(quick, Ok(exchange(200, "text/html", html)), Ok(html.to_owned()))),
        (
            "unhealthy with 200",
            play(quick, Ok(exchange(200, json, r#"{"status":"unhealthy"}"#)), page_of_a_well_one()),
        ),
        ("64 MB, a gzip bomb", both(300, Failure::TooLarge(limit))),
        ("without an end", both(5000, Failure::TooLarge(limit))),
        ("one byte a second", both(TIMEOUT.millis(), Failure::Timeout(TIMEOUT))),
        ("malformed", page("ai_assistant_requests_total{ 1\n")),
        ("cut off", play(quick, well(), Err(Failure::Broken("end of file".to_owned())))),
        ("cut off amid a line", page("up 1\nai_assistant_requests_total{success=\"t")),
        ("NaN", page(nan)),
        ("a missing family", page("process_resident_memory_bytes 1\n")),
        ("more series than are kept", page(&crowd())),
        (
            "a redirect loop",
            play(
                quick,
                Ok(exchange(302, json, "")),
                Err(Failure::Broken("more than 5 redirects".to_owned())),
            ),
        ),
        ("an expired certificate", both(20, Failure::Tls("expired".to_owned()))),
        ("another host's", both(20, Failure::Tls("not valid for name".to_owned()))),
        ("DNS", both(5, Failure::Dns("SERVFAIL".to_owned()))),
        ("the clock set by an hour", Wrong::Machine(clock_is_set)),
        ("the disk full", Wrong::Machine(|is_back| disk("database or disk is full", is_back))),
        ("read-only", Wrong::Machine(|is_back| disk("attempt to write a readonly", is_back))),
        ("torn", Wrong::Machine(|is_back| disk("database disk image is malformed", is_back))),
    ]
}

fn play(after: i64, health: Result<Exchange, Failure>, page: Result<String, Failure>) -> Wrong {
    Wrong::Target(Play { after: Span::from_millis(after), health, page })
}

fn page_of_a_well_one() -> Result<String, Failure> {
    Ok(Target::new("a", RELEASED).text())
}

/// One series more than a target may have.
fn crowd() -> String {
    let series = |number| format!("ai_assistant_requests_total{{type=\"{number}\"}} 1\n");
    (0..200_001).map(series).collect()
}

fn clock_is_set(is_back: bool) -> Heard {
    Heard::ClockStepped { by: if is_back { -1 * HOUR } else { HOUR } }
}

fn disk(what: &str, is_back: bool) -> Heard {
    Heard::Store((!is_back).then(|| what.to_owned()))
}

/// Two services in one fleet, one of whose targets goes wrong.
fn asked(wrong: Option<&Wrong>) -> Asked {
    let plan = |service: &str, targets: &[&str]| {
        script::plan(service, &plan_of(service, targets, LENGTH, EVERY))
    };
    let (ours, others) = (
        plan("chat", &["a:8000", "b:8000", "c:8000"]),
        plan("shop", &["x:8000", "y:8000", "z:8000"]),
    );
    let release = |service: &Name| Release {
        service: service.clone(),
        version: Name::from("v1"),
        at: RELEASED,
    };
    let mut drive = Drive::open(release(&ours.service), ours.clone(), RELEASED);
    drive.beside(release(&others.service), others);
    drive.asked = Some(Asked::new());
    for (at, is_back) in [(ONSET, false), (RETURN, true)] {
        drive.run_to(at);
        match wrong {
            Some(Wrong::Target(play)) => {
                drive.target("a:8000").plays = (!is_back).then(|| play.clone());
            }
            Some(Wrong::Machine(heard)) => drive.turn(vec![heard(is_back)]),
            None => {}
        }
    }
    drive.run_out();
    assert!(drive.targets.iter().all(|target| target.expo == Expo::Good));
    drive.asked.expect("it was to be noted")
}

fn is_of_other_service(whom: &str) -> bool {
    ["x:8000", "y:8000", "z:8000"].iter().any(|name| whom.ends_with(name))
}

fn longest(times: &[Timestamp]) -> Span {
    times.windows(2).map(|pair| pair[1].since(pair[0])).max().expect("asked more than once")
}

#[test]
fn the_others_are_asked_at_the_very_instants_of_an_undisturbed_run() {
    let control = asked(None);
    assert_eq!(control.len(), 12, "six targets, probed and scraped: {:?}", control.keys());
    let others = |asked: &Asked| -> Asked {
        let kept = asked.iter().filter(|(whom, _)| is_of_other_service(whom));
        kept.map(|(whom, times)| (whom.clone(), times.clone())).collect()
    };
    for (name, wrong) in rows() {
        let disturbed = asked(Some(&wrong));
        assert_eq!(others(&disturbed), others(&control), "{name}");
        match &wrong {
            // Of our own machine's trouble nobody is asked at another time.
            Wrong::Machine(_) => assert_eq!(disturbed, control, "{name}"),
            Wrong::Target(_) => {
                for sibling in ["probe b:8000", "probe c:8000", "scrape b:8000", "scrape c:8000"] {
                    let (now, then) = (&disturbed[sibling], &control[sibling]);
                    assert!(then.len() <= now.len(), "{name}: {sibling} less often");
                    assert!(longest(now) <= longest(then) + SECOND / 1000, "{name}: {sibling}");
                }
            }
        }
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("t{number:03}:8000")).collect()
}

/// So many targets, of which something happens to each n-th from one moment on.
fn asked_of_many(count: usize, nth: usize, happens: impl Fn(&mut Target)) -> Asked {
    let names = names(count);
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    // No rule quickens the pace: what is left is what siblings lead to.
    let off = ["ServiceDown", "ReplicasMissing", "TargetSilent", "SignalVanished"];
    let off = off.map(|name| format!("[[rule]]\nname = \"{name}\"\noff = true\n")).concat();
    let text = plan_of("chat", &all, 20 * MINUTE, EVERY) + &off;
    let plan = script::plan("many", &text);
    let release = Release { service: plan.service.clone(), version: "v1".into(), at: RELEASED };
    let mut drive = Drive::open(release, plan, RELEASED);
    drive.asked = Some(Asked::new());
    drive.run_to(ONSET);
    for name in names.iter().step_by(nth) {
        happens(drive.target(name));
    }
    drive.run_out();
    drive.asked.expect("it was to be noted")
}

/// How often one's health was asked since then.
fn probes(asked: &Asked, number: usize) -> usize {
    let times = &asked[&format!("probe t{number:03}:8000")];
    times.iter().filter(|at| ONSET <= **at).count()
}

#[test]
fn answers_that_waver_do_not_make_doubt_breed_doubt() {
    // Of a question in turn one in four is late, and then doubted; a late one
    // before it is the excuse of the next.
    for count in [1, 2, 3, 5, 20] {
        let control = asked_of_many(count, 1, |_| ());
        let wavering = asked_of_many(count, 1, |target| target.wavers = Some(TIMEOUT / 5));
        let all = |asked: &Asked| (0..count).map(|number| probes(asked, number)).sum::<usize>();
        let (more, before) = (all(&wavering), all(&control));
        assert!(more <= 3 * before, "{count} targets: {more} instead of {before}");
        assert!(count == 1 || before < more, "{count} targets: nothing was doubted");
    }
}

#[test]
fn a_third_that_hangs_at_once_leads_to_no_storm_of_questions_to_the_others() {
    let control = asked_of_many(200, 3, |_| ());
    let disturbed = asked_of_many(200, 3, |target| target.mood = Mood::Hangs);
    // Two thirds are well; each of the third has at most eight asked at once,
    // when it is late and when it has failed.
    let others = |number: &usize| !number.is_multiple_of(3);
    let count = |asked: &Asked| -> usize {
        (0..200).filter(others).map(|number| probes(asked, number)).sum()
    };
    let (more, before) = (count(&disturbed), count(&control));
    assert!(more <= before + 67 * 2 * 8, "{more} instead of {before}");
    for number in (0..200).filter(others) {
        let name = format!("probe t{number:03}:8000");
        assert!(longest(&disturbed[&name]) <= longest(&control[&name]), "{name}");
    }
}
