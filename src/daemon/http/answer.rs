//! What was answered, by whatever way.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode, Url};

use super::direct::Arrival;
use super::{cause, failure};
use crate::model::{Failure, Span};

/// An answer whose head has come, and its body as it comes.
pub(in crate::daemon) struct Answer {
    /// What was asked.
    pub url: Url,
    way: Way,
}

enum Way {
    Direct(Arrival),
    Other(Response),
}

impl Answer {
    pub(super) fn direct(url: Url, arrival: Arrival) -> Answer {
        Answer { url, way: Way::Direct(arrival) }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        match &self.way {
            Way::Direct(arrival) => arrival.status(),
            Way::Other(response) => response.status(),
        }
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        match &self.way {
            Way::Direct(arrival) => arrival.headers(),
            Way::Other(response) => response.headers(),
        }
    }

    /// What comes next of its body; `None`: that was all.
    ///
    /// # Errors
    /// It ends before its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        match &mut self.way {
            Way::Direct(arrival) => {
                arrival.chunk().await.map_err(|error| cause(&*error, Span::ZERO))
            }
            Way::Other(response) => {
                response.chunk().await.map_err(|error| failure(&error, Span::ZERO))
            }
        }
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Answer {
        Answer { url: response.url().clone(), way: Way::Other(response) }
    }
}
