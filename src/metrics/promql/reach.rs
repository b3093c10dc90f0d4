//! Which time a place of a query reads, told before it is known at which
//! instants the query is asked.

use super::plan::{At, Shift};
use crate::model::{Span, Timestamp};

/// What is read for one instant: after `least` from it, up to `most` from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::metrics) struct Reach {
    /// An instant that is written; `None`: each that is asked for.
    at: Option<At>,
    least: Span,
    most: Span,
}

impl Reach {
    /// The instant itself.
    pub(in crate::metrics) const INSTANT: Reach =
        Reach { at: None, least: Span::ZERO, most: Span::ZERO };

    /// The same for whoever looks elsewhere, by `@` and `offset`.
    pub(super) fn shifted(self, shift: Shift, param: Span) -> Reach {
        let from = match shift.at {
            None => self,
            Some(at) => Reach { at: Some(at), ..Reach::INSTANT },
        };
        let offset = shift.offset.with(param);
        let by = if shift.backward { Span::ZERO - offset } else { offset };
        Reach { least: from.least + by, most: from.most + by, ..from }
    }

    /// The same for whoever looks at all before it, too, so far back.
    pub(super) fn over(self, range: Span) -> Reach {
        Reach { least: self.least - range, ..self }
    }

    /// How far it looks back.
    pub(super) fn back(self) -> Span {
        (Span::ZERO - self.least).max(Span::ZERO)
    }

    /// From when to when it reads where it is asked from one time to another.
    pub(in crate::metrics) fn of(
        self,
        (start, end): (Timestamp, Timestamp),
    ) -> (Timestamp, Timestamp) {
        let (from, to) = match self.at {
            None => (start, end),
            Some(At::Time(at)) => (at, at),
            Some(At::Start) => (start, start),
            Some(At::End) => (end, end),
        };
        (from + self.least, to + self.most)
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::promql::Query;
    use crate::model::Timestamp;

    /// What is read by a query from 1000 s to 2000 s.
    fn check(text: &str, expected: &[(i64, i64)]) {
        let at = |seconds: i64| Timestamp::from_millis(1000 * seconds);
        let wants = Query::compile_any(text).expect("a query").wants();
        let reads = wants.iter().map(|want| want.reads((at(1000), at(2000))));
        let reads: Vec<(i64, i64)> =
            reads.map(|(from, to)| (from.millis() / 1000, to.millis() / 1000)).collect();
        assert_eq!(reads, expected, "{text}");
    }

    #[test]
    fn follows_offsets_in_both_directions() {
        check("x", &[(1000, 2000)]);
        check("x offset 1m", &[(940, 1940)]);
        check("x offset -1m", &[(1060, 2060)]);
        check("rate(x[5m] offset -1m)", &[(760, 2060)]);
        check("max_over_time((x offset -30s)[1m:10s] offset 2m)", &[(850, 1910)]);
    }

    #[test]
    fn reads_at_an_instant_that_is_written_and_nowhere_else() {
        check("x @ 500", &[(500, 500)]);
        check("x @ 500 offset 10s or x @ 500 offset -10s", &[(490, 490), (510, 510)]);
        check("rate(x[1m] @ start()) / rate(y[1m] @ end())", &[(940, 1000), (1940, 2000)]);
        check("sum_over_time(x[1h:1m] @ 9000)", &[(5400, 9000)]);
        check("sum_over_time((x @ 500)[1h:1m] @ 9000)", &[(500, 500)]);
    }
}
