//! A run of samples: what a query reads of one series.

use super::values::View;
use crate::model::Timestamp;

/// One sample.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// What; a marker where the series ended.
    pub value: f64,
}

/// Samples of one series, oldest first, wherever they are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    stamps: &'a [Timestamp],
    /// At least as many.
    values: View<'a>,
}

impl<'a> Run<'a> {
    pub(super) fn new(stamps: &'a [Timestamp], values: View<'a>) -> Run<'a> {
        Run { stamps, values }
    }

    pub fn len(self) -> usize {
        self.stamps.len()
    }

    pub fn is_empty(self) -> bool {
        self.stamps.is_empty()
    }

    pub fn stamps(self) -> &'a [Timestamp] {
        self.stamps
    }

    /// # Panics
    /// When there are not so many.
    pub fn point(self, place: usize) -> Point {
        Point { at: self.stamps[place], value: self.values.get(place) }
    }

    pub fn first(self) -> Option<Point> {
        (!self.is_empty()).then(|| self.point(0))
    }

    pub fn last(self) -> Option<Point> {
        self.len().checked_sub(1).map(|place| self.point(place))
    }

    pub fn iter(self) -> impl DoubleEndedIterator<Item = Point> + ExactSizeIterator + use<'a> {
        (0..self.len()).map(move |place| self.point(place))
    }

    pub fn values(self) -> impl DoubleEndedIterator<Item = f64> + ExactSizeIterator + use<'a> {
        (0..self.len()).map(move |place| self.values.get(place))
    }

    /// The samples up to a time, and those after it.
    pub fn split(self, at: Timestamp) -> (Run<'a>, Run<'a>) {
        let before = self.up_to(at);
        (before, self.from(before.len()))
    }

    /// The samples up to a time. Nearly always that is all.
    pub fn up_to(self, at: Timestamp) -> Run<'a> {
        match self.stamps.last() {
            Some(last) if *last > at => {
                let place = self.stamps.partition_point(|stamp| *stamp <= at);
                Run { stamps: &self.stamps[..place], ..self }
            }
            _ => self,
        }
    }

    /// Whether all values are known to be the same, without a look at them.
    pub fn is_level(self) -> bool {
        self.values.is_level()
    }

    /// Without the first ones.
    pub fn from(self, place: usize) -> Run<'a> {
        Run { stamps: &self.stamps[place..], values: self.values.from(place) }
    }
}

/// Samples that are no series', such as those that an expression came to.
#[derive(Clone, Default, Debug)]
pub(crate) struct Loose {
    stamps: Vec<Timestamp>,
    values: Vec<f64>,
}

impl Loose {
    pub fn push(&mut self, at: Timestamp, value: f64) {
        self.stamps.push(at);
        self.values.push(value);
    }

    pub fn clear(&mut self) {
        self.stamps.clear();
        self.values.clear();
    }

    pub fn run(&self) -> Run<'_> {
        Run { stamps: &self.stamps, values: View::plain(&self.values) }
    }
}
