//! Alerts that nobody is told of: silences, maintenance, inhibition, flapping.
//! Beginnings are held back, never ends; what still burns when the reason is
//! over is told then.

use bakewatch::model::{MINUTE, SECOND};
use bakewatch::record::{Fact, Hold};
use expect_test::expect;

use crate::world::drive::{Crash, Drive, Mishap};
use crate::world::oracle;
use crate::world::script::{RELEASED, parse};

/// A hold of half a minute, a recovery of a minute.
const CONFIG: &str = r#"
service = "chat"
url = "http://a:8000"
[windows]
hours = { length = "LENGTH", every = "15s" }
[rules]
for = "30s"
recover = "1m"
[[rule]]
name = "TargetSilent"
off = true
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"
"#;

/// Each holds from the tenth minute to the thirtieth.
const REASONS: [(&str, &str, &str); 3] = [
    ("silence", "", "at 10m silence alertname=ServiceDown for 20m\n"),
    (
        "maintenance",
        "[[maintenance]]\nname = \"night\"\nschedule = \"10 1 1 1 *\"\nfor = \"20m\"\n\
         zone = \"Europe/Berlin\"\n",
        "",
    ),
    (
        "inhibition",
        "[[check]]\nname = \"db\"\ntcp = \"db:5432\"\nevery = \"15s\"\n\
         [[inhibit]]\nsource = [\"alertname=CheckFailing\"]\ntarget = [\"alertname=ServiceDown\"]\n",
        "at 10m check db refuses\nat 28m30s check db answers\n",
    ),
];

/// When it breaks, and when it is well again.
const COURSES: [(&str, u32, u32); 4] = [
    ("fires and ends under it", 12, 20),
    ("fires under it, ends after it", 12, 45),
    ("fires before it, ends under it", 5, 20),
    ("fires before it, ends after it", 5, 45),
];

fn play(length: &str, config: &str, script: &str, mishap: Option<Mishap>) -> Drive {
    let mut lines: Vec<&str> = script.lines().collect();
    let at =
        |line: &&str| line.split(' ').nth(1).and_then(|at| at.parse().ok()).unwrap_or_default();
    lines.sort_by_key(|line| -> bakewatch::model::Span { at(line) });
    let script = lines.join("\n");
    let base = CONFIG.replace("LENGTH", length);
    let scenario = parse("suppression", &format!("{base}{config}\n---\n{script}\n---\n"));
    let mut drive = scenario.start();
    drive.mishaps = mishap.into_iter().collect();
    scenario.play(&mut drive);
    assert_eq!(oracle::complaints(&drive), Vec::<String>::new(), "{script}");
    drive
}

/// What the channel holds of a rule's alerts, each letter once: when, and how
/// it stands. (A letter tells as of then, whatever it is about.)
fn told(drive: &Drive, rule: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    for taken in &drive.taken {
        for (incident, status, _) in &taken.turns {
            if incident.starts_with(&format!("chat/{rule}")) && !seen.contains(&taken.key) {
                seen.push(taken.key.clone());
                let minute = taken.at.since(RELEASED).millis() / MINUTE.millis();
                lines.push(format!("{status} {minute}m"));
            }
        }
    }
    lines
}

/// Why and how long nobody was told, as the record has it.
fn held(drive: &Drive) -> Vec<String> {
    let alerts = drive.record().alerts.iter().filter(|(key, _)| key.rule == "ServiceDown");
    let episodes = alerts.flat_map(|(_, alert)| &alert.episodes);
    let minutes = |at: bakewatch::model::Timestamp| at.since(RELEASED).millis() / MINUTE.millis();
    let held = episodes.flat_map(|episode| &episode.held);
    held.map(|one| {
        let to = one.to.map_or("…".to_owned(), |to| format!("{}m", minutes(to)));
        format!("{} {}m–{to}", one.why.reason(), minutes(one.from))
    })
    .collect()
}

