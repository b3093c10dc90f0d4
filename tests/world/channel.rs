//! A fake receiver: what it does with letters, and all that it ever took.

use std::collections::VecDeque;

use bakewatch::model::{Span, Timestamp, WatchId};
use bakewatch::notify::{Body, Letter};
use bakewatch::record::{Missed, Outcome};

/// How it treats a letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    Takes,
    Refuses,       // nobody listens: surely not taken
    Throttles,     // 429 with `Retry-After: 20`
    Brakes,        // 429 with `Retry-After: 1`
    Fails,         // 500: surely not taken
    Rejects,       // 401: pointless to try again
    Hangs,         // takes nothing, never answers
    TakesAndHangs, // takes it, and the answer is lost
}

/// A letter that the receiver holds in its hands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    pub at: Timestamp,
    pub channel: String,
    pub key: String,
    pub after: u64,
    pub up_to: u64,
    pub words: String,
    /// Which watch sent it.
    pub watch: WatchId,
    /// Of a webhook: incidents, how each stands, and whether it was told before.
    pub turns: Vec<(String, String, bool)>,
}

#[derive(Clone, Debug)]
pub struct Receiver {
    pub name: String,
    pub manner: Manner,
    /// How it treats the next letters, before its manner is as above.
    pub next: VecDeque<Manner>,
    /// Recipients that it refuses with 550, among others that it serves.
    pub refused: Vec<String>,
    /// When a letter came in, taken or not, and under which key.
    pub tries: Vec<(Timestamp, String)>,
}

impl Receiver {
    /// What it does with a letter: whether it holds it now, how long that
    /// takes, and the answer (`None`: none ever).
    pub fn take(&mut self, letter: &Letter, now: Timestamp) -> (bool, Span, Option<Outcome>) {
        let quick = Span::from_millis(80);
        let refused = |detail: &str, wait: Option<i64>, permanent| Outcome::Refused {
            detail: detail.to_owned(),
            retry_after: wait.map(Span::from_secs),
            permanent,
        };
        self.tries.push((now, letter.key.clone()));
        match self.next.pop_front().unwrap_or(self.manner) {
            Manner::Takes => (true, quick, Some(self.taken())),
            Manner::Refuses => (false, quick, Some(refused("connection refused", None, false))),
            Manner::Throttles => (false, quick, Some(refused("429", Some(20), false))),
            Manner::Brakes => (false, quick, Some(refused("429", Some(1), false))),
            Manner::Fails => (false, quick, Some(refused("500", None, false))),
            Manner::Rejects => (false, quick, Some(refused("401", None, true))),
            Manner::Hangs => (false, quick, None),
            Manner::TakesAndHangs => (true, quick, None),
        }
    }
}

impl Receiver {
    /// One that takes everything.
    pub fn new(name: &str) -> Receiver {
        Receiver {
            name: name.to_owned(),
            manner: Manner::Takes,
            next: VecDeque::new(),
            refused: Vec::new(),
            tries: Vec::new(),
        }
    }

    fn taken(&self) -> Outcome {
        let reason = "550 no such person here".to_owned();
        let missed = |who: &String| Missed { recipient: who.clone(), reason: reason.clone() };
        let missed: Vec<Missed> = self.refused.iter().map(missed).collect();
        match missed.is_empty() {
            true => Outcome::Accepted { detail: "200".into() },
            false => Outcome::Partly { detail: format!("not for {:?}", self.refused), missed },
        }
    }
}

/// The first line of a letter, for transcripts.
pub fn headline(letter: &Letter) -> String {
    match &letter.body {
        Body::Mail { subject, .. } => subject.clone(),
        Body::Webhook { json } | Body::Post { json } => {
            let value: serde_json::Value = serde_json::from_str(json).expect("a JSON body");
            let kind = value["type"].as_str().unwrap_or("?");
            let data = &value["data"];
            let mut words = vec![kind.to_owned()];
            for alert in data["alerts"].as_array().into_iter().flatten() {
                let text = |key: &str| alert[key].as_str().unwrap_or("?").to_owned();
                words.push(format!("{} {}", text("status"), text("rule")));
            }
            if let Some(verdict) = data["verdict"].as_str() {
                words.push(verdict.to_owned());
            }
            words.join(", ")
        }
        Body::Text { text, .. } => text.lines().next().unwrap_or_default().to_owned(),
        Body::Requests(requests) => {
            let abouts: Vec<&str> = requests.iter().map(|one| one.about.as_str()).collect();
            abouts.join(", ")
        }
    }
}

/// What a receiver that keeps the state of incidents reads in it.
pub fn turns(letter: &Letter) -> Vec<(String, String, bool)> {
    let Body::Webhook { json } = &letter.body else { return Vec::new() };
    let told: Told = serde_json::from_str(json).expect("a JSON body");
    told.data.alerts.into_iter().map(|one| (one.incident, one.status, one.told_before)).collect()
}

#[derive(serde::Deserialize)]
struct Told {
    data: ToldData,
}

#[derive(serde::Deserialize)]
struct ToldData {
    #[serde(default)]
    alerts: Vec<ToldAlert>,
}

#[derive(serde::Deserialize)]
struct ToldAlert {
    incident: String,
    status: String,
    #[serde(default)]
    told_before: bool,
}

/// All the words of a letter: what a receiver compares two tries by.
pub fn words(letter: &Letter) -> String {
    match &letter.body {
        Body::Webhook { json } => json.clone(),
        other => format!("{other:?}"),
    }
}
