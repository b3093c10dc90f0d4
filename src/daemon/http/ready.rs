//! Requests with all that they need of ours, and sending them.

use std::borrow::Cow;

use reqwest::Client;
use reqwest::header::{self, ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, USER_AGENT};

use super::answer::Answer;
use super::{AGENT, Http, cause, direct, failure};
use crate::daemon::clients::placed;
use crate::daemon::packed::ACCEPTED;
use crate::daemon::secrets::Secrets;
use crate::model::{Failure, HeaderValue, Request, Transport};

/// A request with all that it needs of ours.
pub(super) struct Ready<'a> {
    pub request: Cow<'a, Request>,
    /// Who carries it; `None`: whoever does it usually.
    client: Option<Client>,
    /// Where that client leads, if not to where the URL says.
    place: Option<String>,
    /// Secrets that an answer may repeat.
    pub hidden: Vec<String>,
    secrets: &'a Secrets,
}

impl Http {
    /// Looks up all that a request needs of ours: secrets, certificates, keys.
    /// Whoever is asked is not to be called slow for our disk: no clock runs yet.
    pub(super) async fn ready<'a>(
        &self,
        request: &'a Request,
        secrets: &'a Secrets,
    ) -> Result<Ready<'a>, Failure> {
        let transport = request.transport.as_deref();
        let (_, place) = placed(&request.url, transport).map_err(Failure::NotAsked)?;
        let client = self.client(place.clone(), transport, secrets).await?;
        let mut ready =
            Ready { request: Cow::Borrowed(request), client, place, hidden: Vec::new(), secrets };
        for (index, (_, value)) in request.headers.iter().enumerate() {
            let secret = match value {
                HeaderValue::Plain(_) => continue,
                HeaderValue::Secret(_) | HeaderValue::Bearer { .. } | HeaderValue::Basic { .. } => {
                    secrets.header(value).await.map_err(Failure::NotAsked)?
                }
            };
            ready.hidden.push(secret.clone());
            ready.request.to_mut().headers[index].1 = HeaderValue::Plain(secret);
        }
        Ok(ready)
    }

    /// Whoever carries requests that go in a way of their own.
    async fn client(
        &self,
        place: Option<String>,
        transport: Option<&Transport>,
        secrets: &Secrets,
    ) -> Result<Option<Client>, Failure> {
        if place.is_none() && transport.is_none_or(Transport::is_plain) {
            return Ok(None);
        }
        let has_roots = self.no_roots.is_none();
        // Rare, and large: not to be a part of all that is on the way.
        let other = Box::pin(self.others.find(place, transport, secrets, has_roots)).await;
        other.map_err(Failure::NotAsked)
    }

    /// Sends a request: the one that is ready, or one that it was redirected to.
    pub(super) async fn send(
        &self,
        request: &Request,
        ready: &Ready<'_>,
        accept: Option<&str>,
    ) -> Result<Answer, Failure> {
        let transport = request.transport.as_deref();
        let (url, place) = placed(&request.url, transport).map_err(Failure::NotAsked)?;
        let client = match place == ready.place {
            true => ready.client.clone(),
            false => self.client(place, transport, ready.secrets).await?,
        };
        let url = self.urls.read(&url).map_err(Failure::NotAsked)?;
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes())
            .expect("our methods are HTTP's");
        let headers = headers(request, accept).map_err(Failure::NotAsked)?;
        if client.is_none() && direct::leads_to(&url) {
            let body = request.body.clone().unwrap_or_default();
            let asked = direct::request(&url, method, headers, body).map_err(Failure::NotAsked)?;
            let arrival = self.direct.ask(&url, asked).await;
            let arrival = arrival.map_err(|error| cause(&*error, request.timeout))?;
            return Ok(Answer::direct(url, arrival));
        }
        let client = client.as_ref().unwrap_or(&self.targets);
        let mut asked = client.request(method, url).headers(headers);
        if let Some(body) = &request.body {
            asked = asked.body(body.clone());
        }
        // As above.
        let answer = Box::pin(asked.send()).await;
        Ok(answer.map_err(|error| failure(&error, request.timeout))?.into())
    }
}

/// The request's own headers, and those that it has if it says nothing else.
///
/// # Errors
/// One is none.
fn headers(request: &Request, accept: Option<&str>) -> Result<HeaderMap, String> {
    let mut all = HeaderMap::with_capacity(request.headers.len() + 4);
    let value = |text: &str| header::HeaderValue::from_str(text);
    if let Some(accept) = accept {
        all.append(ACCEPT, value(accept).map_err(|error| error.to_string())?);
    }
    let is_own = |(name, _): &(String, HeaderValue)| name.eq_ignore_ascii_case("accept-encoding");
    if !request.headers.iter().any(is_own) {
        all.append(ACCEPT_ENCODING, header::HeaderValue::from_static(ACCEPTED));
    }
    for (name, text) in &request.headers {
        let HeaderValue::Plain(text) = text else { unreachable!("it was made ready") };
        let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
        all.append(name, value(text).map_err(|error| error.to_string())?);
    }
    for (name, usual) in [(ACCEPT, "*/*"), (USER_AGENT, AGENT)] {
        all.entry(name).or_insert(header::HeaderValue::from_static(usual));
    }
    Ok(all)
}
