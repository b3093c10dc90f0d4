//! A service on loopback that is well until its hour, and hostile from then on,
//! byte for byte. Its hour is told by the clock of the watch.

use std::io::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bakewatch::model::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::io::peer::head_of;
use crate::io::tls_server::{Authority, config};
use crate::world::target::{Expo, Target};

/// What it does to whoever asks. (Those that are not of the exposition or
/// of health alone do it to both alike.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ill {
    /// 200, and nothing.
    Empty,
    /// 200, and the front page of some other program.
    Page,
    /// Its health says `unhealthy`, with status 200.
    Unhealthy,
    /// 64 MB, announced.
    Large,
    /// A body without an end.
    Endless,
    /// One byte a second.
    Drip,
    /// A few kilobytes that unpack to 64 MB.
    Bomb,
    /// Each line of its exposition is wrong in another way.
    Malformed,
    /// One line of its exposition is.
    OneBadLine,
    /// Half of what was announced.
    CutShort,
    /// Chunks, and then no more, and no last one.
    CutChunk,
    /// The end of the body amid a line.
    CutLine,
    /// Every value is NaN.
    Nan,
    /// The service's own families are gone.
    Missing,
    /// A million series of a family that is read.
    Million,
    /// It moved to where it is.
    Loop,
    /// Its certificate has ended.
    Expired,
    /// Its certificate is another host's.
    WrongHost,
    /// Nothing of that kind.
    None,
}

impl Ill {
    /// Whether its health is no health any more.
    pub fn is_of_health(self) -> bool {
        use Ill::{Bomb, Drip, Empty, Endless, Expired, Large, Loop, Page, Unhealthy, WrongHost};
        let all = [Empty, Page, Unhealthy, Large, Endless, Drip, Bomb, Loop, Expired, WrongHost];
        all.contains(&self)
    }

    fn is_of_metrics(self) -> bool {
        !matches!(self, Ill::Unhealthy | Ill::None | Ill::Expired | Ill::WrongHost)
    }

    fn is_of_tls(self) -> bool {
        matches!(self, Ill::Expired | Ill::WrongHost)
    }
}

/// 64 MB.
const LARGE: u64 = 64 << 20;

const WELL: &str = r#"{"status":"healthy","success":true}"#;

const EXPOSITION: &str = "text/plain; version=0.0.4";

/// What is written at a time.
const CHUNK: usize = 64 << 10;

/// What it sends, and in which manner.
enum Sends {
    Whole(Vec<u8>),
    /// A head, and then this so many times; `None`: until nobody reads it.
    Again(Vec<u8>, Vec<u8>, Option<u64>),
    Drips(Vec<u8>),
}

/// The server, for those who look at it.
pub struct Server {
    pub url: String,
    /// Whom a client has to trust, over TLS.
    pub authority: Option<Authority>,
    stage: Arc<Stage>,
}

struct Stage {
    ill: Ill,
    from: Timestamp,
    now: Arc<AtomicI64>,
    replica: Mutex<Target>,
    acceptors: Option<[TlsAcceptor; 2]>,
    most: AtomicU64,
}

impl Server {
    /// Hostile from `from` on, by the clock `now`.
    pub async fn start(ill: Ill, from: Timestamp, now: Arc<AtomicI64>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let place = listener.local_addr().expect("a bound socket");
        let authority = ill.is_of_tls().then(Authority::new);
        let acceptors = authority.as_ref().map(|authority| {
            let good = authority.signs(&["127.0.0.1"], 2090);
            let bad = match ill {
                Ill::Expired => authority.signs(&["127.0.0.1"], 2021),
                _ => authority.signs(&["other.example.com"], 2090),
            };
            [good, bad].map(|identity| TlsAcceptor::from(config(identity, &[], false)))
        });
        let start = Timestamp::from_millis(now.load(Ordering::SeqCst));
        let replica = Mutex::new(Target::new("a", start));
        let most = AtomicU64::new(0);
        let stage = Arc::new(Stage { ill, from, now, replica, acceptors, most });
        let scheme = if authority.is_some() { "https" } else { "http" };
        let serving = stage.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stage = serving.clone();
                tokio::spawn(async move {
                    let Some(acceptors) = &stage.acceptors else {
                        return stage.talk(stream).await;
                    };
                    let acceptor = &acceptors[usize::from(stage.is_hostile())];
                    if let Ok(stream) = acceptor.accept(stream).await {
                        stage.talk(stream).await;
                    }
                });
            }
        });
        Server { url: format!("{scheme}://{place}"), authority, stage }
    }

    /// The most bytes that went into one answer before the other side hung up.
    pub fn most(&self) -> u64 {
        self.stage.most.load(Ordering::SeqCst)
    }
}

impl Stage {
    fn is_hostile(&self) -> bool {
        self.from.millis() <= self.now.load(Ordering::SeqCst)
    }

    /// One question, one answer.
    async fn talk(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(head) = head_of(&mut stream).await else { return };
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let sent = send(&mut stream, self.answer(&path)).await;
        self.most.fetch_max(sent, Ordering::SeqCst);
        let _ = stream.shutdown().await; // whoever hung up has his reason
    }

