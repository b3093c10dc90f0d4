//! A coarse week with random faults, from a seed: the whole life of a watch,
//! at a look a minute, with crashes, deaf receivers and lost answers.

use std::collections::BTreeSet;

use bakewatch::model::{DAY, HOUR, MINUTE, Matchers, Name, Release, Span};
use bakewatch::record::Plan;

use bakewatch::watch::{Heard, Order, Until};

use super::channel::Manner;
use super::drive::{Crash, Drive, Mishap};
use super::script::{self, RELEASED};
use super::target::{Expo, Mood};
use super::{Dice, oracle};

const CONFIG: &str = r#"
service = "chat"
url = "http://a:8000"
[targets]
static = ["http://a:8000", "http://b:8000"]
expect = 2
[windows]
opening = { length = "101m 40s", every = "60s" }
first-day = { length = "24h", every = "60s" }
first-week = { length = "7d", every = "60s" }
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:1/hook"
[[channel]]
name = "pager"
type = "webhook"
url = "http://127.0.0.1:1/pager"
severities = ["critical"]
[[maintenance]]
name = "small hours"
schedule = "0 3 * * *"
for = "90m"
zone = "Europe/Berlin"
matchers = ["severity=warning"]
[[inhibit]]
source = ["alertname=ServiceDown"]
target = ["alertname=TargetSilent"]
[[digest]]
name = "morning"
cron = "0 9,17 * * *"
zone = "Europe/Berlin"
"#;

/// The plan that every simulated week follows.
pub fn plan() -> Plan {
    script::plan("simulation", CONFIG)
}

/// What a week amounted to.
#[derive(Clone, Copy, Default, Debug)]
pub struct Week {
    pub facts: usize,
    pub letters: usize,
    pub turns: u64,
    pub crashes: u64,
}

impl Week {
    /// Adds another's.
    pub fn add(&mut self, other: Week) {
        self.facts += other.facts;
        self.letters += other.letters;
        self.turns += other.turns;
        self.crashes += other.crashes;
    }
}

/// Lives one week; an error lists every broken promise.
pub fn week(plan: &Plan, seed: u64) -> Result<Week, Vec<String>> {
    let mut dice = Dice(seed);
    let release =
        Release { service: plan.service.clone(), version: Name::from("v1"), at: RELEASED };
    let mut drive = Drive::open(release, plan.clone(), RELEASED);
    drive.mishaps = mishaps(&mut dice);
    let end = RELEASED + 7 * DAY;
    loop {
        let wait = Span::from_millis(dice.below(12 * HOUR.millis() as u64) as i64);
        if drive.now + wait >= end - HOUR {
            break;
        }
        drive.run_to(drive.now + wait);
        something_happens(&mut drive, &mut dice);
    }
    drive.run_to(end - HOUR);
    everything_heals(&mut drive);
    drive.run_out();
    let found = oracle::complaints(&drive);
    if found.is_empty() {
        Ok(Week {
            facts: drive.disk.len(),
            letters: drive.taken.len(),
            turns: drive.turns,
            crashes: drive.crashes,
        })
    } else {
        Err(found)
    }
}

fn mishaps(dice: &mut Dice) -> BTreeSet<Mishap> {
    let mut all = BTreeSet::new();
    for _ in 0..dice.below(20) {
        all.insert(Mishap::FailJob(1 + dice.below(40_000)));
        all.insert(Mishap::LoseAnswer(1 + dice.below(40_000)));
    }
    for _ in 0..dice.below(5) {
        let place = [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk];
        // Not in the very first turn: until then nothing has been promised.
        let turn = 2 + dice.below(60_000);
        all.insert(Mishap::CrashAt(turn, place[dice.below(3) as usize]));
    }
    all
}

fn something_happens(drive: &mut Drive, dice: &mut Dice) {
    let now = drive.now;
    let which = dice.below(drive.targets.len() as u64) as usize;
    let target = &mut drive.targets[which];
    target.live(now);
    match dice.below(14) {
        0 => target.mood = Mood::Refuses,
        1 => target.mood = Mood::Hangs,
        2 => target.mood = Mood::Unhealthy,
        3 => target.mood = Mood::Degraded,
        4..=6 => target.mood = Mood::Answers,
        7 => target.errors = [0.0, 0.005, 0.03, 0.2][dice.below(4) as usize],
        8 => target.slow = [0.0, 0.005, 0.05][dice.below(3) as usize],
        9 => target.memory = [0.4, 0.8, 0.97][dice.below(3) as usize],
        10 => target.restart(now),
        11 => {
            target.expo =
                [Expo::Good, Expo::Html, Expo::Missing, Expo::Bare][dice.below(4) as usize]
        }
        12 => target.rps = [0.0, 0.1, 10.0][dice.below(3) as usize],
        _ => {
            let manners = [
                Manner::Takes,
                Manner::Takes,
                Manner::Refuses,
                Manner::Throttles,
                Manner::Hangs,
                Manner::TakesAndHangs,
            ];
            let receiver = dice.below(drive.receivers.len() as u64) as usize;
            drive.receivers[receiver].manner = manners[dice.below(6) as usize];
        }
    }
    somebody_wants_something(drive, dice);
    if dice.chance(40) {
        drive.now += Span::from_millis(dice.below(2 * HOUR.millis() as u64) as i64); // asleep
    }
    if dice.chance(30) {
        drive.crash();
    }
    if dice.chance(30) {
        // Stopped in order, and started again: by hand, or with a new version.
        drive.turn(vec![Heard::Stop]);
        drive.run_to(drive.now + Span::from_millis(dice.below(20_000) as i64));
        drive.crash();
    }
    if dice.chance(30) {
        let error = dice.chance(2).then(|| "no space left".to_owned());
        drive.turn(vec![Heard::Store(error)]);
    }
}

/// Silences of all sizes, some of them taken back.
fn somebody_wants_something(drive: &mut Drive, dice: &mut Dice) {
    if dice.chance(6) {
        let what =
            ["alertname=ServiceDown", "severity=warning", "alertname=~\".+\"", "instance=~b.*"];
        let matchers = Matchers::parse(&[what[dice.below(4) as usize]]).expect("a matcher");
        let until = Until::For(Span::from_secs(60 + dice.below(12 * 3600) as i64));
        let (by, comment) = ("anna".to_owned(), String::new());
        let done =
            drive.order(None, &Order::Silence { matchers, until, deploy: false, by, comment });
        assert!(done.is_ok_and(|done| done.len() == 1), "it can be done at any time");
    }
    if dice.chance(12) {
        let holding = drive.record().silences_at(drive.now).last().map(|one| one.id.clone());
        if let Some(id) = holding {
            let done = drive.order(None, &Order::Unsilence { id, by: "bert".to_owned() });
            assert!(done.is_ok(), "{done:?}");
        }
    }
}

/// From here on the world is well, so that what is owed can be told.
fn everything_heals(drive: &mut Drive) {
    let now = drive.now;
    for target in &mut drive.targets {
        target.live(now);
        (target.mood, target.expo) = (Mood::Answers, Expo::Good);
        (target.errors, target.slow, target.memory, target.rps) = (0.0, 0.0, 0.5, 10.0);
    }
    for receiver in &mut drive.receivers {
        receiver.manner = Manner::Takes;
    }
    drive.run_to(now + 30 * MINUTE);
}
