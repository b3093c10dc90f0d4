//! Targets that are asked in plain HTTP/1, directly: nearly all of them. Their
//! connections are kept open from one question to the next without what hyper
//! holds of a connection, thirty kilobytes of buffers and queues: those are made
//! for each exchange and go when it is over. The exchange and its connection are
//! polled by whoever asked, in one task.

use std::collections::HashMap;
use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::poll_fn;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use hyper::body::{Body, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper::service::Service;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use reqwest::Url;
use tokio::net::TcpStream;

/// A connection that nobody used for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(90);

/// So long a peer may be silent until the kernel asks whether it is still there;
/// as often again, and so many times.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_TRIES: u32 = 3;
const UNHEARD_MAX: Duration = Duration::from_secs(30);

type Io = TokioIo<TcpStream>;
type Request = http::Request<String>;
type Cause = Box<dyn Error + Send + Sync>;

/// Connections that nobody uses at the moment.
#[derive(Clone, Debug)]
pub(super) struct Direct {
    connector: TowerToHyperService<HttpConnector>,
    idle: Arc<Mutex<Pool>>,
}

#[derive(Debug)]
struct Pool {
    /// By host and port; the one used last comes last.
    idle: HashMap<Box<str>, Vec<Idle>>, // lookup only
    swept: Instant,
}

#[derive(Debug)]
struct Idle {
    io: Io,
    since: Instant,
}

/// An answer whose head has come.
pub(super) struct Arrival {
    head: http::response::Parts,
    /// Gone when the rest is given up.
    body: Option<Incoming>,
    live: Option<Box<Live>>,
    from: Direct,
    place: Box<str>,
}

/// A connection in use.
struct Live {
    sender: SendRequest<String>,
    connection: Connection<Io, String>,
    is_over: bool,
}

impl Default for Direct {
    fn default() -> Direct {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_keepalive(Some(KEEP_ALIVE));
        connector.set_keepalive_interval(Some(KEEP_ALIVE));
        connector.set_keepalive_retries(Some(KEEP_ALIVE_TRIES));
        connector.set_tcp_user_timeout(Some(UNHEARD_MAX));
        let pool = Pool { idle: HashMap::new(), swept: Instant::now() };
        let connector = TowerToHyperService::new(connector);
        Direct { connector, idle: Arc::new(Mutex::new(pool)) }
    }
}

/// Whether this is the way to there. A name and a password in an address are
/// made a header by others.
pub(super) fn leads_to(url: &Url) -> bool {
    url.scheme() == "http" && url.username().is_empty() && url.password().is_none()
}

/// The request as it is written on the connection.
///
/// # Errors
/// The address cannot be.
pub(super) fn request(
    url: &Url,
    method: Method,
    mut headers: HeaderMap,
    body: String,
) -> Result<Request, String> {
    let path = match url.query() {
        Some(query) => PathAndQuery::from_maybe_shared(format!("{}?{query}", url.path())),
        None => PathAndQuery::try_from(url.path()),
    };
    let path = path.map_err(|error| error.to_string())?;
    if !headers.contains_key(HOST) {
        let host = url.host_str().unwrap_or_default();
        let named = url.port().map(|port| format!("{host}:{port}"));
        let named = HeaderValue::from_str(named.as_deref().unwrap_or(host));
        headers.insert(HOST, named.map_err(|error| error.to_string())?);
    }
    let mut request = Request::new(body);
    *request.uri_mut() = Uri::from(path);
    (*request.method_mut(), *request.headers_mut()) = (method, headers);
    Ok(request)
}

impl Direct {
    /// Asks, and waits for the head of the answer. A connection that was closed
    /// meanwhile, before it took the question, is replaced.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask(&self, url: &Url, mut request: Request) -> Result<Arrival, Cause> {
        let host = url.host_str().unwrap_or_default();
        let place = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        loop {
            let (io, is_new) = match self.take(&place) {
                Some(io) => (io, false),
                None => (self.connect(&place).await?, true),
            };
            match self.exchange(&place, io, request).await {
                Ok(arrival) => return Ok(arrival),
                Err(mut failed) => match failed.take_message() {
                    Some(untaken) if !is_new => request = untaken,
                    Some(_) | None => return Err(failed.into_error().into()),
                },
            }
        }
    }

    async fn connect(&self, place: &str) -> Result<Io, Cause> {
        let origin = Uri::builder().scheme("http").authority(place).path_and_query("/").build()?;
        Ok(self.connector.call(origin).await?)
    }

    async fn exchange(
        &self,
        place: &str,
        io: Io,
        request: Request,
    ) -> Result<Arrival, TrySendError<Request>> {
        let (sender, connection) = handshake(io).await.expect("nothing is said at the beginning");
        let mut live = Box::new(Live { sender, connection, is_over: false });
        let mut asked = pin!(live.sender.try_send_request(request));
        let response = poll_fn(|cx| live.poll_for(cx, |cx| asked.as_mut().poll(cx))).await?;
        let (head, body) = response.into_parts();
        let (from, place) = (self.clone(), place.into());
        Ok(Arrival { head, body: Some(body), live: Some(live), from, place })
    }

    /// The connection to there that was used last, if it is still open.
    fn take(&self, place: &str) -> Option<Io> {
        let mut pool = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let there = pool.idle.get_mut(place)?;
        while let Some(Idle { io, since }) = there.pop() {
            // A peer that has nothing to say, and has not hung up either.
            let silent = io.inner().try_read(&mut [0]).map_err(|error| error.kind());
            if since.elapsed() < IDLE_MAX && silent == Err(std::io::ErrorKind::WouldBlock) {
                return Some(io);
            }
        }
        None
    }

    fn keep(&self, place: &str, io: Io) {
        let now = Instant::now();
        let mut pool = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(pool.swept) > IDLE_MAX / 3 {
            pool.swept = now; // targets have come and gone
            pool.idle.retain(|_, there| {
                there.retain(|idle| now.duration_since(idle.since) < IDLE_MAX);
                !there.is_empty()
            });
        }
        let idle = Idle { io, since: now };
        match pool.idle.get_mut(place) {
            Some(there) => there.push(idle),
            None => drop(pool.idle.insert(place.into(), Vec::from([idle]))),
        }
    }
}

