//! Plays a rehearsal through every channel for real.

use std::time::Duration;

use futures_util::future::join_all;

use super::carry::Carrier;
use super::clock;
use super::confirm::Link;
use crate::model::{Channel, Timestamp};
use crate::notify::{self, Letter, Owed, rehearsal};
use crate::record::{Fact, Outcome, Plan, Record, Rehearsal, Rehearsed, Stage};

/// The waits before a letter is tried again: somebody is waiting for the end.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// Sends a test alert to every channel of a plan, all at once, and tells what
/// came of it. `links`: what stands in which letter.
pub async fn rehearse(carrier: &Carrier, plan: &Plan, links: &[Link], at: Timestamp) -> Rehearsal {
    let all = plan.channels.iter().map(|channel| through(carrier, plan, channel, links));
    Rehearsal { at, letters: join_all(all).await.concat() }
}

/// All stages through one channel, up to the first that is not taken: what
/// comes after rests on it.
async fn through(
    carrier: &Carrier,
    plan: &Plan,
    channel: &Channel,
    links: &[Link],
) -> Vec<Rehearsed> {
    let mut record = rehearsal::stage_for(plan, channel, clock::wall());
    let channel = record.plan.channels[0].clone();
    let mut letters = Vec::new();
    for stage in Stage::ALL {
        let is_its = |link: &&Link| link.channel == channel.name && link.stage == stage;
        let link = links.iter().find(is_its);
        if let Some(link) = link {
            let ask = rehearsal::ask(&record, &link.address);
            record.apply(clock::wall(), ask);
        }
        for fact in rehearsal::play(stage, &channel.name, clock::wall()) {
            record.apply(clock::wall(), fact);
        }
        // More than one where a receiver is told of the release itself as well.
        while let Owed::Letter(letter) = notify::owed(&record, &channel) {
            let mut told = told(carrier, &mut record, &channel, stage, &letter).await;
            if let Some(link) = link {
                // One that says back what it was told must not have it kept.
                (told.asks, told.answer) = (true, link.hidden_in(&told.answer));
            }
            let is_taken = told.is_taken;
            letters.push(told);
            if !is_taken {
                return letters;
            }
        }
    }
    letters
}

async fn told(
    carrier: &Carrier,
    record: &mut Record,
    channel: &Channel,
    stage: Stage,
    letter: &Letter,
) -> Rehearsed {
    let mut waits = WAITS.iter();
    let mut tries = 0;
    loop {
        let sent = Fact::Sent {
            channel: channel.name.clone(),
            key: letter.key.clone(),
            after: letter.after,
            up_to: letter.up_to,
            hash: notify::hash(letter),
            waited: None,
        };
        record.apply(clock::wall(), sent);
        tries += 1;
        let now_s = clock::wall().millis() / 1000;
        let outcome = carrier.deliver(channel, letter, notify::TIMEOUT, false, now_s).await;
        let (is_taken, is_final, answer) = read(&outcome);
        let (to, key) = (channel.name.clone(), letter.key.clone());
        record.apply(clock::wall(), Fact::Receipt { channel: to, key, outcome });
        match waits.next().filter(|_| !is_final) {
            Some(wait) => tokio::time::sleep(*wait).await,
            None => {
                let channel = channel.name.clone();
                let (asks, seen_at) = (false, None);
                return Rehearsed { channel, stage, tries, is_taken, answer, asks, seen_at };
            }
        }
    }
}

/// Whether it was taken, whether another try would change nothing, and the words.
fn read(outcome: &Outcome) -> (bool, bool, String) {
    match outcome {
        Outcome::Accepted { detail } | Outcome::Posted { detail, .. } => {
            (true, true, detail.clone())
        }
        Outcome::Partly { detail, missed } => {
            let missed = missed.iter().map(|one| format!("{}: {}", one.recipient, one.reason));
            let missed: Vec<String> = missed.collect();
            (false, true, format!("{detail}; not {}", missed.join("; ")))
        }
        Outcome::Refused { detail, permanent, .. } => (false, *permanent, detail.clone()),
        Outcome::Unknown { detail } => (false, false, detail.clone()),
    }
}
