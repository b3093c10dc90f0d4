//! Mistakes of our own: they stop one watch's judging, are told, and are
//! never a loop that turns for nothing.

use bakewatch::model::{DAY, Release, WatchId};
use bakewatch::record::{Fact, Item, Outcome};
use bakewatch::watch::{Fleet, Heard, Job, Noted, Question, Reply};

use crate::world::script::{self, RELEASED};

fn fleet(services: &[&str]) -> Fleet {
    let mut fleet = Fleet::new();
    for service in services {
        let text = format!(
            "service = \"{service}\"\nurl = \"http://a:8000\"\n\n[[channel]]\nname = \"hook\"\n\
             type = \"webhook\"\nurl = \"http://127.0.0.1:1/hook\"\n"
        );
        let plan = script::plan("panics", &text);
        let service = plan.service.clone();
        let release = Release { service, version: "v1".into(), at: RELEASED };
        fleet.open(release, plan, RELEASED).unwrap();
    }
    fleet
}

fn probe(jobs: &[Job], watch: &WatchId) -> Job {
    let is_probe = |job: &&Job| matches!(job.question, Question::Probe { .. });
    jobs.iter().filter(is_probe).find(|job| job.watch == *watch).unwrap().clone()
}

/// An answer that no question of this kind can have.
fn nonsense(job: &Job) -> (WatchId, Heard) {
    let reply = match job.question {
        Question::Publish { .. } => Reply::Delivered(Outcome::Unknown { detail: String::new() }),
        _ => Reply::Published(Ok(Vec::new())),
    };
    (job.watch.clone(), Heard::Answer { job: job.id, reply })
}

fn poisoned(noted: &[Noted]) -> usize {
    noted.iter().filter(|one| matches!(one.fact.decode(), Ok(Fact::Poisoned { .. }))).count()
}

#[test]
fn a_mistake_poisons_its_watch_alone_and_is_told() {
    let mut fleet = fleet(&["chat", "search"]);
    let now = RELEASED;
    fleet.hear(now, Vec::new());
    let jobs = fleet.ask(now);
    let chat = WatchId("chat@v1".into());
    let noted = fleet.hear(now, vec![nonsense(&probe(&jobs, &chat))]);
    assert_eq!(poisoned(&noted), 1);
    assert!(fleet.wake() <= Some(now), "the letter is due at once");
    fleet.hear(now, Vec::new());
    let asked = fleet.ask(now);
    let letters = asked.iter().filter(|job| matches!(job.question, Question::Deliver { .. }));
    assert_eq!(letters.map(|job| &job.watch).collect::<Vec<_>>(), [&chat]);
    let other = fleet.record(&WatchId("search@v1".into())).unwrap();
    assert_eq!(other.poisoned, None);
}

#[test]
fn a_watch_that_fails_even_at_telling_is_let_alone() {
    let mut fleet = fleet(&["chat"]);
    let now = RELEASED;
    fleet.hear(now, Vec::new());
    let jobs = fleet.ask(now);
    let chat = WatchId("chat@v1".into());
    fleet.hear(now, vec![nonsense(&probe(&jobs, &chat))]);
    for _ in 0..2 {
        fleet.hear(now, Vec::new());
        let letter = fleet.ask(now).pop().unwrap();
        assert_eq!(poisoned(&fleet.hear(now, vec![nonsense(&letter)])), 0);
    }
    assert_eq!((fleet.wake(), fleet.is_done()), (None, true));
    assert_eq!(fleet.done(), [], "what it owes is for the next process to tell");
    assert_eq!(fleet.ask(now).len(), 0);
    let news = &fleet.record(&chat).unwrap().news;
    assert!(matches!(news.last().unwrap().item, Item::Notice { .. }));
    assert_eq!(fleet.hear(now + DAY, Vec::new()), []);
}