impl Arrival {
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// What comes next of the body.
    ///
    /// # Errors
    /// Why nothing does.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Cause> {
        let (Some(body), Some(live)) = (&mut self.body, &mut self.live) else { return Ok(None) };
        loop {
            let next = poll_fn(|cx| live.poll_for(cx, |cx| Pin::new(&mut *body).poll_frame(cx)));
            match next.await.transpose()?.map(|frame| frame.into_data()) {
                None => return Ok(None),
                Some(Ok(data)) => return Ok(Some(data)),
                Some(Err(_trailers)) => {}
            }
        }
    }
}

impl Drop for Arrival {
    /// The connection goes back, if the answer is here to its end.
    fn drop(&mut self) {
        self.body = None;
        if let Some(io) = self.live.take().and_then(|live| live.freed()) {
            self.from.keep(&self.place, io);
        }
    }
}

impl Live {
    /// Polls for what only comes while the connection is polled too.
    fn poll_for<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut what: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if let Poll::Ready(here) = what(cx) {
            return Poll::Ready(here);
        }
        self.turn(cx);
        what(cx)
    }

    fn turn(&mut self, cx: &mut Context<'_>) {
        // What goes wrong is told to whoever waits for the answer.
        self.is_over = self.is_over || self.connection.poll_without_shutdown(cx).is_ready();
    }

    /// The bare connection, if it can be used again. It is not waited for what
    /// of an answer is still to come.
    fn freed(mut self) -> Option<Io> {
        let cx = &mut Context::from_waker(Waker::noop());
        self.turn(cx);
        if self.is_over || !self.sender.is_ready() {
            return None;
        }
        // With nobody left to ask anything, hyper lets it go as it is.
        drop(self.sender);
        match self.connection.poll_without_shutdown(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) | Poll::Pending => return None,
        }
        let parts = self.connection.into_parts();
        parts.read_buf.is_empty().then_some(parts.io)
    }
}
