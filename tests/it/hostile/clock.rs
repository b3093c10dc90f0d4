//! A wall clock that is set forward and back, and a machine that sleeps: told,
//! and nothing else comes of it. The clock is one of our own; no test sets the
//! machine's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bakewatch::config::{self, Given, Source};
use bakewatch::daemon::carry::Carrier;
use bakewatch::daemon::clock::{self, Clock, Look, Real};
use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::daemon::store::Store;
use bakewatch::daemon::turn::{Observer, Turns};
use bakewatch::model::{HOUR, MINUTE, Release, SECOND, Span, Timestamp, WatchId};
use bakewatch::record::Fact;
use bakewatch::watch::Fleet;

use super::plan_of;
use crate::io::cli::service;
use crate::world::script::line;

/// How far its wall clock is off, and how long it has slept, in milliseconds.
#[derive(Default)]
struct Shifts {
    set: AtomicI64,
    slept: AtomicI64,
}

struct Shifted {
    began: Instant,
    wall: Timestamp,
    shifts: Arc<Shifts>,
}

impl Shifted {
    fn look(&self) -> Look {
        let [set, slept] =
            [&self.shifts.set, &self.shifts.slept].map(|by| by.load(Ordering::SeqCst));
        let passed = Span::from(self.began.elapsed()) + Span::from_millis(slept);
        Look { wall: self.wall + passed + Span::from_millis(set), boot: (HOUR + passed).to_std() }
    }
}

/// Sets the clock forward once all is well, back once that was noticed, and
/// sleeps after that.
struct Script {
    shifts: Arc<Shifts>,
    stage: usize,
    told: Vec<String>,
    times: Vec<Timestamp>,
    /// Looks that were taken after the sleep.
    looks: u32,
}

impl Observer for Script {
    fn fact(&mut self, _: &WatchId, at: Timestamp, fact: &Fact, fleet: &Fleet) {
        self.times.push(at);
        let id = fleet.ids().next().expect("one watch");
        let is_smoked = fleet.record(id).is_some_and(|record| record.is_smoke_done());
        let (set, slept) = (&self.shifts.set, &self.shifts.slept);
        match (self.stage, fact) {
            (0, Fact::Smoked(_)) if is_smoked => {
                set.store(HOUR.millis(), Ordering::SeqCst);
                self.stage = 1;
            }
            (1, Fact::ClockStepped { by }) => {
                assert!(is_near(*by, HOUR), "{by}");
                set.store(0, Ordering::SeqCst);
                self.stage = 2;
            }
            (2, Fact::ClockStepped { by }) => {
                assert!(is_near(*by, -1 * HOUR), "{by}");
                slept.store(2 * HOUR.millis(), Ordering::SeqCst);
                self.stage = 3;
            }
            (3, Fact::Resumed { .. }) => self.stage = 4,
            (_, Fact::Measured(_)) => return,
            _ => {}
        }
        self.told.extend(line(fact));
    }

    fn turn(&mut self, _: Timestamp, _: &Fleet) -> bool {
        self.looks += u32::from(self.stage == 4);
        6 <= self.looks
    }
}

fn is_near(span: Span, wanted: Span) -> bool {
    (span - wanted).millis().abs() < SECOND.millis()
}

#[tokio::test]
async fn a_clock_that_is_set_and_a_machine_that_sleeps_are_told_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let url = service().await;
    let place = url.trim_start_matches("http://").to_owned();
    let text = plan_of("chat", &[&place], 24 * HOUR, 15 * SECOND);
    let source = Source { file: "clock".to_owned(), text };
    let plan = config::read(Some(&source), &Given::default()).unwrap().plan;
    let shifts = Arc::new(Shifts::default());
    let machine = Shifted { began: Instant::now(), wall: clock::wall(), shifts: shifts.clone() };
    let clock = Clock::Real(Real::new(move || machine.look(), Timestamp::default(), Span::ZERO));
    let now = clock.now();
    let mut fleet = Fleet::new();
    let release = Release { service: plan.service.clone(), version: "v1".into(), at: now };
    let id = fleet.open(release, plan, now).unwrap();
    let carrier = Carrier {
        http: Http::new().unwrap(),
        secrets: Secrets::default(),
        deferred: Arc::default(),
        report_dir: dir.path().join("reports"),
    };
    let mut turns = Turns::new(fleet, clock, Store::open(dir.path()).unwrap(), carrier);
    let mut script = Script { shifts, stage: 0, told: Vec::new(), times: Vec::new(), looks: 0 };
    let (_stop, stops) = tokio::sync::watch::channel(0);
    let run = turns.run(&mut script, stops);
    tokio::time::timeout(Duration::from_secs(120), run).await.expect("it goes on looking");

    let is_of_time = |line: &&String| line.starts_with("clock") || line.starts_with("resumed");
    let told: Vec<&String> = script.told.iter().filter(is_of_time).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].ends_with("nobody looked: the process was held up"), "{told:?}");
    let is_calm = |line: &String| !line.starts_with("alert") && !line.contains("Unhealthy");
    assert!(script.told.iter().all(is_calm), "{:?}", script.told);
    assert!(script.times.is_sorted(), "the record's time never runs backwards");

    let record = turns.fleet().record(&id).unwrap();
    let dark: Vec<Span> = record.blind.iter().map(|blind| blind.to.since(blind.from)).collect();
    assert_eq!(dark.len(), 1, "{dark:?}");
    assert!(2 * HOUR <= dark[0] && dark[0] < 2 * HOUR + MINUTE, "as long as it slept: {dark:?}");
    let limits: Vec<&str> = record.limits.values().map(String::as_str).collect();
    let set = limits.iter().find(|limit| limit.starts_with("the wall clock was set by -1h at "));
    assert!(set.is_some(), "the report tells it: {limits:?}");
}