#[test]
fn holds_back_beginnings_and_never_ends_whatever_the_reason() {
    let mut table = String::new();
    for (reason, config, script) in REASONS {
        for (course, breaks, heals) in COURSES {
            let script = format!("{script}at {breaks}m a refuses\nat {heals}m a answers");
            let drive = play("1h", config, &script, None);
            let (told, held) = (told(&drive, "ServiceDown").join(", "), held(&drive).join(", "));
            table += &format!("{reason:11}  {course:30}  {told:28} | {held}\n");
        }
    }
    expect![[r#"
        silence      fires and ends under it                                      | silence 12m–21m
        silence      fires under it, ends after it   firing 30m, resolved 46m     | silence 12m–30m
        silence      fires before it, ends under it  firing 5m, resolved 21m      | 
        silence      fires before it, ends after it  firing 5m, firing 35m, resolved 46m | 
        maintenance  fires and ends under it                                      | maintenance 12m–21m
        maintenance  fires under it, ends after it   firing 30m, resolved 46m     | maintenance 12m–30m
        maintenance  fires before it, ends under it  firing 5m, resolved 21m      | 
        maintenance  fires before it, ends after it  firing 5m, firing 35m, resolved 46m | 
        inhibition   fires and ends under it                                      | inhibition 12m–21m
        inhibition   fires under it, ends after it   firing 30m, resolved 46m     | inhibition 12m–30m
        inhibition   fires before it, ends under it  firing 5m, resolved 21m      | 
        inhibition   fires before it, ends after it  firing 5m, firing 35m, resolved 46m | 
    "#]].assert_eq(&table);
}

#[test]
fn holds_wherever_the_process_is_killed() {
    for (reason, config, script) in REASONS {
        let script = format!("{script}at 12m a refuses\nat 45m a answers");
        let whole = play("50m", config, &script, None);
        let turns: Vec<u64> = (2..whole.turns).step_by((whole.turns / 6) as usize).collect();
        for turn in turns.into_iter().chain(whole.letter_turns) {
            for place in [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk] {
                let drive = play("50m", config, &script, Some(Mishap::CrashAt(turn, place)));
                let told = told(&drive, "ServiceDown");
                let states: Vec<&str> =
                    told.iter().map(|one| one.split(' ').next().unwrap()).collect();
                assert_eq!(states, ["firing", "resolved"], "{reason}, {place:?} in turn {turn}");
            }
        }
    }
}

/// The silence ends while nobody looks: the first look after that frees what burns,
/// though it finds nothing that would be a fact.
#[test]
fn frees_what_burns_with_the_first_look_after_a_stop() {
    let script = "at 10m silence alertname=ServiceDown for 20m\nat 12m a refuses\n\
                  at 29m is down 2m\nat 45m a answers";
    let drive = play("1h", "", script, None);
    let at = |is_it: &dyn Fn(&Fact) -> bool| {
        drive.facts().iter().find(|(_, fact)| is_it(fact)).expect("it happens").0
    };
    let resumed = at(&|fact| matches!(fact, Fact::Resumed { .. }));
    let freed = at(&|fact| matches!(fact, Fact::Freed { .. }));
    assert!(freed.since(resumed) < 2 * SECOND, "{}", freed.since(resumed));
}

#[test]
fn frees_what_burns_when_a_silence_is_taken_back() {
    let script = "at 10m silence severity=critical service=chat for 1h\nat 12m a refuses\n\
                  at 20m unsilence\nat 45m a answers";
    let drive = play("1h", "", script, None);
    assert_eq!(told(&drive, "ServiceDown"), ["firing 20m", "resolved 46m"]);
    let news = drive.taken.iter().find(|taken| !taken.turns.is_empty()).unwrap();
    assert!(news.words.contains("2026-01-01T00:12:"), "with its true beginning: {}", news.words);
    let facts = drive.facts().iter();
    let silent = facts.filter_map(|(_, fact)| match fact {
        Fact::Held { why: Hold::Silence { by, .. }, .. } => Some(by.as_str()),
        _ => None,
    });
    assert_eq!(silent.collect::<Vec<_>>(), ["anna"]);
}

#[test]
fn tells_one_thing_of_a_parent_with_fifty_children() {
    let places: Vec<String> = (0..50).map(|n| format!("\"http://r{n:02}:8000\"")).collect();
    let config = format!(
        r#"
service = "chat"
url = "http://r00:8000"
[targets]
static = [{}]
[windows]
two-hours = {{ length = "2h", every = "15s" }}
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"
[[inhibit]]
source = ["alertname=ServiceDown"]
target = ["alertname=~TargetSilent|ReplicasMissing"]
"#,
        places.join(", ")
    );
    let script = "at 10m all refuses\nat 30m all answers\n";
    let scenario = parse("children", &format!("{config}\n---\n{script}\n---\n"));
    let mut drive = scenario.start();
    scenario.play(&mut drive);
    assert_eq!(oracle::complaints(&drive), Vec::<String>::new());
    let (parent, child) = (told(&drive, "ServiceDown"), told(&drive, "TargetSilent"));
    assert_eq!(parent.len(), 2, "{parent:?}");
    assert_eq!((child, told(&drive, "ReplicasMissing")), (Vec::new(), Vec::new()));
    let fired = drive.record().alerts.iter().filter(|(key, _)| key.rule == "TargetSilent");
    let fired = fired.filter(|(_, alert)| !alert.episodes.is_empty());
    assert_eq!(fired.count(), 50, "all of them were true, and are in the record");
}

/// A child that still burns when its parent is well is told after the grace.
#[test]
fn tells_a_child_that_its_parent_does_not_explain_any_more() {
    let (_, config, script) = REASONS[2];
    let drive = play("1h", config, &format!("{script}at 12m a refuses\nat 45m a answers"), None);
    assert_eq!(told(&drive, "CheckFailing").len(), 2);
    let ended = |rule: &str| {
        let found = drive.facts().iter().filter_map(|(at, fact)| match fact {
            Fact::Alert { rule: of, phase, .. } if *of == *rule => Some((*at, *phase)),
            _ => None,
        });
        found.filter(|(_, phase)| !phase.is_firing()).map(|(at, _)| at).next_back().unwrap()
    };
    let freed = drive.facts().iter().find(|(_, fact)| matches!(fact, Fact::Freed { .. })).unwrap();
    assert_eq!(freed.0.since(ended("CheckFailing")).to_string(), "30s", "two looks of 15 s");
}

/// Of two that explain each other one is told.
#[test]
fn never_holds_back_all_of_a_circle() {
    let (_, config, script) = REASONS[2];
    let both = format!(
        "{config}[[inhibit]]\nsource = [\"alertname=ServiceDown\"]\n\
         target = [\"alertname=CheckFailing\"]\n"
    );
    let script = script.replace("at 10m check", "at 12m check");
    let drive = play("1h", &both, &format!("{script}at 12m a refuses\nat 20m a answers"), None);
    let told = [told(&drive, "ServiceDown"), told(&drive, "CheckFailing")];
    assert_eq!(told.iter().filter(|all| all.len() == 2).count(), 1, "{told:?}");
}

fn flap(times: u32, down: u32, up: u32) -> String {
    let turn = |n: u32| {
        let at = 10 * 60 + n * (down + up);
        format!("at {at}s a refuses\nat {}s a answers\n", at + down)
    };
    (0..times).map(turn).collect()
}

/// Four letters: that it burns, that it is over, that it burns again and comes and
/// goes, and how it is in the end. None of them can be left out: when it was
/// written, its reader would have taken the opposite for true. Three, where it
/// burns again before its end was told: a warning's waits for five minutes.
#[test]
fn tells_of_flapping_once_and_how_it_is_in_the_end() {
    let fast = play("70m", "", &flap(20, 40, 50), None);
    // It is never calm for long enough to be over.
    expect!["firing 10m, resolved 40m"].assert_eq(&told(&fast, "ServiceDown").join(", "));
    let slow = play("80m", "", &flap(12, 60, 150), None);
    expect!["firing 10m, resolved 12m, firing 14m, resolved 65m"]
        .assert_eq(&told(&slow, "ServiceDown").join(", "));
    let warning = "[[rule]]\nname = \"ServiceDown\"\nseverity = \"warning\"\n";
    let later = play("80m", warning, &flap(12, 60, 150), None);
    expect!["firing 11m, firing 16m, resolved 65m"]
        .assert_eq(&told(&later, "ServiceDown").join(", "));
    let news: Vec<&str> = slow.taken.iter().map(|taken| &*taken.words).collect();
    let says = |what: &str| news.iter().filter(|words| words.contains(what)).count();
    assert_eq!(says("it comes and goes: it fired again within 15m of its end"), 1, "{news:?}");
}

#[test]
fn comes_to_four_letters_however_slowly_it_flaps_twenty_times() {
    for (down, up) in [(60, 90), (60, 150), (120, 300), (300, 300), (90, 600), (400, 900)] {
        let length = format!("{}s", 20 * (down + up) + 2400);
        let drive = play(&length, "", &flap(20, down, up), None);
        let told = told(&drive, "ServiceDown");
        assert!(told.len() <= 4, "{down} s down, {up} s up: {told:?}");
        assert!(told.last().unwrap().starts_with("resolved"), "{told:?}");
        let alerts = &drive.record().alerts;
        let (_, alert) = alerts.iter().find(|(key, _)| key.rule == "ServiceDown").unwrap();
        assert_eq!(alert.episodes.len(), 20, "all of them were true, and are in the record");
    }
    // A quarter of an hour without change is an end like any other.
    let drive = play("2h", "", &flap(3, 120, 1000), None);
    assert_eq!(told(&drive, "ServiceDown").len(), 6);
}

/// It came back and stays: told when it begins, and what becomes of it as ever.
#[test]
fn tells_of_what_came_back_and_burns_on_as_of_anything_that_burns() {
    let stays = play("100m", "", &(flap(8, 60, 150) + "at 50m a refuses\nat 80m a answers"), None);
    expect!["firing 10m, resolved 12m, firing 14m, firing 65m, resolved 81m"]
        .assert_eq(&told(&stays, "ServiceDown").join(", "));
    let pager = "[[channel]]\nname = \"pager\"\ntype = \"webhook\"\n\
                 url = \"http://127.0.0.1:1/pager\"\nafter = \"5m\"\n";
    let back = play("80m", pager, &(flap(1, 60, 150) + "at 14m a refuses\nat 40m a answers"), None);
    let letters = |name: &str| {
        let taken = back.taken.iter().filter(|taken| taken.channel == *name);
        let turns = taken.flat_map(|taken| taken.turns.iter().map(move |turn| (taken, turn)));
        let lines = turns.map(|(taken, (_, status, _))| {
            format!("{status} {}m", taken.at.since(RELEASED).millis() / MINUTE.millis())
        });
        lines.collect::<Vec<_>>().join(", ")
    };
    // (It has not changed for long, and its end waits for nothing.)
    expect!["firing 10m, resolved 12m, firing 14m, resolved 41m"].assert_eq(&letters("hook"));
    expect!["firing 19m, resolved 41m"].assert_eq(&letters("pager"));
}

/// Its last turn was told, and then silence: nothing is owed, whatever is killed.
#[test]
fn tells_the_end_of_what_flaps_wherever_the_process_is_killed() {
    let script = flap(4, 60, 150);
    let whole = play("50m", "", &script, None);
    let turns: Vec<u64> = (2..whole.turns).step_by((whole.turns / 6) as usize).collect();
    for turn in turns.into_iter().chain(whole.letter_turns) {
        for place in [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk] {
            let drive = play("50m", "", &script, Some(Mishap::CrashAt(turn, place)));
            let told = told(&drive, "ServiceDown");
            assert!(told.len() <= 4, "{place:?} in turn {turn}: {told:?}");
            assert!(told.last().unwrap().starts_with("resolved"), "{told:?}");
        }
    }
}

/// The watch ends while it flaps and is calm: whoever was told hears the end.
#[test]
fn tells_the_end_of_what_flaps_when_the_watch_ends() {
    let ends = play("46m", "", &flap(11, 60, 150), None);
    let told = told(&ends, "ServiceDown");
    expect!["firing 10m, resolved 12m, firing 14m, closed 46m"].assert_eq(&told.join(", "));
}

/// What it held back is told under the next release.
#[test]
fn ends_the_silence_of_a_deployment_with_its_release() {
    let script = "at 10m silence deploy for 15m\nat 12m a fails 20%\n\
                  at 20m superseded by v2\nat 70m a fails 0%";
    let drive = play("80m", "", script, None);
    expect!["firing 13m, firing 43m, resolved 74m"]
        .assert_eq(&told(&drive, "HighErrorRate").join(", "));
    expect!["firing 20m, resolved 75m"].assert_eq(&told(&drive, "ElevatedErrors").join(", "));
    assert_eq!(drive.record().silences.len(), 1);
    let heir = drive.record_of(drive.ids.last().unwrap());
    assert_eq!(heir.silences, []);
}

#[test]
fn passes_silences_on_to_the_next_release() {
    let script = "at 10m silence alertname=ServiceDown for 50m\nat 12m a refuses\n\
                  at 20m superseded by v2\nat 70m a answers";
    let drive = play("80m", "", script, None);
    assert_eq!(told(&drive, "ServiceDown"), ["firing 60m", "resolved 71m"]);
    let heir = drive.record_of(drive.ids.last().unwrap());
    assert_eq!(heir.silences, drive.record().silences, "the same silence");
    let key = heir.alerts.keys().find(|key| key.rule == "ServiceDown").unwrap();
    assert_eq!(heir.alerts[key].episodes[0].held.len(), 1);
}
