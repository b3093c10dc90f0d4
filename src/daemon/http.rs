//! One HTTP exchange, whole or failed, and one scrape. What went wrong is
//! told as a value; the words never carry a URL, which may hold a token.

mod answer;
mod direct;
mod ready;

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

pub(super) use self::answer::Answer;
use self::direct::Direct;
use self::ready::Ready;
use super::clients::{Clients, Urls};
use super::lanes::{AtHand, Lanes};
use super::packed::Body;
use super::redirect::redirected;
use super::secrets::Secrets;
use crate::metrics::{self, Page, Shapes, Table, Wanted};
use crate::model::{Exchange, Failure, Hidden, Request, Span, Timestamp};
use crate::watch::Reply;

/// A check's body beyond this is at fault, not interesting.
const CHECK_BYTES_MAX: u64 = 1 << 20;

/// Larger pages, which take about a millisecond or more when they are met for
/// the first time, are unpacked and read aside, so that they hold up no other
/// answer.
const INLINE_BYTES_MAX: usize = 256 << 10;

/// As Prometheus 3 asks, to the letter: a service shows us the names and types
/// that it shows there, so that queries written for one hold for the other.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,\
    text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
    text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

/// Who asks.
const AGENT: &str = concat!("bakewatch/", env!("CARGO_PKG_VERSION"));

/// As many moves as a well-run metrics endpoint might have behind it.
const REDIRECTS_MAX: usize = 5;

/// A connection that has not come about after this long is given up, so that
/// a letter is known not to have been taken.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The pools. Clones share them.
#[derive(Clone, Debug)]
pub struct Http {
    /// Asks targets directly, as all the others do that are not told otherwise,
    /// and follows no redirect by itself: a health endpoint that moved is not
    /// healthy.
    direct: Direct,
    /// The same over TLS, and with a name and a password in the address.
    targets: Client,
    lanes: Lanes,
    urls: Urls,
    /// For targets that are reached in a way of their own.
    others: Clients,
    /// Through the environment's proxies, if any; follows no redirect.
    letters: Client,
    /// Why https cannot be verified on this machine, if so.
    no_roots: Option<String>,
    /// What tables have in common.
    shapes: Arc<Mutex<Shapes>>,
}

impl Http {
    /// What was made of files and secrets is made anew.
    pub fn forget(&self) {
        self.others.forget();
    }

