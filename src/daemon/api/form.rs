//! What a request asks: its address's parameters, and those of a form.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};

use super::answer::Problem;
use super::{FORM_BYTES_MAX, TIMEOUT};
use crate::model::{Span, Timestamp};

/// Names and values, those of a form before those of the address.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Form, Problem> {
        let address = request.uri().query().unwrap_or_default().to_owned();
        let kind = request.headers().get(header::CONTENT_TYPE);
        let is_form = kind
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        let body = match is_form {
            true => Bytes::from_request(request, state).await,
            false => Ok(Bytes::new()),
        };
        let body = body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge(format!(
                "the form has more than {FORM_BYTES_MAX} bytes; ask for less at once"
            )),
            _ => Problem::BadData(rejection.body_text()),
        })?;
        Ok(Form::of(&body, &address))
    }
}

impl Form {
    fn of(body: &[u8], address: &str) -> Form {
        let both = form_urlencoded::parse(body).chain(form_urlencoded::parse(address.as_bytes()));
        Form(both.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// A parameter that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All of a name.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_owned();
        let of_name =
            self.0.iter().filter(move |(known, value)| *known == name && !value.is_empty());
        of_name.map(|(_, value)| value.as_str())
    }

    /// One without which there is no question.
    pub fn needed(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| wrong(name, "is missing"))
    }

    /// A time: RFC 3339, or seconds since 1970.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.get(name).map(|text| time(text).map_err(|what| wrong(name, what))).transpose()
    }

    /// A time without which there is no question.
    pub fn needed_time(&self, name: &str) -> Result<Timestamp, Problem> {
        self.time(name)?.ok_or_else(|| wrong(name, "is missing"))
    }

    /// A length of time: seconds, or with units.
    pub fn span(&self, name: &str) -> Result<Option<Span>, Problem> {
        self.get(name).map(|text| span(text).map_err(|what| wrong(name, what))).transpose()
    }

    /// How many at most; 0 is as many as there are.
    pub fn limit(&self) -> Result<Option<usize>, Problem> {
        let Some(text) = self.get("limit") else { return Ok(None) };
        let number = text.parse::<usize>();
        let number = number.map_err(|_| wrong("limit", format!("{text:?} is no whole number")))?;
        Ok((number > 0).then_some(number))
    }

    /// How long an answer may take.
    pub fn patience(&self) -> Result<Duration, Problem> {
        Ok(self.span("timeout")?.map_or(TIMEOUT, |span| span.to_std().min(TIMEOUT)))
    }

    /// What Prometheus knows and is not known here would change an answer.
    pub fn without_lookback(&self) -> Result<(), Problem> {
        match self.get("lookback_delta") {
            None => Ok(()),
            Some(_) => Err(wrong("lookback_delta", "is always 5m here; leave it out")),
        }
    }
}

pub(super) fn wrong(name: &str, what: impl AsRef<str>) -> Problem {
    Problem::BadData(format!("invalid parameter {name:?}: {}", what.as_ref()))
}

/// A time: RFC 3339, or seconds since 1970.
///
/// # Errors
/// It is neither.
pub fn time(text: &str) -> Result<Timestamp, String> {
    match seconds(text) {
        Some(millis) => Ok(Timestamp::from_millis(millis)),
        None => text.parse().map_err(|_| {
            format!("{text:?} is no time; write for example \"2026-11-25T01:23:46Z\" or 1764033826")
        }),
    }
}

/// A length of time: seconds, or with units.
///
/// # Errors
/// It is neither.
pub fn span(text: &str) -> Result<Span, String> {
    seconds(text).map_or_else(|| text.parse(), |millis| Ok(Span::from_millis(millis)))
}

/// Seconds as a number, in milliseconds.
fn seconds(text: &str) -> Option<i64> {
    let millis = (text.parse::<f64>().ok()? * 1000.0).round();
    // Beyond it no time can be written.
    (millis.abs() < 1e15).then_some(millis as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_lengths_in_both_forms() {
        let at = |text: &str| time(text).map(Timestamp::millis);
        assert_eq!(at("1764033826.5"), Ok(1_764_033_826_500));
        assert_eq!(at("2025-11-25T01:23:46+00:00"), Ok(1_764_033_826_000));
        assert!(at("NaN").is_err() && at("1e99").is_err() && at("yesterday").is_err());
        let long = |text: &str| span(text).map(Span::millis);
        assert_eq!((long("15"), long("0.5"), long("1h30m")), (Ok(15_000), Ok(500), Ok(5_400_000)));
        assert!(long("5x").is_err());
    }

    #[test]
    fn takes_a_form_before_the_address_and_the_empty_for_nothing() {
        let form = Form::of(b"query=a%2Bb&match[]=x", "query=c&match%5B%5D=y&time=");
        assert_eq!((form.get("query"), form.get("time")), (Some("a+b"), None));
        assert_eq!(form.all("match[]").collect::<Vec<_>>(), ["x", "y"]);
    }
}
