//! What an exposition says: the sum of a metric's series, or of those that its
//! labels choose.

use super::super::cursor::Cursor;
use super::super::predicate;
use super::super::value::{Shape, Value};
use super::{Complaint, Found, Kind, Query};
use crate::metrics::promql::{self, Mode};
use crate::metrics::{Series, Table, Wanted, read_page};
use crate::model::{Exchange, Timestamp};

pub(super) const KIND: Kind = Kind {
    name: "metric",
    about: "the sum of a metric's series in an exposition, by its name and labels",
    example: "metric http_requests_total{status=\"500\"} == 0",
    open,
};

fn open(cursor: &mut Cursor<'_>) -> Result<Query, Complaint> {
    let column = cursor.column();
    let selector = cursor.selector();
    if selector.is_empty() || predicate::is_name(selector) {
        let what = "a metric's name is missing; write for example `metric up == 1`";
        return Err(Complaint::at(column, what));
    }
    let sum = format!("sum({selector})");
    if let Err(complaint) = promql::Query::compile(&sum) {
        let what = format!("`{selector}` chooses no metric: {}", complaint.what);
        return Err(Complaint::at(column, what));
    }
    let selector = selector.to_owned();
    let query = Query::new(Shape::Number, move |exchange| find(exchange, &sum, &selector));
    Ok(Query { may_be_absent: true, ..query })
}

fn find(exchange: &Exchange, sum: &str, selector: &str) -> Found {
    let unreadable = |why: String| Found::Unreadable { why, owned: true };
    let mut query = match promql::Query::compile(sum) {
        Ok(query) => query,
        Err(complaint) => return unreadable(complaint.what),
    };
    let (needs, now) = (query.needs(), Timestamp::default());
    let wanted = Wanted::names(needs.iter().map(|(name, _)| name.as_str()));
    let kind = exchange.header("content-type");
    let page = match read_page(exchange.body.as_bytes(), kind, &wanted, &mut Table::default()) {
        Ok(page) => page,
        Err(why) => return unreadable(why),
    };
    let mut series = Series::new();
    let ids: Vec<_> =
        page.fresh.iter().map(|(_, name, labels)| series.intern(name, labels)).collect();
    for (slot, value) in &page.samples {
        series.push(ids[*slot as usize], now, *value); // a new table's slots count from 0
    }
    match query.eval(&series, now, Mode::Prometheus) {
        Ok(found) => match found.first() {
            Some((_, value)) => number(*value).map_or_else(
                || Found::Absent(format!("{selector} is {value}")),
                |number| Found::One(Value::Json(number.into())),
            ),
            None => Found::Absent(format!("no metric {selector}")),
        },
        Err(why) => unreadable(why),
    }
}

/// Whole numbers as such, so that what is captured is written as one; `None`
/// for what is no number.
fn number(value: f64) -> Option<serde_json::Number> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT_MAX {
        return Some((value as i64).into());
    }
    serde_json::Number::from_f64(value)
}
