//! The doors: a socket in the state directory, and a TCP address. Whoever comes
//! in and hangs holds a place, not the loop; places are few, and nobody keeps
//! one for ever.

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch as signals};

/// The socket's name in a state directory.
pub const SOCKET: &str = "bakewatch.sock";

/// A path in a socket's address has room for so many bytes, and a zero.
const PATH_BYTES_MAX: usize = 107;

/// So many connections a door; a dashboard has a handful.
const CONNECTIONS_MAX: usize = 64;

/// A request whose head has not come by then, and a connection on which none
/// comes, is closed. Longer than a dashboard waits between two looks.
const HEAD_TIMEOUT: Duration = Duration::from_secs(90);

/// A connection is told to end after so long, and cut off after as long again.
const CONNECTION_MAX: Duration = Duration::from_secs(300);

/// When no connection can be taken (too many files), the next try.
const PAUSE: Duration = Duration::from_millis(500);

/// The socket in a state directory, for as long as it lives.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
}

impl Socket {
    /// Opens the door in a directory of which this process holds the lock, so
    /// that one that is there has been left behind.
    ///
    /// # Errors
    /// The path is too long for a socket, or the file system has none.
    pub fn open(dir: &Path, router: Router) -> Result<Socket, String> {
        let path = dir.join(SOCKET);
        let at = |error: io::Error| format!("{}: {error}", path.display());
        let length = path.as_os_str().len();
        if length > PATH_BYTES_MAX {
            let path = path.display();
            return Err(format!(
                "{path} has {length} bytes, and a socket's path at most {PATH_BYTES_MAX}"
            ));
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(at(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(at)?;
        // Whoever was quicker than this could only read.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(at)?;
        let accept = async move || Ok(listener.accept().await?.0);
        tokio::spawn(serve(accept, router));
        Ok(Socket { path })
    }
}

impl Drop for Socket {
    /// One that is left behind misleads nobody: it answers no more.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Names that the owner of an address gave it, without ports, as they are now.
pub type Names = signals::Receiver<Vec<String>>;

/// What is answered at an address also to those who call it by other names, for
/// the whole world; to nobody while there are none.
pub struct Public {
    /// What.
    pub router: Router,
    /// The names.
    pub names: Names,
}

/// Opens a door at an address; gives the one that it came to be (a port of 0
/// is any that is free).
///
/// # Errors
/// It is taken, or not this machine's.
pub async fn open(address: SocketAddr, router: Router) -> Result<SocketAddr, String> {
    open_with(address, router, None).await
}

/// The same with something that is for more people than the rest.
///
/// # Errors
/// As `open`.
pub async fn open_with(
    address: SocketAddr,
    router: Router,
    public: Option<Public>,
) -> Result<SocketAddr, String> {
    let at = |error: io::Error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => "stop who has it, or write another port",
            ErrorKind::AddrNotAvailable => "write an address of this machine, such as 127.0.0.1",
            ErrorKind::PermissionDenied => "write a port of 1024 or more",
            _ => "write another address",
        };
        format!("listen: {address}: {error}; {remedy}")
    };
    let listener = TcpListener::bind(address).await.map_err(at)?;
    let address = listener.local_addr().map_err(at)?;
    let is_loopback = address.ip().is_loopback();
    let mut router = match is_loopback {
        true => router
            .layer(middleware::from_fn(|request: Request, next: Next| by_name(&[], request, next))),
        false => router,
    };
    if let Some(Public { router: public, names }) = public {
        let check = move |request: Request, next: Next| {
            let names = names.borrow().clone();
            async move {
                match is_loopback {
                    _ if names.is_empty() => StatusCode::NOT_FOUND.into_response(),
                    true => by_name(&names, request, next).await,
                    false => next.run(request).await,
                }
            }
        };
        router = router.merge(public.layer(middleware::from_fn(check)));
    }
    let accept = async move || Ok(listener.accept().await?.0);
    tokio::spawn(serve(accept, router));
    Ok(address)
}

/// Lets in whoever calls this machine by its own name, or by one of these. A page in a browser here
/// may have any name lead to this address, and would read the answers as its own.
async fn by_name(names: &[String], request: Request, next: Next) -> Response {
    let name = request.headers().get(header::HOST).map(HeaderValue::to_str);
    match name {
        Some(Ok(name)) if is_ours(name) || is_among(names, name) => next.run(request).await,
        None => next.run(request).await, // no browser leaves it out
        Some(_) => {
            let body = "this address answers on this machine only, to the name localhost or \
                        127.0.0.1; for others write an address of the network in `listen`\n";
            (StatusCode::FORBIDDEN, body).into_response()
        }
    }
}

/// Whether a name, with or without a port, can mean this machine alone.
fn is_ours(name: &str) -> bool {
    let Ok(name) = name.parse::<Authority>() else { return false };
    let host = name.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a name, with or without a port, is one of these.
fn is_among(names: &[String], name: &str) -> bool {
    let Ok(name) = name.parse::<Authority>() else { return false };
    names.iter().any(|known| known.eq_ignore_ascii_case(name.host()))
}

/// Takes connections, each into a task of its own.
async fn serve<S, A>(accept: A, router: Router) -> Infallible
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: AsyncFn() -> io::Result<S>,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = places.clone().acquire_owned().await.expect("nobody closes it");
        match accept().await {
            Ok(stream) => drop(tokio::spawn(converse(stream, router.clone(), place))),
            // One that went away at once, or no file left for it.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn converse<S>(stream: S, router: Router, place: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // How it ends is the client's affair.
    if tokio::time::timeout(CONNECTION_MAX, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        drop(tokio::time::timeout(CONNECTION_MAX, connection).await);
    }
    drop(place);
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn knows_the_names_of_this_machine() {
        for name in ["localhost", "LocalHost:9797", "127.0.0.1:9797", "127.8.9.1", "[::1]:80"] {
            assert!(is_ours(name), "{name}");
        }
        for name in
            ["evil.example", "localhost.evil.example:9797", "10.0.0.7", "[fe80::1]", "0.0.0.0", ""]
        {
            assert!(!is_ours(name), "{name}");
        }
    }
}
