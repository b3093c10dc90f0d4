//! Samples of what held over stretches of time, such as a block's, so that a
//! query can read them as any others.

use std::sync::Arc;

use crate::metrics::{LOOKBACK, Point, stale_marker};
use crate::model::{MILLISECOND, MINUTE, Span, Timestamp};
use crate::record::Block;

/// Samples of what lasts are so far apart: near enough for any look at an
/// instant, and few in a week.
const STRIDE: Span = MINUTE;

/// Samples of what held over stretches of time.
pub(super) struct Course {
    /// Only what lies within is made.
    reads: (Timestamp, Timestamp),
    pub points: Vec<Point>,
    /// The end of the last stretch, whatever it was.
    to: Option<Timestamp>,
    is_alive: bool,
}

impl Course {
    pub fn new(reads: (Timestamp, Timestamp)) -> Course {
        Course { reads, points: Vec::new(), to: None, is_alive: false }
    }

    /// Where the last stretch ended; `at` if there was none.
    pub fn end(&self, at: Timestamp) -> Timestamp {
        self.to.map_or(at - MILLISECOND, |to| to.min(at))
    }

    /// What held after `from`, up to `to`; `None`: nobody knows.
    pub fn add(&mut self, from: Timestamp, to: Timestamp, value: Option<f64>) {
        if to <= from {
            return;
        }
        if self.to.is_some_and(|last| last < from)
            && let Some(last) = self.to
        {
            self.end_at(last + MILLISECOND);
        }
        self.to = Some(to);
        let Some(value) = value else {
            self.end_at(from + MILLISECOND);
            return;
        };
        let mut at = from + MILLISECOND;
        while at < to {
            self.push(at, value);
            at += STRIDE;
        }
        self.push(to, value);
        self.is_alive = true;
    }

    /// Nothing is known from then on.
    pub fn end_at(&mut self, at: Timestamp) {
        if std::mem::take(&mut self.is_alive) {
            self.push(at, stale_marker());
        }
    }

    fn push(&mut self, at: Timestamp, value: f64) {
        let (from, to) = self.reads;
        if from - LOOKBACK < at && at <= to {
            self.points.push(Point { at, value });
        }
    }
}

/// The blocks that tell of this time, and the one after them: where there is a
/// gap, it begins and ends.
pub(super) fn lately(blocks: &[Arc<Block>], (from, to): (Timestamp, Timestamp)) -> &[Arc<Block>] {
    let first = blocks.partition_point(|block| block.to <= from - LOOKBACK);
    let last = blocks.partition_point(|block| block.from <= to);
    &blocks[first.min(last)..blocks.len().min(last + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::is_stale;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1000 * seconds)
    }

    fn shown(course: Course) -> Vec<(i64, Option<f64>)> {
        let points = course.points.into_iter();
        points.map(|p| (p.at.millis(), (!is_stale(p.value)).then_some(p.value))).collect()
    }

    #[test]
    fn shows_what_held_each_minute_and_ends_where_nobody_knows() {
        let mut course = Course::new((at(0), at(10_000)));
        course.add(at(100), at(190), Some(7.0));
        course.add(at(190), at(200), None);
        course.add(at(200), at(230), Some(8.0));
        course.add(at(500), at(501), Some(9.0));
        let expected = [
            (100_001, Some(7.0)),
            (160_001, Some(7.0)),
            (190_000, Some(7.0)),
            (190_001, None),
            (200_001, Some(8.0)),
            (230_000, Some(8.0)),
            (230_001, None),
            (500_001, Some(9.0)),
            (501_000, Some(9.0)),
        ];
        assert_eq!(shown(course), expected);
    }

    #[test]
    fn makes_only_what_is_read() {
        let mut course = Course::new((at(3600), at(3700)));
        course.add(at(0), at(7200), Some(1.0));
        let (first, last) = (course.points[0].at, course.points[course.points.len() - 1].at);
        assert!(at(3300) < first && first < at(3400) && at(3600) < last && last <= at(3700));
    }

    #[test]
    fn looks_at_the_blocks_of_a_time_and_at_the_one_after_it() {
        let block = |from| Block { from: at(from), to: at(from + 60), ..Block::default() };
        let blocks: Vec<Arc<Block>> = (0..100).map(|minute| Arc::new(block(60 * minute))).collect();
        let found = |from, to| {
            let found = lately(&blocks, (at(from), at(to)));
            (found.first().map(|b| b.from), found.last().map(|b| b.to))
        };
        // Five minutes more, in which a sample stands for the present.
        assert_eq!(found(1200, 1230), (Some(at(900)), Some(at(1320))));
        assert_eq!(found(0, 99_999), (Some(at(0)), Some(at(6000))));
        assert_eq!(found(99_999, 99_999), (None, None));
    }
}
