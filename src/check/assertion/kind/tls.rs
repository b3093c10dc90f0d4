//! The TLS session and the server's certificate.

use super::super::cursor::Cursor;
use super::super::value::{Shape, Value};
use super::{Complaint, Found, Kind, Query};
use crate::model::{DAY, Distrust, Exchange, TlsFacts};

/// Whether the certificate can be trusted, in a word.
const TRUST: &[&str] =
    &["verified", "expired", "not-yet-valid", "wrong-host", "unknown-authority", "distrusted"];

type Part = fn(&TlsFacts) -> Option<Value>;

/// What can be asked of a session besides trust.
const PARTS: [(&str, Shape, Part); 7] = [
    ("version", Shape::Number, |tls| tls.version.parse().ok().map(Value::Json)),
    ("days", Shape::Number, |tls| Some(Value::Json(days(tls).into()))),
    ("issuer", Shape::Text, |tls| Some(Value::text(&*tls.leaf()?.issuer))),
    ("subject", Shape::Text, |tls| Some(Value::text(&*tls.leaf()?.subject))),
    ("names", Shape::Json, |tls| Some(Value::Json(tls.leaf()?.names.clone().into()))),
    ("cipher", Shape::Text, |tls| Some(Value::text(&*tls.cipher))),
    ("alpn", Shape::Text, |tls| tls.alpn.as_deref().map(Value::text)),
];

pub(super) const KIND: Kind = Kind {
    name: "tls",
    about: "the session and the certificate: `version`, `days` to expiry, `issuer`, `subject`, \
            `names`, `cipher`, `alpn`, or whether it is `verified`",
    example: "tls days > 14",
    open,
};

fn open(cursor: &mut Cursor<'_>) -> Result<Query, Complaint> {
    let word = cursor.peek();
    let Some((name, shape, part)) = PARTS.into_iter().find(|(name, ..)| *name == word) else {
        return Ok(Query { note, ..Query::new(Shape::Word(TRUST), trust) });
    };
    cursor.word();
    let query = Query::new(shape, move |exchange| match session(exchange) {
        Ok(tls) => part(tls).map_or_else(|| Found::Absent(format!("no {name}")), Found::One),
        Err(found) => found,
    });
    Ok(Query { may_be_absent: name == "alpn", ..query })
}

/// Days to expiry, in hundredths, rounded down: 13.999 days are no 14.
fn days(tls: &TlsFacts) -> f64 {
    (tls.expires_in.millis() as f64 / DAY.millis() as f64 * 100.0).floor() / 100.0
}

fn session(exchange: &Exchange) -> Result<&TlsFacts, Found> {
    let tls = exchange.beyond.as_deref().and_then(|beyond| beyond.tls.as_ref());
    tls.ok_or_else(|| Found::Unreadable { why: "the connection is not TLS".into(), owned: true })
}

fn trust(exchange: &Exchange) -> Found {
    let tls = match session(exchange) {
        Ok(tls) => tls,
        Err(found) => return found,
    };
    Found::One(Value::text(match &tls.distrust {
        None => "verified",
        Some(Distrust::Expired) => "expired",
        Some(Distrust::NotYetValid) => "not-yet-valid",
        Some(Distrust::WrongHost) => "wrong-host",
        Some(Distrust::UnknownAuthority) => "unknown-authority",
        Some(Distrust::Other(_)) => "distrusted",
    }))
}

/// Why, in the library's words.
fn note(exchange: &Exchange) -> String {
    let distrust = session(exchange).ok().and_then(|tls| tls.distrust.as_ref());
    distrust.map(ToString::to_string).unwrap_or_default()
}
