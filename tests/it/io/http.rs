//! Exchanges and scrapes against a server that answers as it is told.

use std::io::Write;
use std::sync::Arc;

use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::metrics::{Table, Wanted};
use bakewatch::model::{Failure, HeaderValue, MILLISECOND, Request, SECOND, Secret, Span};
use bakewatch::watch::Reply;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that reads one request head and answers with these bytes; with
/// `None` it never answers.
pub async fn server(answer: Option<Vec<u8>>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    servers(vec![answer]).await
}

/// The same for several connections in turn. Gives the requests' heads.
pub async fn servers(
    answers: Vec<Option<Vec<u8>>>,
) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut heads = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut some = [0; 4096];
                let count = stream.read(&mut some).await.unwrap();
                head.extend_from_slice(&some[..count]);
                if count == 0 {
                    break;
                }
            }
            heads.push(String::from_utf8_lossy(&head).into_owned());
            match answer {
                Some(answer) => {
                    // The client may hang up first: that is its right.
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.shutdown().await;
                }
                None => {
                    let _ = stream.read(&mut [0; 1]).await;
                }
            }
        }
        heads
    });
    (url, serving)
}

pub fn answer(head: &str, body: &[u8]) -> Option<Vec<u8>> {
    let length = format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    Some([format!("HTTP/1.1 {head}\r\n{length}").as_bytes(), body].concat())
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(body).unwrap();
    packer.finish().unwrap()
}

pub fn get(url: &str, timeout: Span) -> Request {
    Request {
        method: Default::default(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        timeout,
        follow: 0,
        transport: None,
    }
}

async fn check(served: Option<Vec<u8>>, timeout: Span) -> Result<(u16, String), Failure> {
    let (url, serving) = server(served).await;
    let done = Http::new().unwrap().exchange(&get(&url, timeout), &Secrets::default()).await;
    serving.abort();
    done.map(|exchange| (exchange.status, exchange.body))
}

async fn scrape(url: &str, bytes_max: u64) -> Result<usize, Failure> {
    let http = Http::new().unwrap();
    let (request, wanted) = (get(url, 10 * SECOND), Arc::new(Wanted::all()));
    let table = Box::new(Table::default());
    match http.scrape(&request, &Secrets::default(), &wanted, bytes_max, table).await {
        Reply::Scraped { page, .. } => page.map(|page| page.samples.len()),
        other => panic!("{other:?}"),
    }
}

const PAGE: &[u8] = b"# TYPE x counter\nx{a=\"1\"} 1\nx{a=\"2\"} 2\n";
const TEXT: &str = "200 OK\r\ncontent-type: text/plain; version=0.0.4";

#[tokio::test]
async fn gives_any_status_and_its_body_as_an_answer() {
    let down =
        check(answer("503 Service Unavailable", b"{\"status\":\"unhealthy\"}"), SECOND).await;
    assert_eq!(down, Ok((503, "{\"status\":\"unhealthy\"}".to_owned())));
}

#[tokio::test]
async fn follows_no_redirect_of_a_check() {
    let moved = check(answer("302 Found\r\nlocation: http://127.0.0.1:1/", b""), SECOND).await;
    assert_eq!(moved, Ok((302, String::new())));
}

#[tokio::test]
async fn tells_a_silent_server_from_a_closed_port() {
    let limit = 200 * MILLISECOND;
    assert_eq!(check(None, limit).await, Err(Failure::Timeout(limit)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let http = Http::new().unwrap();
    let refused = http.exchange(&get(&url, SECOND), &Secrets::default()).await;
    assert_eq!(refused, Err(Failure::Refused));
}

#[tokio::test]
async fn tells_a_body_that_breaks_off_from_one_that_drips_too_long() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
    let broken = check(Some(cut), SECOND).await;
    assert!(matches!(broken, Err(Failure::Broken(_))), "{broken:?}");
    let noise = check(Some(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), SECOND).await;
    assert!(matches!(noise, Err(Failure::Broken(_))), "{noise:?}");
}

#[tokio::test]
async fn tells_a_server_without_tls_by_its_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let hello = stream.read(&mut [0; 4096]).await;
        let answer = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        (hello, answer)
    });
    let http = Http::new().unwrap();
    let failed = http.exchange(&get(&url, 5 * SECOND), &Secrets::default()).await;
    serving.abort();
    assert!(matches!(failed, Err(Failure::Tls(_))), "{failed:?}");
}

#[tokio::test]
async fn does_not_unpack_a_bomb_to_its_end() {
    let bomb = gzip(&vec![b'0'; 8 << 20]);
    assert!(bomb.len() < 100_000, "it is a bomb");
    let large = check(answer("200 OK\r\ncontent-encoding: gzip", &bomb), 10 * SECOND).await;
    assert_eq!(large, Err(Failure::TooLarge(1 << 20)));
}

#[tokio::test]
async fn reads_a_packed_page_and_counts_the_cap_after_unpacking() {
    let head = format!("{TEXT}\r\ncontent-encoding: gzip");
    let (url, _serving) = servers(vec![answer(&head, &gzip(PAGE)); 2]).await;
    assert_eq!(scrape(&url, 1000).await, Ok(2));
    assert_eq!(scrape(&url, PAGE.len() as u64 - 1).await, Err(Failure::TooLarge(38)));
}

