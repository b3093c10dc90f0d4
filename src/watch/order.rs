//! Orders: what people want of a running watch. Each ends in facts, or in a
//! sentence on what is wrong with it; whoever gave it hears of it when the
//! facts are on disk.

use super::Watch;
use crate::model::{
    DEPLOY_SILENCE_MAX, Matchers, Name, SILENCE_MAX, Silence, Span, Timestamp, WatchId,
};
use crate::notify;
use crate::record::{AlertKey, Fact, Meant, Rehearsal};

/// What somebody wants.
#[derive(Clone, PartialEq, Debug)]
pub enum Order {
    /// To hear nothing new of some alerts for a while.
    Silence {
        /// Which.
        matchers: Matchers,
        /// For how long.
        until: Until,
        /// Only what is not critical, and of this release alone.
        deploy: bool,
        /// Who wants it.
        by: String,
        /// Why.
        comment: String,
    },
    /// To hear of them again.
    Unsilence {
        /// The silence.
        id: Name,
        /// Who wants it.
        by: String,
    },
    /// To say that somebody is at it.
    Acknowledge {
        /// The alert.
        alert: Meant,
        /// Who is.
        by: String,
        /// In their words.
        comment: String,
    },
    /// To send a letter once more that has left.
    Replay {
        /// Its key.
        key: String,
        /// Who wants it.
        by: String,
    },
    /// To know how the test of the channels went, now that more is known of it.
    Rehearsed(Rehearsal),
}

/// The end of something, as people say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// From now on for so long.
    For(Span),
    /// At this time.
    At(Timestamp),
}

/// What a watch did of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// Which watch.
    pub watch: WatchId,
    /// The silence that it is about, or the letter, if it is about one.
    pub id: Option<Name>,
    /// Until when it holds, if it does.
    pub until: Option<Timestamp>,
    /// Incidents that it touches now.
    pub incidents: Vec<String>,
}

impl Watch {
    /// Does what an order wants, or says why not.
    pub(super) fn obey(&mut self, now: Timestamp, order: Order) {
        let done = match order {
            Order::Silence { matchers, until, deploy, by, comment } => {
                let silence = ends(now, until, deploy)
                    .map(|until| Silence::new(matchers, now, until, by, comment));
                silence.and_then(|silence| match deploy {
                    true => self.silence(now, silence.of_deployment()),
                    false => self.silence(now, silence),
                })
            }
            Order::Unsilence { id, by } => self.unsilence(now, id, by),
            Order::Acknowledge { alert, by, comment } => self.acknowledge(now, &alert, by, comment),
            Order::Replay { key, by } => self.replay(now, key, by),
            Order::Rehearsed(rehearsal) => {
                self.note(now, Fact::Rehearsed(rehearsal));
                Ok(self.did(None, None, Vec::new()))
            }
        };
        self.done = Some(done);
    }

    fn silence(&mut self, now: Timestamp, silence: Silence) -> Result<Done, String> {
        if silence.matchers.fit_everything() {
            return Err("no matcher asks for a label that has to be there, so that every alert \
                        would be silenced; write alertname=~\".+\" if that is meant"
                .to_owned());
        }
        let (id, until) = (silence.id.clone(), silence.until);
        let touched = self.record.alerts_that_fit(&silence.matchers);
        let touched = touched.filter(|key| silence.may_hold(self.record.rule(&key.rule).severity));
        let incidents = touched.map(|key| self.record.incident(key)).collect();
        self.note(now, Fact::Silenced(silence));
        Ok(self.did(Some(id), Some(until), incidents))
    }

    fn unsilence(&mut self, now: Timestamp, id: Name, by: String) -> Result<Done, String> {
        let known = self.record.silences_at(now).find(|silence| silence.id == id);
        let Some(silence) = known else {
            let known: Vec<&str> =
                self.record.silences_at(now).map(|silence| silence.id.as_str()).collect();
            return Err(
                match (self.record.silences.iter().any(|one| one.silence.id == id), known) {
                    (true, _) => format!("the silence {id} is over already"),
                    (false, known) if known.is_empty() => {
                        format!("there is no silence {id}, nor any that holds")
                    }
                    (false, known) => {
                        format!(
                            "there is no silence {id}; those that hold are {}",
                            known.join(", ")
                        )
                    }
                },
            );
        };
        let touched = self.record.alerts_that_fit(&silence.matchers);
        let touched = touched.filter(|key| silence.may_hold(self.record.rule(&key.rule).severity));
        let incidents = touched.map(|key| self.record.incident(key)).collect();
        self.note(now, Fact::Unsilenced { id: id.clone(), by });
        Ok(self.did(Some(id), None, incidents))
    }

    fn acknowledge(
        &mut self,
        now: Timestamp,
        meant: &Meant,
        by: String,
        comment: String,
    ) -> Result<Done, String> {
        let key = self.record.firing(meant)?;
        let incident = self.record.incident(&key);
        if let Some(ack) = self.record.alerts[&key].acked() {
            return Err(format!("{incident} is acknowledged already, by {}", ack.by));
        }
        let AlertKey { rule, labels } = key;
        self.note(now, Fact::Acknowledged { rule, labels, by, comment });
        Ok(self.did(None, None, vec![incident]))
    }

    fn replay(&mut self, now: Timestamp, key: String, by: String) -> Result<Done, String> {
        let (left, channel) = self.record.replayable(&key)?;
        let again = notify::again(&self.record, channel, left);
        let to = channel.name.clone();
        if again.is_none_or(|again| again.key != key) {
            return Err(format!("{key} left in other words than {to} is written to by now"));
        }
        let id = Some(Name::from(key.as_str()));
        self.note(now, Fact::Replayed { channel: to, key, by });
        Ok(self.did(id, None, Vec::new()))
    }

    fn did(&self, id: Option<Name>, until: Option<Timestamp>, incidents: Vec<String>) -> Done {
        Done { watch: self.id.clone(), id, until, incidents }
    }
}

/// When it ends, which is later than now, and within reason.
fn ends(now: Timestamp, until: Until, deploy: bool) -> Result<Timestamp, String> {
    let end = match until {
        Until::For(length) if length <= Span::ZERO => {
            return Err(format!("for {length}: it would be over at once; write for example 30m"));
        }
        Until::For(length) => now + length.min(SILENCE_MAX + Span::from_secs(1)),
        Until::At(at) if at <= now => {
            return Err(format!("until {at}: that is over; it is {now}"));
        }
        Until::At(at) => at,
    };
    if deploy && end.since(now) > DEPLOY_SILENCE_MAX {
        return Err(format!(
            "a silence for a deployment lasts {DEPLOY_SILENCE_MAX} at most; until {} at the \
             latest, or for {SILENCE_MAX} at most if it is no such one",
            (now + DEPLOY_SILENCE_MAX).rfc3339()
        ));
    }
    if end.since(now) > SILENCE_MAX {
        return Err(format!(
            "a silence lasts {SILENCE_MAX} at most, as long as a watch; until {} at the latest",
            (now + SILENCE_MAX).rfc3339()
        ));
    }
    Ok(end)
}
