//! Requests with all that they need of ours, and sending them.

use std::borrow::Cow;

use reqwest::{Client, Response};

use super::{Http, failure};
use crate::daemon::clients::placed;
use crate::daemon::packed::ACCEPTED;
use crate::daemon::secrets::Secrets;
use crate::model::{Failure, HeaderValue, Request, Transport};

/// A request with all that it needs of ours.
pub(super) struct Ready<'a> {
    pub request: Cow<'a, Request>,
    client: Client,
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

    async fn client(
        &self,
        place: Option<String>,
        transport: Option<&Transport>,
        secrets: &Secrets,
    ) -> Result<Client, Failure> {
        let has_roots = self.no_roots.is_none();
        let other = self.others.find(place, transport, secrets, has_roots).await;
        Ok(other.map_err(Failure::NotAsked)?.unwrap_or_else(|| self.targets.clone()))
    }

    /// Sends a request: the one that is ready, or one that it was redirected to.
    pub(super) async fn send(
        &self,
        request: &Request,
        ready: &Ready<'_>,
        accept: Option<&str>,
    ) -> Result<Response, Failure> {
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes())
            .expect("our methods are HTTP's");
        let transport = request.transport.as_deref();
        let (url, place) = placed(&request.url, transport).map_err(Failure::NotAsked)?;
        let client = match place == ready.place {
            true => ready.client.clone(),
            false => self.client(place, transport, ready.secrets).await?,
        };
        let url = self.urls.read(&url).map_err(Failure::NotAsked)?;
        let mut building = client.request(method, url);
        if let Some(accept) = accept {
            building = building.header("accept", accept);
        }
        let is_own =
            |(name, _): &(String, HeaderValue)| name.eq_ignore_ascii_case("accept-encoding");
        if !request.headers.iter().any(is_own) {
            building = building.header("accept-encoding", ACCEPTED);
        }
        for (name, value) in &request.headers {
            let HeaderValue::Plain(value) = value else { unreachable!("it was made ready") };
            building = building.header(name, value);
        }
        if let Some(body) = &request.body {
            building = building.body(body.clone());
        }
        building.send().await.map_err(|error| failure(&error, request.timeout))
    }
}