    fn answer(&self, path: &str) -> Sends {
        let is_metrics = path.starts_with("/metrics");
        let is_ill = if is_metrics { self.ill.is_of_metrics() } else { self.ill.is_of_health() };
        if !is_ill || !self.is_hostile() || self.ill.is_of_tls() {
            return Sends::Whole(match is_metrics {
                true => whole(EXPOSITION, &self.exposition()),
                false => whole("application/json", WELL),
            });
        }
        let kind = if is_metrics { EXPOSITION } else { "application/json" };
        let zeros = || vec![b'0'; CHUNK];
        match self.ill {
            Ill::Empty => Sends::Whole(whole(kind, "")),
            Ill::Page => Sends::Whole(whole("text/html", "<!doctype html>\n<html>Welcome!\n")),
            Ill::Unhealthy => Sends::Whole(whole(kind, r#"{"status":"unhealthy"}"#)),
            Ill::Large => {
                Sends::Again(head(kind, Some(LARGE)), zeros(), Some(LARGE / CHUNK as u64))
            }
            Ill::Endless => Sends::Again(head(kind, None), zeros(), None),
            Ill::Drip => Sends::Drips(head(kind, Some(1000))),
            Ill::Bomb => {
                let body = BOMB.clone();
                let packed = format!("{kind}\r\ncontent-encoding: gzip");
                Sends::Whole([head(&packed, Some(body.len() as u64)), body].concat())
            }
            Ill::Loop => {
                let moved = format!("HTTP/1.1 302 Found\r\nlocation: {path}\r\n{CLOSE}\r\n");
                Sends::Whole(moved.into_bytes())
            }
            _ => Sends::Whole(self.spoilt_exposition()),
        }
    }

    fn exposition(&self) -> String {
        let now = Timestamp::from_millis(self.now.load(Ordering::SeqCst));
        let mut replica = self.replica.lock().expect("nobody panics with it");
        replica.live(now);
        if self.is_hostile() && self.ill == Ill::Missing {
            replica.expo = Expo::Bare;
        }
        replica.text()
    }

    /// The exposition, with what is wrong with it.
    fn spoilt_exposition(&self) -> Vec<u8> {
        let text = self.exposition();
        let requests = "ai_assistant_requests_total";
        match self.ill {
            Ill::Malformed => {
                let bad = format!("{requests}{{ 1\n{requests} one\n{requests}{{a=b}} 1\n1a 1\n");
                whole(EXPOSITION, &bad)
            }
            Ill::OneBadLine => whole(EXPOSITION, &format!("{text}{requests}{{a=b}} 1\n")),
            Ill::CutShort => {
                let half = &text[..text.len() / 2];
                [head(EXPOSITION, Some(text.len() as u64)), half.into()].concat()
            }
            Ill::CutChunk => {
                let half = &text[..text.len() / 2];
                let head = format!("{OK}content-type: {EXPOSITION}\r\n{CHUNKED}");
                format!("{head}{:x}\r\n{half}\r\n", half.len()).into_bytes()
            }
            Ill::CutLine => whole(EXPOSITION, text.trim_end().rsplit_once('=').unwrap().0),
            Ill::Nan => {
                let nan = |line: &str| match line.rsplit_once(' ') {
                    Some((series, _)) if !line.starts_with('#') => format!("{series} NaN\n"),
                    _ => format!("{line}\n"),
                };
                whole(EXPOSITION, &text.lines().map(nan).collect::<String>())
            }
            Ill::Million => {
                let mut text = text;
                for number in 0..1_000_000 {
                    text.push_str(&format!("{requests}{{success=\"true\",type=\"{number}\"}} 1\n"));
                }
                whole(EXPOSITION, &text)
            }
            _ => whole(EXPOSITION, &text),
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\n";
const CLOSE: &str = "content-length: 0\r\nconnection: close\r\n";
const CHUNKED: &str = "transfer-encoding: chunked\r\nconnection: close\r\n\r\n";

/// Without a length the body ends where the connection does.
fn head(kind: &str, length: Option<u64>) -> Vec<u8> {
    let length = length.map_or(String::new(), |length| format!("content-length: {length}\r\n"));
    format!("{OK}content-type: {kind}\r\n{length}connection: close\r\n\r\n").into_bytes()
}

fn whole(kind: &str, body: &str) -> Vec<u8> {
    [&head(kind, Some(body.len() as u64)), body.as_bytes()].concat()
}

static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..LARGE / CHUNK as u64 {
        packer.write_all(&[b'0'; CHUNK]).expect("room");
    }
    packer.finish().expect("room")
});

/// Sends until it is done or nobody reads it any more; how many bytes went.
async fn send(stream: &mut (impl AsyncWrite + Unpin), sends: Sends) -> u64 {
    match sends {
        Sends::Whole(bytes) => match stream.write_all(&bytes).await {
            Ok(()) => bytes.len() as u64,
            Err(_) => 0,
        },
        Sends::Again(head, chunk, times) => {
            let mut sent = 0;
            let mut is_heard = stream.write_all(&head).await.is_ok();
            while is_heard && times.is_none_or(|times| sent < times * chunk.len() as u64) {
                is_heard = stream.write_all(&chunk).await.is_ok();
                sent += chunk.len() as u64;
            }
            sent
        }
        Sends::Drips(head) => {
            let mut sent = 0;
            let mut is_heard = stream.write_all(&head).await.is_ok();
            while is_heard {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let written = stream.write_all(b"0").await;
                is_heard = written.is_ok() && stream.flush().await.is_ok();
                sent += 1;
            }
            sent
        }
    }
}
