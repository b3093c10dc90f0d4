//! The rule of flapping, at every pace, with the rules of the pack as they are:
//! while an alert turns, three letters at most (it fires; it is over; it fires
//! again, and comes and goes), and when it turns no more one with how it is in
//! truth, or none where that is what was told last.

use bakewatch::model::{MINUTE, SECOND, Span, Timestamp};

use crate::world::drive::Drive;
use crate::world::oracle;
use crate::world::script::{RELEASED, parse};

/// (A reminder is no turn, and what burns for hours is reminded of.)
const CONFIG: &str = r#"
service = "chat"
url = "http://a:8000"
[windows]
hours = { length = "LENGTH", every = "15s" }
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"
reminders = "none"
"#;

/// For so many seconds it is broken, or well.
const PACES: [u32; 7] = [20, 45, 90, 180, 300, 600, 840];

/// A critical, and a warning that waits longer to begin and to end.
const INCIDENTS: [&str; 2] = ["chat/ServiceDown", "chat/TargetSilent{instance=\"a:8000\"}"];

/// The longest recovery, a quarter of an hour without a turn, and the interval of
/// a group lie in it.
const AFTER: Span = Span::from_millis(30 * MINUTE.millis());

fn at(second: u32) -> Timestamp {
    RELEASED + i64::from(second) * SECOND
}

/// From the tenth minute on; gives the second in which the last turn is over, too.
fn turns(times: u32, down: u32, up: u32) -> (String, u32) {
    let turn = |n: u32| {
        let from = 600 + n * (down + up);
        format!("at {from}s a refuses\nat {}s a answers\n", from + down)
    };
    ((0..times).map(turn).collect(), 600 + times * (down + up))
}

fn play(script: &str, until: u32) -> Drive {
    let config = CONFIG.replace("LENGTH", &format!("{until}s"));
    let scenario = parse("flapping", &format!("{config}\n---\n{script}\n---\n"));
    let mut drive = scenario.start();
    scenario.play(&mut drive);
    assert_eq!(oracle::complaints(&drive), Vec::<String>::new(), "{script}");
    drive
}

/// The letters that told of an incident: when, and how it stands in them.
fn letters<'d>(drive: &'d Drive, incident: &str) -> Vec<(Timestamp, &'d str)> {
    let turns = drive.taken.iter().flat_map(|taken| taken.turns.iter().map(|one| (taken.at, one)));
    let about = turns.filter(|(_, (of, _, _))| *of == *incident);
    about.map(|(at, (_, status, _))| (at, status.as_str())).collect()
}

#[test]
fn makes_three_letters_at_most_while_it_turns_and_one_of_how_it_is_in_the_end() {
    let mut wrong = Vec::new();
    for (down, up) in PACES.iter().flat_map(|down| PACES.map(|up| (*down, up))) {
        for burns in [false, true] {
            let (mut script, end) = turns(20, down, up);
            let last = if burns { end } else { end - up };
            if burns {
                script += &format!("at {end}s a refuses\n");
            }
            let drive = play(&script, last + 40 * 60);
            for incident in INCIDENTS {
                let mut told = letters(&drive, incident);
                told.retain(|(when, _)| *when <= at(last) + AFTER);
                let turning = told.iter().filter(|(when, _)| *when <= at(last)).count();
                let after = told.len() - turning;
                let in_the_end = told.last().map_or("resolved", |(_, status)| *status);
                let truth = if burns { "firing" } else { "resolved" };
                if turning > 3 || after > 1 || in_the_end != truth {
                    wrong.push(format!(
                        "{incident}, {down} s broken, {up} s well, {truth} in the end: {told:?}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// It breaks for a moment, too short to fire, in the minute in which it would be
/// called steady: the end that was kept back is told all the same.
#[test]
fn tells_the_end_of_what_breaks_for_a_moment_when_it_would_be_steady() {
    let (script, end) = turns(3, 60, 240);
    let drive = play(&script, end + 3600);
    let key = drive.record().alerts.keys().find(|key| key.rule == "ServiceDown").unwrap();
    let resolved_at = drive.record().alerts[key].resolved_at.unwrap();
    let steady = (resolved_at.since(RELEASED).millis() / 1000) as u32 + 15 * 60;
    for moment in (steady - 25..steady + 5).step_by(5) {
        let blip = format!("at {moment}s a refuses\nat {}s a answers\n", moment + 20);
        let drive = play(&format!("{script}{blip}"), end + 3600);
        let told = letters(&drive, INCIDENTS[0]);
        let (when, status) = *told.last().unwrap();
        assert_eq!(told.len(), 4, "{moment} s: {told:?}");
        assert!(status == "resolved" && when < at(moment + 120), "{moment} s: {told:?}");
    }
}
