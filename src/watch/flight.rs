//! Questions in flight. Each is answered once: by the world, or by the watch
//! itself when its deadline passes.

use std::collections::BTreeMap;

use super::{Job, JobId, Question, Reply};
use crate::model::{Failure, Name, Span, Timestamp, WatchId};
use crate::record::Outcome;

/// What is remembered of a question while its answer is out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    Discover {
        source: Name,
    },
    Probe {
        target: usize,
    },
    Scrape {
        target: usize,
    },
    Query {
        source: Name,
    },
    History,
    Check {
        check: Name,
    },
    Smoke,
    Letter {
        channel: Name,
        key: String,
    },
    /// What is said again to a channel, and owed to nobody.
    Repeat {
        channel: Name,
        key: String,
    },
    Publish {
        window: Name,
    },
    /// Nobody wants to know it any more: a reload has taken it out of the plan.
    Moot,
}

impl Asked {
    /// Whether it asks how the service is, not how our own letters and files fare.
    pub fn is_observation(&self) -> bool {
        match self {
            Asked::Discover { .. }
            | Asked::Probe { .. }
            | Asked::Scrape { .. }
            | Asked::Query { .. }
            | Asked::History
            | Asked::Check { .. }
            | Asked::Smoke => true,
            Asked::Letter { .. } | Asked::Repeat { .. } | Asked::Publish { .. } | Asked::Moot => {
                false
            }
        }
    }
}

/// A question about to leave.
pub(super) struct Due {
    pub asked: Asked,
    pub question: Question,
    /// What the asked side is given; the watch waits a little longer.
    pub timeout: Span,
}

/// How much later than its time-out a job's answer may come: for the way
/// through the loop on a busy machine, and no more.
const GRACE: Span = Span::from_secs(2);

/// Who notices a deadline this late was asleep or held up, and cannot say how
/// long the other side took.
const HELD_UP: Span = Span::from_secs(10);

struct Out {
    asked: Asked,
    asked_at: Timestamp,
    deadline: Timestamp,
}

/// All questions that are out.
#[derive(Default)]
pub(super) struct Flight {
    out: BTreeMap<JobId, Out>,
}

impl Flight {
    pub fn take_off(&mut self, watch: &WatchId, due: Due, now: Timestamp, id: &mut u64) -> Job {
        *id += 1;
        let id = JobId(*id);
        let deadline = now + due.timeout + GRACE;
        self.out.insert(id, Out { asked: due.asked, asked_at: now, deadline });
        Job { id, watch: watch.clone(), deadline, question: due.question }
    }

    /// The question that this answers; `None`: it has been given up.
    pub fn land(&mut self, id: JobId) -> Option<Asked> {
        self.out.remove(&id).map(|out| out.asked)
    }

    /// Questions whose deadline has passed, with the answer they get instead.
    pub fn overdue(&mut self, now: Timestamp) -> Vec<(Asked, Reply)> {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return Vec::new();
        }
        let late: Vec<JobId> =
            self.out.iter().filter(|(_, out)| out.deadline <= now).map(|(id, _)| *id).collect();
        late.into_iter()
            .filter_map(|id| self.out.remove(&id))
            .map(|out| {
                let reply = match out.asked.is_observation() {
                    true if now.since(out.deadline) > HELD_UP => held_up(),
                    _ => timed_out(&out.asked, now.since(out.asked_at)),
                };
                (out.asked, reply)
            })
            .collect()
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.out.values().map(|out| out.deadline).min()
    }

    /// The answer to this, if it is out, is not waited for any more.
    pub fn disown(&mut self, asked: &Asked) {
        let out = self.out.values_mut().filter(|out| out.asked == *asked);
        out.for_each(|out| out.asked = Asked::Moot);
    }

    pub fn has(&self, asked: &Asked) -> bool {
        self.out.values().any(|out| out.asked == *asked)
    }

    pub fn has_letter_to(&self, channel: &Name) -> bool {
        let is_to = |asked: &Asked| match asked {
            Asked::Letter { channel: to, .. } | Asked::Repeat { channel: to, .. } => to == channel,
            _ => false,
        };
        self.out.values().any(|out| is_to(&out.asked))
    }
}

fn held_up() -> Reply {
    Reply::Exchanged(Err(Failure::NotAsked("bakewatch was held up meanwhile".to_owned())))
}

fn timed_out(asked: &Asked, after: Span) -> Reply {
    match asked {
        Asked::Discover { .. }
        | Asked::Probe { .. }
        | Asked::Scrape { .. }
        | Asked::Query { .. }
        | Asked::History
        | Asked::Check { .. }
        | Asked::Smoke => Reply::Exchanged(Err(Failure::Timeout(after))),
        // It may have been taken: exactly this letter is tried again.
        Asked::Letter { .. } | Asked::Repeat { .. } => {
            Reply::Delivered(Outcome::Unknown { detail: format!("no answer within {after}") })
        }
        Asked::Publish { .. } | Asked::Moot => {
            Reply::Published(Err(format!("not written within {after}")))
        }
    }
}
