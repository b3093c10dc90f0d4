//! A recorder keeps a query's result as series of their own, which other
//! queries can read: a recording rule of Prometheus's.

use std::collections::BTreeSet;

use super::promql::{Complaint, Mode, Query};
use super::{Recording, Series, SeriesId};
use crate::model::{Labels, Span, Timestamp};

/// A compiled recording.
#[derive(Debug)]
pub struct Recorder {
    recording: Recording,
    query: Query,
    /// The series that the last look wrote to.
    alive: BTreeSet<SeriesId>,
}

impl Recorder {
    /// Compiles its query.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub fn compile(recording: &Recording) -> Result<Recorder, Complaint> {
        let query = Query::compile(&recording.query)?;
        Ok(Recorder { recording: recording.clone(), query, alive: BTreeSet::new() })
    }

    /// What it records.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Its query.
    pub fn query(&mut self) -> &mut Query {
        &mut self.query
    }

    /// The sample names that it reads, each with how far back.
    pub fn needs(&self) -> Vec<(String, Span)> {
        let offset = self.recording.offset;
        self.query.needs().into_iter().map(|(name, back)| (name, back + offset)).collect()
    }

    /// Goes on where another of the same recording was: its series have an end.
    pub fn follow(&mut self, before: &Recorder) {
        if self.recording == before.recording {
            self.alive.clone_from(&before.alive);
        }
    }

    /// Looks, and writes what it sees. Series that it saw the last time and
    /// does not see now end.
    ///
    /// # Errors
    /// What only the data can show; nothing is written then.
    pub fn record(&mut self, series: &mut Series, now: Timestamp) -> Result<(), String> {
        let at = now - self.recording.offset;
        let found = self.query.eval_nameless(series, at, Mode::Prometheus, Span::ZERO)?;
        let labelled = |labels: &Labels| {
            let own = self.recording.labels.shared().iter().chain(labels.shared());
            Labels::from_pairs(own.cloned())
        };
        let mut rows: Vec<(Labels, f64)> =
            found.iter().map(|(labels, value)| (labelled(labels), *value)).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("two results both have the labels {}", pair[0].0));
        }
        let limit = self.recording.limit as usize;
        if limit > 0 && rows.len() > limit {
            return Err(format!("{} series, and its group has limit: {limit}", rows.len()));
        }
        let mut alive = BTreeSet::new();
        for (labels, value) in rows {
            let id = series.intern(self.recording.name.as_str(), &labels);
            series.push(id, at, value);
            alive.insert(id);
        }
        for gone in self.alive.difference(&alive) {
            series.push_stale(*gone, at);
        }
        self.alive = alive;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MINUTE;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * MINUTE.millis())
    }

    fn recorder(labels: &[(&str, &str)], limit: u32) -> Recorder {
        Recorder::compile(&Recording {
            name: "x:sum".into(),
            query: "sum by (p) (x) > 1".into(),
            labels: Labels::from_pairs(labels.iter().copied()),
            offset: Span::ZERO,
            limit,
        })
        .expect("a query")
    }

    fn read(series: &Series, now: Timestamp) -> String {
        let mut query = Query::compile("x:sum").expect("a query");
        let found = query.eval(series, now, Mode::Prometheus).expect("a value");
        found.iter().map(|(labels, value)| format!("{labels} {value}\n")).collect()
    }

    #[test]
    fn writes_what_it_sees_under_its_name_and_ends_what_it_sees_no_more() {
        let mut series = Series::new();
        let mut recorder = recorder(&[("team", "a")], 0);
        for (minute, one, two) in [(0, 2.0, 3.0), (1, 1.0, 4.0)] {
            for (path, value) in [("/1", one), ("/2", two)] {
                let id = series.intern("x", &Labels::from_pairs([("p", path)]));
                series.push(id, at(minute), value);
            }
            recorder.record(&mut series, at(minute)).expect("it fits");
        }
        let first = "{__name__=\"x:sum\", p=\"/1\", team=\"a\"} 2\n\
                     {__name__=\"x:sum\", p=\"/2\", team=\"a\"} 3\n";
        assert_eq!(read(&series, at(0)), first);
        assert_eq!(read(&series, at(1)), "{__name__=\"x:sum\", p=\"/2\", team=\"a\"} 4\n");
    }

    #[test]
    fn writes_nothing_where_series_would_be_one_or_too_many() {
        let mut series = Series::new();
        for path in ["/1", "/2"] {
            let id = series.intern("x", &Labels::from_pairs([("p", path)]));
            series.push(id, at(0), 2.0);
        }
        let told = |labels: &[(&str, &str)], limit, series: &mut Series| {
            recorder(labels, limit).record(series, at(0)).unwrap_err()
        };
        let twins = "two results both have the labels {p=\"all\"}";
        assert_eq!(told(&[("p", "all")], 0, &mut series), twins);
        assert_eq!(told(&[], 1, &mut series), "2 series, and its group has limit: 1");
        assert_eq!(read(&series, at(0)), "");
    }
}