    /// Clients with the ring provider, which is installed if none is yet.
    /// Without any certificate authority on the machine plain http still
    /// works, and `no_roots` says what is missing.
    ///
    /// # Errors
    /// No client can be built at all.
    pub fn new() -> Result<Http, String> {
        // The second and later calls find a provider: that is no error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let with_roots = || builder().build();
        let no_roots = with_roots().err().map(|error| deepest(&error));
        let build = |builder: ClientBuilder| {
            let builder = if no_roots.is_some() { builder.tls_certs_only([]) } else { builder };
            builder.build().map_err(|error| format!("no HTTP client: {}", deepest(&error)))
        };
        Ok(Http {
            direct: Direct::default(),
            targets: build(builder().no_proxy().redirect(Policy::none()))?,
            lanes: Lanes::default(),
            urls: Urls::default(),
            others: Clients::default(),
            letters: build(builder().redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT))?,
            no_roots,
            shapes: Arc::default(),
        })
    }

    /// Why no certificate can be verified on this machine, if that is so.
    pub fn no_roots(&self) -> Option<&str> {
        self.no_roots.as_deref()
    }

    /// The client that carries letters.
    pub(super) fn letters(&self) -> &Client {
        &self.letters
    }

    /// Sends a check's request and reads its answer to the last byte, having
    /// followed as many redirects as the request allows. One more is no
    /// failure: it is the answer.
    ///
    /// # Errors
    /// Why no whole answer came within the request's time-out.
    pub async fn exchange(
        &self,
        request: &Request,
        secrets: &Secrets,
    ) -> Result<Exchange, Failure> {
        let ready = self.ready(request, secrets).await?;
        let lane = self.lanes.enter(&request.url);
        let started = Instant::now();
        let whole = async {
            let (mut sent, mut redirects) = (Cow::Borrowed(&*ready.request), 0);
            let response = loop {
                let response = self.send(&sent, &ready, None).await?;
                match redirected(&sent, &response) {
                    Some(next) if redirects < request.follow => sent = Cow::Owned(next.request),
                    _ => break response,
                }
                redirects += 1;
            };
            let status = response.status().as_u16();
            let (mut headers, url) = (headers_of(&response), response.url.to_string());
            let body = Body::of(response, CHECK_BYTES_MAX).await?;
            if body.is_packed() {
                // They tell of what came, and not of what is shown.
                headers.retain(|(name, _)| name != "content-encoding" && name != "content-length");
            }
            let body = body.unpacked(CHECK_BYTES_MAX)?;
            let body = String::from_utf8_lossy(&body).into_owned();
            let (elapsed, hidden) = (started.elapsed().into(), Hidden(ready.hidden.clone()));
            Ok(Exchange { status, headers, body, elapsed, redirects, url, hidden, beyond: None })
        };
        let whole = within(request.timeout, whole).await;
        drop(lane);
        whole
    }

    /// Fetches and reads one exposition. The table comes back with the reply
    /// unless reading it panicked.
    pub async fn scrape(
        &self,
        request: &Request,
        secrets: &Secrets,
        wanted: &Arc<Wanted>,
        bytes_max: u64,
        table: Box<Table>,
    ) -> Reply {
        let ready = match self.ready(request, secrets).await {
            Ok(ready) => ready,
            Err(failure) => {
                return Reply::Scraped { page: Err(failure), table, elapsed: Span::ZERO };
            }
        };
        self.lanes.wait(&request.url).await;
        let started = Instant::now();
        let fetched = within(request.timeout, self.fetch(&ready, bytes_max)).await;
        let elapsed = Span::from(started.elapsed());
        let (body, content_type, at_hand) = match fetched {
            Ok(fetched) => fetched,
            Err(failure) => return Reply::Scraped { page: Err(failure), table, elapsed },
        };
        let is_small = body.is_at_most(INLINE_BYTES_MAX);
        let (wanted, shapes) = (wanted.clone(), self.shapes.clone());
        let read = move || match body.unpacked(bytes_max) {
            Ok(body) => read(&body, content_type.as_deref(), &wanted, lent(table, &shapes, &body)),
            Err(failure) => (Err(failure), table),
        };
        let (mut page, table) = if is_small {
            read()
        } else {
            match tokio::task::spawn_blocking(read).await {
                Ok(done) => done,
                Err(_) => {
                    let why = "reading the page failed inside bakewatch".to_owned();
                    return Reply::Exchanged(Err(Failure::NotAsked(why)));
                }
            }
        };
        let table = self.shared(table, page.as_mut().ok());
        drop(at_hand);
        Reply::Scraped { page, table, elapsed }
    }

    /// Only a table that learned something waits for the lock.
    fn shared(&self, mut table: Box<Table>, page: Option<&mut Page>) -> Box<Table> {
        if table.has_changed()
            && let Ok(mut shapes) = self.shapes.lock()
        {
            shapes.share(&mut table, page);
        }
        table
    }

    /// Fetches an exposition and leaves it unread: its body, after gunzip, and
    /// what type it says it has.
    ///
    /// # Errors
    /// Why no whole body came within the request's time-out.
    pub async fn body(
        &self,
        request: &Request,
        secrets: &Secrets,
        bytes_max: u64,
    ) -> Result<(Vec<u8>, Option<String>), Failure> {
        let ready = self.ready(request, secrets).await?;
        let fetched = within(request.timeout, self.fetch(&ready, bytes_max)).await;
        let (body, content_type, _) = fetched?;
        Ok((body.unpacked(bytes_max)?, content_type))
    }

    /// Whatever is answered, unread: its status, and its body after gunzip.
    ///
    /// # Errors
    /// Why no whole body came within the request's time-out.
    pub async fn answer(
        &self,
        request: &Request,
        secrets: &Secrets,
        bytes_max: u64,
    ) -> Result<(u16, Vec<u8>), Failure> {
        let ready = self.ready(request, secrets).await?;
        let whole = async {
            let response = self.sought_twice(&ready, None).await?;
            let status = response.status().as_u16();
            Ok((status, Body::of(response, bytes_max).await?.unpacked(bytes_max)?))
        };
        within(request.timeout, whole).await
    }

    /// The text at an address, for whoever reads it himself.
    ///
    /// # Errors
    /// Why no text came; a status that is not 200 among it.
    pub async fn text(
        &self,
        request: &Request,
        secrets: &Secrets,
        bytes_max: u64,
    ) -> Result<String, Failure> {
        let ready = self.ready(request, secrets).await?;
        let whole = async {
            let response = self.sought(&ready, None).await?;
            if response.status() != 200 {
                return Err(Failure::Status(response.status().as_u16()));
            }
            let body = Body::of(response, bytes_max).await?.unpacked(bytes_max)?;
            String::from_utf8(body).map_err(|_| Failure::Unreadable("no UTF-8".to_owned()))
        };
        within(request.timeout, whole).await
    }

    async fn fetch(
        &self,
        ready: &Ready<'_>,
        bytes_max: u64,
    ) -> Result<(Body, Option<String>, Option<AtHand>), Failure> {
        let response = self.sought_twice(ready, Some(ACCEPT)).await?;
        if response.status() != 200 {
            return Err(Failure::Status(response.status().as_u16()));
        }
        let content_type = response.headers().get("content-type");
        let content_type = content_type.and_then(|v| v.to_str().ok()).map(str::to_owned);
        let at_hand = self.lanes.at_hand().await;
        Ok((Body::of(response, bytes_max).await?, content_type, at_hand))
    }

    /// Asks once more where it breaks off: a server that closes a connection after
    /// an answer and does not say so may do it just when the page is asked for,
    /// behind the health check.
    async fn sought_twice(
        &self,
        ready: &Ready<'_>,
        accept: Option<&str>,
    ) -> Result<Answer, Failure> {
        let mut is_again = false;
        loop {
            match self.sought(ready, accept).await {
                Err(Failure::Broken(_)) if !is_again => is_again = true,
                once => return once,
            }
        }
    }

    /// Follows some redirects, on the same host. Credentials go along where it is
    /// asked by the same way or by https instead of http.
    async fn sought(&self, ready: &Ready<'_>, accept: Option<&str>) -> Result<Answer, Failure> {
        let mut sent = Cow::Borrowed(&*ready.request);
        for _ in 0..=REDIRECTS_MAX {
            let response = self.send(&sent, ready, accept).await?;
            match redirected(&sent, &response) {
                Some(next) if next.is_same_host => sent = Cow::Owned(next.request),
                Some(_) | None => return Ok(response),
            }
        }
        Err(Failure::Broken(format!("more than {REDIRECTS_MAX} redirects")))
    }
}

