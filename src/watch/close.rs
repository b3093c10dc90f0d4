//! Windows' ends: the last measurement, the summary, its files, the watch's end.

use std::sync::Arc;

use super::flight::{Asked, Due};
use super::{Question, Watch};
use crate::judge::Window;
use crate::model::{Span, Timestamp};
use crate::record::{Ending, Fact};
use crate::report;

/// For writing a summary's files.
const PUBLISH_TIMEOUT: Span = Span::from_secs(60);

impl Watch {
    /// Closes each window whose end has come, shortest first, and with the
    /// last of them the watch.
    pub(super) fn close_windows(&mut self, now: Timestamp) {
        while let Some(window) = self.first_open().filter(|w| self.edge(w) <= now).cloned() {
            let edge = self.edge(&window);
            self.flush(edge, now);
            self.close_one(now, &window, edge);
        }
        if self.first_open().is_none() {
            self.note(now, Fact::Ended { reason: Ending::Complete });
        }
    }

    pub(super) fn next_edge(&self) -> Option<Timestamp> {
        self.first_open().map(|window| self.edge(window))
    }

    fn close_one(&mut self, now: Timestamp, window: &Window, to: Timestamp) {
        let summary = Box::new(report::build(&self.record, window, to, now));
        self.note(now, Fact::WindowClosed { window: window.name.clone(), summary });
    }

    /// Of the windows, which a plan has by length, the first without a summary.
    fn first_open(&self) -> Option<&Window> {
        let closed = &self.record.windows;
        let mut windows = self.record.plan.windows.iter();
        windows.find(|window| closed.is_empty() || !closed.contains_key(&window.name))
    }

    fn edge(&self, window: &Window) -> Timestamp {
        self.record.release.at + window.length
    }

    pub(super) fn ask_publish(&mut self, due: &mut Vec<Due>) {
        for (name, closed) in &self.record.windows {
            let asked = Asked::Publish { window: name.clone() };
            if closed.files.is_none() && !self.flight.has(&asked) {
                let summary = Arc::new(closed.summary.clone());
                let question = Question::Publish { window: name.clone(), summary };
                due.push(Due { asked, question, timeout: PUBLISH_TIMEOUT });
            }
        }
    }

    pub(super) fn is_published(&self) -> bool {
        self.record.windows.values().all(|closed| closed.files.is_some())
    }
}
