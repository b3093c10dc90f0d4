//! Whether one address is several processes that answer in turn: a load
//! balancer, where a replica was meant. Its counters then go down and up again
//! with each answer, and whatever is added up of them is nonsense.
//!
//! A process that restarts never comes back. So processes are told apart by
//! when they began, and what counts is that an earlier one answers again. Where
//! nothing tells when they began, a counter does: each process has its own
//! rising line of values, and an answer belongs to the line that it continues.

use std::collections::{BTreeMap, VecDeque};

use super::{Page, Slot};
use crate::model::{Span, Timestamp};

/// The gauge in which most libraries tell when their process began.
pub const START: &str = "process_start_time_seconds";

/// Some libraries make the start of the machine's clock anew each time, and
/// differ by a second: that is one process.
const SAME_START_SECONDS: f64 = 2.0;

/// A process is remembered for so many answers of the address; behind a
/// balancer with eight replicas nine in ten come back sooner.
const ANSWERS_KEPT: u64 = 20;

/// So many returns there have to be. One may be a clock that was set back.
const RETURNS_MIN: usize = 2;

/// The same where only a counter tells: a service that crashes again and again
/// may show such values once or twice by chance.
const LINE_RETURNS_MIN: usize = 5;

/// More processes or lines are not told apart.
const FACES_MAX: usize = 16;

/// So many counters are followed where nothing else tells.
const COUNTERS_MAX: usize = 8;

/// How many processes answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Turns {
    /// One, as far as is known.
    #[default]
    One,
    /// An earlier one has answered again, once.
    Doubted,
    /// Several.
    Several,
}

/// What is known of the processes behind one address.
#[derive(Clone, Debug, Default)]
pub struct Sawtooth {
    by_metric: Faces,
    by_health: Faces,
    /// The slots of `START`: a process may write its name beside it. Few.
    starts: Vec<Slot>,
    counters: BTreeMap<Slot, Lines>,
    answers: u64,
}

impl Sawtooth {
    /// Takes in a page.
    pub fn page(&mut self, page: &Page) {
        if page.fresh.iter().any(|(slot, _, _)| slot == 0) {
            // A table that is learned anew.
            (self.starts, self.counters) = Default::default();
        }
        for (slot, name, _) in page.fresh.iter() {
            if **name == *START {
                self.starts.push(slot);
            }
            let is_counter = name.ends_with("_total") || name.ends_with("_count");
            if is_counter && self.counters.len() < COUNTERS_MAX {
                self.counters.insert(slot, Lines::default());
            }
        }
        self.answers += 1;
        if self.is_told() {
            self.counters.clear(); // nobody asks them any more
        }
        if self.starts.is_empty() && self.counters.is_empty() {
            return;
        }
        let mut began = Vec::new();
        for (slot, value) in &page.samples {
            if self.starts.contains(slot) {
                began.push(*value);
            } else if let Some(lines) = self.counters.get_mut(slot) {
                lines.answer(*value, self.answers);
            }
        }
        if let [began] = began[..] {
            self.by_metric.answer(began, SAME_START_SECONDS); // two of them tell nothing
        }
    }

    /// Takes in an answer that says for how long its process has been up, and
    /// took so long itself.
    pub fn uptime(&mut self, seconds: f64, elapsed: Span, now: Timestamp) {
        self.by_health.answer(
            now.seconds_f64() - seconds,
            SAME_START_SECONDS + elapsed.seconds_f64().max(0.0),
        );
    }

    /// How many processes answer. What tells when they began goes before
    /// counters, which a service that crashes again and again resets too.
    pub fn turns(&self) -> Turns {
        let told = self.by_metric.turns().max(self.by_health.turns());
        let lines = || self.counters.values().any(|lines| lines.are_several(self.answers));
        if !self.is_told() && lines() { Turns::Several } else { told }
    }

    /// Whether something tells when processes began.
    fn is_told(&self) -> bool {
        !self.by_metric.is_empty() || !self.by_health.is_empty()
    }
}