pub(super) fn builder() -> ClientBuilder {
    Client::builder().user_agent(AGENT)
}

async fn within<T>(
    timeout: Span,
    whole: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(timeout.to_std(), whole).await {
        Ok(result) => result,
        Err(_) => Err(Failure::Timeout(timeout)),
    }
}

/// With what a sibling learned, if it has read nothing itself.
fn lent(mut table: Box<Table>, shapes: &Mutex<Shapes>, body: &[u8]) -> Box<Table> {
    if table.is_blank()
        && let Ok(shapes) = shapes.lock()
    {
        shapes.lend(&mut table, body);
    }
    table
}

fn read(
    body: &[u8],
    content_type: Option<&str>,
    wanted: &Wanted,
    mut table: Box<Table>,
) -> (Result<Page, Failure>, Box<Table>) {
    let page = metrics::read_page(body, content_type, wanted, &mut table);
    (page.map_err(Failure::Unreadable), table)
}

/// Header names in lower case (HTTP's library keeps them so), bad bytes replaced.
fn headers_of(response: &Answer) -> Vec<(String, String)> {
    let pairs = response.headers().iter();
    pairs
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

/// Which of our failures this is.
pub(super) fn failure(error: &reqwest::Error, timeout: Span) -> Failure {
    if error.is_builder() {
        return Failure::NotAsked(deepest(error));
    }
    if error.is_timeout() {
        return Failure::Timeout(timeout);
    }
    cause(error, timeout)
}

/// The same by the chain of its sources.
fn cause(error: &(dyn Error + 'static), timeout: Span) -> Failure {
    let mut source = Some(error);
    while let Some(current) = source {
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            return Failure::Tls(tls_words(tls));
        }
        if let Some(io) = current.downcast_ref::<io::Error>() {
            if let Some(tls) = tls_within(io) {
                return Failure::Tls(tls_words(tls));
            }
            if io.kind() == io::ErrorKind::ConnectionRefused {
                return Failure::Refused;
            }
            if io.kind() == io::ErrorKind::TimedOut {
                return Failure::Timeout(timeout);
            }
            if is_ours(io) {
                return Failure::NotAsked(format!("this machine gave no socket: {io}"));
            }
        }
        if current.to_string().starts_with("dns error") {
            return Failure::Dns(deepest(current));
        }
        source = current.source();
    }
    Failure::Broken(deepest(error))
}

/// Whether it was this machine that could not, whomever it was to ask: too many
/// open files, here or in all, no port or no memory left.
fn is_ours(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let ours = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS, Errno::NOMEM];
    ours.iter().any(|own| error.raw_os_error() == Some(own.raw_os_error()))
}

