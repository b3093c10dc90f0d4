//! Where an answer that was not followed sends its reader.

use reqwest::Url;

use super::super::cursor::Cursor;
use super::super::value::{Shape, Value};
use super::{Complaint, Found, Kind, Query};
use crate::model::Exchange;

pub(super) const KIND: Kind = Kind {
    name: "redirect",
    about: "where the answer redirects to, as a whole URL",
    example: "redirect to \"https://agent.example.com/login\"",
    open,
};

fn open(cursor: &mut Cursor<'_>) -> Result<Query, Complaint> {
    let column = cursor.column();
    if cursor.peek() != "to" {
        let what = "a redirect goes somewhere; write for example `redirect to \"https://…\"`, \
                    or `redirects == 0`";
        return Err(Complaint::at(column, what));
    }
    cursor.word();
    let query = Query::new(Shape::Text, find);
    Ok(Query { may_be_absent: true, is_implied: true, ..query })
}

fn find(exchange: &Exchange) -> Found {
    let status = exchange.status;
    match exchange.header("location") {
        Some(location) if (300..400).contains(&status) => {
            Found::One(Value::text(resolved(&exchange.url, location)))
        }
        _ => Found::Absent(format!("no redirect, status {status}")),
    }
}

/// A relative place (RFC 9110 10.2.2) is told from where the answer came.
fn resolved(base: &str, location: &str) -> String {
    let joined = Url::parse(base).and_then(|base| base.join(location));
    joined.map_or_else(|_| location.to_owned(), String::from)
}
