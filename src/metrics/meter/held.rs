//! One query of a signal that a source answers: its text as it is sent, and
//! what came to it last.

use std::sync::Arc;

use crate::metrics::promql::{Complaint, Presence, narrow};
use crate::model::{Failure, Labels, Rows, Span, Timestamp, Why};

/// The query and its last answer.
#[derive(Debug)]
pub(super) struct Held {
    text: Arc<str>,
    range: Option<Span>,
    /// `None`: none came yet, or the last was none.
    last: Option<(Timestamp, Vec<(Labels, f64)>)>,
    /// Answers of before are too old.
    oldest: Timestamp,
    /// Whether there ever was anything in an answer.
    was_there: bool,
}

impl Held {
    /// The query as it is sent.
    pub fn new(text: &str, range: Span, selector: Option<&str>) -> Result<Held, Complaint> {
        let wrong = |what| Complaint { column: 1, what, refused: None };
        let sent = narrow(text, range, selector).map_err(wrong)?;
        Ok(Held {
            text: sent.text.into(),
            range: sent.range,
            last: None,
            oldest: Timestamp::default(),
            was_there: false,
        })
    }

    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The longest range that it reads.
    pub fn range(&self) -> Option<Span> {
        self.range
    }

    /// Takes in an answer of the look at `at`, which asked of the instant
    /// `asked`. A point may be older than that: so much older is the answer.
    pub fn take(&mut self, (at, asked): (Timestamp, Timestamp), answer: Result<&Rows, &Failure>) {
        self.last = answer.ok().map(|rows| {
            let points = rows.iter().filter_map(|(labels, points)| Some((labels, points.last()?)));
            let eldest = points.clone().map(|(_, (told, _))| *told).min();
            let nameless = |labels: &Labels| {
                let kept = labels.shared().iter().filter(|(name, _)| **name != *"__name__");
                Labels::from_pairs(kept.cloned())
            };
            let rows: Vec<_> =
                points.map(|(labels, (_, value))| (nameless(labels), *value)).collect();
            let late = eldest.map_or(Span::ZERO, |eldest| asked.since(eldest).max(Span::ZERO));
            (at - late, rows)
        });
        self.was_there |= self.last.as_ref().is_some_and(|(_, rows)| !rows.is_empty());
    }

    pub fn heed(&mut self, oldest: Timestamp) {
        self.oldest = oldest;
    }

    /// Why there is no answer that could be read; an empty one is one.
    pub fn lacks(&self) -> Option<Why> {
        match &self.last {
            None => Some(Why::Unanswered),
            Some((at, _)) if *at < self.oldest => Some(Why::Stale),
            Some(_) => None,
        }
    }

    pub fn rows(&self) -> Vec<(Labels, f64)> {
        self.last.as_ref().map_or_else(Vec::new, |(_, rows)| rows.clone())
    }

    pub fn presence(&self) -> Presence {
        match &self.last {
            Some((_, rows)) if !rows.is_empty() => Presence::Here,
            _ if self.was_there => Presence::Gone,
            _ => Presence::Never,
        }
    }
}