/// Processes by when they began.
#[derive(Clone, Debug, Default)]
struct Faces {
    /// When each began, and the last answer that it gave.
    seen: VecDeque<(f64, u64)>,
    /// The answers with which an earlier one returned.
    returns: VecDeque<u64>,
    answers: u64,
}

impl Faces {
    fn answer(&mut self, began: f64, slack: f64) {
        if !began.is_finite() {
            return;
        }
        self.answers += 1;
        let oldest = self.answers.saturating_sub(ANSWERS_KEPT);
        self.seen.retain(|(_, last)| *last > oldest);
        self.returns.retain(|at| *at > oldest);
        let place = self.seen.iter().position(|(known, _)| (known - began).abs() <= slack);
        match place.and_then(|place| self.seen.remove(place)) {
            Some((_, last)) if last + 1 < self.answers => self.returns.push_back(self.answers),
            Some(_) | None => {}
        }
        // Under its latest: a clock that is slewed moves it a little each time.
        self.seen.push_back((began, self.answers));
        if self.seen.len() > FACES_MAX {
            self.seen.pop_front();
        }
    }

    fn is_empty(&self) -> bool {
        self.answers == 0
    }

    fn turns(&self) -> Turns {
        match self.returns.len() {
            0 => Turns::One,
            1..RETURNS_MIN => Turns::Doubted,
            _ => Turns::Several,
        }
    }
}

/// One counter, as the rising lines that its values make.
#[derive(Clone, Debug, Default)]
struct Lines(Vec<Line>);

#[derive(Clone, Debug)]
struct Line {
    value: f64,
    last: u64,
    /// The answers with which it went on, another having answered, and higher
    /// than before.
    returns: VecDeque<u64>,
}

impl Lines {
    fn answer(&mut self, value: f64, answer: u64) {
        if !value.is_finite() {
            return;
        }
        let oldest = answer.saturating_sub(2 * ANSWERS_KEPT);
        self.0.retain(|line| line.last > oldest);
        let is_room = self.0.len() < FACES_MAX;
        let below = self.0.iter_mut().filter(|line| line.value <= value);
        match below.max_by(|a, b| a.value.total_cmp(&b.value)) {
            Some(line) => {
                if line.last + 1 < answer && line.value < value {
                    line.returns.push_back(answer);
                }
                line.returns.retain(|at| *at > oldest);
                (line.value, line.last) = (value, answer);
            }
            None if is_room => {
                self.0.push(Line { value, last: answer, returns: VecDeque::new() });
            }
            None => {}
        }
    }

    /// Whether two lines go on beside each other.
    fn are_several(&self, answers: u64) -> bool {
        let oldest = answers.saturating_sub(2 * ANSWERS_KEPT);
        let goes_on = |line: &&Line| {
            line.returns.iter().filter(|at| **at > oldest).count() >= LINE_RETURNS_MIN
        };
        self.0.iter().filter(goes_on).count() >= 2
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Labels, SECOND};

    /// What it is taken for after each of these answers.
    fn by_start(starts: &[f64]) -> Vec<Turns> {
        let mut sawtooth = Sawtooth::default();
        let mut page = page(START);
        let turns = starts.iter().map(|start| {
            page.samples = vec![(0, *start)];
            sawtooth.page(&page);
            page.fresh = Default::default();
            sawtooth.turns()
        });
        turns.collect()
    }

    fn by_counter(values: &[f64]) -> Turns {
        let mut sawtooth = Sawtooth::default();
        let mut page = page("requests_total");
        for value in values {
            page.samples = vec![(0, *value)];
            sawtooth.page(&page);
            page.fresh = Default::default();
        }
        sawtooth.turns()
    }

    fn page(name: &str) -> Page {
        Page {
            fresh: [(0, Arc::from(name), Labels::default())].into_iter().collect(),
            ..Page::default()
        }
    }

