//! Asks a source of metrics: each query as a form, a few at a time, all within
//! the time that the source is given.

use std::time::Instant;

use futures_util::{StreamExt, stream};
use reqwest::Url;

use super::http::Http;
use super::secrets::Secrets;
use crate::metrics::queried;
use crate::model::{DataSource, Failure, HeaderValue, Inquiry, Method, Request, Span, Told};

/// A shared server has others to answer; ours wait for each other.
const IN_FLIGHT_MAX: usize = 4;

/// What answers may be, and take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Cap on each body, after gunzip.
    pub bytes_max: u64,
    /// For all of them.
    pub timeout: Span,
}

/// An answer to each query, in their order.
pub async fn ask(
    http: &Http,
    secrets: &Secrets,
    source: &DataSource,
    asks: &[Inquiry],
    limits: Limits,
) -> Vec<Result<Told, Failure>> {
    let began = Instant::now();
    let one = |inquiry: &Inquiry| {
        let mut request = request(source, inquiry, limits.timeout);
        async move {
            request.timeout = limits.timeout - Span::from(began.elapsed());
            if request.timeout <= Span::ZERO {
                return Err(Failure::Timeout(limits.timeout));
            }
            let answered = http.answer(&request, secrets, limits.bytes_max).await;
            let (status, body) = answered.map_err(|failure| match failure {
                Failure::Timeout(_) => Failure::Timeout(limits.timeout),
                other => other,
            })?;
            queried::read(status, &body, source.takes_partial)
        }
    };
    let waiting: Vec<_> = asks.iter().map(one).collect();
    stream::iter(waiting).buffered(IN_FLIGHT_MAX).collect().await
}

fn request(source: &DataSource, inquiry: &Inquiry, timeout: Span) -> Request {
    let seconds = |at: crate::model::Timestamp| format!("{:.3}", at.millis() as f64 / 1000.0);
    let mut pairs = vec![("query".to_owned(), inquiry.text.to_string())];
    let path = match inquiry.since {
        None => {
            pairs.push(("time".to_owned(), seconds(inquiry.at)));
            "/api/v1/query"
        }
        Some((from, step)) => {
            pairs.push(("start".to_owned(), seconds(from)));
            pairs.push(("end".to_owned(), seconds(inquiry.at)));
            pairs.push(("step".to_owned(), format!("{:.3}", step.seconds_f64())));
            "/api/v1/query_range"
        }
    };
    pairs.push(("timeout".to_owned(), format!("{}ms", timeout.millis())));
    pairs.extend(source.params.iter().cloned());
    let mut form = Url::parse("http://form/").expect("it is a URL");
    form.query_pairs_mut().extend_pairs(&pairs);
    let kind = HeaderValue::Plain("application/x-www-form-urlencoded".to_owned());
    let mut headers = source.headers.clone();
    headers.push(("content-type".to_owned(), kind));
    Request {
        method: Method::Post,
        url: format!("{}{path}", source.url),
        headers,
        body: form.query().map(<_>::to_owned),
        timeout,
        follow: 0,
        transport: source.transport.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SECOND, Timestamp};

    #[test]
    fn sends_a_form_with_the_instant_and_what_the_source_is_told_besides() {
        let source = DataSource {
            name: "main".into(),
            url: "http://metrics:9090/prom".into(),
            headers: Vec::new(),
            transport: None,
            params: vec![("partial_response".into(), "false".into())],
            takes_partial: false,
            selector: None,
            delay: Span::ZERO,
            timeout: 8 * SECOND,
            history: Span::ZERO,
        };
        let at = Timestamp::from_millis(1_500);
        let mut inquiry = Inquiry { text: "a + b{c=\"d\"}".into(), at, since: None };
        let sent = request(&source, &inquiry, source.timeout);
        let body =
            "query=a+%2B+b%7Bc%3D%22d%22%7D&time=1.500&timeout=8000ms&partial_response=false";
        assert_eq!(
            (sent.url.as_str(), sent.body.as_deref()),
            ("http://metrics:9090/prom/api/v1/query", Some(body))
        );
        inquiry.since = Some((Timestamp::from_millis(0), 15 * SECOND));
        let sent = request(&source, &inquiry, source.timeout);
        let is_range =
            sent.body.is_some_and(|body| body.contains("&start=0.000&end=1.500&step=15.000&"));
        assert!(is_range && sent.url.ends_with("/api/v1/query_range"));
    }
}