/// The same words for the same cause: the library's own hold the seconds that
/// have passed since a certificate ended.
fn tls_words(error: &rustls::Error) -> String {
    use rustls::CertificateError::{
        ExpiredContext, NotValidForNameContext, NotValidYetContext, UnknownIssuer,
    };
    let at = |time: &rustls::pki_types::UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 1000);
        Timestamp::from_millis(seconds * 1000).rfc3339()
    };
    match error {
        rustls::Error::InvalidCertificate(wrong) => match wrong {
            ExpiredContext { not_after, .. } => {
                format!("the certificate has expired, at {}", at(not_after))
            }
            NotValidYetContext { not_before, .. } => {
                format!("the certificate is not valid before {}", at(not_before))
            }
            NotValidForNameContext { expected, .. } => {
                format!("the certificate is not for {}", expected.to_str())
            }
            UnknownIssuer => "the certificate is by an unknown authority".to_owned(),
            other => format!("the certificate is invalid: {other}"),
        },
        other => other.to_string(),
    }
}

/// An io error hides its own cause from `source` (it shows the cause's causes),
/// and a handshake's error comes wrapped in two of them.
fn tls_within(io: &io::Error) -> Option<&rustls::Error> {
    let inner = io.get_ref()?;
    let deeper = || inner.downcast_ref::<io::Error>().and_then(tls_within);
    inner.downcast_ref::<rustls::Error>().or_else(deeper)
}

/// The innermost cause: the one that says something, and that has no URL.
pub(super) fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    match current.downcast_ref::<reqwest::Error>() {
        // Its own words would end in the URL.
        Some(plain) if plain.is_builder() => "the request cannot be built".to_owned(),
        Some(plain) if plain.is_decode() => "the body cannot be decoded".to_owned(),
        Some(_) => "the exchange failed".to_owned(),
        None => current.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blames_no_target_for_a_limit_of_this_machine() {
        let error = |errno: rustix::io::Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        use rustix::io::Errno;
        assert!([Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL].map(error).iter().all(is_ours));
        assert!(![Errno::CONNRESET, Errno::HOSTUNREACH].map(error).iter().any(is_ours));
    }
}