    #[test]
    fn tells_processes_that_return_from_one_that_restarts() {
        use Turns::{Doubted, One, Several};
        let cases: [(&[f64], &[Turns]); 6] = [
            (&[100.0, 100.0, 101.0, 100.0, 101.0], &[One; 5]), // a clock that is made anew
            (&[100.0, 100.0, 500.0, 500.0], &[One; 4]),        // a restart
            (&[100.0, 200.0, 300.0, 400.0], &[One; 4]),        // restarts again and again
            (&[100.0, 500.0, 100.0], &[One, One, Doubted]),
            (&[100.0, 500.0, 100.0, 500.0], &[One, One, Doubted, Several]),
            (&[1.0, 50.0, 99.0, 50.0, 1.0], &[One, One, One, Doubted, Several]),
        ];
        for (starts, turns) in cases {
            assert_eq!(by_start(starts), turns, "{starts:?}");
        }
    }

    #[test]
    fn forgets_when_one_process_has_answered_for_long() {
        let starts: Vec<f64> =
            [100.0, 500.0, 100.0, 500.0].into_iter().chain([500.0; 25]).collect();
        let turns = by_start(&starts);
        assert_eq!((turns[4], turns[28]), (Turns::Several, Turns::One));
    }

    #[test]
    fn reads_the_same_in_how_long_a_process_has_been_up() {
        let up = |answers: &[(i64, f64)]| {
            let mut sawtooth = Sawtooth::default();
            for (at, seconds) in answers {
                sawtooth.uptime(*seconds, SECOND, Timestamp::from_millis(at * 1000));
            }
            sawtooth.turns()
        };
        assert_eq!(up(&[(1000, 900.0), (1015, 20.0), (1030, 930.2), (1045, 49.5)]), Turns::Several);
        assert_eq!(up(&[(1000, 900.0), (1015, 5.0), (1030, 20.2), (1045, 35.0)]), Turns::One);
        assert_eq!(up(&[(1000, 7.0), (1015, 7.0), (1030, 7.0), (1045, 7.0)]), Turns::One, "frozen");
        let millis = [(1000, 9e5), (1015, 9.15e5), (1030, 9.3e5), (1045, 9.45e5)];
        assert_eq!(up(&millis), Turns::One, "another unit");
    }

    #[test]
    fn tells_lines_of_a_counter_apart_where_nothing_else_tells() {
        let pair = |low: f64, high: f64, n: i32| -> Vec<f64> {
            let step = |turn| [low + 7.0 * f64::from(turn), high + 9.0 * f64::from(turn)];
            (0..n).flat_map(step).collect()
        };
        assert_eq!(by_counter(&pair(100.0, 5000.0, 7)), Turns::Several);
        assert_eq!(by_counter(&pair(100.0, 5000.0, 3)), Turns::One, "too early to tell");
        let restart: Vec<f64> = (0..20).chain(0..40).map(|n| f64::from(n) * 10.0).collect();
        assert_eq!(by_counter(&restart), Turns::One);
        let crashes: Vec<f64> = (0..40).map(|n| [10.0, 150.0, 290.0][n % 3]).collect();
        assert_eq!(by_counter(&crashes), Turns::One, "the same short life again and again");
    }

    #[test]
    fn believes_what_tells_the_start_before_any_counter() {
        let mut sawtooth = Sawtooth::default();
        let fresh = [START, "requests_total"].map(Arc::from);
        let mut page = Page {
            fresh: (0..).zip(fresh).map(|(slot, name)| (slot, name, Labels::default())).collect(),
            ..Page::default()
        };
        for turn in 0..20u32 {
            let counter = f64::from(turn) + if turn % 2 == 0 { 5000.0 } else { 100.0 };
            page.samples = vec![(0, f64::from(turn) * 15.0), (1, counter)];
            sawtooth.page(&page);
            page.fresh = Default::default();
        }
        assert_eq!(sawtooth.turns(), Turns::One, "each life is another");
    }
}
