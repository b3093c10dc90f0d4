//! A week with random faults, from a seed: the whole life of a watch, with
//! crashes, deaf receivers, lost answers, silences and reloads. A fine one looks
//! once a minute; a coarse one does so for its first hours and every half hour
//! in the end, so that ten thousand of them take minutes.

use std::collections::BTreeSet;

use bakewatch::config::Checked;
use bakewatch::model::{DAY, HOUR, Matchers, Name, Release, Span};
use bakewatch::record::{Fact, Plan};

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
first-day = { length = "24h", every = "DAY" }
first-week = { length = "7d", every = "WEEK" }
[rules]
range = "RANGE"
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

/// What somebody makes of the file in the middle of a week: each a text that
/// it says, and what is put in its place.
const EDITS: [(&str, &str); 6] = [
    ("[rules]", "[rules]\nfor = \"7m\"\nrecover = \"20m\""),
    ("severities = [\"critical\"]", "severities = [\"critical\", \"warning\"]"),
    (
        "[[digest]]",
        "[[channel]]\nname = \"desk\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:1/desk\"\n\
         [[digest]]",
    ),
    ("name = \"pager\"", "name = \"pager\"\nafter = \"20m\""),
    (
        "[[inhibit]]\nsource = [\"alertname=ServiceDown\"]\n\
         target = [\"alertname=TargetSilent\"]\n",
        "",
    ),
    ("[[digest]]", "[[digest"),
];

/// So long before its end a week's world is well for good: longer than what
/// happened before is read, and what it broke is held.
const HEALTHY: Span = Span::from_secs(4 * 3600);

/// How often a week is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grain {
    Coarse,
    Fine,
}

impl Grain {
    /// The intervals of the day and of the week, and the range of rates.
    fn times(self) -> [&'static str; 3] {
        match self {
            Grain::Coarse => ["15m", "30m", "2h"],
            Grain::Fine => ["60s", "60s", "5m"],
        }
    }

    /// About so many jobs and turns has a week.
    fn work(self) -> (u64, u64) {
        match self {
            Grain::Coarse => (3_500, 6_000),
            Grain::Fine => (40_000, 60_000),
        }
    }
}

/// What every simulated week begins with, and what may come of it.
pub struct Course {
    grain: Grain,
    plan: Plan,
    /// The file, and then what it may say instead; read once for all weeks.
    files: Vec<(String, Result<Checked, Vec<String>>)>,
}

/// The course of all weeks of a grain.
pub fn course(grain: Grain) -> Course {
    let named = ["DAY", "WEEK", "RANGE"].into_iter().zip(grain.times());
    let first = named.fold(CONFIG.to_owned(), |text, (name, time)| text.replace(name, time));
    let edited = EDITS.iter().map(|(old, new)| {
        assert!(first.contains(old), "the file does not say {old:?}");
        first.replacen(old, new, 1)
    });
    let texts = std::iter::once(first.clone()).chain(edited);
    let files: Vec<_> =
        texts.map(|text| (text.clone(), script::read("simulation", &text))).collect();
    let first = files[0].1.as_ref().unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    Course { grain, plan: first.plan.clone(), files }
}

/// What a week amounted to.
#[derive(Clone, Copy, Default, Debug)]
pub struct Week {
    pub facts: usize,
    pub letters: usize,
    pub turns: u64,
    pub crashes: u64,
    pub reloads: usize,
    pub silences: usize,
}

impl Week {
    /// Adds another's.
    pub fn add(&mut self, other: Week) {
        self.facts += other.facts;
        self.letters += other.letters;
        self.turns += other.turns;
        self.crashes += other.crashes;
        self.reloads += other.reloads;
        self.silences += other.silences;
    }
}

/// Lives one week; an error lists every broken promise.
pub fn week(course: &Course, seed: u64) -> Result<Week, Vec<String>> {
    let mut dice = Dice(seed);
    let plan = &course.plan;
    let release =
        Release { service: plan.service.clone(), version: Name::from("v1"), at: RELEASED };
    let mut drive = Drive::open(release, plan.clone(), RELEASED);
    drive.followed.clone_from(&course.files[0].0);
    drive.mishaps = mishaps(course.grain, &mut dice);
    let end = RELEASED + 7 * DAY;
    loop {
        let wait = Span::from_millis(dice.below(12 * HOUR.millis() as u64) as i64);
        if drive.now + wait >= end - HEALTHY {
            break;
        }
        drive.run_to(drive.now + wait);
        something_happens(&mut drive, &mut dice);
        if dice.chance(40) {
            reload(&mut drive, course, &mut dice);
        }
    }
    drive.run_to(end - HEALTHY);
    everything_heals(&mut drive);
    drive.run_out();
    let found = oracle::complaints(&drive);
    let count = |is: fn(&Fact) -> bool| drive.facts().iter().filter(|(_, fact)| is(fact)).count();
    if found.is_empty() {
        Ok(Week {
            facts: drive.disk.len(),
            letters: drive.taken.len(),
            turns: drive.turns,
            crashes: drive.crashes,
            reloads: count(|fact| {
                matches!(fact, Fact::PlanChanged { .. } | Fact::ReloadFailed { .. })
            }),
            silences: count(|fact| matches!(fact, Fact::Silenced { .. })),
        })
    } else {
        Err(found)
    }
}

fn mishaps(grain: Grain, dice: &mut Dice) -> BTreeSet<Mishap> {
    let (jobs, turns) = grain.work();
    let mut all = BTreeSet::new();
    for _ in 0..dice.below(20) {
        all.insert(Mishap::FailJob(1 + dice.below(jobs)));
        all.insert(Mishap::LoseAnswer(1 + dice.below(jobs)));
    }
    for _ in 0..dice.below(5) {
        let place = [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk];
        // Not in the very first turn: until then nothing has been promised.
        let turn = 2 + dice.below(turns);
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

/// The file says something else, or what it said at first, and is read again.
fn reload(drive: &mut Drive, course: &Course, dice: &mut Dice) {
    let of = |text: &str| course.files.iter().find(|(file, _)| file == text).expect("a known text");
    let before = of(&drive.followed).1.as_ref().expect("it was followed");
    let (text, read) = &course.files[dice.below(course.files.len() as u64) as usize];
    drive.file.clone_from(text);
    drive.reload(before, read.clone());
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
    drive.run_to(now + HEALTHY - HOUR);
}