#[tokio::test]
async fn tells_a_packed_page_that_is_cut_off_and_one_that_is_not_packed() {
    let head = format!("{TEXT}\r\ncontent-encoding: gzip");
    let packed = gzip(&PAGE.repeat(100));
    let (url, _serving) =
        servers(vec![answer(&head, &packed[..packed.len() / 2]), answer(&head, PAGE)]).await;
    let told = |failed: Result<usize, Failure>| failed.unwrap_err().to_string();
    assert_eq!(told(scrape(&url, 10_000).await), "unreadable: gzip: incomplete deflate stream");
    assert_eq!(told(scrape(&url, 10_000).await), "unreadable: gzip: invalid gzip header");
}

#[tokio::test]
async fn follows_a_scrapes_redirect_and_asks_again_as_prometheus_does() {
    let moved = answer("308 Permanent Redirect\r\nlocation: /metrics/", b"");
    let (url, serving) = servers(vec![moved, answer(TEXT, PAGE)]).await;
    assert_eq!(scrape(&url, 1000).await, Ok(2));
    let heads = serving.await.unwrap();
    assert!(heads[1].starts_with("GET /metrics/ "), "{heads:?}");
    let accept = "accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,";
    assert!(heads.iter().all(|head| head.contains(accept)), "{heads:?}");
    assert!(heads[0].contains(concat!("user-agent: bakewatch/", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn follows_no_scrapes_redirect_to_another_host() {
    let (elsewhere, serving) = server(answer(TEXT, PAGE)).await;
    let elsewhere = elsewhere.replace("127.0.0.1", "localhost");
    let moved = answer(&format!("302 Found\r\nlocation: {elsewhere}/metrics"), b"");
    let (url, _serving) = server(moved).await;
    assert_eq!(scrape(&url, 1000).await, Err(Failure::Status(302)));
    assert!(!serving.is_finished(), "nobody went there");
    serving.abort();
}

#[tokio::test]
async fn takes_neither_an_error_page_nor_a_web_page_for_metrics() {
    let page = b"<!doctype html><html><body>hi</body></html>";
    let html = answer("200 OK\r\ncontent-type: text/html", page);
    let (url, _serving) = servers(vec![answer("404 Not Found", PAGE), html]).await;
    assert_eq!(scrape(&url, 1000).await, Err(Failure::Status(404)));
    let unreadable = scrape(&url, 1000).await;
    assert!(matches!(unreadable, Err(Failure::Unreadable(_))), "{unreadable:?}");
}

#[tokio::test]
async fn fills_secret_headers_and_blames_itself_when_one_is_missing() {
    let (url, serving) = server(answer("200 OK", b"")).await;
    let secrets = Secrets::new([("headers.token".to_owned(), "s3cret".to_owned())].into());
    let mut request = get(&url, SECOND);
    let value = HeaderValue::Secret(Secret::Config("headers.token".into()));
    request.headers = vec![("authorization".into(), value)];
    let http = Http::new().unwrap();
    let missing = http.exchange(&request, &Secrets::default()).await.unwrap_err();
    assert!(missing.is_ours(), "{missing}");
    http.exchange(&request, &secrets).await.unwrap();
    assert!(serving.await.unwrap()[0].contains("authorization: s3cret"));
}

#[tokio::test]
async fn takes_no_secret_along_to_another_place() {
    let well = || answer("200 OK", b"well");
    let (there, listening) = server(well()).await;
    let moved = answer(&format!("307 Moved\r\nlocation: {there}/in"), b"");
    let (here, _) = servers(vec![answer("302 Found\r\nlocation: /b", b""), moved]).await;
    let header = |name: &str| (name.to_owned(), HeaderValue::Plain("s3cret".to_owned()));
    let request = Request {
        headers: vec![header("authorization"), header("x-api-key"), header("accept")],
        follow: 3,
        ..get(&here, SECOND)
    };
    let exchange = Http::new().unwrap().exchange(&request, &Secrets::default()).await.unwrap();
    assert_eq!((exchange.redirects, exchange.url), (2, format!("{there}/in")));
    let heads = listening.await.unwrap();
    assert!(heads[0].contains("accept: s3cret") && heads[0].matches("s3cret").count() == 1);
}

#[tokio::test]
async fn takes_one_redirect_too_many_for_the_answer() {
    let moved = || answer("302 Found\r\nlocation: /again", b"");
    let (here, _) = servers(vec![moved(), moved(), moved()]).await;
    let request = Request { follow: 1, ..get(&here, SECOND) };
    let exchange = Http::new().unwrap().exchange(&request, &Secrets::default()).await.unwrap();
    assert_eq!((exchange.status, exchange.redirects), (302, 1));
}

#[tokio::test]
async fn calls_nobody_slow_for_a_secret_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("token");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success(), "a file that nobody writes to");
    let (url, _serving) = server(answer("200 OK", b"fine")).await;
    let bearer = Secret::File(pipe.display().to_string());
    let mut request = get(&url, 300 * MILLISECOND);
    request.headers = vec![("authorization".to_owned(), HeaderValue::Bearer { bearer })];
    let asked = Http::new().unwrap().exchange(&request, &Secrets::default()).await;
    match asked {
        Err(Failure::NotAsked(why)) => assert!(why.contains("token: the disk"), "{why}"),
        other => panic!("{other:?}"),
    }
    drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap()); // its reader can go
}
